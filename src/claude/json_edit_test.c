#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "claude/json_edit.h"
#include "core/buf.h"
#include "core/error.h"

static struct buf text_of(const char *text)
{
	struct buf buf = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&buf, text);
	return buf;
}

/* In `env`, or with `key` in front of a dot in that object. */
static void check_set(const char *before, const char *object, const char *key, const char *value,
	const char *after)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf text = text_of(before);
	assert_true(json_edit_set(&text, object, key, value, &err));
	assert_string_equal(buf_str(&text), after);
	assert_true(json_edit_check(buf_slice(&text), &err));
	struct slice found;
	assert_true(json_edit_find(buf_slice(&text), object, key, &found));
	assert_int_equal(found.len, strlen(value));
	assert_memory_equal(found.ptr, value, found.len);
}

static void test_a_value_is_added_the_way_the_text_is_written(void **state)
{
	(void)state;
	check_set("{\n  \"env\": {\n    \"A\": \"1\"\n  }\n}\n", "env", "B", "\"2\"",
		"{\n  \"env\": {\n    \"A\": \"1\",\n    \"B\": \"2\"\n  }\n}\n");
	check_set("{\r\n\t\"env\": {\r\n\t\t\"A\": \"1\"\r\n\t}\r\n}", "env", "B", "2",
		"{\r\n\t\"env\": {\r\n\t\t\"A\": \"1\",\r\n\t\t\"B\": 2\r\n\t}\r\n}");
	check_set("{\"env\":{\"A\":\"1\"}}", "env", "B", "2", "{\"env\":{\"A\":\"1\", \"B\": 2}}");
	check_set("\xef\xbb\xbf{\"a\":1}\n", NULL, "b", "2", "\xef\xbb\xbf{\"a\":1, \"b\": 2}\n");
	check_set("{\n    \"model\": \"x\"\n}\n", "env", "B", "2",
		"{\n    \"model\": \"x\",\n    \"env\": {\n        \"B\": 2\n    }\n}\n");
}

static void test_a_text_begins(void **state)
{
	(void)state;
	check_set("", "env", "B", "2", "{\n  \"env\": {\n    \"B\": 2\n  }\n}\n");
	check_set("{}", "env", "B", "2", "{\n  \"env\": {\n    \"B\": 2\n  }\n}");
	check_set("{ }\n", NULL, "b", "2", "{\n  \"b\": 2\n}\n");
}

static void test_a_value_is_replaced_in_its_place(void **state)
{
	(void)state;
	check_set("{\"env\": {\"A\" : \"1\" , \"B\":3}}", "env", "A", "\"x\"",
		"{\"env\": {\"A\" : \"x\" , \"B\":3}}");
	check_set("{\"a\": 1, \"a\": 2}", NULL, "a", "3", "{\"a\": 1, \"a\": 3}");
	check_set("{\"\\u0065nv\": {\"A\": [1, {\"b\": 2}]}}", "env", "A", "true",
		"{\"\\u0065nv\": {\"A\": true}}");
}

static void test_comments_and_commas_at_the_end_stay(void **state)
{
	(void)state;
	check_set("{\n  // mine\n  \"a\": 1 // one\n  /* end */\n}\n", NULL, "b", "2",
		"{\n  // mine\n  \"a\": 1, // one\n  \"b\": 2\n  /* end */\n}\n");
	check_set("{\n  \"a\": 1, // one\n}\n", NULL, "b", "2",
		"{\n  \"a\": 1, // one\n  \"b\": 2\n}\n");
	check_set(
		"{\n  // nothing yet\n}\n", NULL, "b", "2", "{\n  // nothing yet\n  \"b\": 2\n}\n");
	check_set("{\"a\": 1 // one\n}", NULL, "b", "2", "{\"a\": 1, \"b\": 2 // one\n}");
	check_set("{ \"a\": 1, // one\n}", NULL, "b", "2", "{ \"a\": 1, \"b\": 2 // one\n}");
}

static void check_remove(const char *before, const char *object, const char *key, const char *after)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf text = text_of(before);
	assert_true(json_edit_remove(&text, object, key, &err));
	assert_string_equal(buf_str(&text), after);
	assert_true(json_edit_check(buf_slice(&text), &err));
}

static void test_a_value_goes_with_its_key_and_comma(void **state)
{
	(void)state;
	check_remove("{\"a\": 1, \"b\": 2, \"c\": 3}", NULL, "a", "{\"b\": 2, \"c\": 3}");
	check_remove("{\"a\": 1, \"b\": 2, \"c\": 3}", NULL, "b", "{\"a\": 1, \"c\": 3}");
	check_remove("{\"a\": 1, \"b\": 2, \"c\": 3}", NULL, "c", "{\"a\": 1, \"b\": 2}");
	check_remove(
		"{\n  \"env\": {\n    \"A\": 1\n  }\n}\n", "env", "A", "{\n  \"env\": {}\n}\n");
	check_remove("{\"a\": 1}", NULL, "b", "{\"a\": 1}");
	check_remove("{\"a\": 1}", "env", "b", "{\"a\": 1}");
	check_remove("{\n  \"a\": 1,\n  \"b\": 2,\n}\n", NULL, "b", "{\n  \"a\": 1,\n}\n");
}

