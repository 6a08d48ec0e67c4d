#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/ledger/cells.h"

struct item {
	uint32_t key[2];
	int value;
};

static int by_value(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	return (x->value > y->value) - (x->value < y->value);
}

static void test_items_are_found_by_key_among_many(void **state)
{
	(void)state;
	struct cells cells = CELLS_INIT(struct item, 8);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 5000; i++) {
			uint32_t key[2] = { i % 70, i / 70 };
			bool is_new;
			struct item *item = cells_add(&cells, key, &is_new);
			assert_int_equal(is_new, round == 0);
			assert_int_equal(item->value, round == 0 ? 0 : (int)i);
			item->value = (int)i;
		}
	}
	assert_int_equal(cells.count, 5000);
	uint32_t missing[2] = { 71, 0 };
	assert_null(cells_find(&cells, missing));
	cells_clear(&cells);
	assert_null(cells_find(&cells, missing));
}

static void test_sorted_items_are_in_order_and_the_table_is_usable_after_clear(void **state)
{
	(void)state;
	struct cells cells = CELLS_INIT(struct item, 8);
	bool is_new;
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 100; i++) {
			uint32_t key[2] = { i, 0 };
			struct item *item = cells_add(&cells, key, &is_new);
			assert_true(is_new);
			item->value = (int)(i * 37 % 100);
		}
		cells_sort(&cells, by_value);
		for (size_t i = 0; i < 100; i++)
			assert_int_equal(((const struct item *)cells_at(&cells, i))->value, i);
		cells_clear(&cells);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items_are_found_by_key_among_many),
		cmocka_unit_test(
			test_sorted_items_are_in_order_and_the_table_is_usable_after_clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
