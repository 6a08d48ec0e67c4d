#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

char *path_join(const char *dir, const char *name)
{
	size_t len = strlen(dir);
	bool needs_slash = len && dir[len - 1] != '/';
	return mem_printf("%s%s%s", dir, needs_slash ? "/" : "", name);
}

bool dir_make(const char *path, mode_t mode, struct error *err)
{
	AUTO(str) char *part = mem_strdup(path);
	size_t len = strlen(part);
	if (len == 0)
		return error_set(err, ERR_IO, "cannot make a directory without a name");
	while (len > 1 && part[len - 1] == '/')
		part[--len] =
			'\0'; /* else the last one would be made as if it stood above another */
	for (char *slash = part + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return error_set_errno(
				err, ERR_IO, errno, "cannot make directory %s", part);
		*slash = '/';
	}
	if (mkdir(part, mode) == 0)
		return true;
	if (errno != EEXIST)
		return error_set_errno(err, ERR_IO, errno, "cannot make directory %s", path);
	struct stat st;
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return error_set(err, ERR_IO, "%s is there and is not a directory", path);
	return true;
}

bool dir_sync(const char *path, struct error *err)
{
	AUTO(fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot sync directory %s", path);
	return true;
}

#define READ_CHUNK 16384

/* 1: something was read, 0: the end, -1: error. A full buffer is an error only if another byte follows. */
static int read_some(int fd, const char *path, struct buf *out, struct error *err)
{
	unsigned char beyond;
	size_t space = out->max - out->len;
	if (space > READ_CHUNK)
		space = READ_CHUNK;
	unsigned char *to = space ? buf_reserve(out, space) : &beyond;
	ssize_t n = read(fd, to, space ? space : 1);
	if (n < 0 && errno == EINTR)
		return 1;
	if (n < 0) {
		error_set_errno(err, ERR_IO, errno, "cannot read %s", path);
		return -1;
	}
	if (n > 0 && space == 0) {
		error_set(err, ERR_IO, "%s is larger than %zu bytes", path, out->max);
		return -1;
	}
	if (n > 0)
		buf_wrote(out, (size_t)n);
	return n > 0;
}

int file_read(const char *path, struct buf *out, struct error *err)
{
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		if (errno == ENOENT)
			return 0;
		error_set_errno(err, ERR_IO, errno, "cannot open %s", path);
		return -1;
	}
	int more = 1;
	while (more > 0)
		more = read_some(fd, path, out, err);
	return more < 0 ? -1 : 1;
}

bool fd_write_all(int fd, const void *bytes, size_t len, size_t *written)
{
	const unsigned char *at = bytes;
	*written = 0;
	while (*written < len) {
		ssize_t n = write(fd, at + *written, len - *written);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0) { /* no progress and no reason: better an error than a loop */
			errno = EIO;
			return false;
		}
		*written += (size_t)n;
	}
	return true;
}

/* Nobody else's file is ours to give away, so only what differs is asked for. */
static bool give_to(int fd, const struct file_owner *owner)
{
	struct stat st;
	uid_t uid = owner->uid;
	gid_t gid = owner->gid;
	if (fstat(fd, &st) < 0)
		return false;
	if (st.st_uid == uid)
		uid = (uid_t)-1;
	if (st.st_gid == gid)
		gid = (gid_t)-1;
	return (uid == (uid_t)-1 && gid == (gid_t)-1) || fchown(fd, uid, gid) == 0;
}

bool file_write_atomic(
	const char *path, const void *bytes, size_t len, mode_t mode, struct error *err)
{
	const struct file_owner ours = { (uid_t)-1, (gid_t)-1 };
	return file_write_atomic_as(path, bytes, len, mode, &ours, err);
}

bool file_write_atomic_as(const char *path, const void *bytes, size_t len, mode_t mode,
	const struct file_owner *owner, struct error *err)
{
	AUTO(str) char *temporary = mem_printf("%s.tmp.%ld", path, (long)getpid());
	/* One that a process of the same number left behind, or a link someone put there, is not written into. */
	unlink(temporary);
	AUTO(fd) int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot write %s", temporary);
	size_t written;
	if (!fd_write_all(fd, bytes, len, &written) || !give_to(fd, owner) ||
		fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0) {
		int why = errno;
		unlink(temporary);
		return error_set_errno(err, ERR_IO, why, "cannot write %s", path);
	}
	AUTO(str) char *dir = mem_strdup(path);
	char *slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	return dir_sync(!slash ? "." : slash == dir ? "/" : dir, err);
}

/* Open file description locks: a plain fcntl lock would be lost as soon as this process closes any other
 * descriptor of the file, which lock_holder does. Such a lock does not know its process, so the file says it. */
static struct flock whole_file(void)
{
	return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

/* The pid in a lock file; -1 while its holder has not written it. */
static pid_t written_pid(int fd)
{
	char text[32];
	ssize_t len = pread(fd, text, sizeof text - 1, 0);
	if (len <= 0 || text[len - 1] != '\n')
		return -1;
	text[len - 1] = '\0';
	int64_t pid;
	AUTO(error) struct error ignored = ERROR_INIT;
	return str_parse_int(text, 1, INT32_MAX, &pid, &ignored) ? (pid_t)pid : -1;
}

static bool write_pid(int fd)
{
	AUTO(str) char *text = mem_printf("%ld\n", (long)getpid());
	size_t written;
	return ftruncate(fd, 0) == 0 && fd_write_all(fd, text, strlen(text), &written);
}

static int refuse_held(int fd, const char *path, struct error *err)
{
	pid_t pid = written_pid(fd);
	if (pid > 0)
		error_set(err, ERR_LOCKED, "%s is held by process %ld", path, (long)pid);
	else
		error_set(err, ERR_LOCKED, "%s is held by another process", path);
	return -1;
}

int lock_take(const char *path, struct error *err)
{
	AUTO(fd) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		error_set_errno(err, ERR_IO, errno, "cannot open the lock %s", path);
		return -1;
	}
	struct flock lock = whole_file();
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			return refuse_held(fd, path, err);
		error_set_errno(err, ERR_IO, errno, "cannot lock %s", path);
		return -1;
	}
	if (!write_pid(fd)) {
		error_set_errno(err, ERR_IO, errno, "cannot write the lock %s", path);
		return -1;
	}
	return TAKE_FD(fd);
}

pid_t lock_holder(const char *path)
{
	AUTO(fd) int fd = open(path, O_RDWR | O_CLOEXEC);
	struct flock lock = whole_file();
	if (fd < 0 || fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return written_pid(fd);
}

char *data_home(void)
{
	const char *xdg = getenv("XDG_DATA_HOME");
	if (xdg && *xdg == '/')
		return path_join(xdg, "cctm");
	const char *home = getenv("HOME");
	if (!home || !*home) {
		const struct passwd *user = getpwuid(getuid());
		home = user && user->pw_dir ? user->pw_dir : "/";
	}
	return path_join(home, ".local/share/cctm");
}
