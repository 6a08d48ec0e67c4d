/* What the specification leaves open: errors and their places, bounds, missing names, partials' indentation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/error.h"
#include "render/data.h"
#include "render/mustache.h"

struct partial {
	const char *name, *text;
};

static int find_partial(void *ctx, const char *name, struct slice *text, struct error *err)
{
	for (const struct partial *p = ctx; p && p->name; p++) {
		if (strcmp(p->name, name) == 0) {
			*text = slice_str(p->text);
			return 1;
		}
	}
	if (strcmp(name, "unreadable") != 0)
		return 0;
	error_set(err, ERR_IO, "permission denied");
	return -1;
}

static struct data *sample(void)
{
	struct data *root = data_map(), *list = data_list(), *ports = data_map();
	data_append(list, data_text("one"));
	data_append(list, data_text("two"));
	data_set(ports, "grafana", data_int(3000));
	data_set(root, "list", list);
	data_set(root, "ports", ports);
	data_set(root, "on", data_bool(true));
	data_set(root, "off", data_bool(false));
	data_set(root, "empty", data_text(""));
	data_set(root, "password", data_text("a $b\n'c'"));
	data_set(root, "lines", data_text("x\ny"));
	return root;
}

struct outcome {
	struct buf out;
	struct error err;
	bool ok;
};

#define AUTO_OUTCOME __attribute__((cleanup(clear_outcome)))

static void clear_outcome(struct outcome *o)
{
	buf_clear(&o->out);
	error_clear(&o->err);
}

static struct outcome render(
	const char *template, struct mustache_options options, const struct partial *partials)
{
	struct outcome o = { .out = BUF_INIT(1 << 16) };
	AUTO(data) struct data *root = sample();
	AUTO(mustache) struct mustache *t = mustache_parse("t.yml", slice_str(template), &o.err);
	options.partial = find_partial;
	options.partial_ctx = (void *)(uintptr_t)partials;
	o.ok = t && mustache_render(t, root, &options, &o.out, &o.err);
	return o;
}

static void assert_renders(const char *template, struct mustache_options options,
	const struct partial *partials, const char *expected)
{
	AUTO_OUTCOME struct outcome o = render(template, options, partials);
	if (!o.ok)
		fail_msg("%s", o.err.message);
	assert_string_equal(buf_str(&o.out), expected);
}

static const struct mustache_options strict = { .missing = MUSTACHE_MISSING_FAILS };
static const struct mustache_options lenient = { .missing = MUSTACHE_MISSING_IS_EMPTY };

static void test_mustache_says_where_a_template_is_wrong(void **state)
{
	(void)state;

	static const struct {
		const char *template, *message;
	} cases[] = {
		{ "a\n  {{#on}}\nb", "t.yml, line 2, column 3: the section \"on\" that begins here "
				     "is not closed" },
		{ "{{#on}}\n{{^off}}\n{{/off}}\n", "t.yml, line 1, column 1: the section \"on\" "
						   "that begins here is not closed" },
		{ "\xC3\xA9 {{#on}}\r\n {{/off}}", "t.yml, line 2, column 2: {{/off}} closes a "
						   "section, but the open one is \"on\" "
						   "(line 1, column 3)" },
		{ "{{/on}}",
			"t.yml, line 1, column 1: {{/on}} closes a section, but none is open" },
		{ "x {{on", "t.yml, line 1, column 3: the tag that begins here does not end with "
			    "\"}}\"" },
		{ "x {{{on}}", "t.yml, line 1, column 3: the tag that begins here does not end "
			       "with \"}}}\"" },
		{ "{{! on }", "t.yml, line 1, column 1: the tag that begins here does not end with "
			      "\"}}\"" },
		{ "{{}}", "t.yml, line 1, column 1: a tag without a name" },
		{ "{{# }}", "t.yml, line 1, column 1: a tag without a name" },
		{ "{{a b}}", "t.yml, line 1, column 1: \"a b\" is not a name" },
		{ "{{a..b}}", "t.yml, line 1, column 1: \"a..b\" is not a name" },
		{ "{{.a}}", "t.yml, line 1, column 1: \".a\" is not a name" },
		{ "{{a.}}", "t.yml, line 1, column 1: \"a.\" is not a name" },
		{ "{{=a}}", "t.yml, line 1, column 1: the tag that begins here does not end with "
			    "\"=}}\"" },
		{ "{{=a=}}", "t.yml, line 1, column 1: delimiters are two words of at most 16 "
			     "bytes without \"=\"" },
		{ "{{=a b c=}}", "t.yml, line 1, column 1: delimiters are two words of at most 16 "
				 "bytes without \"=\"" },
		{ "{{=12345678901234567 b=}}", "t.yml, line 1, column 1: delimiters are two words "
					       "of at most 16 bytes without \"=\"" },
		{ "{{=<% %>=}}\n<%#on%>{{/on}}", "t.yml, line 2, column 1: the section \"on\" that "
						 "begins here is not closed" },
		{ "\n{{ $labels.x }}", "t.yml, line 2, column 1: \"$labels.x\" is not a tag of "
				       "this template language" },
		{ "{{ #on }}\n{{ / off }}", "t.yml, line 2, column 1: {{/off}} closes a section, "
					    "but the open one is \"on\" "
					    "(line 1, column 1)" },
		{ "{{<parent}}", "t.yml, line 1, column 1: \"<parent\" is not a tag of this "
				 "template language" },
		{ "{{>*dynamic}}", "t.yml, line 1, column 1: \">*dynamic\" is not a tag of this "
				   "template language" },
		{ "\xFF", "t.yml: a template that is not UTF-8" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO_OUTCOME struct outcome o = render(cases[i].template, lenient, NULL);
		assert_false(o.ok);
		assert_string_equal(o.err.message, cases[i].message);
	}
}

static void test_mustache_says_where_a_render_failed(void **state)
{
	(void)state;
	static const struct partial partials[] = { { "bad", "\n{{#on}}" },
		{ "deep", "\n {{nosuch}}" }, { 0 } };

	static const struct {
		const char *template, *message;
	} cases[] = {
		{ "\n {{nosuch}}", "t.yml, line 2, column 2: there is no value \"nosuch\"" },
		{ "{{ports.nosuch}}",
			"t.yml, line 1, column 1: there is no value \"ports.nosuch\"" },
		{ "{{#nosuch}}{{/nosuch}}",
			"t.yml, line 1, column 1: there is no value \"nosuch\"" },
		{ "{{^nosuch}}{{/nosuch}}",
			"t.yml, line 1, column 1: there is no value \"nosuch\"" },
		{ "{{>nosuch}}", "t.yml, line 1, column 1: there is no partial \"nosuch\"" },
		{ "a {{>unreadable}}", "t.yml, line 1, column 3: permission denied" },
		{ "a {{>bad}}", "t.yml, line 1, column 3: bad, line 2, column 1: the section "
				"\"on\" that begins here "
				"is not closed" },
		{ "{{>deep}}", "deep, line 2, column 2: there is no value \"nosuch\"" },
		{ "{{list}}", "t.yml, line 1, column 1: \"list\" is a list and cannot be written" },
		{ "{{{ports}}}",
			"t.yml, line 1, column 1: \"ports\" is a map and cannot be written" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO_OUTCOME struct outcome o = render(cases[i].template, strict, partials);
		assert_false(o.ok);
		assert_string_equal(o.err.message, cases[i].message);
	}
}

static void test_mustache_hints_at_delimiters_where_the_file_has_braces_of_its_own(void **state)
{
	(void)state;
	AUTO_OUTCOME struct outcome o = render("{{ $value }}", lenient, NULL);
	assert_non_null(strstr(o.err.hint, "{{=<% %>=}}"));
	assert_renders("{{=<% %>=}}\nsummary: '{{ $value }} <%ports.grafana%>'\n", strict, NULL,
		"summary: '{{ $value }} 3000'\n");
}

static void test_mustache_writes_texts_in_the_language_and_numbers_as_they_are(void **state)
{
	(void)state;
	struct mustache_options options = strict;
	options.escape = ESCAPE_COMPOSE;
	assert_renders("p: {{password}}\nn: {{ports.grafana}}\nb: {{on}}\nr: {{{lines}}}\n",
		options, NULL, "p: \"a $$b\\n'c'\"\nn: 3000\nb: true\nr: x\ny\n");
	options.escape = ESCAPE_SHELL;
	assert_renders("p={{password}} n={{ports.grafana}} b={{off}}", options, NULL,
		"p='a $b\n'\\''c'\\''' n=3000 b=false");
}

static void test_mustache_section_of_an_empty_text_is_left_out(void **state)
{
	(void)state;
	assert_renders("{{#empty}}set{{/empty}}{{^empty}}unset{{/empty}}", strict, NULL, "unset");
	assert_renders("{{#lines}}<{{.}}>{{/lines}}", strict, NULL, "<x\ny>");
}

static void test_mustache_value_is_not_read_as_a_template(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf out = BUF_INIT(100);
	AUTO(data) struct data *root = data_map();
	data_set(root, "a", data_text("{{b}}{{#c}}"));
	AUTO(mustache) struct mustache *t = mustache_parse("t", SLICE_LIT("{{{a}}}{{a}}"), &err);
	assert_true(mustache_render(t, root, &strict, &out, &err));
	assert_string_equal(buf_str(&out), "{{b}}{{#c}}{{b}}{{#c}}");
}

static void test_mustache_indents_the_lines_of_a_partial_but_not_those_of_its_values(void **state)
{
	(void)state;
	static const struct partial partials[] = {
		{ "outer", "a:\n  {{>inner}}\n{{#on}}\nz\n{{/on}}\n" },
		{ "inner", "b: {{lines}}\n\n{{#list}}\n- {{.}}\n{{/list}}\n{{on}} c\r\n\r\n" },
		{ 0 },
	};
	assert_renders("x\n {{>outer}}\nend\n", strict, partials,
		"x\n a:\n   b: x\ny\n\n   - one\n   - two\n   true c\r\n\r\n z\nend\n");
}

static void test_mustache_partial_within_a_line_is_not_indented(void **state)
{
	(void)state;
	static const struct partial partials[] = {
		{ "outer", "a {{>inner}} b\n{{>inner}}\n  {{>inner}} c\n" },
		{ "inner", "1\n2{{>last}}" },
		{ "last", "3\n  {{>end}}\n4" },
		{ "end", "5\n6\n" },
		{ 0 },
	};
	/* As when each line of "outer" had been indented before it was rendered. */
	assert_renders("  {{>outer}}\n", strict, partials,
		"  a 1\n23\n  5\n  6\n4 b\n"
		"  1\n  23\n  5\n  6\n4"
		"    1\n23\n  5\n  6\n4 c\n");
}

