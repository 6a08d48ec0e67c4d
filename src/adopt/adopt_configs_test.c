/* The configurations of the Collector, Prometheus and Grafana, one thing at a time. */
#include "adopt/adopt_testing.h"

#define COLLECTOR "collector.yaml"

/* A Collector whose configuration lies where its image looks. */
static struct stack with_collector(const char *config)
{
	struct stack stack = stack_new("metrics");
	stack_make_file(&stack, "docker-compose.yml",
		"services:\n"
		"  otel-collector:\n"
		"    image: otel/opentelemetry-collector-contrib:0.155.0\n"
		"    environment: { TOKEN: from-the-environment }\n"
		"    volumes: ['./collector.yaml:/etc/otelcol-contrib/config.yaml']\n"
		"    ports: ['127.0.0.1:4318:4318']\n");
	stack_make_file(&stack, COLLECTOR, config);
	stack_adopt(&stack);
	return stack;
}

#define RECEIVER "receivers: { otlp: { protocols: { http: { endpoint: '0.0.0.0:4318' } } } }\n"
#define PIPELINES(processors, exporters)                                                         \
	"service:\n"                                                                             \
	"  pipelines:\n"                                                                         \
	"    metrics: { receivers: [otlp], processors: [" processors "], exporters: [" exporters \
	"] }\n"                                                                                  \
	"    logs: { receivers: [otlp], exporters: [nop] }\n"

static void test_collector_that_adds_up_has_right_totals(void **state)
{
	(void)state;
	struct stack stack = with_collector(
		RECEIVER "processors: { deltatocumulative: {}, transform/start: {} }\n"
			 "exporters: { prometheus: { endpoint: ':8889', metric_expiration: 65m } "
			 "}\n" PIPELINES("deltatocumulative, transform/start", "prometheus"));
	assert_no_fault(&stack, "totals-wrong");
	assert_no_fault(&stack, "no-logs-pipeline");
	assert_no_fault(&stack, "metric-expiry");
	assert_no_setting(&stack, "collector.expiration");
	stack_end(&stack);
}

static void test_a_collector_of_ours_has_nothing_that_is_lost_and_others_keep_theirs(void **state)
{
	(void)state;
	struct stack stack = with_collector(RECEIVER
		"processors: { deltatocumulative: {}, transform/start: {}, transform/events: {},"
		" transform/counted: {} }\n"
		"connectors: { forward/events: {}, signaltometrics/events: {} }\n"
		"exporters: { prometheus: { endpoint: ':8889', metric_expiration: 65m } "
		"}\n" PIPELINES("deltatocumulative, transform/start", "prometheus"));
	for (size_t i = 0; i < stack.adopted.kept_count; i++)
		assert_null(strstr(stack.adopted.kept[i].where, COLLECTOR));
	stack_end(&stack);

	stack = with_collector(RECEIVER
		"processors: { deltatocumulative: {}, transform/start: {}, transform/mine: {} }\n"
		"connectors: { forward: {}, signaltometrics: {} }\n" PIPELINES(
			"deltatocumulative, transform/start", "prometheus"));
	assert_kept(&stack, "processor transform/mine", COLLECTOR ":2");
	assert_kept(&stack, "connector forward", COLLECTOR ":3");
	assert_kept(&stack, "connector signaltometrics", COLLECTOR ":3");
	stack_end(&stack);
}

static void test_collector_without_the_start_of_streams_has_wrong_totals(void **state)
{
	(void)state;
	struct stack stack =
		with_collector(RECEIVER "processors: { deltatocumulative: {} }\n" PIPELINES(
			"deltatocumulative", "prometheus"));
	const struct adopt_fault *fault = assert_fault(&stack, "totals-wrong", NULL);
	assert_non_null(strstr(fault->what, "start"));
	stack_end(&stack);
}

static void test_collector_batch_of_a_second_is_no_fault(void **state)
{
	(void)state;

	static const struct {
		const char *timeout, *setting;
		bool is_fault;
	} cases[] = { { "1s", NULL, false }, { "1000ms", NULL, false }, { "200ms", "200ms", false },
		{ "1001ms", NULL, true }, { "5s", NULL, true } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(str)
		char *config = mem_printf(RECEIVER
			"processors: { batch: { timeout: %s } }\n" PIPELINES("batch", "prometheus"),
			cases[i].timeout);
		struct stack stack = with_collector(config);
		assert_int_equal(fault_of(&stack, "batch-waits") != NULL, cases[i].is_fault);
		if (cases[i].setting)
			assert_setting(&stack, "collector.batch_timeout", cases[i].setting,
				COLLECTOR ":2");
		else
			assert_no_setting(&stack, "collector.batch_timeout");
		stack_end(&stack);
	}
}

