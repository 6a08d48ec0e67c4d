#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/value.h"
#include "config/yaml_text.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"

struct row {
	const char *key, *text;
	const char *reason; /* what the error says; NULL: it is allowed */
};

static void check(const struct row *row, enum value_style style)
{
	const struct key *key = key_find(row->key);
	AUTO(value) struct value value = { 0 };
	AUTO(error) struct error err = ERROR_INIT;
	assert_non_null(key);
	bool is_read = style == VALUE_QUOTED ? value_parse(key, row->text, style, &value, &err)
					     : value_parse_words(key, row->text, &value, &err);
	if (is_read != !row->reason)
		fail_msg(
			"%s: \"%s\": %s", row->key, row->text, err.message ? err.message : "taken");
	if (!is_read && !strstr(err.message, row->reason))
		fail_msg("%s: \"%s\": \"%s\" does not say \"%s\"", row->key, row->text, err.message,
			row->reason);
	if (!is_read) {
		assert_int_equal(err.code, ERR_CONFIG);
		assert_null(value.text);
	}
}

static void check_all(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(&rows[i], VALUE_PLAIN);
}

#define CHECK(rows) check_all(rows, sizeof(rows) / sizeof *(rows))

static void test_value_numbers_have_bounds(void **state)
{
	(void)state;

	static const struct row rows[] = {
		{ "ports.grafana", "1", NULL },
		{ "ports.grafana", "65535", NULL },
		{ "ports.grafana", "0", "is too small" },
		{ "ports.grafana", "65536", "is too large" },
		{ "ports.grafana", "99999999999999999999", "is too large" },
		{ "ports.grafana", "-1", "is not a whole number" },
		{ "ports.grafana", "+80", "is not a whole number" },
		{ "ports.grafana", "080", "is not a whole number" },
		{ "ports.grafana", "0x50", "is not a whole number" },
		{ "ports.grafana", "80.0", "is not a whole number" },
		{ "ports.grafana", " 80", "is not a whole number" },
		{ "ports.grafana", "80 ", "is not a whole number" },
		{ "ports.grafana", "http", "is not a whole number" },
		{ "ports.grafana", "null", "there is no value" },
		{ "bridge.series_max", "100", NULL },
		{ "bridge.series_max", "99", "is too small" },
		{ "bridge.series_max", "10000000", NULL },
		{ "bridge.series_max", "10000001", "is too large" },
		{ "version", "1", NULL },
		{ "version", "0", "is too small" },
	};

	CHECK(rows);
}

static void test_value_money_is_exact_to_a_thousandth(void **state)
{
	(void)state;

	static const struct row rows[] = {
		{ "budgets.daily_usd", "0.01", NULL },
		{ "budgets.daily_usd", "0.009", "is too small" },
		{ "budgets.daily_usd", "1000000000", NULL },
		{ "budgets.daily_usd", "1000000000.001", "is too large" },
		{ "budgets.daily_usd", "9999999999999", "is too large" },
		{ "budgets.daily_usd", "1.2345", "more than three digits" },
		{ "budgets.daily_usd", "1.", "is not a number" },
		{ "budgets.daily_usd", ".5", "is not a number" },
		{ "budgets.daily_usd", "1e3", "is not a number" },
		{ "budgets.daily_usd", "01", "is not a number" },
		{ "budgets.daily_usd", "nan", "is not a number" },
		{ "budgets.daily_usd", "-1", "is not a number" },
		{ "budgets.daily_usd", "null", NULL },
		{ "limits.collector.cpus", "0.5", NULL },
		{ "limits.collector.cpus", "1024.001", "is too large" },
	};

	CHECK(rows);
	AUTO(value) struct value value = { 0 };
	AUTO(error) struct error err = ERROR_INIT;
	assert_true(value_parse_words(key_find("budgets.daily_usd"), "12.05", &value, &err));
	assert_int_equal(value.number, 12050);
}

static void test_value_measures_have_units_and_bounds(void **state)
{
	(void)state;

	static const struct row rows[] = {
		{ "bridge.zero_hold", "1s", NULL },
		{ "bridge.zero_hold", "999ms", "is too small" },
		{ "bridge.zero_hold", "1h", NULL },
		{ "bridge.zero_hold", "60m1s", "is too large" },
		{ "bridge.zero_hold", "15", "is not a duration" },
		{ "bridge.zero_hold", "15 s", "is not a duration" },
		{ "bridge.zero_hold", "soon", "is not a duration" },
		{ "otlp.max_body", "1KiB", NULL },
		{ "otlp.max_body", "1023", "is too small" },
		{ "otlp.max_body", "1GiB", NULL },
		{ "otlp.max_body", "1073741825", "is too large" },
		{ "otlp.max_body", "64 MiB", "is not a size" },
		{ "otlp.max_body", "64mib", "is not a size" },
		{ "prometheus.retention_size", "null", NULL },
		{ "prometheus.retention_size", "", NULL },
		{ "prometheus.retention_size", "255MiB", "is too small" },
	};

	CHECK(rows);
}

