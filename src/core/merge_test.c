#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/merge.h"

/* The merged text, or NULL where both sides clash. */
static const char *merged(const char *base, const char *ours, const char *theirs)
{
	static char text[4096];
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	if (!merge_lines(slice_str(base), slice_str(ours), slice_str(theirs), &out))
		return NULL;
	snprintf(text, sizeof text, "%s", buf_str(&out));
	return text;
}

static void test_changes_in_different_places_are_both_made(void **state)
{
	(void)state;
	assert_string_equal(merged("1\n2\n3\n4\n5\n", "one\n2\n3\n4\n5\n", "1\n2\n3\n4\nfive\n"),
		"one\n2\n3\n4\nfive\n");
}

static void test_the_same_change_on_both_sides_is_made_once(void **state)
{
	(void)state;
	assert_string_equal(merged("1\n2\n3\n", "1\ntwo\n3\n", "1\ntwo\n3\n"), "1\ntwo\n3\n");
}

static void test_different_changes_of_a_line_clash(void **state)
{
	(void)state;
	assert_null(merged("1\n2\n3\n", "1\ntwo\n3\n", "1\nzwei\n3\n"));
}

static void test_changes_that_touch_clash(void **state)
{
	(void)state;
	assert_null(merged("1\n2\n3\n4\n", "1\ntwo\n3\n4\n", "1\n2\nthree\n4\n"));
}

static void test_a_line_that_one_deletes_and_the_other_changes_clashes(void **state)
{
	(void)state;
	assert_null(merged("1\n2\n3\n", "1\n3\n", "1\nzwei\n3\n"));
}

static void test_lines_added_at_the_end_of_both_clash_unless_they_are_the_same(void **state)
{
	(void)state;
	assert_null(merged("1\n", "1\na\n", "1\nb\n"));
	assert_string_equal(merged("1\n", "1\na\n", "1\na\n"), "1\na\n");
}

static void test_a_final_newline_is_a_change_like_others(void **state)
{
	(void)state;
	assert_string_equal(merged("1\n2\n3", "1\n2\n3\n", "one\n2\n3"), "one\n2\n3\n");
}

static void test_nothing_is_merged_with_nothing(void **state)
{
	(void)state;
	assert_string_equal(merged("", "", ""), "");
	assert_string_equal(merged("", "a\n", ""), "a\n");
	assert_string_equal(merged("a\n", "", "a\n"), "");
	assert_null(merged("", "a\n", "b\n"));
}

static void test_line_ends_of_windows_are_parts_of_lines(void **state)
{
	(void)state;
	assert_string_equal(
		merged("1\r\n2\r\n3\r\n", "one\r\n2\r\n3\r\n", "1\r\n2\r\n3\n"), "one\r\n2\r\n3\n");
}

static void test_nul_is_a_byte_like_others(void **state)
{
	(void)state;
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	assert_true(merge_lines(SLICE_LIT("a\0b\nc\nd\0\n"), SLICE_LIT("a\0X\nc\nd\0\n"),
		SLICE_LIT("a\0b\nc\nd\0Y\n"), &out));
	assert_true(slice_eq(buf_slice(&out), SLICE_LIT("a\0X\nc\nd\0Y\n")));
}

static void test_a_line_of_a_mebibyte_is_merged(void **state)
{
	(void)state;
	AUTO(buf) struct buf base = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf ours = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	buf_addf(&base, "%0*d", 1 << 20, 1);
	buf_add(&ours, base.data, base.len);
	buf_adds(&ours, "\n");
	assert_true(merge_lines(buf_slice(&base), buf_slice(&ours), buf_slice(&base), &out));
	assert_true(slice_eq(buf_slice(&out), buf_slice(&ours)));
}

/* ---- random texts: what holds for every merge ---- */

#define CASES 20000

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

static void add_random_text(struct buf *out, uint32_t *random)
{
	for (unsigned count = next_random(random) % 12; count; count--)
		buf_addf(out, "%c\n", 'a' + (int)(next_random(random) % 5));
}

static void assert_merges_to(const struct buf *base, const struct buf *ours,
	const struct buf *theirs, const struct buf *expected)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	assert_true(merge_lines(buf_slice(base), buf_slice(ours), buf_slice(theirs), &out));
	assert_true(slice_eq(buf_slice(&out), buf_slice(expected)));
}

static void test_one_side_alone_always_wins(void **state)
{
	(void)state;
	uint32_t random = 7;
	for (int i = 0; i < CASES; i++) {
		AUTO(buf) struct buf base = BUF_INIT(BUF_UNLIMITED);
		AUTO(buf) struct buf side = BUF_INIT(BUF_UNLIMITED);
		add_random_text(&base, &random);
		add_random_text(&side, &random);
		assert_merges_to(&base, &side, &base, &side);
		assert_merges_to(&base, &base, &side, &side);
		assert_merges_to(&base, &side, &side, &side);
	}
}

static void test_both_ways_round_give_the_same(void **state)
{
	(void)state;
	uint32_t random = 11;
	int clean = 0;
	for (int i = 0; i < CASES; i++) {
		AUTO(buf) struct buf base = BUF_INIT(BUF_UNLIMITED);
		AUTO(buf) struct buf a = BUF_INIT(BUF_UNLIMITED);
		AUTO(buf) struct buf b = BUF_INIT(BUF_UNLIMITED);
		AUTO(buf) struct buf ab = BUF_INIT(BUF_UNLIMITED);
		AUTO(buf) struct buf ba = BUF_INIT(BUF_UNLIMITED);
		add_random_text(&base, &random);
		add_random_text(&a, &random);
		add_random_text(&b, &random);
		bool is_clean = merge_lines(buf_slice(&base), buf_slice(&a), buf_slice(&b), &ab);
		assert_int_equal(
			is_clean, merge_lines(buf_slice(&base), buf_slice(&b), buf_slice(&a), &ba));
		assert_true(!is_clean || slice_eq(buf_slice(&ab), buf_slice(&ba)));
		clean += is_clean;
	}
	assert_in_range(clean, CASES / 100, CASES - CASES / 100); /* else nothing was tried */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes_in_different_places_are_both_made),
		cmocka_unit_test(test_the_same_change_on_both_sides_is_made_once),
		cmocka_unit_test(test_different_changes_of_a_line_clash),
		cmocka_unit_test(test_changes_that_touch_clash),
		cmocka_unit_test(test_a_line_that_one_deletes_and_the_other_changes_clashes),
		cmocka_unit_test(
			test_lines_added_at_the_end_of_both_clash_unless_they_are_the_same),
		cmocka_unit_test(test_a_final_newline_is_a_change_like_others),
		cmocka_unit_test(test_nothing_is_merged_with_nothing),
		cmocka_unit_test(test_line_ends_of_windows_are_parts_of_lines),
		cmocka_unit_test(test_nul_is_a_byte_like_others),
		cmocka_unit_test(test_a_line_of_a_mebibyte_is_merged),
		cmocka_unit_test(test_one_side_alone_always_wins),
		cmocka_unit_test(test_both_ways_round_give_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
