#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/problems.h"
#include "config/tree.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"

static const struct config_request of_file = { .path = "cctm.yaml" };

static bool load(const char *text, struct config *config, struct problems *problems)
{
	return config_check_bytes(&of_file, slice_str(text), config, problems);
}

static void check_problem(const char *text, size_t len, const char *expected, const char *hint)
{
	AUTO(config) struct config config = { 0 };
	AUTO(problems) struct problems problems = { 0 };
	if (config_check_bytes(&of_file, slice_of(text, len), &config, &problems))
		fail_msg("%s: loads; expected: %s", text, expected);
	AUTO(str) char *said = problem_text(&problems.items[0]);
	if (strcmp(said, expected) != 0)
		fail_msg("%s\nsaid:     %s\nexpected: %s", text, said, expected);
	const char *hinted = problems.items[0].error.hint;
	if (hint && (!hinted || !strstr(hinted, hint)))
		fail_msg("%s\nhint: %s\nexpected in it: %s", text, hinted ? hinted : "none", hint);
}

struct bad {
	const char *text, *expected, *hint;
};

static void check_problems(const struct bad *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_problem(
			cases[i].text, strlen(cases[i].text), cases[i].expected, cases[i].hint);
}

#define CHECK(cases) check_problems(cases, sizeof(cases) / sizeof *(cases))

static void test_config_problems_of_keys_name_line_and_column(void **state)
{
	(void)state;

	static const struct bad cases[] = {
		{ "bnid: ::1\n", "cctm.yaml:1:1: there is no key bnid",
			"did you mean bind? Allowed is an IPv4 or IPv6 address; for example "
			"0.0.0.0" },
		{ "# c\nports:\n  grafanna: 3000\n",
			"cctm.yaml:3:3: there is no key ports.grafanna",
			"did you mean ports.grafana?" },
		{ "ports: { grafana: 3000, grafanna: 1 }\n",
			"cctm.yaml:1:25: there is no key ports.grafanna", NULL },
		{ "ports.grafana: 3000\n", "cctm.yaml:1:1: there is no key ports.grafana", NULL },
		{ "grafana:\n  admin_password: x\n",
			"cctm.yaml:2:3: there is no key grafana.admin_password", "in .env" },
		{ "xyzzy: 1\n", "cctm.yaml:1:1: there is no key xyzzy",
			"'cctm config' lists all keys" },
		{ "ports:\n  grafana: 70000\n",
			"cctm.yaml:2:12: ports.grafana: \"70000\" is too large",
			"from 1 to 65535" },
		{ "ports: { grafana: \"3000\" }\n",
			"cctm.yaml:1:19: ports.grafana: \"3000\" is a text here: write it without "
			"quotes",
			NULL },
		{ "bind:\n", "cctm.yaml:1:6: bind: there is no value", "for example 0.0.0.0" },
		{ "bind: ~\n", "cctm.yaml:1:7: bind: there is no value", NULL },
		{ "bind: [a]\n", "cctm.yaml:1:7: bind: is a single value, and this is a list",
			NULL },
		{ "bind: { a: b }\n", "cctm.yaml:1:7: bind: is a single value, and this is a group",
			NULL },
		{ "ports: 3000\n",
			"cctm.yaml:1:8: ports: is a group of keys, and this is a single value",
			"'cctm config ports'" },
		{ "ports: [3000]\n", "cctm.yaml:1:8: ports: is a group of keys, and this is a list",
			NULL },
		{ "otlp: { cors_origins: '*' }\n",
			"cctm.yaml:1:23: otlp.cors_origins: is a list, and this is none",
			"[https://" },
		{ "otlp:\n  cors_origins:\n    - '*'\n    - x\n",
			"cctm.yaml:4:7: otlp.cors_origins: \"x\" does not begin with http:// or "
			"https://",
			NULL },
		{ "otlp: { cors_origins: [{ a: b }] }\n",
			"cctm.yaml:1:24: otlp.cors_origins: item 1 is no text", NULL },
		{ "otlp: { cors_origins: }\n",
			"cctm.yaml:1:23: otlp.cors_origins: there is no value", NULL },
		{ "\xC3\xA9: 1\n", "cctm.yaml:1:1: there is no key \xC3\xA9", NULL },
		{ "grafana: { admin_user: \"\xC3\xA9\xE2\x82\xAC\", anonymous: no }\n",
			"cctm.yaml:1:41: grafana.anonymous: \"no\" is neither true nor false",
			NULL },
		{ "- bind\n", "cctm.yaml:1:1: the file holds no keys", NULL },
		{ "bind\n", "cctm.yaml:1:1: the file holds no keys", NULL },
	};

	CHECK(cases);
}

