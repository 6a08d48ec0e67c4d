/* The files of a stack as they are at a moment, kept in memory, so that a change that turned out wrong can be taken back:
 * those that a plan writes, what is generated beside them, and the manifest. Secrets are among them: they are wiped.
 */
#ifndef CCTM_LOADED_SNAPSHOT_H
#define CCTM_LOADED_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/buf.h"
#include "core/cleanup.h"
#include "render/plan.h"

struct error;

struct snapshot_file {
	char *path; /* relative to the stack */
	bool is_there;
	mode_t mode;
	struct buf text;
};

struct snapshot {
	char *dir;
	struct snapshot_file *items;
	size_t count, room;
};

/* Before the plan is applied. */
bool snapshot_take(const struct plan *plan, struct snapshot *out, struct error *err) MUST_CHECK;

/* All of them as they were, or none; the caller holds the stack's lock. */
bool snapshot_restore(const struct snapshot *snapshot, struct error *err) MUST_CHECK;
void snapshot_clear(struct snapshot *snapshot);

static inline void auto_snapshot(struct snapshot *snapshot)
{
	snapshot_clear(snapshot);
}

#endif
