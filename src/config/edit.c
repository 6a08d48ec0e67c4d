/* An edit is a few splices on the old bytes. A line is never moved and nothing is written anew, because
 * whatever is printed from a tree has lost its comments. */
#include "config/edit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/edit_internal.h"
#include "config/yaml_text.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

#define LEVELS_MAX   8
#define SPLICES_MAX  (VALUE_ITEMS_MAX * 2 + 2)
#define INDENT_USUAL 2

struct splice {
	size_t start, end;
	char *text;
};

struct editor {
	struct slice bytes;
	struct tree tree;
	const char *eol;
	const struct key *key;
	const struct value *value;
	struct splice splices[SPLICES_MAX]; /* in the order of the file */
	size_t splice_count;
	struct error *err;
};

static bool by_hand(struct editor *e, const char *why)
{
	error_set(e->err, ERR_REFUSED, "%s", why);
	return error_hint(e->err, "nothing was changed: make this edit by hand");
}

/* Takes `text`. */
static void splice(struct editor *e, size_t start, size_t end, char *text)
{
	if (e->splice_count == SPLICES_MAX) {
		free(text); /* the check afterwards finds it missing */
		return;
	}
	e->splices[e->splice_count++] = (struct splice){ start, end, text };
}

/* ---- lines ---- */

static bool is_break(unsigned char byte)
{
	return byte == '\n' || byte == '\r';
}

static size_t line_start(struct slice bytes, size_t at)
{
	while (at > 0 && !is_break(bytes.ptr[at - 1]))
		at--;
	return at;
}

/* The start of the line behind `at`, or the end of the text. */
static size_t next_line(struct slice bytes, size_t at)
{
	while (at < bytes.len && !is_break(bytes.ptr[at]))
		at++;
	if (at + 1 < bytes.len && bytes.ptr[at] == '\r' && bytes.ptr[at + 1] == '\n')
		at++;
	return at < bytes.len ? at + 1 : at;
}

static size_t indent_of(struct slice bytes, size_t line)
{
	size_t at = line;
	while (at < bytes.len && bytes.ptr[at] == ' ')
		at++;
	return at - line;
}

static bool is_comment_line(struct slice bytes, size_t line)
{
	size_t at = line + indent_of(bytes, line);
	return at < bytes.len && bytes.ptr[at] == '#';
}

static bool is_first_in_line(struct slice bytes, size_t at)
{
	size_t line = line_start(bytes, at);
	return line + indent_of(bytes, line) == at;
}

static const char *line_end(struct slice bytes)
{
	size_t at = 0;
	while (at < bytes.len && !is_break(bytes.ptr[at]))
		at++;
	if (at + 1 < bytes.len && bytes.ptr[at] == '\r' && bytes.ptr[at + 1] == '\n')
		return "\r\n";
	return at < bytes.len && bytes.ptr[at] == '\r' ? "\r" : "\n";
}

/* ---- new text ---- */

static enum yaml_quotes quotes_of(const struct node *node)
{
	if (!node || node->kind != NODE_SCALAR)
		return YAML_QUOTE_IF_NEEDED;
	if (node->style == NODE_SINGLE_QUOTED)
		return YAML_QUOTE_SINGLE;
	return node->style == NODE_DOUBLE_QUOTED ? YAML_QUOTE_DOUBLE : YAML_QUOTE_IF_NEEDED;
}

/* The value as text, between the quotes the old one had. */
static char *new_text(const struct editor *e, const struct node *old)
{
	enum yaml_quotes quotes = quotes_of(old);
	enum key_type type = e->key->type;
	bool is_number =
		type == KEY_BOOL || type == KEY_INT || type == KEY_DECIMAL || type == KEY_PORT;
	if (e->key->is_list || e->value->is_null || is_number || quotes == YAML_QUOTE_IF_NEEDED)
		return value_text(e->key, e->value);
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	yaml_add_scalar(&text, e->value->text, false, quotes);
	return buf_detach(&text);
}

