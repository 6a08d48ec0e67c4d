#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "grafana/lint.h"

static json_t *with_expression(const char *expression)
{
	return json_pack("{s:{s:[{s:s}]}, s:[{s:i, s:s, s:s, s:[{s:s}]}]}", "templating", "list",
		"name", "model", "panels", "id", 1, "type", "timeseries", "title", "A panel",
		"targets", "expr", expression);
}

static void check_expression(const char *expression, const char *rule)
{
	json_t *model = with_expression(expression);
	AUTO(lint) struct lint lint = { 0 };
	lint_dashboard(model, LINT_USUAL, &lint);
	json_decref(model);
	if (!rule && lint.count)
		fail_msg("%s: %s", expression, lint.items[0].text);
	if (rule && (lint.count != 1 || strcmp(lint.items[0].rule, rule) != 0))
		fail_msg("%s: %zu findings, not one of %s", expression, lint.count, rule);
}

static void test_totals_that_come_out_wrong_are_found(void **state)
{
	(void)state;
	check_expression("sum(increase(claude_code_cost_usage_USD_total[$__range]))", "total");
	check_expression(
		"sum by (model) (rate(claude_code_token_usage_tokens_total[5m]))", "total");
	check_expression("1 - increase ( claude_code_session_count_total {a=\"b\"}[1h] )", "total");
	check_expression("sum(claude_code_cost_usage_USD_total)", "raw-counter");
	check_expression("sum by (type) (claude_code_token_usage_tokens_total)", "raw-counter");
	check_expression("sum(increase(claude_code_events_total[1h]))", "total");
	check_expression("histogram_quantile(0.95, sum by (le) (rate("
			 "claude_code_tool_duration_seconds_bucket[5m])))",
		"total");
}

static void test_exact_ones_are_not(void **state)
{
	(void)state;
	check_expression("sum(sum_over_time(claude_code_cost_usage_USD:counted{model=~\"$model\"}[$"
			 "__range]))",
		NULL);
	check_expression("sum(last_over_time(claude_code_cost_usage_USD_total[10m]))", NULL);
	check_expression("claude_code_session_count_total", NULL);
	check_expression("histogram_quantile(0.95, sum by (le) (sum_over_time("
			 "claude_code_api_request_ttft_seconds_bucket:counted[1h])))",
		NULL);
	check_expression("sum(sum_over_time(claude_code_tool_duration_seconds_sum:counted[1h])) / "
			 "sum(sum_over_time(claude_code_tool_duration_seconds_count:counted[1h]))",
		NULL);
	check_expression("sum(sum_over_time(claude_code_events:counted[1h]))", NULL);
	check_expression("rate(otelcol_receiver_accepted_metric_points_total[5m])", NULL);
	check_expression(
		"label_replace(up, \"x\", \"$1\", \"y\", \"increase(claude_code_nothing)\")", NULL);
}

static void test_what_does_not_exist_is_found(void **state)
{
	(void)state;
	check_expression("claude_code_cost_usage_total", "metric");
	check_expression("claude_code_cost_usage_USD_to", "metric");
	check_expression("claude_code_cost_usage_USD_bucket", "metric");
	check_expression("claude_code_tool_duration_seconds_total", "metric");
	check_expression("claude_code_tool_duration_seconds:counted", "metric");
	check_expression("up{job=\"$team\"}", "variable");
	check_expression("up{job=\"${team:regex}\"}", "variable");
	check_expression("up{job=\"$model\"}[$__interval]", NULL);
}

