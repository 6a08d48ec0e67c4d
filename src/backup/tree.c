#include "backup/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"

#define DEPTH_MAX 16

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* What is done with each entry, folders behind what is in them. False ends the walk. */
struct walk {
	void *ctx;
	bool (*each)(void *ctx, int dir_fd, const char *name, const char *path,
		const struct stat *st, struct error *err);
};

static bool walk_entry(const struct walk *walk, int fd, const char *name, const char *path,
	unsigned depth, struct error *err);

static bool walk_folder(
	const struct walk *walk, int fd, const char *path, unsigned depth, struct error *err)
{
	DIR *entries = fdopendir(fd);
	bool ok = true;
	if (!entries) {
		close(fd);
		return error_set_errno(err, ERR_IO, errno, "cannot list %s", path);
	}
	for (const struct dirent *entry; ok && (entry = readdir(entries));) {
		AUTO(str) char *below = path_join(path, entry->d_name);
		ok = is_dots(entry->d_name) ||
		     walk_entry(walk, dirfd(entries), entry->d_name, below, depth, err);
	}
	closedir(entries);
	return ok;
}

static bool walk_entry(const struct walk *walk, int fd, const char *name, const char *path,
	unsigned depth, struct error *err)
{
	struct stat st;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || error_set_errno(err, ERR_IO, errno, "%s", path);
	if (S_ISDIR(st.st_mode)) {
		int below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (depth >= DEPTH_MAX)
			close(below);
		if (depth >= DEPTH_MAX)
			return error_set(err, ERR_FAILED, "%s is too deep", path);
		if (below < 0)
			return error_set_errno(err, ERR_IO, errno, "cannot list %s", path);
		if (!walk_folder(walk, below, path, depth + 1, err))
			return false;
	}
	return walk->each(walk->ctx, fd, name, path, &st, err);
}

static bool walk_tree(const struct walk *walk, const char *path, struct error *err)
{
	return walk_entry(walk, AT_FDCWD, path, path, 0, err);
}

/* ---- removing ---- */

static bool remove_entry(void *ctx, int fd, const char *name, const char *path,
	const struct stat *st, struct error *err)
{
	(void)ctx;
	return unlinkat(fd, name, S_ISDIR(st->st_mode) ? AT_REMOVEDIR : 0) == 0 ||
	       errno == ENOENT || error_set_errno(err, ERR_IO, errno, "cannot delete %s", path);
}

bool tree_remove(const char *path, struct error *err)
{
	const struct walk walk = { .each = remove_entry };
	return walk_tree(&walk, path, err);
}

/* ---- listing ---- */

struct listing {
	const char *dir;
	size_t max;
	struct tree_list *out;
};

static bool list_entry(void *ctx, int fd, const char *name, const char *path, const struct stat *st,
	struct error *err)
{
	struct listing *listing = ctx;
	struct stat behind = *st;
	if (S_ISLNK(st->st_mode) && fstatat(fd, name, &behind, 0) < 0)
		return true;
	if (!S_ISREG(behind.st_mode))
		return true;
	struct tree_list *out = listing->out;
	if (out->count == listing->max)
		return error_set(err, ERR_FAILED, "there are more than %zu files in %s",
			listing->max, listing->dir);
	out->items = mem_grow(out->items, &out->room, out->count + 1, sizeof *out->items);
	out->items[out->count++] = mem_strdup(path + strlen(listing->dir) + 1);
	return true;
}

static int by_name(const void *a, const void *b)
{
	char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

bool tree_list(const char *dir, size_t max, struct tree_list *out, struct error *err)
{
	struct listing listing = { .dir = dir, .max = max, .out = out };
	const struct walk walk = { .ctx = &listing, .each = list_entry };
	*out = (struct tree_list){ 0 };
	if (!walk_tree(&walk, dir, err)) {
		tree_list_clear(out);
		return false;
	}
	if (out->count)
		qsort(out->items, out->count, sizeof *out->items, by_name);
	return true;
}

void tree_list_clear(struct tree_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct tree_list){ 0 };
}

/* ---- measuring and syncing ---- */

static bool measure_entry(void *ctx, int fd, const char *name, const char *path,
	const struct stat *st, struct error *err)
{
	uint64_t *bytes = ctx;
	(void)fd;
	(void)name;
	(void)path;
	(void)err;
	*bytes += S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
	return true;
}

uint64_t tree_bytes(const char *dir)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	uint64_t bytes = 0;
	const struct walk walk = { .ctx = &bytes, .each = measure_entry };
	return walk_tree(&walk, dir, &ignored) ? bytes : 0;
}

bool tree_has_room(const char *dir, uint64_t bytes, struct error *err)
{
	struct statvfs fs;
	if (statvfs(dir, &fs) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot look at %s", dir);
	uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room >= bytes)
		return true;
	AUTO(str) char *wanted = str_size((int64_t)bytes);
	AUTO(str) char *free_bytes = str_size((int64_t)room);
	error_set(err, ERR_IO, "%s are needed in %s, and %s are free", wanted, dir, free_bytes);
	return error_hint(err, "make room there");
}

static bool sync_entry(void *ctx, int dir_fd, const char *name, const char *path,
	const struct stat *st, struct error *err)
{
	(void)ctx;
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return true;
	AUTO(fd) int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return (fd >= 0 && fsync(fd) == 0) ||
	       error_set_errno(err, ERR_IO, errno, "cannot write %s to disk", path);
}

bool tree_sync(const char *dir, struct error *err)
{
	const struct walk walk = { .each = sync_entry };
	return walk_tree(&walk, dir, err);
}
