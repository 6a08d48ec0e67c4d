/* What cctm added to a file of the user's own, noted so that exactly that can be taken out again: the bytes that were there
 * before, what the file became, and each value with what it stood for. In $XDG_STATE_HOME/cctm/applied, 0600, for the former
 * bytes may hold secrets.
 */
#ifndef CCTM_CLAUDE_APPLIED_H
#define CCTM_CLAUDE_APPLIED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/buf.h"
#include "core/cleanup.h"
#include "core/hash128.h"

struct error;

struct applied_value {
	char *object; /* "env"; NULL: the key stands in the root */
	char *key;
	char hash[HASH128_DIGITS + 1]; /* of the value as JSON; "": it was taken out */
	char *former;		       /* JSON that it took the place of; NULL: none */
};

struct applied {
	bool is_there;
	char *path;
	bool was_there; /* the file, before */
	mode_t mode;	/* that it had */
	struct buf before;
	char after[HASH128_DIGITS + 1]; /* of the whole file as it was left */
	struct applied_value *values;
	size_t count, room;
};

/* `path` without links. Nothing noted: is_there is false. */
bool applied_read(const char *path, struct applied *out, struct error *err) MUST_CHECK;
bool applied_write(const struct applied *applied, struct error *err) MUST_CHECK;
bool applied_forget(const char *path, struct error *err) MUST_CHECK;

/* Where the former bytes lie; yours. */
char *applied_backup(const char *path);

/* Copies; `value` is noted as its hash (without bytes: taken out). */
void applied_add(struct applied *applied, const char *object, const char *key, struct slice value,
	const struct slice *former);
void applied_clear(struct applied *applied);

static inline void auto_applied(struct applied *applied)
{
	applied_clear(applied);
}

#endif
