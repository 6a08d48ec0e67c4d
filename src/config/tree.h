/* The YAML of cctm.yaml as a tree whose nodes know where their bytes are.
 *
 * Read with libyaml's events, which count characters; here they are bytes of the text, so that a value can
 * be cut out and replaced. What a settings file has no use for is refused with its place: anchors, aliases
 * (and so every bomb made of them), tags, several documents, keys that are no text, a key given twice.
 */
#ifndef CCTM_CONFIG_TREE_H
#define CCTM_CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct error;

#define TREE_BYTES_MAX (1 << 20)
#define TREE_DEPTH_MAX 16
#define TREE_NODES_MAX 5000
#define TREE_KEY_MAX   256

enum node_kind { NODE_SCALAR, NODE_MAP, NODE_LIST };

enum node_style { NODE_PLAIN, NODE_SINGLE_QUOTED, NODE_DOUBLE_QUOTED, NODE_BLOCK, NODE_FLOW };

struct node {
	enum node_kind kind;
	enum node_style style;	/* maps and lists: NODE_BLOCK or NODE_FLOW */
	size_t start, end;	/* bytes; equal for a value that is not there ("key:") */
	char *text;		/* of a scalar */
	struct node **children; /* of a list its items; of a map key, value, key, value, … */
	size_t count;
};

struct tree {
	struct node *root; /* NULL: nothing but comments */
};

/* Line and column from 1; columns count characters. */
struct place {
	size_t line, column;
};

/* Errors begin with "line:column: ". */
bool tree_parse(struct slice bytes, struct tree *out, struct error *err) MUST_CHECK;
void tree_clear(struct tree *tree);

struct place tree_place(struct slice bytes, size_t offset);

/* The value of `key` in a map; *at is the index of the key's node. NULL: it is not there. */
struct node *node_child(const struct node *map, const char *key, size_t *at);

/* A scalar that says nothing: "", "~", "null", plain. */
bool node_is_null(const struct node *node);

static inline void auto_tree(struct tree *tree)
{
	tree_clear(tree);
}

#endif
