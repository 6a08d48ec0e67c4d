/* Writing what Claude Code is to have into a file that it, or a shell, reads: its settings (JSON), or a marked block in a
 * shell's start file. Every other byte stays; what is added is noted and can be taken out again.
 *
 *     if (!apply_plan(&request, &apply, err) || !apply_write(&apply, err)) …
 *
 * What is the user's own and says something else is a conflict: nothing is written unless `is_forced`, and then what it
 * said is noted too. Applied again, what was added the last time is taken out first, so that nothing is left of it.
 */
#ifndef CCTM_CLAUDE_APPLY_H
#define CCTM_CLAUDE_APPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "claude/applied.h"
#include "claude/shell.h"
#include "claude/user_file.h"
#include "claude/wanted.h"
#include "core/cleanup.h"

struct error;

enum apply_action {
	APPLY_SET,
	APPLY_KEEP,	/* it says so already, by the user's own hand */
	APPLY_CONFLICT, /* the user has another value */
	APPLY_REPLACE,	/* that, forced */
	APPLY_DROP,	/* forced: what would be in the way goes */
};

const char *apply_action_name(enum apply_action action); /* "set" */

struct apply_change {
	char *name;
	enum apply_action action;
	bool is_secret;
	char *theirs; /* the user's value; NULL: none */
	char *ours;   /* NULL: it goes */
};

struct apply_request {
	const char *path;
	bool is_shell; /* a start file of `shell`; else settings */
	enum shell shell;
	const struct wanted *wanted;
	const char *const
		*token_words;	/* shell: the command that prints the token; ends with NULL */
	const char *helper;	/* otelHeadersHelper, in place of a secret variable; NULL: none */
	bool is_secret_written; /* a secret variable may stand in the settings, which are 0600 then */
	bool is_forced;
	mode_t mode; /* of a new file */
};

struct apply {
	struct user_file file;
	struct applied record; /* as it is to be */
	struct buf after;
	mode_t mode;
	bool deletes;	 /* the file was not there before, and goes */
	bool is_changed; /* something is to be written */
	struct apply_change *changes;
	size_t count, room;
};

/* Reads only. Broken or unwritable files are errors, with line and column of the fault. */
bool apply_plan(const struct apply_request *request, struct apply *out, struct error *err)
	MUST_CHECK;

/* To take out what was added; nothing noted: is_changed is false. */
bool apply_plan_removal(const char *path, struct apply *out, struct error *err) MUST_CHECK;

/* How many conflicts there are; with any, apply_write is not called. */
size_t apply_conflicts(const struct apply *apply);
bool apply_write(const struct apply *apply, struct error *err) MUST_CHECK;
void apply_clear(struct apply *apply);

static inline void auto_apply(struct apply *apply)
{
	apply_clear(apply);
}

#endif
