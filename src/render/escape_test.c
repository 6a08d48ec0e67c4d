/* What is written, form by form. That it reads back to the same value is tests/render's: there the languages'
 * own readers are asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/error.h"
#include "render/escape.h"

static void assert_written(enum escape escape, const char *value, const char *expected)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf out = BUF_INIT(1000);
	assert_true(escape_append(escape, slice_str(value), &out, &err));
	assert_string_equal(buf_str(&out), expected);
}

static void test_escape_language_follows_the_files_name(void **state)
{
	(void)state;

	static const struct {
		const char *path;
		enum escape escape;
	} cases[] = {
		{ "docker-compose.yml", ESCAPE_COMPOSE },
		{ "docker-compose.override.yaml", ESCAPE_COMPOSE },
		{ "compose.yaml", ESCAPE_COMPOSE },
		{ "config/otel-collector-config.yaml", ESCAPE_COLLECTOR },
		{ "config/prometheus.yml", ESCAPE_PROMETHEUS },
		{ "config/rules/alerts.yml", ESCAPE_YAML },
		{ "config/rules/stack.yml", ESCAPE_YAML },
		{ "config/rules/decompose.yml", ESCAPE_YAML },
		{ "config/loki.yaml", ESCAPE_YAML },
		{ "config/alertmanager.yml", ESCAPE_YAML },
		{ "config/grafana/provisioning/datasources/prometheus.yml", ESCAPE_GRAFANA },
		{ "cctm.yaml", ESCAPE_YAML },
		{ "managed-settings.json", ESCAPE_JSON },
		{ "otel-headers.sh", ESCAPE_SHELL },
		{ ".env", ESCAPE_ENV },
		{ "claude-code.env", ESCAPE_ENV },
		{ "README.md", ESCAPE_NONE },
		{ ".gitignore", ESCAPE_NONE },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(error) struct error err = ERROR_INIT;
		enum escape escape;
		assert_true(escape_for_path(cases[i].path, &escape, &err));
		assert_string_equal(escape_name(escape), escape_name(cases[i].escape));
	}
}

static void test_escape_language_of_an_unknown_file_is_an_error(void **state)
{
	(void)state;
	static const char *const paths[] = { "nginx.conf", "x.toml", "json", "", "a.yml/b" };
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		AUTO(error) struct error err = ERROR_INIT;
		enum escape escape = ESCAPE_HTML;
		assert_false(escape_for_path(paths[i], &escape, &err));
		assert_int_equal(escape, ESCAPE_HTML);
		assert_non_null(err.hint);
	}
}

static void test_escape_yaml_is_plain_for_words_only(void **state)
{
	(void)state;
	static const char *const plain[] = { "grafana", "/var/lib/grafana", "a.b-c_d/e", "x1",
		"Yes.", "nullable" };
	static const char *const quoted[] = { "yes", "No", "TRUE", "off", "Null", "~", "y", "N",
		"nan", "1", "007", "0x1F", "1e3", "1_000", "12:30:45", "-1", ".5", ".inf",
		"2026-11-25", "-", "---", "...", "=", "<<", "*a", "&a", "!t", "%a", "@a", "`a",
		"a b", "a:b", "a#b", "a,b", "[a]", "{a}", " a", "a ", "?", "|", ">", "'a'", "" };
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		assert_written(ESCAPE_YAML, plain[i], plain[i]);
	for (size_t i = 0; i < sizeof quoted / sizeof *quoted; i++) {
		AUTO(buf) struct buf expected = BUF_INIT(BUF_UNLIMITED);
		buf_addf(&expected, "\"%s\"", quoted[i]);
		assert_written(ESCAPE_YAML, quoted[i], buf_str(&expected));
	}
}

static void test_escape_quoted_shows_what_a_reader_would_not_see(void **state)
{
	(void)state;

	static const struct {
		const char *value, *written;
	} cases[] = {
		{ "\"\\", "\"\\\"\\\\\"" },
		{ "a\r\nb\tc", "\"a\\r\\nb\\tc\"" },
		{ "\x01\x1F\x7F", "\"\\u0001\\u001f\\u007f\"" },
		{ "\xC2\x85\xC2\xA0", "\"\\u0085\\u00a0\"" },
		{ "\xE2\x80\xA8\xE2\x80\xA9", "\"\\u2028\\u2029\"" },
		{ "\xE2\x80\xAE\xE2\x80\x8B", "\"\\u202e\\u200b\"" },
		{ "\xEF\xBB\xBF\xEF\xBF\xBE\xEF\xBF\xBF", "\"\\ufeff\\ufffe\\uffff\"" },
		{ "\xC3\xA9 \xF0\x9F\x98\x80", "\"\xC3\xA9 \xF0\x9F\x98\x80\"" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_written(ESCAPE_YAML, cases[i].value, cases[i].written);
		assert_written(ESCAPE_JSON, cases[i].value, cases[i].written);
	}
	assert_written(ESCAPE_JSON, "word", "\"word\"");
}

static void test_escape_doubles_dollars_where_the_reader_expands_them(void **state)
{
	(void)state;

	static const enum escape doubling[] = { ESCAPE_COMPOSE, ESCAPE_COLLECTOR, ESCAPE_GRAFANA };

	static const enum escape keeping[] = { ESCAPE_YAML, ESCAPE_PROMETHEUS, ESCAPE_JSON };

	for (size_t i = 0; i < sizeof doubling / sizeof *doubling; i++)
		assert_written(doubling[i], "$a${B}$$", "\"$$a$${B}$$$$\"");
	for (size_t i = 0; i < sizeof keeping / sizeof *keeping; i++)
		assert_written(keeping[i], "$a${B}$$", "\"$a${B}$$\"");
	AUTO(str) char *doubled = escape_dollars("$a${B}$$");
	assert_string_equal(doubled, "$$a$${B}$$$$");
}

static void test_escape_shell_and_env_forms(void **state)
{
	(void)state;

	static const struct {
		const char *value, *shell, *env;
	} cases[] = {
		{ "", "''", "''" },
		{ "http://127.0.0.1:4318", "http://127.0.0.1:4318", "http://127.0.0.1:4318" },
		{ "a=b", "'a=b'", "a=b" },
		{ "~", "'~'", "'~'" },
		{ "a b", "'a b'", "'a b'" },
		{ "$A #", "'$A #'", "'$A #'" },
		{ "it's", "'it'\\''s'", "\"it's\"" },
		{ "'", "''\\'''", "\"'\"" },
		{ "\\", "'\\'", "\"\\\\\"" },
		{ "'\"$", "''\\''\"$'", "\"'\\\"\\$\"" },
		{ "a\nb\r\tc", "'a\nb\r\tc'", "\"a\\nb\\r\\tc\"" },
		{ "\x01\x7F", "'\x01\x7F'", "\"\\0001\\0177\"" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_written(ESCAPE_SHELL, cases[i].value, cases[i].shell);
		assert_written(ESCAPE_ENV, cases[i].value, cases[i].env);
	}
}

static void test_escape_none_and_html_forms(void **state)
{
	(void)state;
	assert_written(ESCAPE_NONE, "&\"<> '$\n", "&\"<> '$\n");
	assert_written(ESCAPE_HTML, "&\"<> '$\n", "&amp;&quot;&lt;&gt; '$\n");
}

static void test_escape_refuses_nul_and_broken_utf8_in_every_language(void **state)
{
	(void)state;
	for (size_t i = 0; i < ESCAPE_COUNT; i++) {
		AUTO(error) struct error nul = ERROR_INIT, broken = ERROR_INIT;
		AUTO(buf) struct buf out = BUF_INIT(100);
		assert_false(escape_append((enum escape)i, SLICE_LIT("a\0b"), &out, &nul));
		assert_string_equal(nul.message, "the value holds a NUL byte");
		assert_false(escape_append((enum escape)i, SLICE_LIT("\xC3("), &out, &broken));
		assert_string_equal(broken.message, "the value is not UTF-8");
		assert_int_equal(out.len, 0);
	}
}

static void test_escape_never_passes_the_outputs_maximum(void **state)
{
	(void)state;
	const struct slice value = SLICE_LIT("&\"'$\\\n\x01 \xC2\x85x");
	for (size_t i = 0; i < ESCAPE_COUNT; i++) {
		AUTO(buf) struct buf whole = BUF_INIT(BUF_UNLIMITED);
		AUTO(error) struct error none = ERROR_INIT;
		assert_true(escape_append((enum escape)i, value, &whole, &none));
		for (size_t max = 0; max < whole.len; max++) {
			AUTO(error) struct error err = ERROR_INIT;
			AUTO(buf) struct buf out = BUF_INIT(max);
			assert_false(escape_append((enum escape)i, value, &out, &err));
			assert_true(out.len <= max);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape_language_follows_the_files_name),
		cmocka_unit_test(test_escape_language_of_an_unknown_file_is_an_error),
		cmocka_unit_test(test_escape_yaml_is_plain_for_words_only),
		cmocka_unit_test(test_escape_quoted_shows_what_a_reader_would_not_see),
		cmocka_unit_test(test_escape_doubles_dollars_where_the_reader_expands_them),
		cmocka_unit_test(test_escape_shell_and_env_forms),
		cmocka_unit_test(test_escape_none_and_html_forms),
		cmocka_unit_test(test_escape_refuses_nul_and_broken_utf8_in_every_language),
		cmocka_unit_test(test_escape_never_passes_the_outputs_maximum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
