#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/serve/grpc.h"

#define MAX 64

/* Reads `in` in pieces of `step` bytes; the message goes to `out`. */
static enum reason read_all(struct grpc_reader *r, struct slice in, size_t step, struct buf *out)
{
	*r = (struct grpc_reader){ .have = 0 };
	out->len = 0;
	for (size_t at = 0; at < in.len; at += step) {
		struct slice part;
		size_t n = in.len - at < step ? in.len - at : step;
		enum reason reason = grpc_read(r, slice_of(in.ptr + at, n), MAX, &part);
		if (reason != REASON_OK)
			return reason;
		assert_true(buf_append_slice(out, part));
	}
	return REASON_OK;
}

static void test_a_message_is_read_however_it_is_cut(void **state)
{
	const struct slice in = SLICE_LIT("\0\0\0\0\5hello");
	AUTO(buf) struct buf out = BUF_INIT(MAX);
	struct grpc_reader r;
	(void)state;
	for (size_t step = 1; step <= in.len; step++) {
		assert_int_equal(read_all(&r, in, step, &out), REASON_OK);
		assert_true(grpc_is_whole(&r));
		assert_false(grpc_is_compressed(&r));
		assert_string_equal(buf_str(&out), "hello");
	}
}

static void test_an_empty_message_is_one(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(MAX);
	struct grpc_reader r;
	(void)state;
	assert_int_equal(read_all(&r, SLICE_LIT("\1\0\0\0\0"), 5, &out), REASON_OK);
	assert_true(grpc_is_whole(&r) && grpc_is_compressed(&r));
	assert_int_equal(read_all(&r, SLICE_LIT("\0\0\0\0"), 2, &out), REASON_OK);
	assert_false(grpc_is_whole(&r));
	assert_int_equal(read_all(&r, SLICE_LIT(""), 1, &out), REASON_OK);
	assert_false(grpc_is_whole(&r));
}

static void test_what_is_not_exactly_one_message_is_refused(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(MAX);
	struct grpc_reader r;
	(void)state;
	for (size_t step = 1; step < 9; step++) {
		assert_int_equal(
			read_all(&r, SLICE_LIT("\0\0\0\0\1ab"), step, &out), REASON_MALFORMED_GRPC);
		assert_int_equal(
			read_all(&r, SLICE_LIT("\0\0\0\0\0a"), step, &out), REASON_MALFORMED_GRPC);
		assert_int_equal(
			read_all(&r, SLICE_LIT("\2\0\0\0\1a"), step, &out), REASON_MALFORMED_GRPC);
	}
}

static void test_a_length_is_refused_before_its_bytes_come(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(MAX);
	struct grpc_reader r;
	(void)state;
	assert_int_equal(read_all(&r, SLICE_LIT("\0\0\0\0\x40"), 5, &out), REASON_OK);
	assert_int_equal(read_all(&r, SLICE_LIT("\0\0\0\0\x41"), 5, &out), REASON_BODY_TOO_LARGE);
	assert_int_equal(
		read_all(&r, SLICE_LIT("\0\xff\xff\xff\xff"), 1, &out), REASON_BODY_TOO_LARGE);
}

static void test_the_prefix_of_an_answer_is_read_back(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	(void)state;
	grpc_add_prefix(&out, 0x010203);
	assert_int_equal(out.len, GRPC_PREFIX_LEN);
	assert_memory_equal(out.data, "\0\0\1\2\3", GRPC_PREFIX_LEN);
}

static void test_timeouts(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "1H", 3600000 },
		{ "2M", 120000 },
		{ "10S", 10000 },
		{ "9999m", 9999 },
		{ "1500u", 2 },
		{ "1n", 1 },
		{ "99999999H", INT64_C(99999999) * 3600000 },
		{ "100000000m", 0 },
		{ "0m", 0 },
		{ "m", 0 },
		{ "", 0 },
		{ "10", 0 },
		{ "-1S", 0 },
		{ "1x", 0 },
		{ "1 S", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(grpc_timeout_ms(slice_str(cases[i].text)), cases[i].ms);
}

static void test_messages_are_printable_ascii(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	(void)state;
	grpc_add_message(&out, "100% of ~ \xc3\xbc\n");
	assert_string_equal(buf_str(&out), "100%25 of ~ %C3%BC%0A");
}

static void test_details_say_when_to_come_back(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	(void)state;
	/* Status{14, "full", [Any{"type.googleapis.com/google.rpc.RetryInfo", RetryInfo{2 s}}]}, by protobuf's own
	 * encoder. */
	grpc_add_retry_details(&out, 14, "full", 2);
	assert_string_equal(buf_str(&out),
		"CA4SBGZ1bGwaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIAg");
}

static void test_methods_and_types(void **state)
{
	const struct grpc_method *method = grpc_method_find(
		SLICE_LIT("/opentelemetry.proto.collector.trace.v1.TraceService/Export"));
	(void)state;
	assert_non_null(method);
	assert_int_equal(method->call, GRPC_EXPORT);
	assert_int_equal(method->signal, OTLP_TRACES);
	assert_null(grpc_method_find(
		SLICE_LIT("/opentelemetry.proto.collector.trace.v1.TraceService/export")));
	assert_true(grpc_type_is_ours(SLICE_LIT("application/grpc")));
	assert_true(grpc_type_is_ours(SLICE_LIT("application/grpc+proto")));
	assert_false(grpc_type_is_ours(SLICE_LIT("application/grpc+json")));
	assert_false(grpc_type_is_ours(SLICE_LIT("application/grpc-web")));
}

static void test_health_knows_its_services(void **state)
{
	bool is_known = false;
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	(void)state;
	assert_int_equal(grpc_health_read(SLICE_LIT(""), &is_known), REASON_OK);
	assert_true(is_known);
	assert_int_equal(grpc_health_read(SLICE_LIT("\x0a\x01x"), &is_known), REASON_OK);
	assert_false(is_known);
	assert_int_equal(
		grpc_health_read(SLICE_LIT("\x12\x01x\x0a\x33"
					   "opentelemetry.proto.collector.logs.v1.LogsService"),
			&is_known),
		REASON_MALFORMED_PROTOBUF);
	assert_int_equal(
		grpc_health_read(SLICE_LIT("\x12\x01x\x0a\x31"
					   "opentelemetry.proto.collector.logs.v1.LogsService"),
			&is_known),
		REASON_OK);
	assert_true(is_known);
	grpc_add_health(&out, GRPC_NOT_SERVING);
	assert_string_equal(buf_str(&out), "\x08\x02");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_message_is_read_however_it_is_cut),
		cmocka_unit_test(test_an_empty_message_is_one),
		cmocka_unit_test(test_what_is_not_exactly_one_message_is_refused),
		cmocka_unit_test(test_a_length_is_refused_before_its_bytes_come),
		cmocka_unit_test(test_the_prefix_of_an_answer_is_read_back),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_messages_are_printable_ascii),
		cmocka_unit_test(test_details_say_when_to_come_back),
		cmocka_unit_test(test_methods_and_types),
		cmocka_unit_test(test_health_knows_its_services),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