static void test_collector_batch_that_is_not_used_is_not_taken_over(void **state)
{
	(void)state;
	struct stack stack = with_collector(
		RECEIVER "processors: { batch: { timeout: 10s, send_batch_size: 7 } }\n" PIPELINES(
			"", "prometheus"));
	assert_no_fault(&stack, "batch-waits");
	assert_no_setting(&stack, "collector.batch_size");
	stack_end(&stack);
}

static void test_collector_on_localhost_hears_nothing(void **state)
{
	(void)state;
	struct stack stack =
		with_collector("receivers: { otlp: { protocols: { http: { endpoint: "
			       "'localhost:4318' } } } }\n" PIPELINES("", "prometheus"));
	assert_fault(&stack, "receiver-on-localhost", COLLECTOR ":1");
	stack_end(&stack);
}

static void test_collector_origins_are_taken_over_and_any_is_not(void **state)
{
	(void)state;
	struct stack stack = with_collector("receivers:\n"
					    "  otlp:\n"
					    "    protocols:\n"
					    "      http:\n"
					    "        cors:\n"
					    "          allowed_origins: ['https://a.example.com', "
					    "'*', 'not an origin']\n" PIPELINES("", "prometheus"));
	assert_setting(&stack, "otlp.cors_origins", "[https://a.example.com]", COLLECTOR ":6");
	assert_fault(&stack, "cors-any-origin", COLLECTOR ":6");
	assert_fault(&stack, "value-not-allowed", COLLECTOR ":6");
	stack_end(&stack);
}

static void test_collector_that_asks_for_a_token_still_does(void **state)
{
	(void)state;
	static const char *const tokens[][2] = { { "a-token-of-mine", "a-token-of-mine" },
		{ "${env:TOKEN}", "from-the-environment" },
		{ "${TOKEN}", "from-the-environment" } };
	for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
		AUTO(str)
		char *config = mem_printf(
			"receivers: { otlp: { protocols: { http: { auth: { authenticator: "
			"bearertokenauth } } } } }\n"
			"extensions: { bearertokenauth: { token: '%s' } }\n" PIPELINES(
				"", "prometheus"),
			tokens[i][0]);
		struct stack stack = with_collector(config);
		assert_setting(&stack, "otlp.auth", "bearer", COLLECTOR ":1");
		assert_int_equal(stack.adopted.secret_count, 1);
		assert_string_equal(stack.adopted.secrets[0].name, "OTLP_BEARER_TOKEN");
		assert_string_equal(stack.adopted.secrets[0].value, tokens[i][1]);
		assert_string_equal(stack.adopted.secrets[0].where, COLLECTOR ":2");
		stack_end(&stack);
	}
}

static void test_collector_with_another_login_is_not_opened(void **state)
{
	(void)state;
	struct stack stack =
		with_collector("receivers: { otlp: { protocols: { grpc: { auth: { authenticator: "
			       "oidc } } } } }\n" PIPELINES("", "prometheus"));
	assert_setting(&stack, "otlp.auth", "bearer", NULL);
	assert_int_equal(stack.adopted.secret_count, 0);
	assert_fault(&stack, "value-not-allowed", COLLECTOR ":1");
	stack_end(&stack);
}

static void test_collector_debug_exporter_follows_what_is_used(void **state)
{
	(void)state;
	struct stack off = with_collector(RECEIVER
		"exporters: { debug: { verbosity: detailed } }\n" PIPELINES("", "prometheus"));
	assert_setting(&off, "collector.debug", "off", NULL);
	assert_no_fault(&off, "debug-detailed");
	stack_end(&off);
	struct stack old = with_collector(
		RECEIVER "exporters: { logging: { loglevel: debug } }\n" PIPELINES("", "logging"));
	assert_fault(&old, "debug-detailed", COLLECTOR ":2");
	stack_end(&old);
}

