#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bridge/otlp/wire.h"
#include "core/mem.h"

struct wire_case {
	const char *bytes;
	size_t len;
	enum wire_status status;
	const char *why;
};

#define BYTES(s) (s), sizeof(s) - 1

static enum wire_status last_status(const char *bytes, size_t len)
{
	unsigned char *copy = mem_memdup(bytes, len);
	struct wire w = wire_of(slice_of(copy, len));
	struct wire_field f;
	enum wire_status status;
	while ((status = wire_next(&w, &f)) == WIRE_FIELD)
		;
	free(copy);
	return status;
}

static void test_fields_end_as_they_should(void **state)
{
	static const struct wire_case cases[] = {
		{ BYTES(""), WIRE_DONE, "an empty message" },
		{ BYTES("\x08\x01"), WIRE_DONE, "a varint" },
		{ BYTES("\x08"), WIRE_CUT, "a tag without its varint" },
		{ BYTES("\x08\x80"), WIRE_CUT, "half a varint" },
		{ BYTES("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), WIRE_DONE,
			"the largest varint" },
		{ BYTES("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"), WIRE_BAD,
			"a varint of 65 bits" },
		{ BYTES("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), WIRE_BAD,
			"a varint of eleven bytes" },
		{ BYTES("\x08\x80\x80\x80\x00"), WIRE_DONE, "a varint written too long" },
		{ BYTES("\x09\x01\x02\x03\x04\x05\x06\x07\x08"), WIRE_DONE, "a fixed64" },
		{ BYTES("\x09\x01\x02\x03\x04\x05\x06\x07"), WIRE_CUT, "seven bytes of eight" },
		{ BYTES("\x0D\x01\x02\x03\x04"), WIRE_DONE, "a fixed32" },
		{ BYTES("\x0D\x01\x02\x03"), WIRE_CUT, "three bytes of four" },
		{ BYTES("\x0A\x02hi"), WIRE_DONE, "two bytes" },
		{ BYTES("\x0A\x03hi"), WIRE_CUT, "a length past the end" },
		{ BYTES("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), WIRE_CUT,
			"a length of 2^64-1" },
		{ BYTES("\x00\x01"), WIRE_BAD, "field number 0" },
		{ BYTES("\x80\x80\x80\x80\x10\x01"), WIRE_BAD, "a field number past 2^29" },
		{ BYTES("\x88\x00\x01"), WIRE_BAD, "a tag written too long" },
		{ BYTES("\xF8\x07\x01"), WIRE_DONE, "a tag of two bytes" },
		{ BYTES("\x0E\x01"), WIRE_BAD, "wire type 6" },
		{ BYTES("\x0F\x01"), WIRE_BAD, "wire type 7" },
		{ BYTES("\x0C"), WIRE_BAD, "the end of a group that did not begin" },
		{ BYTES("\x0B\x08\x01\x13\x14\x0C\x08\x01"), WIRE_DONE, "groups in groups" },
		{ BYTES("\x0B\x08\x01"), WIRE_CUT, "a group without end" },
		{ BYTES("\x0B\x14"), WIRE_BAD, "a group ended by another's number" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum wire_status got = last_status(cases[i].bytes, cases[i].len);
		if (got != cases[i].status)
			fail_msg("%s: status %d", cases[i].why, (int)got);
	}
}

static void test_groups_are_followed_to_a_bound(void **state)
{
	unsigned char nested[2 * 65];
	(void)state;
	memset(nested, 0x0B, 65);
	memset(nested + 65, 0x0C, 65);
	assert_int_equal(last_status((const char *)nested, sizeof nested), WIRE_BAD);
	assert_int_equal(last_status((const char *)nested + 1, sizeof nested - 2), WIRE_DONE);
}

static void test_values_are_read_as_written(void **state)
{
	static const char bytes[] = "\x08\xAC\x02\x12\x02hi\x19\x00\x00\x00\x00\x00\x00\xF8\x3F";
	struct wire w = wire_of(slice_of(bytes, sizeof bytes - 1));
	struct wire_field f;
	(void)state;
	assert_int_equal(wire_next(&w, &f), WIRE_FIELD);
	assert_int_equal(f.number, 1);
	assert_int_equal(f.integer, 300);
	assert_int_equal(wire_next(&w, &f), WIRE_FIELD);
	assert_true(slice_eq_str(f.bytes, "hi"));
	assert_int_equal(wire_next(&w, &f), WIRE_FIELD);
	assert_true(wire_double(f.integer) > 1.4999 && wire_double(f.integer) < 1.5001);
}

static void test_zigzag_covers_both_ends(void **state)
{
	(void)state;
	assert_int_equal(wire_sint32(0), 0);
	assert_int_equal(wire_sint32(1), -1);
	assert_int_equal(wire_sint32(2), 1);
	assert_int_equal(wire_sint32(4294967294u), INT32_MAX);
	assert_int_equal(wire_sint32(4294967295u), INT32_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_end_as_they_should),
		cmocka_unit_test(test_groups_are_followed_to_a_bound),
		cmocka_unit_test(test_values_are_read_as_written),
		cmocka_unit_test(test_zigzag_covers_both_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
