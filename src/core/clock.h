/* Time, from one place, so that a test can set it.
 *
 * Wall time is milliseconds since 1970-01-01 UTC; monotonic time is milliseconds since some moment of this
 * boot and never goes back. No other file asks the system for the time.
 */
#ifndef CCTM_CORE_CLOCK_H
#define CCTM_CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);
int64_t clock_boot_ms(
	void); /* since the boot, with the time in which the machine slept; not to be set */

/* "2026-11-30T23:27:46.123456789Z", "…+01:00" (RFC 3339) to wall time. False: it is none, or before 1970. */
bool clock_parse(const char *text, int64_t *wall_ms);

/* From now on wall time stands at `wall_ms` and monotonic time at `mono_ms` until the next call; tests only. */
void clock_set_for_test(int64_t wall_ms, int64_t mono_ms);

#endif
