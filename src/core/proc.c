#include "core/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"

#define GRACE_MS  1000 /* between SIGTERM and SIGKILL */
#define POLL_MS	  10   /* how soon its end is noticed */
#define LINGER_MS 100
#define CHUNK	  16384
#define SAID_MAX  300
#define LINE_SIZE 65536

extern char **environ;

static bool is_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool is_program(const char *path)
{
	return is_file(path) && access(path, X_OK) == 0;
}

static char *search(const char *name, bool (*fits)(const char *path))
{
	const char *at = getenv("PATH");
	if (strchr(name, '/'))
		return fits(name) ? mem_strdup(name) : NULL;
	while (at && *at) {
		size_t len = strcspn(at, ":");
		AUTO(str) char *path = len ? mem_printf("%.*s/%s", (int)len, at, name) : NULL;
		/* An empty entry means the current directory, where nothing is run from. */
		if (path && fits(path))
			return TAKE(path);
		at += len + (at[len] == ':');
	}
	return NULL;
}

bool proc_run_self(const char *const *words, int64_t deadline_ms, struct error *err)
{
	const char *argv[10] = { NULL };
	AUTO(str) char *self = proc_self(err);
	if (!self)
		return false;
	argv[0] = self;
	for (size_t i = 0; words[i] && i < 8; i++)
		argv[i + 1] = words[i];
	const struct proc_request request = {
		.argv = argv, .deadline_ms = deadline_ms, .output_max = 65536, .is_shown = true
	};
	AUTO(proc_result) struct proc_result result = { 0 };
	if (!proc_run(&request, &result, err))
		return false;
	return (result.end == PROC_EXITED && result.status == 0) ||
	       error_set(err, ERR_FAILED, "it exited with %d", result.status);
}

char *proc_find(const char *name)
{
	return search(name, is_program);
}

/* ---- copies of this process ---- */

bool proc_fork(int (*work)(void *ctx, int fd), void *ctx, pid_t *pid, int *fd, struct error *err)
{
	int ends[2];
	pid_t parent = getpid();
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set_errno(err, ERR_FAILED, errno, "cannot make a pipe");
	*pid = fork();
	if (*pid < 0) {
		int why = errno;
		close(ends[0]);
		close(ends[1]);
		return error_set_errno(err, ERR_FAILED, why, "cannot make a process");
	}
	if (*pid == 0) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		/* The parent may have been gone before the line above. */
		_exit(getppid() == parent ? work(ctx, ends[1]) : 1);
	}
	setpgid(*pid, *pid);
	close(ends[1]);
	*fd = ends[0];
	return true;
}

int proc_end_group(pid_t pid)
{
	int status = 0;
	kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

char *proc_self(struct error *err)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
	if (len > 0)
		return mem_strndup(path, (size_t)len);
	error_set_errno(err, ERR_FAILED, errno, "cannot find the program of cctm itself");
	return NULL;
}

/* ---- starting ---- */

struct child {
	pid_t pid;
	const atomic_bool *is_cancelled;
	int fds[2]; /* we read its stdout and stderr; -1: closed */
	bool is_over, has_group;
	int status;
};

static bool open_pipes(int out[2], int err_pipe[2], struct error *err)
{
	if (pipe2(out, O_CLOEXEC) < 0)
		return error_set_errno(err, ERR_FAILED, errno, "cannot make a pipe");
	if (pipe2(err_pipe, O_CLOEXEC) == 0)
		return true;
	int why = errno;
	close(out[0]);
	close(out[1]);
	return error_set_errno(err, ERR_FAILED, why, "cannot make a pipe");
}

/* A program to be started: where its streams go, and the flags that say to which group it belongs. */
struct launch {
	const char *path, *dir;
	const char *const *argv, *const *env;
	int in; /* -1: nothing to read */
	int out, err;
	short group_flags;
};

static void set_attributes(posix_spawnattr_t *attributes, short group_flags)
{
	sigset_t all, none;
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_init(attributes);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setpgroup(attributes, 0);
	posix_spawnattr_setflags(
		attributes, (short)(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | group_flags));
}

