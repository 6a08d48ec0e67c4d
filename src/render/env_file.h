/* .env as Compose 2 reads it (Docker's "Syntax for environment variables files"), and changing one variable of it
 * without touching another byte.
 *
 *   NAME=value, NAME: value, export NAME=value; NAME alone sets nothing
 *   unquoted: to the end of the line; " #" begins a comment, a tab and # do not; blanks around it are dropped
 *   'single': literal but for \', a quote; \\ stays two backslashes
 *   "double": \a \b \f \n \r \t \v \\ \" \$ and \0NNN (octal) are known, another backslash stays
 *   both may span lines
 *
 * The finer points are in no manual; they were compared with Compose 2.26 on random texts, and tests/render/readers.py
 * does that again. Stricter than Compose: nothing but a comment may follow a closing quote, names are ASCII, and no
 * value holds a NUL.
 *
 * $NAME and ${NAME} in unquoted and double-quoted values would be replaced by Compose. The variable then says that it
 * refers to others, and its value is the text with its dollars as they stand; else $$ is a dollar.
 */
#ifndef CCTM_RENDER_ENV_FILE_H
#define CCTM_RENDER_ENV_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct buf;
struct error;

#define ENV_FILE_MAX (1 << 20)

struct env_variable {
	char *name, *value;
	bool refers;	   /* to other variables */
	size_t start, end; /* of the value's bytes in the text, quotes included */
	size_t line;	   /* from 1 */
};

struct env_file {
	struct env_variable *items; /* in the order of the text */
	size_t count, room;
};

/* At most ENV_FILE_MAX bytes. The error begins with ".env:LINE:COLUMN: ", columns in characters. */
bool env_file_parse(struct slice text, struct env_file *out, struct error *err) MUST_CHECK;
void env_file_clear(struct env_file *file);

/* The last one of that name, which is the one that counts; NULL: there is none. */
const struct env_variable *env_file_find(const struct env_file *file, const char *name);

/* Appends `text` to `out` with the variable set: its value is replaced where it stands, or a line is added at the end.
 * Every other byte stays; a new line ends as the first one does. The value is UTF-8 without NUL. */
bool env_file_set(struct slice text, const char *name, const char *value, struct buf *out,
	struct error *err) MUST_CHECK;

static inline void auto_env_file(struct env_file *file)
{
	env_file_clear(file);
}

#endif
