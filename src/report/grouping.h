/* Groups by key, found again by hash, and the keys of times. */
#ifndef CCTM_REPORT_GROUPING_H
#define CCTM_REPORT_GROUPING_H

#include "core/zone.h"
#include "report/report.h"

struct grouping {
	struct report_group **groups;
	size_t count;
	size_t room; /* private */
	size_t *slots;
	size_t slot_count;
};

/* The group of this key, made if need be; it does not move. */
struct report_group *grouping_get(struct grouping *g, const char *key);

/* The hour, day, week or month that holds `ms`: 2026-10-25T02:00+01:00, 2026-10-25, 2026-W43, 2026-10. */
void grouping_time_key(enum report_by by, int64_t ms, char out[ZONE_TEXT_MAX]);

/* Sorts and hands the groups over. */
void grouping_finish(struct grouping *g, struct report *out);

#endif
