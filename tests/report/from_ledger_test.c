#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/ledger/ledger_testing.h"
#include "core/clock.h"
#include "core/zone.h"
#include "report/print.h"
#include "report/report.h"

/* Midnight of a day in Berlin, when 2026-10-25 has 25 hours. */
#define DAY_MS	INT64_C(1792879200000)
#define HOUR_MS INT64_C(3600000)

struct sample {
	const char *session, *metric, *label, *value;
	int64_t at_ms;
	double amount;
};

static uint32_t next_series = 1;

static void put_sample(struct testing *t, const struct sample *s)
{
	testing_begin(t);
	uint32_t id = next_series++;
	put_series(t, id, SERIES_COUNTER, s->metric, s->label, s->value);
	uint64_t session = s->session ? put_session(t, s->session, "ann") : 0;
	record_put_context(&t->record, session, (uint32_t)(s->at_ms / 60000));
	record_put_add(&t->record, id, 0, s->amount);
	testing_end(t);
}

static void put_samples(struct testing *t, const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_sample(t, &samples[i]);
}

static struct report read_report(
	const struct testing *t, int64_t since_ms, int64_t until_ms, enum report_by by)
{
	struct error err = ERROR_INIT;
	struct report_query query = { since_ms, until_ms, by };
	struct report report;
	if (!report_from_ledger(t->dir, &query, &report, &err))
		fail_msg("%s", err.message);
	return report;
}

static void assert_value(const struct figures *f, enum figure figure, double expected)
{
	if (fabs(figures_value(f, figure) - expected) > 1e-9)
		fail_msg("%s%s is %.12g, not %.12g", figure_rows[figure].object,
			figure_rows[figure].name, figures_value(f, figure), expected);
}

