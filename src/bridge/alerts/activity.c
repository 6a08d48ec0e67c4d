#include "bridge/alerts/activity.h"

#include "core/zone.h"

#define MINUTE_MS INT64_C(60000)

static uint32_t minute_of(int64_t ms)
{
	return (uint32_t)(ms > 0 ? ms / MINUTE_MS : 0);
}

/* The place of a day; where all are taken, that of the oldest. */
static size_t place_of(const struct activity *a, uint32_t day)
{
	size_t oldest = 0;
	for (size_t i = 0; i < a->count; i++) {
		if (a->days[i].day == day)
			return i;
		if (a->days[i].day < a->days[oldest].day)
			oldest = i;
	}
	return a->count < ACTIVITY_DAYS ? a->count : oldest;
}

/* The first sample of the day, as far as it is known. */
static uint32_t add_day(struct activity *a, uint32_t day, uint32_t minute)
{
	size_t i = place_of(a, day);
	bool is_known = i < a->count && a->days[i].day == day;
	if (is_known && a->days[i].first <= minute)
		return a->days[i].first;
	if (!is_known && i < a->count && day < a->days[i].day)
		return minute; /* older than all that are kept */
	a->days[i].day = day;
	a->days[i].first = minute;
	a->count += i == a->count;
	return minute;
}

void activity_add(struct activity *a, uint32_t minute)
{
	if (minute > a->last_minute)
		a->last_minute = minute;
	bool is_other_day = minute < a->day || minute >= a->day_end;
	if (!is_other_day && minute >= a->day_first)
		return;
	if (is_other_day) {
		a->day = minute_of(zone_day(minute * MINUTE_MS, 0));
		a->day_end = minute_of(zone_day(minute * MINUTE_MS, 1));
	}
	a->day_first = add_day(a, a->day, minute);
}

static bool first_of(const struct activity *a, int64_t day_ms, int64_t *first_ms)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->days[i].day != minute_of(day_ms))
			continue;
		*first_ms = a->days[i].first * MINUTE_MS;
		return true;
	}
	return false;
}

bool activity_expected(const struct activity *a, int64_t now_ms, int64_t *since_ms)
{
	bool has_any = false;
	for (int week = 1; week <= ACTIVITY_WEEKS; week++) {
		int64_t first_ms;
		if (!first_of(a, zone_day(now_ms, -7 * week), &first_ms))
			continue;
		/* The same time on the clock, also where the clock has been changed since. */
		struct tm then = zone_civil(first_ms), today = zone_civil(now_ms);
		today.tm_hour = then.tm_hour;
		today.tm_min = then.tm_min;
		today.tm_sec = 0;
		int64_t at_ms = zone_instant(today);
		if (!has_any || at_ms < *since_ms)
			*since_ms = at_ms;
		has_any = true;
	}
	return has_any;
}

bool activity_silent_since(
	const struct activity *a, int64_t last_sample_ms, int64_t now_ms, int64_t *since_ms)
{
	if (!activity_expected(a, now_ms, since_ms))
		return false;
	if (last_sample_ms > *since_ms)
		*since_ms = last_sample_ms;
	return *since_ms <= now_ms;
}