static void test_config_problems_of_yaml_name_line_and_column(void **state)
{
	(void)state;

	static const struct bad cases[] = {
		{ "bind: ::1\nproject: a\nbind: ::1\n",
			"cctm.yaml:3:1: the key bind is given twice, first in line 1", NULL },
		{ "ports: { grafana: 1, grafana: 2 }\n",
			"cctm.yaml:1:22: the key grafana is given twice, first in line 1", NULL },
		{ "ports:\n\tgrafana: 3000\n",
			"cctm.yaml:2:1: there is a tab where YAML takes spaces only",
			"indent with spaces" },
		{ "bind: *nowhere\n", "cctm.yaml:1:7: there is an alias (*nowhere)",
			"write the value out" },
		{ "bind: &here ::1\n", "cctm.yaml:1:7: there is an anchor (&here)", NULL },
		{ "ports: &p { grafana: 1 }\n", "cctm.yaml:1:8: there is an anchor (&p)", NULL },
		{ "bind: !!str ::1\n", "cctm.yaml:1:7: there is a tag (tag:yaml.org,2002:str)",
			NULL },
		{ "<<: { bind: a }\n", "cctm.yaml:1:1: there is no key <<", NULL },
		{ "bind: ::1\n---\nbind: ::1\n", "cctm.yaml:2:1: a second document begins here",
			NULL },
		{ "? [a, b]\n: c\n", "cctm.yaml:1:3: a key is not a word", NULL },
		{ "\xEF\xBB\xBF"
		  "bind: ::1\n",
			"cctm.yaml:1:1: the file begins with a byte order mark", "without one" },
		{ "project: \xC3(\n", "cctm.yaml:1:10: the byte 0xC3 is not UTF-8", NULL },
		{ "bind: ::1\nproject: caf\xE9\n", "cctm.yaml:2:13: the byte 0xE9 is not UTF-8",
			"save the file as UTF-8" },
		{ "project: a\x01\n", "cctm.yaml:1:11: there is the control character 0x01", NULL },
		{ "project: \"a\\0b\"\n", "cctm.yaml:1:10: the text holds a NUL character", NULL },
		{ "project: \xC2\x81\n",
			"cctm.yaml:1:10: there is a character that YAML does not allow", NULL },
	};

	CHECK(cases);
	check_problem("a: b\0c\n", 7, "cctm.yaml:1:5: there is a NUL character", NULL);
	check_problem("\xFF\xFE"
		      "a\0",
		4, "cctm.yaml:1:4: there is a NUL character", NULL);
}

static void test_config_problems_of_syntax_say_where(void **state)
{
	(void)state;

	static const struct {
		const char *text, *begins;
	} cases[] = {
		{ "ports: { grafana: 3000\n", "cctm.yaml:2:1: not valid YAML: " },
		{ "bind: \"::1\n", "cctm.yaml:2:1: not valid YAML: " },
		{ "bind: a: b\n", "cctm.yaml:1:8: not valid YAML: " },
		{ "ports:\n  grafana: 1\n exporter: 2\n", "cctm.yaml:3:2: not valid YAML: " },
		{ "project: @x\n", "cctm.yaml:1:10: not valid YAML: " },
		{ "%YAML 9.9\n---\nbind: ::1\n", "cctm.yaml:1:1: not valid YAML: " },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(config) struct config config = { 0 };
		AUTO(problems) struct problems problems = { 0 };
		assert_false(load(cases[i].text, &config, &problems));
		AUTO(str) char *said = problem_text(&problems.items[0]);
		if (strncmp(said, cases[i].begins, strlen(cases[i].begins)) != 0)
			fail_msg("%s: %s", cases[i].text, said);
		assert_non_null(problems.items[0].error.hint);
	}
}

static void test_config_collects_all_problems(void **state)
{
	(void)state;
	AUTO(config) struct config config = { 0 };
	AUTO(problems) struct problems problems = { 0 };
	assert_false(
		load("bind: x\nports: { grafana: 0, what: 1 }\nruntime: no\n", &config, &problems));
	assert_int_equal(problems.count, 4);
	AUTO(error) struct error err = ERROR_INIT;
	error_clear(&err);
	error_clear(&problems.items[0].error);
	error_set(&problems.items[0].error, ERR_CONFIG, "said");
	assert_false(problems_error(&problems, &err));
	assert_string_equal(err.message, "cctm.yaml:1:7: bind: said");
	assert_string_equal(err.hint, "'cctm config check' shows all 4 problems");
}

