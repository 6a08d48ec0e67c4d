#include "adopt/adopt_testing.h"

/* A Grafana with these ports. */
static struct stack with_ports(const char *ports)
{
	AUTO(str)
	char *compose = mem_printf(
		"services:\n  grafana:\n    image: grafana/grafana:12.3.0\n    ports:\n%s", ports);
	return stack_of(compose);
}

static void test_ports_read_each_way_to_write_one(void **state)
{
	(void)state;

	static const struct {
		const char *ports, *grafana, *why;
	} cases[] = {
		{ "      - 127.0.0.1:3001:3000\n", "3001", "address, host, container" },
		{ "      - '127.0.0.1:3002:3000/tcp'\n", "3002", "with its protocol" },
		{ "      - \"[::1]:3003:3000\"\n", "3003", "IPv6 in brackets" },
		{ "      - ::1:3004:3000\n", "3004", "IPv6 without, as older Compose takes it" },
		{ "      - 127.0.0.1:4000-4010:2998-3008\n", "4002", "a range" },
		{ "      - { target: 3000, published: 3005, host_ip: 127.0.0.1 }\n", "3005",
			"the long way" },
		{ "      - { target: 3000, published: '3006', host_ip: 127.0.0.1, mode: host }\n",
			"3006", "the long way with a text" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct stack stack = with_ports(cases[i].ports);
		if (!setting_of(&stack, "ports.grafana"))
			fail_msg("%s: no port", cases[i].why);
		assert_setting(&stack, "ports.grafana", cases[i].grafana, "docker-compose.yml:5");
		assert_no_fault(&stack, "ports-on-all-interfaces");
		stack_end(&stack);
	}
}

static void test_ports_without_an_address_are_a_fault_and_keep_their_number(void **state)
{
	(void)state;
	static const char *const open[] = { "      - 3001:3000\n", "      - 0.0.0.0:3001:3000\n",
		"      - '[::]:3001:3000'\n", "      - { target: 3000, published: 3001 }\n" };
	for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
		struct stack stack = with_ports(open[i]);
		const struct adopt_fault *fault =
			assert_fault(&stack, "ports-on-all-interfaces", "docker-compose.yml:5");
		assert_non_null(strstr(fault->what, "(3001)"));
		assert_setting(&stack, "ports.grafana", "3001", NULL);
		assert_no_setting(&stack, "bind");
		stack_end(&stack);
	}
}

static void test_ports_on_one_address_keep_it_and_say_who_reaches_it(void **state)
{
	(void)state;
	struct stack stack = with_ports("      - 192.0.2.7:3000:3000\n");
	assert_setting(&stack, "bind", "192.0.2.7", "docker-compose.yml:5");
	assert_fault(&stack, "ports-on-network", "docker-compose.yml:5");
	assert_no_setting(&stack, "ports.grafana");
	stack_end(&stack);
}

static void test_ports_on_loopback_of_version_6_are_no_fault(void **state)
{
	(void)state;
	struct stack stack = with_ports("      - '[::1]:3000:3000'\n");
	assert_setting(&stack, "bind", "::1", NULL);
	assert_no_fault(&stack, "ports-on-network");
	stack_end(&stack);
}

static void test_ports_on_several_addresses_go_to_loopback(void **state)
{
	(void)state;
	struct stack stack = with_ports("      - 192.0.2.7:3000:3000\n"
					"  prometheus:\n"
					"    image: prom/prometheus:v3.16.0\n"
					"    ports: ['127.0.0.1:9090:9090']\n");
	assert_fault(&stack, "ports-on-several-addresses", NULL);
	assert_no_setting(&stack, "bind");
	stack_end(&stack);
}

static void test_ports_that_docker_chooses_get_their_usual_number(void **state)
{
	(void)state;
	static const char *const open[] = { "      - 3000\n", "      - '127.0.0.1::3000'\n",
		"      - { target: 3000 }\n", "      - 127.0.0.1:4000-4010:3000\n" };
	for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
		struct stack stack = with_ports(open[i]);
		assert_fault(&stack, "port-not-fixed", "docker-compose.yml:5");
		assert_no_setting(&stack, "ports.grafana");
		stack_end(&stack);
	}
}

