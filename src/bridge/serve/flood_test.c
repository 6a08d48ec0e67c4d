#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/serve/flood.h"

static int paid(struct flood *f, int32_t price, int64_t now_ms)
{
	int n = 0;
	while (n < 100000 && flood_pay(f, price, now_ms))
		n++;
	return n;
}

static void test_a_full_purse_pays_for_a_burst(void **state)
{
	struct flood f = flood_init(0);
	(void)state;
	assert_int_equal(paid(&f, FLOOD_FRAME, 0), FLOOD_PURSE / FLOOD_FRAME);
	f = flood_init(0);
	assert_int_equal(paid(&f, FLOOD_STREAM, 0), FLOOD_PURSE / FLOOD_STREAM);
}

static void test_time_fills_it_and_not_past_its_rim(void **state)
{
	struct flood f = flood_init(0);
	(void)state;
	paid(&f, FLOOD_FRAME, 0);
	assert_int_equal(paid(&f, FLOOD_FRAME, 1000), FLOOD_PER_S);
	assert_int_equal(paid(&f, FLOOD_FRAME, 1000), 0);
	assert_int_equal(paid(&f, FLOOD_FRAME, INT64_C(1000000000000)), FLOOD_PURSE);
}

static void test_looking_often_loses_no_time(void **state)
{
	struct flood f = flood_init(0);
	int n = 0;
	(void)state;
	paid(&f, FLOOD_FRAME, 0);
	for (int64_t ms = 1; ms <= 1000; ms++)
		n += paid(&f, FLOOD_FRAME, ms);
	assert_int_equal(n, FLOOD_PER_S);
}

static void test_work_earns(void **state)
{
	struct flood f = flood_init(0);
	(void)state;
	paid(&f, FLOOD_FRAME, 0);
	flood_earn(&f, FLOOD_ANSWERED);
	assert_int_equal(paid(&f, FLOOD_FRAME, 0), FLOOD_ANSWERED);
	for (int i = 0; i < FLOOD_PURSE; i++)
		flood_earn(&f, FLOOD_ANSWERED);
	assert_int_equal(paid(&f, FLOOD_FRAME, 0), FLOOD_PURSE);
}

static void test_a_stream_that_is_reset_costs_more_than_it_could_have_earned(void **state)
{
	(void)state;
	assert_true(FLOOD_STREAM > FLOOD_ANSWERED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_full_purse_pays_for_a_burst),
		cmocka_unit_test(test_time_fills_it_and_not_past_its_rim),
		cmocka_unit_test(test_looking_often_loses_no_time),
		cmocka_unit_test(test_work_earns),
		cmocka_unit_test(test_a_stream_that_is_reset_costs_more_than_it_could_have_earned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
