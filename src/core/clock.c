#include "core/clock.h"

#include <stdbool.h>
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

void clock_set_for_test(int64_t wall_ms, int64_t mono_ms)
{
	is_set = true;
	set_wall_ms = wall_ms;
	set_mono_ms = mono_ms;
}
