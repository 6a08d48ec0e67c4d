#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/edit.h"
#include "config/sample.h"
#include "config/tree.h"
#include "config/value.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"

struct edit {
	const char *before, *key, *value; /* NULL: unset */
	const char *after;		  /* NULL: refused */
};

static bool apply(const struct edit *edit, struct buf *out, struct error *err)
{
	AUTO(value) struct value value = { 0 };
	const struct key *key = key_find(edit->key);
	if (!edit->value)
		return edit_unset(slice_str(edit->before), edit->key, out, err) == 1;
	assert_non_null(key);
	if (!value_parse_words(key, edit->value, &value, err))
		fail_msg("%s: %s", edit->value, err->message);
	return edit_set(slice_str(edit->before), key, &value, out, err);
}

static void check(const struct edit *edits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct edit *edit = &edits[i];
		AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
		AUTO(error) struct error err = ERROR_INIT;
		bool is_done = apply(edit, &out, &err);
		if (is_done != (edit->after != NULL) ||
			(is_done && strcmp(buf_str(&out), edit->after) != 0))
			fail_msg("%s = %s in\n%s\ngives (%s)\n%s\ninstead of\n%s", edit->key,
				edit->value ? edit->value : "(unset)", edit->before,
				err.message ? err.message : "done", buf_str(&out),
				edit->after ? edit->after : "a refusal");
		if (!is_done)
			assert_int_equal(err.code, ERR_REFUSED);
	}
}

#define CHECK(edits) check(edits, sizeof(edits) / sizeof *(edits))

static void test_edit_replaces_a_value_and_nothing_else(void **state)
{
	(void)state;

	static const struct edit edits[] = {
		{ "bind: ::1 # home\n", "bind", "10.0.0.1", "bind: 10.0.0.1 # home\n" },
		{ "bind:    ::1   # home", "bind", "10.0.0.1", "bind:    10.0.0.1   # home" },
		{ "bind: '::1' # it's\n", "bind", "10.0.0.1", "bind: '10.0.0.1' # it's\n" },
		{ "bind: \"::1\"\n", "bind", "10.0.0.1", "bind: \"10.0.0.1\"\n" },
		{ "grafana: { admin_user: 'a' }\n", "grafana.admin_user", "it's",
			"grafana: { admin_user: 'it''s' }\n" },
		{ "grafana: { admin_user: 'a' }\n", "grafana.admin_user", "a\nb",
			"grafana: { admin_user: \"a\\nb\" }\n" },
		{ "# \xE2\x82\xAC\nproject: a # \xC3\xA9\nbind: ::1 # \xF0\x9F\x98\x80\n", "bind",
			"::2",
			"# \xE2\x82\xAC\nproject: a # \xC3\xA9\nbind: \"::2\" # "
			"\xF0\x9F\x98\x80\n" },
		{ "bind: ::1\r\n# c\r\nproject: a\r\n", "project", "b",
			"bind: ::1\r\n# c\r\nproject: b\r\n" },
		{ "ports: { grafana: 1, exporter: 2 } # c\n", "ports.grafana", "3001",
			"ports: { grafana: 3001, exporter: 2 } # c\n" },
		{ "ports: {grafana: 1}\n", "ports.grafana", "3001", "ports: {grafana: 3001}\n" },
		{ "{ports: {grafana: 1}}", "ports.grafana", "3001", "{ports: {grafana: 3001}}" },
		{ "\"ports\":\n    'grafana' : 1\n", "ports.grafana", "2",
			"\"ports\":\n    'grafana' : 2\n" },
		{ "? bind\n: ::1 # c\n", "bind", "::2", "? bind\n: \"::2\" # c\n" },
		{ "bind:\n  # why\n  ::1\n", "bind", "10.0.0.1", "bind:\n  # why\n  10.0.0.1\n" },
		{ "grafana:\n  admin_user: |\n    ada\n\nbind: ::1\n", "grafana.admin_user", "eve",
			"grafana:\n  admin_user: eve\n\nbind: ::1\n" },
		{ "grafana:\n  admin_user: a\n    b\n  anonymous: true\n", "grafana.admin_user",
			"c", "grafana:\n  admin_user: c\n  anonymous: true\n" },
		{ "budgets: { daily_usd: 5 } # c\n", "budgets.daily_usd", "null",
			"budgets: { daily_usd: null } # c\n" },
		{ "budgets:\n  daily_usd:   # none yet\n", "budgets.daily_usd", "5",
			"budgets:\n  daily_usd: 5   # none yet\n" },
		{ "--- # doc\nbind: ::1\n... # end\n", "bind", "10.0.0.1",
			"--- # doc\nbind: 10.0.0.1\n... # end\n" },
		{ "bnid: ::1\nports: { grafana: x }\n", "ports.grafana", "1",
			"bnid: ::1\nports: { grafana: 1 }\n" },
		{ "bind: 10.0.0.1\n", "bind", "10.0.0.1", "bind: 10.0.0.1\n" },
	};

	CHECK(edits);
}

