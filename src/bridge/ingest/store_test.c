/* The counters: exact sums, what is live and shown, and what an epoch leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/ingest/ingest_testing.h"

#define HOLD_MS 15000

static struct series *define(struct store *s, enum series_kind kind, const char *family)
{
	struct op_series *d = mem_zalloc(sizeof *d);
	d->kind = kind;
	d->metric = d->family = slice_str(family);
	d->unit = d->help = slice_str("");
	struct series *made = store_define(s, d);
	free(d);
	return made;
}

/* Too large for the stack: it has room for any definition. */
static struct op *new_op(enum op_kind kind)
{
	struct op *op = mem_zalloc(sizeof *op);
	op->kind = kind;
	return op;
}

static void add(struct store *s, const struct series *series, double amount)
{
	struct op *op = new_op(OP_ADD);
	op->u.add = (struct op_add){ series->id, 0, amount };
	store_apply(s, op);
	free(op);
}

static void set(struct store *s, const struct series *series, int64_t time_ms, double value)
{
	struct op *op = new_op(OP_SET);
	op->u.set = (struct op_set){ series->id, 0, time_ms, value };
	store_apply(s, op);
	free(op);
}

static void scrape_held(struct store *s, int64_t time_ms, int64_t hold_ms)
{
	struct op *op = new_op(OP_SCRAPE);
	op->u.scrape = (struct op_scrape){ time_ms, hold_ms };
	store_apply(s, op);
	free(op);
}

static void scrape(struct store *s, int64_t time_ms)
{
	scrape_held(s, time_ms, 0);
}

static void epoch(struct store *s, uint64_t start_ns)
{
	struct op *op = new_op(OP_EPOCH);
	op->u.epoch.start_ns = start_ns;
	store_apply(s, op);
	free(op);
}

static void test_ten_million_additions_are_right_to_a_billionth(void **state)
{
	(void)state;
	struct store *s = store_new();
	struct series *series = define(s, SERIES_COUNTER, "x");
	struct op *op = new_op(OP_ADD);
	op->u.add = (struct op_add){ series->id, 0, 0.0123 };
	for (int i = 0; i < 10000000; i++)
		store_apply(s, op);
	assert_near(part_value(series_part(series, 0)), 123000, 1e-9);
	free(op);
	store_free(s);
}

static void test_small_amounts_beside_large_ones_are_not_lost(void **state)
{
	(void)state;
	struct store *s = store_new();
	struct series *series = define(s, SERIES_COUNTER, "x");
	add(s, series, 1);
	add(s, series, 1e100);
	add(s, series, 1);
	add(s, series, -1e100);
	assert_value(part_value(series_part(series, 0)), 2);
	store_free(s);
}

static void test_a_defined_series_is_not_live_before_it_has_a_value(void **state)
{
	(void)state;
	struct store *s = store_new();
	struct series *series = define(s, SERIES_COUNTER, "x");
	assert_false(series->is_live);
	assert_false(store_has_unshown(s));
	add(s, series, 0);
	assert_true(series->is_live);
	assert_true(store_has_unshown(s));
	assert_true(store_has_unscraped(s));
	store_free(s);
}

static void test_a_definition_of_a_known_id_changes_nothing(void **state)
{
	(void)state;
	struct store *s = store_new();
	struct series *series = define(s, SERIES_COUNTER, "x");
	struct op *op = new_op(OP_SERIES);
	op->series.id = series->id;
	op->series.kind = SERIES_GAUGE;
	op->series.family = op->series.metric = SLICE_LIT("other");
	op->series.unit = op->series.help = SLICE_LIT("");
	store_apply(s, op);
	assert_ptr_equal(store_by_id(s, series->id), series);
	assert_null(store_family(s, "other", 5));
	/* Nor does one whose id no journal of ours can hold. */
	op->series.id = UINT32_MAX;
	store_apply(s, op);
	assert_int_equal(store_series_count(s), 1);
	free(op);
	store_free(s);
}

static void test_a_family_has_one_kind(void **state)
{
	(void)state;
	struct store *s = store_new();
	assert_non_null(define(s, SERIES_COUNTER, "x"));
	assert_null(define(s, SERIES_GAUGE, "x"));
	store_free(s);
}

static void test_operations_on_unknown_series_are_counted(void **state)
{
	(void)state;
	struct store *s = store_new();
	const struct series nobody = { .id = 77 };
	add(s, &nobody, 1);
	set(s, &nobody, 1, 1);
	assert_int_equal(store_unresolved(s), 2);
	/* The ledger holds what was added to it: another series must not get its number. */
	assert_int_equal(define(s, SERIES_COUNTER, "x")->id, 78);
	store_free(s);
}

static void test_thousands_of_series_and_families_are_found_again(void **state)
{
	(void)state;
	struct store *s = store_new();
	char name[32];
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof name, "family_%d", i);
		add(s, define(s, SERIES_COUNTER, name), i);
	}
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof name, "family_%d", i);
		const struct series *found = store_find(s, name, strlen(name), "", 0);
		assert_non_null(found);
		assert_value(part_value(series_part(found, 0)), i);
	}
	assert_int_equal(store_family_count(s), 5000);
	store_free(s);
}

static void test_what_is_forgotten_leaves_no_trace(void **state)
{
	(void)state;
	struct store *s = store_new();
	struct series *kept = define(s, SERIES_COUNTER, "x");
	uint32_t first = store_next_id(s);
	char name[32];
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "family_%d", i);
		define(s, SERIES_GAUGE, name);
	}
	store_forget_from(s, first);
	assert_int_equal(store_series_count(s), 1);
	assert_int_equal(store_family_count(s), 1);
	assert_null(store_family(s, "family_7", 8));
	assert_ptr_equal(store_find(s, "x", 1, "", 0), kept);
	const struct series *again = define(s, SERIES_HISTOGRAM, "family_7");
	assert_non_null(again);
	assert_int_equal(again->id, first);
	store_free(s);
}

