#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
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

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void test_no_two_are_alike(void **state)
{
	(void)state;
	static char *secrets[MANY];
	AUTO(error) struct error err = ERROR_INIT;
	for (int i = 0; i < MANY; i++)
		secrets[i] = secret_new(&err);
	qsort(secrets, MANY, sizeof *secrets, compare_texts);
	for (int i = 1; i < MANY; i++)
		assert_string_not_equal(secrets[i], secrets[i - 1]);
	for (int i = 0; i < MANY; i++)
		secret_free(secrets[i]);
}

static void test_no_character_is_rare(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	int counts[256] = { 0 };
	for (int i = 0; i < MANY; i++) {
		AUTO(secret) char *secret = secret_new(&err);
		for (const char *at = secret; *at; at++)
			counts[(unsigned char)*at]++;
	}
	/* MANY of each are expected, with a standard deviation of 44: chance is outside less than once in 10^9 runs. */
	for (const char *at = "abcdefghijkmnpqrstuvwxyz23456789"; *at; at++)
		assert_in_range(counts[(unsigned char)*at], MANY - 300, MANY + 300);
}

static void test_equal_is_every_byte_and_the_length(void **state)
{
	(void)state;
	assert_true(secret_equal(slice_str("abc"), slice_str("abc")));
	assert_true(secret_equal(slice_str(""), slice_of(NULL, 0)));
	assert_false(secret_equal(slice_str("abc"), slice_str("abcd")));
	assert_false(secret_equal(slice_str("abc"), slice_str("Abc")));
	assert_false(secret_equal(slice_str("abc"), slice_str("abd")));
	assert_false(secret_equal(slice_of("a\0b", 3), slice_of("a\0c", 3)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_secret_needs_no_quotes_anywhere),
		cmocka_unit_test(test_no_two_are_alike),
		cmocka_unit_test(test_no_character_is_rare),
		cmocka_unit_test(test_equal_is_every_byte_and_the_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
