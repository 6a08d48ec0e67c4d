/* Files, the project, which service is which, images, limits and mounts. */
#include <sys/stat.h>
#include <unistd.h>

#include "adopt/adopt_testing.h"

#define GRAFANA "services:\n  grafana:\n    image: grafana/grafana:12.3.0\n"

static void test_compose_file_is_the_one_that_compose_takes(void **state)
{
	(void)state;
	struct stack stack = stack_new("metrics");
	stack_make_file(&stack, "docker-compose.yml", "not: read");
	stack_make_file(&stack, "compose.yml", GRAFANA);
	stack_adopt(&stack);
	assert_string_equal(stack.adopted.compose_file, "compose.yml");
	assert_fault(&stack, "compose-file-name", "compose.yml");
	assert_kept(&stack,
		"Compose file docker-compose.yml, which Compose does not use beside "
		"compose.yml",
		"docker-compose.yml");
	stack_end(&stack);
}

static void test_compose_file_may_be_named_by_env(void **state)
{
	(void)state;
	struct stack stack = stack_new("metrics");
	stack_make_file(&stack, ".env", "COMPOSE_FILE=stack.yml\nCOMPOSE_PROJECT_NAME=ours\n");
	stack_make_file(&stack, "stack.yml", "name: theirs\n" GRAFANA);
	stack_adopt(&stack);
	assert_string_equal(stack.adopted.compose_file, "stack.yml");
	assert_setting(&stack, "project", "ours", NULL);
	stack_end(&stack);
}

static void test_compose_files_that_are_merged_are_refused(void **state)
{
	(void)state;
	struct stack stack = stack_new("metrics");
	stack_make_file(&stack, ".env", "COMPOSE_FILE=a.yml:b.yml\n");
	assert_false(stack_try(&stack, NULL));
	assert_int_equal(stack.err.code, ERR_REFUSED);
	assert_non_null(strstr(stack.err.hint, "docker compose config"));
	stack_end(&stack);
}

static void test_compose_override_file_stays_in_use(void **state)
{
	(void)state;
	struct stack stack = stack_new("metrics");
	stack_make_file(&stack, "docker-compose.yml", GRAFANA);
	stack_make_file(&stack, "docker-compose.override.yml", GRAFANA);
	stack_adopt(&stack);
	assert_kept(&stack, "override file docker-compose.override.yml, which was not read",
		"docker-compose.override.yml");
	assert_int_equal(stack.adopted.file_count, 1);
	stack_end(&stack);
}

static void test_compose_directory_without_a_file_is_refused(void **state)
{
	(void)state;
	struct stack stack = stack_new("metrics");
	assert_false(stack_try(&stack, NULL));
	assert_int_equal(stack.err.code, ERR_REFUSED);
	assert_int_equal(stack.adopted.fault_count, 0);
	stack_end(&stack);
}

static void test_project_is_the_directory_as_compose_normalizes_it(void **state)
{
	(void)state;
	static const char *const names[][2] = { { "Claude Metrics", "claudemetrics" },
		{ "_my.Stack-2", "mystack-2" }, { "Überwachung", "berwachung" } };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct stack stack = stack_new(names[i][0]);
		stack_make_file(&stack, "docker-compose.yml", GRAFANA);
		stack_adopt(&stack);
		assert_setting(&stack, "project", names[i][1], "docker-compose.yml");
		stack_end(&stack);
	}
}

static void test_project_that_compose_refuses_is_a_fault(void **state)
{
	(void)state;
	struct stack stack = stack_of("name: My Stack\n" GRAFANA);
	assert_no_setting(&stack, "project");
	assert_fault(&stack, "value-not-allowed", "docker-compose.yml:1");
	stack_end(&stack);
}

static void test_services_are_told_by_their_images(void **state)
{
	(void)state;
	struct stack stack =
		stack_of("services:\n"
			 "  web: { image: 'mirror:5000/grafana/grafana:12.4.0' }\n"
			 "  db: { image: 'prom/prometheus:v3.16.1' }\n"
			 "  in:\n"
			 "    image: ghcr.io/x/opentelemetry-collector-contrib:0.150.0\n"
			 "  renderer: { image: 'grafana/grafana-image-renderer:3.0.0' }\n"
			 "  prometheus: { image: 'victoriametrics/victoria-metrics:v1' }\n");
	assert_setting(&stack, "images.grafana", "mirror:5000/grafana/grafana:12.4.0", NULL);
	assert_setting(&stack, "images.prometheus", "prom/prometheus:v3.16.1", NULL);
	assert_setting(&stack, "images.collector",
		"ghcr.io/x/opentelemetry-collector-contrib:0.150.0", NULL);
	assert_kept(&stack, "service renderer", "docker-compose.yml:6");
	assert_kept(&stack, "service prometheus", "docker-compose.yml:7");
	stack_end(&stack);
}

