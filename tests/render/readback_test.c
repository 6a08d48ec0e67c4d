/* Every hostile value through every language and back by the language's own reader: libyaml, jansson, a real
 * sh, and a reader of .env. Each template puts a value in every kind of place that the stack's templates have,
 * and something behind it that must still be there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <yaml.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/str.h"
#include "env_reader.h"
#include "render/data.h"
#include "render/env_file.h"
#include "render/mustache.h"
#include "values.h"

#define OUTPUT_MAX (64 << 20)

static struct buf render(const char *path, const char *template)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(data) struct data *root = hostile_map();
	AUTO(mustache) struct mustache *t = mustache_parse(path, slice_str(template), &err);
	struct buf out = BUF_INIT(OUTPUT_MAX);
	struct mustache_options options = { .missing = MUSTACHE_MISSING_FAILS };
	if (!t || !escape_for_path(path, &options.escape, &err) ||
		!mustache_render(t, root, &options, &out, &err))
		fail_msg("%s", err.message);
	return out;
}

static void assert_value(size_t index, struct slice got, const char *where)
{
	struct slice expected = hostile_value(index);
	if (slice_eq(expected, got))
		return;
	print_error("%s: value %zu\n  sent %.*s\n  got  %.*s\n", where, index, (int)expected.len,
		(const char *)expected.ptr, (int)got.len, (const char *)got.ptr);
	fail();
}

/* --- YAML --- */

static const char yaml_template[] = "# {{#values}}{{text}}, {{/values}}\n"
				    "block:\n"
				    "{{#values}}\n"
				    "  - {{text}}\n"
				    "{{/values}}\n"
				    "commented:\n"
				    "{{#values}}\n"
				    "  - {{text}} # behind it\n"
				    "{{/values}}\n"
				    "flow: [{{#values}}{{text}}, {{/values}}]\n"
				    "maps:\n"
				    "{{#values}}\n"
				    "  - name: {{text}}\n"
				    "    inner: {first: {{text}}, last: end}\n"
				    "{{/values}}\n"
				    "end: here\n";

/* What the layer behind YAML makes of a text: $$ is $, a single $ would be expanded. */
static struct slice undo_dollars(struct slice s, struct buf *room)
{
	room->len = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '$' && (++i == s.len || s.ptr[i] != '$'))
			fail_msg("a dollar is left alone in %.*s", (int)s.len, (const char *)s.ptr);
		buf_add(room, s.ptr + i, 1);
	}
	return buf_slice(room);
}

/* A plain scalar is a text in every schema: nothing that a number, a time, a boolean or null begins with. */
static void assert_plain_is_text(const char *s)
{
	static const char *const words[] = { "y", "n", "yes", "no", "on", "off", "true", "false",
		"null" };
	if (strchr("0123456789+-.~<=", s[0]))
		fail_msg("\"%s\" is not a text in some YAML", s);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		assert_true(strcasecmp(s, words[i]) != 0);
}

struct yaml {
	yaml_document_t document;
	bool has_dollar_layer;
	struct buf room;
};

static const yaml_node_t *node_at(struct yaml *y, int index)
{
	const yaml_node_t *node = yaml_document_get_node(&y->document, index);
	assert_non_null(node);
	return node;
}

static const yaml_node_t *child(struct yaml *y, const yaml_node_t *map, const char *name)
{
	assert_int_equal(map->type, YAML_MAPPING_NODE);
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
		p++) {
		const yaml_node_t *key = node_at(y, p->key);
		if (strcmp((const char *)key->data.scalar.value, name) == 0)
			return node_at(y, p->value);
	}
	fail_msg("there is no %s", name);
	return NULL;
}

static const yaml_node_t *item(struct yaml *y, const yaml_node_t *list, size_t index)
{
	assert_int_equal(list->type, YAML_SEQUENCE_NODE);
	assert_true(
		index < (size_t)(list->data.sequence.items.top - list->data.sequence.items.start));
	return node_at(y, list->data.sequence.items.start[index]);
}

