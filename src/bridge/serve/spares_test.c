#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/serve/spares.h"

static struct buf filled(size_t len)
{
	struct buf b = BUF_INIT(BUF_UNLIMITED);
	unsigned char *to = buf_reserve(&b, len);
	assert_non_null(to);
	memset(to, 'x', len);
	buf_wrote(&b, len);
	return b;
}

static void test_spares_hand_a_large_buffer_on_empty(void **state)
{
	struct spares spares = { 0 };
	struct buf b = filled(1 << 20);
	const unsigned char *memory = b.data;
	(void)state;
	spares_give(&spares, &b, 1000);
	assert_null(b.data);
	struct buf again = spares_take(&spares, 1 << 20);
	assert_ptr_equal(again.data, memory);
	assert_int_equal(again.len, 0);
	assert_int_equal(again.max, 1 << 20);
	buf_clear(&again);
	spares_clear(&spares);
}

static void test_spares_keep_neither_small_nor_huge_nor_many(void **state)
{
	struct spares spares = { 0 };
	struct buf small = filled(1000), huge = filled(SPARE_MAX + 1);
	(void)state;
	spares_give(&spares, &small, 1000);
	spares_give(&spares, &huge, 1000);
	assert_null(spares_take(&spares, 1 << 20).data);
	for (unsigned i = 0; i < SPARES_COUNT + 2; i++) {
		struct buf b = filled(SPARE_MIN);
		spares_give(&spares, &b, 1000);
	}
	for (unsigned i = 0; i < SPARES_COUNT; i++) {
		struct buf b = spares_take(&spares, 1 << 20);
		assert_non_null(b.data);
		buf_clear(&b);
	}
	assert_null(spares_take(&spares, 1 << 20).data);
}

static void test_spares_give_small_bodies_nothing(void **state)
{
	struct spares spares = { 0 };
	struct buf b = filled(1 << 20);
	(void)state;
	spares_give(&spares, &b, 1000);
	assert_null(spares_take(&spares, 1000).data);
	spares_clear(&spares);
}

static void test_spares_expire_when_no_large_body_comes(void **state)
{
	struct spares spares = { 0 };
	struct buf b = filled(1 << 20);
	(void)state;
	spares_give(&spares, &b, 1000);
	spares_expire(&spares, 2000);
	b = spares_take(&spares, 1 << 20);
	assert_non_null(b.data);
	b.len = 10; /* a small body in a large buffer does not count as use */
	spares_give(&spares, &b, 2900);
	spares_expire(&spares, 3000);
	assert_null(spares_take(&spares, 1 << 20).data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spares_hand_a_large_buffer_on_empty),
		cmocka_unit_test(test_spares_keep_neither_small_nor_huge_nor_many),
		cmocka_unit_test(test_spares_give_small_bodies_nothing),
		cmocka_unit_test(test_spares_expire_when_no_large_body_comes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
