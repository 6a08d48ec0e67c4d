#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "render/value.h"

static void assert_bytes(const struct value *v, const char *expected)
{
	assert_non_null(v);
	assert_true(slice_eq_str(value_bytes(v), expected));
}

/* { a: { b: "inner", only: "a" }, b: "outer", list: [1, true] } */
static struct value *sample(void)
{
	struct value *root = value_map(), *a = value_map(), *list = value_list();
	value_set(a, "b", value_text("inner"));
	value_set(a, "only", value_text("a"));
	value_append(list, value_int(1));
	value_append(list, value_bool(true));
	value_set(root, "a", a);
	value_set(root, "b", value_text("outer"));
	value_set(root, "list", list);
	return root;
}

static void test_scope_finds_the_innermost_value_of_a_name(void **state)
{
	(void)state;
	AUTO(value) struct value *root = sample();
	struct scope outer = { .value = root };
	struct scope inner = { .value = value_get(root, SLICE_LIT("a")), .outer = &outer };
	assert_bytes(scope_find(&outer, SLICE_LIT("b")), "outer");
	assert_bytes(scope_find(&inner, SLICE_LIT("b")), "inner");
	assert_ptr_equal(scope_find(&inner, SLICE_LIT("list")), value_get(root, SLICE_LIT("list")));
	assert_ptr_equal(scope_find(&inner, SLICE_LIT(".")), inner.value);
}

static void test_scope_looks_for_the_later_parts_only_inside_the_first(void **state)
{
	(void)state;
	AUTO(value) struct value *root = sample();
	struct value *empty = value_map(), *holder = value_map();
	value_set(holder, "a", empty);
	struct scope outer = { .value = root }, inner = { .value = holder, .outer = &outer };
	assert_bytes(scope_find(&outer, SLICE_LIT("a.only")), "a");
	assert_null(scope_find(&inner, SLICE_LIT("a.only")));
	assert_null(scope_find(&outer, SLICE_LIT("b.only")));
	assert_null(scope_find(&outer, SLICE_LIT("nosuch.only")));
	value_free(holder);
}

static void test_value_is_false_when_there_is_nothing_to_write(void **state)
{
	(void)state;

	struct {
		struct value *value;
		bool is_true;
	} cases[] = {
		{ NULL, false },
		{ value_bool(false), false },
		{ value_bool(true), true },
		{ value_text(""), false },
		{ value_text("false"), true },
		{ value_int(0), true },
		{ value_list(), false },
		{ value_map(), true },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(value_is_true(cases[i].value), cases[i].is_true);
		value_free(cases[i].value);
	}
}

static void test_value_set_again_replaces_the_value(void **state)
{
	(void)state;
	AUTO(value) struct value *map = value_map();
	value_set(map, "a", value_text("first"));
	value_set(map, "a", value_int(INT64_MIN));
	assert_bytes(value_get(map, SLICE_LIT("a")), "-9223372036854775808");
}

static void assert_check_fails(const struct value *root, const char *expected)
{
	AUTO(error) struct error err = ERROR_INIT;
	assert_false(value_check(root, &err));
	assert_string_equal(err.message, expected);
}

static void test_value_check_names_the_place_of_a_nul_byte(void **state)
{
	(void)state;
	struct value *list = value_list(), *grafana = value_map();
	value_append(list, value_text("fine"));
	value_append(list, value_text_slice(SLICE_LIT("a\0b")));
	value_set(grafana, "first", value_text("fine"));
	value_set(grafana, "plugins", list);
	AUTO(value) struct value *root = value_map();
	value_set(root, "grafana", grafana);
	assert_check_fails(root, "grafana.plugins[1] holds a NUL byte");
}

static void test_value_check_refuses_what_is_not_utf8(void **state)
{
	(void)state;
	static const char *const texts[] = { "\xFF", "\xC3", "\xC0\x80", "\xED\xA0\x80",
		"\xF4\x90\x80\x80" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		AUTO(value) struct value *text = value_text(texts[i]);
		assert_check_fails(text, "the value is not UTF-8");
	}
}

static struct value *nested(size_t depth)
{
	struct value *v = value_text("core");
	for (size_t i = 1; i < depth; i++) {
		struct value *list = value_list();
		value_append(list, v);
		v = list;
	}
	return v;
}

static void test_value_check_refuses_a_tree_that_is_too_deep(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(value) struct value *deepest = nested(VALUE_DEPTH_MAX);
	AUTO(value) struct value *deeper = nested(VALUE_DEPTH_MAX + 1);
	AUTO(value) struct value *far_deeper = nested(1000000);
	assert_true(value_check(deepest, &err));
	assert_check_fails(deeper, "the values are nested deeper than 32 levels");
	assert_check_fails(far_deeper, "the values are nested deeper than 32 levels");
}

static void test_value_check_refuses_too_many_values(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(value) struct value *list = value_list();
	for (int i = 1; i < VALUE_COUNT_MAX; i++)
		value_append(list, value_bool(false));
	assert_true(value_check(list, &err));
	value_append(list, value_bool(false));
	assert_check_fails(list, "there are 100001 values, more than 100000");
}

static void test_value_check_refuses_too_many_bytes(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	char text[1025] = { 0 };
	memset(text, 'x', sizeof text - 1);
	AUTO(value) struct value *list = value_list();
	for (int i = 0; i < VALUE_BYTES_MAX / 1024; i++)
		value_append(list, value_text(text));
	assert_true(value_check(list, &err));
	value_append(list, value_text("x"));
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