static void test_edit_quotes_what_readers_would_misread(void **state)
{
	(void)state;

	static const struct edit edits[] = {
		{ "", "grafana.admin_user", "true", "grafana:\n  admin_user: \"true\"\n" },
		{ "", "grafana.admin_user", "No", "grafana:\n  admin_user: \"No\"\n" },
		{ "", "grafana.admin_user", "12", "grafana:\n  admin_user: \"12\"\n" },
		{ "", "grafana.admin_user", "0x1F", "grafana:\n  admin_user: \"0x1F\"\n" },
		{ "", "grafana.admin_user", "1e3", "grafana:\n  admin_user: \"1e3\"\n" },
		{ "", "grafana.admin_user", "2026-11-25",
			"grafana:\n  admin_user: \"2026-11-25\"\n" },
		{ "", "grafana.admin_user", "12:30:45", "grafana:\n  admin_user: \"12:30:45\"\n" },
		{ "", "grafana.admin_user", " a", "grafana:\n  admin_user: \" a\"\n" },
		{ "", "grafana.admin_user", "a: b", "grafana:\n  admin_user: \"a: b\"\n" },
		{ "", "grafana.admin_user", "a #b", "grafana:\n  admin_user: \"a #b\"\n" },
		{ "", "grafana.admin_user", "{{x}}", "grafana:\n  admin_user: \"{{x}}\"\n" },
		{ "", "grafana.admin_user", "\xC2\x85\x01\"\\\xE2\x80\xA8\xEF\xBB\xBF",
			"grafana:\n  admin_user: \"\\x85\\x01\\\"\\\\\\u2028\\uFEFF\"\n" },
		{ "", "bind", "::", "bind: \"::\"\n" },
		{ "", "bind", "127.0.0.1", "bind: 127.0.0.1\n" },
		{ "", "prometheus.retention_time", "180d",
			"prometheus:\n  retention_time: 180d\n" },
	};

	CHECK(edits);
}

