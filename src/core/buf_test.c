#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"

static void test_buf_refuses_to_grow_past_its_maximum(void **state)
{
	(void)state;
	AUTO(buf) struct buf b = BUF_INIT(4);
	assert_true(buf_append(&b, "abc", 3));
	assert_false(buf_append(&b, "de", 2));
	assert_string_equal(buf_str(&b), "abc");
	assert_true(buf_append(&b, "d", 1));
	assert_false(buf_append(&b, "e", 1));
	assert_int_equal(b.len, 4);
}

static void test_buf_survives_a_length_that_would_overflow(void **state)
{
	(void)state;
	AUTO(buf) struct buf b = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&b, "x");
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_null(buf_reserve(&b, BUF_UNLIMITED));
	assert_string_equal(buf_str(&b), "x");
}

static void test_buf_keeps_a_nul_behind_its_bytes(void **state)
{
	(void)state;
	AUTO(buf) struct buf b = BUF_INIT(BUF_UNLIMITED);
	for (int i = 0; i < 1000; i++) {
		buf_addf(&b, "%d,", i);
		assert_int_equal(strlen(buf_str(&b)), b.len);
	}
}

static void test_buf_is_an_empty_string_before_the_first_byte(void **state)
{
	(void)state;
	AUTO(buf) struct buf b = BUF_INIT(0);
	assert_string_equal(buf_str(&b), "");
	assert_true(buf_append(&b, "", 0));
	assert_false(buf_append(&b, "a", 1));
	buf_drop_front(&b, 0);
}

static void test_buf_reserved_room_alone_changes_nothing(void **state)
{
	(void)state;
	AUTO(buf) struct buf b = BUF_INIT(100);
	assert_non_null(buf_reserve(&b, 50));
	assert_string_equal(buf_str(&b), "");
}

static void test_buf_drops_from_the_front(void **state)
{
	(void)state;
	AUTO(buf) struct buf b = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&b, "abcdef");
	buf_drop_front(&b, 4);
	assert_string_equal(buf_str(&b), "ef");
	buf_drop_front(&b, 2);
	assert_string_equal(buf_str(&b), "");
}

static void test_buf_gives_its_bytes_away_and_can_be_used_again(void **state)
{
	(void)state;
	AUTO(buf) struct buf b = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&b, "first");
	AUTO(str) char *first = buf_detach(&b);
	buf_adds(&b, "second");
	assert_string_equal(first, "first");
	assert_string_equal(buf_str(&b), "second");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf_refuses_to_grow_past_its_maximum),
		cmocka_unit_test(test_buf_survives_a_length_that_would_overflow),
		cmocka_unit_test(test_buf_keeps_a_nul_behind_its_bytes),
		cmocka_unit_test(test_buf_is_an_empty_string_before_the_first_byte),
		cmocka_unit_test(test_buf_reserved_room_alone_changes_nothing),
		cmocka_unit_test(test_buf_drops_from_the_front),
		cmocka_unit_test(test_buf_gives_its_bytes_away_and_can_be_used_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
