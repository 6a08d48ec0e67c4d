#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "grafana/address.h"

#define LATEST(id) "https://grafana.com/api/dashboards/" id "/revisions/latest/download"

static void test_the_json_behind_a_page_is_found(void **state)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{ "1860", LATEST("1860") },
		{ "grafana.com:1860", LATEST("1860") },
		{ "https://grafana.com/grafana/dashboards/1860", LATEST("1860") },
		{ "https://grafana.com/grafana/dashboards/1860-node-exporter-full/",
			LATEST("1860") },
		{ "https://www.grafana.com/grafana/dashboards/1860?tab=revisions", LATEST("1860") },
		{ LATEST("7"), LATEST("7") },
		{ "https://gist.github.com/ada/0123abcd",
			"https://gist.github.com/ada/0123abcd/raw" },
		{ "https://gist.github.com/ada/0123abcd/#file-x-json",
			"https://gist.github.com/ada/0123abcd/raw" },
		{ "https://gist.github.com/0123abcd", "https://gist.github.com/0123abcd/raw" },
		{ "https://gist.github.com/ada/0123abcd/raw",
			"https://gist.github.com/ada/0123abcd/raw" },
		{ "https://gist.github.com/ada/0123abcd/raw/99/x.json",
			"https://gist.github.com/ada/0123abcd/raw/99/x.json" },
		{ "https://github.com/ada/boards/blob/main/a/b.json",
			"https://raw.githubusercontent.com/ada/boards/main/a/b.json" },
		{ "https://github.com/ada/boards/raw/main/a/b.json",
			"https://github.com/ada/boards/raw/main/a/b.json" },
		{ "https://github.com/ada", "https://github.com/ada" },
		{ "https://example.com/b.json?x=1#top", "https://example.com/b.json?x=1" },
		{ "http://localhost:8000/b.json", "http://localhost:8000/b.json" },
		/* Not that site. */
		{ "https://example.com/grafana/dashboards/1860",
			"https://example.com/grafana/dashboards/1860" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(error) struct error err = ERROR_INIT;
		assert_true(address_is_meant(cases[i].text));
		AUTO(str) char *json = address_of_json(cases[i].text, &err);
		if (!json || strcmp(json, cases[i].json) != 0)
			fail_msg("%s: %s", cases[i].text, json ? json : err.message);
	}
}

static void test_files_are_not_taken_for_addresses(void **state)
{
	(void)state;
	assert_false(address_is_meant("mine.json"));
	assert_false(address_is_meant("1860.json"));
	assert_false(address_is_meant("overview"));
	assert_false(address_is_meant(""));
	assert_false(address_is_meant("-"));
}

static void test_what_is_no_address_is_refused(void **state)
{
	static const char *const texts[] = { "grafana.com:", "grafana.com:x", "grafana.com:18x",
		"1234567890123", "file:///etc/passwd", "ftp://example.com/x" };
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		AUTO(error) struct error err = ERROR_INIT;
		AUTO(str) char *json = address_of_json(texts[i], &err);
		if (json)
			fail_msg("%s: %s", texts[i], json);
		assert_int_equal(err.code, ERR_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_json_behind_a_page_is_found),
		cmocka_unit_test(test_files_are_not_taken_for_addresses),
		cmocka_unit_test(test_what_is_no_address_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
