#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config_testing.h"
#include "core/error.h"
#include "render/data.h"
#include "render/model_internal.h"

/* Compares and frees. */
static void assert_text(char *text, const char *expected)
{
	assert_string_equal(text, expected);
	free(text);
}

static void test_durations_are_written_as_go_reads_them(void **state)
{
	(void)state;
	assert_text(model_go_duration(1000), "1s");
	assert_text(model_go_duration(65 * 60000), "1h5m");
	assert_text(model_go_duration(24 * INT64_C(3600000)), "24h");
	assert_text(model_go_duration(1500), "1s500ms");
	assert_text(model_go_duration(0), "0s");
}

static void test_sizes_have_the_largest_unit_that_is_exact(void **state)
{
	(void)state;
	static const char *const units[] = { "B", "KB", "MB", "GB" };
	assert_text(model_size(INT64_C(50) << 30, units), "50GB");
	assert_text(model_size(INT64_C(1536) << 20, units), "1536MB");
	assert_text(model_size(1000, units), "1000B");
	assert_text(model_size(INT64_C(3) << 40, units), "3072GB");
}

static void test_addresses_are_those_that_people_can_reach(void **state)
{
	(void)state;
	AUTO(config) struct config plain = config_of("");
	AUTO(config) struct config wide = config_of("bind: 0.0.0.0\nports: {grafana: 4000}\n");
	AUTO(config) struct config v6 = config_of("bind: ::1\n");
	AUTO(config)
	struct config proxied = config_of("proxy: {host: m.example.com}\nports: {proxy: 8443}\n");
	assert_text(model_url(&plain, "ports.grafana", "/"), "http://localhost:3000/");
	assert_text(model_url(&wide, "ports.grafana", "/"), "http://localhost:4000/");
	assert_text(model_url(&v6, "ports.grafana", "/"), "http://[::1]:3000/");
	assert_text(model_otlp_endpoint(&plain, false), "http://127.0.0.1:4318");
	assert_text(model_otlp_endpoint(&plain, true), "http://127.0.0.1:4317");
	assert_text(model_otlp_endpoint(&proxied, false), "https://m.example.com:8443");
}

static void assert_source(
	const struct config *config, enum service service, const char *expected, bool is_directory)
{
	bool is_found;
	assert_text(model_data_source(config, service, &is_found), expected);
	assert_int_equal(is_found, is_directory);
}

static void test_data_lie_where_the_keys_say(void **state)
{
	(void)state;
	AUTO(config) struct config plain = config_of("");
	AUTO(config) struct config bound = config_of("storage: bind\n");
	AUTO(config)
	struct config chosen = config_of("data: {prometheus: /srv/p, grafana: old_grafana}\n");
	assert_source(&plain, SERVICE_GRAFANA, "grafana-data", false);
	assert_source(&bound, SERVICE_GRAFANA, "./data/grafana", true);
	assert_source(&chosen, SERVICE_PROMETHEUS, "/srv/p", true);
	assert_source(&chosen, SERVICE_GRAFANA, "grafana-data", false);
}

static void test_the_whole_tree_is_within_what_templates_take(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(config) struct config config = config_of("profile: team\n");
	const struct surroundings around = { .dir = "/srv/stack" };
	AUTO(data) struct data *root = model_new(&config, &around);
	assert_true(data_check(root, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations_are_written_as_go_reads_them),
		cmocka_unit_test(test_sizes_have_the_largest_unit_that_is_exact),
		cmocka_unit_test(test_addresses_are_those_that_people_can_reach),
		cmocka_unit_test(test_data_lie_where_the_keys_say),
		cmocka_unit_test(test_the_whole_tree_is_within_what_templates_take),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
