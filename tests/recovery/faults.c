/* A shared object for LD_PRELOAD, for tests alone: dies, or fails, at a chosen system call on a file below one
 * directory, and keeps a log of these calls and of what is sent to sockets.
 *
 * It stands between the program and libc, so it sees the calls of libraries too (SQLite's through its own table
 * of functions, which it fills from the same symbols). Every call is made with syscall(2) and needs no look-up
 * of the real function. 64-bit systems only: offsets are passed as one word.
 *
 *   FAULTS_DIR      counted are calls on files below it
 *   FAULTS_LOG      a file that gets a line a call: number, what, bytes, path; number 0: an answer to a socket, with
 *                   its first bytes and the peer's port in place of the path
 *   FAULTS_KILL     "N before|middle|after": SIGKILL around the N-th call; middle: when half of the bytes are written
 *   FAULTS_KILL_AT  "WHAT NAME N before|middle|after": the same around the N-th call that is WHAT on a path with this
 *                   last component, whatever other threads do meanwhile; NAME ".": the directory itself
 *   FAULTS_FAIL     "N M ERRNO": the N-th call and the M - 1 after it fail
 *   FAULTS_CONTROL  a file, read at each call; while it says "ERRNO WHAT TEXT", calls fail that are WHAT (write,
 *                   sync, any) on a path that has TEXT in its last component
 *   FAULTS_SKEW_MS  added to the time of day
 *   FAULTS_CLOCK    a file of 8 bytes, mapped: milliseconds that are added to both clocks, to be raised at will. The
 *                   event loop, which takes its time from the coarse clock, then wakes up HURRY times as often.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define PARTS_MAX 64
#define HURRY	  20

enum moment { NEVER, BEFORE, MIDDLE, AFTER };

struct plan {
	char dir[PATH_SIZE];
	size_t dir_len;
	int log_fd;
	long kill_at;
	enum moment moment;
	char at_what[16], at_name[128];
	long at_number;
	enum moment at_moment;
	long fail_at, fail_count;
	int fail_errno;
	char control[PATH_SIZE];
	int64_t skew_ms;
	const _Atomic int64_t *shift_ms; /* NULL: no FAULTS_CLOCK */
};

/* One counted call. */
struct call {
	const char *what;
	const char *path;
	size_t bytes;
	long number; /* 0: not counted */
	enum moment dies;
};

static struct plan plan = { .log_fd = -1 };
static atomic_long count, at_count;

static void copy(char *to, const char *from)
{
	snprintf(to, PATH_SIZE, "%s", from ? from : "");
}

static enum moment parse_moment(const char *text)
{
	return strcmp(text, "before") == 0 ? BEFORE : strcmp(text, "middle") == 0 ? MIDDLE : AFTER;
}

static void read_kill(void)
{
	char moment[16] = "";
	const char *text = getenv("FAULTS_KILL");
	if (text && sscanf(text, "%ld %15s", &plan.kill_at, moment) == 2)
		plan.moment = parse_moment(moment);
	text = getenv("FAULTS_KILL_AT");
	if (text && sscanf(text, "%15s %127s %ld %15s", plan.at_what, plan.at_name, &plan.at_number,
			    moment) == 4)
		plan.at_moment = parse_moment(moment);
}

static void map_clock(void)
{
	const char *path = getenv("FAULTS_CLOCK");
	int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0) : -1;
	if (fd < 0)
		return;
	void *at = mmap(NULL, sizeof *plan.shift_ms, PROT_READ, MAP_SHARED, fd, 0);
	plan.shift_ms = at == MAP_FAILED ? NULL : at;
	syscall(SYS_close, fd);
}