static void test_value_words_have_their_grammar(void **state)
{
	(void)state;

	static const struct row rows[] = {
		{ "grafana.anonymous", "true", NULL },
		{ "grafana.anonymous", "yes", "neither true nor false" },
		{ "grafana.anonymous", "True", "neither true nor false" },
		{ "runtime", "docker", NULL },
		{ "runtime", "dokcer", "is not one of" },
		{ "bind", "127.0.0.1", NULL },
		{ "bind", "::1", NULL },
		{ "bind", "::ffff:10.0.0.1", NULL },
		{ "bind", "localhost", "is not an address" },
		{ "bind", "127.0.0.256", "is not an address" },
		{ "bind", "127.1", "is not an address" },
		{ "bind", "[::1]", "is not an address" },
		{ "project", "a", NULL },
		{ "project", "0-a_b", NULL },
		{ "project", "A", "is not a project name" },
		{ "project", "-a", "is not a project name" },
		{ "project", "a.b", "is not a project name" },
		{ "project", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123",
			NULL },
		{ "project", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff1234",
			"longer than 63" },
		{ "time_zone", "Europe/Berlin", NULL },
		{ "time_zone", "America/Argentina/Buenos_Aires", NULL },
		{ "time_zone", "+02:00", NULL },
		{ "time_zone", "+15:00", "is not a time zone" },
		{ "time_zone", "../../etc/passwd", "is not a time zone" },
		{ "time_zone", "Europe/", "is not a time zone" },
		{ "proxy.host", "metrics.example.com", NULL },
		{ "proxy.host", "a_b.example.com", "is not a DNS name" },
		{ "proxy.host", "-a.example.com", "is not a DNS name" },
		{ "proxy.host", "example..com", "is not a DNS name" },
		{ "proxy.tls_key_file", "/etc/a key", NULL },
		{ "proxy.tls_key_file", "/etc/\nx", "control character" },
		{ "grafana.admin_user", "a\"b'$${X}#: {{\n\xE2\x82\xAC", NULL },
		{ "labels.keep", "user.email, team.id", NULL },
		{ "labels.keep", "1a", "is not a name" },
		{ "labels.keep", "a,,b", "is an empty item" },
		{ "labels.keep", "a,", "is an empty item" },
		{ "labels.rename", "team_id=team", NULL },
		{ "labels.rename", "team_id", "is not a pair" },
		{ "labels.rename", "=team", "is not a pair" },
		{ "labels.rename", "a=b=c", "no name behind" },
		{ "labels.map", "team:42=the compilers", NULL },
		{ "grafana.admin_user", "\xFF", "is not UTF-8" },
	};

	CHECK(rows);
}

static void test_value_urls_and_origins(void **state)
{
	(void)state;

	static const struct row rows[] = {
		{ "grafana.root_url", "http://a", NULL },
		{ "grafana.root_url", "https://metrics.example.com:8443/x?y=1#z", NULL },
		{ "grafana.root_url", "http://[::1]:3000/", NULL },
		{ "grafana.root_url", "http://otel_collector:4318", NULL },
		{ "grafana.root_url", "ftp://a", "does not begin with" },
		{ "grafana.root_url", "HTTP://a", "does not begin with" },
		{ "grafana.root_url", "http://", "has no host" },
		{ "grafana.root_url", "http:///x", "has no host" },
		{ "grafana.root_url", "http://:80", "has no host" },
		{ "grafana.root_url", "http://a:0", "has no port" },
		{ "grafana.root_url", "http://a:65536", "has no port" },
		{ "grafana.root_url", "http://a:", "has no port" },
		{ "grafana.root_url", "http://[::1", "has no" },
		{ "grafana.root_url", "http://[1.2.3.4]/", "has no host" },
		{ "grafana.root_url", "http://a b/", "writes as %XX" },
		{ "grafana.root_url", "http://ada:secret@a/", "does not belong into this file" },
		{ "forward.remote_write", "https://a/x,https://b/y", NULL },
		{ "otlp.cors_origins", "*", NULL },
		{ "otlp.cors_origins", "https://a.example:8080", NULL },
		{ "otlp.cors_origins", "https://a.example/", "more than an origin" },
		{ "otlp.cors_origins", "a.example", "does not begin with" },
	};

	CHECK(rows);
}

