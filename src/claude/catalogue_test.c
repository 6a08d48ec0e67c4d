#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "claude/catalogue.h"
#include "claude/wanted.h"
#include "core/mem.h"

static void test_each_name_stands_once_with_a_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < catalogue_count; i++) {
		const struct catalogue_row *row = &catalogue[i];
		assert_ptr_equal(catalogue_find(row->kind, row->name), row);
		assert_true(strlen(row->meaning) > 3);
		assert_int_equal(row->meaning[strlen(row->meaning) - 1], '.');
	}
}

static void test_all_that_is_wanted_is_explained(void **state)
{
	(void)state;
	const struct wanted_request request = { .endpoint = "http://127.0.0.1:4318",
		.attributes = "team.id=x",
		.has_prompts = true,
		.has_tool_details = true,
		.has_traces = true,
		.token = "t",
		.no_proxy = "127.0.0.1" };
	AUTO(wanted) struct wanted wanted = { 0 };
	wanted_init(&wanted, &request);
	assert_true(wanted.count > 10);
	for (size_t i = 0; i < wanted.count; i++)
		assert_non_null(catalogue_find(CATALOGUE_VARIABLE, wanted.settings[i].name));
}

static void test_what_is_unknown_is_not_found(void **state)
{
	(void)state;
	assert_null(catalogue_find(CATALOGUE_METRIC, "claude_code.nothing"));
	assert_null(catalogue_find(CATALOGUE_EVENT, "claude_code.cost.usage"));
}

static void test_a_metric_has_the_name_that_exporters_give_it(void **state)
{
	static const struct {
		const char *metric, *series;
	} cases[] = {
		{ "claude_code.session.count", "claude_code_session_count" },
		{ "claude_code.cost.usage", "claude_code_cost_usage_USD" },
		{ "claude_code.token.usage", "claude_code_token_usage_tokens" },
		{ "claude_code.active_time.total", "claude_code_active_time_seconds" },
		{ "claude_code.code_edit_tool.decision", "claude_code_code_edit_tool_decision" },
		{ "claude_code.events", "claude_code_events" },
		{ "claude_code.api_request.ttft", "claude_code_api_request_ttft_seconds" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct catalogue_row *row = catalogue_find(CATALOGUE_METRIC, cases[i].metric);
		assert_non_null(row);
		AUTO(str) char *series = catalogue_series(row);
		assert_string_equal(series, cases[i].series);
	}
}

static void test_nothing_that_somebody_wrote_becomes_a_label(void **state)
{
	(void)state;
	for (size_t i = 0; i < catalogue_count; i++) {
		if (catalogue[i].label == EVENT_LABEL_NONE)
			continue;
		assert_int_equal(catalogue[i].kind, CATALOGUE_ATTRIBUTE);
		assert_int_not_equal(catalogue[i].privacy, PRIVACY_CONTENT);
		assert_int_not_equal(catalogue[i].privacy, PRIVACY_SECRET);
		assert_string_not_equal(catalogue[i].name, "session.id");
	}
}

static void test_attributes_become_labels_that_prometheus_takes(void **state)
{
	(void)state;

	static const struct {
		const char *attribute, *label;
	} cases[] = { { "team.id", "team_id" }, { "cost-centre", "cost_centre" },
		{ "2nd", "key_2nd" }, { "model", "model" } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(str) char *label = catalogue_label(cases[i].attribute);
		assert_string_equal(label, cases[i].label);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attributes_become_labels_that_prometheus_takes),
		cmocka_unit_test(test_each_name_stands_once_with_a_sentence),
		cmocka_unit_test(test_all_that_is_wanted_is_explained),
		cmocka_unit_test(test_a_metric_has_the_name_that_exporters_give_it),
		cmocka_unit_test(test_what_is_unknown_is_not_found),
		cmocka_unit_test(test_nothing_that_somebody_wrote_becomes_a_label),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
