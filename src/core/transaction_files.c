/* One step of all files. Everything is done in a directory that was opened without following a link, so that
 * nobody who can write above it leads a step elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/transaction_internal.h"

/* ---- places ---- */

/* A target, and the two names beside it. */
struct place {
	int dir; /* -1: it is not there */
	const char *name;
	char *fresh, *former;
};

/* -1 with errno: an absolute path's directory; ENOTDIR for a link. */
static int open_dir(const char *path)
{
	AUTO(str) char *parts = mem_strdup(path);
	int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *save = NULL;
	for (char *part = strtok_r(parts, "/", &save); part && dir >= 0;
		part = strtok_r(NULL, "/", &save)) {
		int below = openat(dir, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int why = errno;
		close(dir);
		errno = why;
		dir = below;
	}
	return dir;
}

static int open_dir_above(const char *path)
{
	AUTO(str) char *dir = transaction_dir_of(path);
	return open_dir(dir);
}

static bool failed(int why, const char *what, const char *path, struct error *err)
{
	error_set_errno(err, ERR_IO, why, "cannot %s %s", what, path);
	return why == ENOSPC || why == EDQUOT
		       ? error_hint(err, "make room on the disk and run the command again")
		       : false;
}

static bool place_open(struct place *place, const char *target, struct error *err)
{
	*place = (struct place){ .dir = open_dir_above(target), .name = strrchr(target, '/') + 1 };
	if (place->dir < 0 && errno != ENOENT)
		return failed(errno, "reach", target, err);
	place->fresh = mem_printf(".%s.cctm-new", place->name);
	place->former = mem_printf(".%s.cctm-old", place->name);
	return true;
}

static void auto_place(struct place *place)
{
	auto_fd(&place->dir);
	free(place->fresh);
	free(place->former);
}

static bool is_there(int dir, const char *name)
{
	struct stat st;
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool unlink_if_there(int dir, const char *name)
{
	return unlinkat(dir, name, 0) == 0 || errno == ENOENT;
}

typedef bool place_action(
	const struct place *place, const struct transaction_step *step, struct error *err);

/* ---- syncing ---- */

/* A directory that is gone needs none. */
static bool sync_dir(const char *path, struct error *err)
{
	AUTO(fd) int dir = open_dir(path);
	if (dir < 0 && errno == ENOENT)
		return true;
	AUTO(fd) int fd = dir < 0 ? -1 : openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return failed(errno, "sync directory", path, err);
	return true;
}

/* Each directory once; names come and go in those above targets and above directories that were made. */
static bool sync_dirs(const struct transaction *t, struct error *err)
{
	struct transaction_dirs dirs = { 0 };
	for (size_t i = 0; i < t->count + t->made.count; i++) {
		bool is_step = i < t->count;
		AUTO(str)
		char *dir = transaction_dir_of(
			is_step ? t->steps[i].target : t->made.items[i - t->count].path);
		bool is_known = false;
		for (size_t k = 0; k < dirs.count && !is_known; k++)
			is_known = strcmp(dirs.items[k].path, dir) == 0;
		if (!is_known)
			transaction_add_dir(&dirs, dir, 0);
	}
	bool is_fine = true;
	for (size_t i = 0; i < dirs.count; i++)
		is_fine = is_fine && sync_dir(dirs.items[i].path, err);
	transaction_free_dirs(&dirs);
	return is_fine;
}

/* ---- laying ready ---- */

static bool write_file(int dir, const char *name, const void *bytes, size_t len, mode_t mode)
{
	size_t written;
	if (!unlink_if_there(dir, name))
		return false;
	AUTO(fd) int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd >= 0 && fd_write_all(fd, bytes, len, &written) && fchmod(fd, mode) == 0 &&
	       fsync(fd) == 0;
}

/* False with errno. By pieces: the former file may be of any size. */
static bool copy_bytes(int from, int to)
{
	unsigned char piece[16384];
	for (;;) {
		size_t written;
		ssize_t n = read(from, piece, sizeof piece);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		if (!fd_write_all(to, piece, (size_t)n, &written))
			return false;
	}
}

static bool copy_link(const struct place *place)
{
	char text[TRANSACTION_PATH_MAX + 1];
	ssize_t len = readlinkat(place->dir, place->name, text, sizeof text - 1);
	if (len < 0)
		return false;
	text[len] = '\0';
	return symlinkat(text, place->dir, place->former) == 0;
}

static bool copy_former(const struct place *place)
{
	struct stat st;
	if (fstatat(place->dir, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	if (S_ISLNK(st.st_mode))
		return copy_link(place);
	AUTO(fd) int from = openat(place->dir, place->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	AUTO(fd)
	int to = from < 0 ? -1
			  : openat(place->dir, place->former,
				    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return to >= 0 && copy_bytes(from, to) && fchmod(to, st.st_mode & 07777) == 0 &&
	       fsync(to) == 0;
}

/* A second name, or a copy: not every file system has hard links, and the kernel refuses some to other users'
 * files (proc(5), protected_hardlinks). */
static bool keep_former(const struct place *place)
{
	if (!unlink_if_there(place->dir, place->former))
		return false;
	return linkat(place->dir, place->name, place->dir, place->former, 0) == 0 ||
	       copy_former(place);
}

static bool stage_file(
	const struct place *place, const struct transaction_step *step, struct error *err)
{
	if (step->is_removal && !step->existed)
		return true;
	if (place->dir < 0)
		return failed(ENOENT, "reach", step->target, err);
	if (!step->is_removal &&
		!write_file(place->dir, place->fresh, step->bytes, step->len, step->mode))
		return failed(errno, "write", step->target, err);
	if (step->existed && !keep_former(place))
		return failed(errno, "keep a second name of", step->target, err);
	return true;
}

/* What is there by now was made by somebody else, and keeps its mode. */
static bool make_dir(const struct transaction_dir *made, struct error *err)
{
	const char *name = strrchr(made->path, '/') + 1;
	AUTO(fd) int above = open_dir_above(made->path);
	if (above < 0)
		return failed(errno, "make directory", made->path, err);
	if (mkdirat(above, name, 0700) < 0)
		return errno == EEXIST || failed(errno, "make directory", made->path, err);
	AUTO(fd) int dir = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fchmod(dir, made->mode) < 0)
		return failed(errno, "set the mode of directory", made->path, err);
	return true;
}

static bool do_all(const struct transaction *t, place_action *action, struct error *err)
{
	for (size_t i = 0; i < t->count; i++) {
		AUTO(place) struct place place = { .dir = -1 };
		if (!place_open(&place, t->steps[i].target, err) ||
			!action(&place, &t->steps[i], err))
			return false;
	}
	return true;
}

bool transaction_files_stage(const struct transaction *t, struct error *err)
{
	for (size_t i = 0; i < t->made.count; i++) {
		if (!make_dir(&t->made.items[i], err))
			return false;
	}
	return do_all(t, stage_file, err) && sync_dirs(t, err);
}

/* ---- putting in place ---- */

static bool apply_file(
	const struct place *place, const struct transaction_step *step, struct error *err)
{
	if (step->is_removal) {
		bool is_gone = !step->existed || place->dir < 0 ||
			       unlink_if_there(place->dir, place->name);
		return is_gone || failed(errno, "remove", step->target, err);
	}
	if (place->dir < 0)
		return failed(ENOENT, "reach", step->target, err);
	if (renameat(place->dir, place->fresh, place->dir, place->name) == 0)
		return true;
	int why = errno;
	/* No new text any more: it is in place. */
	if (why == ENOENT && is_there(place->dir, place->name))
		return true;
	return failed(why, "replace", step->target, err);
}

bool transaction_files_apply(const struct transaction *t, struct error *err)
{
	return do_all(t, apply_file, err) && sync_dirs(t, err);
}

/* ---- and back ---- */

/* While the new text lies beside it, the target was not touched yet. */
static bool put_back_file(
	const struct place *place, const struct transaction_step *step, struct error *err)
{
	if (place->dir < 0 || is_there(place->dir, place->fresh))
		return true;
	if (!step->existed) {
		bool is_gone = step->is_removal || unlink_if_there(place->dir, place->name);
		return is_gone || failed(errno, "remove", step->target, err);
	}
	/* Two names of one file: rename leaves both (rename(2)), and the second goes when all is cleared. */
	if (renameat(place->dir, place->former, place->dir, place->name) == 0 || errno == ENOENT)
		return true;
	return failed(errno, "put back", step->target, err);
}

bool transaction_files_put_back(const struct transaction *t, struct error *err)
{
	return do_all(t, put_back_file, err) && sync_dirs(t, err);
}

static bool clear_file(
	const struct place *place, const struct transaction_step *step, struct error *err)
{
	if (place->dir < 0)
		return true;
	if (!unlink_if_there(place->dir, place->fresh) ||
		!unlink_if_there(place->dir, place->former))
		return failed(errno, "clear up beside", step->target, err);
	return true;
}

bool transaction_files_clear(const struct transaction *t, struct error *err)
{
	return do_all(t, clear_file, err) && sync_dirs(t, err);
}

/* One in which somebody has put something by now stays. */
bool transaction_files_remove_dirs(const struct transaction *t, struct error *err)
{
	for (size_t i = t->made.count; i-- > 0;) {
		const char *path = t->made.items[i].path;
		AUTO(fd) int above = open_dir_above(path);
		if (above < 0 && errno == ENOENT)
			continue;
		if (above < 0 || unlinkat(above, strrchr(path, '/') + 1, AT_REMOVEDIR) < 0) {
			bool stays = errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST ||
				     errno == ENOTDIR;
			if (!stays)
				return failed(errno, "remove directory", path, err);
		}
	}
	return sync_dirs(t, err);
}
