#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/str.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void test_str_reads_durations(void **state)
{
	(void)state;

	static const struct {
		const char *text;
		bool is_right;
		int64_t ms;
		const char *reason;
	} cases[] = {
		{ "15s", true, 15000, "one unit" },
		{ "1h30m", true, 5400000, "two units" },
		{ "250ms", true, 250, "ms is not m" },
		{ "400d", true, INT64_C(34560000000), "past 32 bits" },
		{ "0", true, 0, "zero needs no unit" },
		{ "0s", true, 0, "zero with a unit" },
		{ "5", false, 0, "a number without a unit" },
		{ "", false, 0, "nothing" },
		{ "s", false, 0, "a unit without a number" },
		{ "-5s", false, 0, "negative" },
		{ "5 s", false, 0, "a space" },
		{ "5s ", false, 0, "trailing space" },
		{ "5S", false, 0, "no such unit" },
		{ "99999999999999999999s", false, 0, "the number overflows" },
		{ "9223372036854775807w", false, 0, "the product overflows" },
		{ "15250284452w15250284452w", false, 0, "the sum overflows" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(error) struct error err = ERROR_INIT;
		int64_t ms = 0;
		if (str_parse_duration(cases[i].text, &ms, &err) != cases[i].is_right ||
			ms != cases[i].ms)
			fail_msg("\"%s\": %s", cases[i].text, cases[i].reason);
	}
}

static void test_str_reads_sizes(void **state)
{
	(void)state;

	static const struct {
		const char *text;
		bool is_right;
		int64_t bytes;
		const char *reason;
	} cases[] = {
		{ "64MiB", true, 67108864, "binary" },
		{ "10MB", true, 10000000, "decimal" },
		{ "4096", true, 4096, "bytes" },
		{ "0", true, 0, "zero" },
		{ "64mib", false, 0, "units have a case" },
		{ "1.5GiB", false, 0, "no fractions" },
		{ "", false, 0, "nothing" },
		{ "MiB", false, 0, "no number" },
		{ "8388608TiB", false, 0, "the product overflows" },
		{ "1GiB1MiB", false, 0, "one unit only" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(error) struct error err = ERROR_INIT;
		int64_t bytes = 0;
		if (str_parse_size(cases[i].text, &bytes, &err) != cases[i].is_right ||
			bytes != cases[i].bytes)
			fail_msg("\"%s\": %s", cases[i].text, cases[i].reason);
	}
}

static void test_str_reads_whole_numbers_within_bounds(void **state)
{
	(void)state;
	int64_t n = 7;
	AUTO(error) struct error err = ERROR_INIT;
	assert_true(str_parse_int("65535", 0, 65535, &n, &err));
	assert_int_equal(n, 65535);
	static const char *const wrong[] = { "65536", "-1", "", " 1", "1 ", "1x", "0x10", "1.0",
		"99999999999999999999", "-99999999999999999999" };
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_false(str_parse_int(wrong[i], 0, 65535, &n, &err));
		error_clear(&err);
	}
	assert_int_equal(n, 65535);
}

static void test_str_writes_what_it_reads(void **state)
{
	(void)state;
	static const int64_t values[] = { 0, 1, 999, 1000, 90000, 86400000, 1209600000, 1209600001,
		INT64_C(34560000000), INT64_MAX };
	for (size_t i = 0; i < COUNT(values); i++) {
		AUTO(error) struct error err = ERROR_INIT;
		int64_t back = -1;
		AUTO(str) char *duration = str_duration(values[i]);
		assert_true(str_parse_duration(duration, &back, &err));
		assert_int_equal(back, values[i]);
		AUTO(str) char *size = str_size(values[i]);
		assert_true(str_parse_size(size, &back, &err));
		assert_int_equal(back, values[i]);
	}
	AUTO(str) char *duration = str_duration(90000);
	AUTO(str) char *size = str_size(67108864);
	assert_string_equal(duration, "1m30s");
	assert_string_equal(size, "64MiB");
}

static void test_str_reads_doubles_from_borrowed_bytes_only(void **state)
{
	(void)state;
	double value = 0;
	assert_true(str_double(slice_of("0.01234", 4), &value));
	assert_true(value > 0.0099 && value < 0.0101);
	assert_true(str_double(slice_str("-1e3"), &value));
	assert_true(value < -999.9 && value > -1000.1);
	char digits[401];
	memset(digits, '1', sizeof digits - 1);
	digits[sizeof digits - 1] = '\0';
	digits[1] = '.';
	assert_true(str_double(slice_str(digits), &value));
	static const char *const wrong[] = { "", " 1", "1 ", "nan", "inf", "Infinity", "0x10", "1e",
		".", "1.2.3", "--1" };
	for (size_t i = 0; i < COUNT(wrong); i++) {
		if (str_double(slice_str(wrong[i]), &value))
			fail_msg("took \"%s\" for a number", wrong[i]);
	}
	assert_false(str_double(slice_of("1\0garbage", 9), &value));
	assert_false(str_double(slice_of("\0", 1), &value));
}

static void test_str_finds_the_word_that_was_meant(void **state)
{
	(void)state;
	static const char *const names[] = { "report", "bridge", "version", "help" };
	assert_string_equal(str_nearest("reprot", names, COUNT(names)), "report");
	assert_string_equal(str_nearest("hlep", names, COUNT(names)), "help");
	assert_string_equal(str_nearest("versions", names, COUNT(names)), "version");
	assert_null(str_nearest("backup", names, COUNT(names)));
	assert_null(str_nearest("x", names, COUNT(names)));
	assert_null(str_nearest("", names, COUNT(names)));
}

static void test_str_measures_a_swap_as_one_slip(void **state)
{
	(void)state;
	assert_int_equal(str_distance("ab", "ba"), 1);
	assert_int_equal(str_distance("", "abc"), 3);
	assert_int_equal(str_distance("kitten", "sitting"), 3);
}

static void test_str_knows_utf8(void **state)
{
	(void)state;

	static const struct {
		const char *text;
		bool is_utf8;
		const char *reason;
	} cases[] = {
		{ "", true, "nothing" },
		{ "plain", true, "ascii" },
		{ "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", true, "two, three and four bytes" },
		{ "\xC0\xAF", false, "overlong" },
		{ "\xE0\x80\x80", false, "overlong in three bytes" },
		{ "\xED\xA0\x80", false, "a surrogate" },
		{ "\xF4\x90\x80\x80", false, "past U+10FFFF" },
		{ "\xC3", false, "cut off" },
		{ "\xE2\x82", false, "cut off after two" },
		{ "\x80", false, "a continuation alone" },
		{ "\xFF", false, "never a byte of UTF-8" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		if (str_is_utf8(slice_str(cases[i].text)) != cases[i].is_utf8)
			fail_msg("%s", cases[i].reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_str_reads_durations),
		cmocka_unit_test(test_str_reads_sizes),
		cmocka_unit_test(test_str_reads_whole_numbers_within_bounds),
		cmocka_unit_test(test_str_writes_what_it_reads),
		cmocka_unit_test(test_str_reads_doubles_from_borrowed_bytes_only),
		cmocka_unit_test(test_str_finds_the_word_that_was_meant),
		cmocka_unit_test(test_str_measures_a_swap_as_one_slip),
		cmocka_unit_test(test_str_knows_utf8),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
