/* Civil time in one time zone, by the C library's rules.
 *
 * The zone is the process's: choose it once, before anything is formatted. It is the only file that sets TZ.
 */
#ifndef CCTM_CORE_ZONE_H
#define CCTM_CORE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "core/cleanup.h"

struct error;

#define ZONE_TEXT_MAX 48

/* An IANA name (Europe/Berlin), UTC, or an offset (+02:00, -0330). NULL: the system's zone. ERR_USAGE when
 * there is no such zone. */
bool zone_use(const char *name, struct error *err) MUST_CHECK;

/* What a reader knows the zone in use by: the name given, or the abbreviation at `ms`. */
void zone_name(int64_t ms, char out[ZONE_TEXT_MAX]);

struct tm zone_civil(int64_t ms);

/* The instant of a civil time; fields out of range carry over (the 0th of May is the last of April). Where a
 * clock goes back, the earlier of two; where it jumps forward, as if it had not yet. */
int64_t zone_instant(struct tm civil);

/* Local midnight of the day of `ms`, `days` days later (or earlier). Days of a change of the clock have 23 or 25
 * hours; where midnight is left out, the day begins with the change. */
int64_t zone_day(int64_t ms, int days);

/* The beginning of its week, a Monday, and of its month; `count` weeks or months later. */
int64_t zone_week(int64_t ms, int count);
int64_t zone_month(int64_t ms, int count);

/* RFC 3339 with the offset of that moment: 2026-11-25T07:00:00+01:00; Z for UTC. */
void zone_rfc3339(int64_t ms, char out[ZONE_TEXT_MAX]);

struct zone_change {
	int64_t at_ms;
	long seconds; /* local time minus UTC, from then on */
};

/* When the clocks of the zone in use change from `from_ms` up to `until_ms`, in order; the first row is the
 * state at `from_ms`. At most `room` rows, which is at least 1; later ones are left out. */
size_t zone_changes(int64_t from_ms, int64_t until_ms, struct zone_change *out, size_t room);

/* "+01:00" or "Z". */
void zone_offset(const struct tm *civil, char *out, size_t room);

#endif