static void test_services_of_a_kind_are_taken_by_name_and_the_other_is_listed(void **state)
{
	(void)state;
	struct stack stack = stack_of("services:\n"
				      "  old: { image: 'grafana/grafana:12.1.0' }\n"
				      "  grafana: { image: 'grafana/grafana:12.4.0' }\n");
	assert_setting(&stack, "images.grafana", "grafana/grafana:12.4.0", NULL);
	assert_kept(&stack, "service old, a second one for Grafana", "docker-compose.yml:2");
	stack_end(&stack);
}

static void test_services_that_are_missing_are_said(void **state)
{
	(void)state;
	struct stack stack = stack_of(GRAFANA);
	const struct adopt_fault *fault = assert_fault(&stack, "service-missing", NULL);
	assert_string_equal(fault->what, "no service here is the Collector");
	stack_end(&stack);
	assert_refused("services: { web: { image: nginx } }\n",
		"docker-compose.yml: no service is a Collector, Prometheus or Grafana, so there is "
		"nothing to adopt");
}

static void test_images_too_old_for_the_templates_are_replaced(void **state)
{
	(void)state;
	struct stack stack = stack_of("services:\n"
				      "  grafana: { image: 'grafana/grafana:10.4.2' }\n"
				      "  prometheus: { image: 'prom/prometheus:v2.53.0' }\n"
				      "  otel-collector:\n"
				      "    image: otel/opentelemetry-collector-contrib:0.99.0\n");
	assert_fault(&stack, "image-too-old", "docker-compose.yml:2");
	assert_no_setting(&stack, "images.grafana");
	assert_no_setting(&stack, "images.prometheus");
	assert_no_setting(&stack, "images.collector");
	stack_end(&stack);
}

static void test_images_of_the_core_distribution_are_replaced_however_new(void **state)
{
	(void)state;
	struct stack stack = stack_of(
		"services:\n  otel-collector: { image: 'otel/opentelemetry-collector:0.155.0' }\n");
	assert_fault(&stack, "core-distribution", "docker-compose.yml:2");
	assert_no_setting(&stack, "images.collector");
	stack_end(&stack);
}

static void test_images_without_a_version_stay_where_data_depend_on_them(void **state)
{
	(void)state;
	struct stack stack = stack_of("services:\n"
				      "  grafana: { image: 'grafana/grafana:latest' }\n"
				      "  prometheus: { image: prom/prometheus }\n"
				      "  otel-collector:\n"
				      "    image: otel/opentelemetry-collector-contrib:latest\n");
	assert_setting(&stack, "images.grafana", "grafana/grafana:latest", NULL);
	assert_setting(&stack, "images.prometheus", "prom/prometheus", NULL);
	assert_no_setting(&stack, "images.collector");
	assert_fault(&stack, "image-not-pinned", NULL);
	stack_end(&stack);
}

static void test_images_may_have_a_digest(void **state)
{
	(void)state;
#define DIGEST "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	struct stack stack =
		stack_of("services:\n"
			 "  grafana: { image: 'grafana/grafana" DIGEST "' }\n"
			 "  prometheus: { image: 'prom/prometheus:v2.1.0" DIGEST "' }\n");
	assert_setting(&stack, "images.grafana", "grafana/grafana" DIGEST, NULL);
	assert_fault(&stack, "image-too-old", "docker-compose.yml:3");
	stack_end(&stack);
}

static void test_images_that_are_built_are_replaced(void **state)
{
	(void)state;
	struct stack stack = stack_of("services:\n  grafana:\n    build: .\n");
	assert_fault(&stack, "image-unknown", NULL);
	assert_kept(&stack, "build of grafana", "docker-compose.yml:3");
	stack_end(&stack);
}

