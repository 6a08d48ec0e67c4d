/* When samples came: on which days, from when on, and last. What silence is measured by.
 *
 * A plain value; days are local (core/zone.h).
 */
#ifndef CCTM_BRIDGE_ALERTS_ACTIVITY_H
#define CCTM_BRIDGE_ALERTS_ACTIVITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACTIVITY_DAYS  40 /* kept; a weekday is compared with itself in the four weeks before */
#define ACTIVITY_WEEKS 4

struct activity {
	struct {
		uint32_t day, first; /* minutes: its beginning, its first sample */
	} days[ACTIVITY_DAYS];

	size_t count;
	uint32_t last_minute;		  /* 0: none */
	uint32_t day, day_end, day_first; /* private: the day that was met last, as in `days` */
};

void activity_add(struct activity *a, uint32_t minute);

/* Since when samples are to be expected on the day of `now_ms`: the earliest time of day at which they began on this
 * weekday in the last four weeks. False: there were none. */
bool activity_expected(const struct activity *a, int64_t now_ms, int64_t *since_ms);

/* Since when it has been silent although samples were to be expected. False: nothing is known to be missing. */
bool activity_silent_since(
	const struct activity *a, int64_t last_sample_ms, int64_t now_ms, int64_t *since_ms);

#endif
