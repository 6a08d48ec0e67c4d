/* Whole stacks, as people have them. */
#include <sys/stat.h>

#include "adopt/adopt_testing.h"

#define COMPOSE	  "docker-compose.yml"
#define COLLECTOR "config/otel-collector-config.yaml"

static struct stack tutorial(void)
{
	static const char *const files[] = { COMPOSE, COLLECTOR, "config/prometheus.yml",
		"config/grafana/provisioning/datasources/datasources.yml" };
	struct stack stack = stack_new("claude-code-metrics-stack");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		stack_copy_file(&stack, "tutorial", files[i]);
	return stack;
}

static void make_data(const struct stack *stack, const char *name, mode_t mode)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(str) char *path = path_join(stack->dir, name);
	assert_true(dir_make(path, 0755, &err));
	assert_int_equal(chmod(path, mode), 0);
}

static void test_adopt_takes_over_the_tutorials_stack(void **state)
{
	(void)state;
	struct stack stack = tutorial();
	make_data(&stack, "data/prometheus", 0777);
	make_data(&stack, "data/grafana", 0777);
	stack_make_file(&stack, "data/grafana/grafana.db", "");
	stack_adopt(&stack);
	const struct adoption *adopted = &stack.adopted;
	assert_string_equal(adopted->compose_file, COMPOSE);
	assert_int_equal(adopted->file_count, 4);
	assert_string_equal(adopted->files[0], COMPOSE);
	/* Everything else is as cctm has it by default. */
	assert_int_equal(adopted->setting_count, 4);
	assert_setting(&stack, "project", "claude-code-metrics-stack", COMPOSE);
	assert_setting(&stack, "images.prometheus", "prom/prometheus:v3.8.0", COMPOSE ":28");
	assert_setting(&stack, "storage", "bind", COMPOSE ":21");
	assert_setting(&stack, "grafana.plugins", "[grafana-clock-panel]", COMPOSE ":19");
	assert_int_equal(adopted->kept_count, 0);
	stack_end(&stack);
}

static void test_adopt_names_each_fault_of_the_tutorial(void **state)
{
	(void)state;

	static const struct {
		const char *id, *where;
	} faults[] = {
		{ "version-key", COMPOSE ":2" },
		{ "fixed-container-name", COMPOSE ":8" },
		{ "ports-on-all-interfaces", COMPOSE ":12" },
		{ "weak-password", COMPOSE ":17" },
		{ "plugin-variable-deprecated", COMPOSE ":19" },
		{ "angular-plugin", COMPOSE ":19" },
		{ "world-writable-data", COMPOSE ":21" },
		{ "no-health-check", COMPOSE ":33" },
		{ "core-distribution", COMPOSE ":50" },
		{ "cors-any-origin", COLLECTOR ":8" },
		{ "batch-waits", COLLECTOR ":12" },
		{ "debug-detailed", COLLECTOR ":15" },
		{ "metric-expiry", COLLECTOR ":16" },
		{ "no-logs-pipeline", COLLECTOR ":21" },
		{ "totals-wrong", COLLECTOR ":21" },
		{ "no-rule-files", "config/prometheus.yml:11" },
	};
	struct stack stack = tutorial();
	make_data(&stack, "data/prometheus", 0777);
	make_data(&stack, "data/grafana", 0777);
	stack_make_file(&stack, "data/grafana/grafana.db", "");
	stack_adopt(&stack);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		assert_fault(&stack, faults[i].id, faults[i].where);
	/* Both data directories. */
	assert_int_equal(stack.adopted.fault_count, sizeof faults / sizeof *faults + 1);
	stack_end(&stack);
}

static void test_adopt_keeps_the_weak_password_of_a_grafana_that_ran(void **state)
{
	(void)state;
	struct stack stack = tutorial();
	make_data(&stack, "data/grafana", 0700);
	stack_make_file(&stack, "data/grafana/grafana.db", "");
	stack_adopt(&stack);
	assert_int_equal(stack.adopted.secret_count, 1);
	const struct adopt_secret *secret = &stack.adopted.secrets[0];
	assert_string_equal(secret->name, "GRAFANA_ADMIN_PASSWORD");
	assert_string_equal(secret->value, "admin");
	assert_string_equal(secret->where, COMPOSE ":17");
	assert_true(secret->is_weak);
	const struct adopt_fault *fault = assert_fault(&stack, "weak-password", COMPOSE ":17");
	assert_non_null(strstr(fault->remedy, "reset-admin-password"));
	stack_end(&stack);
}

