/* For the tests of this room: moments in a zone, and cost by those who spend it. */
#ifndef CCTM_BRIDGE_ALERTS_ALERTS_TESTING_H
#define CCTM_BRIDGE_ALERTS_ALERTS_TESTING_H

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/alerts/spending.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/zone.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS	  INT64_C(3600000)

static inline void testing_zone(const char *name)
{
	struct error err = ERROR_INIT;
	if (!zone_use(name, &err))
		abort();
}

/* "2026-03-29T06:00:00+02:00" */
static inline int64_t testing_at(const char *text)
{
	int64_t ms;
	if (!clock_parse(text, &ms))
		abort();
	return ms;
}

/* cmocka of Debian 12 compares floats only. */
#define assert_near(value, expected, error) assert_true(fabs((value) - (expected)) <= (error))

#define ALL_SCOPES ((const bool[SCOPE_COUNT]){ true, true, true, true })

/* One amount of the user, team and model, NULL: none; the series is told by `series`. */
static inline void testing_spend(struct spending *s, int64_t at_ms, uint32_t series,
	const char *user, const char *team, const char *model, double usd)
{
	struct op_label labels[3];
	size_t count = 0;
	if (model)
		labels[count++] = (struct op_label){ SLICE_LIT("model"), slice_str(model) };
	if (team)
		labels[count++] = (struct op_label){ SLICE_LIT("team_id"), slice_str(team) };
	if (user)
		labels[count++] = (struct op_label){ SLICE_LIT("user_email"), slice_str(user) };
	spending_add(s, (uint32_t)(at_ms / MINUTE_MS), series, labels, count, usd);
}

#endif
