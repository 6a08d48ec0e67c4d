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

/* A command of this program, run once a day for the stack in `dir`, also after a night in which the machine was off: a timer
 * and its service. `words` are behind the program's name and end with NULL; `at` is "HH:MM". It is running then. */
bool systemd_write_timer(
	const char *dir, const char *const *words, const char *at, struct error *err) MUST_CHECK;
bool systemd_has_timer(const char *dir);
/* Fine when there is none. */
bool systemd_remove_timer(const char *dir, struct error *err) MUST_CHECK;

#endif
