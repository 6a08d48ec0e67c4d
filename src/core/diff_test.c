#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/diff.h"

static void assert_diff(const char *before, const char *after, const char *expected)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	diff_unified(&out, "f", "f", slice_str(before), slice_str(after));
	assert_string_equal(buf_str(&out), expected);
}

static void test_equal_texts_have_no_diff(void **state)
{
	(void)state;
	assert_diff("a\nb\n", "a\nb\n", "");
	assert_diff("", "", "");
}

static void test_a_changed_line_stands_between_three_of_context(void **state)
{
	(void)state;
	assert_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
		"--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

static void test_changes_that_are_near_are_one_hunk_and_others_two(void **state)
{
	(void)state;
	assert_diff("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
		"--- a/f\n+++ b/f\n@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n");
	assert_diff("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
		"--- a/f\n+++ b/f\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n "
		"7\n-b\n+B\n");
}

static void test_a_missing_newline_is_said(void **state)
{
	(void)state;
	assert_diff("a\nb", "a\nb\n",
		"--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n");
}

static void test_a_file_that_is_not_there_is_dev_null(void **state)
{
	(void)state;
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	diff_unified(&out, NULL, "f", slice_str(""), slice_str("a\n"));
	assert_string_equal(buf_str(&out), "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n");
}

/* ---- random texts ---- */

#define CASES	  20000
#define LINES_MAX 24

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

static void add_random_text(struct buf *out, uint32_t *random, unsigned kinds)
{
	unsigned count = next_random(random) % LINES_MAX;
	for (unsigned i = 0; i < count; i++)
		buf_addf(out, "%c%s", 'a' + (int)(next_random(random) % kinds),
			i + 1 == count && next_random(random) % 4 == 0 ? "" : "\n");
}

/* Partners rise, and lines that are partners are equal. */
static size_t check_partners(const struct lines *a, const struct lines *b, const size_t *partner)
{
	size_t next = 0, common = 0;
	for (size_t i = 0; i < a->count; i++) {
		if (partner[i] == LINE_GONE)
			continue;
		assert_true(partner[i] >= next && partner[i] < b->count);
		assert_true(slice_eq(a->items[i], b->items[partner[i]]));
		next = partner[i] + 1;
		common++;
	}
	return common;
}

/* The length of a longest common subsequence, by the table that everybody knows. */
static size_t longest_common(const struct lines *a, const struct lines *b)
{
	size_t table[LINES_MAX + 1][LINES_MAX + 1] = { { 0 } };
	for (size_t i = a->count; i-- > 0;) {
		for (size_t j = b->count; j-- > 0;) {
			size_t skip = table[i + 1][j] > table[i][j + 1] ? table[i + 1][j]
									: table[i][j + 1];
			table[i][j] =
				slice_eq(a->items[i], b->items[j]) ? table[i + 1][j + 1] + 1 : skip;
		}
	}
	return table[0][0];
}

static void test_as_many_lines_stay_as_can(void **state)
{
	(void)state;
	uint32_t random = 1;
	for (int i = 0; i < CASES; i++) {
		AUTO(buf) struct buf before = BUF_INIT(BUF_UNLIMITED);
		AUTO(buf) struct buf after = BUF_INIT(BUF_UNLIMITED);
		AUTO(lines) struct lines a = { 0 };
		AUTO(lines) struct lines b = { 0 };
		add_random_text(&before, &random, 2 + (unsigned)i % 6);
		add_random_text(&after, &random, 2 + (unsigned)i % 6);
		lines_split(buf_slice(&before), &a);
		lines_split(buf_slice(&after), &b);
		size_t *partner = lines_match(&a, &b);
		assert_int_equal(check_partners(&a, &b, partner), longest_common(&a, &b));
		free(partner);
	}
}

static void test_texts_with_nothing_in_common_past_the_limit_are_replaced(void **state)
{
	(void)state;
	AUTO(buf) struct buf before = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf after = BUF_INIT(BUF_UNLIMITED);
	AUTO(lines) struct lines a = { 0 };
	AUTO(lines) struct lines b = { 0 };
	buf_adds(&before, "first\n");
	buf_adds(&after, "first\n");
	for (int i = 0; i < 2 * DIFF_EDITS_MAX; i++) {
		buf_addf(&before, "a%d\n", i);
		buf_addf(&after, "b%d\n", i);
	}
	lines_split(buf_slice(&before), &a);
	lines_split(buf_slice(&after), &b);
	size_t *partner = lines_match(&a, &b);
	assert_int_equal(check_partners(&a, &b, partner), 1);
	free(partner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_texts_have_no_diff),
		cmocka_unit_test(test_a_changed_line_stands_between_three_of_context),
		cmocka_unit_test(test_changes_that_are_near_are_one_hunk_and_others_two),
		cmocka_unit_test(test_a_missing_newline_is_said),
		cmocka_unit_test(test_a_file_that_is_not_there_is_dev_null),
		cmocka_unit_test(test_as_many_lines_stay_as_can),
		cmocka_unit_test(test_texts_with_nothing_in_common_past_the_limit_are_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
