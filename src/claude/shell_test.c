#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "claude/shell.h"
#include "core/buf.h"

static void check(enum shell shell, const char *value, const char *line)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	shell_assign(&text, shell, "A", value);
	assert_string_equal(buf_str(&text), line);
}

static void test_each_shell_has_its_quotes(void **state)
{
	(void)state;
	check(SHELL_BASH, "it's $x `y` \"z\"", "export A='it'\\''s $x `y` \"z\"'\n");
	check(SHELL_ZSH, "", "export A=''\n");
	check(SHELL_FISH, "it's a\\b", "set -gx A 'it\\'s a\\\\b'\n");
	check(SHELL_POWERSHELL, "it's \xe2\x80\x99", "$env:A = 'it''s \xe2\x80\x99\xe2\x80\x99'\n");
	check(SHELL_DOTENV, "http://127.0.0.1:4318", "A=http://127.0.0.1:4318\n");
	check(SHELL_DOTENV, "a b$c\"d\\e", "A=\"a b\\$c\\\"d\\\\e\"\n");
}

static void test_what_a_command_prints_stands_behind_the_prefix(void **state)
{
	static const char *const words[] = { "cctm", "it's", NULL };
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	(void)state;
	assert_true(shell_assign_output(&text, SHELL_BASH, "A", "x ", words));
	assert_string_equal(buf_str(&text), "export A='x '\"$('cctm' 'it'\\''s')\"\n");
	assert_false(shell_assign_output(&text, SHELL_DOTENV, "A", "x ", words));
}

static void test_a_shell_is_known_by_its_path(void **state)
{
	(void)state;
	assert_int_equal(shell_find("/usr/bin/fish", SHELL_BASH), SHELL_FISH);
	assert_int_equal(shell_find("/bin/sh", SHELL_ZSH), SHELL_BASH);
	assert_int_equal(shell_find("pwsh", SHELL_BASH), SHELL_POWERSHELL);
	assert_int_equal(shell_find("tcsh", SHELL_ZSH), SHELL_ZSH);
	assert_int_equal(shell_find(NULL, SHELL_ZSH), SHELL_ZSH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_shell_has_its_quotes),
		cmocka_unit_test(test_what_a_command_prints_stands_behind_the_prefix),
		cmocka_unit_test(test_a_shell_is_known_by_its_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
