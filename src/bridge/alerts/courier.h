/* Runs one program at a time in a thread of its own, so that the loop never waits for one.
 *
 * Both channels are programs: the user's command, and cctm itself for the webhook. An HTTP client inside of the bridge
 * would cost it more memory than all the rest for good (libcurl takes some 10 MiB), and could hang or fall in it; a
 * child is killed with its group at its deadline, whatever it waits for, and takes its memory with it.
 *
 * The thread is started by the first job, so a bridge that tells nobody anything has none.
 */
#ifndef CCTM_BRIDGE_ALERTS_COURIER_H
#define CCTM_BRIDGE_ALERTS_COURIER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"

struct courier;

struct courier_job {
	const char *const *argv; /* borrowed for good */
	char **environment;	 /* ends with NULL, NULL: none; taken, with its texts */
	struct buf input;	 /* taken */
	int64_t deadline_ms;
	bool is_own; /* cctm itself: its last words alone are the error */
};

struct courier_result {
	bool is_ok;
	char *error; /* NULL: none; made visible, one line; yours */
	char *said;  /* its last line of output, "" where there is none; yours */
};

struct courier *courier_new(void);

/* Only when it is not busy. */
void courier_give(struct courier *c, struct courier_job *job);
bool courier_is_busy(const struct courier *c); /* with a job whose result was not taken */
/* False: not yet. */
bool courier_take(struct courier *c, struct courier_result *result);
void courier_result_clear(struct courier_result *result);

/* Ends a program that runs and takes no more jobs; within about a second. */
void courier_cancel(struct courier *c);
void courier_free(struct courier *c); /* cancels, and waits for the end */

#endif
