/* Where a stack's archives lie by default: DIR/backups, 0700, with a .gitignore of its own. Their names say when they were
 * made: cctm-PROJECT-20261130T232746Z.tar.zst.
 */
#ifndef CCTM_BACKUP_STORE_H
#define CCTM_BACKUP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/pack.h"
#include "core/cleanup.h"

struct error;

#define STORE_FOLDER "backups"
#define STORE_MAX    10000 /* archives in it */

struct stored {
	char *path, *name;
	int64_t at_ms; /* as the name says */
	int64_t bytes;
	bool is_readable, is_partial; /* its manifest is; it says so */
	char *why;		      /* not readable: why */
	char *cctm;		      /* that made it; NULL: not readable */
	const char *rule;	      /* for prune: by what it is kept; NULL: it goes */
};

struct stored_list {
	struct stored *items; /* newest first */
	size_t count, room;
};

/* Makes it, without what a run that was killed left in it; the caller holds the stack's lock. Yours, NULL: error. */
char *store_open(const char *stack_dir, struct error *err);
/* A path in it that is not taken. Yours. */
char *store_new_path(
	const char *store, const char *project, enum pack_compression compression, int64_t now_ms);

/* The archives of that project in it; an absent one has none. */
bool store_list(const char *stack_dir, const char *project, struct stored_list *out,
	struct error *err) MUST_CHECK;
void stored_list_clear(struct stored_list *list);

/* What is kept: the newest `last`, and the newest of each of the last days, weeks and months that have one; 0: no such
 * rule. */
struct keep_rules {
	int64_t last, daily, weekly, monthly;
};

/* Sets each item's rule. An archive that is partial fulfils none, and goes when a whole one is newer; one that cannot be
 * read stays, for somebody to look at. The newest whole one always stays. Days begin in the zone of the process. */
void store_choose(const struct keep_rules *rules, struct stored_list *list);

static inline void auto_stored_list(struct stored_list *list)
{
	stored_list_clear(list);
}

#endif
