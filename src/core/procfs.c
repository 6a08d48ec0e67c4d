#include "core/procfs.h"

#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"

#define STAT_MAX 8192

/* The field of that number, from 3; the name in front of it may hold anything but is closed by the last ')'. -1: none. */
static int64_t field(const char *stat, unsigned number)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	const char *at = strrchr(stat, ')');
	for (unsigned i = 2; at && i < number; i++)
		at = strchr(at + 1, ' ');
	int64_t value = -1;
	AUTO(str) char *word = at ? mem_strndup(at + 1, strcspn(at + 1, " \n")) : NULL;
	return word && str_parse_int(word, 0, INT64_MAX, &value, &ignored) ? value : -1;
}

bool procfs_read_stat(pid_t pid, struct procfs_stat *out)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(buf) struct buf text = BUF_INIT(STAT_MAX);
	AUTO(str) char *path = mem_printf("/proc/%ld/stat", (long)pid);
	long hertz = sysconf(_SC_CLK_TCK), page = sysconf(_SC_PAGESIZE);
	if (file_read(path, &text, &ignored) <= 0 || hertz <= 0 || page <= 0)
		return false;
	const char *stat = buf_str(&text);
	int64_t start = field(stat, 22), user = field(stat, 14), system = field(stat, 15);
	int64_t pages = field(stat, 24);
	if (start < 0 || user < 0 || system < 0 || pages < 0)
		return false;
	out->age_ms = clock_boot_ms() - start * 1000 / hertz;
	out->started_ms = clock_wall_ms() - out->age_ms;
	out->cpu_ms = (user + system) * 1000 / hertz;
	out->memory = pages * page;
	return true;
}
