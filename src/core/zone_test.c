#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/zone.h"

/* 2026-03-29T01:00Z: Berlin's clocks jump from 2 to 3; 2026-10-25T01:00Z: from 3 back to 2. */
#define SPRING_MS INT64_C(1774746000000)
#define AUTUMN_MS INT64_C(1792890000000)

static void use(const char *name)
{
	struct error err = ERROR_INIT;
	if (!zone_use(name, &err))
		fail_msg("%s", err.message);
}

static void assert_rfc3339(int64_t ms, const char *expected)
{
	char text[ZONE_TEXT_MAX];
	zone_rfc3339(ms, text);
	assert_string_equal(text, expected);
}

static void test_zones_are_names_utc_and_offsets(void **state)
{
	(void)state;
	use("Europe/Berlin");
	assert_rfc3339(SPRING_MS - 1000, "2026-03-29T01:59:59+01:00");
	assert_rfc3339(SPRING_MS, "2026-03-29T03:00:00+02:00");
	use("UTC");
	assert_rfc3339(SPRING_MS, "2026-03-29T01:00:00Z");
	use("+02:00");
	assert_rfc3339(SPRING_MS, "2026-03-29T03:00:00+02:00");
	use("-0330");
	assert_rfc3339(SPRING_MS, "2026-03-28T21:30:00-03:30");
	use("+05");
	assert_rfc3339(SPRING_MS, "2026-03-29T06:00:00+05:00");
}

static void test_changes_of_the_clocks_are_found_to_the_second(void **state)
{
	(void)state;
	struct zone_change changes[8];
	int64_t new_year = INT64_C(1767225600000);
	use("Europe/Berlin");
	size_t count = zone_changes(new_year, new_year + 365 * INT64_C(86400000), changes, 8);
	assert_int_equal(count, 3);
	assert_int_equal(changes[0].at_ms, new_year);
	assert_int_equal(changes[0].seconds, 3600);
	assert_int_equal(changes[1].at_ms, SPRING_MS);
	assert_int_equal(changes[1].seconds, 7200);
	assert_int_equal(changes[2].at_ms, AUTUMN_MS);
	assert_int_equal(changes[2].seconds, 3600);
	assert_int_equal(zone_changes(new_year, new_year + 365 * INT64_C(86400000), changes, 2), 2);
	use("UTC");
	assert_int_equal(zone_changes(new_year, new_year * 2, changes, 8), 1);
}

static void test_a_zone_that_is_not_there_is_a_usage_error(void **state)
{
	(void)state;
	static const char *const names[] = { "", "Mars/Olympus", "Europe", "../../../etc/passwd",
		"/etc/localtime", "zone.tab", "+2", "+25:00", "+02:60", "+02:0", "+02:", "+02:000",
		"Europe/Berlin\n", ":UTC", "a/../../../../usr/share/zoneinfo/UTC" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct error err = ERROR_INIT;
		if (zone_use(names[i], &err))
			fail_msg("\"%s\" was taken", names[i]);
		assert_int_equal(err.code, ERR_USAGE);
		assert_non_null(err.hint);
		error_clear(&err);
	}
}

static void test_the_hour_that_comes_twice_has_two_offsets(void **state)
{
	(void)state;
	use("Europe/Berlin");
	assert_rfc3339(AUTUMN_MS - 1800000, "2026-10-25T02:30:00+02:00");
	assert_rfc3339(AUTUMN_MS + 1800000, "2026-10-25T02:30:00+01:00");
}

static void test_an_ambiguous_civil_time_is_the_earlier_one(void **state)
{
	(void)state;
	use("Europe/Berlin");
	struct tm civil = {
		.tm_year = 126, .tm_mon = 9, .tm_mday = 25, .tm_hour = 2, .tm_min = 30
	};
	assert_int_equal(zone_instant(civil), AUTUMN_MS - 1800000);
}

static void test_civil_times_come_back(void **state)
{
	(void)state;
	use("Europe/Berlin");
	for (int64_t ms = SPRING_MS - 86400000 * INT64_C(3); ms < SPRING_MS + 86400000 * INT64_C(3);
		ms += 1800000)
		assert_int_equal(zone_instant(zone_civil(ms)), ms);
	struct tm civil = zone_civil(-1);
	assert_int_equal(civil.tm_sec, 59);
}

static int64_t at(const char *text)
{
	int64_t ms;
	assert_true(clock_parse(text, &ms));
	return ms;
}

static void test_days_weeks_and_months_begin_at_local_midnight(void **state)
{
	(void)state;
	use("Europe/Berlin");
	int64_t now_ms = at("2026-10-25T12:00:00+01:00"); /* a Sunday of 25 hours */
	assert_int_equal(zone_day(now_ms, 0), at("2026-10-25T00:00:00+02:00"));
	assert_int_equal(zone_day(now_ms, 1), at("2026-10-26T00:00:00+01:00"));
	assert_int_equal(zone_day(now_ms, -210), at("2026-03-29T00:00:00+01:00"));
	assert_int_equal(zone_week(now_ms, 0), at("2026-10-19T00:00:00+02:00"));
	assert_int_equal(zone_week(now_ms, 1), at("2026-10-26T00:00:00+01:00"));
	assert_int_equal(zone_month(now_ms, 0), at("2026-10-01T00:00:00+02:00"));
	assert_int_equal(zone_month(now_ms, 3), at("2027-01-01T00:00:00+01:00"));
	assert_int_equal(
		zone_month(at("2026-12-31T23:59:59+01:00"), -10), at("2026-02-01T00:00:00+01:00"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zones_are_names_utc_and_offsets),
		cmocka_unit_test(test_changes_of_the_clocks_are_found_to_the_second),
		cmocka_unit_test(test_a_zone_that_is_not_there_is_a_usage_error),
		cmocka_unit_test(test_the_hour_that_comes_twice_has_two_offsets),
		cmocka_unit_test(test_an_ambiguous_civil_time_is_the_earlier_one),
		cmocka_unit_test(test_civil_times_come_back),
		cmocka_unit_test(test_days_weeks_and_months_begin_at_local_midnight),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
