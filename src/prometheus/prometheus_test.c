/* Answers of a real Prometheus 3.5 and Alertmanager 0.33, shortened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "prometheus/alertmanager.h"
#include "prometheus/prometheus.h"
#include "prometheus/rules.h"

static json_t *json(const char *text)
{
	json_t *root = json_loads(text, 0, NULL);
	assert_non_null(root);
	return root;
}

static void test_vector_gives_labels_and_values_and_passes_over_what_is_no_number(void **state)
{
	(void)state;
	AUTO(prometheus_vector) struct prometheus_vector vector = { 0 };
	assert_true(prometheus_vector_take(
		json("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
		     "{\"metric\":{\"user\":\"ada\"},\"value\":[1764558000.1,\"12.25\"]},"
		     "{\"metric\":{\"user\":\"eve\"},\"value\":[1764558000.1,\"NaN\"]},"
		     "{\"metric\":{},\"value\":[1764558000.1,\"1e+06\"]}]}}"),
		&vector));
	assert_int_equal(vector.count, 2);
	assert_string_equal(prometheus_label(&vector.items[0], "user"), "ada");
	assert_float_equal(vector.items[0].value, 12.25, 0);
	assert_string_equal(prometheus_label(&vector.items[1], "user"), "");
	assert_float_equal(vector.items[1].value, 1e6, 0);
}

static void test_vector_is_refused_when_it_is_something_else(void **state)
{
	(void)state;
	static const char *const texts[] = { "{}", "[]",
		"{\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"2\"]}}",
		"{\"data\":{\"resultType\":\"vector\",\"result\":{}}}" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct prometheus_vector vector;
		assert_false(prometheus_vector_take(json(texts[i]), &vector));
		assert_int_equal(vector.count, 0);
	}
}

static const char rules_text[] =
	"{\"status\":\"success\",\"data\":{\"groups\":[{\"name\":\"budgets\",\"rules\":["
	"{\"name\":\"claude_code:budget_usd\",\"type\":\"recording\"},"
	"{\"state\":\"inactive\",\"name\":\"BudgetReached\",\"labels\":{\"percent\":\"100\"},"
	"\"annotations\":{\"summary\":\"{{ $value }}\"},\"alerts\":[],\"health\":\"ok\","
	"\"type\":\"alerting\"},"
	"{\"state\":\"firing\",\"name\":\"BudgetReached\",\"labels\":{\"percent\":\"50\"},"
	"\"annotations\":{},\"alerts\":[{\"labels\":{\"alertname\":\"BudgetReached\","
	"\"period\":\"day\"},\"annotations\":{\"summary\":\"half\"},\"state\":\"firing\","
	"\"activeAt\":\"2026-12-01T03:00:00.5Z\",\"value\":\"5.5e-01\"},{\"state\":\"pending\","
	"\"activeAt\":\"nonsense\",\"value\":\"+Inf\"}],\"health\":\"err\","
	"\"lastError\":\"many-to-many\",\"type\":\"alerting\"}]}]}}";

static void test_rules_are_the_alerting_ones_with_what_they_found(void **state)
{
	(void)state;
	AUTO(prometheus_rules) struct prometheus_rules rules = { 0 };
	prometheus_rules_take(json(rules_text), &rules);
	assert_int_equal(rules.count, 2);
	assert_string_equal(rules.items[0].group, "budgets");
	assert_string_equal(rules.items[0].error, "");
	assert_int_equal(rules.items[0].alert_count, 0);
	const struct prometheus_rule *found = prometheus_rules_find(&rules, "BudgetReached");
	assert_ptr_equal(found, &rules.items[1]);
	assert_string_equal(found->error, "many-to-many");
	assert_int_equal(found->alert_count, 2);
	assert_true(found->alerts[0].is_firing);
	assert_int_equal(found->alerts[0].since_ms, INT64_C(1796094000500));
	assert_float_equal(found->alerts[0].value, 0.55, 0);
	assert_false(found->alerts[1].is_firing);
	assert_int_equal(found->alerts[1].since_ms, 0);
	assert_float_equal(found->alerts[1].value, 0, 0);
	assert_null(prometheus_rules_find(&rules, "budgetreached"));
}

static void test_rules_of_a_strange_answer_are_none(void **state)
{
	(void)state;
	static const char *const texts[] = { "{}", "[1]", "{\"data\":{\"groups\":[1,{}]}}",
		"{\"data\":{\"groups\":[{\"rules\":[{},1]}]}}" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		AUTO(prometheus_rules) struct prometheus_rules rules = { 0 };
		prometheus_rules_take(json(texts[i]), &rules);
		assert_int_equal(rules.count, 0);
	}
}

static const char configuration[] = "global:\n"
				    "  slack_app_url: https://slack.com/api\n"
				    "route:\n"
				    "  receiver: everybody\n"
				    "receivers:\n"
				    "- name: everybody\n"
				    "  slack_configs:\n"
				    "  - send_resolved: true\n"
				    "    text: |-\n"
				    "      email_configs:\n"
				    "  webhook_configs:\n"
				    "  - send_resolved: true\n"
				    "- name: \"night shift\"\n"
				    "  pagerduty_configs:\n"
				    "  webhook_configs:\n"
				    "- name: nobody\n"
				    "templates: []\n"
				    "  opsgenie_configs:\n";

static void assert_ways(const char *receivers, size_t count, const char *const *names)
{
	AUTO(alertmanager_ways) struct alertmanager_ways ways = { 0 };
	json_t *list = json(receivers);
	alertmanager_ways_take(configuration, list, &ways);
	json_decref(list);
	assert_int_equal(ways.count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(ways.items[i].integration, names[i]);
}

static void test_ways_are_those_of_the_receivers_that_an_alert_goes_to(void **state)
{
	(void)state;
	static const char *const both[] = { "slack", "webhook", "pagerduty" };
	assert_ways("[\"everybody\"]", 2, both);
	assert_ways("[\"everybody\",\"night shift\"]", 3, both);
	assert_ways("[\"nobody\"]", 0, NULL);
	assert_ways("[]", 0, NULL);
}

static void test_ways_are_counted_in_the_exposition(void **state)
{
	(void)state;
	AUTO(alertmanager_ways) struct alertmanager_ways ways = { 0 };
	json_t *list = json("[\"everybody\"]");
	alertmanager_ways_take(configuration, list, &ways);
	json_decref(list);
	alertmanager_ways_count(
		"# HELP alertmanager_notification_requests_total The total.\n"
		"alertmanager_notification_requests_failed_total{integration=\"slack\"} 4\n"
		"alertmanager_notification_requests_total{integration=\"slack\"} 1.2e+01\n"
		"alertmanager_notification_requests_total{integration=\"webhook\",receiver_name="
		"\"a\"} 2\n"
		"alertmanager_notification_requests_total{integration=\"webhook\",receiver_name="
		"\"b\"} 3\n"
		"alertmanager_notification_requests_total{integration=\"webhookx\"} 9",
		&ways);
	assert_float_equal(ways.items[0].requests, 12, 0);
	assert_float_equal(ways.items[0].failed, 4, 0);
	assert_float_equal(ways.items[1].requests, 5, 0);
	assert_float_equal(ways.items[1].failed, 0, 0);
}

#define SILENCE(id, state, matchers)                                            \
	"{\"id\":\"" id "\",\"status\":{\"state\":\"" state                     \
	"\"},\"comment\":\"c\",\"createdBy\":\"ada\","                          \
	"\"startsAt\":\"2026-12-01T03:00:00.000Z\",\"endsAt\":\"2026-12-01T05:" \
	"00:00.000Z\",\"matchers\":[" matchers "]}"
#define MATCHER(name, value, regex, equal)                                                      \
	"{\"isEqual\":" equal ",\"isRegex\":" regex ",\"name\":\"" name "\",\"value\":\"" value \
	"\"}"

static void test_silences_hold_for_the_labels_and_the_time_they_are_for(void **state)
{
	(void)state;
	AUTO(alertmanager_silences) struct alertmanager_silences silences = { 0 };
	alertmanager_silences_take(
		json("[" SILENCE("one", "active",
			MATCHER("alertname", "NoData", "false", "true")) "," SILENCE("two",
			"expired",
			MATCHER("alertname", "PartDown", "false", "true")) "," SILENCE("three",
			"active",
			MATCHER("alertname", "Part.*", "true", "true")) "," SILENCE("four",
			"pending",
			MATCHER("alertname", "RulesFail", "false", "true") "," MATCHER(
				"service", "prometheus", "false", "true")) "]"),
		&silences);
	assert_int_equal(silences.count, 3);
	assert_string_equal(silences.items[0].alertname, "NoData");
	assert_null(silences.items[1].alertname);
	assert_null(silences.items[2].alertname);
	const int64_t inside_ms = INT64_C(1796094000000) + 60000;
	json_t *labels = json("{\"alertname\":\"NoData\",\"service\":\"claude-code\"}");
	assert_true(alertmanager_is_silenced(&silences, labels, inside_ms));
	assert_false(alertmanager_is_silenced(&silences, labels, inside_ms - 120000));
	assert_false(alertmanager_is_silenced(&silences, labels, inside_ms + 7200000));
	json_decref(labels);
	labels = json("{\"alertname\":\"RulesFail\",\"service\":\"prometheus\"}");
	assert_true(alertmanager_is_silenced(&silences, labels, inside_ms));
	json_object_set_new(labels, "service", json_string("grafana"));
	assert_false(alertmanager_is_silenced(&silences, labels, inside_ms));
	json_decref(labels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_vector_gives_labels_and_values_and_passes_over_what_is_no_number),
		cmocka_unit_test(test_vector_is_refused_when_it_is_something_else),
		cmocka_unit_test(test_rules_are_the_alerting_ones_with_what_they_found),
		cmocka_unit_test(test_rules_of_a_strange_answer_are_none),
		cmocka_unit_test(test_ways_are_those_of_the_receivers_that_an_alert_goes_to),
		cmocka_unit_test(test_ways_are_counted_in_the_exposition),
		cmocka_unit_test(test_silences_hold_for_the_labels_and_the_time_they_are_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
