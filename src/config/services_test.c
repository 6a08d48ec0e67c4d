#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/config_testing.h"
#include "config/services.h"

static void test_services_of_a_default_stack(void **state)
{
	(void)state;
	AUTO(config) struct config config = config_of("");
	static const bool expected[SERVICE_COUNT] = {
		[SERVICE_COLLECTOR] = true, [SERVICE_PROMETHEUS] = true, [SERVICE_GRAFANA] = true
	};
	for (enum service s = 0; s < SERVICE_COUNT; s++)
		assert_int_equal(service_is_used(&config, s), expected[s]);
}

static void test_services_that_keys_ask_for(void **state)
{
	(void)state;
	AUTO(config)
	struct config config =
		config_of("ingest: bridge\nevents: {store: loki}\n"
			  "alerts: {alertmanager: true}\nproxy: {host: a.example}\n");
	assert_false(service_is_used(&config, SERVICE_COLLECTOR));
	assert_true(service_is_used(&config, SERVICE_BRIDGE));
	assert_true(service_is_used(&config, SERVICE_LOKI));
	assert_true(service_is_used(&config, SERVICE_ALERTMANAGER));
	assert_true(service_is_used(&config, SERVICE_PROXY));
	assert_int_equal(service_receiver(&config), SERVICE_BRIDGE);
}

static void test_services_that_push_have_no_exporter(void **state)
{
	(void)state;
	AUTO(config) struct config scraped = config_of("");
	AUTO(config) struct config pushed = config_of("collector: {export: remote_write}\n");
	const struct service_port *exporter = service_port_find("ports.exporter");
	assert_true(service_port_is_used(&scraped, exporter));
	assert_false(service_port_is_used(&pushed, exporter));
}

static void test_services_open_prometheus_on_loopback_while_it_has_its_admin_api(void **state)
{
	(void)state;
	AUTO(config) struct config open = config_of("bind: 0.0.0.0\n");
	AUTO(config) struct config closed = config_of("bind: '::'\n");
	AUTO(config)
	struct config plain = config_of("bind: 0.0.0.0\nprometheus: {admin_api: false}\n");
	const struct service_port *prometheus = service_port_find("ports.prometheus");
	const struct service_port *grafana = service_port_find("ports.grafana");
	assert_string_equal(service_port_address(&open, prometheus), "127.0.0.1");
	assert_string_equal(service_port_address(&open, grafana), "0.0.0.0");
	assert_string_equal(service_port_address(&closed, prometheus), "::1");
	assert_string_equal(service_port_address(&plain, prometheus), "0.0.0.0");
}

static void test_services_give_the_proxy_an_address_of_its_own(void **state)
{
	(void)state;
	AUTO(config) struct config config = config_of("proxy: {host: a.example, bind: 0.0.0.0}\n");
	assert_string_equal(
		service_port_address(&config, service_port_find("ports.proxy")), "0.0.0.0");
	assert_string_equal(
		service_port_address(&config, service_port_find("ports.otlp_http")), "127.0.0.1");
}

static void test_services_have_a_key_for_every_port_of_the_table(void **state)
{
	(void)state;
	size_t ports = 0;
	for (size_t i = 0; i < config_key_count; i++) {
		if (config_keys[i].type == KEY_PORT) {
			assert_string_equal(
				service_port_find(config_keys[i].path)->key, config_keys[i].path);
			ports++;
		}
	}
	assert_int_equal(ports, service_port_count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_services_of_a_default_stack),
		cmocka_unit_test(test_services_that_keys_ask_for),
		cmocka_unit_test(test_services_that_push_have_no_exporter),
		cmocka_unit_test(
			test_services_open_prometheus_on_loopback_while_it_has_its_admin_api),
		cmocka_unit_test(test_services_give_the_proxy_an_address_of_its_own),
		cmocka_unit_test(test_services_have_a_key_for_every_port_of_the_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
