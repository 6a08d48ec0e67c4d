/* Which variables a Claude Code process has, and from where: managed settings win over the command line, that over the
 * project's own files, those over the user's, and all over what the process was started with.
 *
 *     effective_init(&effective);
 *     effective_add_file(&effective, LAYER_USER, "/home/ada/.claude/settings.json");
 *     effective_add_environ(&effective, &process->environ);
 *     effective_compare(&effective, &wanted, &comparison);
 */
#ifndef CCTM_CLAUDE_EFFECTIVE_H
#define CCTM_CLAUDE_EFFECTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "claude/wanted.h"
#include "core/buf.h"
#include "core/cleanup.h"

/* Who has set a variable; the first that has one wins. */
enum layer {
	LAYER_MANAGED,
	LAYER_COMMAND_LINE,
	LAYER_LOCAL,
	LAYER_PROJECT,
	LAYER_USER,
	LAYER_SHELL,
	LAYER_COUNT,
};

const char *layer_name(enum layer layer); /* "user settings" */

struct effective_source {
	char *path;	  /* NULL: no file */
	json_t *settings; /* NULL: not there, or not readable */
	char *fault; /* why the file cannot be read as settings; NULL: it can, or is not there */
	int64_t changed_ms;
};

struct effective {
	struct effective_source sources[LAYER_COUNT];
	const struct buf *environ; /* borrowed; NULL: not known */
};

void effective_init(struct effective *out);
void effective_clear(struct effective *effective);

/* A settings file; one that is not there adds nothing, one that is damaged adds its fault. */
void effective_add_file(struct effective *effective, enum layer layer, const char *path);

/* Settings that are in no file yet. */
void effective_add_text(struct effective *effective, enum layer layer, struct slice text);

/* What --settings of a command line says: JSON, or a file, relative to `directory`. */
void effective_add_option(struct effective *effective, const char *value, const char *directory);

/* What it was started with; borrowed. */
void effective_add_environ(struct effective *effective, const struct buf *text);

/* NULL: it is not set. Borrowed. */
const char *effective_find(const struct effective *effective, const char *name, enum layer *layer);

/* The script that prints headers; NULL: none. Borrowed. */
const char *effective_headers_helper(const struct effective *effective, enum layer *layer);

/* When a settings file was changed last; 0: there is none. */
int64_t effective_changed_ms(const struct effective *effective);

enum verdict {
	VERDICT_OK,
	VERDICT_NOTE, /* data arrive, but another value would be better */
	VERDICT_MISSING,
	VERDICT_DIFFERS,
	VERDICT_IN_THE_WAY, /* not wanted at all, and it changes where or how something is sent */
};

struct comparison_row {
	const char *name;
	const char *value; /* in effect; NULL: not set */
	enum layer layer;
	const char *wanted; /* NULL: that it is not set */
	bool is_secret;	    /* show neither value */
	enum verdict verdict;
	const char *note; /* NULL: none */
};

#define COMPARISON_MAX 64

struct comparison {
	struct comparison_row rows[COMPARISON_MAX];
	size_t count, wrong;
};

/* Each wanted variable, then those in the way. Borrows from both, which must live as long. */
void effective_compare(
	const struct effective *effective, const struct wanted *wanted, struct comparison *out);

static inline void auto_effective(struct effective *effective)
{
	effective_clear(effective);
}

#endif
