#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "syncs.h"

static struct faults plan;
static bool is_counting;
static long count;
static const char *names[FAULTS_NAMES_MAX + 1];

void faults_begin(const struct faults *wanted)
{
	plan = *wanted;
	count = 0;
	is_counting = true;
	syncs_begin();
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

#define NOTHING (-1)

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

/* `changed`: a descriptor, or NOTHING. */
static int end(int result, int changed)
{
	if (is_counting && result >= 0 && changed != NOTHING)
		syncs_changed(changed);
	if (dies(AFTER))
		die();
	return result;
}

/* Each is declared here because the linker, and no header, gives it its name. */
#define WRAP(type, name, parameters)   \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters

#define CALL(name, need, changed, arguments) \
	(begin(#name, need) ? end(__real_##name arguments, changed) : -1)

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
	return CALL(open, NEEDS_ROOM, NOTHING, (path, flags, mode));
}

int __wrap_openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (!(flags & (O_CREAT | O_TRUNC)))
		return __real_openat(dir, path, flags, mode);
	return CALL(openat, NEEDS_ROOM, dir, (dir, path, flags, mode));
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
	end(n < 0 ? -1 : 0, fd);
	return n;
}

WRAP(int, fsync, (int fd))
{
	if (!begin("fsync", NEEDS_ROOM))
		return -1;
	if (is_counting)
		syncs_synced(fd);
	return end(0, NOTHING);
}

WRAP(int, rename, (const char *from, const char *to))
{
	if (is_counting)
		syncs_record_turns(to);
	return CALL(rename, NEEDS_NONE, NOTHING, (from, to));
}

WRAP(int, renameat, (int from_dir, const char *from, int to_dir, const char *to))
{
	return CALL(renameat, NEEDS_NONE, to_dir, (from_dir, from, to_dir, to));
}

WRAP(int, linkat, (int from_dir, const char *from, int to_dir, const char *to, int flags))
{
	return CALL(linkat, NEEDS_ROOM, to_dir, (from_dir, from, to_dir, to, flags));
}

WRAP(int, symlinkat, (const char *text, int dir, const char *path))
{
	return CALL(symlinkat, NEEDS_ROOM, dir, (text, dir, path));
}

/* Removing what is not there changes nothing, and is not counted. */
WRAP(int, unlink, (const char *path))
{
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (is_counting)
		syncs_record_turns(path);
	return CALL(unlink, NEEDS_NONE, NOTHING, (path));
}

WRAP(int, unlinkat, (int dir, const char *path, int flags))
{
	if (faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	/* A directory that is gone has no names to be made durable. */
	int gone = flags & AT_REMOVEDIR ? __real_openat(dir, path, O_PATH | O_NOFOLLOW) : -1;
	int result = CALL(unlinkat, NEEDS_NONE, dir, (dir, path, flags));
	int why = errno;
	if (gone >= 0 && result == 0)
		syncs_synced(gone);
	if (gone >= 0)
		close(gone);
	errno = why;
	return result;
}

WRAP(int, mkdir, (const char *path, mode_t mode))
{
	return CALL(mkdir, NEEDS_ROOM, NOTHING, (path, mode));
}

WRAP(int, mkdirat, (int dir, const char *path, mode_t mode))
{
	return CALL(mkdirat, NEEDS_ROOM, dir, (dir, path, mode));
}

WRAP(int, fchown, (int fd, uid_t uid, gid_t gid))
{
	return CALL(fchown, NEEDS_NONE, fd, (fd, uid, gid));
}

WRAP(int, fchmod, (int fd, mode_t mode))
{
	return CALL(fchmod, NEEDS_NONE, fd, (fd, mode));
}

WRAP(int, ftruncate, (int fd, off_t size))
{
	return CALL(ftruncate, NEEDS_NONE, fd, (fd, size));
}
