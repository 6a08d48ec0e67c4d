#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/text.h"

static void test_text_width_counts_columns(void **state)
{
	(void)state;

	static const struct {
		const char *text;
		size_t columns;
		const char *reason;
	} cases[] = {
		{ "", 0, "nothing" },
		{ "abc", 3, "ascii" },
		{ "caf\xC3\xA9", 4, "one letter of two bytes" },
		{ "cafe\xCC\x81", 4, "a combining accent" },
		{ "\xE6\x97\xA5\xE6\x9C\xAC", 4, "two wide characters" },
		{ "\xF0\x9F\x98\x80", 2, "an emoji" },
		{ "\xE2\x94\x80\xE2\x96\x88", 2, "lines and blocks are narrow" },
		{ "a\xFF\xC3", 3, "a byte that is not UTF-8 takes one" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (text_width(cases[i].text) != cases[i].columns)
			fail_msg("%s", cases[i].reason);
	}
}

static void test_text_wrap_breaks_between_words(void **state)
{
	(void)state;
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	text_wrap(&out, "one two three four-and-much-longer five", 2, 12);
	assert_string_equal(buf_str(&out), "one two\n  three\n  four-and-much-longer\n  five");
}

static void test_text_paragraphs_keeps_examples_as_they_are(void **state)
{
	(void)state;
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	text_paragraphs(&out, "first\nparagraph\n\nsecond one\n    code   here\nafter", 0, 40);
	assert_string_equal(
		buf_str(&out), "first paragraph\n\nsecond one\n    code   here\nafter\n");
}

static void test_text_visible_disarms_control_characters(void **state)
{
	(void)state;
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	text_visible(&out, "caf\xC3\xA9 \033[31m\n\xFF\xC2\x9B");
	assert_string_equal(buf_str(&out), "caf\xC3\xA9 \\x1b[31m\\x0a\\xff\\xc2\\x9b");
}

static void test_text_utf8_replaces_what_is_not(void **state)
{
	(void)state;
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	text_utf8(&out, "a\xFFz\xC3");
	assert_string_equal(buf_str(&out), "a\xEF\xBF\xBDz\xEF\xBF\xBD");
}

static void assert_line(char *line, const char *expected)
{
	assert_string_equal(line, expected);
	free(line);
}

static void test_text_lines_of_programs_are_picked_and_made_visible(void **state)
{
	(void)state;
	assert_line(text_first_line("one\r\ntwo\n", 100), "one");
	assert_line(text_first_line("", 100), "");
	assert_line(text_first_line("a\x1b[31mb", 100), "a\\x1b[31mb");
	assert_line(text_first_line("abcdef", 3), "abc");
	assert_line(text_last_line("one\ntwo\n\n", 100, NULL), "two");
	assert_line(text_last_line("one\ntwo\n  hint: x\n", 100, "  hint:"), "two");
	assert_line(text_last_line("  hint: x\n", 100, "  hint:"), "  hint: x");
	assert_line(text_last_line("\n\n", 100, NULL), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_lines_of_programs_are_picked_and_made_visible),
		cmocka_unit_test(test_text_width_counts_columns),
		cmocka_unit_test(test_text_wrap_breaks_between_words),
		cmocka_unit_test(test_text_paragraphs_keeps_examples_as_they_are),
		cmocka_unit_test(test_text_visible_disarms_control_characters),
		cmocka_unit_test(test_text_utf8_replaces_what_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