/* "a: { b: VALUE }" for the path "a.b" */
static char *flow_entry(const struct editor *e, const char *path)
{
	AUTO(str) char *value = new_text(e, NULL);
	const char *dot = strchr(path, '.');
	if (!dot)
		return mem_printf("%s: %s", path, value);
	AUTO(str) char *inner = flow_entry(e, dot + 1);
	return mem_printf("%.*s: { %s }", (int)(dot - path), path, inner);
}

/* Lines "a:", "  b: VALUE" for the path "a.b", each ended. */
static char *block_entry(const struct editor *e, const char *path, size_t indent, size_t step)
{
	AUTO(str) char *value = new_text(e, NULL);
	const char *dot = strchr(path, '.');
	if (!dot)
		return mem_printf("%*s%s: %s%s", (int)indent, "", path, value, e->eol);
	AUTO(str) char *inner = block_entry(e, dot + 1, indent + step, step);
	return mem_printf("%*s%.*s:%s%s", (int)indent, "", (int)(dot - path), path, e->eol, inner);
}

/* How far the file indents its groups. */
static size_t indent_step(const struct editor *e)
{
	const struct node *root = e->tree.root;
	for (size_t i = 0; root && root->kind == NODE_MAP && i + 1 < root->count; i += 2) {
		const struct node *group = root->children[i + 1];
		if (group->kind != NODE_MAP || group->style != NODE_BLOCK || !group->count)
			continue;
		size_t step = indent_of(e->bytes, line_start(e->bytes, group->start));
		if (step)
			return step;
	}
	return INDENT_USUAL;
}

/* Inserts whole lines at the start of a line, or behind a last line that has no end. */
static void insert_lines(struct editor *e, size_t at, char *lines)
{
	bool is_ended = at == 0 || is_break(e->bytes.ptr[at - 1]);
	splice(e, at, at, is_ended ? mem_strdup(lines) : mem_printf("%s%s", e->eol, lines));
	free(lines);
}

/* ---- where a new key goes ---- */

/* The place of a key or group in the table; SIZE_MAX: it has none. */
static size_t order_of(const char *prefix, const char *name)
{
	AUTO(str) char *path = mem_printf("%s%s%s", prefix, *prefix ? "." : "", name);
	size_t len = strlen(path);
	for (size_t i = 0; i < config_key_count; i++) {
		const char *other = config_keys[i].path;
		if (strncmp(other, path, len) == 0 && (other[len] == '\0' || other[len] == '.'))
			return i;
	}
	return SIZE_MAX;
}

/* The last entry that the table has in front of `name`; NULL: none. */
static const struct node *entry_before(const struct node *map, const char *prefix, const char *name)
{
	const struct node *before = NULL;
	size_t order = order_of(prefix, name);
	for (size_t i = 0; i + 1 < map->count; i += 2) {
		if (order_of(prefix, map->children[i]->text) < order)
			before = map->children[i + 1];
	}
	return before;
}

/* Behind an entry, and behind comments that are indented as part of it. */
static size_t line_behind(const struct editor *e, const struct node *entry, size_t indent)
{
	size_t line = next_line(e->bytes, entry->end);
	while (line < e->bytes.len && is_comment_line(e->bytes, line) &&
		indent_of(e->bytes, line) > indent)
		line = next_line(e->bytes, line);
	return line;
}

/* In front of the first entry and of the comment that speaks of it; but a comment that begins the file
 * speaks of the file. */
static size_t line_in_front(const struct editor *e, const struct node *first)
{
	size_t own = line_start(e->bytes, first->start), line = own;
	while (line > 0) {
		size_t above = line_start(
			e->bytes, line - (line > 1 && e->bytes.ptr[line - 1] == '\n' &&
								 e->bytes.ptr[line - 2] == '\r'
							 ? 2
							 : 1));
		if (!is_comment_line(e->bytes, above))
			return line;
		line = above;
	}
	return own;
}