static void test_adding_and_taking_out_gives_the_former_text(void **state)
{
	static const char *const texts[] = {
		"{\n  \"env\": {\n    \"A\": \"1\"\n  }\n}\n",
		"{\"env\":{\"A\":\"1\"}}",
		("{\r\n\t\"env\": {\r\n\t\t\"A\": \"\\ud83d\\ude00\"\r\n\t},\r\n\t\"x\": "
		 "[]\r\n}\r\n"),
		"{\n  \"env\": {\n    \"A\": \"1\", // one\n    \"B\": 2 // two\n  }\n}\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		AUTO(error) struct error err = ERROR_INIT;
		AUTO(buf) struct buf text = text_of(texts[i]);
		assert_true(json_edit_set(&text, "env", "NEW", "\"v\"", &err));
		assert_true(json_edit_set(&text, NULL, "root", "\"v\"", &err));
		assert_true(json_edit_remove(&text, NULL, "root", &err));
		if (strstr(texts[i], "//"))
			continue; /* a comment behind the last value goes with what was added behind it */
		assert_true(json_edit_remove(&text, "env", "NEW", &err));
		assert_string_equal(buf_str(&text), texts[i]);
	}
}

static void check_fault(const char *text, const char *fault)
{
	AUTO(error) struct error err = ERROR_INIT;
	assert_false(json_edit_check(slice_of(text, strlen(text)), &err));
	assert_string_equal(err.message, fault);
}

static void test_a_fault_is_said_with_its_place(void **state)
{
	(void)state;
	check_fault("", "line 1, column 1: the text is empty");
	check_fault("[1]", "line 1, column 1: the text is no object, which begins with '{'");
	check_fault(
		"{\n  \"\u00e4\": 1\n  \"b\": 2\n}", "line 3, column 3: a ',' or a '}' is missing");
	check_fault("{\"\u00e4\": x}", "line 1, column 7: this is no value");
	check_fault("{\"a\": 1} x", "line 1, column 10: something stands behind the object's end");
	check_fault("{\"a\": \"x\n\"}", "line 1, column 9: a string that does not end on its line");
	check_fault("{\"a\": 01}", "line 1, column 8: a ',' or a '}' is missing");
	check_fault("{\"a\": -}", "line 1, column 8: this is no value");
	check_fault("{a: 1}", "line 1, column 2: a key in double quotes, or '}', is missing");
	check_fault("{\"a\": 1 /* x", "line 1, column 9: a comment without an end");
	check_fault("{\"a\": \"\\x\"}", "line 1, column 8: an unknown escape in a string");
	check_fault("{\"a\": tru", "line 1, column 7: this is no value");
	check_fault("{\"a\": ", "line 1, column 7: the text ends too early");
	check_fault("\xff\xfe{", "line 1, column 1: the text is UTF-16; it has to be UTF-8");
}

static void test_what_is_nested_without_end_is_refused(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf text = text_of("{\"a\": ");
	for (size_t i = 0; i < 100000; i++)
		buf_addc(&text, '[');
	assert_false(json_edit_check(buf_slice(&text), &err));
	assert_non_null(strstr(err.message, "nested too deeply"));
}

static void test_an_env_that_is_no_object_is_refused_and_stays(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf text = text_of("{\"env\": []}");
	assert_false(json_edit_set(&text, "env", "A", "1", &err));
	assert_string_equal(err.message, "\"env\" is there, and is no object");
	assert_string_equal(buf_str(&text), "{\"env\": []}");
}

static void test_a_plain_text_is_what_a_strict_reader_takes(void **state)
{
	(void)state;
	AUTO(buf)
	struct buf text = text_of("\xef\xbb\xbf{ // a\n\"b\": [1,], /* c */ \"d\": \"//\",}\n");
	json_edit_plain(&text);
	assert_string_equal(buf_str(&text), "   {     \n\"b\": [1 ],         \"d\": \"//\" }\n");
}

static void test_an_object_without_members_is_empty(void **state)
{
	(void)state;
	const char empty[] = "{\"env\": { /* c */ }}", full[] = "{\"env\": {\"A\": 1}}";
	assert_true(json_edit_is_empty(slice_of(empty, strlen(empty)), "env"));
	assert_false(json_edit_is_empty(slice_of(full, strlen(full)), "env"));
	assert_false(json_edit_is_empty(slice_of(full, strlen(full)), "other"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_value_is_added_the_way_the_text_is_written),
		cmocka_unit_test(test_a_text_begins),
		cmocka_unit_test(test_a_value_is_replaced_in_its_place),
		cmocka_unit_test(test_comments_and_commas_at_the_end_stay),
		cmocka_unit_test(test_a_value_goes_with_its_key_and_comma),
		cmocka_unit_test(test_adding_and_taking_out_gives_the_former_text),
		cmocka_unit_test(test_a_fault_is_said_with_its_place),
		cmocka_unit_test(test_what_is_nested_without_end_is_refused),
		cmocka_unit_test(test_an_env_that_is_no_object_is_refused_and_stays),
		cmocka_unit_test(test_a_plain_text_is_what_a_strict_reader_takes),
		cmocka_unit_test(test_an_object_without_members_is_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
