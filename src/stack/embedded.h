/* The bridge as a process in the background: started, found again and ended.
 *
 * Which process is ours is known by the lock on its state directory, which dies with it: a stale pid file or a pid that
 * another program got since cannot be taken for it.
 */
#ifndef CCTM_STACK_EMBEDDED_H
#define CCTM_STACK_EMBEDDED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/cleanup.h"

struct error;

#define EMBEDDED_LOG "bridge.log" /* in the state directory */

/* The bridge's process; 0: none runs. */
pid_t embedded_find(const char *state_dir);

/* What the bridge of this directory calls itself ("instance" on its health page, too): known by it, another program on the
 * same port is not taken for it. Yours; NULL: it does not run. */
char *embedded_instance(const char *state_dir);

/* Starts `cctm bridge -C DIR` of this same program, by its unit where it has one (stack/systemd.h); its log is rotated first when it is long. Returns once it has the
 * lock, or with what it said last when it ended before. */
bool embedded_start(const char *dir, const char *state_dir, int64_t deadline_ms, struct error *err)
	MUST_CHECK;

/* SIGTERM, and waits: it finishes what it accepted. Fine when none runs. */
bool embedded_stop(const char *state_dir, int64_t deadline_ms, struct error *err) MUST_CHECK;

#endif
