#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/alerts/activity.h"
#include "bridge/alerts/alerts_testing.h"

static void sample(struct activity *a, const char *at)
{
	activity_add(a, (uint32_t)(testing_at(at) / MINUTE_MS));
}

static void assert_silent_since(
	const struct activity *a, const char *last, const char *now, const char *since)
{
	int64_t since_ms;
	bool is_silent = activity_silent_since(a, testing_at(last), testing_at(now), &since_ms);
	assert_int_equal(is_silent, since != NULL);
	if (since)
		assert_int_equal(since_ms, testing_at(since));
}

static void test_a_weekday_is_compared_with_itself(void **state)
{
	(void)state;
	testing_zone("Europe/Berlin");
	struct activity a = { 0 };
	sample(&a, "2026-11-16T09:30:00+01:00"); /* a Monday */
	sample(&a, "2026-11-16T17:00:00+01:00");
	sample(&a, "2026-11-09T10:00:00+01:00");
	sample(&a, "2026-11-19T08:00:00+01:00"); /* a Thursday */
	const char *last = "2026-11-20T18:00:00+01:00";
	/* Not over the weekend, and on Monday only once the day has begun as it does. */
	assert_silent_since(&a, last, "2026-11-21T12:00:00+01:00", NULL);
	assert_silent_since(&a, last, "2026-11-23T02:00:00+01:00", NULL);
	assert_silent_since(&a, last, "2026-11-23T09:29:00+01:00", NULL);
	assert_silent_since(&a, last, "2026-11-23T15:00:00+01:00", "2026-11-23T09:30:00+01:00");
	assert_silent_since(&a, "2026-11-23T11:00:00+01:00", "2026-11-23T15:00:00+01:00",
		"2026-11-23T11:00:00+01:00");
}

static void test_what_is_older_than_four_weeks_says_nothing(void **state)
{
	(void)state;
	testing_zone("Europe/Berlin");
	struct activity a = { 0 };
	sample(&a, "2026-10-26T09:00:00+01:00"); /* four weeks before */
	const char *last = "2026-10-26T09:00:00+01:00";
	assert_silent_since(&a, last, "2026-11-23T12:00:00+01:00", "2026-11-23T09:00:00+01:00");
	assert_silent_since(&a, last, "2026-11-30T12:00:00+01:00", NULL);
}

static void test_the_time_of_day_is_that_of_the_clock(void **state)
{
	(void)state;
	testing_zone("America/New_York");
	struct activity a = { 0 };
	sample(&a, "2026-10-26T09:00:00-04:00"); /* the clock went back in between */
	assert_silent_since(&a, "2026-10-30T18:00:00-04:00", "2026-11-02T12:00:00-05:00",
		"2026-11-02T09:00:00-05:00");
}

static void test_samples_may_come_in_any_order_and_number(void **state)
{
	(void)state;
	testing_zone("UTC");
	struct activity a = { 0 };
	int64_t first_ms = testing_at("2026-01-01T06:00:00Z");
	for (int day = 0; day < 300; day++) {
		activity_add(&a, (uint32_t)((first_ms + day * 24 * HOUR_MS) / MINUTE_MS) + 90);
		activity_add(&a, (uint32_t)((first_ms + day * 24 * HOUR_MS) / MINUTE_MS));
		activity_add(&a, (uint32_t)((first_ms + day * 24 * HOUR_MS) / MINUTE_MS) + 300);
	}
	activity_add(&a, (uint32_t)(first_ms / MINUTE_MS)); /* late, by most of a year */
	int64_t last_day_ms = first_ms + 299 * 24 * HOUR_MS, since_ms;
	assert_int_equal(a.last_minute, (uint32_t)(last_day_ms / MINUTE_MS) + 300);
	for (int day = 0; day < 7; day++) {
		int64_t now_ms = last_day_ms + (day + 1) * 24 * HOUR_MS;
		assert_true(activity_expected(&a, now_ms, &since_ms));
		assert_int_equal(since_ms, now_ms);
	}
}

static void test_no_history_is_no_silence(void **state)
{
	(void)state;
	testing_zone("UTC");
	struct activity a = { 0 };
	int64_t since_ms;
	assert_false(activity_silent_since(&a, 0, testing_at("2026-11-23T12:00:00Z"), &since_ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_weekday_is_compared_with_itself),
		cmocka_unit_test(test_what_is_older_than_four_weeks_says_nothing),
		cmocka_unit_test(test_the_time_of_day_is_that_of_the_clock),
		cmocka_unit_test(test_samples_may_come_in_any_order_and_number),
		cmocka_unit_test(test_no_history_is_no_silence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