/* Behind the line of the sample that shows this key switched off ("#bind: 127.0.0.1"), when it stands
 * between `line` and the next line with something in it; else `line` itself. */
static size_t line_of_sample(const struct editor *e, size_t line, size_t indent, const char *name)
{
	AUTO(str) char *shown = mem_printf("#%*s%s:", (int)indent, "", name);
	size_t len = strlen(shown);
	for (size_t at = line; at < e->bytes.len; at = next_line(e->bytes, at)) {
		size_t text = at + indent_of(e->bytes, at);
		if (text < e->bytes.len && e->bytes.ptr[text] != '#' &&
			!is_break(e->bytes.ptr[text]))
			break;
		if (e->bytes.len - at >= len && memcmp(e->bytes.ptr + at, shown, len) == 0)
			return next_line(e->bytes, at);
	}
	return line;
}

static bool insert_in_block(struct editor *e, const struct node *map, const char *prefix,
	const char *name, const char *rest)
{
	const struct node *first = map->children[0], *before = entry_before(map, prefix, name);
	if (!is_first_in_line(e->bytes, first->start))
		return by_hand(e, "the first key does not begin its line");
	size_t indent = indent_of(e->bytes, line_start(e->bytes, first->start));
	size_t at = before ? line_of_sample(e, line_behind(e, before, indent), indent, name)
			   : line_in_front(e, first);
	insert_lines(e, at, block_entry(e, rest, indent, indent_step(e)));
	return true;
}

static bool insert_in_flow(struct editor *e, const struct node *map, const char *prefix,
	const char *name, const char *rest)
{
	const struct node *before = entry_before(map, prefix, name);
	AUTO(str) char *entry = flow_entry(e, rest);
	if (map->count == 0)
		splice(e, map->start, map->end, mem_printf("{ %s }", entry));
	else if (before)
		splice(e, before->end, before->end, mem_printf(", %s", entry));
	else
		splice(e, map->children[0]->start, map->children[0]->start,
			mem_printf("%s, ", entry));
	return true;
}

/* ---- replacing a value ---- */

static void replace(struct editor *e, const struct node *node, char *text)
{
	bool is_absent = node->start == node->end;
	splice(e, node->start, node->end, is_absent ? mem_printf(" %s", text) : mem_strdup(text));
	free(text);
}

static bool same_item(const struct node *item, const char *text)
{
	return item->kind == NODE_SCALAR && !node_is_null(item) && strcmp(item->text, text) == 0;
}

static char *item_text(const char *text, const struct node *old)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	yaml_add_scalar(&out, text, false, quotes_of(old));
	return buf_detach(&out);
}

static void add_items(
	struct editor *e, const struct node *list, size_t behind, size_t from, size_t to)
{
	AUTO(buf) struct buf lines = BUF_INIT(BUF_UNLIMITED);
	size_t line = line_start(e->bytes, list->children[0]->start);
	for (size_t i = from; i < to; i++) {
		AUTO(str) char *text = item_text(e->value->items[i], NULL);
		buf_addf(&lines, "%*s- %s%s", (int)indent_of(e->bytes, line), "", text, e->eol);
	}
	size_t at = behind ? next_line(e->bytes, list->children[behind - 1]->end) : line;
	if (lines.len)
		insert_lines(e, at, buf_detach(&lines));
}

