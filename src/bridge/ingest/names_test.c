#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/ingest/names.h"
#include "core/buf.h"
#include "core/str.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum kind { COUNTER, UPDOWN, GAUGE, HISTOGRAM, EXPONENTIAL, SUMMARY };

struct family_case {
	const char *metric, *unit;
	enum kind kind;
	const char *family;
	const char *reason;
};

static const struct family_case family_cases[] = {
	/* what the Collector's exporter gave for the recordings */
	{ "claude_code.session.count", "", COUNTER, "claude_code_session_count_total", "recorded" },
	{ "claude_code.lines_of_code.count", "", COUNTER, "claude_code_lines_of_code_count_total",
		"recorded" },
	{ "claude_code.commit.count", "", COUNTER, "claude_code_commit_count_total", "recorded" },
	{ "claude_code.pull_request.count", "", COUNTER, "claude_code_pull_request_count_total",
		"documented" },
	{ "claude_code.cost.usage", "USD", COUNTER, "claude_code_cost_usage_USD_total",
		"recorded" },
	{ "claude_code.token.usage", "tokens", COUNTER, "claude_code_token_usage_tokens_total",
		"recorded" },
	{ "claude_code.code_edit_tool.decision", "", COUNTER,
		"claude_code_code_edit_tool_decision_total", "recorded" },
	{ "claude_code.active_time.total", "s", COUNTER, "claude_code_active_time_seconds_total",
		"recorded; total moves to the end" },
	/* kinds */
	{ "queue.size", "", UPDOWN, "queue_size", "not monotonic: no total" },
	{ "queue.total", "", UPDOWN, "queue_total", "a total of its own stays" },
	{ "queue.size", "1", UPDOWN, "queue_size", "a sum is no ratio" },
	{ "cpu.usage", "1", GAUGE, "cpu_usage_ratio", "unit 1" },
	{ "cpu_ratio.usage", "1", GAUGE, "cpu_usage_ratio", "ratio moves to the end" },
	{ "items", "1", COUNTER, "items_total", "unit 1 of a counter is nothing" },
	{ "http.server.duration", "ms", HISTOGRAM, "http_server_duration_milliseconds",
		"no suffix of its own" },
	{ "request.total", "s", HISTOGRAM, "request_total_seconds", "not a counter" },
	{ "request.size", "By", EXPONENTIAL, "request_size_bytes", "no suffix of its own" },
	{ "response.time", "ms", SUMMARY, "response_time_milliseconds", "no suffix of its own" },
	/* units */
	{ "x", "d", GAUGE, "x_days", "time" },
	{ "x", "h", GAUGE, "x_hours", "time" },
	{ "x", "min", GAUGE, "x_minutes", "time" },
	{ "x", "s", GAUGE, "x_seconds", "time" },
	{ "x", "ms", GAUGE, "x_milliseconds", "time" },
	{ "x", "us", GAUGE, "x_microseconds", "time" },
	{ "x", "ns", GAUGE, "x_nanoseconds", "time" },
	{ "x", "By", GAUGE, "x_bytes", "bytes" },
	{ "x", "KiBy", GAUGE, "x_kibibytes", "bytes" },
	{ "x", "MiBy", GAUGE, "x_mebibytes", "bytes" },
	{ "x", "GiBy", GAUGE, "x_gibibytes", "bytes" },
	{ "x", "TiBy", GAUGE, "x_tibibytes", "as the Collector spells it" },
	{ "x", "KBy", GAUGE, "x_kilobytes", "bytes" },
	{ "x", "MBy", GAUGE, "x_megabytes", "bytes" },
	{ "x", "GBy", GAUGE, "x_gigabytes", "bytes" },
	{ "x", "TBy", GAUGE, "x_terabytes", "bytes" },
	{ "x", "m", GAUGE, "x_meters", "a metre" },
	{ "x", "V", GAUGE, "x_volts", "SI" },
	{ "x", "A", GAUGE, "x_amperes", "SI" },
	{ "x", "J", GAUGE, "x_joules", "SI" },
	{ "x", "W", GAUGE, "x_watts", "SI" },
	{ "x", "g", GAUGE, "x_grams", "SI" },
	{ "x", "Cel", GAUGE, "x_celsius", "misc" },
	{ "x", "Hz", GAUGE, "x_hertz", "misc" },
	{ "x", "%", GAUGE, "x_percent", "misc" },
	{ "x", "widgets", GAUGE, "x_widgets", "an unknown unit stays" },
	{ "x", "kilo widgets", GAUGE, "x_kilo_widgets", "cleaned" },
	{ "x", "  s ", GAUGE, "x_seconds", "trimmed" },
	{ "x", "a__b", GAUGE, "x_a_b", "one underscore" },
	{ "x", "°C", GAUGE, "x_C", "cleaned at the front" },
	{ "x", "$", GAUGE, "x", "nothing left" },
	{ "x", "USD$", COUNTER, "x_USD__total",
		"an underscore at the end stays, as in the Collector" },
	{ "x", "{request}", COUNTER, "x_total", "braces" },
	{ "x", "By{sent}", COUNTER, "x_total", "braces anywhere" },
	{ "x_seconds", "s", GAUGE, "x_seconds", "not repeated" },
	{ "seconds.x", "s", GAUGE, "seconds_x", "not repeated, wherever it stands" },
	{ "x_total", "total", COUNTER, "x_total", "the unit is the suffix" },
	/* a per b */
	{ "x", "By/s", GAUGE, "x_bytes_per_second", "per" },
	{ "x", "1/s", GAUGE, "x_per_second", "per, without a unit before" },
	{ "x", "km/h", GAUGE, "x_km_per_hour", "per" },
	{ "x", "m/m", GAUGE, "x_meters_per_minute", "m is a minute behind the slash" },
	{ "x", "1/d", COUNTER, "x_per_day_total", "per" },
	{ "x", "1/w", GAUGE, "x_per_week", "per" },
	{ "x", "1/mo", GAUGE, "x_per_month", "per" },
	{ "x", "1/y", GAUGE, "x_per_year", "per" },
	{ "x", "By/widget", GAUGE, "x_bytes_per_widget", "per something unknown" },
	{ "x", "By/{packet}", GAUGE, "x_bytes", "braces behind the slash" },
	{ "x", "{packet}/s", GAUGE, "x_per_second", "braces before the slash" },
	{ "x", "By/", GAUGE, "x_bytes", "nothing behind" },
	{ "x", "/s", GAUGE, "x_per_second", "nothing before" },
	{ "x", "a/b/c", GAUGE, "x_a_per_b_c", "one split" },
	{ "x", "USD$/s$", GAUGE, "x_USD_per_s", "underscores at the ends go" },
	{ "x", "/", GAUGE, "x", "nothing at all" },
	/* characters */
	{ "a:b", "", GAUGE, "a:b", "colons stay" },
	{ "a..b--c", "", GAUGE, "a_b_c", "one underscore" },
	{ "__a__", "", GAUGE, "a", "none at the ends" },
	{ "Größe", "", GAUGE, "Gr_e", "two characters outside of ASCII, one underscore" },
	{ "1st", "", GAUGE, "_1st", "a digit in front" },
	{ "1", "s", COUNTER, "_1_seconds_total", "only a digit" },
	{ "", "", GAUGE, "unnamed", "never empty" },
	{ "@#$", "", GAUGE, "unnamed", "never empty" },
	{ "@#$", "", COUNTER, "total", "as the Collector" },
	{ "@#$", "s", GAUGE, "seconds", "as the Collector" },
	{ "@#$", "7x", GAUGE, "_7x", "a digit in front from the unit" },
	{ "total", "", COUNTER, "total", "once" },
	{ "{x=\"1\"} 5\n# HELP", "", GAUGE, "x_1_5_HELP", "no line of the exposition breaks" },
};

