/* What would change on disk: the files a configuration makes, against those that are there and those that cctm made
 * last time. Deciding and doing are apart: a plan only reads, plan_apply writes all of it or nothing.
 *
 * A file is the user's as soon as they edited it:
 *
 *   there             cctm's last    new            what is done
 *   no                any            any            create
 *   = new             any            any            nothing
 *   = last            last           differs        update
 *   edited            = new          = last         keep: nothing new for it
 *   edited            last           differs        merge by lines; where both changed the same, conflict
 *   differs           none           any            conflict: the file is not cctm's
 *   = last            last           none           remove: the stack has no such file any more
 *   edited            last           none           leave
 *
 * A conflict leaves the file as it is and lays the new text beside it as FILE.new. Once the user has deleted FILE.new,
 * what they have is their answer to it, and it is not offered again until cctm has something else to say. With `force`
 * the new text takes the place and the old one is kept as FILE.bak.
 */
#ifndef CCTM_RENDER_PLAN_H
#define CCTM_RENDER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/buf.h"
#include "core/cleanup.h"
#include "render/manifest.h"
#include "render/stack_files.h"

struct error;

enum plan_action {
	PLAN_UNCHANGED,
	PLAN_KEEP,
	PLAN_CREATE,
	PLAN_UPDATE,
	PLAN_MERGE,
	PLAN_REPLACE, /* forced */
	PLAN_CONFLICT,
	PLAN_REMOVE,
	PLAN_LEAVE,
};

struct plan_item {
	char *path;
	enum plan_action action;
	mode_t mode;
	bool was_there;
	struct buf before, after; /* of the file itself: of a conflict both are the user's */
	struct buf generated;	  /* the new text of a template; empty for the user's own files */
	bool is_generated;
	bool is_secret; /* its text is never shown */
	bool lays_new;	/* of a conflict: FILE.new has to be written */
	bool drops_new; /* FILE.new was ours and is settled */
	char *bak;	/* of a replacement: where the old text goes */
	mode_t bak_mode;
};

struct plan {
	char *dir;
	struct plan_item *items;
	size_t count, room;
	struct manifest manifest; /* as it will be */
	bool is_manifest_changed;
	char *backup_dir; /* of the options */
};

struct plan_options {
	bool is_forced;
	/* Where replaced texts go, 0600 and under their own paths; NULL: beside their files, as FILE.bak. Relative to the
	 * stack. */
	const char *backup_dir;
};

/* `files` against `dir` and `last`, which says what was made there before; `now` brings what else the manifest is to
 * say: runtime and ports. */
bool plan_make(const char *dir, const struct stack_files *files, const struct manifest *last,
	const struct manifest *now, const struct plan_options *options, struct plan *out,
	struct error *err) MUST_CHECK;

/* A file that is not the stack's and stands in its way: moved to options->backup_dir. One that is planned already, or not
 * there, or outside of the stack, is left alone. */
bool plan_move_away(struct plan *plan, const char *path, struct error *err) MUST_CHECK;

/* A file of the user's own that is added to (cctm.yaml, .env, .gitignore), with what it is to be. */
bool plan_add(struct plan *plan, const char *path, struct slice after, mode_t mode,
	struct error *err) MUST_CHECK;

/* The same for a file with secrets: 0600 whatever it was, and never shown. */
bool plan_add_secret(struct plan *plan, const char *path, struct slice after, struct error *err)
	MUST_CHECK;

/* Does anything change on disk? */
bool plan_has_changes(const struct plan *plan);
size_t plan_count(const struct plan *plan, enum plan_action action);

/* Writes it, all or nothing; the caller holds the stack's lock (plan_lock). */
bool plan_apply(const struct plan *plan, struct error *err) MUST_CHECK;

/* Takes the stack's lock, making the directory for it, and completes or undoes what an earlier run left behind. The
 * lock lives as long as the descriptor; -1: error, ERR_LOCKED while another cctm works on the stack. */
int plan_lock(const char *dir, struct error *err) MUST_CHECK;

/* "create", "merge": for people and JSON. */
const char *plan_action_name(enum plan_action action);

/* A unified diff of all that would change, FILE.new included. */
void plan_diff(const struct plan *plan, struct buf *out);

void plan_clear(struct plan *plan);

static inline void auto_plan(struct plan *plan)
{
	plan_clear(plan);
}

#endif