static void assert_scalar(struct yaml *y, size_t index, const yaml_node_t *node, const char *where)
{
	assert_int_equal(node->type, YAML_SCALAR_NODE);
	assert_string_equal((const char *)node->tag, YAML_STR_TAG);
	if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		assert_plain_is_text((const char *)node->data.scalar.value);
	struct slice got = slice_of(node->data.scalar.value, node->data.scalar.length);
	if (y->has_dollar_layer)
		got = undo_dollars(got, &y->room);
	assert_value(index, got, where);
}

static void assert_all_scalars(struct yaml *y)
{
	const yaml_node_t *root = yaml_document_get_root_node(&y->document);
	const yaml_node_t *block = child(y, root, "block"), *flow = child(y, root, "flow");
	const yaml_node_t *commented = child(y, root, "commented"), *maps = child(y, root, "maps");
	for (size_t i = 0; i < hostile_count(); i++) {
		const yaml_node_t *map = item(y, maps, i), *inner = child(y, map, "inner");
		assert_scalar(y, i, item(y, block, i), "in a list");
		assert_scalar(y, i, item(y, commented, i), "in front of a comment");
		assert_scalar(y, i, item(y, flow, i), "in a flow list");
		assert_scalar(y, i, child(y, map, "name"), "in a map");
		assert_scalar(y, i, child(y, inner, "first"), "in a flow map");
		assert_string_equal(child(y, inner, "last")->data.scalar.value, "end");
	}
	assert_string_equal(child(y, root, "end")->data.scalar.value, "here");
}

static void assert_yaml_reads_back(const char *path, bool has_dollar_layer)
{
	AUTO(buf) struct buf text = render(path, yaml_template);
	struct yaml y = { .has_dollar_layer = has_dollar_layer, .room = BUF_INIT(BUF_UNLIMITED) };
	yaml_parser_t parser;
	assert_true(yaml_parser_initialize(&parser));
	yaml_parser_set_input_string(&parser, text.data, text.len);
	if (!yaml_parser_load(&parser, &y.document))
		fail_msg("%s, line %zu: %s", path, parser.problem_mark.line + 1, parser.problem);
	assert_all_scalars(&y);
	yaml_document_delete(&y.document);
	yaml_parser_delete(&parser);
	buf_clear(&y.room);
}

static void test_values_in_yaml_read_back_by_libyaml(void **state)
{
	(void)state;
	assert_yaml_reads_back("config/rules/stack.yml", false);
	assert_yaml_reads_back("config/prometheus.yml", false);
}

static void test_values_in_files_that_expand_dollars_read_back_by_libyaml(void **state)
{
	(void)state;
	assert_yaml_reads_back("docker-compose.yml", true);
	assert_yaml_reads_back("config/otel-collector-config.yaml", true);
	assert_yaml_reads_back("config/grafana/provisioning/datasources/prometheus.yml", true);
}

/* --- JSON --- */

static void test_values_in_json_read_back_by_jansson(void **state)
{
	(void)state;
	json_error_t why;
	AUTO(buf)
	struct buf text = render("managed-settings.json",
		"{\"list\": [{{#values}}{{text}}, {{/values}}\"end\"],\n"
		" \"maps\": [{{#values}}{\"name\": {{text}}}, {{/values}}{}]}");
	json_t *root = json_loadb(buf_str(&text), text.len, 0, &why);
	if (!root)
		fail_msg("line %d: %s", why.line, why.text);
	const json_t *list = json_object_get(root, "list"), *maps = json_object_get(root, "maps");
	assert_int_equal(json_array_size(list), hostile_count() + 1);
	for (size_t i = 0; i < hostile_count(); i++) {
		const json_t *in_list = json_array_get(list, i);
		const json_t *in_map = json_object_get(json_array_get(maps, i), "name");
		assert_value(i, slice_of(json_string_value(in_list), json_string_length(in_list)),
			"in a list");
		assert_value(i, slice_of(json_string_value(in_map), json_string_length(in_map)),
			"in a map");
	}
	json_decref(root);
}

