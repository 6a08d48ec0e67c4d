#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/error.h"
#include "render/env_file.h"

/* Every form that Compose documents, and what it means. */
static const struct {
	const char *text, *value;
	bool refers;
} forms[] = {
	{ "V=plain", "plain", false },
	{ "V= blanks around  ", "blanks around", false },
	{ "V=a#b", "a#b", false },
	{ "V=a # comment", "a", false },
	{ "V=", "", false },
	{ "V: colon", "colon", false },
	{ "export V=x", "x", false },
	{ "V='single $V \\n'", "single $V \\n", false },
	{ "V='it\\'s'", "it's", false },
	{ "V='two\nlines'", "two\nlines", false },
	{ "V=\"tab\\tquote\\\" back\\\\ dollar\\$X\"", "tab\tquote\" back\\ dollar$X", false },
	{ "V=\"$X\"", "$X", true },
	{ "V=${X}", "${X}", true },
	{ "V=a$$b", "a$b", false },
	{ "V=5$", "5$", false },
	{ "V=x # it's", "x", false },
	{ "# V=no\n\n  V=yes", "yes", false },
	{ "V=first\nV=last", "last", false },
	{ "\xEF\xBB\xBFV=behind a mark", "behind a mark", false },
	{ "V=dos\r\nW=1\r\n", "dos", false },
	/* The finer points, as Compose has them. */
	{ "V=a\t# no comment", "a\t# no comment", false },
	{ "V= # no comment", "# no comment", false },
	{ "V=\u00A0hard blanks\u3000\n", "hard blanks", false },
	{ "V='two\\\\'", "two\\\\", false },
	{ "V=\"\\a\\b\\f\\v\\r \\c\\x\"", "\a\b\f\v\r \\c\\x", false },
	{ "V=\"\\0001\\0177\\0101B\"", "\001\177AB", false },
	{ "V=\"\\0303\"", "\u00C3", false },
	{ "V=\"\\08 \\0\"", "\\8 \\", false },
	{ "V=\"\\0044X\"", "$X", true },
	{ "V='a'\t# comment", "a", false },
	{ "A-1.b[0]=x\nV=1", "1", false },
	{ "W\nV=1", "1", false },
	{ "V=a$$b${X}", "a$$b${X}", true },
};

static void test_every_form_means_what_compose_makes_of_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		AUTO(error) struct error err = ERROR_INIT;
		AUTO(env_file) struct env_file file = { 0 };
		assert_true(env_file_parse(slice_str(forms[i].text), &file, &err));
		const struct env_variable *v = env_file_find(&file, "V");
		assert_non_null(v);
		assert_string_equal(v->value, forms[i].value);
		assert_int_equal(v->refers, forms[i].refers);
	}
}

static const struct {
	const char *text, *message;
} broken[] = {
	{ "V='open", ".env:1:3: the quote is not closed" },
	{ "A=1\nV=\"open\\", ".env:2:3: the quote is not closed" },
	{ "\nnonsense", ".env:2:1: this is no variable" },
	{ "A='1\n2'\n  V x=1", ".env:3:3: this is no variable" },
	{ "=x", ".env:1:1: this is no variable" },
	{ "\xEF\xBB\xBFV='\u00E9' b", ".env:1:6: something stands behind the closing quote" },
	{ "V=\"a\\0000\"", ".env:1:5: a value cannot hold a NUL" },
};

static void test_what_is_none_is_refused_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		AUTO(error) struct error err = ERROR_INIT;
		AUTO(env_file) struct env_file file = { 0 };
		assert_false(env_file_parse(slice_str(broken[i].text), &file, &err));
		assert_string_equal(err.message, broken[i].message);
	}
}

static void test_a_nul_is_refused(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(env_file) struct env_file file = { 0 };
	assert_false(env_file_parse(slice_of("A=1\0", 4), &file, &err));
}

static void test_a_file_of_a_mebibyte_is_read_and_a_larger_one_refused(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(env_file) struct env_file file = { 0 };
	AUTO(buf) struct buf text = BUF_INIT(ENV_FILE_MAX + 1);
	while (text.len + 4 <= ENV_FILE_MAX)
		buf_adds(&text, "A=1\n");
	assert_true(env_file_parse(buf_slice(&text), &file, &err));
	assert_int_equal(file.count, ENV_FILE_MAX / 4);
	assert_int_equal(file.items[file.count - 1].line, ENV_FILE_MAX / 4);
	env_file_clear(&file);
	buf_adds(&text, "\n");
	assert_false(env_file_parse(buf_slice(&text), &file, &err));
}

static void assert_set(const char *text, const char *expected)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	assert_true(env_file_set(slice_str(text), "V", "new", &out, &err));
	assert_string_equal(buf_str(&out), expected);
}

static void test_setting_changes_the_value_and_nothing_else(void **state)
{
	(void)state;
	assert_set("# a\nV='old' # why\nW=2\n", "# a\nV=new # why\nW=2\n");
	assert_set("export V = old\r\nW=2", "export V = new\r\nW=2");
	assert_set("V=1\nV=2\n", "V=1\nV=new\n");
	assert_set("\xEF\xBB\xBFV: \"o\nld\"", "\xEF\xBB\xBFV: new");
	assert_set("V=\n", "V=new\n");
}

static void test_a_comment_that_needs_the_quotes_keeps_them(void **state)
{
	(void)state;
	assert_set("V='old'\t# why\n", "V='new'\t# why\n");
	assert_set("V=\"old\"#why\n", "V='new'#why\n");
	assert_set("V='old'  # why\n", "V=new  # why\n");
	assert_set("V='old'\t\n# next", "V=new\t\n# next");
}

static void test_a_variable_that_is_not_there_is_added_at_the_end(void **state)
{
	(void)state;
	assert_set("", "V=new\n");
	assert_set("A=1", "A=1\nV=new\n");
	assert_set("A=1\r\n", "A=1\r\nV=new\r\n");
	assert_set("A=1\r\nB=2", "A=1\r\nB=2\r\nV=new\r\n");
	assert_set("# c", "# c\nV=new\n");
	assert_set("V\n", "V\nV=new\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_form_means_what_compose_makes_of_it),
		cmocka_unit_test(test_what_is_none_is_refused_with_its_line),
		cmocka_unit_test(test_a_nul_is_refused),
		cmocka_unit_test(test_a_file_of_a_mebibyte_is_read_and_a_larger_one_refused),
		cmocka_unit_test(test_setting_changes_the_value_and_nothing_else),
		cmocka_unit_test(test_a_comment_that_needs_the_quotes_keeps_them),
		cmocka_unit_test(test_a_variable_that_is_not_there_is_added_at_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
