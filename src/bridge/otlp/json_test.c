#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/otlp/arena.h"
#include "bridge/otlp/json.h"
#include "bridge/otlp/json_scan.h"
#include "core/buf.h"
#include "core/mem.h"

/* The whole text as one value; a copy of its exact size, so that the sanitizer sees a read past it. */
static enum reason skip_text(const char *text, size_t len)
{
	unsigned char *copy = mem_memdup(text, len);
	struct json j = json_of(slice_of(copy, len), NULL);
	bool ok = json_skip(&j) && (json_is_over(&j) || json_fail(&j));
	enum reason reason = j.reason;
	free(copy);
	assert_int_equal(ok, reason == REASON_OK);
	return reason;
}

static void test_json_takes_what_rfc_8259_allows(void **state)
{
	static const char *const texts[] = {
		"0",
		"-0",
		"-0.0",
		"1",
		"10",
		"1.5",
		"1e5",
		"1E+5",
		"1e-05",
		"-1.25e10",
		"123456789012345678901234567890",
		"0.00000000000000000000000000001",
		"true",
		"false",
		"null",
		"\"\"",
		"\"a\"",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
		"\"\\ud83d\\ude00\"",
		"\"\\ud800\"",
		"\"\x7F\"",
		"\"\xC3\xA9\"",
		"[]",
		"[ ]",
		"{}",
		"{ }",
		"[1,2]",
		" [ 1 , 2 ] ",
		"{\"a\":1}",
		"{\"a\":{\"b\":[{},[],null]}}",
		"\t\n\r {\"a\" : \"]\"}\n",
		"{\"\":0}",
		"{\"a\":1,\"a\":2}",
		"[\"0123456789abcdefghijklmnopqrstuvwxyz\"]",
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (skip_text(texts[i], strlen(texts[i])) != REASON_OK)
			fail_msg("refused: %s", texts[i]);
	}
}

static void test_json_refuses_what_rfc_8259_does_not_allow(void **state)
{
	static const char *const texts[] = {
		"01",
		"-01",
		"1.",
		".5",
		"-x",
		"+1",
		"1e",
		"1ex",
		"0x10",
		"1,",
		"NaN",
		"Infinity",
		"tru ",
		"nul ",
		"True",
		"'a'",
		"\"\n\"",
		"\"\t\"",
		"\"\\x\"",
		"\"\\u12g4\"",
		"\"\\ud83d\\u12\"",
		"[1 2]",
		"[1,]",
		"[,1]",
		"[,]",
		"{,}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{a:1}",
		"{1:1}",
		"{\"a\" 1}",
		"{\"a\":1 \"b\":2}",
		"[}",
		"{]",
		"]",
		"[1]]",
		"1 1",
		"{}{}",
		"\xEF\xBB\xBF{}",
		"[1}",
		"{\"a\":[}]",
		"// a\n1",
		"\"a\" x",
		"[\"a\\",
		"[\"0123456789abcde\x01\"]",
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (skip_text(texts[i], strlen(texts[i])) == REASON_OK)
			fail_msg("taken: %s", texts[i]);
	}
}

static void test_json_tells_a_cut_text_from_a_wrong_one(void **state)
{
	static const char text[] = "{\"a\":[1,true,\"x\\u00e9\\n\",-2.5e-3,{\"b\":null}]}";
	(void)state;
	assert_int_equal(skip_text(text, sizeof text - 1), REASON_OK);
	for (size_t len = 0; len < sizeof text - 1; len++)
		assert_int_equal(skip_text(text, len), REASON_TRUNCATED);
	assert_int_equal(skip_text("{\"a\":x", 6), REASON_MALFORMED_JSON);
}

static void test_json_follows_nesting_to_a_bound(void **state)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	(void)state;
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		buf_adds(&text, i % 2 ? "[" : "{\"a\":");
	for (int i = JSON_DEPTH_MAX - 1; i >= 0; i--) {
		if (i == JSON_DEPTH_MAX - 1)
			buf_adds(&text, "1");
		buf_adds(&text, i % 2 ? "]" : "}");
	}
	assert_int_equal(skip_text(buf_str(&text), text.len), REASON_OK);
	text.len = 0;
	for (int i = 0; i < 100000; i++)
		buf_adds(&text, "[");
	assert_int_equal(skip_text(buf_str(&text), text.len), REASON_TOO_DEEP);
}