static void test_limits_are_taken_over_in_composes_units(void **state)
{
	(void)state;
	static const char *const memories[][2] = { { "1G", "1GiB" }, { "512m", "512MiB" },
		{ "1.5gb", "1536MiB" }, { "64MiB", "64MiB" }, { "1073741824", "1GiB" } };
	for (size_t i = 0; i < sizeof memories / sizeof *memories; i++) {
		AUTO(str)
		char *compose =
			mem_printf(GRAFANA "    cpus: 1.5\n    mem_limit: %s\n", memories[i][0]);
		struct stack stack = stack_of(compose);
		assert_setting(&stack, "limits.grafana.cpus", "1.5", "docker-compose.yml:4");
		assert_setting(&stack, "limits.grafana.memory", memories[i][1], NULL);
		stack_end(&stack);
	}
}

static void test_limits_that_are_not_allowed_are_faults(void **state)
{
	(void)state;
	struct stack stack = stack_of(GRAFANA "    cpus: 0.001\n    mem_limit: much\n");
	assert_no_setting(&stack, "limits.grafana.cpus");
	assert_no_setting(&stack, "limits.grafana.memory");
	const struct adopt_fault *fault = assert_fault(&stack, "value-not-allowed", NULL);
	assert_string_equal(fault->where, "docker-compose.yml:4");
	stack_end(&stack);
}

static void test_health_is_waited_for_only_where_there_is_a_check(void **state)
{
	(void)state;
	static const char *const checks[] = { "", "    healthcheck: { disable: true }\n",
		"    healthcheck: { test: [NONE] }\n", "    healthcheck: { test: NONE }\n" };
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		AUTO(str)
		char *compose = mem_printf("services:\n"
					   "  web:\n"
					   "    depends_on:\n"
					   "      grafana: { condition: service_healthy }\n"
					   "  grafana:\n"
					   "    image: grafana/grafana:12.3.0\n%s",
			checks[i]);
		struct stack stack = stack_of(compose);
		assert_fault(&stack, "no-health-check", "docker-compose.yml:4");
		stack_end(&stack);
	}
	struct stack stack =
		stack_of("services:\n"
			 "  web: { depends_on: { grafana: { condition: service_healthy } } }\n"
			 "  grafana:\n"
			 "    image: grafana/grafana:12.3.0\n"
			 "    healthcheck: { test: [CMD, wget, 'http://localhost:3000'] }\n");
	assert_no_fault(&stack, "no-health-check");
	stack_end(&stack);
}

static void test_health_check_in_the_collector_cannot_run(void **state)
{
	(void)state;
	struct stack stack =
		stack_of("services:\n"
			 "  otel-collector:\n"
			 "    image: otel/opentelemetry-collector-contrib:0.155.0\n"
			 "    healthcheck: { test: [CMD, wget, 'http://localhost:13133'] }\n");
	assert_fault(&stack, "health-check-cannot-run", "docker-compose.yml:4");
	stack_end(&stack);
}

static void test_volumes_are_named_as_docker_knows_them(void **state)
{
	(void)state;
	static const char *const volumes[][2] = { { "{ }", "metrics_files" },
		{ "", "metrics_files" }, { "{ name: mine }", "mine" },
		{ "{ external: true }", "files" }, { "{ external: true, name: mine }", "mine" },
		{ "{ external: { name: older } }", "older" } };
	for (size_t i = 0; i < sizeof volumes / sizeof *volumes; i++) {
		AUTO(str)
		char *compose = mem_printf(GRAFANA
			"    volumes: ['files:/var/lib/grafana']\nvolumes:\n  files: %s\n",
			volumes[i][0]);
		struct stack stack = stack_of(compose);
		assert_setting(&stack, "data.grafana", volumes[i][1], "docker-compose.yml:4");
		assert_no_setting(&stack, "storage");
		assert_int_equal(stack.adopted.data[0].place, ADOPT_VOLUME);
		stack_end(&stack);
	}
}

static void test_directories_elsewhere_keep_their_place(void **state)
{
	(void)state;
	struct stack stack = stack_of(GRAFANA "    volumes:\n"
					      "      - type: bind\n"
					      "        source: /srv/grafana/\n"
					      "        target: /var/lib/grafana\n");
	assert_setting(&stack, "storage", "bind", NULL);
	assert_setting(&stack, "data.grafana", "/srv/grafana", "docker-compose.yml:5");
	stack_end(&stack);
}

static void test_directory_above_is_said_as_an_absolute_path(void **state)
{
	(void)state;
	struct stack stack = stack_new("metrics");
	AUTO(str) char *shared = path_join(stack.root, "shared");
	AUTO(str) char *real = NULL;
	assert_int_equal(mkdir(shared, 0755), 0);
	real = realpath(shared, NULL);
	stack_make_file(&stack, "docker-compose.yml",
		GRAFANA "    volumes: ['../shared:/var/lib/grafana']\n");
	stack_adopt(&stack);
	assert_setting(&stack, "data.grafana", real, NULL);
	stack_end(&stack);
}