/* --- sh --- */

/* What `program script` prints. */
static struct buf run(const char *program, const char *script)
{
	struct buf out = BUF_INIT(OUTPUT_MAX);
	int ends[2], status;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl(program, program, script, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	for (ssize_t got = 1; got > 0;) {
		unsigned char *to = buf_reserve(&out, 1 << 16);
		assert_non_null(to);
		got = read(ends[0], to, 1 << 16);
		buf_wrote(&out, got > 0 ? (size_t)got : 0);
	}
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return out;
}

static void assert_is_next(struct slice *rest, size_t index, const char *where)
{
	const unsigned char *nul = rest->len ? memchr(rest->ptr, '\0', rest->len) : NULL;
	assert_non_null(nul);
	size_t len = (size_t)(nul - rest->ptr);
	assert_value(index, slice_of(rest->ptr, len), where);
	*rest = slice_of(nul + 1, rest->len - len - 1);
}

static void test_values_in_a_script_read_back_by_sh(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	char path[] = "/tmp/cctm-readback-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	AUTO(buf)
	struct buf script = render("otel-headers.sh", "set -eu\n"
						      "{{#values}}\n"
						      "printf '%s\\0' {{text}} # behind it\n"
						      "x={{text}}; printf '%s\\0' \"$x\"\n"
						      "export Y={{text}}\n"
						      "printf '%s\\0' \"$Y\"\n"
						      "{{/values}}\n"
						      "printf 'end\\0'\n");
	if (!file_write_atomic(path, script.data, script.len, 0600, &err))
		fail_msg("%s", err.message);
	AUTO(buf) struct buf out = run("/bin/sh", path);
	unlink(path);
	struct slice rest = buf_slice(&out);
	for (size_t i = 0; i < hostile_count(); i++) {
		assert_is_next(&rest, i, "an argument");
		assert_is_next(&rest, i, "an assignment");
		assert_is_next(&rest, i, "an exported variable");
	}
	assert_true(slice_eq(rest, slice_of("end", 4)));
}

/* --- .env --- */

struct env_check {
	size_t next;
};

static bool check_variable(void *ctx, struct slice name, struct slice value)
{
	struct env_check *check = ctx;
	if (check->next == hostile_count())
		return slice_eq_str(name, "END") && slice_eq_str(value, "here");
	char expected[32];
	snprintf(expected, sizeof expected, "V%zu", check->next);
	assert_true(slice_eq_str(name, expected));
	assert_value(check->next++, value, "a variable");
	return true;
}

static void test_values_in_env_read_back_by_the_rules_of_compose(void **state)
{
	(void)state;
	struct env_check check = { 0 };
	AUTO(buf)
	struct buf text = render(".env", "{{#values}}\n"
					 "# {{text}}\n"
					 "{{{name}}}={{text}}\n"
					 "{{/values}}\n"
					 "END=here\n");
	assert_true(env_read(buf_slice(&text), check_variable, &check));
	assert_int_equal(check.next, hostile_count());
}

static void test_values_in_env_take_one_line_each(void **state)
{
	(void)state;
	AUTO(buf) struct buf text = render(".env", "{{#values}}{{{name}}}={{text}}\n{{/values}}");
	size_t lines = 0;
	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	assert_int_equal(lines, hostile_count());
}

static bool is_value_or_neighbour(void *ctx, struct slice name, struct slice value)
{
	const struct slice *expected = ctx;
	return slice_eq_str(name, "V") ? slice_eq(value, *expected)
				       : slice_eq_str(name, "W") && slice_eq_str(value, "2");
}

/* In each of `texts` V is changed or added; W, comments and ends of lines stay. */
static void test_values_set_in_env_read_back_by_both_readers(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "W=2", "V='old'\t# why\r\nW=2\r\n",
		"# c\nV=old # why\nW=2\n", "V: \"o\nl\nd\"#c\nW=2" };
	for (size_t i = 0; i < hostile_count(); i++) {
		AUTO(error) struct error err = ERROR_INIT;
		AUTO(buf) struct buf out = BUF_INIT(OUTPUT_MAX);
		AUTO(env_file) struct env_file file = { 0 };
		struct slice value = hostile_value(i);
		const char *text = texts[i % (sizeof texts / sizeof *texts)];
		assert_true(
			env_file_set(slice_str(text), "V", (const char *)value.ptr, &out, &err));
		assert_true(env_file_parse(buf_slice(&out), &file, &err));
		assert_value(i, slice_str(env_file_find(&file, "V")->value), text);
		assert_true(env_read(buf_slice(&out), is_value_or_neighbour, &value));
	}
}

