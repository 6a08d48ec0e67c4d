#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/alerts/alerts_testing.h"

#define NOON "2026-11-25T12:00:00+01:00" /* a Wednesday */

static void assert_usd(const struct spending *s, enum budget_period period, enum budget_scope scope,
	const char *subject, double usd)
{
	size_t i;
	if (!spending_find(s, scope, subject, &i))
		fail_msg("nobody is called \"%s\"", subject);
	assert_near(spending_of(s, period, i), usd, 1e-12);
}

static bool has(const struct spending *s, enum budget_scope scope, const char *subject)
{
	size_t i;
	return spending_find(s, scope, subject, &i);
}

static void test_an_amount_counts_for_all_its_user_team_and_model(void **state)
{
	(void)state;
	testing_zone("Europe/Berlin");
	struct spending *s = spending_new(ALL_SCOPES, 100, 1);
	int64_t now_ms = testing_at(NOON);
	testing_spend(s, now_ms, 1, "ada", "core", "opus", 1.25);
	testing_spend(s, now_ms, 2, "bob", "core", "haiku", 0.5);
	testing_spend(s, now_ms, 3, NULL, NULL, "opus", 0.25);
	spending_sum(s, now_ms);
	assert_usd(s, PERIOD_DAY, SCOPE_ALL, "", 2);
	assert_usd(s, PERIOD_DAY, SCOPE_USER, "ada", 1.25);
	assert_usd(s, PERIOD_WEEK, SCOPE_USER, "bob", 0.5);
	assert_usd(s, PERIOD_MONTH, SCOPE_TEAM, "core", 1.75);
	assert_usd(s, PERIOD_DAY, SCOPE_MODEL, "opus", 1.5);
	assert_int_equal(spending_unheld(s), 0);
	spending_free(s);
}

static void test_scopes_without_a_budget_are_not_told_apart(void **state)
{
	(void)state;
	testing_zone("UTC");
	struct spending *s = spending_new((const bool[SCOPE_COUNT]){ false }, 100, 1);
	testing_spend(s, testing_at(NOON), 1, "ada", "core", "opus", 1);
	spending_sum(s, testing_at(NOON));
	assert_int_equal(spending_count(s), 1);
	assert_near(spending_of(s, PERIOD_DAY, SPENDING_ALL), 1, 0);
	spending_free(s);
}

static void test_a_user_has_the_best_identity_there_is(void **state)
{
	(void)state;
	testing_zone("UTC");
	struct op_label labels[] = {
		{ SLICE_LIT("enduser_id"), SLICE_LIT("e-1") },
		{ SLICE_LIT("user_account_uuid"), SLICE_LIT("u-1") },
		{ SLICE_LIT("user_email"), SLICE_LIT("ada@example.com") },
		{ SLICE_LIT("user_id"), SLICE_LIT("0123456789abcdef") },
	};

	static const struct {
		size_t order[4], count;
		const char *user;
	} rows[] = {
		{ { 0, 1, 2, 3 }, 4, "ada@example.com" },
		{ { 0, 1, 3 }, 3, "u-1" },
		{ { 0, 3 }, 2, "e-1" },
		{ { 3 }, 1, "01234567" },
	};

	struct spending *s = spending_new(ALL_SCOPES, 100, 1);
	for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct op_label given[4];
		for (size_t l = 0; l < rows[i].count; l++)
			given[l] = labels[rows[i].order[l]];
		spending_add(s, (uint32_t)(testing_at(NOON) / MINUTE_MS), i + 1, given,
			rows[i].count, 1);
		assert_true(has(s, SCOPE_USER, rows[i].user));
	}
	/* Characters, not bytes. */
	struct op_label odd = { SLICE_LIT("user_id"), SLICE_LIT("äöüäöüäöü") };
	spending_add(s, (uint32_t)(testing_at(NOON) / MINUTE_MS), 9, &odd, 1, 1);
	assert_true(has(s, SCOPE_USER, "äöüäöüäö"));
	spending_free(s);
}