static void test_config_refuses_a_newer_version_and_says_nothing_else(void **state)
{
	(void)state;
	AUTO(config) struct config config = { 0 };
	AUTO(problems) struct problems problems = { 0 };
	assert_false(load("version: 2\nnews: 1\n", &config, &problems));
	assert_int_equal(problems.count, 1);
	assert_int_equal(problems.items[0].error.code, ERR_NEWER);
	assert_int_equal(error_exit_status(ERR_NEWER), 4);
	AUTO(str) char *said = problem_text(&problems.items[0]);
	assert_string_equal(
		said, "cctm.yaml:1:10: the file has version 2, this cctm knows version 1");
}

static void test_config_takes_every_way_to_write_yaml(void **state)
{
	(void)state;

	static const char *const ways[] = {
		"ports: { grafana: 3001 }\notlp: { cors_origins: ['*'] }\n",
		"ports:\n  grafana: 3001\notlp:\n  cors_origins:\n  - '*'\n",
		"ports:\r\n  grafana: 3001\r\notlp:\r\n  cors_origins: [\"*\"]\r\n",
		"{ports: {grafana: 3001}, otlp: {cors_origins: [\"*\"]}}",
		"--- # c\nports:\n     grafana:   3001   # c\notlp: {cors_origins: [ '*' , "
		"]}\n...\n",
		"\"ports\": {\"grafana\": 3001}\notlp: {cors_origins: [\"\\x2A\"]}\n",
		"? ports\n: grafana: 3001\notlp:\n  cors_origins:\n    - >-\n      *\n",
		"%YAML 1.1\n---\nports: {grafana: 3001}\nbudgets:\nlimits:\n  collector:\n"
		"otlp: {cors_origins: ['*']}\n",
	};

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		AUTO(config) struct config config = { 0 };
		AUTO(problems) struct problems problems = { 0 };
		if (!load(ways[i], &config, &problems))
			fail_msg("%s: %s", ways[i], problems.items[0].error.message);
		assert_int_equal(config_number(&config, "ports.grafana"), 3001);
		const struct value *list = &config_setting(&config, "otlp.cors_origins")->value;
		assert_int_equal(list->count, 1);
		assert_string_equal(list->items[0], "*");
	}
}

static void test_config_without_content_is_the_defaults(void **state)
{
	(void)state;

	static const char *const texts[] = { "", "\n", "# nothing\n", "---\n", "---\n...\n", "~\n",
		"{}\n" };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		AUTO(config) struct config config = { 0 };
		AUTO(problems) struct problems problems = { 0 };
		if (!load(texts[i], &config, &problems))
			fail_msg("\"%s\": %s", texts[i], problems.items[0].error.message);
		for (size_t j = 0; j < config_key_count; j++)
			assert_int_equal(config_setting(&config, config_keys[j].path)->origin.kind,
				ORIGIN_DEFAULT);
		assert_string_equal(config_text(&config, "bind"), "127.0.0.1");
		assert_true(config_is_null(&config, "prometheus.retention_size"));
	}
}

static const char *variables(const char *name)
{
	static const char *const set[][2] = {
		{ "CCTM_BIND", "::1" },
		{ "CCTM_PROJECT", "by-variable" },
		{ "CCTM_OTLP_CORS_ORIGINS", "https://a,https://b" },
		{ "CCTM_STORAGE", "" },
		{ "CCTM_VERSION", "7" },
	};

	for (size_t i = 0; i < sizeof set / sizeof *set; i++) {
		if (strcmp(set[i][0], name) == 0)
			return set[i][1];
	}
	return NULL;
}

static void check_origin(
	const struct config *config, const char *key, const char *text, const char *origin)
{
	const struct setting *setting = config_setting(config, key);
	AUTO(str) char *said = origin_text(&setting->origin);
	AUTO(str) char *value = value_text(key_find(key), &setting->value);
	if (strcmp(value, text) != 0 || strcmp(said, origin) != 0)
		fail_msg("%s: %s from %s", key, value, said);
}

