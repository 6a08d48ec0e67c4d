#include "core/zone.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"

#define ZONEINFO      "/usr/share/zoneinfo"
#define ZONE_FILE_MAX ((size_t)1 << 20)

static char chosen[ZONE_TEXT_MAX]; /* "": the system's */

static bool set_tz(const char *value)
{
	bool ok = setenv("TZ", value, 1) == 0;
	tzset();
	return ok;
}

static bool two_digits(const char *s, int max, int *out)
{
	if (!isdigit((unsigned char)s[0]) || !isdigit((unsigned char)s[1]))
		return false;
	*out = (s[0] - '0') * 10 + (s[1] - '0');
	return *out <= max;
}

/* "+02:00", "+0200" or "+02" as POSIX writes it, where the sign is the other way round. */
static bool offset_to_posix(const char *s, char out[ZONE_TEXT_MAX])
{
	int hours, minutes = 0;
	if ((*s != '+' && *s != '-') || !two_digits(s + 1, 14, &hours))
		return false;
	const char *rest = s + 3;
	if (*rest == ':')
		rest++;
	if (*rest) {
		if (!two_digits(rest, 59, &minutes) || rest[2])
			return false;
	} else if (rest != s + 3) {
		return false;
	}
	snprintf(out, ZONE_TEXT_MAX, "<%c%02d%02d>%c%02d:%02d", *s, hours, minutes,
		*s == '+' ? '-' : '+', hours, minutes);
	return true;
}

/* A name leads to no file outside of the zone directory. */
static bool is_name(const char *name)
{
	static const char marks[] = "_+-/";
	if (!isalpha((unsigned char)*name) || strlen(name) >= ZONE_TEXT_MAX)
		return false;
	for (const char *at = name; *at; at++) {
		if (!isalnum((unsigned char)*at) && !strchr(marks, *at))
			return false;
	}
	return true;
}

static bool has_zone_file(const char *name)
{
	const char *dir = getenv("TZDIR");
	AUTO(str) char *path = path_join(dir && *dir ? dir : ZONEINFO, name);
	AUTO(buf) struct buf file = BUF_INIT(ZONE_FILE_MAX);
	struct error err = ERROR_INIT;
	int got = file_read(path, &file, &err); /* a directory such as "America" is an error */
	error_clear(&err);
	return got > 0 && file.len > 4 && memcmp(file.data, "TZif", 4) == 0;
}

bool zone_use(const char *name, struct error *err)
{
	char posix[ZONE_TEXT_MAX];
	chosen[0] = '\0';
	if (!name) {
		tzset();
		return true;
	}
	bool is_utc = strcmp(name, "UTC") == 0 || strcmp(name, "Z") == 0;
	bool ok = is_utc ? set_tz("UTC0")
		  : offset_to_posix(name, posix)
			  ? set_tz(posix)
			  : is_name(name) && has_zone_file(name) && set_tz(name);
	if (!ok) {
		error_set(err, ERR_USAGE, "there is no time zone \"%s\" on this system", name);
		return error_hint(err, "zones are named like Europe/Berlin, UTC or +02:00; "
				       "names need the system's tzdata");
	}
	snprintf(chosen, sizeof chosen, "%s", is_utc ? "UTC" : name);
	return true;
}

void zone_name(int64_t ms, char out[ZONE_TEXT_MAX])
{
	struct tm civil = zone_civil(ms);
	snprintf(out, ZONE_TEXT_MAX, "%s", *chosen ? chosen : civil.tm_zone);
}

static time_t seconds_of(int64_t ms)
{
	return (time_t)(ms >= 0 ? ms / 1000 : (ms - 999) / 1000);
}

struct tm zone_civil(int64_t ms)
{
	time_t seconds = seconds_of(ms);
	struct tm civil;
	/* Fails only for years past what an int holds, which no caller lets in. */
	if (!localtime_r(&seconds, &civil))
		memset(&civil, 0, sizeof civil);
	return civil;
}

int64_t zone_instant(struct tm civil)
{
	civil.tm_isdst = -1;
	struct tm summer = civil, standard = civil;
	int64_t instant = mktime(&civil);
	/* Of a time that comes twice, mktime may choose either. */
	summer.tm_isdst = 1;
	int64_t earlier = mktime(&summer);
	bool is_same = summer.tm_hour == standard.tm_hour && summer.tm_min == standard.tm_min &&
		       summer.tm_mday == standard.tm_mday;
	return (is_same && earlier < instant ? earlier : instant) * 1000;
}

static long offset_at(int64_t second)
{
	return zone_civil(second * 1000).tm_gmtoff;
}

/* The first second after `before` that has another offset; there is one at `after`. */
static int64_t first_of_change(int64_t before, int64_t after)
{
	long old = offset_at(before);
	while (after - before > 1) {
		int64_t middle = before + (after - before) / 2;
		if (offset_at(middle) == old)
			before = middle;
		else
			after = middle;
	}
	return after;
}

size_t zone_changes(int64_t from_ms, int64_t until_ms, struct zone_change *out, size_t room)
{
	const int64_t day = 86400;
	int64_t at = seconds_of(from_ms), end = seconds_of(until_ms);
	size_t count = 0;
	out[count++] = (struct zone_change){ at * 1000, offset_at(at) };
	for (; at + day <= end && count < room; at += day) {
		if (offset_at(at + day) == out[count - 1].seconds)
			continue;
		int64_t change = first_of_change(at, at + day);
		out[count++] = (struct zone_change){ change * 1000, offset_at(change) };
	}
	return count;
}

static int64_t midnight(struct tm civil, int days)
{
	civil.tm_hour = civil.tm_min = civil.tm_sec = 0;
	civil.tm_mday += days;
	return zone_instant(civil);
}

int64_t zone_day(int64_t ms, int days)
{
	return midnight(zone_civil(ms), days);
}

int64_t zone_week(int64_t ms, int count)
{
	struct tm civil = zone_civil(ms);
	return midnight(civil, 7 * count - (civil.tm_wday + 6) % 7);
}

int64_t zone_month(int64_t ms, int count)
{
	struct tm civil = zone_civil(ms);
	civil.tm_mday = 1;
	civil.tm_mon += count;
	return midnight(civil, 0);
}

void zone_offset(const struct tm *civil, char *out, size_t room)
{
	long minutes = civil->tm_gmtoff / 60;
	long size = minutes < 0 ? -minutes : minutes;
	if (minutes == 0)
		snprintf(out, room, "Z");
	else
		snprintf(out, room, "%c%02ld:%02ld", minutes < 0 ? '-' : '+', size / 60, size % 60);
}

void zone_rfc3339(int64_t ms, char out[ZONE_TEXT_MAX])
{
	struct tm civil = zone_civil(ms);
	size_t len = strftime(out, ZONE_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &civil);
	zone_offset(&civil, out + len, ZONE_TEXT_MAX - len);
}
