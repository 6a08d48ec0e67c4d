#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct faults plan;
static bool is_counting;
static long count;
static const char *names[FAULTS_NAMES_MAX + 1];

void faults_begin(const struct faults *wanted)
{
	plan = *wanted;
	count = 0;
	is_counting = true;
}

long faults_end(void)
{
	is_counting = false;
	return count;
}

const char *faults_name(long number)
{
	return number > 0 && number <= FAULTS_NAMES_MAX ? names[number] : "?";
}

static void die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static bool dies(enum moment moment)
{
	return is_counting && plan.kill_at == count && plan.moment == moment;
}

enum need { NEEDS_ROOM, NEEDS_NONE };

/* False: the call is to fail, errno is set. */
static bool begin(const char *name, enum need need)
{
	if (!is_counting)
		return true;
	count++;
	if (count <= FAULTS_NAMES_MAX)
		names[count] = name;
	if (dies(BEFORE))
		die();
	bool is_chosen = plan.fail_from && count >= plan.fail_from &&
			 count - plan.fail_from < plan.fail_count;
	if (!is_chosen || (plan.is_full && need == NEEDS_NONE))
		return true;
	errno = plan.why;
	return false;
}

static int end(int result)
{
	if (dies(AFTER))
		die();
	return result;
}

/* Each is declared here because the linker, and no header, gives it its name. */
#define WRAP(type, name, parameters)   \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters

#define CALL(name, need, arguments) (begin(#name, need) ? end(__real_##name arguments) : -1)

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (!(flags & (O_CREAT | O_TRUNC)))
		return __real_open(path, flags, mode);
	return CALL(open, NEEDS_ROOM, (path, flags, mode));
}

int __wrap_openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (!(flags & (O_CREAT | O_TRUNC)))
		return __real_openat(dir, path, flags, mode);
	return CALL(openat, NEEDS_ROOM, (dir, path, flags, mode));
}

WRAP(ssize_t, write, (int fd, const void *bytes, size_t len))
{
	if (!begin("write", NEEDS_ROOM))
		return -1;
	if (dies(MIDDLE)) {
		if (__real_write(fd, bytes, len / 2) < 0)
			perror("half a write");
		die();
	}
	ssize_t n = __real_write(fd, bytes, len);
	end(0);
	return n;
}

WRAP(int, fsync, (int fd))
{
	return begin("fsync", NEEDS_ROOM) ? end(fcntl(fd, F_GETFD) < 0 ? -1 : 0) : -1;
}

WRAP(int, rename, (const char *from, const char *to))
{
	return CALL(rename, NEEDS_NONE, (from, to));
}

WRAP(int, renameat, (int from_dir, const char *from, int to_dir, const char *to))
{
	return CALL(renameat, NEEDS_NONE, (from_dir, from, to_dir, to));
}

WRAP(int, linkat, (int from_dir, const char *from, int to_dir, const char *to, int flags))
{
	return CALL(linkat, NEEDS_ROOM, (from_dir, from, to_dir, to, flags));
}

WRAP(int, symlinkat, (const char *text, int dir, const char *path))
{
	return CALL(symlinkat, NEEDS_ROOM, (text, dir, path));
}

/* Removing what is not there changes nothing, and is not counted. */
WRAP(int, unlink, (const char *path))
{
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return CALL(unlink, NEEDS_NONE, (path));
}

WRAP(int, unlinkat, (int dir, const char *path, int flags))
{
	if (faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return CALL(unlinkat, NEEDS_NONE, (dir, path, flags));
}

WRAP(int, mkdir, (const char *path, mode_t mode))
{
	return CALL(mkdir, NEEDS_ROOM, (path, mode));
}

WRAP(int, mkdirat, (int dir, const char *path, mode_t mode))
{
	return CALL(mkdirat, NEEDS_ROOM, (dir, path, mode));
}

WRAP(int, fchmod, (int fd, mode_t mode))
{
	return CALL(fchmod, NEEDS_NONE, (fd, mode));
}

WRAP(int, ftruncate, (int fd, off_t size))
{
	return CALL(ftruncate, NEEDS_NONE, (fd, size));
}
