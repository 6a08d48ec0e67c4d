#include "claude/user_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

#define TEXT_MAX (8 << 20)

/* The folder that a file is in; yours. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return mem_strdup(".");
	return mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static bool check_owner(const char *path, const struct stat *st, struct error *err)
{
	if (!S_ISREG(st->st_mode))
		return error_set(err, ERR_FAILED, "%s is no file", path);
	if (geteuid() != 0 && st->st_uid != geteuid()) {
		error_set(err, ERR_REFUSED, "%s belongs to another user", path);
		return error_hint(err, "run this as the one whom it belongs to");
	}
	if ((st->st_mode & 0222) == 0 || access(path, W_OK) < 0) {
		error_set(err, ERR_REFUSED, "%s may not be written to", path);
		return error_hint(err, "'chmod u+w' allows it, if that is what you want");
	}
	return true;
}

/* Only a folder that takes new files takes a replacement; one that is missing is made later. */
static bool check_folder(const char *path, struct error *err)
{
	AUTO(str) char *folder = folder_of(path);
	if (access(folder, W_OK) == 0 || errno == ENOENT)
		return true;
	return error_set_errno(err, ERR_IO, errno, "cannot write into %s", folder);
}

bool user_file_read(const char *path, struct user_file *out, struct error *err)
{
	struct stat st;
	*out = (struct user_file){
		.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1, .text = BUF_INIT(TEXT_MAX)
	};
	char *real = realpath(path, NULL);
	out->path = real ? real : mem_strdup(path);
	if (!real && lstat(path, &st) == 0)
		return error_set(err, ERR_FAILED, "%s is a link that leads nowhere", path);
	if (!check_folder(out->path, err))
		return false;
	if (!real)
		return errno != EACCES ||
		       error_set_errno(err, ERR_IO, EACCES, "cannot look for %s", path);
	if (stat(real, &st) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot read %s", path);
	if (!check_owner(real, &st, err) || file_read(real, &out->text, err) < 0)
		return false;
	out->is_there = true;
	out->mode = st.st_mode & 07777;
	out->uid = st.st_uid;
	out->gid = st.st_gid;
	return true;
}

bool user_file_write(
	const struct user_file *file, struct slice text, mode_t mode, struct error *err)
{
	AUTO(str) char *folder = folder_of(file->path);
	const struct file_owner owner = { file->uid, file->gid };
	return (access(folder, F_OK) == 0 || dir_make(folder, 0700, err)) &&
	       file_write_atomic_as(file->path, text.ptr, text.len, mode, &owner, err);
}

bool user_file_delete(const struct user_file *file, struct error *err)
{
	AUTO(str) char *folder = folder_of(file->path);
	if (unlink(file->path) < 0 && errno != ENOENT)
		return error_set_errno(err, ERR_IO, errno, "cannot remove %s", file->path);
	return dir_sync(folder, err);
}

void user_file_clear(struct user_file *file)
{
	free(file->path);
	buf_clear(&file->text);
	*file = (struct user_file){ 0 };
}
