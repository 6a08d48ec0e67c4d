#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "report/grouping.h"

#define HOUR_MS	  INT64_C(3600000)
#define SPRING_MS INT64_C(1774746000000) /* Berlin's clocks jump from 2 to 3 */
#define AUTUMN_MS INT64_C(1792890000000) /* from 3 back to 2 */

static void use(const char *zone)
{
	struct error err = ERROR_INIT;
	if (!zone_use(zone, &err))
		fail_msg("%s", err.message);
}

static void assert_key(enum report_by by, int64_t ms, const char *expected)
{
	char key[ZONE_TEXT_MAX];
	grouping_time_key(by, ms, key);
	assert_string_equal(key, expected);
}

static void test_hours_around_the_change_of_clocks_are_told_apart(void **state)
{
	(void)state;
	use("Europe/Berlin");
	assert_key(BY_HOUR, SPRING_MS - 1, "2026-03-29T01:00+01:00");
	assert_key(BY_HOUR, SPRING_MS, "2026-03-29T03:00+02:00");
	assert_key(BY_HOUR, AUTUMN_MS - HOUR_MS, "2026-10-25T02:00+02:00");
	assert_key(BY_HOUR, AUTUMN_MS - 1, "2026-10-25T02:00+02:00");
	assert_key(BY_HOUR, AUTUMN_MS, "2026-10-25T02:00+01:00");
	assert_key(BY_HOUR, AUTUMN_MS + HOUR_MS, "2026-10-25T03:00+01:00");
}

static void test_days_around_the_change_of_clocks_begin_at_midnight(void **state)
{
	(void)state;
	use("Europe/Berlin");
	assert_key(BY_DAY, SPRING_MS + 21 * HOUR_MS - 1, "2026-03-29");
	assert_key(BY_DAY, SPRING_MS + 21 * HOUR_MS, "2026-03-30");
	assert_key(BY_DAY, AUTUMN_MS - 3 * HOUR_MS, "2026-10-25");
	assert_key(BY_DAY, AUTUMN_MS - 3 * HOUR_MS - 1, "2026-10-24");
	assert_key(BY_DAY, AUTUMN_MS + 22 * HOUR_MS - 1, "2026-10-25");
	assert_key(BY_DAY, AUTUMN_MS + 22 * HOUR_MS, "2026-10-26");
}

static void test_weeks_are_iso_weeks(void **state)
{
	(void)state;
	use("UTC");
	assert_key(BY_WEEK, INT64_C(1798761600000), "2026-W53"); /* Friday, 2027-01-01 */
	assert_key(BY_WEEK, INT64_C(1798934400000), "2026-W53"); /* Sunday */
	assert_key(BY_WEEK, INT64_C(1799020800000), "2027-W01"); /* Monday */
	assert_key(BY_MONTH, INT64_C(1798761600000) - 1, "2026-12");
}

static void test_hours_follow_a_zone_of_half_an_hour(void **state)
{
	(void)state;
	use("Asia/Kolkata");
	assert_key(BY_HOUR, INT64_C(1798761600000), "2027-01-01T05:00+05:30");
	assert_key(BY_HOUR, INT64_C(1798761600000) + HOUR_MS / 2, "2027-01-01T06:00+05:30");
}

static void test_a_group_is_found_again_among_many(void **state)
{
	(void)state;
	struct grouping grouping = { 0 };
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 1000; i++) {
			char key[16];
			snprintf(key, sizeof key, "k%d", i);
			struct report_group *g = grouping_get(&grouping, key);
			assert_string_equal(g->key, key);
			figures_add(&g->figures, FIGURE_COST, i);
		}
	}
	struct report report = { .by = BY_MODEL };
	grouping_finish(&grouping, &report);
	assert_int_equal(report.group_count, 1000);
	/* The most expensive first. */
	assert_string_equal(report.groups[0]->key, "k999");
	assert_true(figures_value(&report.groups[0]->figures, FIGURE_COST) > 1997.5);
	assert_string_equal(report.groups[999]->key, "k0");
	report_clear(&report);
}

static void test_groups_of_time_are_in_its_order(void **state)
{
	(void)state;
	use("Europe/Berlin");
	struct grouping grouping = { 0 };
	for (int64_t at = AUTUMN_MS + HOUR_MS; at >= AUTUMN_MS - 2 * HOUR_MS; at -= HOUR_MS) {
		char key[ZONE_TEXT_MAX];
		grouping_time_key(BY_HOUR, at, key);
		grouping_get(&grouping, key)->at_ms = at;
	}
	struct report report = { .by = BY_HOUR };
	grouping_finish(&grouping, &report);
	assert_int_equal(report.group_count, 4);
	assert_string_equal(report.groups[0]->key, "2026-10-25T01:00+02:00");
	assert_string_equal(report.groups[1]->key, "2026-10-25T02:00+02:00");
	assert_string_equal(report.groups[2]->key, "2026-10-25T02:00+01:00");
	assert_string_equal(report.groups[3]->key, "2026-10-25T03:00+01:00");
	report_clear(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hours_around_the_change_of_clocks_are_told_apart),
		cmocka_unit_test(test_days_around_the_change_of_clocks_begin_at_midnight),
		cmocka_unit_test(test_weeks_are_iso_weeks),
		cmocka_unit_test(test_hours_follow_a_zone_of_half_an_hour),
		cmocka_unit_test(test_a_group_is_found_again_among_many),
		cmocka_unit_test(test_groups_of_time_are_in_its_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
