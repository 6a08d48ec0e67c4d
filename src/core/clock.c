#include "core/clock.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool is_set;
static int64_t set_wall_ms;
static int64_t set_mono_ms;

static int64_t read_ms(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
	return is_set ? set_wall_ms : read_ms(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void)
{
	return is_set ? set_mono_ms : read_ms(CLOCK_MONOTONIC);
}

int64_t clock_boot_ms(void)
{
	return read_ms(CLOCK_BOOTTIME);
}

void clock_set_for_test(int64_t wall_ms, int64_t mono_ms)
{
	is_set = true;
	set_wall_ms = wall_ms;
	set_mono_ms = mono_ms;
}

/* "Z", "+01:00": seconds east of UTC. */
static bool parse_zone(const char *text, int64_t *out)
{
	struct tm civil = { 0 };
	if (strcmp(text, "Z") == 0) {
		*out = 0;
		return true;
	}
	const char *end =
		(*text == '+' || *text == '-') ? strptime(text + 1, "%H:%M", &civil) : NULL;
	*out = (civil.tm_hour * 60 + civil.tm_min) * (*text == '-' ? -60 : 60);
	return end && !*end;
}

bool clock_parse(const char *text, int64_t *wall_ms)
{
	struct tm civil = { 0 };
	int64_t zone, ms = 0;
	const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &civil);
	if (!at)
		return false;
	if (*at == '.') {
		size_t digits = strspn(++at, "0123456789");
		for (size_t i = 0; i < 3; i++)
			ms = ms * 10 + (i < digits ? at[i] - '0' : 0);
		at += digits;
	}
	time_t seconds = timegm(&civil);
	if (!parse_zone(at, &zone) || seconds <= 0)
		return false;
	*wall_ms = ((int64_t)seconds - zone) * 1000 + ms;
	return true;
}
