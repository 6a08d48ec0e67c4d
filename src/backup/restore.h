/* Bringing an archive back.
 *
 *     restore_open      reads and checks the whole archive; nothing is written
 *     restore_aim       against a directory: what would change; nothing is written
 *     restore_apply     does it; the caller holds the stack's lock and nothing of the stack runs
 *
 * All files of the stack's directory change in one transaction. The ledger is laid ready beside the present one before it,
 * and the transaction also writes .cctm/restore-pending, which says that it is to take the other's place; restore_settle
 * does that, at the end of restore_apply, or in the next command after a restore that was killed. So a restore that was
 * interrupted has changed nothing, or is completed. What is restored begins a new epoch (bridge/ledger/copy.h).
 */
#ifndef CCTM_BACKUP_RESTORE_H
#define CCTM_BACKUP_RESTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/contents.h"
#include "core/cleanup.h"
#include "loaded/loaded.h"

struct error;

enum restore_action { RESTORE_SAME, RESTORE_CREATE, RESTORE_REPLACE, RESTORE_REMOVE };

struct restore_change {
	char *path; /* in the stack's directory */
	enum restore_action action;
	int index; /* of the file in the archive; -1: it is removed */
};

struct restore {
	char *archive;
	struct contents contents;
	/* Of restore_aim. */
	char *dir; /* absolute */
	bool wants[BACKUP_PARTS];
	bool is_fresh;	      /* no stack is there */
	struct loaded now;    /* the stack that is there */
	char *state_dir;      /* the ledger's, as it will be; NULL: no ledger is restored */
	bool replaces_ledger; /* one is there */
	struct restore_change *changes;
	size_t count, room;
};

bool restore_open(const char *archive, void (*progress)(void *ctx, int64_t done, int64_t all),
	void *ctx, struct restore *out, struct error *err) MUST_CHECK;

/* `dir` holds a stack, or nothing, or is not there; else ERR_REFUSED. `only`: at least one part of the archive; NULL: all
 * that it has. */
bool restore_aim(struct restore *restore, const char *dir, const bool only[BACKUP_PARTS],
	struct error *err) MUST_CHECK;

bool restore_apply(struct restore *restore, struct error *err) MUST_CHECK;

/* Completes what an interrupted restore had decided, or removes what it left before that. Fine when there is nothing; the
 * caller holds the lock. */
bool restore_settle(const struct loaded *stack, struct error *err) MUST_CHECK;

void restore_clear(struct restore *restore);

const char *restore_action_name(enum restore_action action); /* "create" */

static inline void auto_restore(struct restore *restore)
{
	restore_clear(restore);
}

#endif
