#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/error.h"
#include "http/url.h"

static void test_the_parts_are_taken_apart(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(url) struct url url = { 0 };
	assert_true(url_parse("HTTPS://Example.COM:8443/A/b?c=d#e", &url, &err));
	assert_string_equal(url.scheme, "https");
	assert_string_equal(url.host, "example.com");
	assert_string_equal(url.path, "/A/b");
	assert_false(url.has_login);
}

static void test_what_is_none_is_refused(void **state)
{
	static const char *const texts[] = { "", "mine.json", "//host/x", "file:///etc/passwd",
		"ftp://example.com/x", "https://", "http://a b/", "javascript:alert(1)" };
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		AUTO(error) struct error err = ERROR_INIT;
		AUTO(url) struct url url = { 0 };
		if (url_parse(texts[i], &url, &err))
			fail_msg("%s was taken", texts[i]);
		assert_int_equal(err.code, ERR_USAGE);
	}
}

static void test_this_machine_is_known_by_all_its_names(void **state)
{
	static const struct {
		const char *text;
		bool is_loopback;
	} cases[] = {
		{ "http://localhost:3000/", true },
		{ "http://127.0.0.1/", true },
		{ "http://127.1.2.3/", true },
		{ "http://[::1]:3000/", true },
		{ "http://2130706433/", true }, /* as libcurl reads it: 127.0.0.1 */
		{ "http://localhost.example.com/", false },
		{ "http://127.0.0.1.example.com/", false },
		{ "http://10.0.0.1/", false },
		{ "http://localhost@example.com/", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(error) struct error err = ERROR_INIT;
		AUTO(url) struct url url = { 0 };
		assert_true(url_parse(cases[i].text, &url, &err));
		if (url_is_loopback(&url) != cases[i].is_loopback)
			fail_msg("%s", cases[i].text);
	}
}

static void test_a_login_in_it_is_seen(void **state)
{
	static const char *const texts[] = { "https://ada@example.com/",
		"https://ada:secret@example.com/", "https://:secret@example.com/" };
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		AUTO(error) struct error err = ERROR_INIT;
		AUTO(url) struct url url = { 0 };
		assert_true(url_parse(texts[i], &url, &err));
		assert_true(url.has_login);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_parts_are_taken_apart),
		cmocka_unit_test(test_what_is_none_is_refused),
		cmocka_unit_test(test_this_machine_is_known_by_all_its_names),
		cmocka_unit_test(test_a_login_in_it_is_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