/* Sees to it that the variables are read before the first call and by no other process that is started. */
__attribute__((constructor)) static void read_plan(void)
{
	copy(plan.dir, getenv("FAULTS_DIR"));
	plan.dir_len = strlen(plan.dir);
	copy(plan.control, getenv("FAULTS_CONTROL"));
	const char *log = getenv("FAULTS_LOG");
	if (log)
		plan.log_fd = (int)syscall(
			SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	read_kill();
	map_clock();
	const char *fail = getenv("FAULTS_FAIL");
	if (fail &&
		sscanf(fail, "%ld %ld %d", &plan.fail_at, &plan.fail_count, &plan.fail_errno) != 3)
		plan.fail_at = 0;
	const char *skew = getenv("FAULTS_SKEW_MS");
	if (skew)
		plan.skew_ms = strtoll(skew, NULL, 10);
}

static void die(void)
{
	syscall(SYS_kill, getpid(), SIGKILL);
	for (;;)
		pause();
}

static void log_call(const struct call *c)
{
	char line[PATH_SIZE + 64];
	if (plan.log_fd < 0)
		return;
	int len = snprintf(line, sizeof line, "%ld %s %zu %s\n", c->number, c->what, c->bytes,
		c->path + (strncmp(c->path, plan.dir, plan.dir_len) == 0 ? plan.dir_len : 0));
	if (len > 0 && (size_t)len < sizeof line)
		syscall(SYS_write, plan.log_fd, line, (size_t)len);
}

static bool is_below(const char *path)
{
	return plan.dir_len && strncmp(path, plan.dir, plan.dir_len) == 0 &&
	       (path[plan.dir_len] == '/' || path[plan.dir_len] == '\0');
}

static bool find_path(int fd, char *out)
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	long len = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_SIZE - 1);
	if (len < 0)
		return false;
	out[len] = '\0';
	return is_below(out);
}

static bool control_matches(const struct call *c, int *why)
{
	char text[256] = "", what[16], part[128];
	if (!plan.control[0])
		return false;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, plan.control, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	long len = syscall(SYS_read, fd, text, sizeof text - 1);
	syscall(SYS_close, fd);
	if (len <= 0 || sscanf(text, "%d %15s %127s", why, what, part) != 3)
		return false;
	bool is_sync = strstr(c->what, "sync") != NULL;
	if (strcmp(what, "any") != 0 && is_sync != (strcmp(what, "sync") == 0))
		return false;
	const char *name = strrchr(c->path, '/');
	return name && strstr(name, part);
}

static bool is_named(const struct call *c)
{
	const char *rest = c->path + plan.dir_len; /* "" or "/name" */
	return strcmp(plan.at_name, *rest ? rest + 1 : ".") == 0;
}

/* When in this call the bridge is to die. */
static enum moment moment_of(const struct call *c)
{
	if (plan.moment != NEVER && c->number == plan.kill_at)
		return plan.moment;
	if (plan.at_moment == NEVER || strcmp(c->what, plan.at_what) != 0 || !is_named(c))
		return NEVER;
	return atomic_fetch_add(&at_count, 1) + 1 == plan.at_number ? plan.at_moment : NEVER;
}

/* Counts a call and does to it what is planned. False: it is to fail, errno is set. */
static bool begin(struct call *c)
{
	int why = 0;
	c->number = atomic_fetch_add(&count, 1) + 1;
	c->dies = moment_of(c);
	if (c->dies == BEFORE)
		die();
	bool fails = plan.fail_at && c->number >= plan.fail_at &&
		     c->number < plan.fail_at + plan.fail_count;
	if (fails)
		why = plan.fail_errno;
	else
		fails = control_matches(c, &why);
	if (!fails)
		return true;
	errno = why;
	return false;
}

static void end(const struct call *c, long result)
{
	int kept = errno;
	if (result >= 0)
		log_call(c);
	if (c->dies == AFTER)
		die();
	errno = kept;
}

/* ---- writing ---- */

static size_t total_of(const struct iovec *parts, int part_count)
{
	size_t total = 0;
	for (int i = 0; i < part_count; i++)
		total += parts[i].iov_len;
	return total;
}

/* offset < 0: where the file stands */
static long write_parts(int fd, const struct iovec *parts, int part_count, off_t offset)
{
	if (offset < 0)
		return syscall(SYS_writev, fd, parts, part_count);
	return syscall(SYS_pwritev, fd, parts, part_count, offset, 0);
}

