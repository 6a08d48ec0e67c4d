/* Changing one key of a stack's cctm.yaml on disk: read, edited (edit.h), seen to load, and written. Every command that
 * changes a setting does it by this.
 *
 *     AUTO(change) struct change change = { 0 };
 *     if (!change_set(&where, "budgets.daily_usd", "50", &change, err) || !change_write(&change, err))
 *             return false;
 */
#ifndef CCTM_CONFIG_CHANGE_H
#define CCTM_CONFIG_CHANGE_H

#include <stdbool.h>

#include "config/stack_dir.h"
#include "core/buf.h"
#include "core/cleanup.h"

struct error;

struct change {
	char *file, *key;
	struct buf before, after; /* the file's bytes */
	bool is_changed;
	bool was_there;	     /* before it was unset */
	char *overridden_by; /* a variable of the environment that wins over the file; NULL: none */
};

/* Plans it; nothing is written. `key` is in the table, `text` as a command line has it. A value that is not allowed is
 * ERR_USAGE, and so is one with which the file has a problem that it had not before. */
bool change_set(const struct stack_dir *where, const char *key, const char *text,
	struct change *out, struct error *err) MUST_CHECK;

/* The same for its removal; `key` may be a group, or none of the table. */
bool change_unset(const struct stack_dir *where, const char *key, struct change *out,
	struct error *err) MUST_CHECK;

/* Through a link, so that the link stays; with the mode the file had; and only if it is still what was read. Nothing to do
 * when nothing is changed. */
bool change_write(const struct change *change, struct error *err) MUST_CHECK;

/* As a unified diff. */
void change_diff(const struct change *change, struct buf *out);

void change_clear(struct change *change);

static inline void auto_change(struct change *change)
{
	change_clear(change);
}

#endif