static const struct sample one_session[] = {
	{ "one", "claude_code.cost.usage", "model", "opus", DAY_MS + 60000, 0.07 },
	{ "one", "claude_code.cost.usage", "model", "haiku", DAY_MS + HOUR_MS, 0.00932 },
	{ "one", "claude_code.token.usage", "type", "input", DAY_MS, 7755 },
	{ "one", "claude_code.token.usage", "type", "output", DAY_MS, 1515 },
	{ "one", "claude_code.session.count", "start_type", "fresh", DAY_MS, 1 },
	{ "one", "claude_code.lines_of_code.count", "type", "added", DAY_MS, 6 },
	{ "one", "claude_code.active_time.total", "type", "cli", DAY_MS, 0.737 },
	{ "one", "claude_code.code_edit_tool.decision", "decision", "accept", DAY_MS, 2 },
	{ "one", "cctm.api_requests", "model", "opus", DAY_MS, 6 },
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void test_totals_are_the_sums_of_their_metrics(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	put_samples(t, one_session, COUNT(one_session));
	AUTO(report) struct report r = read_report(t, DAY_MS, DAY_MS + 24 * HOUR_MS, BY_DAY);
	assert_true(r.has_source && r.has_data && r.has_events);
	assert_value(&r.totals, FIGURE_COST, 0.07932);
	assert_value(&r.totals, FIGURE_INPUT, 7755);
	assert_value(&r.totals, FIGURE_OUTPUT, 1515);
	assert_value(&r.totals, FIGURE_SESSIONS, 1);
	assert_value(&r.totals, FIGURE_ADDED, 6);
	assert_value(&r.totals, FIGURE_REMOVED, 0);
	assert_value(&r.totals, FIGURE_ACTIVE_CLI, 0.737);
	assert_value(&r.totals, FIGURE_ACCEPTED, 2);
	assert_value(&r.totals, FIGURE_API_REQUESTS, 6);
	assert_int_equal(r.last_sample_ms, DAY_MS + HOUR_MS);
	testing_free(t);
}

static void test_a_directory_without_a_ledger_gives_an_empty_report(void **state)
{
	(void)state;
	struct error err = ERROR_INIT;
	struct report_query query = { DAY_MS, DAY_MS + HOUR_MS, BY_DAY };
	struct report r;
	assert_true(report_from_ledger("/nonexistent/cctm", &query, &r, &err));
	assert_false(r.has_source || r.has_data);
	assert_int_equal(r.group_count, 0);
	assert_true(report_knows(&r, FIGURE_API_REQUESTS));
	report_clear(&r);
}

static void test_requests_are_unknown_where_no_events_came(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	put_samples(t, one_session, 2);
	AUTO(report) struct report r = read_report(t, DAY_MS, DAY_MS + 24 * HOUR_MS, BY_DAY);
	assert_false(report_knows(&r, FIGURE_API_REQUESTS));
	assert_true(report_knows(&r, FIGURE_COST));
	json_t *json = report_print_json(&r);
	assert_true(json_is_null(json_object_get(json_object_get(json, "totals"), "api_errors")));
	json_decref(json);
	testing_free(t);
}

/* Every grouping adds up to the totals. */
static void test_groups_add_up_to_totals(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	put_samples(t, one_session, COUNT(one_session));
	for (enum report_by by = 0; by < BY_COUNT; by++) {
		AUTO(report) struct report r = read_report(t, DAY_MS, DAY_MS + 24 * HOUR_MS, by);
		struct figures sum = { 0 };
		for (size_t i = 0; i < r.group_count; i++) {
			for (enum figure f = 0; f < FIGURE_COUNT; f++)
				figures_add(&sum, f, figures_value(&r.groups[i]->figures, f));
		}
		for (enum figure f = 0; f < FIGURE_COUNT; f++)
			assert_value(&sum, f, figures_value(&r.totals, f));
	}
	testing_free(t);
}

static void assert_groups(const struct report *r, const char *const *keys)
{
	for (size_t i = 0; i < r->group_count || keys[i]; i++) {
		if (i >= r->group_count || !keys[i] || strcmp(r->groups[i]->key, keys[i]) != 0)
			fail_msg("group %zu is %s, not %s", i,
				i < r->group_count ? r->groups[i]->key : "missing",
				keys[i] ? keys[i] : "missing");
	}
}

static void test_days_are_those_of_the_zone_across_the_change_of_clocks(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	for (int64_t hour = -1; hour <= 25; hour++) {
		struct sample s = { NULL, "claude_code.cost.usage", NULL, NULL,
			DAY_MS + hour * HOUR_MS, 1 };
		put_sample(t, &s);
	}
	AUTO(report)
	struct report days = read_report(t, DAY_MS - HOUR_MS, DAY_MS + 26 * HOUR_MS, BY_DAY);
	const char *const keys[] = { "2026-10-24", "2026-10-25", "2026-10-26", NULL };
	assert_groups(&days, keys);
	assert_value(&days.groups[1]->figures, FIGURE_COST, 25);
	AUTO(report) struct report hours = read_report(t, DAY_MS, DAY_MS + 25 * HOUR_MS, BY_HOUR);
	assert_int_equal(hours.group_count, 25);
	testing_free(t);
}

static void test_models_are_by_cost_and_data_without_one_is_last(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	put_samples(t, one_session, COUNT(one_session));
	AUTO(report) struct report r = read_report(t, DAY_MS, DAY_MS + 24 * HOUR_MS, BY_MODEL);
	const char *const keys[] = { "opus", "haiku", "", NULL };
	assert_groups(&r, keys);
	assert_value(&r.groups[0]->figures, FIGURE_API_REQUESTS, 6);
	testing_free(t);
}

static void test_a_type_is_that_of_tokens(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	put_samples(t, one_session, COUNT(one_session));
	AUTO(report) struct report r = read_report(t, DAY_MS, DAY_MS + 24 * HOUR_MS, BY_TYPE);
	const char *const keys[] = { "", "input", "output", NULL };
	assert_groups(&r, keys);
	assert_value(&r.groups[0]->figures, FIGURE_ADDED, 6);
	testing_free(t);
}

static void test_a_project_may_be_the_namespace_in_the_job(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	const struct sample samples[] = {
		{ NULL, "claude_code.cost.usage", "job", "shop/claude-code", DAY_MS, 3 },
		{ NULL, "claude_code.cost.usage", "job", "claude-code", DAY_MS, 2 },
		{ NULL, "claude_code.cost.usage", "project_name", "web", DAY_MS, 1 },
	};
	put_samples(t, samples, COUNT(samples));
	AUTO(report) struct report r = read_report(t, DAY_MS, DAY_MS + HOUR_MS, BY_PROJECT);
	const char *const keys[] = { "shop", "", "web", NULL };
	assert_groups(&r, keys);
	testing_free(t);
}

static void test_sessions_widen_the_range_to_hours_and_totals_follow(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	const struct sample samples[] = {
		{ "one", "claude_code.cost.usage", NULL, NULL, DAY_MS + 5 * 60000, 1 },
		{ "one", "claude_code.cost.usage", NULL, NULL, DAY_MS + HOUR_MS - 60000, 2 },
		{ "two", "claude_code.cost.usage", NULL, NULL, DAY_MS + HOUR_MS, 4 },
	};
	put_samples(t, samples, COUNT(samples));
	AUTO(report)
	struct report r = read_report(t, DAY_MS + 10 * 60000, DAY_MS + 20 * 60000, BY_SESSION);
	assert_int_equal(r.since_ms, DAY_MS);
	assert_int_equal(r.until_ms, DAY_MS + HOUR_MS);
	const char *const keys[] = { "one", NULL };
	assert_groups(&r, keys);
	assert_value(&r.totals, FIGURE_COST, 3);
	assert_value(&r.groups[0]->figures, FIGURE_COST, 3);
	assert_string_equal(r.groups[0]->user, "ann");
	assert_int_equal(r.groups[0]->start_ms, DAY_MS + 5 * 60000);
	testing_free(t);
}

static void test_what_has_no_session_is_a_group_by_session_too(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	const struct sample samples[] = {
		{ "one", "claude_code.cost.usage", NULL, NULL, DAY_MS, 0.1 },
		{ NULL, "claude_code.cost.usage", NULL, NULL, DAY_MS, 0.2 },
		{ "one", "claude_code.commit.count", NULL, NULL, DAY_MS, 1 },
	};
	put_samples(t, samples, COUNT(samples));
	AUTO(report) struct report r = read_report(t, DAY_MS, DAY_MS + HOUR_MS, BY_SESSION);
	const char *const keys[] = { "", "one", NULL };
	assert_groups(&r, keys);
	assert_value(&r.groups[0]->figures, FIGURE_COST, 0.2);
	assert_value(&r.groups[0]->figures, FIGURE_COMMITS, 0);
	assert_string_equal(r.groups[0]->user, "");
	testing_free(t);
}

static void test_sessions_that_lost_events_are_counted_and_marked(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	static const char *const names[] = { "whole", "lost", "shared" };
	for (size_t i = 0; i < 3; i++) {
		struct sample s = { names[i], "claude_code.cost.usage", NULL, NULL, DAY_MS,
			3 - (double)i };
		put_sample(t, &s);
	}
	testing_begin(t);
	put_lost(t, record_session_hash(slice_str("lost")), 2, false);
	put_lost(t, record_session_hash(slice_str("shared")), 0, true);
	testing_end(t);
	AUTO(report) struct report days = read_report(t, DAY_MS, DAY_MS + HOUR_MS, BY_DAY);
	assert_int_equal(days.incomplete_sessions, 1);
	assert_int_equal(days.unknown_sessions, 1);
	AUTO(report) struct report r = read_report(t, DAY_MS, DAY_MS + HOUR_MS, BY_SESSION);
	assert_int_equal(r.incomplete_sessions, 1);
	json_t *json = report_print_json(&r), *groups = json_object_get(json, "groups");
	assert_true(json_is_true(json_object_get(json_array_get(groups, 0), "complete")));
	assert_true(json_is_false(json_object_get(json_array_get(groups, 1), "complete")));
	assert_true(json_is_null(json_object_get(json_array_get(groups, 2), "complete")));
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(groups, 1), "lost_events")), 2);
	json_decref(json);
	testing_free(t);
}

