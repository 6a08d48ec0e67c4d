/* The record of a transaction: a file of which only the name changes.
 *
 *     {"version": 1, "inode": 1234, "directories": ["config"],
 *      "files": [{"path": "config/a", "target": "config/a", "removal": false, "existed": true}]}
 *
 * Directories (those to be made) and targets inside of the root are relative to it, so that it may be renamed.
 *
 * Reading it ends in files being removed, so it must be what this program wrote for this very directory: it
 * belongs to the user and names the root's inode. A record that came with a copied or downloaded directory is
 * refused by that. (The inode alone: device numbers may change when the machine starts anew, and a crash of the
 * machine is what this is for.) Paths are resolved again and must lead where they led.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"
#include "core/transaction_internal.h"

#define VERSION	   1
#define UNFINISHED "transaction-new.json"

static const char *const names[TRANSACTION_STAGES] = {
	[TRANSACTION_PREPARED] = "transaction-prepared.json",
	[TRANSACTION_COMMITTED] = "transaction-committed.json",
	[TRANSACTION_UNDOING] = "transaction-undoing.json",
	[TRANSACTION_FINISHED] = "transaction-finished.json",
};

static char *record_path(const struct transaction *t, enum transaction_stage stage)
{
	return path_join(t->state_dir, names[stage]);
}

/* ---- writing ---- */

static json_t *written(const struct transaction *t, const char *path)
{
	return json_string(transaction_below_root(t, path));
}

static json_t *files_json(const struct transaction *t)
{
	json_t *files = json_array();
	for (size_t i = 0; i < t->count; i++) {
		const struct transaction_step *step = &t->steps[i];
		json_t *target = written(t, step->target);
		json_array_append_new(files,
			json_pack("{s:s, s:o, s:b, s:b}", "path", step->path, "target", target,
				"removal", (int)step->is_removal, "existed", (int)step->existed));
	}
	return files;
}

void transaction_record_print(const struct transaction *t, struct buf *out)
{
	json_t *dirs = json_array();
	for (size_t i = 0; i < t->made.count; i++)
		json_array_append_new(dirs, written(t, t->made.items[i].path));
	json_t *root = json_pack("{s:i, s:I, s:o, s:o}", "version", VERSION, "inode",
		(json_int_t)t->root_inode, "directories", dirs, "files", files_json(t));
	char *text = json_dumps(root, JSON_INDENT(1));
	buf_adds(out, text);
	buf_addc(out, '\n');
	free(text);
	json_decref(root);
}

static bool write_new(const char *path, const struct buf *text, struct error *err)
{
	size_t count;
	AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || !fd_write_all(fd, text->data, text->len, &count) || fchmod(fd, 0600) < 0 ||
		fsync(fd) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot write %s", path);
	return true;
}

