#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/serve/cors.h"

static void assert_allows(const char *const *origins, const char *origin, const char *expected)
{
	struct cors cors;
	cors_init(&cors, origins);
	const char *allowed = cors_allow(&cors, slice_str(origin));
	if (expected)
		assert_string_equal(allowed, expected);
	else
		assert_null(allowed);
	cors_clear(&cors);
}

static void test_cors_is_off_without_origins(void **state)
{
	(void)state;
	assert_allows(NULL, "https://a.example", NULL);
}

static void test_cors_allows_exactly_the_listed_origins(void **state)
{
	static const char *const origins[] = { "https://a.example", "https://b.example", NULL };
	(void)state;
	assert_allows(origins, "https://b.example", "https://b.example");
	assert_allows(origins, "https://b.example.evil", NULL);
	assert_allows(origins, "http://b.example", NULL);
	assert_allows(origins, "", NULL);
}

static void test_cors_star_allows_every_origin_and_says_star(void **state)
{
	static const char *const origins[] = { "*", NULL };
	(void)state;
	assert_allows(origins, "https://any.example", "*");
	assert_allows(origins, "", NULL);
}

static void test_cors_echoes_header_names_and_nothing_else(void **state)
{
	(void)state;
	assert_true(slice_eq_str(
		cors_headers(SLICE_LIT("x-team, content-type")), "x-team, content-type"));
	assert_false(slice_eq_str(cors_headers(SLICE_LIT("a: b")), "a: b"));
	assert_false(slice_eq_str(cors_headers(slice_of("a\0b", 3)), "a"));
	assert_true(cors_headers(SLICE_LIT("")).len > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cors_is_off_without_origins),
		cmocka_unit_test(test_cors_allows_exactly_the_listed_origins),
		cmocka_unit_test(test_cors_star_allows_every_origin_and_says_star),
		cmocka_unit_test(test_cors_echoes_header_names_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
