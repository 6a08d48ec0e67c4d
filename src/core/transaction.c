#include "core/transaction.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

#define RECORD_MAX     (1 << 20)
#define RECORD_VERSION 1
#define COPY_MAX       (64 << 20)

/* The record's names say how far it got. */
#define DRAFT	  "transaction.json.cctm-new" /* not to be read */
#define PREPARED  "transaction.json"	      /* new texts are being written: to be undone */
#define COMMITTED "committed.json"	      /* to be completed */
#define UNDOING	  "undoing.json" /* a step failed: the former files are being put back */

struct step {
	char *path; /* relative */
	bool is_removal;
	unsigned char *bytes;
	size_t len;
	mode_t mode;
	char *target; /* what is replaced: links are followed */
	char *fresh;  /* beside it: the new text */
	char *former; /* beside it: a second name of the old one */
	bool existed;
};

struct transaction {
	char *dir, *state_dir;
	struct step *steps;
	size_t count, room;
};

struct transaction *transaction_new(const char *dir, const char *state_dir)
{
	struct transaction *t = mem_zalloc(sizeof *t);
	t->dir = mem_strdup(dir);
	t->state_dir = mem_strdup(state_dir);
	return t;
}

void transaction_free(struct transaction *t)
{
	for (size_t i = 0; t && i < t->count; i++) {
		struct step *step = &t->steps[i];
		free(step->path);
		free(step->bytes);
		free(step->target);
		free(step->fresh);
		free(step->former);
	}
	if (t) {
		free(t->steps);
		free(t->dir);
		free(t->state_dir);
	}
	free(t);
}

static struct step *add_step(struct transaction *t, const char *path)
{
	for (size_t i = 0; i < t->count; i++)
		assert(strcmp(t->steps[i].path, path) != 0);
	t->steps = mem_grow(t->steps, &t->room, t->count + 1, sizeof *t->steps);
	struct step *step = &t->steps[t->count++];
	*step = (struct step){ .path = mem_strdup(path) };
	return step;
}

void transaction_put(
	struct transaction *t, const char *path, const void *bytes, size_t len, mode_t mode)
{
	struct step *step = add_step(t, path);
	step->bytes = len ? mem_memdup(bytes, len) : NULL;
	step->len = len;
	step->mode = mode;
}

void transaction_remove(struct transaction *t, const char *path)
{
	add_step(t, path)->is_removal = true;
}

/* ---- names ---- */

/* "config/.prometheus.yml.cctm-new" */
static char *beside(const char *target, const char *suffix)
{
	const char *slash = strrchr(target, '/');
	size_t dir_len = slash ? (size_t)(slash - target) + 1 : 0;
	return mem_printf("%.*s.%s.cctm-%s", (int)dir_len, target, target + dir_len, suffix);
}

static char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? mem_strndup(path, slash == path ? 1 : (size_t)(slash - path))
		     : mem_strdup(".");
}

static bool refuse_target(const char *path, const char *why, struct error *err)
{
	error_set(err, ERR_REFUSED, "%s %s", path, why);
	return error_hint(err, "move it out of the way");
}

/* Which file stands behind the path, and whether it does. */
static bool resolve(const struct transaction *t, struct step *step, struct error *err)
{
	struct stat st;
	AUTO(str) char *full = path_join(t->dir, step->path);
	step->target = realpath(full, NULL);
	step->existed = step->target != NULL;
	if (!step->target && errno != ENOENT)
		return error_set_errno(err, ERR_IO, errno, "cannot use %s", full);
	if (!step->target && lstat(full, &st) == 0)
		return refuse_target(full, "is a link to a file that is not there", err);
	if (!step->target)
		step->target = mem_strdup(full);
	if (step->existed && stat(step->target, &st) == 0 && !S_ISREG(st.st_mode))
		return refuse_target(full, "is no plain file", err);
	step->fresh = beside(step->target, "new");
	step->former = beside(step->target, "old");
	return true;
}

static bool write_file(
	const char *path, const void *bytes, size_t len, mode_t mode, struct error *err)
{
	size_t written;
	unlink(path);
	AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || !fd_write_all(fd, bytes, len, &written) || fchmod(fd, mode) < 0 ||
		fsync(fd) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot write %s", path);
	return true;
}

static bool drop_file(const char *path, struct error *err)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return true;
	return error_set_errno(err, ERR_IO, errno, "cannot remove %s", path);
}

/* ---- the record ---- */

static char *record_path(const struct transaction *t, const char *name)
{
	return path_join(t->state_dir, name);
}

