/* Files: bounded reading, atomic writing, directories and the lock on a directory. */
#ifndef CCTM_CORE_FILE_H
#define CCTM_CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/cleanup.h"

struct buf;
struct error;

/* "a/b"; "b" when dir is empty; yours. */
char *path_join(const char *dir, const char *name);

/* Makes `path` and the directories above it, the last with `mode`; fine when it is there already. */
bool dir_make(const char *path, mode_t mode, struct error *err) MUST_CHECK;

/* Makes the directory entries of `path` durable. */
bool dir_sync(const char *path, struct error *err) MUST_CHECK;

/* Appends the whole file to `out`, whose maximum bounds it. 1: read, 0: no such file, -1: error. */
int file_read(const char *path, struct buf *out, struct error *err) MUST_CHECK;

/* Replaces `path` in one step: temporary file beside it, fsync, rename, fsync of the directory. */
bool file_write_atomic(
	const char *path, const void *bytes, size_t len, mode_t mode, struct error *err) MUST_CHECK;

/* The same for a file that is to belong to somebody; (uid_t)-1 and (gid_t)-1: to who runs this. */
struct file_owner {
	uid_t uid;
	gid_t gid;
};

bool file_write_atomic_as(const char *path, const void *bytes, size_t len, mode_t mode,
	const struct file_owner *owner, struct error *err) MUST_CHECK;

/* write(2) until all is written. False with errno set on failure; *written says how far it got. */
bool fd_write_all(int fd, const void *bytes, size_t len, size_t *written) MUST_CHECK;

/* Takes the exclusive lock on `path` (made if absent) and writes our pid into it. The lock lives as long as
 * the returned fd and dies with the process. -1: error; ERR_LOCKED names the holder's pid. */
int lock_take(const char *path, struct error *err) MUST_CHECK;

/* The pid that holds the lock on `path`, 0 when none does, -1 when it has not written its pid yet. Harmless
 * to a lock that this process holds itself. */
pid_t lock_holder(const char *path);

/* $XDG_DATA_HOME/cctm or ~/.local/share/cctm; yours. */
char *data_home(void);

#endif