static void test_adopt_lets_a_weak_password_go_that_was_never_used(void **state)
{
	(void)state;
	struct stack stack = tutorial();
	stack_adopt(&stack);
	assert_int_equal(stack.adopted.secret_count, 0);
	assert_fault(&stack, "weak-password-unused", COMPOSE ":17");
	stack_end(&stack);
}

static void test_adopt_says_where_data_lie_and_who_may_write_there(void **state)
{
	(void)state;
	struct stack stack = tutorial();
	make_data(&stack, "data/grafana", 0750);
	stack_adopt(&stack);
	const struct adoption *adopted = &stack.adopted;
	assert_int_equal(adopted->data_count, 2);
	assert_int_equal(adopted->data[0].service, SERVICE_GRAFANA);
	assert_int_equal(adopted->data[0].place, ADOPT_DIRECTORY);
	assert_string_equal(adopted->data[0].source, "./data/grafana");
	assert_true(adopted->data[0].exists);
	assert_false(adopted->data[0].is_world_writable);
	assert_int_equal(adopted->data[1].service, SERVICE_PROMETHEUS);
	assert_false(adopted->data[1].exists);
	assert_no_fault(&stack, "world-writable-data");
	stack_end(&stack);
}

static struct stack changed(void)
{
	static const char *const files[] = { "compose.yaml", ".env", "grafana.env",
		"etc/collector.yaml", "etc/prom.yml", "grafana/datasources/all.yaml",
		"grafana/dashboards/files.yml" };
	struct stack stack = stack_new("elsewhere");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		stack_copy_file(&stack, "changed", files[i]);
	stack_adopt(&stack);
	return stack;
}

static void test_adopt_takes_over_what_users_changed(void **state)
{
	(void)state;

	static const struct {
		const char *key, *text, *where;
	} settings[] = {
		{ "project", "team-metrics", "compose.yaml:1" },
		{ "limits.collector.cpus", "0.5", "compose.yaml:18" },
		{ "limits.collector.memory", "512MiB", "compose.yaml:18" },
		{ "limits.prometheus.memory", "3GiB", "compose.yaml:35" },
		{ "images.collector",
			"registry.example.com/otel/opentelemetry-collector-contrib:0.140.1",
			"compose.yaml:5" },
		{ "images.prometheus", "prom/prometheus:v3.20.1", "compose.yaml:21" },
		{ "images.grafana", "grafana/grafana-oss:12.4.2", "compose.yaml:38" },
		{ "otlp.cors_origins", "[https://app.example.com]", "etc/collector.yaml:7" },
		{ "collector.batch_timeout", "500ms", "etc/collector.yaml:14" },
		{ "collector.batch_size", "256", "etc/collector.yaml:14" },
		{ "collector.expiration", "24h", "etc/collector.yaml:19" },
		{ "collector.debug", "off", "etc/collector.yaml:28" },
		{ "grafana.admin_user", "ada", "compose.yaml:41" },
		{ "grafana.anonymous", "true", "compose.yaml:39" },
		{ "grafana.root_url", "https://metrics.example.com/grafana/", "compose.yaml:43" },
		{ "grafana.plugins", "[grafana-clock-panel, volkovlabs-echarts-panel]",
			"compose.yaml:39" },
		{ "prometheus.scrape_interval", "30s", "etc/prom.yml:1" },
		{ "prometheus.remote_write", "[https://mimir.example.com/api/v1/push]",
			"etc/prom.yml:9" },
		{ "prometheus.retention_time", "365d", "compose.yaml:25" },
		{ "prometheus.retention_size", "50GiB", "compose.yaml:26" },
		{ "prometheus.query_timeout", "30s", "compose.yaml:27" },
		{ "data.prometheus", "team-metrics_samples", "compose.yaml:32" },
		{ "data.grafana", "grafana-of-2024", "compose.yaml:47" },
		{ "ports.otlp_grpc", "14317", "compose.yaml:8" },
		{ "ports.otlp_http", "14318", "compose.yaml:9" },
		{ "ports.prometheus", "9091", "compose.yaml:29" },
		{ "ports.grafana", "3100", "compose.yaml:45" },
		/* What has to follow: a longer scrape interval, and Loki's port, which Grafana has. */
		{ "bridge.zero_hold", "30s", "etc/prom.yml:1" },
		{ "ports.loki", "3101", "compose.yaml:45" },
	};
	struct stack stack = changed();
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		assert_setting(&stack, settings[i].key, settings[i].text, settings[i].where);
	assert_int_equal(stack.adopted.setting_count, sizeof settings / sizeof *settings);
	stack_end(&stack);
}