static enum otlp_metric_kind metric_kind(enum kind kind)
{
	static const enum otlp_metric_kind kinds[] = {
		[COUNTER] = OTLP_SUM,
		[UPDOWN] = OTLP_SUM,
		[GAUGE] = OTLP_GAUGE,
		[HISTOGRAM] = OTLP_HISTOGRAM,
		[EXPONENTIAL] = OTLP_EXPONENTIAL_HISTOGRAM,
		[SUMMARY] = OTLP_SUMMARY,
	};

	return kinds[kind];
}

static void test_families_are_named_as_the_collector_names_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(family_cases); i++) {
		const struct family_case *c = &family_cases[i];
		struct buf out = BUF_INIT(BUF_UNLIMITED);
		names_family(slice_str(c->metric), slice_str(c->unit), metric_kind(c->kind),
			c->kind == COUNTER, &out);
		if (strcmp(buf_str(&out), c->family) != 0)
			fail_msg("%s in %s: %s, not %s (%s)", c->metric, c->unit, buf_str(&out),
				c->family, c->reason);
		buf_clear(&out);
	}
}

static void test_a_family_is_appended_to_what_is_there(void **state)
{
	(void)state;
	struct buf out = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&out, "# TYPE ");
	names_family(SLICE_LIT("2nd.try"), SLICE_LIT("s"), OTLP_SUM, true, &out);
	assert_string_equal(buf_str(&out), "# TYPE _2nd_try_seconds_total");
	buf_clear(&out);
}

