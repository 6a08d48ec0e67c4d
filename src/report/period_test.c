#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/zone.h"
#include "report/period.h"

/* Wednesday, 2026-11-25T14:03:20 in Berlin. */
#define NOW_MS	INT64_C(1795611800000)
#define HOUR_MS INT64_C(3600000)

static int in_berlin(void **state)
{
	(void)state;
	struct error err = ERROR_INIT;
	return zone_use("Europe/Berlin", &err) ? 0 : -1;
}

static void test_times_as_people_say_them(void **state)
{
	(void)state;

	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "now", "2026-11-25T14:03:20+01:00" },
		{ "today", "2026-11-25T00:00:00+01:00" },
		{ "yesterday", "2026-11-24T00:00:00+01:00" },
		{ "week", "2026-11-23T00:00:00+01:00" },
		{ "month", "2026-11-01T00:00:00+01:00" },
		{ "12h", "2026-11-25T02:03:20+01:00" },
		{ "7d", "2026-11-18T14:03:20+01:00" },
		{ "60d", "2026-09-26T15:03:20+02:00" },
		{ "2026-11-01", "2026-11-01T00:00:00+01:00" },
		{ "2026-07-01", "2026-07-01T00:00:00+02:00" },
		{ "2024-02-29", "2024-02-29T00:00:00+01:00" },
		{ "2026-11-01T10:00", "2026-11-01T10:00:00+01:00" },
		{ "2026-11-01 10:00:30", "2026-11-01T10:00:30+01:00" },
		{ "2026-11-01T10:00:30Z", "2026-11-01T11:00:30+01:00" },
		{ "2026-11-01T10:00:30.5+05:30", "2026-11-01T05:30:30+01:00" },
		{ "2026-11-01T10:00:00-0800", "2026-11-01T19:00:00+01:00" },
		{ "2027-01-01", "2027-01-01T00:00:00+01:00" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = ERROR_INIT;
		int64_t ms;
		char text[ZONE_TEXT_MAX];
		if (!period_parse(cases[i].text, NOW_MS, &ms, &err))
			fail_msg("%s: %s", cases[i].text, err.message);
		zone_rfc3339(ms, text);
		if (strcmp(text, cases[i].expected) != 0)
			fail_msg("%s is %s, not %s", cases[i].text, text, cases[i].expected);
	}
}

static void test_what_is_no_time_is_a_usage_error(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "tomorrow", "7", "7x", "-7d", "2026", "2026-11",
		"2026-13-01", "2026-11-31", "2025-02-29", "2026-11-01T", "2026-11-01T25:00",
		"2026-11-01T10", "2026-11-01T10:00:00+", "2026-11-01T10:00:00Zjunk", "1969-12-31",
		"2026-11-01T10:00:00.", "99999d", "today ", "2026-11-01T10:00:00+24:00" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct error err = ERROR_INIT;
		int64_t ms;
		if (period_parse(texts[i], NOW_MS, &ms, &err))
			fail_msg("\"%s\" was taken", texts[i]);
		assert_int_equal(err.code, ERR_USAGE);
		assert_non_null(err.hint);
		error_clear(&err);
	}
}

static void test_the_default_is_seven_calendar_days(void **state)
{
	(void)state;
	char text[ZONE_TEXT_MAX];
	zone_rfc3339(period_default_since(NOW_MS), text);
	assert_string_equal(text, "2026-11-19T00:00:00+01:00");
	/* Over the end of summer time: still midnight. */
	zone_rfc3339(period_default_since(INT64_C(1793188800000)), text);
	assert_string_equal(text, "2026-10-22T00:00:00+02:00");
}

static void test_days_that_change_clocks_have_23_and_25_hours(void **state)
{
	(void)state;
	const int64_t spring = INT64_C(1774738800000); /* 2026-03-29T00:00+01:00 */
	const int64_t autumn = INT64_C(1792879200000); /* 2026-10-25T00:00+02:00 */
	assert_int_equal(period_day(spring + 22 * HOUR_MS), spring);
	assert_int_equal(period_day(spring + 23 * HOUR_MS), spring + 23 * HOUR_MS);
	assert_int_equal(period_day(autumn + 24 * HOUR_MS), autumn);
	assert_int_equal(period_day(autumn + 25 * HOUR_MS), autumn + 25 * HOUR_MS);
	assert_int_equal(period_day(spring - 1), spring - 24 * HOUR_MS);
}

static void test_weeks_begin_on_monday_and_months_on_the_first(void **state)
{
	(void)state;
	char text[ZONE_TEXT_MAX];
	zone_rfc3339(period_week(INT64_C(1774821599000)), text); /* Sunday 23:59:59 summer time */
	assert_string_equal(text, "2026-03-23T00:00:00+01:00");
	zone_rfc3339(period_month(INT64_C(1793484000000)), text);
	assert_string_equal(text, "2026-10-01T00:00:00+02:00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times_as_people_say_them),
		cmocka_unit_test(test_what_is_no_time_is_a_usage_error),
		cmocka_unit_test(test_the_default_is_seven_calendar_days),
		cmocka_unit_test(test_days_that_change_clocks_have_23_and_25_hours),
		cmocka_unit_test(test_weeks_begin_on_monday_and_months_on_the_first),
	};
	return cmocka_run_group_tests(tests, in_berlin, NULL);
}