static char *repeat(const char *s, size_t times)
{
	struct buf b = BUF_INIT(BUF_UNLIMITED);
	for (size_t i = 0; i < times; i++)
		buf_adds(&b, s);
	return buf_detach(&b);
}

static void assert_fails(const char *template, const struct partial *partials, const char *message)
{
	AUTO_OUTCOME struct outcome o = render(template, lenient, partials);
	assert_false(o.ok);
	assert_non_null(strstr(o.err.message, message));
}

static void test_mustache_refuses_a_template_that_is_too_large(void **state)
{
	(void)state;
	AUTO(str) char *largest = repeat("x", MUSTACHE_TEMPLATE_MAX);
	AUTO(str) char *larger = repeat("x", MUSTACHE_TEMPLATE_MAX + 1);
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(mustache) struct mustache *t = mustache_parse("t", slice_str(largest), &err);
	assert_non_null(t);
	assert_fails(larger, NULL, "t.yml: a template of 1048577 bytes, more than 1048576");
}

static void test_mustache_refuses_a_name_that_is_too_long(void **state)
{
	(void)state;
	AUTO(str) char *name = repeat("n", MUSTACHE_NAME_MAX + 1);
	AUTO(buf) struct buf template = BUF_INIT(BUF_UNLIMITED);
	buf_addf(&template, "{{%s}}", name + 1);
	assert_renders(buf_str(&template), lenient, NULL, "");
	template.len = 0;
	buf_addf(&template, "{{%s}}", name);
	assert_fails(buf_str(&template), NULL, "a name of 257 bytes, more than 256");
}

