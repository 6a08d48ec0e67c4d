/* Every test of the specification's required modules, as its authors published them: tests/data/mustache-spec. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/buf.h"
#include "core/error.h"
#include "render/json_testing.h"
#include "render/mustache.h"

static int find_partial(void *ctx, const char *name, struct slice *text, struct error *err)
{
	const json_t *partials = ctx;
	const char *found = json_string_value(json_object_get(partials, name));
	(void)err;
	if (!found)
		return 0;
	*text = slice_str(found);
	return 1;
}

static const char *string_of(const json_t *test, const char *name)
{
	const char *s = json_string_value(json_object_get(test, name));
	assert_non_null(s);
	return s;
}

/* True: the test holds. */
static bool test_holds(const json_t *test)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf out = BUF_INIT(1 << 16);
	AUTO(data) struct data *data = data_of_json(json_object_get(test, "data"));
	AUTO(mustache)
	struct mustache *t = mustache_parse("spec", slice_str(string_of(test, "template")), &err);
	struct mustache_options options = {
		.escape = ESCAPE_HTML,
		.partial = find_partial,
		.partial_ctx = json_object_get(test, "partials"),
	};
	bool ok = t && mustache_render(t, data, &options, &out, &err);
	if (ok && strcmp(buf_str(&out), string_of(test, "expected")) == 0)
		return true;
	print_error("%s (%s)\n  template %s\n  expected %s\n  got      %s\n",
		string_of(test, "name"), string_of(test, "desc"), string_of(test, "template"),
		string_of(test, "expected"), ok ? buf_str(&out) : err.message);
	return false;
}

static void run_module(const char *module, size_t count)
{
	char path[128];
	json_error_t why;
	snprintf(path, sizeof path, "tests/data/mustache-spec/%s.json", module);
	json_t *file = json_load_file(path, 0, &why);
	if (!file)
		fail_msg("%s: %s", path, why.text);
	const json_t *tests = json_object_get(file, "tests");
	size_t failed = 0;
	assert_int_equal(json_array_size(tests), count);
	for (size_t i = 0; i < count; i++)
		failed += !test_holds(json_array_get(tests, i));
	json_decref(file);
	assert_int_equal(failed, 0);
}

static void test_specification_comments(void **state)
{
	(void)state;
	run_module("comments", 12);
}

static void test_specification_delimiters(void **state)
{
	(void)state;
	run_module("delimiters", 14);
}

static void test_specification_interpolation(void **state)
{
	(void)state;
	run_module("interpolation", 42);
}

static void test_specification_inverted(void **state)
{
	(void)state;
	run_module("inverted", 22);
}

static void test_specification_partials(void **state)
{
	(void)state;
	run_module("partials", 12);
}

static void test_specification_sections(void **state)
{
	(void)state;
	run_module("sections", 34);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_specification_comments),
		cmocka_unit_test(test_specification_delimiters),
		cmocka_unit_test(test_specification_interpolation),
		cmocka_unit_test(test_specification_inverted),
		cmocka_unit_test(test_specification_partials),
		cmocka_unit_test(test_specification_sections),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
