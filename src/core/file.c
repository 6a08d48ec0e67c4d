#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"

char *path_join(const char *dir, const char *name)
{
	size_t len = strlen(dir);
	bool has_slash = len && dir[len - 1] == '/';
	return mem_printf("%s%s%s", dir, has_slash ? "" : "/", name);
}

bool dir_make(const char *path, mode_t mode, struct error *err)
{
	AUTO(str) char *part = mem_strdup(path);
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

int file_read(const char *path, struct buf *out, struct error *err)
{
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		if (errno == ENOENT)
			return 0;
		error_set_errno(err, ERR_IO, errno, "cannot open %s", path);
		return -1;
	}
	for (;;) {
		unsigned char *to = buf_reserve(out, 1);
		if (!to) {
			error_set(err, ERR_IO, "%s is larger than %zu bytes", path, out->max);
			return -1;
		}
		size_t space = out->room - out->len - 1;
		ssize_t n = read(fd, to, space < out->max - out->len ? space : out->max - out->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_set_errno(err, ERR_IO, errno, "cannot read %s", path);
			return -1;
		}
		if (n == 0)
			return 1;
		buf_wrote(out, (size_t)n);
	}
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
		*written += (size_t)n;
	}
	return true;
}

bool file_write_atomic(
	const char *path, const void *bytes, size_t len, mode_t mode, struct error *err)
{
	AUTO(str) char *temporary = mem_printf("%s.tmp.%ld", path, (long)getpid());
	AUTO(fd) int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot write %s", temporary);
	size_t written;
	if (!fd_write_all(fd, bytes, len, &written) || fchmod(fd, mode) < 0 || fsync(fd) < 0 ||
		rename(temporary, path) < 0) {
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

static struct flock whole_file(void)
{
	return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

int lock_take(const char *path, struct error *err)
{
	AUTO(fd) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		error_set_errno(err, ERR_IO, errno, "cannot open the lock %s", path);
		return -1;
	}
	struct flock lock = whole_file();
	if (fcntl(fd, F_SETLK, &lock) < 0) {
		error_set(err, ERR_LOCKED, "%s is held by process %ld", path,
			(long)lock_holder(path));
		return -1;
	}
	char text[32];
	int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	size_t written;
	if (ftruncate(fd, 0) < 0 || !fd_write_all(fd, text, (size_t)len, &written)) {
		error_set_errno(err, ERR_IO, errno, "cannot write the lock %s", path);
		return -1;
	}
	int taken = fd;
	fd = -1;
	return taken;
}

pid_t lock_holder(const char *path)
{
	AUTO(fd) int fd = open(path, O_RDWR | O_CLOEXEC);
	struct flock lock = whole_file();
	if (fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid;
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