/* A list with an item a line: items that stay keep their lines and comments. */
static bool replace_block_list(struct editor *e, const struct node *list)
{
	const struct value *value = e->value;
	size_t old = list->count, new = value->count, head = 0, tail = 0;
	while (head < old && head < new &&same_item(list->children[head], value->items[head]))
		head++;
	while (tail < old - head && tail < new - head &&same_item(list->children[old - 1 - tail],
							 value->items[new - 1 - tail]))
		tail++;
	size_t changed = old - head - tail, given = new - head - tail;
	size_t both = changed < given ? changed : given;
	for (size_t i = head; i < head + both; i++)
		replace(e, list->children[i], item_text(value->items[i], list->children[i]));
	for (size_t i = head + both; i < old - tail; i++)
		splice(e, line_start(e->bytes, list->children[i]->start),
			next_line(e->bytes, list->children[i]->end), mem_strdup(""));
	add_items(e, list, head + both, head + both, new - tail);
	return true;
}

static bool replace_value(struct editor *e, const struct node *node)
{
	bool is_block_list = node->kind == NODE_LIST && node->style == NODE_BLOCK && node->count;
	if (e->key->is_list && is_block_list && e->value->count)
		return replace_block_list(e, node);
	replace(e, node, new_text(e, node));
	return true;
}

/* ---- set ---- */

static bool set_below(
	struct editor *e, const struct node *map, const char *prefix, const char *rest)
{
	size_t len = strcspn(rest, "."), at;
	AUTO(str) char *name = mem_strndup(rest, len);
	AUTO(str) char *path = mem_printf("%s%s%s", prefix, *prefix ? "." : "", name);
	const struct node *node = node_child(map, name, &at);
	if (!node)
		return map->style == NODE_FLOW || !map->count
			       ? insert_in_flow(e, map, prefix, name, rest)
			       : insert_in_block(e, map, prefix, name, rest);
	if (!rest[len])
		return replace_value(e, node);
	if (node->kind == NODE_MAP)
		return set_below(e, node, path, rest + len + 1);
	if (!node_is_null(node))
		return by_hand(e, "the group holds a value");
	AUTO(str) char *entry = flow_entry(e, rest + len + 1);
	replace(e, node, mem_printf("{ %s }", entry));
	return true;
}

static bool plan_set(struct editor *e)
{
	const struct node *root = e->tree.root;
	if (!root || (node_is_null(root) && root->start == root->end)) {
		insert_lines(e, e->bytes.len, block_entry(e, e->key->path, 0, INDENT_USUAL));
		return true;
	}
	if (root->kind != NODE_MAP)
		return by_hand(e, "the file holds no keys");
	return set_below(e, root, "", e->key->path);
}

static void apply(const struct editor *e, struct buf *out)
{
	size_t at = 0;
	for (size_t i = 0; i < e->splice_count; i++) {
		const struct splice *s = &e->splices[i];
		buf_add(out, e->bytes.ptr + at, s->start - at);
		buf_adds(out, s->text);
		at = s->end;
	}
	buf_add(out, e->bytes.ptr + at, e->bytes.len - at);
}

static void editor_clear(struct editor *e)
{
	for (size_t i = 0; i < e->splice_count; i++)
		free(e->splices[i].text);
	tree_clear(&e->tree);
}

/* Reads the result as any reader would and compares. */
static bool check_set(struct editor *e, struct slice result)
{
	AUTO(tree) struct tree after = { 0 };
	AUTO(error) struct error ignored = ERROR_INIT;
	if (!tree_parse(result, &after, &ignored) ||
		!edit_says(e->key, edit_find(&after, e->key->path), e->value) ||
		!edit_same_elsewhere(&e->tree, &after, e->key->path))
		return by_hand(e, "the file is written in a way that cctm cannot edit");
	if (edit_comments(result, &after) != edit_comments(e->bytes, &e->tree))
		return by_hand(e, "a comment would be lost");
	return true;
}

bool edit_set(struct slice bytes, const struct key *key, const struct value *value, struct buf *out,
	struct error *err)
{
	struct editor e = {
		.bytes = bytes, .eol = line_end(bytes), .key = key, .value = value, .err = err
	};
	AUTO(buf) struct buf result = BUF_INIT(BUF_UNLIMITED);
	if (!tree_parse(bytes, &e.tree, err))
		return false;
	bool is_done = plan_set(&e);
	if (is_done) {
		apply(&e, &result);
		is_done = check_set(&e, buf_slice(&result));
	}
	editor_clear(&e);
	if (is_done)
		buf_add(out, result.data, result.len);
	return is_done;
}

