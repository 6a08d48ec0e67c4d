#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "histogram.h"

static struct histogram h;

static int setup(void **state)
{
	(void)state;
	h = (struct histogram){ 0 };
	return 0;
}

static void assert_near(uint64_t value, uint64_t truth)
{
	assert_in_range(value, truth, truth + truth / 63);
}

static void test_an_empty_histogram_has_quantile_zero(void **state)
{
	(void)state;
	assert_int_equal(histogram_quantile(&h, 500), 0);
}

static void test_small_values_are_exact(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 60; i++)
		histogram_add(&h, i);
	assert_int_equal(histogram_quantile(&h, 500), 30);
	assert_int_equal(histogram_quantile(&h, 1000), 60);
}

static void test_quantiles_of_large_values_are_right_to_a_step(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 100000; i++)
		histogram_add(&h, i * 977);
	assert_near(histogram_quantile(&h, 500), UINT64_C(50000) * 977);
	assert_near(histogram_quantile(&h, 990), UINT64_C(99000) * 977);
	assert_int_equal(h.max, UINT64_C(100000) * 977);
}

static void test_no_quantile_passes_the_maximum(void **state)
{
	(void)state;
	histogram_add(&h, 1000001);
	assert_int_equal(histogram_quantile(&h, 500), 1000001);
}

static void test_the_largest_number_has_a_slot(void **state)
{
	(void)state;
	histogram_add(&h, UINT64_MAX);
	assert_true(histogram_quantile(&h, 990) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_an_empty_histogram_has_quantile_zero, setup),
		cmocka_unit_test_setup(test_small_values_are_exact, setup),
		cmocka_unit_test_setup(test_quantiles_of_large_values_are_right_to_a_step, setup),
		cmocka_unit_test_setup(test_no_quantile_passes_the_maximum, setup),
		cmocka_unit_test_setup(test_the_largest_number_has_a_slot, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
