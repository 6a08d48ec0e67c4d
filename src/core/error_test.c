#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/error.h"

static void test_error_reads_as_a_chain_of_causes(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	assert_false(error_set_errno(&err, ERR_IO, ENOENT, "cannot open %s", "x"));
	assert_false(error_wrap(&err, "reading the ledger"));
	assert_string_equal(
		err.message, "reading the ledger: cannot open x: No such file or directory");
	assert_int_equal(error_exit_status(err.code), 1);
}

static void test_error_keeps_the_first_hint(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	error_set(&err, ERR_USAGE, "wrong");
	error_hint(&err, "the nearest cure");
	error_wrap(&err, "somewhere");
	error_hint(&err, "a general one");
	assert_string_equal(err.hint, "the nearest cure");
}

static void test_error_can_be_used_again_after_clear(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	error_set(&err, ERR_REFUSED, "no");
	error_clear(&err);
	assert_false(error_is_set(&err));
	error_set(&err, ERR_LOCKED, "yes");
	assert_string_equal(error_slug(err.code), "locked");
}

static void test_error_statuses_are_those_that_are_promised(void **state)
{
	(void)state;

#define X(code, slug, exit_status, sentence)                                    \
	assert_true(exit_status == 0 || exit_status == 1 || exit_status == 2 || \
		    exit_status == 3 || exit_status == 4 || exit_status == 130);
	ERROR_CODES(X)
#undef X
	assert_int_equal(error_exit_status(ERR_USAGE), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_reads_as_a_chain_of_causes),
		cmocka_unit_test(test_error_keeps_the_first_hint),
		cmocka_unit_test(test_error_can_be_used_again_after_clear),
		cmocka_unit_test(test_error_statuses_are_those_that_are_promised),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
