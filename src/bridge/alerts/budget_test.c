#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/alerts/alerts_testing.h"
#include "bridge/alerts/budget.h"

static void assert_period(
	enum budget_period period, const char *at, const char *start, const char *end)
{
	assert_int_equal(budget_period_start(period, testing_at(at)), testing_at(start));
	assert_int_equal(budget_period_end(period, testing_at(at)), testing_at(end));
}

static void test_days_weeks_and_months_are_local(void **state)
{
	(void)state;
	testing_zone("Europe/Berlin");
	assert_period(PERIOD_DAY, "2026-11-25T00:00:00+01:00", "2026-11-25T00:00:00+01:00",
		"2026-11-26T00:00:00+01:00");
	assert_period(PERIOD_DAY, "2026-11-25T23:59:59+01:00", "2026-11-25T00:00:00+01:00",
		"2026-11-26T00:00:00+01:00");
	assert_period(PERIOD_WEEK, "2026-11-29T23:59:59+01:00", "2026-11-23T00:00:00+01:00",
		"2026-11-30T00:00:00+01:00");
	assert_period(PERIOD_WEEK, "2026-11-30T00:00:00+01:00", "2026-11-30T00:00:00+01:00",
		"2026-12-07T00:00:00+01:00");
	assert_period(PERIOD_MONTH, "2026-12-31T23:59:59+01:00", "2026-12-01T00:00:00+01:00",
		"2027-01-01T00:00:00+01:00");
	assert_period(PERIOD_MONTH, "2028-02-29T12:00:00+01:00", "2028-02-01T00:00:00+01:00",
		"2028-03-01T00:00:00+01:00");
}

static void test_a_change_of_the_clock_makes_days_of_23_and_25_hours(void **state)
{
	(void)state;

	static const struct {
		const char *zone, *at, *start, *end;
		int64_t hours;
	} days[] = {
		{ "Europe/Berlin", "2026-03-29T12:00:00+02:00", "2026-03-29T00:00:00+01:00",
			"2026-03-30T00:00:00+02:00", 23 },
		{ "Europe/Berlin", "2026-10-25T12:00:00+01:00", "2026-10-25T00:00:00+02:00",
			"2026-10-26T00:00:00+01:00", 25 },
		{ "America/New_York", "2026-03-08T12:00:00-04:00", "2026-03-08T00:00:00-05:00",
			"2026-03-09T00:00:00-04:00", 23 },
		{ "America/New_York", "2026-11-01T12:00:00-05:00", "2026-11-01T00:00:00-04:00",
			"2026-11-02T00:00:00-05:00", 25 },
		/* Midnight itself is left out: the day begins at one. */
		{ "Africa/Cairo", "2026-04-24T12:00:00+03:00", "2026-04-24T01:00:00+03:00",
			"2026-04-25T00:00:00+03:00", 23 },
	};

	for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
		testing_zone(days[i].zone);
		assert_period(PERIOD_DAY, days[i].at, days[i].start, days[i].end);
		assert_int_equal(testing_at(days[i].end) - testing_at(days[i].start),
			days[i].hours * HOUR_MS);
	}
}

static void test_steps_are_reached_at_their_cent(void **state)
{
	(void)state;
	assert_int_equal(budget_step(24.99, 50), 0);
	assert_int_equal(budget_step(25, 50), 50);
	assert_int_equal(budget_step(39.99, 50), 50);
	assert_int_equal(budget_step(40, 50), 80);
	assert_int_equal(budget_step(49.999, 50), 80);
	assert_int_equal(budget_step(1000, 50), 100);
	double sum = 0;
	for (int i = 0; i < 500; i++)
		sum += 0.1; /* 49.99999999999968 */
	assert_int_equal(budget_step(sum, 50), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days_weeks_and_months_are_local),
		cmocka_unit_test(test_a_change_of_the_clock_makes_days_of_23_and_25_hours),
		cmocka_unit_test(test_steps_are_reached_at_their_cent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