static void test_what_is_counted_is_read_in_one_way_only(void **state)
{
	(void)state;
	check_expression("sum(claude_code_cost_usage_USD:counted)", "counted");
	check_expression(
		"sum by (model) (rate(claude_code_cost_usage_USD:counted[5m]))", "counted");
	check_expression(
		"max_over_time(claude_code_events:counted{event_name=\"x\"}[1h])", "counted");
	check_expression(
		"sum_over_time((sum(claude_code_commit_count:counted))[1h:1m])", "counted");
	check_expression("histogram_quantile(0.95, sum by (le) (sum_over_time("
			 "claude_code_tool_duration_seconds_bucket:counted[$__range])))",
		NULL);
	check_expression("label_values(claude_code_cost_usage_USD:counted, model)", NULL);
	check_expression("100 * sum(claude_code_cost_usage_USD:today) / "
			 "sum(claude_code:budget_usd{period=\"day\"})",
		NULL);
	check_expression("claude_code_commit_count:today", "metric");
	check_expression("claude_code:nothing", "metric");
}

static void test_labels_that_are_added_up_are_found(void **state)
{
	(void)state;
	check_expression("sum by (session_id) (sum_over_time("
			 "claude_code_cost_usage_USD:counted[1d]))",
		"session-label");
	check_expression(
		"sum(sum_over_time(claude_code_cost_usage_USD:counted[1d])) by (user_email)",
		"label");
	check_expression("sum(sum_over_time(claude_code_cost_usage_USD:counted{a=\"}\", "
			 "organization_id=~\"x\"}[1d]))",
		"label");
	check_expression("max by (session_id, user_email) (claude_code_cost_usage_USD:seen)", NULL);
	check_expression("sum by (installation, squad, $model, ${model:raw}) (sum_over_time("
			 "claude_code_cost_usage_USD:counted{${model}=~\"$model\"}[1d]))",
		NULL);
	check_expression("sum by (a) (sum_over_time(claude_code_commit_count:counted[1d])) "
			 "* on (session_id) group_left (start) up",
		NULL);
}

static void check_text(const char *dashboard, enum lint_depth depth, const char *rule)
{
	json_t *model = json_loads(dashboard, 0, NULL);
	AUTO(lint) struct lint lint = { 0 };
	lint_dashboard(model, depth, &lint);
	json_decref(model);
	if (lint.count != (rule ? 1 : 0))
		fail_msg("%s: %zu findings", dashboard, lint.count);
	if (rule)
		assert_string_equal(lint.items[0].rule, rule);
}

static void check_panels(const char *panels, const char *rule)
{
	char text[1000];
	snprintf(text, sizeof text, "{\"panels\": %s}", panels);
	check_text(text, LINT_USUAL, rule);
}

#define WHOLE                                                                                   \
	"\"title\": \"a\", \"description\": \"b\", \"fieldConfig\": {\"defaults\": {\"unit\": " \
	"\"short\", \"noValue\": \"c\"}}, "

