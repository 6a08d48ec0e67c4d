/* Running another program: by argv, never through a shell; bounded in time and in what it may say.
 *
 *     const char *const argv[] = { "docker", "version", NULL };
 *     struct proc_request request = { .argv = argv, .deadline_ms = 5000, .output_max = 65536 };
 *     AUTO(proc_result) struct proc_result result = { 0 };
 *     if (!proc_run(&request, &result, err))            // it could not be started
 *     if (result.end != PROC_EXITED || result.status)   // it ran and was not content
 *
 * The program gets a process group of its own, no descriptor of ours but its output, and the default
 * signals. Past the deadline the whole group gets SIGTERM and, a second later, SIGKILL. What it says beyond output_max is
 * read and dropped, so that it does not block. What it leaves running when it ends by itself goes on, and is not waited
 * for.
 *
 * Ctrl-C reaches the terminal's foreground group, so not a program in a group of its own: who ends this process on SIGINT
 * calls proc_interrupt first. One program is listened to at a time: one thread of a process runs programs.
 */
#ifndef CCTM_CORE_PROC_H
#define CCTM_CORE_PROC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/buf.h"
#include "core/cleanup.h"
#include "core/slice.h"

struct error;

struct proc_request {
	const char *const
		*argv;	 /* ends with NULL; argv[0] is looked for in PATH unless it has a slash */
	const char *dir; /* NULL: ours */
	const char *const *
		env; /* "NAME=value", beside our own and in place of those; ends with NULL; NULL: none */
	struct slice input; /* what it may read; empty: /dev/null */
	int64_t deadline_ms;
	/* NULL, or set to true by another thread: then it is ended as if the time were over. */
	const atomic_bool *is_cancelled;
	size_t output_max; /* bytes kept, of each stream */
	/* Both streams go to our standard error instead, for people who wait; the program stays in our process group, so that
	 * Ctrl-C reaches it too, and past the deadline it alone is ended. */
	bool is_shown;
};

enum proc_end { PROC_EXITED, PROC_KILLED, PROC_TIMED_OUT };

struct proc_result {
	enum proc_end end;
	int status; /* exit status, or the signal's number */
	struct buf out, err;
	bool is_cut; /* something was dropped */
};

/* False: it could not be started; ERR_FAILED with "… is not installed" when there is no such program, and with "… is
 * there, but may not be executed". */
bool proc_run(const struct proc_request *request, struct proc_result *result, struct error *err)
	MUST_CHECK;

/* The same for a program that is to be content: what it said last is the error when it is not, or did not end in time. */
bool proc_ask(const struct proc_request *request, struct proc_result *result, struct error *err)
	MUST_CHECK;

/* From a signal handler: the program that is listened to, if there is one, and its group get SIGTERM. */
void proc_interrupt(void);

/* Starts a program that goes on without us: in a session of its own, reading nothing, both streams appended to the file
 * `log_path` (0600). False: it could not be started. */
bool proc_start(const char *const *argv, const char *dir, const char *log_path, pid_t *pid,
	struct error *err) MUST_CHECK;

/* Runs a program in our process group and hands each line that it says, on either stream, to `take` as it comes, without
 * its newline; a line beyond 64 KiB comes in pieces. *status as in proc_result, the signal's number plus 128. */
bool proc_lines(const char *const *argv, const char *dir, void (*take)(void *ctx, const char *line),
	void *ctx, int *status, struct error *err) MUST_CHECK;

/* A copy of this process that does `work` and ends with the status that it returns; what it writes to the descriptor it is
 * given can be read from *fd, until all that it started has ended too. It has a group of its own, to be ended with
 * proc_end_group, dies with this process, and calls none of what is registered for an exit. For what may hang or crash and
 * shall take nothing else with it; only while this process has one thread. */
bool proc_fork(int (*work)(void *ctx, int fd), void *ctx, pid_t *pid, int *fd, struct error *err);

/* SIGKILL to the group of such a copy, and its end is taken; when it had ended before, only that. The status as in
 * proc_result, the signal's number plus 128. */
int proc_end_group(pid_t pid);

/* In place of this process, with all that is its: for commands that only hand on. Comes back only with an error. */
bool proc_become(const char *const *argv, const char *dir, struct error *err) MUST_CHECK;

/* The file of this very program, to run it again; yours. NULL: the system does not tell. */
char *proc_self(struct error *err) MUST_CHECK;

/* Another command of this very program, whose streams both go to our standard error; `words` end with NULL, at most 8. False:
 * it was not content, or did not end in time. */
bool proc_run_self(const char *const *words, int64_t deadline_ms, struct error *err) MUST_CHECK;

/* Where PATH has a program; NULL: nowhere. Yours. */
char *proc_find(const char *name);

void proc_result_clear(struct proc_result *result);

static inline void auto_proc_result(struct proc_result *result)
{
	proc_result_clear(result);
}

#endif
