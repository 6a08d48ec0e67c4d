/* What edit.c (finding and replacing) shares with edit_check.c (seeing that nothing else changed). */
#ifndef CCTM_CONFIG_EDIT_INTERNAL_H
#define CCTM_CONFIG_EDIT_INTERNAL_H

#include <stdbool.h>

#include "config/tree.h"
#include "config/value.h"

/* Comments that stand outside of texts. */
size_t edit_comments(struct slice bytes, const struct tree *tree);

/* The node at "a.b.c"; NULL: none. */
const struct node *edit_find(const struct tree *tree, const char *path);

/* True when both trees hold the same apart from `path`. Groups above it may be empty in one. */
bool edit_same_elsewhere(const struct tree *a, const struct tree *b, const char *path);

/* True when the node says `value`. */
bool edit_says(const struct key *key, const struct node *node, const struct value *value);

#endif
