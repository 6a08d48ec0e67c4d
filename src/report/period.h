/* The beginning and end of a report, as people say them. */
#ifndef CCTM_REPORT_PERIOD_H
#define CCTM_REPORT_PERIOD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cleanup.h"

struct error;

/* A moment, in the zone in use:
 *   7d, 12h, 90m             that long before now
 *   2026-11-01               the beginning of that day
 *   2026-11-01T10:00[:00]    that time; with Z or an offset behind it, there
 *   now, today, yesterday    today and the others are their beginning
 *   week, month              since Monday, since the first
 * Errors are ERR_USAGE. */
bool period_parse(const char *text, int64_t now_ms, int64_t *out_ms, struct error *err) MUST_CHECK;

/* The beginning of the sixth day before the one that holds `last_ms`: seven days. */
int64_t period_default_since(int64_t last_ms);

/* The beginning of the hour, day, ISO week or month that holds `ms`. */
int64_t period_hour(int64_t ms);
int64_t period_day(int64_t ms);
int64_t period_week(int64_t ms);
int64_t period_month(int64_t ms);

#endif