static void test_a_family_of_enormous_texts_is_short(void **state)
{
	(void)state;
	static unsigned char huge[100000];
	memset(huge, 'x', sizeof huge);
	struct buf out = BUF_INIT(BUF_UNLIMITED);
	struct slice text = slice_of(huge, sizeof huge);
	names_family(text, text, OTLP_SUM, true, &out);
	assert_int_equal(out.len, NAMES_METRIC_MAX + 1 + NAMES_UNIT_MAX + strlen("_total"));
	buf_clear(&out);
}

struct text_case {
	const char *in, *out;
};

static const struct text_case label_cases[] = {
	{ "session.id", "session_id" },
	{ "user_id", "user_id" },
	{ "type", "type" },
	{ "label:with:colons", "label_with_colons" },
	{ "CapitalLetters", "CapitalLetters" },
	{ "with&special$chars)", "with_special_chars_" },
	{ "a..b", "a__b" },
	{ "foreign_字符", "foreign___" },
	{ "größe", "gr__e" },
	{ "bad\xff\xfe", "bad__" },
	{ "cut\xe5\xad", "cut__" },
	{ "surrogate\xed\xa0\x80", "surrogate___" },
	{ "grin\xf0\x9f\x98\x80", "grin_" },
	{ "123", "key_123" },
	{ "1.5", "key_1_5" },
	{ "_private", "key_private" },
	{ ".private", "key_private" },
	{ "__name__", "key__name__" },
	{ "__address__", "key__address__" },
	{ "..name..", "key__name__" },
	{ "___", "key___" },
	{ "ようこそ", "key____" },
	{ "=\"1\"} 5\n", "key__1___5_" },
	{ " ", "key_" },
	{ "", "key_empty" },
};

static void test_labels_are_valid_and_never_prometheus_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(label_cases); i++) {
		struct buf out = BUF_INIT(BUF_UNLIMITED);
		names_label(slice_str(label_cases[i].in), &out);
		assert_string_equal(buf_str(&out), label_cases[i].out);
		buf_clear(&out);
	}
}

static uint32_t draw(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static struct slice draw_bytes(uint32_t *state, unsigned char *bytes, size_t max)
{
	static const char often[] = "a1_:./{} %\xc3\xa9\xe5\xad\x97\n\"\\";
	size_t len = draw(state) % max;
	for (size_t i = 0; i < len; i++)
		bytes[i] = draw(state) % 2 ? (unsigned char)often[draw(state) % (sizeof often - 1)]
					   : (unsigned char)draw(state);
	return slice_of(bytes, len);
}

static bool is_name(struct slice s, const char *first, bool has_colon)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	for (size_t i = 0; i < s.len; i++) {
		char c = (char)s.ptr[i];
		bool is_letter = c && (strchr(letters, c) || strchr(first, c));
		bool is_other = c && strchr("_0123456789", c);
		if (!is_letter && (i == 0 || !is_other) && !(has_colon && c == ':'))
			return false;
	}
	return s.len > 0;
}

static void test_whatever_bytes_come_names_are_valid(void **state)
{
	(void)state;
	uint32_t random = 1;
	unsigned char a[40], b[20];
	for (int i = 0; i < 100000; i++) {
		struct slice metric = draw_bytes(&random, a, sizeof a);
		struct slice unit = draw_bytes(&random, b, sizeof b);
		struct buf out = BUF_INIT(BUF_UNLIMITED);
		names_family(metric, unit, (enum otlp_metric_kind)(draw(&random) % 5),
			draw(&random) % 2, &out);
		assert_true(is_name(buf_slice(&out), "_", true));
		out.len = 0;
		names_label(metric, &out);
		assert_true(is_name(buf_slice(&out), "", false));
		buf_clear(&out);
	}
}

static void test_label_values_are_escaped(void **state)
{
	(void)state;
	struct buf out = BUF_INIT(BUF_UNLIMITED);
	names_escape_label(SLICE_LIT("C:\\dir \"x\"\nnext\ttab é"), &out);
	assert_string_equal(buf_str(&out), "C:\\\\dir \\\"x\\\"\\nnext\ttab é");
	out.len = 0;
	names_escape_label(SLICE_LIT(""), &out);
	assert_int_equal(out.len, 0);
	names_escape_label(SLICE_LIT("\n"), &out);
	assert_string_equal(buf_str(&out), "\\n");
	buf_clear(&out);
}

