/* The files on which the transactions of these tests work, and what they look like at a moment. */
#ifndef CCTM_TESTS_TRANSACTION_TREE_H
#define CCTM_TESTS_TRANSACTION_TREE_H

#include "core/buf.h"
#include "core/transaction.h"

struct tree {
	char *base;  /* of the test's own; holds: */
	char *root;  /* base/stack */
	char *state; /* base/stack/.cctm */
};

/* Files, one that is readable by the user alone, an executable one, links to files and directories beside the
 * stack. */
void tree_make(struct tree *tree);
void tree_remove(struct tree *tree);

/* A transaction that makes, replaces and removes, in directories that are there and that are not. Yours. */
struct transaction *tree_change(const struct tree *tree);

/* Another that works on files of before and after. Yours. */
struct transaction *tree_change_again(const struct tree *tree);

/* Everything below base: name, mode, and what it holds or where it leads. Yours. */
char *tree_look(const struct tree *tree);

#endif