static void test_collector_without_a_file_is_a_fault_and_the_rest_is_read(void **state)
{
	(void)state;
	struct stack stack =
		stack_of("services:\n"
			 "  otel-collector:\n"
			 "    image: otel/opentelemetry-collector-contrib:0.155.0\n"
			 "    command: ['--config=env:CONFIG']\n"
			 "    ports: ['127.0.0.1:4319:4318']\n"
			 "  prometheus:\n"
			 "    image: prom/prometheus:v3.16.0\n"
			 "    volumes: ['./none.yml:/etc/prometheus/prometheus.yml']\n");
	const struct adopt_fault *fault = assert_fault(&stack, "config-not-found", NULL);
	assert_non_null(strstr(fault->what, "is not mounted"));
	assert_setting(&stack, "ports.otlp_http", "4319", NULL);
	stack_end(&stack);
}

/* ---- Prometheus ---- */

static struct stack with_prometheus(const char *command, const char *config)
{
	struct stack stack = stack_new("metrics");
	AUTO(str)
	char *compose = mem_printf("services:\n"
				   "  prometheus:\n"
				   "    image: prom/prometheus:v3.16.0\n"
				   "    volumes: ['./p.yml:/etc/prometheus/prometheus.yml']\n"
				   "    command: %s\n"
				   "  otel-collector:\n"
				   "    image: otel/opentelemetry-collector:0.155.0\n",
		command);
	stack_make_file(&stack, "docker-compose.yml", compose);
	stack_make_file(&stack, "p.yml", config);
	stack_adopt(&stack);
	return stack;
}

