#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/keys.h"
#include "config/value.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

static void test_keys_have_all_that_help_and_errors_need(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_key_count; i++) {
		const struct key *key = &config_keys[i];
		if (!key->path || !key->sentence || !key->example)
			fail_msg("row %zu lacks path, sentence or example", i);
		if (!isupper((unsigned char)key->sentence[0]) ||
			!str_has_suffix(key->sentence, "."))
			fail_msg("%s: a sentence begins with a capital and ends with a full stop",
				key->path);
		if (key->type == KEY_CHOICE && !key->choices)
			fail_msg("%s: a choice needs choices", key->path);
		bool is_number = key->type == KEY_INT || key->type == KEY_DECIMAL ||
				 key->type == KEY_DURATION || key->type == KEY_SIZE ||
				 key->type == KEY_PORT || key->type == KEY_TEXT;
		if (is_number != (key->min || key->max))
			fail_msg("%s: numbers and texts have bounds, others none", key->path);
		if (!key->fallback && !key->is_nullable)
			fail_msg("%s: null is a default, but not allowed", key->path);
	}
}

static void check_value(const struct key *key, const char *text, const char *what)
{
	AUTO(value) struct value value = { 0 };
	AUTO(error) struct error err = ERROR_INIT;
	if (!value_parse_words(key, text ? text : "null", &value, &err))
		fail_msg("%s: its %s is not allowed: %s", key->path, what, err.message);
}

static void test_keys_defaults_and_examples_are_allowed(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_key_count; i++) {
		for (int profile = 0; profile < PROFILE_COUNT; profile++)
			check_value(&config_keys[i],
				key_fallback(&config_keys[i], (enum profile)profile), "default");
		check_value(&config_keys[i], config_keys[i].example, "example");
	}
}

static void test_keys_and_variables_are_there_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_key_count; i++) {
		AUTO(str) char *mine = key_variable(&config_keys[i]);
		for (size_t j = 0; j < i; j++) {
			AUTO(str) char *other = key_variable(&config_keys[j]);
			assert_string_not_equal(config_keys[i].path, config_keys[j].path);
			if (mine && other)
				assert_string_not_equal(mine, other);
		}
		assert_false(
			key_is_group(config_keys[i].path)); /* it would be a value and a group */
		/* Variables with a meaning of their own. */
		assert_true(!mine || strcmp(mine, "CCTM_DIR") != 0);
	}
}

static void test_keys_none_holds_a_secret(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_key_count; i++)
		assert_false(key_is_secret(config_keys[i].path));
	assert_true(key_is_secret("grafana.admin_password"));
	assert_true(key_is_secret("otlp.token"));
	assert_false(key_is_secret("otlp.token_file"));
}

static void test_keys_finds_what_was_meant(void **state)
{
	(void)state;

	static const struct {
		const char *written, *meant;
	} cases[] = {
		{ "prometheus.retention", "prometheus.retention_time" },
		{ "retention_time", "prometheus.retention_time" },
		{ "ports.grafanna", "ports.grafana" },
		{ "port.grafana", "ports.grafana" },
		{ "bnid", "bind" },
		{ "zero_hold", "bridge.zero_hold" },
		{ "timezone", "time_zone" },
		{ "something.else.entirely", NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct key *key = key_nearest(cases[i].written);
		if (!key != !cases[i].meant || (key && strcmp(key->path, cases[i].meant) != 0))
			fail_msg("%s: %s", cases[i].written, key ? key->path : "nothing");
	}
}

static void test_keys_name_their_variable_and_what_is_allowed(void **state)
{
	(void)state;
	AUTO(str) char *variable = key_variable(key_find("prometheus.retention_time"));
	assert_string_equal(variable, "CCTM_PROMETHEUS_RETENTION_TIME");
	assert_null(key_variable(key_find("version")));

	static const struct {
		const char *key, *allowed;
	} cases[] = {
		{ "ports.grafana", "a whole number from 1 to 65535" },
		{ "bridge.zero_hold", "a duration from 1s to 1h" },
		{ "runtime", "one of auto, docker or embedded" },
		{ "budgets.daily_usd", "a number from 0.01 to 1000000000 (USD), or null" },
		{ "otlp.cors_origins", "a list, each item an origin (http or https, a host and "
				       "perhaps a port) or *" },
		{ "version", "a whole number, and only 1" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(str) char *allowed = key_allowed(key_find(cases[i].key));
		assert_string_equal(allowed, cases[i].allowed);
	}
}

static void test_keys_knows_groups(void **state)
{
	(void)state;
	assert_true(key_is_group("ports"));
	assert_true(key_is_group("limits.collector"));
	assert_false(key_is_group("port"));
	assert_false(key_is_group(""));
	assert_false(key_is_group("ports.grafana"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_have_all_that_help_and_errors_need),
		cmocka_unit_test(test_keys_defaults_and_examples_are_allowed),
		cmocka_unit_test(test_keys_and_variables_are_there_once),
		cmocka_unit_test(test_keys_none_holds_a_secret),
		cmocka_unit_test(test_keys_finds_what_was_meant),
		cmocka_unit_test(test_keys_name_their_variable_and_what_is_allowed),
		cmocka_unit_test(test_keys_knows_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
