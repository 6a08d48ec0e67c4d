/* How a transaction is held and done, shared by transaction*.c and tests.
 *
 *     transaction.c          what happens after what
 *     transaction_targets.c  path → the file that is replaced; what is refused beforehand
 *     transaction_record.c   the record of the steps
 *     transaction_files.c    one step of all files: laying ready, putting in place, putting back
 */
#ifndef CCTM_CORE_TRANSACTION_INTERNAL_H
#define CCTM_CORE_TRANSACTION_INTERNAL_H

#include <stdint.h>

#include "core/slice.h"
#include "core/transaction.h"

struct buf;

#define TRANSACTION_PATH_MAX   4095
#define TRANSACTION_RECORD_MAX (1 << 20) /* bytes */

#define TRANSACTION_DIR_MODE 0755

struct transaction_step {
	char *path;   /* as given */
	char *target; /* absolute, all links followed; what is replaced */
	bool is_removal;
	bool keeps_mode;
	bool existed; /* when the record was written */
	unsigned char *bytes;
	size_t len;
	mode_t mode;
};

struct transaction_dir {
	char *path; /* absolute, or as given to transaction_dir_mode */
	mode_t mode;
};

struct transaction_dirs {
	struct transaction_dir *items;
	size_t count, room;
};

struct transaction {
	char *dir, *state_dir; /* as given */
	char *root; /* `dir`, absolute, all links followed; NULL before transaction_open_root */
	uint64_t root_inode;
	struct transaction_step *steps;
	size_t count, room;
	struct transaction_dirs made;  /* directories that are not there, those above first */
	struct transaction_dirs modes; /* wishes */
};

struct transaction_step *transaction_add_step(struct transaction *t, const char *path);
void transaction_add_dir(struct transaction_dirs *dirs, const char *path, mode_t mode);
void transaction_free_dirs(struct transaction_dirs *dirs);
char *transaction_dir_of(const char *path); /* "/a/b" of "/a/b/c"; yours */

/* ---- targets ---- */

bool transaction_open_root(struct transaction *t, struct error *err) MUST_CHECK;

/* Borrowed: `path`, absolute, without the root where it is inside of it. */
const char *transaction_below_root(const struct transaction *t, const char *path);

/* Relative, UTF-8, no component empty, "." or "..". */
bool transaction_path_is_proper(const char *path);

/* What is done with a link that the whole path names; those on its way are followed. */
enum transaction_link { LINK_FOLLOWED, LINK_MEANT };

static inline enum transaction_link transaction_link_of(const struct transaction_step *step)
{
	return step->is_removal ? LINK_MEANT : LINK_FOLLOWED;
}

/* The file behind `path`; yours, NULL: error. It need not be there, but a link to nowhere is an error unless it
 * may dangle. */
char *transaction_resolve(const struct transaction *t, const char *path, enum transaction_link last,
	bool may_dangle, struct error *err) MUST_CHECK;

/* Fills in targets and the directories to be made, and refuses what would fail. Changes nothing. */
bool transaction_check(struct transaction *t, struct error *err) MUST_CHECK;

/* ---- the record ---- */

enum transaction_stage {
	TRANSACTION_PREPARED,
	TRANSACTION_COMMITTED,
	TRANSACTION_UNDOING,
	TRANSACTION_FINISHED,
	TRANSACTION_STAGES,
};

bool transaction_record_write(const struct transaction *t, struct error *err)
	MUST_CHECK; /* as TRANSACTION_PREPARED */

/* 1: `t`, which has no steps yet, has those of the record; 0: no such record; -1: error. */
int transaction_record_read(struct transaction *t, enum transaction_stage stage, struct error *err)
	MUST_CHECK;

/* The text of a stage, with no look at the disk except for links on the paths' way. `name` is for messages. */
bool transaction_record_parse(
	struct transaction *t, struct slice text, const char *name, struct error *err) MUST_CHECK;
void transaction_record_print(const struct transaction *t, struct buf *out);

/* 1: renamed, durably, -1: renamed, perhaps not durably, 0: not renamed. Errors for both of the latter. */
int transaction_record_turn(const struct transaction *t, enum transaction_stage from,
	enum transaction_stage to, struct error *err) MUST_CHECK;

bool transaction_record_drop(
	const struct transaction *t, enum transaction_stage stage, struct error *err) MUST_CHECK;
bool transaction_record_is_there(const struct transaction *t, enum transaction_stage stage);

/* What a process left that was killed while it wrote a record. */
bool transaction_record_drop_unfinished(const struct transaction *t, struct error *err) MUST_CHECK;

/* ---- files ---- */

/* Each can be repeated, by another process too, wherever it was interrupted. */
bool transaction_files_stage(const struct transaction *t, struct error *err) MUST_CHECK;
bool transaction_files_apply(const struct transaction *t, struct error *err) MUST_CHECK;
bool transaction_files_put_back(const struct transaction *t, struct error *err) MUST_CHECK;
bool transaction_files_clear(const struct transaction *t, struct error *err)
	MUST_CHECK; /* fresh and second names */
bool transaction_files_remove_dirs(const struct transaction *t, struct error *err)
	MUST_CHECK; /* that were made */

#endif