/* Is `entry`, "NAME=value", of a variable that `added` sets? */
static bool is_replaced(const char *entry, const char *const *added)
{
	size_t len = strcspn(entry, "=");
	for (; *added; added++) {
		if (strncmp(*added, entry, len) == 0 && (*added)[len] == '=')
			return true;
	}
	return false;
}

/* Ours with `added`; the list is yours, its texts are borrowed. */
static const char **environment(const char *const *added)
{
	static const char *const none[] = { NULL };
	const char **list = NULL;
	size_t count = 0, room = 0;
	added = added ? added : none;
	for (char **entry = environ; entry && *entry; entry++) {
		list = mem_grow(list, &room, count + 1, sizeof *list);
		if (!is_replaced(*entry, added))
			list[count++] = *entry;
	}
	do {
		list = mem_grow(list, &room, count + 1, sizeof *list);
		list[count++] = *added;
	} while (*added++);
	return list;
}

/* 0, or an errno. */
static int spawn(const struct launch *launch, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_init(&actions);
	if (launch->in >= 0)
		posix_spawn_file_actions_adddup2(&actions, launch->in, 0);
	else
		posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, launch->out, 1);
	posix_spawn_file_actions_adddup2(&actions, launch->err, 2);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	if (launch->dir)
		posix_spawn_file_actions_addchdir_np(&actions, launch->dir);
	set_attributes(&attributes, launch->group_flags);
	/* Ignored, as some parents leave it behind, it would have the kernel throw the program's status away. */
	signal(SIGCHLD, SIG_DFL);
	const char **env = environment(launch->env);
	int why = posix_spawn(pid, launch->path, &actions, &attributes,
		(char *const *)(uintptr_t)launch->argv, (char *const *)(uintptr_t)env);
	free(env);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return why;
}

static char *find_or_fail(const char *name, struct error *err)
{
	char *path = proc_find(name);
	AUTO(str) char *other = path ? NULL : search(name, is_file);
	if (other)
		error_set(err, ERR_FAILED, "%s is there, but may not be executed", other);
	else if (!path)
		error_set(err, ERR_FAILED, "%s is not installed", name);
	return path;
}

/* The group of the program that is listened to, for proc_interrupt; 0: none. */
static volatile sig_atomic_t heard_group;

void proc_interrupt(void)
{
	if (heard_group)
		kill(-(pid_t)heard_group, SIGTERM);
}

/* No interrupt finds the program started and its group unknown. */
static int spawn_heard(const struct launch *launch, struct child *child)
{
	sigset_t interrupt, before;
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	pthread_sigmask(SIG_BLOCK, &interrupt, &before);
	int why = spawn(launch, &child->pid);
	if (why == 0)
		heard_group = child->pid;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	child->has_group = true;
	return why;
}

static bool start_heard(struct launch *launch, struct child *child, struct error *err)
{
	int out[2], err_pipe[2];
	if (!open_pipes(out, err_pipe, err))
		return false;
	launch->out = out[1];
	launch->err = err_pipe[1];
	launch->group_flags = POSIX_SPAWN_SETPGROUP;
	int why = spawn_heard(launch, child);
	close(out[1]);
	close(err_pipe[1]);
	child->fds[0] = out[0];
	child->fds[1] = err_pipe[0];
	if (why == 0)
		return true;
	close(out[0]);
	close(err_pipe[0]);
	return error_set_errno(err, ERR_FAILED, why, "cannot start %s", launch->path);
}

/* A file in memory and not a pipe: however much the program reads of it, and when, nobody waits for it. -1: none is
 * needed, or an error. */