static void test_mustache_refuses_sections_that_are_nested_too_deep(void **state)
{
	(void)state;
	AUTO(str) char *open = repeat("{{#on}}", MUSTACHE_SECTIONS_MAX);
	AUTO(str) char *close = repeat("{{/on}}", MUSTACHE_SECTIONS_MAX);
	AUTO(buf) struct buf template = BUF_INIT(BUF_UNLIMITED);
	buf_addf(&template, "%sx%s", open, close);
	assert_renders(buf_str(&template), lenient, NULL, "x");
	template.len = 0;
	buf_addf(&template, "%s{{#on}}x{{/on}}%s", open, close);
	assert_fails(buf_str(&template), NULL, "sections are nested deeper than 64");
}

static void test_mustache_refuses_a_partial_that_includes_itself_for_ever(void **state)
{
	(void)state;
	static const struct partial partials[] = { { "p", " {{>p}}" }, { 0 } };
	assert_fails("{{>p}}", partials, "partials include each other deeper than 32");
}

static void test_mustache_ends_a_partial_that_includes_itself_twice(void **state)
{
	(void)state;
	static const struct partial partials[] = {
		{ "p", "{{#on}}{{>q}}{{>q}}{{/on}}" },
		{ "q", "{{>r}}{{>r}}" },
		{ "r", "" },
		{ 0 },
	};
	AUTO(str) char *many = repeat("{{>p}}", 100000);
	assert_fails(many, partials, "the render takes more than 1048576 steps");
}

