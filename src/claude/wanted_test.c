#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "claude/wanted.h"

static const char *value_of(const struct wanted *wanted, const char *name)
{
	const struct env_setting *setting = wanted_find(wanted, name);
	return setting ? setting->value : NULL;
}

static void test_wanted_asks_for_cumulative_data_over_http_unless_told_otherwise(void **state)
{
	(void)state;
	const struct wanted_request request = { .endpoint = "http://127.0.0.1:4318" };
	AUTO(wanted) struct wanted wanted = { 0 };
	wanted_init(&wanted, &request);
	assert_string_equal(value_of(&wanted, "CLAUDE_CODE_ENABLE_TELEMETRY"), "1");
	assert_string_equal(value_of(&wanted, "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"),
		"cumulative");
	assert_string_equal(value_of(&wanted, "OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf");
	assert_string_equal(value_of(&wanted, "OTEL_METRIC_EXPORT_INTERVAL"), "10000");
	assert_null(value_of(&wanted, "OTEL_LOG_USER_PROMPTS"));
	assert_null(value_of(&wanted, "OTEL_EXPORTER_OTLP_HEADERS"));
	assert_null(value_of(&wanted, "OTEL_RESOURCE_ATTRIBUTES"));
}

static void test_wanted_says_what_is_secret(void **state)
{
	(void)state;
	const struct wanted_request request = { .endpoint = "http://h:1", .token = "abc" };
	AUTO(wanted) struct wanted wanted = { 0 };
	wanted_init(&wanted, &request);
	for (size_t i = 0; i < wanted.count; i++) {
		bool has_token = strstr(wanted.settings[i].value, "abc") != NULL;
		assert_int_equal(wanted.settings[i].is_secret, has_token);
	}
	assert_string_equal(
		value_of(&wanted, "OTEL_EXPORTER_OTLP_HEADERS"), "Authorization=Bearer abc");
}

static void test_wanted_is_met_by_what_means_the_same_to_the_client(void **state)
{
	static const struct {
		const char *name, *wanted, *value;
		bool is_met;
		const char *why;
	} cases[] = {
		{ "CLAUDE_CODE_ENABLE_TELEMETRY", "1", "1", true, "equal" },
		{ "CLAUDE_CODE_ENABLE_TELEMETRY", "1", "true", true, "a word for on" },
		{ "CLAUDE_CODE_ENABLE_TELEMETRY", "1", "0", false, "off" },
		{ "OTEL_METRICS_EXPORTER", "otlp", "console, otlp", true, "one of several" },
		{ "OTEL_METRICS_EXPORTER", "otlp", "prometheus", false, "another" },
		{ "OTEL_METRICS_EXPORTER", "otlp", "otlphttp", false, "a longer word" },
		{ "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulative", "nonsense",
			true, "an unknown value means cumulative" },
		{ "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulative", "LowMemory",
			false, "delta under another name" },
		{ "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta", "DELTA", true,
			"in any case" },
		{ "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "http://127.0.0.1:4318/",
			true, "a slash at the end" },
		{ "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "http://127.0.0.1:4317",
			false, "another port" },
		{ "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "http://localhost:4318/",
			true, "another name of this machine" },
		{ "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318",
			"http://localhost.evil:4318", false, "a name that begins alike" },
		{ "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "grpc", false, "another" },
		{ "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "http/json", true,
			"at the same port" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct env_setting setting = { .name = cases[i].name,
			.value = cases[i].wanted };
		if (wanted_is_met(&setting, cases[i].value) != cases[i].is_met)
			fail_msg("%s=%s: %s", cases[i].name, cases[i].value, cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_wanted_asks_for_cumulative_data_over_http_unless_told_otherwise),
		cmocka_unit_test(test_wanted_says_what_is_secret),
		cmocka_unit_test(test_wanted_is_met_by_what_means_the_same_to_the_client),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
