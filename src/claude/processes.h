/* The Claude Code processes that run on this machine, with what their environment says: variables are read once, when one
 * starts. Linux only, from /proc; elsewhere the list is empty and says so.
 */
#ifndef CCTM_CLAUDE_PROCESSES_H
#define CCTM_CLAUDE_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/buf.h"
#include "core/cleanup.h"

#define PROCESSES_MAX	    1000
#define PROCESS_ENVIRON_MAX (1 << 20)
#define PROCESS_COMMAND_MAX (1 << 16)

struct claude_process {
	pid_t pid;
	int64_t started_ms; /* wall time */
	char *directory;    /* where it works; NULL: not for us to see */
	char *version;	    /* of an installation that names it, "2.1.331"; NULL: unknown */
	struct buf command; /* its words, each with a NUL behind it */
	struct buf
		environ; /* the variables it was started with, "NAME=value" with a NUL behind each */
	bool is_readable; /* its environment is ours to read */
};

struct claude_processes {
	struct claude_process *items;
	size_t count, room;
	bool is_supported; /* the system tells about processes */
};

/* All of them that can be seen; `pid` not 0: that one alone, whatever its name. */
void claude_processes_find(pid_t pid, struct claude_processes *out);
void claude_processes_clear(struct claude_processes *processes);

/* The value of a variable in a text like `environ`; NULL: it is not there. Borrowed. */
const char *environ_find(const struct buf *text, const char *name);

/* The word behind the option `name` ("--settings") or after its '='; NULL: it was not given. Borrowed. */
const char *command_option(const struct buf *command, const char *name);

/* Are these the words of Claude Code? For `comm`, the system's short name of the process, and its command line. */
bool is_claude_command(const char *comm, const struct buf *command);

static inline void auto_claude_processes(struct claude_processes *processes)
{
	claude_processes_clear(processes);
}

#endif