static void test_help_keeps_its_quotes(void **state)
{
	(void)state;
	struct buf out = BUF_INIT(BUF_UNLIMITED);
	names_escape_help(SLICE_LIT("the \"type\" \\ of\nit"), &out);
	assert_string_equal(buf_str(&out), "the \"type\" \\\\ of\\nit");
	buf_clear(&out);
}

struct clean_case {
	struct slice in;
	size_t max;
	const char *out;
	unsigned flags;
};

#define REPLACED "\xef\xbf\xbd"

static const struct clean_case clean_cases[] = {
	{ { NULL, 0 }, 10, "", 0 },
	{ { (const unsigned char *)"plain", 5 }, 10, "plain", 0 },
	{ { (const unsigned char *)"plain", 5 }, 5, "plain", 0 },
	{ { (const unsigned char *)"plain", 5 }, 4, "plai", NAMES_CUT },
	{ { (const unsigned char *)"plain", 5 }, 0, "", NAMES_CUT },
	{ { (const unsigned char *)"a\0b", 3 }, 10, "a" REPLACED "b", NAMES_REPLACED },
	{ { (const unsigned char *)"\x01\x7f\n", 3 }, 10, "\x01\x7f\n", 0 },
	{ { (const unsigned char *)"\xc3\xa9\xc3\xa9", 4 }, 3, "\xc3\xa9", NAMES_CUT },
	{ { (const unsigned char *)"\xf0\x9f\x98\x80", 4 }, 4, "\xf0\x9f\x98\x80", 0 },
	{ { (const unsigned char *)"\xf0\x9f\x98\x80", 4 }, 3, "", NAMES_CUT },
	{ { (const unsigned char *)"\xff", 1 }, 10, REPLACED, NAMES_REPLACED },
	{ { (const unsigned char *)"\xff", 1 }, 2, "", NAMES_CUT },
	{ { (const unsigned char *)"\xc0\xaf", 2 }, 10, REPLACED REPLACED, NAMES_REPLACED },
	{ { (const unsigned char *)"\xed\xa0\x80", 3 }, 10, REPLACED REPLACED REPLACED,
		NAMES_REPLACED },
	{ { (const unsigned char *)"\xf4\x90\x80\x80", 4 }, 6, REPLACED REPLACED,
		NAMES_REPLACED | NAMES_CUT },
	{ { (const unsigned char *)"ok\xe5\xad", 4 }, 20, "ok" REPLACED REPLACED, NAMES_REPLACED },
};

static void test_values_become_utf8_and_are_cut_between_characters(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(clean_cases); i++) {
		const struct clean_case *c = &clean_cases[i];
		struct buf out = BUF_INIT(BUF_UNLIMITED);
		unsigned flags = names_clean_utf8(c->in, c->max, &out);
		assert_string_equal(buf_str(&out), c->out);
		assert_int_equal(flags, c->flags);
		buf_clear(&out);
	}
}

static void test_whatever_bytes_come_values_are_utf8_within_the_bound(void **state)
{
	(void)state;
	uint32_t random = 2;
	unsigned char bytes[40];
	for (int i = 0; i < 100000; i++) {
		struct slice value = draw_bytes(&random, bytes, sizeof bytes);
		size_t max = draw(&random) % 60;
		struct buf out = BUF_INIT(BUF_UNLIMITED);
		unsigned flags = names_clean_utf8(value, max, &out);
		assert_true(out.len <= max && str_is_utf8(buf_slice(&out)));
		assert_true(out.len == 0 || !memchr(out.data, '\0', out.len));
		if (flags == 0)
			assert_true(slice_eq(buf_slice(&out), value));
		buf_clear(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families_are_named_as_the_collector_names_them),
		cmocka_unit_test(test_a_family_is_appended_to_what_is_there),
		cmocka_unit_test(test_a_family_of_enormous_texts_is_short),
		cmocka_unit_test(test_labels_are_valid_and_never_prometheus_own),
		cmocka_unit_test(test_whatever_bytes_come_names_are_valid),
		cmocka_unit_test(test_label_values_are_escaped),
		cmocka_unit_test(test_help_keeps_its_quotes),
		cmocka_unit_test(test_values_become_utf8_and_are_cut_between_characters),
		cmocka_unit_test(test_whatever_bytes_come_values_are_utf8_within_the_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