bool transaction_record_write(const struct transaction *t, struct error *err)
{
	AUTO(str) char *new_path = path_join(t->state_dir, UNFINISHED);
	AUTO(str) char *path = record_path(t, TRANSACTION_PREPARED);
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	transaction_record_print(t, &text);
	if (text.len > TRANSACTION_RECORD_MAX)
		return error_set(
			err, ERR_REFUSED, "the paths are more than can be replaced at once");
	if (!transaction_record_drop_unfinished(t, err) || !write_new(new_path, &text, err))
		return false;
	if (rename(new_path, path) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot write %s", path);
	return dir_sync(t->state_dir, err);
}

/* ---- what becomes of it ---- */

int transaction_record_turn(const struct transaction *t, enum transaction_stage from,
	enum transaction_stage to, struct error *err)
{
	AUTO(str) char *old_path = record_path(t, from);
	AUTO(str) char *new_path = record_path(t, to);
	if (rename(old_path, new_path) < 0) {
		error_set_errno(err, ERR_IO, errno, "cannot rename %s", old_path);
		return 0;
	}
	return dir_sync(t->state_dir, err) ? 1 : -1;
}

static bool drop(const struct transaction *t, const char *path, struct error *err)
{
	if (unlink(path) < 0)
		return errno == ENOENT
			       ? true
			       : error_set_errno(err, ERR_IO, errno, "cannot remove %s", path);
	return dir_sync(t->state_dir, err);
}

bool transaction_record_drop(
	const struct transaction *t, enum transaction_stage stage, struct error *err)
{
	AUTO(str) char *path = record_path(t, stage);
	return drop(t, path, err);
}

bool transaction_record_drop_unfinished(const struct transaction *t, struct error *err)
{
	AUTO(str) char *path = path_join(t->state_dir, UNFINISHED);
	return drop(t, path, err);
}

bool transaction_record_is_there(const struct transaction *t, enum transaction_stage stage)
{
	struct stat st;
	AUTO(str) char *path = record_path(t, stage);
	return lstat(path, &st) == 0;
}

/* ---- reading ---- */

#define WHAT_NOW                                                                               \
	"it lists files that were being replaced: look at those whose names end in .cctm-new " \
	"(new) "                                                                               \
	"and .cctm-old (former), put right what is wrong, then remove them and it"

static bool damaged(const char *name, const char *why, struct error *err)
{
	error_set(err, ERR_CORRUPT, "%s is not usable: %s", name, why);
	return error_hint(err, "%s", WHAT_NOW);
}

/* Yours, absolute; NULL: no path that this program writes. */
static char *read_path(const struct transaction *t, const json_t *value)
{
	const char *path = json_string_value(value);
	if (!path)
		return NULL;
	bool is_below = *path != '/';
	if (!transaction_path_is_proper(is_below ? path : path + 1))
		return NULL;
	return is_below ? path_join(t->root, path) : mem_strdup(path);
}

static bool check_leads_there(const struct transaction *t, const struct transaction_step *step,
	const char *name, struct error *err)
{
	AUTO(str)
	char *now = transaction_resolve(t, step->path, transaction_link_of(step), true, err);
	if (!now)
		return false;
	if (strcmp(now, step->target) == 0)
		return true;
	AUTO(str)
	char *why = mem_printf("%s leads to %s and no longer to %s", step->path, now, step->target);
	return damaged(name, why, err);
}

static bool read_step(
	struct transaction *t, const json_t *item, const char *name, struct error *err)
{
	const char *path = json_string_value(json_object_get(item, "path"));
	const json_t *removal = json_object_get(item, "removal");
	const json_t *existed = json_object_get(item, "existed");
	if (json_object_size(item) != 4 || !path || !transaction_path_is_proper(path) ||
		!json_is_boolean(removal) || !json_is_boolean(existed))
		return damaged(name, "a file is not described as it should be", err);
	struct transaction_step *step = transaction_add_step(t, path);
	step->is_removal = json_is_true(removal);
	step->existed = json_is_true(existed);
	step->target = read_path(t, json_object_get(item, "target"));
	if (!step->target)
		return damaged(name, "a file is not described as it should be", err);
	for (size_t i = 0; i + 1 < t->count; i++) {
		if (strcmp(t->steps[i].target, step->target) == 0)
			return damaged(name, "a file comes twice", err);
	}
	return check_leads_there(t, step, name, err);
}

static bool read_files(
	struct transaction *t, const json_t *files, const char *name, struct error *err)
{
	if (!json_is_array(files) || json_array_size(files) > TRANSACTION_STEPS_MAX)
		return damaged(name, "it has no list of files, or too long a one", err);
	for (size_t i = 0; i < json_array_size(files); i++) {
		if (!read_step(t, json_array_get(files, i), name, err))
			return false;
	}
	return true;
}

/* Directories are made for files below them and for nothing else. */
static bool is_above_a_target(const struct transaction *t, const char *dir)
{
	size_t len = strlen(dir);
	for (size_t i = 0; i < t->count; i++) {
		const char *target = t->steps[i].target;
		if (strncmp(target, dir, len) == 0 && target[len] == '/')
			return true;
	}
	return false;
}

static bool read_dirs(
	struct transaction *t, const json_t *dirs, const char *name, struct error *err)
{
	if (!json_is_array(dirs) || json_array_size(dirs) > TRANSACTION_RECORD_MAX / 2)
		return damaged(name, "it has no list of directories", err);
	for (size_t i = 0; i < json_array_size(dirs); i++) {
		AUTO(str) char *path = read_path(t, json_array_get(dirs, i));
		if (!path || !is_above_a_target(t, path))
			return damaged(name, "a directory is listed that no file needs", err);
		transaction_add_dir(&t->made, path, TRANSACTION_DIR_MODE);
	}
	return true;
}

static bool read_root(
	struct transaction *t, const json_t *root, const char *name, struct error *err)
{
	const json_t *version = json_object_get(root, "version");
	const json_t *inode = json_object_get(root, "inode");
	if (json_object_size(root) != 4 || !json_is_integer(version) || !json_is_integer(inode))
		return damaged(name, "it is not a list of files being replaced", err);
	if (json_integer_value(version) > VERSION)
		return error_set(err, ERR_NEWER, "%s was written by a newer cctm", name);
	if (json_integer_value(version) != VERSION)
		return damaged(name, "there is no such version of it", err);
	if ((uint64_t)json_integer_value(inode) != t->root_inode)
		return damaged(
			name, "it was written for another directory, of which this is a copy", err);
	return read_files(t, json_object_get(root, "files"), name, err) &&
	       read_dirs(t, json_object_get(root, "directories"), name, err);
}

bool transaction_record_parse(
	struct transaction *t, struct slice text, const char *name, struct error *err)
{
	json_error_t where;
	json_t *root = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &where);
	bool is_read = root ? read_root(t, root, name, err) : damaged(name, "it is not JSON", err);
	json_decref(root);
	return is_read;
}

