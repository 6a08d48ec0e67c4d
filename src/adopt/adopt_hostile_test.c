/* Broken and hostile files: an error with its place, or a bounded result; never a guess. */
#include <sys/stat.h>

#include "adopt/adopt_testing.h"

#define GRAFANA "services:\n  grafana:\n    image: grafana/grafana:12.3.0\n"

static void test_broken_compose_files_are_errors_with_their_place(void **state)
{
	(void)state;

	static const struct {
		const char *compose, *message;
	} cases[] = {
		{ "services:\n  grafana:\n\timage: x\n",
			"docker-compose.yml:3:1: there is a tab where YAML takes spaces only" },
		{ "x-all: &all { a: b }\n", "docker-compose.yml:1:8: there is an anchor (&all)" },
		{ "a: *all\n", "docker-compose.yml:1:4: there is an alias (*all)" },
		{ "a: 1\na: 2\n",
			"docker-compose.yml:2:1: the key a is given twice, first in line 1" },
		{ "a: !!binary x\n",
			"docker-compose.yml:1:4: there is a tag (tag:yaml.org,2002:binary)" },
		{ "", "docker-compose.yml is no Compose file: it holds no map" },
		{ "- a\n", "docker-compose.yml is no Compose file: it holds no map" },
		{ "name: x\n", "docker-compose.yml has no services" },
		{ "services: [grafana]\n",
			"docker-compose.yml:1:11: services is a list and should be a map" },
		{ "services: { grafana: 12 }\n",
			"docker-compose.yml:1:22: grafana is a single value and should be a map" },
		{ "services: { grafana: { image: [a] } }\n",
			"docker-compose.yml:1:31: image is a list and should be a single value" },
		{ GRAFANA "    ports: 3000\n",
			"docker-compose.yml:4:12: ports is a single value and should be a list" },
		{ GRAFANA "    volumes: { a: b }\n",
			"docker-compose.yml:4:14: volumes is a map and should be a list" },
		{ GRAFANA "    volumes: [{ source: a }]\n",
			"docker-compose.yml:4:15: a volume has no target" },
		{ GRAFANA "    environment: GF_X\n",
			"docker-compose.yml:4:18: environment is neither a map nor a list" },
		{ GRAFANA "    environment: { GF_SECURITY_ADMIN_USER: [a] }\n",
			"docker-compose.yml:4:44: the variable GF_SECURITY_ADMIN_USER is no text" },
		{ GRAFANA "    command: { a: b }\n",
			"docker-compose.yml:4:14: command is a map and should be a list" },
		{ GRAFANA "    command: \"a 'b\"\n",
			"docker-compose.yml:4:14: a quote in the command is not closed" },
		{ GRAFANA "    deploy: fast\n",
			"docker-compose.yml:4:13: deploy is a single value and should be a map" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_refused(cases[i].compose, cases[i].message);
}

static void test_anchors_come_with_the_way_to_write_them_out(void **state)
{
	(void)state;
	static const char *const files[] = { "x-all: &all { a: b }\n", "a: *all\n" };
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct stack stack = stack_new("metrics");
		stack_make_file(&stack, "docker-compose.yml", files[i]);
		assert_false(stack_try(&stack, NULL));
		assert_non_null(strstr(stack.err.hint, "docker compose config"));
		stack_end(&stack);
	}
}

static void test_broken_configurations_are_errors_with_their_place(void **state)
{
	(void)state;

	static const struct {
		const char *config, *message;
	} cases[] = {
		{ "scrape_configs: {}\n",
			"p.yml:1:17: scrape_configs is a map and should be a list" },
		{ "a: [1\n", NULL },
		{ "rule_files: yes\n",
			"p.yml:1:13: rule_files is a single value and should be a list" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct stack stack = stack_new("metrics");
		stack_make_file(&stack, "docker-compose.yml",
			"services:\n"
			"  prometheus:\n"
			"    image: prom/prometheus:v3.16.0\n"
			"    volumes: ['./p.yml:/etc/prometheus/prometheus.yml']\n");
		stack_make_file(&stack, "p.yml", cases[i].config);
		assert_false(stack_try(&stack, NULL));
		assert_int_equal(stack.err.code, ERR_CONFIG);
		assert_int_equal(strncmp(stack.err.message, "p.yml:", 6), 0);
		if (cases[i].message)
			assert_string_equal(stack.err.message, cases[i].message);
		stack_end(&stack);
	}
}

static void test_broken_env_is_an_error_without_its_values(void **state)
{
	(void)state;
	struct stack stack = stack_new("metrics");
	stack_make_file(&stack, "docker-compose.yml", GRAFANA);
	stack_make_file(&stack, ".env", "A=1\nPASSWORD='hidden\n");
	assert_false(stack_try(&stack, NULL));
	assert_string_equal(stack.err.message, ".env:2:10: the quote is not closed");
	stack_end(&stack);
}

static void test_files_that_are_none_are_not_opened(void **state)
{
	(void)state;
	static const char *const names[] = { "docker-compose.yml", ".env" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct stack stack = stack_new("metrics");
		AUTO(str) char *path = path_join(stack.dir, names[i]);
		AUTO(str) char *message = mem_printf("%s is not a file", names[i]);
		stack_make_file(&stack, "docker-compose.yml", GRAFANA);
		remove(path);
		assert_int_equal(mkfifo(path, 0600), 0);
		assert_false(stack_try(&stack, NULL));
		assert_string_equal(stack.err.message, message);
		stack_end(&stack);
	}
}

static void test_files_that_are_too_large_are_refused(void **state)
{
	(void)state;
	struct stack stack = stack_new("metrics");
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	while (text.len <= 1 << 20)
		buf_adds(&text, "# as large as can be\n");
	stack_make_file(&stack, "docker-compose.yml", buf_str(&text));
	assert_false(stack_try(&stack, NULL));
	assert_string_equal(stack.err.message, "docker-compose.yml is larger than 1MiB");
	stack_end(&stack);
}

static void test_more_findings_than_fit_are_an_error(void **state)
{
	(void)state;
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&text, GRAFANA);
	for (int i = 0; i <= ADOPT_FINDINGS_MAX; i++)
		buf_addf(&text, "  own-%d: { image: x }\n", i);
	assert_refused(buf_str(&text),
		"there is more to say about this stack than fits: over 500 findings");
}

static void test_more_mounts_and_words_than_fit_are_errors(void **state)
{
	(void)state;
	AUTO(buf) struct buf mounts = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf words = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&mounts, GRAFANA "    volumes:\n");
	buf_adds(&words, GRAFANA "    command:\n");
	for (int i = 0; i <= 64; i++)
		buf_addf(&mounts, "      - ./a:/b%d\n", i);
	for (int i = 0; i <= 256; i++)
		buf_addf(&words, "      - word%d\n", i);
	assert_refused(buf_str(&mounts), "docker-compose.yml:69:9: there are more than 64 volumes");
	assert_refused(
		buf_str(&words), "docker-compose.yml:261:9: the command has more than 256 words");
}