/* The moment in which the record changes what it means. When that cannot be made durable, it means what it did. */
static bool turn_record(
	const struct transaction *t, const char *from, const char *to, struct error *err)
{
	AUTO(str) char *old_path = record_path(t, from);
	AUTO(str) char *new_path = record_path(t, to);
	if (rename(old_path, new_path) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot rename %s", old_path);
	if (dir_sync(t->state_dir, err))
		return true;
	if (rename(new_path, old_path) < 0)
		error_wrap(err, "%s stays", new_path);
	return false;
}

/* A name that comes back after a power cut does no harm: what it asks for is done. */
static bool drop_record(const struct transaction *t, const char *name, struct error *err)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(str) char *path = record_path(t, name);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_set_errno(err, ERR_IO, errno, "cannot remove %s", path);
	bool is_durable = dir_sync(t->state_dir, &ignored);
	(void)is_durable;
	return true;
}

static bool write_record(const struct transaction *t, struct error *err)
{
	json_t *steps = json_array();
	for (size_t i = 0; i < t->count; i++) {
		const struct step *step = &t->steps[i];
		json_array_append_new(
			steps, json_pack("{s:s, s:b, s:b}", "path", step->path, "removal",
				       step->is_removal, "existed", step->existed));
	}
	json_t *root = json_pack("{s:i, s:o}", "version", RECORD_VERSION, "steps", steps);
	char *text = json_dumps(root, JSON_INDENT(1));
	AUTO(str) char *draft = record_path(t, DRAFT);
	bool is_written = write_file(draft, text, strlen(text), 0600, err) &&
			  turn_record(t, DRAFT, PREPARED, err);
	free(text);
	json_decref(root);
	return is_written;
}

/* ---- staging ---- */

/* Directories above the target, readable for the containers that mount them, whatever the umask. */
static bool make_dirs(const struct step *step, struct error *err)
{
	struct stat st;
	AUTO(str) char *dir = dir_of(step->target);
	for (char *slash = dir + 1; (slash = strchr(slash, '/')) || *dir;) {
		if (slash)
			*slash = '\0';
		if (stat(dir, &st) < 0 && (mkdir(dir, 0755) < 0 || chmod(dir, 0755) < 0))
			return error_set_errno(err, ERR_IO, errno, "cannot make directory %s", dir);
		if (!slash)
			return true;
		*slash++ = '/';
	}
	return true;
}

/* Where a file system has no hard links, a copy does. */
static bool copy_former(const struct step *step, struct error *err)
{
	struct stat st;
	AUTO(buf) struct buf text = BUF_INIT(COPY_MAX);
	if (stat(step->target, &st) < 0 || file_read(step->target, &text, err) <= 0)
		return error_is_set(err) ? false
					 : error_set(err, ERR_IO, "%s is gone", step->target);
	return write_file(step->former, text.data, text.len, st.st_mode & 07777, err);
}

static bool keep_former(const struct step *step, struct error *err)
{
	if (!step->existed)
		return true;
	unlink(step->former);
	return link(step->target, step->former) == 0 || copy_former(step, err);
}

static bool sync_dirs(const struct transaction *t, struct error *err)
{
	AUTO(str) char *last = mem_strdup("");
	for (size_t i = 0; i < t->count; i++) {
		AUTO(str) char *dir = dir_of(t->steps[i].target);
		if (strcmp(dir, last) == 0)
			continue;
		if (!dir_sync(dir, err))
			return false;
		free(last);
		last = TAKE(dir);
	}
	return true;
}

static bool stage(const struct transaction *t, struct error *err)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct step *step = &t->steps[i];
		if (!step->is_removal &&
			!write_file(step->fresh, step->bytes, step->len, step->mode, err))
			return false;
		if (!keep_former(step, err))
			return false;
	}
	return sync_dirs(t, err);
}

/* ---- after the moment of truth, and back ---- */

static bool apply_step(const struct step *step, struct error *err)
{
	if (step->is_removal)
		return drop_file(step->target, err);
	if (rename(step->fresh, step->target) == 0)
		return true;
	/* No new text any more: it is in place. */
	if (errno == ENOENT && access(step->target, F_OK) == 0)
		return true;
	return error_set_errno(err, ERR_IO, errno, "cannot replace %s", step->target);
}

static bool apply(const struct transaction *t, struct error *err)
{
	for (size_t i = 0; i < t->count; i++) {
		if (!apply_step(&t->steps[i], err))
			return false;
	}
	return sync_dirs(t, err);
}

static bool drop_temporaries(const struct transaction *t, struct error *err)
{
	for (size_t i = 0; i < t->count; i++) {
		if (!drop_file(t->steps[i].fresh, err) || !drop_file(t->steps[i].former, err))
			return false;
	}
	return true;
}

static bool put_back(const struct step *step, struct error *err)
{
	if (!step->existed)
		return drop_file(step->target, err);
	/* Two names of one file: rename leaves both, and the second goes with the temporaries. */
	if (rename(step->former, step->target) == 0 || errno == ENOENT)
		return true;
	return error_set_errno(err, ERR_IO, errno, "cannot put back %s", step->target);
}

static bool put_all_back(const struct transaction *t, struct error *err)
{
	for (size_t i = t->count; i-- > 0;) {
		if (!put_back(&t->steps[i], err))
			return false;
	}
	return sync_dirs(t, err) && drop_temporaries(t, err) && drop_record(t, UNDOING, err);
}

