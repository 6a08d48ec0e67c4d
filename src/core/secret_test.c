#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/secret.h"

#define MANY 2000

static void test_a_secret_needs_no_quotes_anywhere(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	for (int i = 0; i < MANY; i++) {
		AUTO(secret) char *secret = secret_new(&err);
		assert_int_equal(strlen(secret), SECRET_CHARS);
		assert_int_equal(strspn(secret, "abcdefghijkmnpqrstuvwxyz23456789"), SECRET_CHARS);
	}
}

static void test_no_two_are_alike_and_no_character_is_rare(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(secret) char *last = secret_new(&err);
	int counts[256] = { 0 };
	for (int i = 0; i < MANY; i++) {
		AUTO(secret) char *secret = secret_new(&err);
		assert_string_not_equal(secret, last);
		for (const char *at = secret; *at; at++)
			counts[(unsigned char)*at]++;
	}
	/* 2000 of each are expected; 200 is some five standard deviations. */
	for (const char *at = "abcdefghijkmnpqrstuvwxyz23456789"; *at; at++)
		assert_in_range(counts[(unsigned char)*at], MANY - 300, MANY + 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_secret_needs_no_quotes_anywhere),
		cmocka_unit_test(test_no_two_are_alike_and_no_character_is_rare),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