static void test_value_images(void **state)
{
	(void)state;

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const struct row rows[] = {
		{ "images.grafana", "grafana", NULL },
		{ "images.grafana", "grafana/grafana:12.3.0", NULL },
		{ "images.grafana", "localhost:5000/a/b-c__d.e:v1", NULL },
		{ "images.grafana", "mirror.example.com/grafana@sha256:" HEX64, NULL },
		{ "images.grafana", "a:v1@sha256:" HEX64, NULL },
		{ "images.grafana", "a@sha256:12", "has no digest" },
		{ "images.grafana", "a@md5:" HEX64, "has no digest" },
		{ "images.grafana", "a:", "has no tag" },
		{ "images.grafana", "a:.x", "has no tag" },
		{ "images.grafana", "a:b c", "has no tag" },
		{ "images.grafana", "Grafana", "is not the name" },
		{ "images.grafana", "a//b", "is not the name" },
		{ "images.grafana", "/a", "is not the name" },
		{ "images.grafana", "a/", "is not the name" },
		{ "images.grafana", "a..b", "is not the name" },
		{ "images.grafana", "a___b", "is not the name" },
		{ "images.grafana", "-a", "is not the name" },
		{ "images.grafana", "h.x:99999/a", "names no registry" },
		{ "images.grafana", "$(reboot)", "is not the name" },
	};

	CHECK(rows);
}

static void test_value_quotes_make_a_text(void **state)
{
	(void)state;

	static const struct row rows[] = {
		{ "ports.grafana", "3000", "write it without quotes" },
		{ "grafana.anonymous", "true", "write it without quotes" },
		{ "bridge.zero_hold", "15s", NULL },
		{ "project", "null", NULL },
		{ "prometheus.retention_size", "", NULL },
		{ "grafana.admin_user", "", "is too short" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check(&rows[i], VALUE_QUOTED);
}

static void test_value_errors_say_what_is_allowed(void **state)
{
	(void)state;
	AUTO(value) struct value value = { 0 };
	AUTO(error) struct error err = ERROR_INIT;
	assert_false(value_parse_words(key_find("ports.grafana"), "70000", &value, &err));
	assert_string_equal(err.message, "\"70000\" is too large");
	assert_string_equal(
		err.hint, "allowed is a whole number from 1 to 65535; for example 3000");
	error_clear(&err);
	assert_false(value_parse_words(key_find("runtime"), "embeded", &value, &err));
	assert_string_equal(err.hint, "did you mean embedded?");
}

static void test_value_lists_take_commas_or_brackets(void **state)
{
	(void)state;
	const struct key *key = key_find("alerts.command");
	AUTO(error) struct error err = ERROR_INIT;

	static const struct {
		const char *text, *items[3], *shown;
	} cases[] = {
		{ "", { NULL }, "[]" },
		{ "[]", { NULL }, "[]" },
		{ "a", { "a" }, "[a]" },
		{ "a, b c ,d", { "a", "b c", "d" }, "[a, b c, d]" },
		{ "[a, \"b, c\"]", { "a", "b, c" }, "[a, \"b, c\"]" },
		{ "['']", { "" }, "[\"\"]" },
		{ "[true, 1]", { "true", "1" }, "[\"true\", \"1\"]" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(value) struct value value = { 0 };
		if (!value_parse_words(key, cases[i].text, &value, &err))
			fail_msg("%s: %s", cases[i].text, err.message);
		for (size_t j = 0; j < value.count; j++)
			assert_string_equal(value.items[j], cases[i].items[j]);
		assert_true(value.count == 3 || !cases[i].items[value.count]);
		AUTO(str) char *shown = value_text(key, &value);
		assert_string_equal(shown, cases[i].shown);
	}
	AUTO(value) struct value value = { 0 };
	assert_false(value_parse_words(key, "[a", &value, &err));
	error_clear(&err);
	assert_false(value_parse_words(key, "[[a]]", &value, &err));
}

static void test_value_lists_end_at_their_limit(void **state)
{
	(void)state;
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	for (int i = 0; i < VALUE_ITEMS_MAX; i++)
		buf_adds(&text, i ? ",a" : "a");
	AUTO(value) struct value value = { 0 };
	AUTO(error) struct error err = ERROR_INIT;
	assert_true(value_parse_words(key_find("labels.keep"), buf_str(&text), &value, &err));
	value_clear(&value);
	buf_adds(&text, ",a");
	assert_false(value_parse_words(key_find("labels.keep"), buf_str(&text), &value, &err));
	assert_string_equal(err.message, "the list has more than 64 items");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_value_numbers_have_bounds),
		cmocka_unit_test(test_value_money_is_exact_to_a_thousandth),
		cmocka_unit_test(test_value_measures_have_units_and_bounds),
		cmocka_unit_test(test_value_words_have_their_grammar),
		cmocka_unit_test(test_value_urls_and_origins),
		cmocka_unit_test(test_value_images),
		cmocka_unit_test(test_value_quotes_make_a_text),
		cmocka_unit_test(test_value_errors_say_what_is_allowed),
		cmocka_unit_test(test_value_lists_take_commas_or_brackets),
		cmocka_unit_test(test_value_lists_end_at_their_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
