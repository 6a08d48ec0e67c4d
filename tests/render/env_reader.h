/* A second reader of .env, written from the rules that Compose documents ("Syntax for environment variables
 * files"), so that what cctm writes is not only read by code that shares its mistakes:
 *
 *   # begins a comment at the start of a line, and behind a space in an unquoted value
 *   VAR=value and VAR: value; unquoted values end with the line, and blanks around them are dropped
 *   VAR='value' is taken literally, \' is a quote; it may have several lines
 *   VAR="value" knows \n \r \t \\ \" \$ (and \0NNN); it may have several lines
 *   $VAR, ${VAR} are replaced in unquoted and double-quoted values; $$ is a dollar
 *
 * Replacing is an error here: what cctm writes refers to no variable.
 */
#ifndef CCTM_TESTS_RENDER_ENV_READER_H
#define CCTM_TESTS_RENDER_ENV_READER_H

#include <stdbool.h>

#include "core/buf.h"

/* Called for each variable in order; false ends the reading. */
typedef bool env_variable(void *ctx, struct slice name, struct slice value);

/* False: the text is not a .env, it refers to a variable, or `each` said so. */
bool env_read(struct slice text, env_variable *each, void *ctx);

#endif