/* Its mode says nothing: there are file systems without any (Windows' disks, memory sticks). */
static bool check_own(int fd, const char *path, struct error *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot open %s", path);
	if (!S_ISREG(st.st_mode))
		return damaged(path, "it is not a regular file", err);
	if (st.st_uid != geteuid()) {
		error_set(err, ERR_REFUSED, "%s was written by another user (id %ld)", path,
			(long)st.st_uid);
		return error_hint(err, "run the command as that user: it goes on from there");
	}
	if (st.st_mode & 077)
		return damaged(
			path, "others than you have rights to it, so it may not be yours", err);
	return true;
}

/* At most one byte more than is allowed. */
static bool read_all(int fd, const char *path, struct buf *text, struct error *err)
{
	for (;;) {
		unsigned char *to = buf_reserve(text, 1 + TRANSACTION_RECORD_MAX - text->len);
		ssize_t n = to ? read(fd, to, 1 + TRANSACTION_RECORD_MAX - text->len) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_errno(err, ERR_IO, errno, "cannot read %s", path);
		if (n == 0)
			return true;
		buf_wrote(text, (size_t)n);
		if (text->len > TRANSACTION_RECORD_MAX)
			return damaged(path, "it is too long", err);
	}
}

int transaction_record_read(struct transaction *t, enum transaction_stage stage, struct error *err)
{
	AUTO(str) char *path = record_path(t, stage);
	AUTO(buf) struct buf text = BUF_INIT(1 + TRANSACTION_RECORD_MAX);
	AUTO(fd) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0) {
		error_set_errno(err, ERR_IO, errno, "cannot open %s", path);
		return -1;
	}
	if (!check_own(fd, path, err) || !transaction_open_root(t, err) ||
		!read_all(fd, path, &text, err) ||
		!transaction_record_parse(t, slice_of(buf_str(&text), text.len), path, err))
		return -1;
	return 1;
}
