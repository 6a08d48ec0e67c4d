#include <string.h>

#include "config/edit_internal.h"
#include "core/buf.h"
#include "core/mem.h"

/* ---- comments ---- */

struct scan {
	struct slice bytes;
	size_t at, count;
};

/* Counts up to `end`, where a text begins. */
static void scan_to(struct scan *scan, size_t end)
{
	while (scan->at < end) {
		size_t at = scan->at++;
		bool is_first = at == 0 || strchr(" \t\r\n", scan->bytes.ptr[at - 1]);
		if (scan->bytes.ptr[at] != '#' || !is_first)
			continue;
		scan->count++;
		while (scan->at < end && !strchr("\r\n", scan->bytes.ptr[scan->at]))
			scan->at++;
	}
}

static void scan_node(struct scan *scan, const struct node *node)
{
	for (size_t i = 0; i < node->count; i++)
		scan_node(scan, node->children[i]);
	if (node->kind != NODE_SCALAR)
		return;
	size_t text = node->start;
	/* A block text's first line holds its indicator and perhaps a comment. */
	while (node->style == NODE_BLOCK && text < node->end &&
		!strchr("\r\n", scan->bytes.ptr[text]))
		text++;
	scan_to(scan, text);
	if (node->end > scan->at)
		scan->at = node->end;
}

size_t edit_comments(struct slice bytes, const struct tree *tree)
{
	struct scan scan = { .bytes = bytes };
	if (tree->root)
		scan_node(&scan, tree->root);
	scan_to(&scan, bytes.len);
	return scan.count;
}

/* ---- content ---- */

const struct node *edit_find(const struct tree *tree, const char *path)
{
	const struct node *node = tree->root;
	for (const char *at = path; node && *at;) {
		size_t len = strcspn(at, "."), index;
		AUTO(str) char *name = mem_strndup(at, len);
		node = node_child(node, name, &index);
		at += len + (at[len] == '.');
	}
	return node;
}

static bool is_above(const char *path, const char *other)
{
	size_t len = strlen(path);
	return strncmp(path, other, len) == 0 && (len == 0 || other[len] == '.');
}

/* Everything in the tree but `skipped` as one text, in the order of the file. Lengths stand in front of
 * texts, so that two trees cannot look alike by accident. */
static void dump(struct buf *out, const struct node *node, const char *path, const char *skipped)
{
	if (strcmp(path, skipped) == 0 && *path)
		return;
	if (node->kind == NODE_SCALAR) {
		if (!(node_is_null(node) && is_above(path, skipped)))
			buf_addf(out, "%zu:%s=%d%zu:%s\n", strlen(path), path, node_is_null(node),
				strlen(node->text), node->text);
		return;
	}
	if (node->kind == NODE_LIST || (node->count == 0 && !is_above(path, skipped)))
		buf_addf(out, "%zu:%s %c%zu\n", strlen(path), path,
			node->kind == NODE_MAP ? '{' : '[', node->count);
	bool is_map = node->kind == NODE_MAP;
	for (size_t i = 0; i < node->count; i += is_map ? 2 : 1) {
		AUTO(str)
		char *below = is_map ? mem_printf("%s%s%s", path, *path ? "." : "",
					       node->children[i]->text)
				     : mem_printf("%s[%zu]", path, i);
		dump(out, node->children[i + (is_map ? 1 : 0)], below, skipped);
	}
}

bool edit_same_elsewhere(const struct tree *a, const struct tree *b, const char *path)
{
	AUTO(buf) struct buf of_a = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf of_b = BUF_INIT(BUF_UNLIMITED);
	if (a->root)
		dump(&of_a, a->root, "", path);
	if (b->root)
		dump(&of_b, b->root, "", path);
	return slice_eq(buf_slice(&of_a), buf_slice(&of_b));
}

bool edit_says(const struct key *key, const struct node *node, const struct value *value)
{
	if (!node)
		return false;
	if (!key->is_list && value->is_null)
		return node_is_null(node);
	if (!key->is_list)
		return node->kind == NODE_SCALAR && strcmp(node->text, value->text) == 0 &&
		       (!node_is_null(node) || !*value->text);
	if (node->kind != NODE_LIST || node->count != value->count)
		return false;
	for (size_t i = 0; i < node->count; i++) {
		const struct node *item = node->children[i];
		if (item->kind != NODE_SCALAR || strcmp(item->text, value->items[i]) != 0 ||
			node_is_null(item))
			return false;
	}
	return true;
}
