#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buf.h"
#include "report/words.h"

static void assert_text(struct buf *text, const char *expected)
{
	assert_string_equal(buf_str(text), expected);
	buf_clear(text);
}

static void test_money_is_to_the_cent_and_finer_below_one(void **state)
{
	(void)state;

	static const struct {
		double usd;
		const char *expected;
	} cases[] = { { 0, "$0.00" }, { 12.341, "$12.34" }, { 1234567.5, "$1,234,567.50" },
		{ 0.01, "$0.01" }, { 0.0079, "$0.0079" }, { 0.00012345, "$0.00012" },
		{ 999.999, "$1,000.00" }, { -3.5, "-$3.50" }, { 1e-30, "$0.0000000000" } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf text = BUF_INIT(BUF_UNLIMITED);
		words_money(&text, cases[i].usd);
		assert_text(&text, cases[i].expected);
	}
}

static void test_counts_have_separators(void **state)
{
	(void)state;

	static const struct {
		double count;
		const char *expected;
	} cases[] = { { 0, "0" }, { 999, "999" }, { 1000, "1,000" }, { 45000, "45,000" },
		{ 1234567, "1,234,567" }, { 2.5, "2.5" }, { 6.0000000001, "6" },
		{ -1200, "-1,200" } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf text = BUF_INIT(BUF_UNLIMITED);
		words_count(&text, cases[i].count);
		assert_text(&text, cases[i].expected);
	}
}

static void test_durations_and_ages(void **state)
{
	(void)state;

	static const struct {
		double seconds;
		const char *expected;
	} cases[] = { { 0, "0 s" }, { 0.737, "0.7 s" }, { 12.9, "12 s" }, { 60, "1 min" },
		{ 3600, "1 h 0 min" }, { 4860, "1 h 21 min" } };
	struct buf text = BUF_INIT(BUF_UNLIMITED);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		words_seconds(&text, cases[i].seconds);
		assert_text(&text, cases[i].expected);
	}
	words_age(&text, -5000);
	assert_text(&text, "less than a minute ago");
	words_age(&text, 119000);
	assert_text(&text, "a minute ago");
	words_age(&text, 3 * 86400000 + 5);
	assert_text(&text, "3 days ago");
}

static void test_bars_grow_by_eighths(void **state)
{
	(void)state;
	struct buf text = BUF_INIT(BUF_UNLIMITED);
	words_bar(&text, 1, 4, true);
	assert_text(&text, "████");
	words_bar(&text, 0.5 + 1.0 / 32, 4, true);
	assert_text(&text, "██▏");
	words_bar(&text, 0.0001, 4, true);
	assert_text(&text, "▏");
	words_bar(&text, 0, 4, true);
	assert_text(&text, "");
	words_bar(&text, 7, 4, false);
	assert_text(&text, "####");
}

static void test_keys_are_shown_and_not_obeyed(void **state)
{
	(void)state;
	struct buf text = BUF_INIT(BUF_UNLIMITED);
	words_key(&text, "", 20, true);
	assert_text(&text, "—");
	words_key(&text, "a\033[31mb", 40, true);
	assert_text(&text, "a\\x1b[31mb");
	words_key(&text, "7c57ad27308a7c57ad27308a7c57ad27308a7c57ad27308a7c57ad27308a7c57", 20,
		true);
	assert_text(&text, "7c57ad27308a");
	words_key(&text, "a-long-name-of-a-model", 10, true);
	assert_text(&text, "a-long-na…");
	words_key(&text, "Ünïcode model", 8, false);
	assert_text(&text, "Ünïcode~");
	words_key(&text, "日本語日本語", 6, true);
	assert_text(&text, "日本…");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_money_is_to_the_cent_and_finer_below_one),
		cmocka_unit_test(test_counts_have_separators),
		cmocka_unit_test(test_durations_and_ages),
		cmocka_unit_test(test_bars_grow_by_eighths),
		cmocka_unit_test(test_keys_are_shown_and_not_obeyed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