/* The reader must be able to say no. */
static bool any_variable(void *ctx, struct slice name, struct slice value)
{
	struct buf *seen = ctx;
	buf_addf(seen, "%.*s=<%.*s>", (int)name.len, (const char *)name.ptr, (int)value.len,
		(const char *)value.ptr);
	return true;
}

static void test_env_reader_follows_the_documented_examples(void **state)
{
	(void)state;

	static const struct {
		const char *text, *seen; /* NULL: refused */
	} cases[] = {
		{ "VAR=VAL", "VAR=<VAL>" },
		{ "VAR=\"VAL\"", "VAR=<VAL>" },
		{ "VAR='VAL'", "VAR=<VAL>" },
		{ "VAR: VAL", "VAR=<VAL>" },
		{ "VAR = VAL  \n", NULL },
		{ "VAR=  VAL  \n", "VAR=<VAL>" },
		{ "VAR=VAL # comment", "VAR=<VAL>" },
		{ "VAR=VAL# not a comment", "VAR=<VAL# not a comment>" },
		{ "VAR=\"VAL # not a comment\"", "VAR=<VAL # not a comment>" },
		{ "VAR=\"VAL\" # comment", "VAR=<VAL>" },
		{ "VAR='$OTHER'", "VAR=<$OTHER>" },
		{ "VAR='${OTHER}'", "VAR=<${OTHER}>" },
		{ "VAR=$OTHER", NULL },
		{ "VAR=\"${OTHER}\"", NULL },
		{ "VAR='Let\\'s go!'", "VAR=<Let's go!>" },
		{ "VAR=\"{\\\"hello\\\": \\\"json\\\"}\"", "VAR=<{\"hello\": \"json\"}>" },
		{ "VAR=\"some\\tvalue\"", "VAR=<some\tvalue>" },
		{ "VAR='some\\tvalue'", "VAR=<some\\tvalue>" },
		{ "VAR=some\\tvalue", "VAR=<some\\tvalue>" },
		{ "VAR=\"open", NULL },
		{ "# only\n\nA=1\nB='two\nlines'\nC=", "A=<1>B=<two\nlines>C=<>" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(buf) struct buf seen = BUF_INIT(BUF_UNLIMITED);
		bool ok = env_read(slice_str(cases[i].text), any_variable, &seen);
		assert_int_equal(ok, cases[i].seen != NULL);
		if (ok)
			assert_string_equal(buf_str(&seen), cases[i].seen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_in_yaml_read_back_by_libyaml),
		cmocka_unit_test(test_values_in_files_that_expand_dollars_read_back_by_libyaml),
		cmocka_unit_test(test_values_in_json_read_back_by_jansson),
		cmocka_unit_test(test_values_in_a_script_read_back_by_sh),
		cmocka_unit_test(test_values_in_env_read_back_by_the_rules_of_compose),
		cmocka_unit_test(test_values_in_env_take_one_line_each),
		cmocka_unit_test(test_values_set_in_env_read_back_by_both_readers),
		cmocka_unit_test(test_env_reader_follows_the_documented_examples),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