static void write_half(int fd, const struct iovec *parts, int part_count, off_t offset, size_t half)
{
	struct iovec cut[PARTS_MAX];
	int used = 0;
	for (; used < part_count && used < PARTS_MAX && half; used++) {
		cut[used] = parts[used];
		if (cut[used].iov_len > half)
			cut[used].iov_len = half;
		half -= cut[used].iov_len;
	}
	if (used)
		write_parts(fd, cut, used, offset);
	die();
}

static unsigned peer_port(int fd)
{
	struct sockaddr_storage peer = { 0 };
	socklen_t len = sizeof peer;
	struct sockaddr_in v4;
	if (getpeername(fd, (struct sockaddr *)&peer, &len) < 0 || peer.ss_family != AF_INET)
		return 0;
	memcpy(&v4, &peer, sizeof v4);
	return ntohs(v4.sin_port);
}

/* The first part of what goes to a socket, when it begins an answer. */
static void log_answer(int fd, const struct iovec *parts, int part_count)
{
	char first[16] = "", text[32];
	struct call c = { .what = "answer", .path = text };
	if (plan.log_fd < 0 || part_count < 1 || parts[0].iov_len < 12 ||
		memcmp(parts[0].iov_base, "HTTP/1.1", 8) != 0)
		return;
	memcpy(first, parts[0].iov_base, 12);
	first[8] = '_';
	snprintf(text, sizeof text, "%s %u", first, peer_port(fd));
	c.bytes = total_of(parts, part_count);
	log_call(&c);
}

