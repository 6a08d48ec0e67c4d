/* What failed, why, and what to do next.
 *
 * Every fallible function of cctm takes a `struct error *err` as its last parameter: never NULL, owned by
 * the caller, untouched on success, set exactly once on failure (setting it twice is an assertion). The
 * lowest layer says the fact ("connection refused"); each layer that knows more puts the attempt in front
 * with error_wrap ("GET http://127.0.0.1:3000/api/health"); the command adds the user's goal. The hint is
 * set where the remedy is known and survives wrapping; it names a command that exists.
 *
 * Only main.c prints an error. Nothing below cmd/ prints or exits. The bridge's data path (otlp, ingest,
 * expose) does not use this: it returns an enum reason (bridge/otlp/reasons.h).
 */
#ifndef CCTM_CORE_ERROR_H
#define CCTM_CORE_ERROR_H

#include <stdbool.h>

#include "core/cleanup.h"

/* code, slug in JSON, exit status, one sentence for the manual */
#define ERROR_CODES(X)                                                                          \
	X(ERR_NONE, "none", 0, "Nothing failed.")                                               \
	X(ERR_FAILED, "failed", 1, "The operation did not succeed.")                            \
	X(ERR_IO, "io", 1, "A file or directory could not be read or written.")                 \
	X(ERR_NETWORK, "network", 1, "A connection could not be made or broke.")                \
	X(ERR_PORT_TAKEN, "port-taken", 1, "Another program listens on a port that is needed.") \
	X(ERR_CORRUPT, "corrupt", 1, "Stored data is damaged or not cctm's.")                   \
	X(ERR_CONFIG, "config", 1, "A setting is not allowed as it stands.")                    \
	X(ERR_USAGE, "usage", 2, "The command line is wrong.")                                  \
	X(ERR_UNHEALTHY, "unhealthy", 3, "It ran, and what it looked at is unhealthy.")         \
	X(ERR_NEWER, "newer-format", 4, "Stored data was written by a newer cctm.")             \
	X(ERR_REFUSED, "refused", 4, "Refused, to protect the user's data or edits.")           \
	X(ERR_LOCKED, "locked", 4, "Another cctm process uses the same directory.")             \
	X(ERR_INTERRUPTED, "interrupted", 130, "Interrupted by the user.")

enum error_code {

#define X(code, slug, exit_status, sentence) code,
	ERROR_CODES(X)
#undef X
};

struct error {
	enum error_code code; /* ERR_NONE: no error */
	char *message;
	char *hint; /* NULL: none */
};

#define ERROR_INIT               \
	{                        \
		.code = ERR_NONE \
	}

/* Always return false, so that error handling is one line: `return error_set(err, ERR_IO, …);` */
bool error_set(struct error *err, enum error_code code, const char *fmt, ...) PRINTF(3, 4);
bool error_wrap(struct error *err, const char *fmt, ...) PRINTF(2, 3); /* "fmt: old message" */
bool error_hint(struct error *err, const char *fmt, ...) PRINTF(2, 3); /* keeps an earlier hint */

/* error_set with ": <text of errno>" behind the message. */
bool error_set_errno(struct error *err, enum error_code code, int errnum, const char *fmt, ...)
	PRINTF(4, 5);

bool error_is_set(const struct error *err);
void error_clear(struct error *err);

const char *error_slug(enum error_code code);
int error_exit_status(enum error_code code);

static inline void auto_error(struct error *err)
{
	error_clear(err);
}

#endif
