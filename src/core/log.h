/* Lines on stderr about what a long-running command does, for whoever operates it.
 *
 * Never a secret and never what a user typed or a model answered: no prompt, response, tool input, token or
 * header value goes through here. Not for results (core/out.h) and not for errors a command returns
 * (main.c prints those once).
 */
#ifndef CCTM_CORE_LOG_H
#define CCTM_CORE_LOG_H

#include "core/cleanup.h"

enum log_level { LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above `level` are dropped. The default is LOG_LEVEL_INFO; --quiet and --verbose change it. */
void log_set_level(enum log_level level);

/* "cctm: <message>", with control characters made visible; one write, so lines of two processes on one
 * terminal do not mix. */
void log_line(enum log_level level, const char *fmt, ...) PRINTF(2, 3);

#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