static void test_periods_end_by_themselves(void **state)
{
	(void)state;
	testing_zone("Europe/Berlin");
	struct spending *s = spending_new(ALL_SCOPES, 100, 1);
	/* A Monday that is the last of its month, so that week, month and day come apart. */
	testing_spend(s, testing_at("2026-11-29T23:59:00+01:00"), 1, NULL, NULL, NULL, 1);
	testing_spend(s, testing_at("2026-11-30T00:00:00+01:00"), 1, NULL, NULL, NULL, 2);
	testing_spend(s, testing_at("2026-12-01T00:00:00+01:00"), 1, NULL, NULL, NULL, 4);

	static const struct {
		const char *now;
		double day, week, month;
	} rows[] = {
		{ "2026-11-29T23:59:59+01:00", 7, 7, 7 }, /* what a clock that lags would see */
		{ "2026-11-30T12:00:00+01:00", 6, 6, 7 },
		{ "2026-12-01T12:00:00+01:00", 4, 6, 4 },
		{ "2026-12-02T00:00:00+01:00", 0, 6, 4 },
		{ "2026-12-07T00:00:00+01:00", 0, 0, 4 },
		{ "2026-11-30T12:00:00+01:00", 6, 6, 7 }, /* set back: the days are there */
		{ "2027-01-01T00:00:00+01:00", 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		spending_sum(s, testing_at(rows[i].now));
		assert_usd(s, PERIOD_DAY, SCOPE_ALL, "", rows[i].day);
		assert_usd(s, PERIOD_WEEK, SCOPE_ALL, "", rows[i].week);
		assert_usd(s, PERIOD_MONTH, SCOPE_ALL, "", rows[i].month);
	}
	spending_free(s);
}

/* One amount each minute of three days around the change; each sum is that of the minutes in its day. */
static void test_days_of_23_and_25_hours_hold_their_minutes(void **state)
{
	(void)state;

	static const struct {
		const char *zone, *day;
		int64_t minutes;
	} rows[] = {
		{ "Europe/Berlin", "2026-03-29T00:00:00+01:00", INT64_C(23) * 60 },
		{ "Europe/Berlin", "2026-10-25T00:00:00+02:00", INT64_C(25) * 60 },
		{ "America/New_York", "2026-03-08T00:00:00-05:00", INT64_C(23) * 60 },
		{ "America/New_York", "2026-11-01T00:00:00-04:00", INT64_C(25) * 60 },
		{ "Europe/Berlin", "2026-11-25T00:00:00+01:00", INT64_C(24) * 60 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		testing_zone(rows[i].zone);
		struct spending *s = spending_new(ALL_SCOPES, 100, 1);
		int64_t day_ms = testing_at(rows[i].day);
		for (int64_t at_ms = day_ms - 24 * HOUR_MS; at_ms < day_ms + 48 * HOUR_MS;
			at_ms += MINUTE_MS)
			testing_spend(s, at_ms, 1, NULL, NULL, NULL, 0.01);
		spending_sum(s, day_ms);
		double until = spending_of(s, PERIOD_DAY, SPENDING_ALL);
		spending_sum(s, zone_day(day_ms, 1));
		double behind = spending_of(s, PERIOD_DAY, SPENDING_ALL);
		assert_near(until - behind, 0.01 * (double)rows[i].minutes, 1e-9);
		spending_free(s);
	}
}

static void test_ten_thousand_cents_are_a_hundred_dollars(void **state)
{
	(void)state;
	testing_zone("UTC");
	struct spending *s = spending_new(ALL_SCOPES, 100, 1);
	for (int i = 0; i < 1000000; i++)
		testing_spend(s, testing_at(NOON), 1, NULL, NULL, NULL, 0.0001);
	spending_sum(s, testing_at(NOON));
	assert_usd(s, PERIOD_MONTH, SCOPE_ALL, "", 100);
	spending_free(s);
}

static void test_subjects_beyond_the_bound_count_for_all_only(void **state)
{
	(void)state;
	testing_zone("UTC");
	struct spending *s = spending_new(ALL_SCOPES, 4, 1);
	int64_t now_ms = testing_at(NOON);
	for (uint32_t i = 0; i < 5; i++) {
		const char name[] = { (char)('a' + i), '\0' };
		testing_spend(s, now_ms, i + 1, name, NULL, NULL, 1);
		testing_spend(s, now_ms, i + 1, name, NULL, NULL, 1);
	}
	spending_sum(s, now_ms);
	assert_usd(s, PERIOD_DAY, SCOPE_ALL, "", 10);
	assert_usd(s, PERIOD_DAY, SCOPE_USER, "d", 2);
	assert_false(has(s, SCOPE_USER, "e"));
	assert_int_equal(spending_unheld(s), 2);
	/* Once those that were there have gone, others are told apart. */
	now_ms = testing_at("2027-02-10T12:00:00Z");
	spending_sum(s, now_ms);
	testing_spend(s, now_ms, 5, "e", NULL, NULL, 1);
	spending_sum(s, now_ms);
	assert_usd(s, PERIOD_DAY, SCOPE_USER, "e", 1);
	assert_false(has(s, SCOPE_USER, "a"));
	assert_int_equal(spending_unheld(s), 2);
	spending_free(s);
}

static void test_what_is_needed_reaches_back_to_the_longest_period(void **state)
{
	(void)state;
	testing_zone("Europe/Berlin");
	int64_t since_ms = spending_since(testing_at("2026-12-02T12:00:00+01:00")) * MINUTE_MS;
	assert_true(since_ms <= testing_at("2026-11-30T00:00:00+01:00")); /* its Monday */
	since_ms = spending_since(testing_at("2026-11-25T12:00:00+01:00")) * MINUTE_MS;
	assert_true(since_ms <= testing_at("2026-11-01T00:00:00+01:00"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_amount_counts_for_all_its_user_team_and_model),
		cmocka_unit_test(test_scopes_without_a_budget_are_not_told_apart),
		cmocka_unit_test(test_a_user_has_the_best_identity_there_is),
		cmocka_unit_test(test_periods_end_by_themselves),
		cmocka_unit_test(test_days_of_23_and_25_hours_hold_their_minutes),
		cmocka_unit_test(test_ten_thousand_cents_are_a_hundred_dollars),
		cmocka_unit_test(test_subjects_beyond_the_bound_count_for_all_only),
		cmocka_unit_test(test_what_is_needed_reaches_back_to_the_longest_period),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
