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
	{ "V='open", ".env:1: the quote is not closed" },
	{ "A=1\nV=\"open\\", ".env:2: the quote is not closed" },
	{ "\nnonsense", ".env:2: this is no variable" },
	{ "=x", ".env:1: this is no variable" },
	{ "V='a' b", ".env:1: something stands behind the closing quote" },
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
}

static void test_a_variable_that_is_not_there_is_added_at_the_end(void **state)
{
	(void)state;
	assert_set("", "V=new\n");
	assert_set("A=1", "A=1\nV=new\n");
	assert_set("A=1\r\n", "A=1\r\nV=new\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_form_means_what_compose_makes_of_it),
		cmocka_unit_test(test_what_is_none_is_refused_with_its_line),
		cmocka_unit_test(test_a_nul_is_refused),
		cmocka_unit_test(test_setting_changes_the_value_and_nothing_else),
		cmocka_unit_test(test_a_variable_that_is_not_there_is_added_at_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
