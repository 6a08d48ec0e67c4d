#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backup/store.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/zone.h"

#define ROOM 16

enum kind { WHOLE, PARTIAL, BROKEN };

struct row {
	const char *at;
	enum kind kind;
	const char *rule; /* expected; NULL: it goes */
};

static void check(const struct keep_rules *rules, const struct row *rows, size_t count)
{
	struct stored items[ROOM] = { 0 };
	struct stored_list list = { .items = items, .count = count };
	AUTO(error) struct error err = ERROR_INIT;
	assert_true(zone_use("UTC", &err));
	for (size_t i = 0; i < count; i++) {
		assert_true(clock_parse(rows[i].at, &items[i].at_ms));
		items[i].is_readable = rows[i].kind != BROKEN;
		items[i].is_partial = rows[i].kind == PARTIAL;
	}
	store_choose(rules, &list);
	for (size_t i = 0; i < count; i++) {
		if ((items[i].rule == NULL) != (rows[i].rule == NULL) ||
			(rows[i].rule && strcmp(items[i].rule, rows[i].rule) != 0))
			fail_msg("%s: %s, not %s", rows[i].at,
				items[i].rule ? items[i].rule : "goes",
				rows[i].rule ? rows[i].rule : "goes");
	}
}

static void test_each_rule_keeps_the_newest_of_its_spans(void **state)
{
	static const struct keep_rules rules = { .last = 2, .daily = 3, .weekly = 2, .monthly = 2 };
	static const struct row rows[] = {
		{ "2026-03-04T12:00:00Z", WHOLE, "the newest" },
		{ "2026-03-04T10:00:00Z", WHOLE, "last" },
		{ "2026-03-04T08:00:00Z", WHOLE, NULL },
		{ "2026-03-03T12:00:00Z", WHOLE, "daily" },
		{ "2026-03-02T12:00:00Z", WHOLE, "daily" },
		{ "2026-03-01T12:00:00Z", WHOLE, "weekly" }, /* a Sunday */
		{ "2026-02-28T12:00:00Z", WHOLE, "monthly" },
		{ "2026-01-31T12:00:00Z", WHOLE, NULL },
	};
	(void)state;
	check(&rules, rows, sizeof rows / sizeof *rows);
}

static void test_the_newest_whole_one_stays_without_any_rule(void **state)
{
	static const struct keep_rules rules = { 0 };
	static const struct row rows[] = {
		{ "2026-03-04T12:00:00Z", WHOLE, "the newest" },
		{ "2026-03-03T12:00:00Z", WHOLE, NULL },
	};
	(void)state;
	check(&rules, rows, sizeof rows / sizeof *rows);
}

static void test_partial_and_broken_ones_fulfil_no_rule(void **state)
{
	static const struct keep_rules rules = { .last = 1 };
	static const struct row rows[] = {
		{ "2026-03-05T12:00:00Z", PARTIAL, "no whole one is newer" },
		{ "2026-03-04T12:00:00Z", WHOLE, "the newest" },
		{ "2026-03-03T12:00:00Z", PARTIAL, NULL },
		{ "2026-03-02T12:00:00Z", BROKEN, "it cannot be read" },
		{ "2026-03-01T12:00:00Z", WHOLE, NULL },
	};
	(void)state;
	check(&rules, rows, sizeof rows / sizeof *rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_rule_keeps_the_newest_of_its_spans),
		cmocka_unit_test(test_the_newest_whole_one_stays_without_any_rule),
		cmocka_unit_test(test_partial_and_broken_ones_fulfil_no_rule),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
