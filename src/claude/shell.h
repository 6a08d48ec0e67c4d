/* Setting a variable in the languages of shells, quoted so that every value arrives as it is.
 */
#ifndef CCTM_CLAUDE_SHELL_H
#define CCTM_CLAUDE_SHELL_H

#include <stdbool.h>

struct buf;

enum shell { SHELL_BASH, SHELL_ZSH, SHELL_FISH, SHELL_POWERSHELL, SHELL_DOTENV, SHELL_COUNT };

extern const char *const shell_names[SHELL_COUNT + 1]; /* "bash"; ends with NULL */

/* Of that name, or of the program at that path ("/usr/bin/fish"); `otherwise` when it is none of them or NULL. */
enum shell shell_find(const char *name, enum shell otherwise);

/* "export NAME='value'\n". The value has no NUL, and for dotenv no newline. */
void shell_assign(struct buf *out, enum shell shell, const char *name, const char *value);

/* The same with what a command prints behind `prefix`; false for dotenv, which runs none. `words` end with NULL. */
bool shell_assign_output(struct buf *out, enum shell shell, const char *name, const char *prefix,
	const char *const *words);

#endif
