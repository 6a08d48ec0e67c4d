#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/ingest/exponential.h"

/* The bounds of a bucket by the data model: (base^index, base^(index+1)], base = 2^(2^-scale). */
static double bound(int32_t scale, int64_t index)
{
	return exp2(ldexp((double)index, -scale));
}

static void assert_near(double a, double b)
{
	if (a == b)
		return;
	if (!(fabs(a - b) <= fabs(b) * 1e-12))
		fail_msg("%.17g is not %.17g", a, b);
}

static void test_scale_3_keeps_every_bucket_where_it_is(void **state)
{
	(void)state;
	for (int64_t i = EXPONENTIAL_INDEX_MIN + 1; i < EXPONENTIAL_INDEX_MAX; i++) {
		assert_near(exponential_le(exponential_part(3, i, EXPONENTIAL_POSITIVE)),
			bound(3, i + 1));
		assert_near(
			exponential_le(exponential_part(3, i, EXPONENTIAL_NEGATIVE)), -bound(3, i));
	}
}

static void test_powers_of_two_are_exact(void **state)
{
	(void)state;
	for (int e = -1021; e < 1024; e++) {
		double le = exponential_le(
			exponential_part(3, (int64_t)e * 8 - 1, EXPONENTIAL_POSITIVE));
		assert_true(le == ldexp(1.0, e));
	}
}

static void test_finer_scales_are_merged_into_the_bucket_that_holds_them(void **state)
{
	(void)state;
	for (int32_t scale = 4; scale <= 20; scale++) {
		for (int64_t i = -3000; i <= 3000; i += 7) {
			uint32_t part = exponential_part(scale, i, EXPONENTIAL_POSITIVE);
			double le = exponential_le(part);
			assert_true(bound(scale, i + 1) <= le * (1 + 1e-12));
			assert_true(bound(scale, i) >= le / bound(3, 1) * (1 - 1e-12));
			double negative =
				exponential_le(exponential_part(scale, i, EXPONENTIAL_NEGATIVE));
			assert_true(-bound(scale, i) <= negative * (1 - 1e-12));
		}
	}
}

static void test_coarser_scales_keep_their_upper_bound(void **state)
{
	(void)state;
	for (int32_t scale = 2; scale >= -8; scale--) {
		for (int64_t i = -40; i <= 40; i++) {
			double upper = bound(scale, i + 1), lower = bound(scale, i);
			uint32_t part = exponential_part(scale, i, EXPONENTIAL_POSITIVE);
			if (upper >= 0x1p-1022 && upper <= DBL_MAX)
				assert_near(exponential_le(part), upper);
			part = exponential_part(scale, i, EXPONENTIAL_NEGATIVE);
			if (lower > 0x1p-1022 && lower <= DBL_MAX)
				assert_near(exponential_le(part), -lower);
		}
	}
}

static void test_parts_are_small_for_common_values(void **state)
{
	(void)state;
	assert_int_equal(exponential_zero_part(0), 2);
	assert_int_equal(exponential_part(3, 0, EXPONENTIAL_POSITIVE), 3);
	assert_true(exponential_part(3, 160, EXPONENTIAL_POSITIVE) < 1024);
	assert_true(exponential_part(3, 511 * 8 - 1, EXPONENTIAL_NEGATIVE) < 16384);
	assert_true(exponential_part(3, -511 * 8, EXPONENTIAL_NEGATIVE) < 16384);
}

static void test_whatever_scale_and_index_come_the_part_is_a_bucket(void **state)
{
	(void)state;
	static const int64_t indices[] = { INT64_MIN, INT64_MIN + 1, INT32_MIN, -100000, -1, 0, 1,
		100000, INT32_MAX, INT64_MAX - 1, INT64_MAX };
	static const int32_t scales[] = { INT32_MIN, -1000, -30, -11, -10, 0, 2, 3, 4, 20, 66, 67,
		1000, INT32_MAX };
	for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
		for (size_t i = 0; i < sizeof indices / sizeof *indices; i++) {
			for (int sign = 0; sign < 2; sign++) {
				uint32_t part = exponential_part(
					scales[s], indices[i], (enum exponential_sign)sign);
				assert_in_range(part, 2, EXPONENTIAL_PART_MAX);
				assert_true(isfinite(exponential_le(part)));
				assert_true(exponential_order(part) != INT32_MAX);
			}
		}
	}
}