/* ---- unset ---- */

struct level {
	const struct node *map;
	size_t at;
};

static size_t find_levels(const struct tree *tree, const char *path, struct level *levels)
{
	size_t count = 0;
	const struct node *node = tree->root;
	for (const char *at = path; *at; count++) {
		size_t len = strcspn(at, ".");
		AUTO(str) char *name = mem_strndup(at, len);
		if (!node || count == LEVELS_MAX)
			return 0;
		levels[count].map = node;
		node = node_child(node, name, &levels[count].at);
		if (!node)
			return 0;
		at += len + (at[len] == '.');
	}
	return count;
}

static bool cut_entry(struct editor *e, const struct level *level)
{
	const struct node *map = level->map, *key = map->children[level->at];
	const struct node *value = map->children[level->at + 1];
	size_t start = key->start, end = value->end > key->end ? value->end : key->end;
	if (map->style == NODE_BLOCK) {
		if (!is_first_in_line(e->bytes, start))
			return by_hand(e, "the key does not begin its line");
		start = line_start(e->bytes, start);
		end = next_line(e->bytes, end);
	} else if (level->at + 2 < map->count) {
		end = map->children[level->at + 2]->start;
	} else if (level->at > 0) {
		start = map->children[level->at - 1]->end;
	}
	splice(e, start, end, mem_strdup(""));
	return true;
}

/* The file without the entry at `levels[depth]`; false: it cannot be done so. */
static bool try_cut(struct slice bytes, const struct tree *tree, const struct level *level,
	const char *path, struct buf *out, size_t *comments, struct error *err)
{
	struct editor e = { .bytes = bytes, .err = err };
	AUTO(tree) struct tree after = { 0 };
	AUTO(error) struct error ignored = ERROR_INIT;
	bool is_cut = cut_entry(&e, level);
	if (is_cut) {
		apply(&e, out);
		is_cut =
			(tree_parse(buf_slice(out), &after, &ignored) && !edit_find(&after, path) &&
				edit_same_elsewhere(tree, &after, path)) ||
			by_hand(&e, "the file is written in a way that cctm cannot edit");
		*comments = is_cut ? edit_comments(buf_slice(out), &after) : 0;
	}
	editor_clear(&e);
	return is_cut;
}

/* A group that loses its last key goes too, unless comments stand in it. */
static void cut_empty_groups(struct slice bytes, const struct tree *tree,
	const struct level *levels, size_t depth, const char *path, struct buf *out,
	size_t comments)
{
	while (depth > 0 && levels[depth].map->count == 2) {
		AUTO(buf) struct buf without = BUF_INIT(BUF_UNLIMITED);
		AUTO(error) struct error ignored = ERROR_INIT;
		size_t left;
		depth--;
		if (!try_cut(bytes, tree, &levels[depth], path, &without, &left, &ignored) ||
			left != comments)
			return;
		out->len = 0;
		buf_add(out, without.data, without.len);
	}
}

int edit_unset(struct slice bytes, const char *path, struct buf *out, struct error *err)
{
	AUTO(tree) struct tree tree = { 0 };
	AUTO(buf) struct buf result = BUF_INIT(BUF_UNLIMITED);
	struct level levels[LEVELS_MAX];
	size_t comments;
	if (!tree_parse(bytes, &tree, err))
		return -1;
	size_t count = find_levels(&tree, path, levels);
	if (count == 0)
		return 0;
	if (!try_cut(bytes, &tree, &levels[count - 1], path, &result, &comments, err))
		return -1;
	cut_empty_groups(bytes, &tree, levels, count - 1, path, &result, comments);
	buf_add(out, result.data, result.len);
	return 1;
}
