#include "claude/processes.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/procfs.h"
#include "core/str.h"

#define STAT_MAX 65536
#define LINK_MAX 4096

/* ---- words ---- */

static const char *end_of(const struct buf *text)
{
	return buf_str(text) + text->len;
}

/* The next of the words that stand one behind the other, each with a NUL; NULL behind the last. */
static const char *next_word(const struct buf *text, const char *word)
{
	const char *next = word ? word + strlen(word) + 1 : buf_str(text);
	return next < end_of(text) ? next : NULL;
}

const char *environ_find(const struct buf *text, const char *name)
{
	size_t len = strlen(name);
	for (const char *at = next_word(text, NULL); at; at = next_word(text, at)) {
		if (strncmp(at, name, len) == 0 && at[len] == '=')
			return at + len + 1;
	}
	return NULL;
}

const char *command_option(const struct buf *command, const char *name)
{
	size_t len = strlen(name);
	for (const char *at = next_word(command, NULL); at; at = next_word(command, at)) {
		if (strncmp(at, name, len) != 0)
			continue;
		if (at[len] == '=')
			return at + len + 1;
		if (at[len] == '\0')
			return next_word(command, at);
	}
	return NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* It names itself "claude"; before it gets there, it is a script of that name, or a package's cli.js, run by node or bun. */
bool is_claude_command(const char *comm, const struct buf *command)
{
	const char *first = next_word(command, NULL);
	const char *second = first ? next_word(command, first) : NULL;
	if (strcmp(comm, "claude") == 0)
		return true;
	if (!first)
		return false;
	if (strcmp(base_name(first), "claude") == 0)
		return true;
	bool is_script =
		strcmp(base_name(first), "node") == 0 || strcmp(base_name(first), "bun") == 0;
	return is_script && second &&
	       (strcmp(base_name(second), "claude") == 0 ||
		       strstr(second, "/@anthropic-ai/claude-code/") != NULL);
}

/* ---- /proc ---- */

static bool read_file(pid_t pid, const char *name, struct buf *out)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(str) char *path = mem_printf("/proc/%ld/%s", (long)pid, name);
	return file_read(path, out, &ignored) == 1;
}

static char *read_link(pid_t pid, const char *name)
{
	char target[LINK_MAX];
	AUTO(str) char *path = mem_printf("/proc/%ld/%s", (long)pid, name);
	ssize_t len = readlink(path, target, sizeof target);
	return len > 0 ? mem_strndup(target, (size_t)len) : NULL;
}

static int64_t started_ms(pid_t pid)
{
	struct procfs_stat stat;
	return procfs_read_stat(pid, &stat) ? stat.started_ms : 0;
}

/* The native installation's program lies under its version: …/versions/2.1.331. */
static char *version_of(pid_t pid)
{
	AUTO(str) char *path = read_link(pid, "exe");
	const char *name = path ? base_name(path) : "";
	return isdigit((unsigned char)*name) && strchr(name, '.') &&
			       strspn(name, "0123456789.") == strlen(name)
		       ? mem_strdup(name)
		       : NULL;
}

static void add(struct claude_processes *out, pid_t pid, struct buf *command)
{
	out->items = mem_grow(out->items, &out->room, out->count + 1, sizeof *out->items);
	struct claude_process *process = &out->items[out->count++];
	*process = (struct claude_process){ .pid = pid,
		.started_ms = started_ms(pid),
		.directory = read_link(pid, "cwd"),
		.version = version_of(pid),
		.command = *command,
		.environ = BUF_INIT(PROCESS_ENVIRON_MAX) };
	*command = (struct buf)BUF_INIT(PROCESS_COMMAND_MAX);
	process->is_readable = read_file(pid, "environ", &process->environ);
}

static void consider(struct claude_processes *out, pid_t pid, bool is_named)
{
	AUTO(buf) struct buf command = BUF_INIT(PROCESS_COMMAND_MAX);
	AUTO(buf) struct buf comm = BUF_INIT(STAT_MAX);
	if (!read_file(pid, "cmdline", &command) || !read_file(pid, "comm", &comm))
		return;
	AUTO(str) char *name = mem_strndup(buf_str(&comm), strcspn(buf_str(&comm), "\n"));
	if (is_named || is_claude_command(name, &command))
		add(out, pid, &command);
}

void claude_processes_find(pid_t pid, struct claude_processes *out)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	*out = (struct claude_processes){ 0 };
	DIR *folder = opendir("/proc");
	out->is_supported = folder && access("/proc/self/environ", F_OK) == 0;
	if (pid && out->is_supported)
		consider(out, pid, true);
	for (struct dirent *entry; !pid && out->is_supported && out->count < PROCESSES_MAX &&
				   (entry = readdir(folder)) != NULL;) {
		int64_t number = 0;
		if (isdigit((unsigned char)entry->d_name[0]) &&
			str_parse_int(entry->d_name, 1, INT32_MAX, &number, &ignored))
			consider(out, (pid_t)number, false);
	}
	if (folder)
		closedir(folder);
}

void claude_processes_clear(struct claude_processes *processes)
{
	for (size_t i = 0; i < processes->count; i++) {
		free(processes->items[i].directory);
		free(processes->items[i].version);
		buf_clear(&processes->items[i].command);
		buf_clear(&processes->items[i].environ);
	}
	free(processes->items);
	*processes = (struct claude_processes){ 0 };
}