static void test_data_without_a_name_are_said_to_be_lost(void **state)
{
	(void)state;
	struct stack stack = stack_of(GRAFANA "    volumes: [/var/lib/grafana]\n");
	assert_fault(&stack, "data-not-kept", NULL);
	assert_int_equal(stack.adopted.data[0].place, ADOPT_NOWHERE);
	assert_no_setting(&stack, "data.grafana");
	stack_end(&stack);
}

static void test_world_writable_data_come_with_a_command_that_can_be_typed(void **state)
{
	(void)state;
	struct stack stack = stack_new("it's mine");
	AUTO(str) char *data = path_join(stack.dir, "data");
	assert_int_equal(mkdir(data, 0755), 0);
	assert_int_equal(chmod(data, 0777), 0);
	stack_make_file(
		&stack, "docker-compose.yml", GRAFANA "    volumes: ['./data:/var/lib/grafana']\n");
	stack_adopt(&stack);
	const struct adopt_fault *fault =
		assert_fault(&stack, "world-writable-data", "docker-compose.yml:4");
	assert_non_null(strstr(fault->remedy, "sudo chmod -R o-w '"));
	assert_non_null(strstr(fault->remedy, "it'\\''s mine/data'"));
	stack_end(&stack);
}

static void test_keys_of_a_service_that_are_not_known_are_listed(void **state)
{
	(void)state;
	struct stack stack = stack_of(
		"secrets: { x: { file: y } }\n"
		"networks: { out: { external: true }, in: {} }\n" GRAFANA "    labels: { a: b }\n"
		"    deploy: { replicas: 2, resources: { reservations: { cpus: '1' } } }\n");
	assert_kept(&stack, "secrets, which was not read", "docker-compose.yml:1");
	assert_kept(&stack, "network out from outside", "docker-compose.yml:2");
	assert_kept(&stack, "labels of grafana", "docker-compose.yml:6");
	assert_kept(&stack, "deploy.replicas of grafana", "docker-compose.yml:7");
	assert_kept(&stack, "deploy.resources.reservations of grafana", "docker-compose.yml:7");
	assert_int_equal(stack.adopted.kept_count, 5);
	stack_end(&stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compose_file_is_the_one_that_compose_takes),
		cmocka_unit_test(test_compose_file_may_be_named_by_env),
		cmocka_unit_test(test_compose_files_that_are_merged_are_refused),
		cmocka_unit_test(test_compose_override_file_stays_in_use),
		cmocka_unit_test(test_compose_directory_without_a_file_is_refused),
		cmocka_unit_test(test_project_is_the_directory_as_compose_normalizes_it),
		cmocka_unit_test(test_project_that_compose_refuses_is_a_fault),
		cmocka_unit_test(test_services_are_told_by_their_images),
		cmocka_unit_test(test_services_of_a_kind_are_taken_by_name_and_the_other_is_listed),
		cmocka_unit_test(test_services_that_are_missing_are_said),
		cmocka_unit_test(test_images_too_old_for_the_templates_are_replaced),
		cmocka_unit_test(test_images_of_the_core_distribution_are_replaced_however_new),
		cmocka_unit_test(test_images_without_a_version_stay_where_data_depend_on_them),
		cmocka_unit_test(test_images_may_have_a_digest),
		cmocka_unit_test(test_images_that_are_built_are_replaced),
		cmocka_unit_test(test_limits_are_taken_over_in_composes_units),
		cmocka_unit_test(test_limits_that_are_not_allowed_are_faults),
		cmocka_unit_test(test_health_is_waited_for_only_where_there_is_a_check),
		cmocka_unit_test(test_health_check_in_the_collector_cannot_run),
		cmocka_unit_test(test_volumes_are_named_as_docker_knows_them),
		cmocka_unit_test(test_directories_elsewhere_keep_their_place),
		cmocka_unit_test(test_directory_above_is_said_as_an_absolute_path),
		cmocka_unit_test(test_data_without_a_name_are_said_to_be_lost),
		cmocka_unit_test(test_world_writable_data_come_with_a_command_that_can_be_typed),
		cmocka_unit_test(test_keys_of_a_service_that_are_not_known_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