static void test_edit_puts_new_keys_where_the_table_has_them(void **state)
{
	(void)state;

	static const struct edit edits[] = {
		{ "", "bind", "10.0.0.1", "bind: 10.0.0.1\n" },
		{ "# only this", "bind", "10.0.0.1", "# only this\nbind: 10.0.0.1\n" },
		{ "# a\r\n", "ports.grafana", "1", "# a\r\nports:\r\n  grafana: 1\r\n" },
		{ "---\n# a\n", "bind", "10.0.0.1", "---\n# a\nbind: 10.0.0.1\n" },
		{ "version: 1 # v\n\nbind: ::1\n", "project", "p",
			"version: 1 # v\nproject: p\n\nbind: ::1\n" },
		{ "version: 1", "bind", "10.0.0.1", "version: 1\nbind: 10.0.0.1\n" },
		{ "# file\n\n# about bind\nbind: ::1\n", "project", "p",
			"# file\n\nproject: p\n# about bind\nbind: ::1\n" },
		{ "# file\nbind: ::1\n", "project", "p", "# file\nproject: p\nbind: ::1\n" },
		{ "ports:\n  grafana: 1 # g\n  # exporter: 2\nbridge:\n  durability: disk\n",
			"storage", "bind",
			"ports:\n  grafana: 1 # g\n  # exporter: 2\nstorage: bind\nbridge:\n"
			"  durability: disk\n" },
		{ "ports:\n  grafana: 1\n  zpages: 9\n", "ports.exporter", "5",
			"ports:\n  grafana: 1\n  exporter: 5\n  zpages: 9\n" },
		{ "ports:\n      zpages: 9\n", "ports.grafana", "5",
			"ports:\n      grafana: 5\n      zpages: 9\n" },
		{ "ports:\n    zpages: 9\n", "grafana.anonymous", "true",
			"ports:\n    zpages: 9\ngrafana:\n    anonymous: true\n" },
		{ "ports:\n  grafana: 1", "ports.exporter", "5",
			"ports:\n  grafana: 1\n  exporter: 5\n" },
		{ "ports: { grafana: 1, zpages: 9 }\n", "ports.exporter", "5",
			"ports: { grafana: 1, exporter: 5, zpages: 9 }\n" },
		{ "ports: { zpages: 9 }\n", "ports.exporter", "5",
			"ports: { exporter: 5, zpages: 9 }\n" },
		{ "ports: {} # c\n", "ports.exporter", "5", "ports: { exporter: 5 } # c\n" },
		{ "ports: # c\nbind: ::1\n", "ports.exporter", "5",
			"ports: { exporter: 5 } # c\nbind: ::1\n" },
		{ "ports: ~\n", "ports.exporter", "5", "ports: { exporter: 5 }\n" },
		{ "{bind: \"::1\"}\n", "ports.exporter", "5",
			"{bind: \"::1\", ports: { exporter: 5 }}\n" },
		{ "limits:\n  collector:\n    cpus: 1\n", "limits.collector.memory", "1GiB",
			"limits:\n  collector:\n    cpus: 1\n    memory: 1GiB\n" },
		{ "limits:\n  collector:\n    cpus: 1\n", "limits.grafana.memory", "1GiB",
			"limits:\n  collector:\n    cpus: 1\n  grafana:\n    memory: 1GiB\n" },
		{ "limits: { collector: { cpus: 1 } }\n", "limits.grafana.memory", "1GiB",
			"limits: { collector: { cpus: 1 }, grafana: { memory: 1GiB } }\n" },
		{ "ports:\n  {\n    # g\n    grafana: 1, # mine\n  }\n", "ports.exporter", "2",
			"ports:\n  {\n    # g\n    grafana: 1, exporter: 2, # mine\n  }\n" },
		{ "version: 1\n\n# where\n#bind: 127.0.0.1\n\n#storage: volumes\n", "bind",
			"10.0.0.1",
			"version: 1\n\n# where\n#bind: 127.0.0.1\nbind: 10.0.0.1\n\n#storage: "
			"volumes\n" },
		{ "ports:\n  grafana: 1\n# text\n#  exporter: 8889\n# more\n", "ports.exporter",
			"2",
			"ports:\n  grafana: 1\n# text\n#  exporter: 8889\n  exporter: 2\n# "
			"more\n" },
	};

	CHECK(edits);
}

