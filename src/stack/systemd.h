/* The bridge as a unit of the user's own systemd, which starts it again after a crash, a login and, with lingering, a
 * reboot. Asked through systemctl; one unit a state directory.
 */
#ifndef CCTM_STACK_SYSTEMD_H
#define CCTM_STACK_SYSTEMD_H

#include <stdbool.h>

#include "core/cleanup.h"

struct error;

/* Has this user a systemd that answers? */
bool systemd_answers(void);

/* Is there a unit for this directory, running or not? */
bool systemd_has_unit(const char *state_dir);

/* Writes the unit for the stack in `dir`; it starts nothing. */
bool systemd_write_unit(const char *dir, const char *state_dir, struct error *err) MUST_CHECK;

/* Starts it, now and from now on; or ends it, and from now on. */
bool systemd_start(const char *state_dir, struct error *err) MUST_CHECK;
bool systemd_stop(const char *state_dir, struct error *err) MUST_CHECK;

#endif