static void test_parts_in_any_order_are_found_again(void **state)
{
	(void)state;
	struct store *s = store_new();
	struct series *series = define(s, SERIES_EXPONENTIAL, "x");
	struct op *op = new_op(OP_ADD);
	for (uint32_t i = 0; i < 1000; i++) {
		op->u.add = (struct op_add){ series->id, i * 7919 % 1000 * 3, i + 1 };
		store_apply(s, op);
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_value(part_value(series_part(series, i * 7919 % 1000 * 3)), i + 1);
	assert_null(series_part(series, 4));
	free(op);
	store_free(s);
}

static void test_the_newest_time_wins_in_a_gauge(void **state)
{
	(void)state;
	struct store *s = store_new();
	struct series *series = define(s, SERIES_GAUGE, "x");
	set(s, series, 100, 5);
	set(s, series, 90, 4);
	assert_value(part_value(series_part(series, 0)), 5);
	set(s, series, 100, 6);
	assert_value(part_value(series_part(series, 0)), 6);
	store_free(s);
}

static void test_an_epoch_begins_counters_anew_and_leaves_gauges(void **state)
{
	(void)state;
	struct store *s = store_new();
	struct series *counter = define(s, SERIES_COUNTER, "c"),
		      *gauge = define(s, SERIES_GAUGE, "g");
	add(s, counter, 5);
	set(s, gauge, 1, 7);
	scrape(s, 10);
	epoch(s, 77);
	assert_int_equal(store_epoch_ns(s), 77);
	assert_false(counter->is_live);
	assert_true(gauge->is_live);
	assert_value(part_value(series_part(gauge, 0)), 7);
	add(s, counter, 2);
	assert_value(part_value(series_part(counter, 0)), 2);
	assert_int_equal(counter->shown_ms, 0);
	store_free(s);
}

static void test_a_held_value_is_scraped_after_the_hold(void **state)
{
	(void)state;
	struct store *s = store_new();
	struct series *series = define(s, SERIES_COUNTER, "x");
	add(s, series, 5);
	scrape_held(s, 1000, HOLD_MS);
	assert_true(series_is_held(series, 1000, HOLD_MS));
	assert_value(series_part(series, 0)->scraped, 0);
	assert_true(store_has_unscraped(s));
	scrape_held(s, 1000 + HOLD_MS, HOLD_MS);
	assert_false(series_is_held(series, 1000 + HOLD_MS, HOLD_MS));
	assert_value(series_part(series, 0)->scraped, 5);
	assert_false(store_has_unscraped(s));
	store_free(s);
}

static void test_a_value_once_shown_is_not_held_when_the_clock_goes_back(void **state)
{
	(void)state;
	struct store *s = store_new();
	struct series *series = define(s, SERIES_COUNTER, "x");
	add(s, series, 5);
	scrape_held(s, 100000, HOLD_MS);
	scrape_held(s, 100000 + HOLD_MS, HOLD_MS);
	scrape_held(s, 90000, HOLD_MS);
	assert_false(series_is_held(series, 90000, HOLD_MS));
	/* Likewise after a restart from a checkpoint. */
	struct store *again = store_new();
	store_load_epoch(again, 1, 100000 + HOLD_MS);
	struct series *loaded = define(again, SERIES_COUNTER, "x");
	store_load_shown(again, loaded->id, series->shown_ms);
	store_load_part(again, loaded->id, series_part(series, 0));
	assert_false(series_is_held(loaded, 90000, HOLD_MS));
	store_free(again);
	store_free(s);
}

static void test_the_hold_of_a_later_start_changes_nothing_of_what_was_shown(void **state)
{
	(void)state;
	struct store *s = store_new();
	const struct series *series = define(s, SERIES_COUNTER, "x");
	add(s, series, 5);
	scrape_held(s, 1000, 0);
	assert_false(series_is_held(series, 1001, HOLD_MS));
	store_free(s);
}

static void test_a_clock_that_is_set_back_ends_the_hold(void **state)
{
	(void)state;
	struct store *s = store_new();
	const struct series *series = define(s, SERIES_COUNTER, "x");
	add(s, series, 5);
	scrape_held(s, 100000, HOLD_MS);
	assert_true(series_is_held(series, 100001, HOLD_MS));
	assert_false(series_is_held(series, 1000, HOLD_MS));
	store_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ten_million_additions_are_right_to_a_billionth),
		cmocka_unit_test(test_small_amounts_beside_large_ones_are_not_lost),
		cmocka_unit_test(test_a_defined_series_is_not_live_before_it_has_a_value),
		cmocka_unit_test(test_a_definition_of_a_known_id_changes_nothing),
		cmocka_unit_test(test_a_family_has_one_kind),
		cmocka_unit_test(test_operations_on_unknown_series_are_counted),
		cmocka_unit_test(test_thousands_of_series_and_families_are_found_again),
		cmocka_unit_test(test_what_is_forgotten_leaves_no_trace),
		cmocka_unit_test(test_parts_in_any_order_are_found_again),
		cmocka_unit_test(test_the_newest_time_wins_in_a_gauge),
		cmocka_unit_test(test_an_epoch_begins_counters_anew_and_leaves_gauges),
		cmocka_unit_test(test_a_held_value_is_scraped_after_the_hold),
		cmocka_unit_test(test_a_value_once_shown_is_not_held_when_the_clock_goes_back),
		cmocka_unit_test(test_the_hold_of_a_later_start_changes_nothing_of_what_was_shown),
		cmocka_unit_test(test_a_clock_that_is_set_back_ends_the_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