static void test_edit_changes_only_the_items_that_differ(void **state)
{
	(void)state;
#define ORIGINS "otlp:\n  cors_origins:\n    - https://a # a\n    # then\n    - 'https://b' # b\n"
	static const struct edit edits[] = {
		{ ORIGINS, "otlp.cors_origins", "https://a,https://b,https://c",
			ORIGINS "    - https://c\n" },
		{ ORIGINS, "otlp.cors_origins", "https://a,https://c",
			"otlp:\n  cors_origins:\n    - https://a # a\n    # then\n    - "
			"'https://c' # b\n" },
		{ ORIGINS, "otlp.cors_origins", "https://x,https://a,https://b",
			"otlp:\n  cors_origins:\n    - https://x\n    - https://a # a\n    # then\n"
			"    - 'https://b' # b\n" },
		{ "otlp:\n  cors_origins:\n  - https://a\n  - https://b\n  # end\n",
			"otlp.cors_origins", "https://b",
			"otlp:\n  cors_origins:\n  - https://b\n  # end\n" },
		{ "otlp:\n  cors_origins:\n  - https://a", "otlp.cors_origins",
			"https://a,https://b",
			"otlp:\n  cors_origins:\n  - https://a\n  - https://b\n" },
		{ "otlp: { cors_origins: [https://a, https://b] } # c\n", "otlp.cors_origins",
			"https://b,*", "otlp: { cors_origins: [https://b, \"*\"] } # c\n" },
		{ "otlp: { cors_origins: [https://a] } # c\n", "otlp.cors_origins", "",
			"otlp: { cors_origins: [] } # c\n" },
		{ "otlp:\n  cors_origins:\n    - https://a\n", "otlp.cors_origins", "",
			"otlp:\n  cors_origins:\n    []\n" },
		{ "bind: ::1\n", "alerts.command", "[\"a, b\", '']",
			"bind: ::1\nalerts:\n  command: [\"a, b\", \"\"]\n" },
		/* A comment inside would be lost. */
		{ "otlp:\n  cors_origins: [\n    https://a, # a\n    https://b ]\n",
			"otlp.cors_origins", "https://c", NULL },
		{ ORIGINS, "otlp.cors_origins", "", NULL },
		{ ORIGINS, "otlp.cors_origins", "https://b", NULL },
	};

	CHECK(edits);
}

static void test_edit_unset_takes_the_key_and_an_emptied_group(void **state)
{
	(void)state;

	static const struct edit edits[] = {
		{ "project: a\nbind: ::1 # c\nstorage: bind\n", "bind", NULL,
			"project: a\nstorage: bind\n" },
		{ "# c\nbind: ::1", "bind", NULL, "# c\n" },
		{ "bind: ::1\r\nproject: a\r\n", "bind", NULL, "project: a\r\n" },
		{ "ports:\n  grafana: 1\n  exporter: 2\n", "ports.grafana", NULL,
			"ports:\n  exporter: 2\n" },
		{ "bind: ::1\nports:\n  grafana: 1\nstorage: bind\n", "ports.grafana", NULL,
			"bind: ::1\nstorage: bind\n" },
		{ "ports:\n  # keep me\n  grafana: 1\n", "ports.grafana", NULL,
			"ports:\n  # keep me\n" },
		{ "limits:\n  collector:\n    cpus: 1\n", "limits.collector.cpus", NULL, "" },
		{ "limits:\n  grafana: { cpus: 1 }\n  collector:\n    cpus: 1\n",
			"limits.collector.cpus", NULL, "limits:\n  grafana: { cpus: 1 }\n" },
		{ "ports: { grafana: 1, exporter: 2, zpages: 3 }\n", "ports.grafana", NULL,
			"ports: { exporter: 2, zpages: 3 }\n" },
		{ "ports: { grafana: 1, exporter: 2, zpages: 3 }\n", "ports.exporter", NULL,
			"ports: { grafana: 1, zpages: 3 }\n" },
		{ "ports: { grafana: 1, zpages: 3 } # c\n", "ports.zpages", NULL,
			"ports: { grafana: 1 } # c\n" },
		{ "bind: ::1\nports: { grafana: 1 } # c\n", "ports.grafana", NULL,
			"bind: ::1\nports: {  } # c\n" },
		{ "otlp:\n  cors_origins:\n    - https://a\n    - https://b\n  auth: none\n",
			"otlp.cors_origins", NULL, "otlp:\n  auth: none\n" },
		{ "grafana:\n  admin_user: |\n    ada\n    eve\n  anonymous: true\n",
			"grafana.admin_user", NULL, "grafana:\n  anonymous: true\n" },
		{ "bind: ::1\nbnid: x\n", "bnid", NULL, "bind: ::1\n" },
		{ "xs:\n  y: 1\nbind: ::1\n", "xs.y", NULL, "bind: ::1\n" },
		{ "ports:\n  grafana: 1\nbind: ::1\n", "ports", NULL, "bind: ::1\n" },
		{ "bind:\nproject: a\n", "bind", NULL, "project: a\n" },
		{ "? bind\n: ::1\nproject: a\n", "bind", NULL, NULL },
	};

	CHECK(edits);
}