static void test_ports_published_twice_keep_the_first(void **state)
{
	(void)state;
	struct stack stack =
		with_ports("      - 127.0.0.1:3001:3000\n      - 127.0.0.1:3002:3000\n");
	assert_setting(&stack, "ports.grafana", "3001", NULL);
	assert_fault(&stack, "port-twice", "docker-compose.yml:6");
	stack_end(&stack);
}

static void test_ports_of_other_things_are_the_users_own(void **state)
{
	(void)state;
	struct stack stack = with_ports("      - 127.0.0.1:3000:3000/udp\n      - 6060:6060\n");
	assert_kept(&stack, "port 3000 of grafana", "docker-compose.yml:5");
	assert_kept(&stack, "port 6060 of grafana", "docker-compose.yml:6");
	stack_end(&stack);
}

static void test_ports_follow_where_a_program_listens(void **state)
{
	(void)state;
	struct stack stack = stack_of("services:\n"
				      "  grafana:\n"
				      "    image: grafana/grafana:12.3.0\n"
				      "    environment: { GF_SERVER_HTTP_PORT: 8080 }\n"
				      "    ports: ['127.0.0.1:3001:8080']\n"
				      "  prometheus:\n"
				      "    image: prom/prometheus:v3.16.0\n"
				      "    command: [--web.listen-address=:9999]\n"
				      "    ports: ['127.0.0.1:9091:9999']\n");
	assert_setting(&stack, "ports.grafana", "3001", NULL);
	assert_setting(&stack, "ports.prometheus", "9091", NULL);
	stack_end(&stack);
}

static void test_ports_of_the_hosts_own_network_are_open_everywhere(void **state)
{
	(void)state;
	struct stack stack = stack_of("services:\n"
				      "  grafana:\n"
				      "    image: grafana/grafana:12.3.0\n"
				      "    network_mode: host\n"
				      "    environment: { GF_SERVER_HTTP_PORT: 8080 }\n");
	assert_fault(&stack, "host-network", "docker-compose.yml:4");
	assert_setting(&stack, "ports.grafana", "8080", "docker-compose.yml:4");
	stack_end(&stack);
}

static void test_ports_that_are_none_are_errors_with_their_place(void **state)
{
	(void)state;

	static const struct {
		const char *port, *message;
	} cases[] = {
		{ "- web", "docker-compose.yml:5:9: \"web\" is not a published port" },
		{ "- 70000:3000",
			"docker-compose.yml:5:9: \"70000:3000\" is not a published port" },
		{ "- '3000:'", "docker-compose.yml:5:9: \"3000:\" is not a published port" },
		{ "- 9-3:9-3", "docker-compose.yml:5:9: \"9-3:9-3\" is not a published port" },
		{ "- { published: 1 }", "docker-compose.yml:5:9: a published port has no target" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(str)
		char *compose = mem_printf("services:\n"
					   "  grafana:\n"
					   "    image: grafana/grafana:12.3.0\n"
					   "    ports:\n"
					   "      %s\n",
			cases[i].port);
		assert_refused(compose, cases[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ports_read_each_way_to_write_one),
		cmocka_unit_test(test_ports_without_an_address_are_a_fault_and_keep_their_number),
		cmocka_unit_test(test_ports_on_one_address_keep_it_and_say_who_reaches_it),
		cmocka_unit_test(test_ports_on_loopback_of_version_6_are_no_fault),
		cmocka_unit_test(test_ports_on_several_addresses_go_to_loopback),
		cmocka_unit_test(test_ports_that_docker_chooses_get_their_usual_number),
		cmocka_unit_test(test_ports_published_twice_keep_the_first),
		cmocka_unit_test(test_ports_of_other_things_are_the_users_own),
		cmocka_unit_test(test_ports_follow_where_a_program_listens),
		cmocka_unit_test(test_ports_of_the_hosts_own_network_are_open_everywhere),
		cmocka_unit_test(test_ports_that_are_none_are_errors_with_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