static void test_a_strict_look_asks_for_words_and_a_full_grid(void **state)
{
	(void)state;

	static const struct {
		const char *text, *rule;
	} cases[] = {
		{ "{\"panels\": [{" WHOLE "\"targets\": [{}, {}, {}]}]}", NULL },
		{ "{\"panels\": [{" WHOLE "\"targets\": [{}, {}, {}, {}]}]}", "queries" },
		{ "{\"panels\": [{\"title\": \"a\", \"description\": \"b\", \"fieldConfig\": "
		  "{\"defaults\": {\"noValue\": \"c\"}}, \"targets\": [{}]}]}",
			"words" },
		{ "{\"panels\": [{\"gridPos\": {\"x\": 0, \"y\": 0, \"w\": 24, \"h\": 4}}]}",
			NULL },
		{ "{\"panels\": [{\"gridPos\": {\"x\": 0, \"y\": 0, \"w\": 23, \"h\": 4}}]}",
			"hole" },
		{ "{\"panels\": [{\"gridPos\": {\"x\": 0, \"y\": 0, \"w\": 24, \"h\": 1}, "
		  "\"panels\": [{\"gridPos\": {\"x\": 1, \"y\": 1, \"w\": 23, \"h\": 4}}]}]}",
			"hole" },
		{ "{\"templating\": {\"list\": [{\"name\": \"a\"}]}}", "unused-variable" },
		{ "{\"templating\": {\"list\": [{\"name\": \"a\"}]}, \"title\": \"$ab ${a:raw}\"}",
			NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		check_text(cases[i].text, LINT_STRICT, cases[i].rule);
		check_text(cases[i].text, LINT_USUAL, NULL);
	}
}

static void test_variables_and_marks_are_read_too(void **state)
{
	(void)state;
	check_text("{\"templating\": {\"list\": [{\"name\": \"a\", \"type\": \"query\", \"query\": "
		   "\"label_values(claude_code_nothing, model)\"}]}}",
		LINT_USUAL, "metric");
	check_text("{\"templating\": {\"list\": [{\"name\": \"a\", \"type\": \"query\", \"query\": "
		   "{\"query\": \"label_values(up, $b)\"}}]}}",
		LINT_USUAL, "variable");
	check_text("{\"annotations\": {\"list\": [{\"name\": \"a\", \"expr\": "
		   "\"increase(claude_code_commit_count_total[5m])\"}]}}",
		LINT_USUAL, "total");
}

static void test_events_in_loki_are_no_promql(void **state)
{
	(void)state;
	check_panels("[{\"targets\": [{\"datasource\": {\"type\": \"loki\"}, \"expr\": "
		     "\"{a=`b`} | json | claude_code_nothing=`1`\"}]}]",
		NULL);
	check_panels("[{\"targets\": [{\"expr\": \"claude_code_nothing\"}]}]", "metric");
	check_panels("[{\"targets\": [{\"datasource\": {\"uid\": \"abc\"}}]}]", "datasource");
}

static void test_panels_are_looked_at(void **state)
{
	(void)state;
	check_panels("[{\"id\": 1, \"type\": \"graph\"}]", "panel-type");
	check_panels("[{\"id\": 1}, {\"id\": 1}]", "panel-id");
	check_panels("[{\"id\": 1, \"datasource\": {\"uid\": \"abc\"}}]", "datasource");
	check_panels("[{\"id\": 1, \"datasource\": {\"uid\": \"${datasource}\"}}]", NULL);
	check_panels("[{\"id\": 1, \"gridPos\": {\"x\": 0, \"y\": 0, \"w\": 12, \"h\": 4}},"
		     "{\"id\": 2, \"gridPos\": {\"x\": 11, \"y\": 3, \"w\": 12, \"h\": 4}}]",
		"overlap");
	check_panels(
		"[{\"id\": 1, \"gridPos\": {\"x\": 20, \"y\": 0, \"w\": 5, \"h\": 4}}]", "overlap");
	check_panels(
		"[{\"id\": 1, \"type\": \"row\", \"panels\": [{\"id\": 2}, {\"id\": 3}]}]", NULL);
	check_panels("[{\"gridPos\": {\"x\": 0, \"y\": 9, \"w\": 24, \"h\": 1}, \"panels\": ["
		     "{\"gridPos\": {\"x\": 0, \"y\": 1, \"w\": 12, \"h\": 4}},"
		     "{\"gridPos\": {\"x\": 8, \"y\": 1, \"w\": 12, \"h\": 4}}]}]",
		"overlap");
	check_panels("[{\"gridPos\": {\"x\": 9223372036854775807, \"w\": 9223372036854775807}}]",
		"overlap");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_totals_that_come_out_wrong_are_found),
		cmocka_unit_test(test_exact_ones_are_not),
		cmocka_unit_test(test_what_does_not_exist_is_found),
		cmocka_unit_test(test_what_is_counted_is_read_in_one_way_only),
		cmocka_unit_test(test_labels_that_are_added_up_are_found),
		cmocka_unit_test(test_panels_are_looked_at),
		cmocka_unit_test(test_a_strict_look_asks_for_words_and_a_full_grid),
		cmocka_unit_test(test_variables_and_marks_are_read_too),
		cmocka_unit_test(test_events_in_loki_are_no_promql),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
