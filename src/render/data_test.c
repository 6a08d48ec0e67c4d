#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "render/data.h"

static void assert_bytes(const struct data *v, const char *expected)
{
	assert_non_null(v);
	assert_true(slice_eq_str(data_bytes(v), expected));
}

/* { a: { b: "inner", only: "a" }, b: "outer", list: [1, true] } */
static struct data *sample(void)
{
	struct data *root = data_map(), *a = data_map(), *list = data_list();
	data_set(a, "b", data_text("inner"));
	data_set(a, "only", data_text("a"));
	data_append(list, data_int(1));
	data_append(list, data_bool(true));
	data_set(root, "a", a);
	data_set(root, "b", data_text("outer"));
	data_set(root, "list", list);
	return root;
}

static void test_scope_finds_the_innermost_value_of_a_name(void **state)
{
	(void)state;
	AUTO(data) struct data *root = sample();
	struct scope outer = { .value = root };
	struct scope inner = { .value = data_get(root, SLICE_LIT("a")), .outer = &outer };
	assert_bytes(scope_find(&outer, SLICE_LIT("b")), "outer");
	assert_bytes(scope_find(&inner, SLICE_LIT("b")), "inner");
	assert_ptr_equal(scope_find(&inner, SLICE_LIT("list")), data_get(root, SLICE_LIT("list")));
	assert_ptr_equal(scope_find(&inner, SLICE_LIT(".")), inner.value);
}

static void test_scope_looks_for_the_later_parts_only_inside_the_first(void **state)
{
	(void)state;
	AUTO(data) struct data *root = sample();
	struct data *empty = data_map(), *holder = data_map();
	data_set(holder, "a", empty);
	struct scope outer = { .value = root }, inner = { .value = holder, .outer = &outer };
	assert_bytes(scope_find(&outer, SLICE_LIT("a.only")), "a");
	assert_null(scope_find(&inner, SLICE_LIT("a.only")));
	assert_null(scope_find(&outer, SLICE_LIT("b.only")));
	assert_null(scope_find(&outer, SLICE_LIT("nosuch.only")));
	data_free(holder);
}

static void test_value_is_false_when_there_is_nothing_to_write(void **state)
{
	(void)state;

	struct {
		struct data *value;
		bool is_true;
	} cases[] = {
		{ NULL, false },
		{ data_bool(false), false },
		{ data_bool(true), true },
		{ data_text(""), false },
		{ data_text("false"), true },
		{ data_int(0), true },
		{ data_list(), false },
		{ data_map(), true },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(data_is_true(cases[i].value), cases[i].is_true);
		data_free(cases[i].value);
	}
}

static void test_value_set_again_replaces_the_value(void **state)
{
	(void)state;
	AUTO(data) struct data *map = data_map();
	data_set(map, "a", data_text("first"));
	data_set(map, "a", data_int(INT64_MIN));
	assert_bytes(data_get(map, SLICE_LIT("a")), "-9223372036854775808");
}

static void assert_check_fails(const struct data *root, const char *expected)
{
	AUTO(error) struct error err = ERROR_INIT;
	assert_false(data_check(root, &err));
	assert_string_equal(err.message, expected);
}

static void test_value_check_names_the_place_of_a_nul_byte(void **state)
{
	(void)state;
	struct data *list = data_list(), *grafana = data_map();
	data_append(list, data_text("fine"));
	data_append(list, data_text_slice(SLICE_LIT("a\0b")));
	data_set(grafana, "first", data_text("fine"));
	data_set(grafana, "plugins", list);
	AUTO(data) struct data *root = data_map();
	data_set(root, "grafana", grafana);
	assert_check_fails(root, "grafana.plugins[1] holds a NUL byte");
}

static void test_value_check_refuses_what_is_not_utf8(void **state)
{
	(void)state;
	static const char *const texts[] = { "\xFF", "\xC3", "\xC0\x80", "\xED\xA0\x80",
		"\xF4\x90\x80\x80" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		AUTO(data) struct data *text = data_text(texts[i]);
		assert_check_fails(text, "the value is not UTF-8");
	}
}

static struct data *nested(size_t depth)
{
	struct data *v = data_text("core");
	for (size_t i = 1; i < depth; i++) {
		struct data *list = data_list();
		data_append(list, v);
		v = list;
	}
	return v;
}

static void test_value_check_refuses_a_tree_that_is_too_deep(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(data) struct data *deepest = nested(DATA_DEPTH_MAX);
	AUTO(data) struct data *deeper = nested(DATA_DEPTH_MAX + 1);
	AUTO(data) struct data *far_deeper = nested(1000000);
	assert_true(data_check(deepest, &err));
	assert_check_fails(deeper, "the values are nested deeper than 32 levels");
	assert_check_fails(far_deeper, "the values are nested deeper than 32 levels");
}

static void test_value_check_refuses_too_many_values(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(data) struct data *list = data_list();
	for (int i = 1; i < DATA_COUNT_MAX; i++)
		data_append(list, data_bool(false));
	assert_true(data_check(list, &err));
	data_append(list, data_bool(false));
	assert_check_fails(list, "there are 100001 values, more than 100000");
}

static void test_value_check_refuses_too_many_bytes(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	char text[1025] = { 0 };
	memset(text, 'x', sizeof text - 1);
	AUTO(data) struct data *list = data_list();
	for (int i = 0; i < DATA_BYTES_MAX / 1024; i++)
		data_append(list, data_text(text));
	assert_true(data_check(list, &err));
	data_append(list, data_text("x"));
	assert_check_fails(list, "the values take 4194305 bytes, more than 4194304");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scope_finds_the_innermost_value_of_a_name),
		cmocka_unit_test(test_scope_looks_for_the_later_parts_only_inside_the_first),
		cmocka_unit_test(test_value_is_false_when_there_is_nothing_to_write),
		cmocka_unit_test(test_value_set_again_replaces_the_value),
		cmocka_unit_test(test_value_check_names_the_place_of_a_nul_byte),
		cmocka_unit_test(test_value_check_refuses_what_is_not_utf8),
		cmocka_unit_test(test_value_check_refuses_a_tree_that_is_too_deep),
		cmocka_unit_test(test_value_check_refuses_too_many_values),
		cmocka_unit_test(test_value_check_refuses_too_many_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