static void test_half_a_file_is_an_error_or_less_of_a_stack(void **state)
{
	(void)state;
	AUTO(buf) struct buf text = BUF_INIT(1 << 20);
	AUTO(error) struct error err = ERROR_INIT;
	assert_int_equal(file_read("tests/data/adopt/tutorial/docker-compose.yml", &text, &err), 1);
	for (size_t len = 0; len < text.len; len += 13) {
		AUTO(str) char *half = mem_strndup(buf_str(&text), len);
		struct stack stack = stack_new("metrics");
		stack_make_file(&stack, "docker-compose.yml", half);
		if (!stack_try(&stack, NULL))
			assert_true(stack.err.code == ERR_CONFIG || stack.err.code == ERR_REFUSED);
		stack_end(&stack);
	}
}

static void test_ports_of_cctm_make_room_for_those_of_the_stack(void **state)
{
	(void)state;
	struct stack stack = stack_new("metrics");
	stack_make_file(&stack, "docker-compose.yml",
		GRAFANA "    ports: ['127.0.0.1:9093:3000']\n"
			"  prometheus:\n"
			"    image: prom/prometheus:v3.16.0\n"
			"    ports: ['127.0.0.1:3000:9090']\n");
	stack_adopt(&stack);
	assert_setting(&stack, "ports.grafana", "9093", NULL);
	assert_setting(&stack, "ports.prometheus", "3000", NULL);
	assert_setting(&stack, "ports.alertmanager", "9094", "docker-compose.yml:4");
	stack_end(&stack);
}

static void test_ports_that_are_the_same_keep_one(void **state)
{
	(void)state;
	struct stack stack = stack_new("metrics");
	stack_make_file(&stack, "docker-compose.yml",
		GRAFANA "    ports: ['127.0.0.1:8080:3000']\n"
			"  prometheus:\n"
			"    image: prom/prometheus:v3.16.0\n"
			"    ports: ['127.0.0.2:8080:9090']\n");
	stack_adopt(&stack);
	assert_fault(&stack, "value-not-allowed", NULL);
	assert_int_equal(
		!setting_of(&stack, "ports.grafana") + !setting_of(&stack, "ports.prometheus"), 1);
	stack_end(&stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken_compose_files_are_errors_with_their_place),
		cmocka_unit_test(test_anchors_come_with_the_way_to_write_them_out),
		cmocka_unit_test(test_broken_configurations_are_errors_with_their_place),
		cmocka_unit_test(test_broken_env_is_an_error_without_its_values),
		cmocka_unit_test(test_files_that_are_none_are_not_opened),
		cmocka_unit_test(test_files_that_are_too_large_are_refused),
		cmocka_unit_test(test_more_findings_than_fit_are_an_error),
		cmocka_unit_test(test_more_mounts_and_words_than_fit_are_errors),
		cmocka_unit_test(test_half_a_file_is_an_error_or_less_of_a_stack),
		cmocka_unit_test(test_ports_of_cctm_make_room_for_those_of_the_stack),
		cmocka_unit_test(test_ports_that_are_the_same_keep_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
