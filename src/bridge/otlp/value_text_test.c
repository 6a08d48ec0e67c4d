#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/otlp/decode.h"
#include "bridge/otlp/pb_testing.h"

static struct otlp_decoder *decoder;

static int make_decoder(void **state)
{
	(void)state;
	decoder = otlp_decoder_new(1);
	return 0;
}

static int free_decoder(void **state)
{
	(void)state;
	otlp_decoder_free(decoder);
	return 0;
}

static void check_double(double number, const char *expected)
{
	AUTO(buf) struct buf out = BUF_INIT(64);
	const struct otlp_value value = { .kind = OTLP_DOUBLE, .number = number };
	assert_true(otlp_value_text(decoder, OTLP_PROTOBUF, &value, &out));
	assert_string_equal(buf_str(&out), expected);
}

static void test_doubles_are_written_as_short_as_they_read_back(void **state)
{
	(void)state;
	check_double(0, "0");
	check_double(1, "1");
	check_double(-2.5, "-2.5");
	check_double(0.1, "0.1");
	check_double(0.07932, "0.07932");
	check_double(0.1 + 0.2, "0.30000000000000004");
	check_double(5e-324, "4.94065645841247e-324");
	check_double(1e300, "1e+300");
	check_double(__builtin_nan(""), "NaN");
	check_double(__builtin_inf(), "+Inf");
	check_double(-__builtin_inf(), "-Inf");
}

static void test_integers_keep_all_their_digits(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(64);
	const struct otlp_value value = { .kind = OTLP_INT, .integer = INT64_MIN };
	(void)state;
	assert_true(otlp_value_text(decoder, OTLP_PROTOBUF, &value, &out));
	assert_string_equal(buf_str(&out), "-9223372036854775808");
}

static void test_bytes_are_base64_with_padding(void **state)
{
	static const char *const expected[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==" };
	(void)state;
	for (size_t len = 0; len < 5; len++) {
		AUTO(buf) struct buf out = BUF_INIT(64);
		const struct otlp_value value = { .kind = OTLP_BYTES,
			.bytes = slice_of("foobar", len) };
		assert_true(otlp_value_text(decoder, OTLP_PROTOBUF, &value, &out));
		assert_string_equal(buf_str(&out), expected[len]);
	}
}

static void test_long_text_is_cut_at_a_character(void **state)
{
	static const char *const expected[] = { "", "a", "a", "a\xC3\xA9", "a\xC3\xA9", "a\xC3\xA9",
		"a\xC3\xA9\xE2\x82\xAC" };
	(void)state;
	for (size_t max = 0; max <= 6; max++) {
		AUTO(buf) struct buf out = BUF_INIT(max);
		const struct otlp_value value = { .kind = OTLP_STRING,
			.bytes = slice_str("a\xC3\xA9\xE2\x82\xAC") };
		assert_int_equal(otlp_value_text(decoder, OTLP_PROTOBUF, &value, &out), max == 6);
		assert_string_equal(buf_str(&out), expected[max]);
	}
}

static void test_text_is_appended_to_what_is_there(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(4);
	const struct otlp_value value = { .kind = OTLP_STRING, .bytes = slice_str("xyz") };
	(void)state;
	assert_true(buf_append(&out, "ab", 2));
	assert_false(otlp_value_text(decoder, OTLP_PROTOBUF, &value, &out));
	assert_string_equal(buf_str(&out), "abxy");
}

static void test_strings_in_arrays_are_escaped_as_go_does(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(256);
	AUTO(buf) struct buf array = BUF_INIT(BUF_UNLIMITED);
	struct otlp_value value = { .kind = OTLP_ARRAY };
	(void)state;
	pb_message(&array, "1: { 1: \"q\\ \n\r\t \x01 <>& \xC3\xA9\" } 1: { 4: 1e999f }");
	value.bytes = buf_slice(&array);
	assert_true(otlp_value_text(decoder, OTLP_PROTOBUF, &value, &out));
	assert_string_equal(buf_str(&out),
		"[\"q\\\\ \\n\\r\\t \\u0001 \\u003c\\u003e\\u0026 \xC3\xA9\",\"+Inf\"]");
}

static void check_number(const char *text, bool is_number, double expected)
{
	const struct otlp_value value = { .kind = OTLP_STRING, .bytes = slice_str(text) };
	double got = 0;
	assert_int_equal(otlp_value_number(&value, &got), is_number);
	assert_true(got >= expected && got <= expected);
}

static void test_strings_that_hold_numbers_are_numbers(void **state)
{
	(void)state;
	check_number("12", true, 12);
	check_number("-0.5", true, -0.5);
	check_number("1e3", true, 1000);
	check_number("", false, 0);
	check_number("12ms", false, 0);
	check_number("0x10", false, 0);
	check_number("nan", false, 0);
	check_number("infinity", false, 0);
	check_number(" 1", false, 0);
}

static void test_a_boolean_is_no_number(void **state)
{
	const struct otlp_value value = { .kind = OTLP_BOOL, .integer = 1 };
	double got;
	(void)state;
	assert_false(otlp_value_number(&value, &got));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doubles_are_written_as_short_as_they_read_back),
		cmocka_unit_test(test_integers_keep_all_their_digits),
		cmocka_unit_test(test_bytes_are_base64_with_padding),
		cmocka_unit_test(test_long_text_is_cut_at_a_character),
		cmocka_unit_test(test_text_is_appended_to_what_is_there),
		cmocka_unit_test(test_strings_in_arrays_are_escaped_as_go_does),
		cmocka_unit_test(test_strings_that_hold_numbers_are_numbers),
		cmocka_unit_test(test_a_boolean_is_no_number),
	};
	return cmocka_run_group_tests(tests, make_decoder, free_decoder);
}