static void test_edit_unset_says_when_there_is_nothing(void **state)
{
	(void)state;
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	AUTO(error) struct error err = ERROR_INIT;
	assert_int_equal(edit_unset(slice_str("bind: ::1\n"), "project", &out, &err), 0);
	assert_int_equal(edit_unset(slice_str("bind: ::1\n"), "bind.x", &out, &err), 0);
	assert_int_equal(edit_unset(slice_str(""), "bind", &out, &err), 0);
	assert_int_equal(edit_unset(slice_str("- a\n"), "bind", &out, &err), 0);
	assert_int_equal(edit_unset(slice_str("bind: [\n"), "bind", &out, &err), -1);
	assert_int_equal(err.code, ERR_CONFIG);
}

static void test_edit_refuses_what_it_cannot_do_without_harm(void **state)
{
	(void)state;

	static const struct edit edits[] = {
		{ "- a\n", "bind", "::1", NULL },
		{ "a text\n", "bind", "::1", NULL },
		{ "ports: 1\n", "ports.grafana", "1", NULL },
		{ "bind: ::1\n...\n", "project", "p", "project: p\nbind: ::1\n...\n" },
		{ "# c\n...\n", "bind", "10.0.0.1", NULL },
	};

	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
		if (i != 4)
			check(&edits[i], 1);
	}
}

/* Every key, set in the sample and in an empty file, and taken out again. */
static void test_edit_sets_and_unsets_every_key_in_the_sample(void **state)
{
	(void)state;
	AUTO(buf) struct buf sample = BUF_INIT(BUF_UNLIMITED);
	config_sample(&sample);
	const char *const files[] = { buf_str(&sample), "", "{}", "# c\nbind: ::1\n" };
	for (size_t i = 0; i < config_key_count; i++) {
		for (size_t j = 0; j < sizeof files / sizeof *files; j++) {
			const struct key *key = &config_keys[i];
			AUTO(buf) struct buf set = BUF_INIT(BUF_UNLIMITED);
			AUTO(buf) struct buf unset = BUF_INIT(BUF_UNLIMITED);
			AUTO(error) struct error err = ERROR_INIT;
			AUTO(value) struct value value = { 0 };
			assert_true(value_parse_words(key, key->example, &value, &err));
			if (!edit_set(slice_str(files[j]), key, &value, &set, &err))
				fail_msg("%s in file %zu: %s", key->path, j, err.message);
			if (edit_unset(buf_slice(&set), key->path, &unset, &err) != 1)
				fail_msg("%s in file %zu: %s", key->path, j,
					err.message ? err.message : "not there");
			bool is_own = j == 0 && strcmp(key->path, "version") != 0;
			if (is_own)
				assert_string_equal(buf_str(&unset), files[j]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edit_replaces_a_value_and_nothing_else),
		cmocka_unit_test(test_edit_quotes_what_readers_would_misread),
		cmocka_unit_test(test_edit_puts_new_keys_where_the_table_has_them),
		cmocka_unit_test(test_edit_changes_only_the_items_that_differ),
		cmocka_unit_test(test_edit_unset_takes_the_key_and_an_emptied_group),
		cmocka_unit_test(test_edit_unset_says_when_there_is_nothing),
		cmocka_unit_test(test_edit_refuses_what_it_cannot_do_without_harm),
		cmocka_unit_test(test_edit_sets_and_unsets_every_key_in_the_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
