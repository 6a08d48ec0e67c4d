#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/otlp/reasons.h"
#include "bridge/serve/chunked.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Feeds `text` in pieces of `step` bytes; the body's bytes go to `out`. Returns the last verdict. */
static int64_t read_chunks(const char *text, size_t step, char *out, size_t *out_len, size_t *used)
{
	struct chunked c = { .state = CHUNKED_SIZE };
	size_t len = strlen(text);
	*out_len = *used = 0;
	while (*used < len && c.state != CHUNKED_DONE) {
		struct slice data;
		size_t piece = len - *used < step ? len - *used : step;
		int64_t n = chunked_read(&c, slice_of(text + *used, piece), &data);
		if (n <= 0)
			return n;
		if (data.len)
			memcpy(out + *out_len, data.ptr, data.len);
		*out_len += data.len;
		*used += (size_t)n;
	}
	return c.state == CHUNKED_DONE;
}

static void test_chunks_are_joined_however_they_are_cut(void **state)
{
	static const char text[] = "3\r\nabc\r\n0a;x=\"y\"\r\n0123456789\r\n1  ; z\r\n!\r\n"
				   "0;last\r\nTrailer: x\r\n\r\n";
	(void)state;
	for (size_t step = 1; step < sizeof(text); step++) {
		char out[64];
		size_t len, used;
		assert_int_equal(read_chunks(text, step, out, &len, &used), 1);
		assert_int_equal(used, sizeof(text) - 1);
		assert_int_equal(len, 14);
		assert_memory_equal(out, "abc0123456789!", 14);
	}
}

static void test_chunks_end_where_the_next_request_begins(void **state)
{
	char out[8];
	size_t len, used;
	(void)state;
	assert_int_equal(read_chunks("0\r\n\r\nGET ", 100, out, &len, &used), 1);
	assert_int_equal(used, 5);
}

static void test_chunks_refuse_other_grammars(void **state)
{
	static const char *const cases[] = { "\r\n", ";\r\n", "g\r\n", "0x1\r\na\r\n", "-1\r\n",
		"1\n", "1\r\nab", "1\r\na\n", "1000000000000000\r\n", " 1\r\n", "1 1\r\n",
		"1;\x01\r\n", "0\r\nX: \x01\r\n", "0\r\nX\n" };
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char out[64];
		size_t len, used;
		if (read_chunks(cases[i], 1, out, &len, &used) != -(int64_t)REASON_MALFORMED_HTTP)
			fail_msg("taken: %s", cases[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunks_are_joined_however_they_are_cut),
		cmocka_unit_test(test_chunks_end_where_the_next_request_begins),
		cmocka_unit_test(test_chunks_refuse_other_grammars),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