static void test_json_is_as_promised(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	put_samples(t, one_session, COUNT(one_session));
	AUTO(report) struct report r = read_report(t, DAY_MS, DAY_MS + 25 * HOUR_MS, BY_DAY);
	json_t *json = report_print_json(&r);
	AUTO(str) char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
	json_decref(json);
#define FIGURES_TEXT                                                                           \
	"\"cost_usd\":0.07932,\"tokens\":{\"input\":7755,\"output\":1515,\"cacheRead\":0,"     \
	"\"cacheCreation\":0},\"sessions\":1,\"commits\":0,\"pull_requests\":0,"               \
	"\"lines\":{\"added\":6,\"removed\":0},\"active_seconds\":{\"cli\":0.737,\"user\":0}," \
	"\"edit_decisions\":{\"accept\":2,\"reject\":0},\"api_requests\":6,\"api_errors\":0}"
	assert_string_equal(text,
		"{\"source\":\"ledger\",\"since\":\"2026-10-25T00:00:00+02:00\","
		"\"until\":\"2026-10-26T00:00:00+01:00\","
		"\"last_sample\":\"2026-10-25T01:00:00+02:00\",\"totals\":{" FIGURES_TEXT
		",\"groups\":[{\"key\":{\"day\":\"2026-10-25\"}," FIGURES_TEXT
		"],\"incomplete_sessions\":0,\"unknown_sessions\":0}");
	testing_free(t);
}

static int in_berlin(void **state)
{
	(void)state;
	struct error err = ERROR_INIT;
	return zone_use("Europe/Berlin", &err) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_totals_are_the_sums_of_their_metrics),
		cmocka_unit_test(test_a_directory_without_a_ledger_gives_an_empty_report),
		cmocka_unit_test(test_requests_are_unknown_where_no_events_came),
		cmocka_unit_test(test_groups_add_up_to_totals),
		cmocka_unit_test(test_days_are_those_of_the_zone_across_the_change_of_clocks),
		cmocka_unit_test(test_models_are_by_cost_and_data_without_one_is_last),
		cmocka_unit_test(test_a_type_is_that_of_tokens),
		cmocka_unit_test(test_a_project_may_be_the_namespace_in_the_job),
		cmocka_unit_test(test_sessions_widen_the_range_to_hours_and_totals_follow),
		cmocka_unit_test(test_what_has_no_session_is_a_group_by_session_too),
		cmocka_unit_test(test_sessions_that_lost_events_are_counted_and_marked),
		cmocka_unit_test(test_json_is_as_promised),
	};
	return cmocka_run_group_tests(tests, in_berlin, NULL);
}