static void test_config_flag_beats_variable_beats_file_beats_profile_beats_default(void **state)
{
	(void)state;
	static const struct config_flag flags[] = { { "bind", "0.0.0.0", "--bind" } };
	const struct config_request request = {
		.path = "cctm.yaml", .variable = variables, .flags = flags, .flag_count = 1
	};
	static const char text[] = "profile: team\nbind: 10.0.0.1\nproject: by-file\n"
				   "storage: bind\nprometheus:\n  retention_time: 30d\n";
	AUTO(config) struct config config = { 0 };
	AUTO(problems) struct problems problems = { 0 };
	if (!config_check_bytes(&request, slice_str(text), &config, &problems))
		fail_msg("%s", problems.items[0].error.message);
	check_origin(&config, "bind", "0.0.0.0", "--bind");
	check_origin(&config, "project", "by-variable", "CCTM_PROJECT");
	check_origin(
		&config, "otlp.cors_origins", "[https://a, https://b]", "CCTM_OTLP_CORS_ORIGINS");
	check_origin(&config, "storage", "bind", "cctm.yaml:4"); /* an empty variable is none */
	check_origin(&config, "prometheus.retention_time", "30d", "cctm.yaml:6");
	check_origin(&config, "otlp.auth", "bearer", "profile team");
	check_origin(&config, "limits.collector.memory", "1GiB", "profile team");
	check_origin(&config, "ports.grafana", "3000", "default");
	check_origin(&config, "version", "1", "default"); /* it belongs to the file */
}

static const char *bad_variable(const char *name)
{
	return strcmp(name, "CCTM_PORTS_GRAFANA") == 0 ? "x" : NULL;
}

static const char *cluster_variable(const char *name)
{
	return strcmp(name, "CCTM_PROFILE") == 0 ? "cluster" : NULL;
}

static void test_config_problem_of_a_variable_names_it(void **state)
{
	(void)state;
	const struct config_request request = { .variable = bad_variable };
	AUTO(config) struct config config = { 0 };
	AUTO(error) struct error err = ERROR_INIT;
	assert_false(config_load(&request, &config, &err));
	assert_string_equal(
		err.message, "CCTM_PORTS_GRAFANA: ports.grafana: \"x\" is not a whole number");
	assert_int_equal(err.code, ERR_CONFIG);
}

static void test_config_profile_of_a_variable_changes_defaults(void **state)
{
	(void)state;
	const struct config_request request = { .variable = cluster_variable };
	AUTO(config) struct config config = { 0 };
	AUTO(problems) struct problems problems = { 0 };
	assert_true(config_check_bytes(&request, slice_str(""), &config, &problems));
	check_origin(&config, "otlp.auth", "bearer", "profile cluster");
}

static void test_config_keys_are_checked_together(void **state)
{
	(void)state;

	static const struct bad cases[] = {
		{ "ports: { exporter: 3000 }\n",
			"cctm.yaml:1:20: ports.exporter: 3000 is also ports.grafana (default)",
			NULL },
		{ "ports: { exporter: 5000, grafana: 5000 }\n",
			"cctm.yaml:1:35: ports.grafana: 5000 is also ports.exporter (cctm.yaml:1)",
			NULL },
		{ "bridge: { zero_hold: 9s }\n",
			"cctm.yaml:1:22: bridge.zero_hold: 9s is too short for "
			"prometheus.scrape_interval: 10s (default)",
			"at least as long" },
		{ "prometheus: { scrape_interval: 16s }\n",
			"cctm.yaml:1:32: prometheus.scrape_interval: 16s is too long for "
			"bridge.zero_hold: 15s (default)",
			NULL },
		{ "prometheus: { retention_time: 13d }\n",
			"cctm.yaml:1:31: prometheus.retention_time: 13d is too short for "
			"prometheus.lookback: 14d (default)",
			NULL },
		{ "collector: { expiration: 60m }\n",
			"cctm.yaml:1:26: collector.expiration: 60m is too short for "
			"collector.max_stale: 1h (default)",
			"longer" },
		{ "prometheus: { lookback: 1h }\n",
			"cctm.yaml:1:25: prometheus.lookback: 1h is too short for "
			"collector.expiration: 65m (default)",
			NULL },
		{ "otlp: { tls_cert_file: /a }\n",
			"cctm.yaml:1:24: otlp.tls_cert_file: otlp.tls_key_file is missing", NULL },
		{ "alerts: { alertmanager: true, smtp_host: 'm:25', email_to: [a@b] }\n",
			"cctm.yaml:1:60: alerts.email_to: alerts.email_from is missing",
			"together" },
	};

	CHECK(cases);
	/* The boundary holds. */
	AUTO(config) struct config config = { 0 };
	AUTO(problems) struct problems problems = { 0 };
	assert_true(
		load("bridge: { zero_hold: 10s }\nprometheus: { retention_time: 14d }\n"
		     "collector: { expiration: 61m }\n"
		     "alerts: { email_to: [a@b] }\n", /* nobody sends it, and the bridge says so */
			&config, &problems));
}