static void test_retention_is_never_shorter_than_it_was(void **state)
{
	(void)state;

	static const struct {
		const char *command, *config, *time, *size;
	} cases[] = {
		{ "[]", "{}", "15d", NULL },
		{ "['--storage.tsdb.retention.size=10GB']", "{}", "36500d", "10GiB" },
		{ "['--storage.tsdb.retention.time=2y']", "{}", "730d", NULL },
		{ "['--storage.tsdb.retention.time=1y30d']", "{}", "395d", NULL },
		{ "['--storage.tsdb.retention.time=52w']", "{}", "52w", NULL },
		{ "['--storage.tsdb.retention=180d']", "{}", "180d", NULL },
		{ "--storage.tsdb.retention.time '180d'", "{}", "180d", NULL },
		{ "['--storage.tsdb.retention.time=30d', '--storage.tsdb.retention.time=60d']",
			"{}", "60d", NULL },
		{ "['--storage.tsdb.retention.time=30d']",
			"storage: { tsdb: { retention: { time: 200d, size: 512MB } } }", "200d",
			"512MiB" },
		{ "['--storage.tsdb.retention.time=90d']", "{}", NULL, NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct stack stack = with_prometheus(cases[i].command, cases[i].config);
		if (cases[i].time)
			assert_setting(&stack, "prometheus.retention_time", cases[i].time, NULL);
		else
			assert_no_setting(&stack, "prometheus.retention_time");
		if (cases[i].size)
			assert_setting(&stack, "prometheus.retention_size", cases[i].size, NULL);
		else
			assert_no_setting(&stack, "prometheus.retention_size");
		stack_end(&stack);
	}
}

static void test_retention_shorter_than_the_rules_look_back_shortens_that(void **state)
{
	(void)state;
	struct stack stack = with_prometheus("['--storage.tsdb.retention.time=7d']", "{}");
	assert_setting(&stack, "prometheus.retention_time", "7d", "docker-compose.yml:5");
	assert_setting(&stack, "prometheus.lookback", "7d", "docker-compose.yml:5");
	assert_fault(&stack, "retention-short", "docker-compose.yml:5");
	stack_end(&stack);
}

static void test_retention_that_no_lookback_fits_is_refused(void **state)
{
	(void)state;
	struct stack stack = with_prometheus("['--storage.tsdb.retention.time=1h']", "{}");
	assert_fault(&stack, "value-not-allowed", NULL);
	stack_end(&stack);
}

static void test_scrape_interval_is_the_one_of_the_receivers_job(void **state)
{
	(void)state;

	static const struct {
		const char *config, *interval;
	} cases[] = {
		{ "scrape_configs: [{ job_name: c, scrape_interval: 15s, static_configs: "
		  "[{ targets: ['otel-collector:8889'] }] }]",
			"15s" },
		{ "global: { scrape_interval: 20s }\n"
		  "scrape_configs: [{ job_name: c, static_configs: [{ targets: "
		  "['otel-collector:8889'] }] }]",
			"20s" },
		{ "scrape_configs: [{ job_name: c, static_configs: [{ targets: "
		  "['otel-collector:8889'] }] }]",
			"1m" },
		{ "scrape_configs: [{ job_name: c, scrape_interval: 15s, static_configs: "
		  "[{ targets: ['elsewhere:8889'] }] }]",
			NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct stack stack = with_prometheus("[]", cases[i].config);
		if (cases[i].interval)
			assert_setting(
				&stack, "prometheus.scrape_interval", cases[i].interval, NULL);
		else
			assert_no_setting(&stack, "prometheus.scrape_interval");
		stack_end(&stack);
	}
}

static void test_prometheus_jobs_of_the_users_own_are_listed(void **state)
{
	(void)state;
	struct stack stack = with_prometheus("[]",
		"scrape_configs:\n"
		"  - job_name: c\n"
		"    static_configs: [{ targets: ['otel-collector:8889', 'b:1'] }]\n"
		"    relabel_configs: []\n"
		"  - { job_name: p, static_configs: [{ targets: ['localhost:9090'] }] }\n"
		"  - { job_name: o, static_configs: [{ targets: ['otel-collector:8888'] }] }\n"
		"  - { job_name: mine, file_sd_configs: [{ files: [x.yml] }] }\n"
		"alerting: { alertmanagers: [{ static_configs: [{ targets: ['am:9093'] }] }] }\n"
		"remote_read: []\n");
	assert_kept(&stack, "relabel_configs of the scrape job c", "p.yml:4");
	assert_kept(&stack, "further targets of the scrape job c", "p.yml:3");
	assert_kept(&stack, "scrape job mine", "p.yml:7");
	assert_kept(&stack, "alerting of Prometheus", "p.yml:8");
	assert_kept(&stack, "remote_read of Prometheus", "p.yml:9");
	assert_int_equal(stack.adopted.kept_count, 5);
	stack_end(&stack);
}

static void test_prometheus_addresses_with_a_password_are_not_said(void **state)
{
	(void)state;
	struct stack stack = with_prometheus(
		"[]", "remote_write: [{ url: 'https://ada:hidden@mimir.example.com/push' }]\n");
	assert_no_setting(&stack, "prometheus.remote_write");
	const struct adopt_fault *fault = assert_fault(&stack, "value-not-allowed", "p.yml:1");
	assert_null(strstr(fault->what, "hidden"));
	assert_null(strstr(fault->remedy, "hidden"));
	stack_end(&stack);
}

/* ---- Grafana ---- */

static struct stack with_environment(const char *environment)
{
	AUTO(str)
	char *compose = mem_printf("services:\n"
				   "  grafana:\n"
				   "    image: grafana/grafana:12.3.0\n"
				   "    volumes: ['g:/var/lib/grafana']\n"
				   "    environment:\n%s",
		environment);
	return stack_of(compose);
}

static void test_password_is_read_and_judged(void **state)
{
	(void)state;

	static const struct {
		const char *environment, *password;
		bool is_weak;
	} cases[] = {
		{ "      - GF_SECURITY_ADMIN_PASSWORD=long enough = yes\n", "long enough = yes",
			false },
		{ "      GF_SECURITY_ADMIN_PASSWORD: long-enough-too\n", "long-enough-too", false },
		{ "      GF_SECURITY_ADMIN_PASSWORD: \"1234567\"\n", "1234567", true },
		{ "      GF_SECURITY_ADMIN_PASSWORD: changeme\n", "changeme", true },
		{ "      GF_SECURITY_ADMIN_PASSWORD: \"\"\n", "admin", true },
		{ "      - GF_USERS_ALLOW_SIGN_UP=false\n", "admin", true },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct stack stack = with_environment(cases[i].environment);
		assert_int_equal(stack.adopted.secret_count, 1);
		assert_string_equal(stack.adopted.secrets[0].value, cases[i].password);
		assert_int_equal(stack.adopted.secrets[0].is_weak, cases[i].is_weak);
		assert_int_equal(fault_of(&stack, "weak-password") != NULL, cases[i].is_weak);
		assert_int_equal(fault_of(&stack, "password-in-file") != NULL, !cases[i].is_weak);
		stack_end(&stack);
	}
}

static void test_password_in_a_file_of_the_container_has_to_be_given(void **state)
{
	(void)state;
	struct stack stack =
		with_environment("      GF_SECURITY_ADMIN_PASSWORD__FILE: /run/secrets/x\n");
	assert_int_equal(stack.adopted.secret_count, 0);
	assert_fault(&stack, "password-unknown", "docker-compose.yml:6");
	stack_end(&stack);
}

static void test_root_url_of_this_machine_is_the_default(void **state)
{
	(void)state;
	static const char *const local[] = { "http://localhost:3000", "http://localhost",
		"http://127.0.0.1:3001/", "http://[::1]:3000" };
	for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
		AUTO(str) char *line = mem_printf("      GF_SERVER_ROOT_URL: \"%s\"\n", local[i]);
		struct stack stack = with_environment(line);
		assert_no_setting(&stack, "grafana.root_url");
		stack_end(&stack);
	}
	struct stack other =
		with_environment("      GF_SERVER_ROOT_URL: http://localhost.example.com\n");
	assert_setting(&other, "grafana.root_url", "http://localhost.example.com", NULL);
	stack_end(&other);
}

static void test_plugins_are_taken_over_by_name(void **state)
{
	(void)state;
	struct stack stack = with_environment(
		"      - GF_INSTALL_PLUGINS=grafana-clock-panel 1.3.1, grafana-worldmap-panel,,\n"
		"      - GF_PLUGINS_PREINSTALL=https://example.com/p.zip;mine,other-panel@2.0.0\n");
	assert_setting(&stack, "grafana.plugins", "[grafana-clock-panel, other-panel]", NULL);
	assert_fault(&stack, "angular-plugin", "docker-compose.yml:6");
	assert_kept(&stack, "a plug-in from an address of its own", "docker-compose.yml:7");
	assert_kept(
		&stack, "the version of the plug-in grafana-clock-panel", "docker-compose.yml:6");
	stack_end(&stack);
}

static void test_open_doors_of_grafana_are_faults(void **state)
{
	(void)state;
	struct stack stack = with_environment("      GF_USERS_ALLOW_SIGN_UP: 'true'\n"
					      "      GF_AUTH_ANONYMOUS_ENABLED: 'true'\n"
					      "      GF_AUTH_ANONYMOUS_ORG_ROLE: Admin\n");
	assert_fault(&stack, "sign-up-open", "docker-compose.yml:6");
	assert_fault(&stack, "anonymous-can-edit", "docker-compose.yml:8");
	assert_setting(&stack, "grafana.anonymous", "true", NULL);
	stack_end(&stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_collector_that_adds_up_has_right_totals),
		cmocka_unit_test(
			test_a_collector_of_ours_has_nothing_that_is_lost_and_others_keep_theirs),
		cmocka_unit_test(test_collector_without_the_start_of_streams_has_wrong_totals),
		cmocka_unit_test(test_collector_batch_of_a_second_is_no_fault),
		cmocka_unit_test(test_collector_batch_that_is_not_used_is_not_taken_over),
		cmocka_unit_test(test_collector_on_localhost_hears_nothing),
		cmocka_unit_test(test_collector_origins_are_taken_over_and_any_is_not),
		cmocka_unit_test(test_collector_that_asks_for_a_token_still_does),
		cmocka_unit_test(test_collector_with_another_login_is_not_opened),
		cmocka_unit_test(test_collector_debug_exporter_follows_what_is_used),
		cmocka_unit_test(test_collector_without_a_file_is_a_fault_and_the_rest_is_read),
		cmocka_unit_test(test_retention_is_never_shorter_than_it_was),
		cmocka_unit_test(test_retention_shorter_than_the_rules_look_back_shortens_that),
		cmocka_unit_test(test_retention_that_no_lookback_fits_is_refused),
		cmocka_unit_test(test_scrape_interval_is_the_one_of_the_receivers_job),
		cmocka_unit_test(test_prometheus_jobs_of_the_users_own_are_listed),
		cmocka_unit_test(test_prometheus_addresses_with_a_password_are_not_said),
		cmocka_unit_test(test_password_is_read_and_judged),
		cmocka_unit_test(test_password_in_a_file_of_the_container_has_to_be_given),
		cmocka_unit_test(test_root_url_of_this_machine_is_the_default),
		cmocka_unit_test(test_plugins_are_taken_over_by_name),
		cmocka_unit_test(test_open_doors_of_grafana_are_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
