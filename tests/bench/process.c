/* CPU time comes from the process's own clock (clock_getcpuclockid), which the kernel keeps in nanoseconds
 * and which is the same sum that utime + stime of /proc/PID/stat round to ticks of 10 ms: in a run of 0.2 s
 * a tick is five per cent. Without that clock the ticks are used.
 */
#include "process.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

struct ticks {
	uint64_t user, system, children_user, children_system;
};

/* The number at *at, which moves behind it and the blanks in front of it. */
static uint64_t digits_take(const char **at)
{
	uint64_t value = 0;

	*at += strspn(*at, " \t");
	for (; **at >= '0' && **at <= '9'; (*at)++)
		value = value * 10 + (uint64_t)(**at - '0');
	return value;
}

static void proc_open(pid_t pid, const char *name, FILE **out)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	*out = fopen(path, "re");
	if (!*out)
		fail(EXIT_BROKEN, "read %s: %s; has the server ended?", path, strerror(errno));
}

/* proc(5): the program's name, field 2, is in parentheses and may hold anything, so fields count from the
 * last ')'; the four wanted ones are 14 to 17. */
static struct ticks ticks_read(pid_t pid)
{
	char line[2048];
	struct ticks t;
	FILE *f;

	proc_open(pid, "stat", &f);
	size_t len = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[len] = '\0';
	const char *at = strrchr(line, ')');
	for (unsigned field = 2; at && field < 14; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		fail(EXIT_BROKEN, "/proc/%d/stat is not as proc(5) says", (int)pid);
	t.user = digits_take(&at);
	t.system = digits_take(&at);
	t.children_user = digits_take(&at);
	t.children_system = digits_take(&at);
	return t;
}

static bool cpu_clock_s(pid_t pid, double *out)
{
	clockid_t clock;
	struct timespec t;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
		return false;
	*out = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
	return true;
}

static uint64_t peak_resident_bytes(pid_t pid)
{
	static const char name[] = "VmHWM:";
	char line[256];
	uint64_t kib = 0;
	FILE *f;

	proc_open(pid, "status", &f);
	while (kib == 0 && fgets(line, sizeof(line), f)) {
		const char *at = line + sizeof(name) - 1;
		if (strncmp(line, name, sizeof(name) - 1) == 0)
			kib = digits_take(&at);
	}
	fclose(f);
	return kib * 1024;
}

struct process_cost process_cost(pid_t pid)
{
	double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
	struct ticks t = ticks_read(pid);
	struct process_cost cost = { .user_s = (double)(t.user + t.children_user) * tick_s,
		.system_s = (double)(t.system + t.children_system) * tick_s,
		.peak_resident_bytes = peak_resident_bytes(pid) };

	if (cpu_clock_s(pid, &cost.cpu_s))
		cost.cpu_s += (double)(t.children_user + t.children_system) * tick_s;
	else
		cost.cpu_s = cost.user_s + cost.system_s;
	return cost;
}

double own_cpu_s(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
