#include "report/period.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "core/error.h"
#include "core/str.h"
#include "core/zone.h"

/* Not by civil time: the hour that comes twice when a clock goes back is two hours. */
int64_t period_hour(int64_t ms)
{
	struct tm civil = zone_civil(ms);
	return ms - ms % 1000 - (civil.tm_min * 60 + civil.tm_sec) * INT64_C(1000);
}

int64_t period_day(int64_t ms)
{
	return zone_day(ms, 0);
}

int64_t period_week(int64_t ms)
{
	return zone_week(ms, 0);
}

int64_t period_month(int64_t ms)
{
	return zone_month(ms, 0);
}

int64_t period_default_since(int64_t last_ms)
{
	return zone_day(last_ms, -6);
}

/* ---- dates ---- */

/* Takes `count` digits; false when there are fewer. */
static bool take_number(const char **s, int count, int *out)
{
	int value = 0;
	for (int i = 0; i < count; i++) {
		if (!isdigit((unsigned char)(*s)[i]))
			return false;
		value = value * 10 + ((*s)[i] - '0');
	}
	*s += count;
	*out = value;
	return true;
}

static bool take_mark(const char **s, char mark)
{
	if (**s != mark)
		return false;
	(*s)++;
	return true;
}

static bool take_date(const char **s, struct tm *civil)
{
	static const int lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, day;
	if (!take_number(s, 4, &year) || !take_mark(s, '-') || !take_number(s, 2, &month) ||
		!take_mark(s, '-') || !take_number(s, 2, &day))
		return false;
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1] ||
		(month == 2 && day == 29 && !is_leap))
		return false;
	*civil = (struct tm){ .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
	return true;
}

static bool take_time(const char **s, struct tm *civil, int *milliseconds)
{
	*milliseconds = 0;
	if (!take_number(s, 2, &civil->tm_hour) || !take_mark(s, ':') ||
		!take_number(s, 2, &civil->tm_min))
		return false;
	if (take_mark(s, ':') && !take_number(s, 2, &civil->tm_sec))
		return false;
	if (take_mark(s, '.')) {
		if (!isdigit((unsigned char)**s))
			return false;
		for (int scale = 100; isdigit((unsigned char)**s); scale /= 10, (*s)++)
			*milliseconds += (**s - '0') * scale;
	}
	return civil->tm_hour <= 23 && civil->tm_min <= 59 && civil->tm_sec <= 60;
}

static bool take_offset(const char **s, int *seconds)
{
	int hours, minutes, sign = **s == '-' ? -1 : 1;
	*seconds = 0;
	if (take_mark(s, 'Z') || take_mark(s, 'z'))
		return true;
	if (**s != '+' && **s != '-')
		return false;
	(*s)++;
	if (!take_number(s, 2, &hours))
		return false;
	take_mark(s, ':');
	if (!take_number(s, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

/* Date and time, to the end of the text. */
static bool parse_date_time(const char *s, int64_t *out_ms)
{
	struct tm civil;
	int milliseconds = 0, offset;
	if (!take_date(&s, &civil))
		return false;
	if (!*s) {
		*out_ms = zone_instant(civil);
		return true;
	}
	if ((!take_mark(&s, 'T') && !take_mark(&s, 't') && !take_mark(&s, ' ')) ||
		!take_time(&s, &civil, &milliseconds))
		return false;
	if (!*s) {
		*out_ms = zone_instant(civil) + milliseconds;
		return true;
	}
	if (!take_offset(&s, &offset) || *s)
		return false;
	*out_ms = ((int64_t)timegm(&civil) - offset) * 1000 + milliseconds;
	return true;
}

/* ---- words ---- */

static bool parse_word(const char *text, int64_t now, int64_t *out)
{
	if (strcmp(text, "now") == 0)
		*out = now;
	else if (strcmp(text, "today") == 0)
		*out = period_day(now);
	else if (strcmp(text, "yesterday") == 0)
		*out = zone_day(now, -1);
	else if (strcmp(text, "week") == 0)
		*out = period_week(now);
	else if (strcmp(text, "month") == 0)
		*out = period_month(now);
	else
		return false;
	return true;
}

bool period_parse(const char *text, int64_t now_ms, int64_t *out_ms, struct error *err)
{
	if (parse_word(text, now_ms, out_ms) || parse_date_time(text, out_ms))
		return true;
	struct error why = ERROR_INIT;
	int64_t duration;
	bool is_duration = str_parse_duration(text, &duration, &why);
	error_clear(&why);
	if (is_duration && duration >= 0 && duration <= now_ms) {
		*out_ms = now_ms - duration;
		return true;
	}
	error_set(err, ERR_USAGE, "\"%s\" is no time", text);
	return error_hint(err, "a time is how long ago (7d, 12h), a date (2026-11-01), "
			       "a date and time (2026-11-01T10:00), today, yesterday, week or "
			       "month");
}