static void test_json_skims_to_where_skipping_ends(void **state)
{
	static const char *const texts[] = {
		"[]",
		"{}",
		"[[],{}]",
		"[\"]\"]",
		"{\"a\":\"}\\\"}\"}",
		"[\"\\\\\"]",
		"[\"\\\\\\\"]\"]",
		"[{\"key\":\"user.id\",\"value\":{\"stringValue\":\"25ceeaecb0a2\"}}]",
		"[\"012345678901234567890123456789012345678901234567890123456789\\\"\",[[]]]",
		"[\"0123456789012345678901234567890123456789012345678901234567890\\\"]\",[[]]]",
		"[\"01234567890123456789012345678901234567890123456789012345678901\\\"]\",1]",
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		for (int behind = 0; behind < 70; behind += 23) {
			AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
			buf_adds(&text, texts[i]);
			for (int n = 0; n < behind; n++)
				buf_adds(&text, n % 2 ? "]" : "\"");
			struct json j = json_of(buf_slice(&text), NULL);
			assert_true(json_skim(&j));
			assert_int_equal(j.p - text.data, strlen(texts[i]));
		}
	}
}

static void test_json_skimming_a_cut_text_says_so(void **state)
{
	static const char text[] =
		"[{\"key\":\"a]\",\"value\":{\"stringValue\":\"0123456789\"}},1]";
	(void)state;
	for (size_t len = 0; len < sizeof text - 1; len++) {
		unsigned char *copy = mem_memdup(text, len);
		struct json j = json_of(slice_of(copy, len), NULL);
		assert_false(json_skim(&j));
		assert_int_equal(j.reason, REASON_TRUNCATED);
		free(copy);
	}
}

static void test_json_string_stops_are_found_at_every_offset(void **state)
{
	(void)state;
	for (size_t at = 0; at < 40; at++) {
		unsigned char *text = mem_alloc(at + 1);
		memset(text, 'x', at);
		static const unsigned char stops[] = { '"', '\\', 0, 0x1F };
		for (size_t i = 0; i < sizeof stops; i++) {
			text[at] = stops[i];
			assert_ptr_equal(json_scan_string(text, text + at + 1), text + at);
		}
		text[at] = 0xFF;
		assert_ptr_equal(json_scan_string(text, text + at + 1), text + at + 1);
		free(text);
	}
}

static void test_json_undoes_escapes(void **state)
{
	static const struct {
		const char *text, *means;
	} cases[] = {
		{ "\"plain\"", "plain" },
		{ "\"a\\\"b\\\\c\\/d\"", "a\"b\\c/d" },
		{ "\"\\b\\f\\n\\r\\t\"", "\b\f\n\r\t" },
		{ "\"\\u0041\\u00e9\\u20ac\"", "A\xC3\xA9\xE2\x82\xAC" },
		{ "\"\\uD83D\\uDE00!\"", "\xF0\x9F\x98\x80!" },
		{ "\"\\ud83d\"", "\xEF\xBF\xBD" },
		{ "\"\\ude00x\"", "\xEF\xBF\xBDx" },
		{ "\"\\ud83d\\u0041\"", "\xEF\xBF\xBD\x41" },
		{ "\"\\ud83d\\n\"", "\xEF\xBF\xBD\n" },
	};
	struct arena arena = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct json j = json_of(slice_str(cases[i].text), &arena);
		struct slice got;
		assert_true(json_text(&j, &got));
		if (!slice_eq_str(got, cases[i].means))
			fail_msg("%s became %.*s", cases[i].text, (int)got.len,
				(const char *)got.ptr);
		assert_true(json_is_over(&j));
	}
	arena_clear(&arena);
}

static void test_json_reads_doubles_exactly(void **state)
{
	static const struct {
		const char *text;
		double means;
	} cases[] = {
		{ "0", 0 },
		{ "1", 1 },
		{ "-2.5", -2.5 },
		{ "0.0123", 0.0123 },
		{ "0.07932", 0.07932 },
		{ "1e22", 1e22 },
		{ "1e23", 1e23 },
		{ "9007199254740993", 9007199254740992.0 },
		{ "0.1e-6", 1e-7 },
		{ "4.9e-324", 4.9e-324 },
		{ "1.7976931348623157e308", 1.7976931348623157e308 },
		{ "1e-400", 0 },
		{ "123456789012345678901234567890", 123456789012345678901234567890.0 },
		{ "0.30000000000000004", 0.30000000000000004 },
		{ "\"1.25\"", 1.25 },
		{ "\"-7\"", -7 },
		{ "3.1415926535897932384626433832795028841971693993751058209749445923",
			3.141592653589793 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct json j = json_of(slice_str(cases[i].text), NULL);
		double got;
		assert_true(json_double(&j, &got));
		if (memcmp(&got, &cases[i].means, sizeof got) != 0)
			fail_msg("%s became %.17g", cases[i].text, got);
	}
}

static void test_json_reads_a_number_longer_than_any_buffer(void **state)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	(void)state;
	buf_adds(&text, "1.5");
	for (int i = 0; i < 5000; i++)
		buf_adds(&text, "0");
	struct json j = json_of(buf_slice(&text), NULL);
	double got;
	assert_true(json_double(&j, &got));
	assert_true(got >= 1.5 && got <= 1.5);
}

