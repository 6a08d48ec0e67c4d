#include "backup/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/tree.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

#define CHUNK 65536

bool staging_open(struct staging *staging, const char *dir, struct error *err)
{
	*staging = (struct staging){ .dir = mem_strdup(dir) };
	return tree_remove(dir, err) && dir_make(dir, 0700, err);
}

char *staging_folder(const struct staging *staging, enum backup_part part, struct error *err)
{
	char *path = path_join(staging->dir, backup_part_names[part]);
	if (dir_make(path, 0700, err))
		return path;
	free(path);
	return NULL;
}

static char *path_of(const struct staging *staging, enum backup_part part, const char *name)
{
	return mem_printf("%s/%s/%s", staging->dir, backup_part_names[part], name);
}

static bool check_name(enum backup_part part, const char *name, struct error *err)
{
	AUTO(str) char *path = mem_printf("%s/%s", backup_part_names[part], name);
	return inventory_path_is_proper(path) ||
	       error_set(err, ERR_FAILED,
		       "%s cannot be saved under its name: it is too long or deep, or holds "
		       "control characters or what is not UTF-8",
		       name);
}

bool staging_add(struct staging *staging, enum backup_part part, const char *name,
	struct slice text, mode_t mode, struct error *err)
{
	if (!check_name(part, name, err))
		return false;
	AUTO(str) char *path = path_of(staging, part, name);
	AUTO(str) char *folder = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
	size_t written;
	if (!dir_make(folder, 0700, err))
		return false;
	AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || !fd_write_all(fd, text.ptr, text.len, &written))
		return error_set_errno(err, ERR_IO, errno, "cannot write %s", path);
	return staging_count(staging, part, name, mode, err);
}

static bool add_up(int fd, const char *path, struct inventory_file *file, struct error *err)
{
	unsigned char chunk[CHUNK];
	struct sha256 hash;
	sha256_init(&hash);
	ssize_t n;
	while ((n = read(fd, chunk, sizeof chunk)) != 0) {
		if (n < 0 && errno != EINTR)
			return error_set_errno(err, ERR_IO, errno, "cannot read %s", path);
		if (n > 0)
			sha256_add(&hash, chunk, (size_t)n);
	}
	sha256_hex(&hash, file->sha256);
	return true;
}

bool staging_count(struct staging *staging, enum backup_part part, const char *name, mode_t mode,
	struct error *err)
{
	AUTO(str) char *path = path_of(staging, part, name);
	AUTO(fd) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (!check_name(part, name, err))
		return false;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot read %s", path);
	if (staging->inventory.count >= INVENTORY_FILES_MAX)
		return error_set(err, ERR_FAILED, "there are more than %d files to save",
			INVENTORY_FILES_MAX);
	return add_up(
		fd, path, inventory_add(&staging->inventory, part, name, st.st_size, mode), err);
}

void staging_drop(struct staging *staging, enum backup_part part)
{
	struct inventory *inventory = &staging->inventory;
	size_t kept = 0;
	for (size_t i = 0; i < inventory->count; i++) {
		if (inventory->files[i].part == part)
			free(inventory->files[i].path);
		else
			inventory->files[kept++] = inventory->files[i];
	}
	inventory->count = kept;
	inventory->bytes -= inventory->parts[part].bytes;
	inventory->parts[part].files = 0;
	inventory->parts[part].bytes = 0;
}

void staging_close(struct staging *staging)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	if (staging->dir && !tree_remove(staging->dir, &ignored))
		error_clear(&ignored);
	inventory_clear(&staging->inventory);
	free(staging->dir);
	*staging = (struct staging){ 0 };
}