static void test_mustache_ends_nested_loops_that_write_nothing(void **state)
{
	(void)state;
	AUTO(str) char *open = repeat("{{#list}}", 40);
	AUTO(str) char *close = repeat("{{/list}}", 40);
	AUTO(buf) struct buf template = BUF_INIT(BUF_UNLIMITED);
	buf_addf(&template, "%s%s", open, close);
	assert_fails(buf_str(&template), NULL, "the render takes more than 1048576 steps");
}

static void test_mustache_ends_long_loops_over_empty_sections(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf out = BUF_INIT(100);
	AUTO(data) struct data *root = data_map();
	struct data *list = data_list();
	for (int i = 0; i < 2000; i++)
		data_append(list, data_bool(true));
	data_set(root, "list", list);
	AUTO(mustache)
	struct mustache *t =
		mustache_parse("t", SLICE_LIT("{{#list}}{{#list}}{{/list}}{{/list}}"), &err);
	assert_false(mustache_render(t, root, &lenient, &out, &err));
	assert_string_equal(
		err.message, "t, line 1, column 10: the render takes more than 1048576 steps");
}

static void test_mustache_output_stops_at_its_maximum(void **state)
{
	(void)state;
	static const char *const templates[] = { "1234567", "{{{seven}}}", "{{>p}}",
		"{{#on}}1{{/on}}234567" };
	static const struct partial partials[] = { { "p", "1234567" }, { 0 } };
	struct mustache_options options = { .partial = find_partial };
	options.partial_ctx = (void *)(uintptr_t)partials;
	AUTO(data) struct data *root = data_map();
	data_set(root, "seven", data_text("1234567"));
	data_set(root, "on", data_bool(true));
	for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
		AUTO(error) struct error err = ERROR_INIT;
		AUTO(buf) struct buf enough = BUF_INIT(7), little = BUF_INIT(6);
		AUTO(mustache)
		struct mustache *t = mustache_parse("t", slice_str(templates[i]), &err);
		assert_true(mustache_render(t, root, &options, &enough, &err));
		assert_string_equal(buf_str(&enough), "1234567");
		assert_false(mustache_render(t, root, &options, &little, &err));
		assert_non_null(strstr(err.message, "the output would pass 6 bytes"));
	}
}

static void test_mustache_refuses_values_before_it_writes_anything(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf out = BUF_INIT(100);
	AUTO(data) struct data *root = data_map();
	data_set(root, "unused", data_text_slice(SLICE_LIT("\0")));
	AUTO(mustache) struct mustache *t = mustache_parse("t.yml", SLICE_LIT("text"), &err);
	assert_false(mustache_render(t, root, &lenient, &out, &err));
	assert_string_equal(err.message, "t.yml: unused holds a NUL byte");
	assert_int_equal(out.len, 0);
}

static void test_mustache_renders_the_same_again(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf first = BUF_INIT(100), second = BUF_INIT(100);
	AUTO(data) struct data *root = sample();
	AUTO(mustache)
	struct mustache *t = mustache_parse("t", SLICE_LIT("{{#list}}{{.}},{{/list}}"), &err);
	assert_true(mustache_render(t, root, &strict, &first, &err));
	assert_true(mustache_render(t, root, &strict, &second, &err));
	assert_string_equal(buf_str(&first), "one,two,");
	assert_string_equal(buf_str(&second), "one,two,");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mustache_says_where_a_template_is_wrong),
		cmocka_unit_test(test_mustache_says_where_a_render_failed),
		cmocka_unit_test(
			test_mustache_hints_at_delimiters_where_the_file_has_braces_of_its_own),
		cmocka_unit_test(
			test_mustache_writes_texts_in_the_language_and_numbers_as_they_are),
		cmocka_unit_test(test_mustache_section_of_an_empty_text_is_left_out),
		cmocka_unit_test(test_mustache_value_is_not_read_as_a_template),
		cmocka_unit_test(
			test_mustache_indents_the_lines_of_a_partial_but_not_those_of_its_values),
		cmocka_unit_test(test_mustache_partial_within_a_line_is_not_indented),
		cmocka_unit_test(test_mustache_refuses_a_template_that_is_too_large),
		cmocka_unit_test(test_mustache_refuses_a_name_that_is_too_long),
		cmocka_unit_test(test_mustache_refuses_sections_that_are_nested_too_deep),
		cmocka_unit_test(test_mustache_refuses_a_partial_that_includes_itself_for_ever),
		cmocka_unit_test(test_mustache_ends_a_partial_that_includes_itself_twice),
		cmocka_unit_test(test_mustache_ends_nested_loops_that_write_nothing),
		cmocka_unit_test(test_mustache_ends_long_loops_over_empty_sections),
		cmocka_unit_test(test_mustache_output_stops_at_its_maximum),
		cmocka_unit_test(test_mustache_refuses_values_before_it_writes_anything),
		cmocka_unit_test(test_mustache_renders_the_same_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