/* ---- hostile files ---- */

static void test_config_refuses_a_large_file(void **state)
{
	(void)state;
	char *bytes = mem_alloc(TREE_BYTES_MAX + 1);
	memset(bytes, '#', TREE_BYTES_MAX + 1);
	AUTO(config) struct config config = { 0 };
	AUTO(problems) struct problems problems = { 0 };
	assert_true(
		config_check_bytes(&of_file, slice_of(bytes, TREE_BYTES_MAX), &config, &problems));
	config_clear(&config);
	assert_false(config_check_bytes(
		&of_file, slice_of(bytes, TREE_BYTES_MAX + 1), &config, &problems));
	assert_string_equal(problems.items[0].error.message, "the file is larger than 1MiB");
	free(bytes);
}

static void check_repeated(const char *part, size_t count, const char *expected)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	AUTO(config) struct config config = { 0 };
	AUTO(problems) struct problems problems = { 0 };
	for (size_t i = 0; i < count; i++)
		buf_adds(&text, part);
	assert_false(config_check_bytes(&of_file, buf_slice(&text), &config, &problems));
	assert_true(problems.count <= PROBLEMS_MAX);
	if (!strstr(problems.items[0].error.message, expected))
		fail_msg("%s: %s", part, problems.items[0].error.message);
}

static void test_config_ends_at_its_limits(void **state)
{
	(void)state;
	check_repeated("[", 900, "nested more than 16 deep");
	check_repeated("[", 500000, "nested more than 16 deep");
	check_repeated("{a: ", 100, "nested more than 16 deep");
	check_repeated("- ", 100, "nested more than 16 deep");
	check_repeated("- a\n", 100000, "more than 5000");
	check_repeated("a", 1 << 19, "holds no keys");
	AUTO(buf) struct buf key = BUF_INIT(BUF_UNLIMITED);
	for (int i = 0; i <= TREE_KEY_MAX; i++)
		buf_addc(&key, 'k');
	buf_adds(&key, ": 1\n");
	check_repeated(buf_str(&key), 1, "a key is longer than 256 bytes");
	check_repeated(buf_str(&key) + 1, 1, "there is no key kkk");
}

static void test_config_bomb_stops_at_its_first_anchor(void **state)
{
	(void)state;
	check_problem("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", 37,
		"cctm.yaml:1:4: there is an anchor (&a)", NULL);
}

static void test_config_keeps_fifty_problems(void **state)
{
	(void)state;
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	AUTO(config) struct config config = { 0 };
	AUTO(problems) struct problems problems = { 0 };
	for (int i = 0; i < 200; i++)
		buf_addf(&text, "x%d: 1\n", i);
	assert_false(load(buf_str(&text), &config, &problems));
	assert_int_equal(problems.count, PROBLEMS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config_problems_of_keys_name_line_and_column),
		cmocka_unit_test(test_config_problems_of_yaml_name_line_and_column),
		cmocka_unit_test(test_config_problems_of_syntax_say_where),
		cmocka_unit_test(test_config_collects_all_problems),
		cmocka_unit_test(test_config_refuses_a_newer_version_and_says_nothing_else),
		cmocka_unit_test(test_config_takes_every_way_to_write_yaml),
		cmocka_unit_test(test_config_without_content_is_the_defaults),
		cmocka_unit_test(
			test_config_flag_beats_variable_beats_file_beats_profile_beats_default),
		cmocka_unit_test(test_config_problem_of_a_variable_names_it),
		cmocka_unit_test(test_config_profile_of_a_variable_changes_defaults),
		cmocka_unit_test(test_config_keys_are_checked_together),
		cmocka_unit_test(test_config_refuses_a_large_file),
		cmocka_unit_test(test_config_ends_at_its_limits),
		cmocka_unit_test(test_config_bomb_stops_at_its_first_anchor),
		cmocka_unit_test(test_config_keeps_fifty_problems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