static void test_json_reads_the_doubles_that_only_have_names(void **state)
{
	double got;
	(void)state;
	struct json j = json_of(slice_str("\"NaN\""), NULL);
	assert_true(json_double(&j, &got));
	assert_true(__builtin_isnan(got));
	j = json_of(slice_str("\"Infinity\""), NULL);
	assert_true(json_double(&j, &got) && __builtin_isinf(got) && got > 0);
	j = json_of(slice_str("\"-Infinity\""), NULL);
	assert_true(json_double(&j, &got) && __builtin_isinf(got) && got < 0);
	j = json_of(slice_str("\"Inf\""), NULL);
	assert_false(json_double(&j, &got));
}

static void test_json_reads_64_bit_integers_as_text_and_as_number(void **state)
{
	static const struct {
		const char *text;
		bool is_one;
		uint64_t means;
	} cases[] = {
		{ "1795469691174000000", true, 1795469691174000000u },
		{ "\"1795469691174000000\"", true, 1795469691174000000u },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "\"18446744073709551615\"", true, UINT64_MAX },
		{ "18446744073709551616", false, 0 },
		{ "1.0", true, 1 },
		{ "\"25e1\"", true, 250 },
		{ "1500e-2", true, 15 },
		{ "1.5", false, 0 },
		{ "-1", false, 0 },
		{ "-0", true, 0 },
		{ "0e99999999999", true, 0 },
		{ "1e99999999999", false, 0 },
		{ "\"\"", false, 0 },
		{ "\" 1\"", false, 0 },
		{ "\"1 \"", false, 0 },
		{ "\"12", false, 0 },
		{ "true", false, 0 },
		{ "[1]", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct json j = json_of(slice_str(cases[i].text), NULL);
		uint64_t got = 0;
		if (json_uint64(&j, &got) != cases[i].is_one || got != cases[i].means)
			fail_msg("%s became %llu", cases[i].text, (unsigned long long)got);
	}
}

static void test_json_integers_keep_their_bounds(void **state)
{
	int64_t big;
	int32_t small;
	(void)state;
	struct json j = json_of(slice_str("\"-9223372036854775808\""), NULL);
	assert_true(json_int64(&j, &big));
	assert_int_equal(big, INT64_MIN);
	j = json_of(slice_str("9223372036854775808"), NULL);
	assert_false(json_int64(&j, &big));
	j = json_of(slice_str("-2147483648"), NULL);
	assert_true(json_int32(&j, &small));
	assert_int_equal(small, INT32_MIN);
	j = json_of(slice_str("2147483648"), NULL);
	assert_false(json_int32(&j, &small));
}

static void test_json_decodes_base64_of_both_alphabets(void **state)
{
	static const struct {
		const char *text, *means;
	} cases[] = {
		{ "\"\"", "" },
		{ "\"Zg==\"", "f" },
		{ "\"Zg\"", "f" },
		{ "\"Zm8=\"", "fo" },
		{ "\"Zm9v\"", "foo" },
		{ "\"Zm9vYg==\"", "foob" },
		{ "\"__-_\"", "\xFF\xFF\xBF" },
		{ "\"//+/\"", "\xFF\xFF\xBF" },
	};
	struct arena arena = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct json j = json_of(slice_str(cases[i].text), &arena);
		struct slice got;
		assert_true(json_base64(&j, &got));
		assert_true(slice_eq_str(got, cases[i].means));
	}
	struct slice ignored;
	struct json j = json_of(slice_str("\"Z\""), &arena);
	assert_false(json_base64(&j, &ignored));
	j = json_of(slice_str("\"Z!==\""), &arena);
	assert_false(json_base64(&j, &ignored));
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_takes_what_rfc_8259_allows),
		cmocka_unit_test(test_json_refuses_what_rfc_8259_does_not_allow),
		cmocka_unit_test(test_json_tells_a_cut_text_from_a_wrong_one),
		cmocka_unit_test(test_json_follows_nesting_to_a_bound),
		cmocka_unit_test(test_json_skims_to_where_skipping_ends),
		cmocka_unit_test(test_json_skimming_a_cut_text_says_so),
		cmocka_unit_test(test_json_string_stops_are_found_at_every_offset),
		cmocka_unit_test(test_json_undoes_escapes),
		cmocka_unit_test(test_json_reads_doubles_exactly),
		cmocka_unit_test(test_json_reads_a_number_longer_than_any_buffer),
		cmocka_unit_test(test_json_reads_the_doubles_that_only_have_names),
		cmocka_unit_test(test_json_reads_64_bit_integers_as_text_and_as_number),
		cmocka_unit_test(test_json_integers_keep_their_bounds),
		cmocka_unit_test(test_json_decodes_base64_of_both_alphabets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