static ssize_t answer(int fd, const struct iovec *parts, int part_count)
{
	struct stat st;
	if (plan.log_fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
		log_answer(fd, parts, part_count);
	return write_parts(fd, parts, part_count, -1);
}

static ssize_t write_any(
	const char *what, int fd, const struct iovec *parts, int part_count, off_t offset)
{
	char path[PATH_SIZE];
	if (!find_path(fd, path))
		return offset < 0 ? answer(fd, parts, part_count)
				  : write_parts(fd, parts, part_count, offset);
	struct call c = { .what = what, .path = path, .bytes = total_of(parts, part_count) };
	if (!begin(&c))
		return -1;
	if (c.dies == MIDDLE)
		write_half(fd, parts, part_count, offset, c.bytes / 2);
	long n = write_parts(fd, parts, part_count, offset);
	end(&c, n);
	return n;
}

static struct iovec one_part(const void *bytes, size_t len)
{
	union {
		const void *in;
		void *out;
	} same = { .in = bytes };

	return (struct iovec){ same.out, len };
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	struct iovec part = one_part(bytes, len);
	return write_any("write", fd, &part, 1, -1);
}

ssize_t writev(int fd, const struct iovec *parts, int part_count)
{
	return write_any("writev", fd, parts, part_count, -1);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	struct iovec part = one_part(bytes, len);
	return write_any("pwrite", fd, &part, 1, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t offset)
{
	return pwrite(fd, bytes, len, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int part_count, off_t offset)
{
	return write_any("pwritev", fd, parts, part_count, offset);
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
	struct iovec part = one_part(bytes, len);
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	return sendmsg(fd, &message, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	log_answer(fd, message->msg_iov, (int)message->msg_iovlen);
	return syscall(SYS_sendmsg, fd, message, flags);
}

/* ---- syncing and cutting ---- */

static int on_descriptor(const char *what, int fd, long number, long argument)
{
	char path[PATH_SIZE];
	struct call c = { .what = what, .path = path };
	bool is_counted = find_path(fd, path);
	if (is_counted && !begin(&c))
		return -1;
	int result = (int)syscall(number, fd, argument);
	if (is_counted)
		end(&c, result);
	return result;
}

int fsync(int fd)
{
	return on_descriptor("fsync", fd, SYS_fsync, 0);
}

int fdatasync(int fd)
{
	return on_descriptor("fdatasync", fd, SYS_fdatasync, 0);
}

int ftruncate(int fd, off_t size)
{
	return on_descriptor("ftruncate", fd, SYS_ftruncate, size);
}

int ftruncate64(int fd, off_t size)
{
	return on_descriptor("ftruncate", fd, SYS_ftruncate, size);
}

/* ---- names ---- */

static bool is_counted_path(const char *path)
{
	return is_below(path);
}

int truncate(const char *path, off_t size)
{
	struct call c = { .what = "truncate", .path = path };
	bool is_counted = is_counted_path(path);
	if (is_counted && !begin(&c))
		return -1;
	int result = (int)syscall(SYS_truncate, path, size);
	if (is_counted)
		end(&c, result);
	return result;
}

int truncate64(const char *path, off_t size)
{
	return truncate(path, size);
}

int rename(const char *from, const char *to)
{
	struct call c = { .what = "rename", .path = to };
	bool is_counted = is_counted_path(to);
	if (is_counted && !begin(&c))
		return -1;
	int result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
	if (is_counted)
		end(&c, result);
	return result;
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	struct call c = { .what = "rename", .path = to };
	bool is_counted = is_counted_path(to);
	if (is_counted && !begin(&c))
		return -1;
	int result = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
	if (is_counted)
		end(&c, result);
	return result;
}

int unlink(const char *path)
{
	struct call c = { .what = "unlink", .path = path };
	bool is_counted =
		is_counted_path(path) && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
	if (is_counted && !begin(&c))
		return -1;
	int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	if (is_counted)
		end(&c, result);
	return result;
}

/* A call that names one path; `number` with what stands in front of it and behind it. */
static int on_path(const char *what, const char *path, long number, mode_t mode)
{
	struct call c = { .what = what, .path = path };
	bool is_counted = is_counted_path(path);
	if (is_counted && !begin(&c))
		return -1;
	int result = (int)syscall(number, AT_FDCWD, path, mode);
	if (is_counted)
		end(&c, result);
	return result;
}

int mkdir(const char *path, mode_t mode)
{
	return on_path("mkdir", path, SYS_mkdirat, mode);
}

int chmod(const char *path, mode_t mode)
{
	return on_path("chmod", path, SYS_fchmodat, mode);
}

int fchmod(int fd, mode_t mode)
{
	return on_descriptor("fchmod", fd, SYS_fchmod, mode);
}

int link(const char *from, const char *to)
{
	struct call c = { .what = "link", .path = to };
	bool is_counted = is_counted_path(to);
	if (is_counted && !begin(&c))
		return -1;
	int result = (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
	if (is_counted)
		end(&c, result);
	return result;
}

static int open_any(const char *path, int flags, mode_t mode)
{
	struct call c = { .what = "create", .path = path };
	bool is_counted = (flags & O_CREAT) && is_counted_path(path);
	if (is_counted && !begin(&c))
		return -1;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (is_counted)
		end(&c, fd);
	return fd;
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return open_any(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return open_any(path, flags, mode);
}

/* ---- time ---- */

static void add_ms(struct timespec *to, int64_t ms)
{
	int64_t ns = to->tv_nsec + ms % 1000 * 1000000;
	to->tv_sec += ms / 1000 + ns / 1000000000;
	to->tv_nsec = ns % 1000000000;
}

static void hurry(struct timespec *now)
{
	int64_t ns = (int64_t)now->tv_sec % 1000000 * 1000000000 + now->tv_nsec;
	now->tv_sec = now->tv_sec / 1000000 * 1000000 * HURRY + ns * HURRY / 1000000000;
	now->tv_nsec = ns * HURRY % 1000000000;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, clock, now);
	if (result < 0)
		return result;
	if (clock == CLOCK_REALTIME)
		now->tv_sec += plan.skew_ms / 1000;
	if (!plan.shift_ms)
		return result;
	if (clock == CLOCK_MONOTONIC_COARSE)
		hurry(now);
	else if (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC)
		add_ms(now, atomic_load(plan.shift_ms));
	return result;
}

int epoll_wait(int fd, struct epoll_event *events, int count_max, int timeout_ms)
{
	if (plan.shift_ms && timeout_ms > 0)
		timeout_ms = (timeout_ms + HURRY - 1) / HURRY;
	return (int)syscall(SYS_epoll_pwait, fd, events, count_max, timeout_ms, NULL, 8);
}
