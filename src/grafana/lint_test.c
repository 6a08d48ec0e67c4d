#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
	lint_dashboard(model, &lint);
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

static void check_panels(const char *panels, const char *rule)
{
	json_t *model = json_pack("{s:o}", "panels", json_loads(panels, 0, NULL));
	AUTO(lint) struct lint lint = { 0 };
	lint_dashboard(model, &lint);
	json_decref(model);
	assert_int_equal(lint.count, rule ? 1 : 0);
	if (rule)
		assert_string_equal(lint.items[0].rule, rule);
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
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_totals_that_come_out_wrong_are_found),
		cmocka_unit_test(test_exact_ones_are_not),
		cmocka_unit_test(test_what_does_not_exist_is_found),
		cmocka_unit_test(test_panels_are_looked_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