static bool finish(const struct transaction *t, struct error *err)
{
	return (drop_temporaries(t, err) && drop_record(t, COMMITTED, err)) ||
	       error_wrap(err, "all files are written, but this is left behind");
}

/* What cannot be cleared up now is by the next run: the record stays. */
static void undo_staging(const struct transaction *t)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(str) char *draft = record_path(t, DRAFT);
	bool is_clean = drop_temporaries(t, &ignored) && drop_file(draft, &ignored) &&
			drop_record(t, PREPARED, &ignored);
	(void)is_clean;
}

/* `err` says why; it stays what the user reads, unless the way back fails too. */
static bool go_back(const struct transaction *t, struct error *err)
{
	AUTO(error) struct error second = ERROR_INIT;
	if (turn_record(t, COMMITTED, UNDOING, &second) && put_all_back(t, &second))
		return false;
	error_wrap(err, "the files are partly the new ones (%s)", second.message);
	return error_hint(err, "mend the cause and run the command again: it goes on from here");
}

bool transaction_commit(struct transaction *t, struct error *err)
{
	assert(t->count <= TRANSACTION_STEPS_MAX);
	for (size_t i = 0; i < t->count; i++) {
		if (!resolve(t, &t->steps[i], err) || !make_dirs(&t->steps[i], err))
			return false;
	}
	if (!write_record(t, err) || !stage(t, err) || !turn_record(t, PREPARED, COMMITTED, err)) {
		undo_staging(t);
		return false;
	}
	if (!apply(t, err))
		return go_back(t, err);
	return finish(t, err);
}

/* ---- recovery ---- */

static bool damaged(const char *path, struct error *err)
{
	error_set(err, ERR_CORRUPT, "%s is damaged", path);
	return error_hint(err,
		"it lists files that were being replaced; look at files named .*.cctm-new and "
		".*.cctm-old, then remove it");
}

static bool is_inside(const char *path)
{
	return *path && *path != '/' && strcmp(path, "..") != 0 && strncmp(path, "../", 3) != 0 &&
	       !strstr(path, "/../") && strlen(path) < 4096;
}

static bool read_step(
	struct transaction *t, const json_t *item, const char *record, struct error *err)
{
	const char *path = json_string_value(json_object_get(item, "path"));
	const json_t *removal = json_object_get(item, "removal");
	const json_t *existed = json_object_get(item, "existed");
	if (!path || !is_inside(path) || !json_is_boolean(removal) || !json_is_boolean(existed))
		return damaged(record, err);
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->steps[i].path, path) == 0)
			return damaged(record, err);
	}
	struct step *step = add_step(t, path);
	if (!resolve(t, step, err))
		return false;
	step->is_removal = json_is_true(removal);
	step->existed = json_is_true(existed);
	return true;
}

static bool read_steps(
	struct transaction *t, const json_t *root, const char *record, struct error *err)
{
	const json_t *steps = json_object_get(root, "steps");
	if (json_integer_value(json_object_get(root, "version")) != RECORD_VERSION ||
		!json_is_array(steps) || json_array_size(steps) > TRANSACTION_STEPS_MAX)
		return damaged(record, err);
	for (size_t i = 0; i < json_array_size(steps); i++) {
		if (!read_step(t, json_array_get(steps, i), record, err))
			return false;
	}
	return true;
}

/* 1: `t` has its steps, 0: there is no such record, -1: error. */
static int read_record(struct transaction *t, const char *name, struct error *err)
{
	AUTO(str) char *path = record_path(t, name);
	AUTO(buf) struct buf text = BUF_INIT(RECORD_MAX);
	int got = file_read(path, &text, err);
	if (got <= 0)
		return got;
	json_t *root = json_loadb(buf_str(&text), text.len, JSON_REJECT_DUPLICATES, NULL);
	bool is_read = root ? read_steps(t, root, path, err) : damaged(path, err);
	json_decref(root);
	return is_read ? 1 : -1;
}

static bool undo(const struct transaction *t, struct error *err)
{
	return drop_temporaries(t, err) && drop_record(t, PREPARED, err);
}

static bool complete(const struct transaction *t, struct error *err)
{
	return apply(t, err) && finish(t, err);
}

bool transaction_recover(const char *dir, const char *state_dir, struct error *err)
{
	static const struct {
		const char *record;
		bool (*go_on)(const struct transaction *t, struct error *err);
	} ways[] = { { UNDOING, put_all_back }, { COMMITTED, complete }, { PREPARED, undo } };

	AUTO(str) char *draft = path_join(state_dir, DRAFT);
	unlink(draft);
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		AUTO(transaction) struct transaction *t = transaction_new(dir, state_dir);
		int got = read_record(t, ways[i].record, err);
		if (got < 0 || (got > 0 && !ways[i].go_on(t, err)))
			return error_wrap(err, "going on with an interrupted change");
	}
	return true;
}