static void test_outside_of_the_doubles_the_nearest_part_is_taken(void **state)
{
	(void)state;
	assert_true(exponential_le(exponential_part(0, 5000, EXPONENTIAL_POSITIVE)) == DBL_MAX);
	assert_true(exponential_le(exponential_part(0, -5000, EXPONENTIAL_POSITIVE)) == 0x1p-1022);
	assert_int_equal(exponential_part(0, -5000, EXPONENTIAL_NEGATIVE), EXPONENTIAL_PART_ZERO);
	assert_int_equal(exponential_part(3, EXPONENTIAL_INDEX_MIN, EXPONENTIAL_NEGATIVE),
		EXPONENTIAL_PART_ZERO);
	assert_true(exponential_le(exponential_part(-10, 0, EXPONENTIAL_POSITIVE)) == DBL_MAX);
	assert_true(exponential_le(exponential_part(-10, -1, EXPONENTIAL_POSITIVE)) == 1);
	assert_true(exponential_le(exponential_part(-10, -1, EXPONENTIAL_NEGATIVE)) == 0);
	assert_true(exponential_le(exponential_part(-11, -1, EXPONENTIAL_POSITIVE)) == 1);
	assert_true(exponential_le(exponential_part(67, -1, EXPONENTIAL_POSITIVE)) == 1);
}

static void test_the_zero_bucket_lies_at_zero_or_in_the_bucket_of_its_threshold(void **state)
{
	(void)state;
	static const double thresholds[] = { 1e-320, DBL_MIN, 1e-9, 0.1, 0.5, 1, 1.05, 3, 1e9,
		0x1.fp1023, DBL_MAX, HUGE_VAL };
	assert_int_equal(exponential_zero_part(0), EXPONENTIAL_PART_ZERO);
	assert_int_equal(exponential_zero_part(-1), EXPONENTIAL_PART_ZERO);
	assert_int_equal(exponential_zero_part(nan("")), EXPONENTIAL_PART_ZERO);
	assert_true(exponential_le(EXPONENTIAL_PART_ZERO) == 0);
	for (size_t i = 0; i < sizeof thresholds / sizeof *thresholds; i++) {
		double le = exponential_le(exponential_zero_part(thresholds[i]));
		assert_true(le >= thresholds[i] || isinf(thresholds[i]));
		assert_true(le <= fmax(thresholds[i], DBL_MIN) * 1.0906);
	}
	assert_true(exponential_le(exponential_zero_part(0.5)) == 0.5);
}

/* Every part's order and bound ascend together, strictly: no two lines of a histogram have the same le. */
static void test_order_and_bound_ascend_together(void **state)
{
	(void)state;
	const int32_t span = EXPONENTIAL_INDEX_MAX - EXPONENTIAL_INDEX_MIN + 1;
	static double le_by_order[2 * (EXPONENTIAL_INDEX_MAX - EXPONENTIAL_INDEX_MIN + 1) + 1];
	static bool is_seen[sizeof le_by_order / sizeof *le_by_order];
	for (uint32_t part = 2; part <= EXPONENTIAL_PART_MAX; part++) {
		int32_t order = exponential_order(part);
		if (order == INT32_MAX)
			continue;
		assert_in_range(order + span, 0, 2 * span);
		assert_false(is_seen[order + span]);
		is_seen[order + span] = true;
		le_by_order[order + span] = exponential_le(part);
	}
	double last = -HUGE_VAL;
	for (int32_t i = 0; i <= 2 * span; i++) {
		if (!is_seen[i])
			continue;
		/* the negative parts next to zero, which no bucket is given, may share a bound */
		bool is_used = i >= span || le_by_order[i] < -0x1p-1022;
		assert_true(is_used ? le_by_order[i] > last : le_by_order[i] >= last);
		last = le_by_order[i];
	}
}

static void test_other_parts_are_no_buckets(void **state)
{
	(void)state;
	static const uint32_t parts[] = { 0, 1, EXPONENTIAL_PART_MAX + 1, UINT32_MAX };
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		assert_true(isinf(exponential_le(parts[i])));
		assert_int_equal(exponential_order(parts[i]), INT32_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scale_3_keeps_every_bucket_where_it_is),
		cmocka_unit_test(test_powers_of_two_are_exact),
		cmocka_unit_test(test_finer_scales_are_merged_into_the_bucket_that_holds_them),
		cmocka_unit_test(test_coarser_scales_keep_their_upper_bound),
		cmocka_unit_test(test_parts_are_small_for_common_values),
		cmocka_unit_test(test_whatever_scale_and_index_come_the_part_is_a_bucket),
		cmocka_unit_test(test_outside_of_the_doubles_the_nearest_part_is_taken),
		cmocka_unit_test(
			test_the_zero_bucket_lies_at_zero_or_in_the_bucket_of_its_threshold),
		cmocka_unit_test(test_order_and_bound_ascend_together),
		cmocka_unit_test(test_other_parts_are_no_buckets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