static void test_adopt_lists_what_is_the_users_own(void **state)
{
	(void)state;

	static const struct {
		const char *what, *where;
	} own[] = {
		{ "port 8888 of collector", "compose.yaml:13" },
		{ "flag --enable-feature of Prometheus", "compose.yaml:28" },
		{ "the version of the plug-in grafana-clock-panel", "compose.yaml:39" },
		{ "variable GF_SMTP_PASSWORD of Grafana", "compose.yaml:44" },
		{ "what is mounted at /var/lib/panels of grafana", "compose.yaml:50" },
		{ "service node-exporter", "compose.yaml:52" },
		{ "receiver hostmetrics", "etc/collector.yaml:8" },
		{ "processor transform", "etc/collector.yaml:13" },
		{ "constant label site", "etc/collector.yaml:20" },
		{ "exporter otlphttp/elsewhere", "etc/collector.yaml:21" },
		{ "datasource Bills", "grafana/datasources/all.yaml:4" },
		{ "global.scrape_interval of Prometheus", "etc/prom.yml:1" },
		{ "global.external_labels of Prometheus", "etc/prom.yml:1" },
		{ "rule file /etc/prometheus/rules.yml", "etc/prom.yml:2" },
		{ "scrape job node", "etc/prom.yml:6" },
		{ "a remote_write with settings of its own", "etc/prom.yml:10" },
		{ "what is provisioned by grafana/dashboards/files.yml",
			"grafana/dashboards/files.yml" },
	};
	struct stack stack = changed();
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		assert_kept(&stack, own[i].what, own[i].where);
	assert_int_equal(stack.adopted.kept_count, sizeof own / sizeof *own);
	stack_end(&stack);
}

static void test_adopt_finds_the_password_behind_a_variable(void **state)
{
	(void)state;
	struct stack stack = changed();
	assert_int_equal(stack.adopted.secret_count, 1);
	assert_string_equal(stack.adopted.secrets[0].value, "correct $horse battery");
	assert_false(stack.adopted.secrets[0].is_weak);
	assert_no_fault(&stack, "weak-password");
	assert_no_fault(&stack, "password-in-file");
	stack_end(&stack);
}

static void test_adopt_never_says_a_secret(void **state)
{
	(void)state;
	static const char *const secrets[] = { "horse", "mail-secret", "remote-secret" };
	struct stack stack = changed();
	const struct adoption *adopted = &stack.adopted;
	AUTO(buf) struct buf said = BUF_INIT(BUF_UNLIMITED);
	for (size_t i = 0; i < adopted->fault_count; i++)
		buf_addf(&said, "%s\n%s\n", adopted->faults[i].what, adopted->faults[i].remedy);
	for (size_t i = 0; i < adopted->kept_count; i++)
		buf_addf(&said, "%s\n%s\n", adopted->kept[i].what, adopted->kept[i].advice);
	for (size_t i = 0; i < adopted->setting_count; i++)
		buf_addf(&said, "%s\n", adopted->settings[i].text);
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		assert_null(strstr(buf_str(&said), secrets[i]));
	stack_end(&stack);
}

static void test_adopt_says_that_services_have_other_names(void **state)
{
	(void)state;
	struct stack stack = changed();
	const struct adopt_fault *fault = assert_fault(&stack, "service-renamed", "compose.yaml:5");
	assert_string_equal(
		fault->what, "the service collector is called otel-collector in the new stack");
	assert_fault(&stack, "compose-file-name", "compose.yaml");
	assert_fault(&stack, "datasource-uid", "grafana/datasources/all.yaml:3");
	stack_end(&stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_adopt_takes_over_the_tutorials_stack),
		cmocka_unit_test(test_adopt_names_each_fault_of_the_tutorial),
		cmocka_unit_test(test_adopt_keeps_the_weak_password_of_a_grafana_that_ran),
		cmocka_unit_test(test_adopt_lets_a_weak_password_go_that_was_never_used),
		cmocka_unit_test(test_adopt_says_where_data_lie_and_who_may_write_there),
		cmocka_unit_test(test_adopt_takes_over_what_users_changed),
		cmocka_unit_test(test_adopt_lists_what_is_the_users_own),
		cmocka_unit_test(test_adopt_finds_the_password_behind_a_variable),
		cmocka_unit_test(test_adopt_never_says_a_secret),
		cmocka_unit_test(test_adopt_says_that_services_have_other_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