static int open_input(struct slice input, struct error *err)
{
	size_t written;
	if (input.len == 0)
		return -1;
	int fd = memfd_create("input", MFD_CLOEXEC);
	if (fd >= 0 && fd_write_all(fd, input.ptr, input.len, &written) &&
		lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	error_set_errno(err, ERR_FAILED, errno, "cannot keep what a program is to read");
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool start(const struct proc_request *request, struct child *child, struct error *err)
{
	AUTO(str) char *path = find_or_fail(request->argv[0], err);
	AUTO(fd) int in = path ? open_input(request->input, err) : -1;
	struct launch launch = { .path = path,
		.dir = request->dir,
		.argv = request->argv,
		.env = request->env,
		.in = in,
		.out = STDERR_FILENO,
		.err = STDERR_FILENO };
	if (error_is_set(err))
		return false;
	if (!request->is_shown)
		return start_heard(&launch, child, err);
	int why = spawn(&launch, &child->pid);
	child->fds[0] = child->fds[1] = -1;
	return why == 0 || error_set_errno(err, ERR_FAILED, why, "cannot start %s", path);
}

bool proc_start(const char *const *argv, const char *dir, const char *log_path, pid_t *pid,
	struct error *err)
{
	AUTO(str) char *path = find_or_fail(argv[0], err);
	if (!path)
		return false;
	AUTO(fd) int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot write %s", log_path);
	const struct launch launch = { .path = path,
		.dir = dir,
		.argv = argv,
		.in = -1,
		.out = log,
		.err = log,
		.group_flags = POSIX_SPAWN_SETSID };
	int why = spawn(&launch, pid);
	return why == 0 || error_set_errno(err, ERR_FAILED, why, "cannot start %s", path);
}

static void take_lines(FILE *from, void (*take)(void *ctx, const char *line), void *ctx)
{
	char line[LINE_SIZE];
	while (fgets(line, sizeof line, from)) {
		line[strcspn(line, "\n")] = '\0';
		take(ctx, line);
	}
}

bool proc_lines(const char *const *argv, const char *dir, void (*take)(void *ctx, const char *line),
	void *ctx, int *status, struct error *err)
{
	int fds[2], wait_status = 0;
	pid_t pid;
	AUTO(str) char *path = find_or_fail(argv[0], err);
	if (!path)
		return false;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_set_errno(err, ERR_FAILED, errno, "cannot make a pipe");
	const struct launch launch = {
		.path = path, .dir = dir, .argv = argv, .in = -1, .out = fds[1], .err = fds[1]
	};
	int why = spawn(&launch, &pid);
	close(fds[1]);
	FILE *from = why == 0 ? fdopen(fds[0], "r") : NULL;
	if (!from) {
		close(fds[0]);
		return error_set_errno(err, ERR_FAILED, why ? why : errno, "cannot start %s", path);
	}
	take_lines(from, take, ctx);
	fclose(from);
	while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
		;
	*status = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
	return true;
}

bool proc_become(const char *const *argv, const char *dir, struct error *err)
{
	AUTO(str) char *path = find_or_fail(argv[0], err);
	if (!path)
		return false;
	if (dir && chdir(dir) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot enter %s", dir);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	execve(path, (char *const *)(uintptr_t)argv, environ);
	return error_set_errno(err, ERR_FAILED, errno, "cannot start %s", path);
}

/* ---- listening ---- */

static void keep(struct proc_result *result, struct buf *to, const char *bytes, size_t len)
{
	size_t room = to->max - to->len;
	size_t kept = len < room ? len : room;
	result->is_cut |= kept < len;
	if (kept && !buf_append(to, bytes, kept))
		result->is_cut = true;
}

static void read_from(struct child *child, int which, struct proc_result *result)
{
	char bytes[CHUNK];
	ssize_t n = read(child->fds[which], bytes, sizeof bytes);
	if (n < 0 && errno == EINTR)
		return;
	if (n > 0) {
		keep(result, which ? &result->err : &result->out, bytes, (size_t)n);
		return;
	}
	close(child->fds[which]);
	child->fds[which] = -1;
}

static bool is_open(const struct child *child)
{
	return child->fds[0] >= 0 || child->fds[1] >= 0;
}

/* What has come since, waiting for it at most so long. */
static void listen_for(struct child *child, int64_t ms, struct proc_result *result)
{
	struct pollfd polled[] = { { .fd = child->fds[0], .events = POLLIN },
		{ .fd = child->fds[1], .events = POLLIN } };
	if (poll(polled, 2, (int)(ms < POLL_MS ? ms : POLL_MS)) <= 0)
		return;
	for (int i = 0; i < 2; i++) {
		if (polled[i].fd >= 0 && polled[i].revents)
			read_from(child, i, result);
	}
}

static bool has_ended(struct child *child)
{
	if (child->is_over)
		return true;
	pid_t pid = waitpid(child->pid, &child->status, WNOHANG);
	child->is_over = pid == child->pid || (pid < 0 && errno != EINTR);
	if (child->is_over && pid < 0)
		child->status =
			SIGKILL; /* somebody else reaped it: what is not known is no success */
	return child->is_over;
}

/* Until it has ended and said all, or the time is over. What it leaves running may hold its output open for ever, so
 * that is waited for only a moment longer. True: it has ended. */
static bool listen_until(struct child *child, int64_t end_ms, struct proc_result *result)
{
	for (;;) {
		int64_t now_ms = clock_mono_ms();
		if (has_ended(child) && end_ms > now_ms + LINGER_MS)
			end_ms = now_ms + LINGER_MS;
		if (child->is_cancelled && *child->is_cancelled)
			return child->is_over;
		if (now_ms >= end_ms || (child->is_over && !is_open(child)))
			return child->is_over;
		listen_for(child, is_open(child) ? end_ms - now_ms : POLL_MS, result);
	}
}

/* ---- ending ---- */

static void end_group(struct child *child, struct proc_result *result)
{
	pid_t whom = child->has_group ? -child->pid : child->pid;
	kill(whom, SIGTERM);
	child->is_cancelled = NULL; /* what follows has its own time */
	listen_until(child, clock_mono_ms() + GRACE_MS, result);
	if (child->has_group ||
		!child->is_over) /* the id of one that is over may be another's by now */
		kill(whom, SIGKILL);
	while (!child->is_over && waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
		continue;
}

static void finish(struct child *child, int64_t end_ms, struct proc_result *result)
{
	bool is_in_time = listen_until(child, end_ms, result);
	if (!is_in_time)
		end_group(child, result);
	if (child->has_group)
		heard_group = 0;
	for (int i = 0; i < 2; i++) {
		if (child->fds[i] >= 0)
			close(child->fds[i]);
	}
	bool is_killed = WIFSIGNALED(child->status);
	result->end = !is_in_time ? PROC_TIMED_OUT : is_killed ? PROC_KILLED : PROC_EXITED;
	result->status = is_killed ? WTERMSIG(child->status) : WEXITSTATUS(child->status);
}

bool proc_run(const struct proc_request *request, struct proc_result *result, struct error *err)
{
	struct child child = { .is_cancelled = request->is_cancelled };
	*result = (struct proc_result){ .out = BUF_INIT(request->output_max),
		.err = BUF_INIT(request->output_max) };
	int64_t end_ms = clock_mono_ms() + request->deadline_ms;
	if (!start(request, &child, err))
		return false;
	finish(&child, end_ms, result);
	return true;
}

bool proc_ask(const struct proc_request *request, struct proc_result *result, struct error *err)
{
	const char *const *argv = request->argv;
	if (!proc_run(request, result, err))
		return false;
	if (result->end == PROC_EXITED && result->status == 0)
		return true;
	AUTO(str) char *said = text_last_line(buf_str(&result->err), SAID_MAX, NULL);
	return error_set(err, ERR_FAILED, "%s %s: %s", argv[0], argv[1] ? argv[1] : "",
		result->end == PROC_TIMED_OUT ? "it did not end in time"
		: *said			      ? said
					      : "it was not content");
}

void proc_result_clear(struct proc_result *result)
{
	buf_clear(&result->out);
	buf_clear(&result->err);
}
