#include "backup/restore.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/part.h"
#include "backup/restore_internal.h"
#include "backup/tree.h"
#include "config/bridge_dir.h"
#include "config/problems.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"
#include "core/transaction.h"
#include "render/own_files.h"

const char *restore_action_name(enum restore_action action)
{
	static const char *const names[] = { "same", "create", "replace", "remove" };
	return names[action];
}

/* ---- the archive ---- */

static bool check_ledger_name(const char *name)
{
	return strcmp(name, "ledger.db") == 0 ||
	       (strlen(name) == strlen("journal-0123456789abcdef.log") &&
		       str_has_prefix(name, "journal-") && str_has_suffix(name, ".log") &&
		       strspn(name + strlen("journal-"), "0123456789abcdef") == 16);
}

static bool check_names(const struct inventory *inventory, struct error *err)
{
	for (size_t i = 0; i < inventory->count; i++) {
		const struct inventory_file *file = &inventory->files[i];
		bool is_proper = file->part == BACKUP_LEDGER
					 ? check_ledger_name(file->name)
					 : part_may_write(file->part, file->name);
		if (!is_proper)
			return error_set(err, ERR_REFUSED,
				"it would write where no file of a stack belongs: %s", file->path);
	}
	return true;
}

bool restore_open(const char *archive, void (*progress)(void *ctx, int64_t done, int64_t all),
	void *ctx, struct restore *out, struct error *err)
{
	*out = (struct restore){ .archive = mem_strdup(archive) };
	const struct contents_request request = { .archive = archive,
		.keeps = { [BACKUP_CONFIGURATION] = true, [BACKUP_SECRETS] = true },
		.progress = progress,
		.ctx = ctx };
	if (contents_read(&request, &out->contents, err) &&
		(check_names(&out->contents.inventory, err) || error_wrap(err, "%s", archive)))
		return true;
	restore_clear(out);
	return false;
}

/* ---- where it goes ---- */

/* Nothing but what a restore that was interrupted left. */
static bool is_nothing(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, STATE_DIR) == 0 ||
	       str_has_suffix(name, ".cctm-restore");
}

static bool is_empty(const char *dir, struct error *err)
{
	DIR *entries = opendir(dir);
	bool is_free = true;
	if (!entries)
		return errno == ENOENT ||
		       error_set_errno(err, ERR_IO, errno, "cannot list %s", dir);
	for (const struct dirent *entry; is_free && (entry = readdir(entries));)
		is_free = is_nothing(entry->d_name);
	closedir(entries);
	if (is_free)
		return true;
	error_set(err, ERR_REFUSED, "%s is not empty and holds no stack", dir);
	return error_hint(err, "name an empty directory, or that of a stack, with --to");
}

static bool find_stack(struct restore *r, const char *dir, struct error *err)
{
	AUTO(str) char *file = path_join(dir, CONFIG_FILE);
	r->is_fresh = access(file, F_OK) < 0;
	if (!r->is_fresh && !loaded_read(dir, &r->now, err))
		return false;
	if (r->is_fresh && !is_empty(dir, err))
		return false;
	r->dir = r->is_fresh ? mem_strdup(dir) : mem_strdup(r->now.dir);
	return true;
}

static bool choose_parts(struct restore *r, const bool *only, struct error *err)
{
	size_t count = 0;
	for (enum backup_part part = 0; part < BACKUP_PARTS; part++) {
		bool is_saved = r->contents.inventory.parts[part].state == BACKUP_SAVED;
		if (only && only[part] && !is_saved)
			return error_set(err, ERR_USAGE, "%s has no part %s", r->archive,
				backup_part_names[part]);
		r->wants[part] = is_saved && (!only || only[part]);
		count += r->wants[part];
	}
	if (!count)
		return error_set(err, ERR_FAILED, "%s has no part to restore", r->archive);
	if (r->is_fresh && !r->wants[BACKUP_CONFIGURATION]) {
		error_set(err, ERR_REFUSED, "there is no stack in %s", r->dir);
		return error_hint(err, "without --only, or with --only configuration too, the "
				       "archive's own is made there");
	}
	return true;
}

/* ---- the files ---- */

static void add_change(struct restore *r, const char *path, enum restore_action action, int index)
{
	r->changes = mem_grow(r->changes, &r->room, r->count + 1, sizeof *r->changes);
	r->changes[r->count++] = (struct restore_change){
		.path = mem_strdup(path), .action = action, .index = index
	};
}

/* Nobody else may write to a stack's files, nor read its secrets. */
static mode_t restored_mode(const struct inventory_file *file)
{
	return file->mode & (file->part == BACKUP_SECRETS ? 0700 : 0755);
}

static void compare(struct restore *r, size_t index)
{
	const struct inventory_file *file = &r->contents.inventory.files[index];
	AUTO(str) char *path = path_join(r->dir, file->name);
	AUTO(buf) struct buf text = BUF_INIT(CONTENTS_FILE_MAX);
	AUTO(error) struct error ignored = ERROR_INIT;
	struct stat st;
	enum restore_action action = RESTORE_CREATE;
	if (stat(path, &st) == 0) {
		bool is_same = file_read(path, &text, &ignored) > 0 &&
			       slice_eq(buf_slice(&text), buf_slice(&r->contents.texts[index])) &&
			       (st.st_mode & 0777) == restored_mode(file);
		action = is_same ? RESTORE_SAME : RESTORE_REPLACE;
	}
	if (text.data)
		explicit_bzero(text.data, text.len);
	add_change(r, file->name, action, (int)index);
}

/* What cctm made for the present settings and the archive has not. */
static void find_removals(struct restore *r)
{
	for (size_t i = 0; i < r->now.last.file_count; i++) {
		const char *name = r->now.last.files[i].path;
		AUTO(str) char *path = path_join(r->dir, name);
		if (contents_find(&r->contents, BACKUP_CONFIGURATION, name) < 0 &&
			access(path, F_OK) == 0)
			add_change(r, name, RESTORE_REMOVE, -1);
	}
}

static void compare_files(struct restore *r)
{
	for (size_t i = 0; i < r->contents.inventory.count; i++) {
		enum backup_part part = r->contents.inventory.files[i].part;
		bool is_text = part == BACKUP_CONFIGURATION || part == BACKUP_SECRETS;
		if (is_text && r->wants[part])
			compare(r, i);
	}
	if (r->wants[BACKUP_CONFIGURATION])
		find_removals(r);
}

/* ---- the ledger ---- */

static bool is_inside(const char *path, const char *dir)
{
	size_t len = strlen(dir);
	return strncmp(path, dir, len) == 0 && path[len] == '/';
}

/* The settings that will hold: the archive's, or those that stay. */
static bool read_settings(struct restore *r, struct config *out, struct error *err)
{
	AUTO(str) char *path = path_join(r->dir, CONFIG_FILE);
	const struct config_request request = { .path = path, .variable = config_getenv };
	int index = contents_find(&r->contents, BACKUP_CONFIGURATION, CONFIG_FILE);
	if (!r->wants[BACKUP_CONFIGURATION])
		return config_load(&request, out, err);
	if (index < 0)
		return error_set(err, ERR_CORRUPT, "%s has no " CONFIG_FILE, r->archive);
	AUTO(problems) struct problems problems = { 0 };
	if (config_check_bytes(&request, buf_slice(&r->contents.texts[index]), out, &problems))
		return true;
	problems_error(&problems, err);
	return error_wrap(err, "the archive's " CONFIG_FILE);
}

static bool aim_ledger(struct restore *r, struct error *err)
{
	AUTO(config) struct config config = { 0 };
	if (!read_settings(r, &config, err))
		return false;
	if (!r->wants[BACKUP_LEDGER])
		return true;
	if (!r->wants[BACKUP_CONFIGURATION] && r->now.runtime == RUNTIME_DOCKER)
		return error_set(err, ERR_REFUSED,
			"the archive has the ledger of an embedded stack, and this one runs in "
			"containers");
	r->state_dir = bridge_dir(r->dir, &config);
	r->replaces_ledger = access(r->state_dir, F_OK) == 0;
	AUTO(str) char *now = r->is_fresh ? NULL : bridge_dir(r->dir, &r->now.config);
	bool is_ours = is_inside(r->state_dir, r->dir) || (now && strcmp(now, r->state_dir) == 0);
	if (is_ours || !r->replaces_ledger)
		return true;
	error_set(err, ERR_REFUSED,
		"the archive's stack keeps its ledger in %s, which is not this stack's",
		r->state_dir);
	return error_hint(err, "'--only configuration --only secrets' leaves it alone");
}

bool restore_aim(
	struct restore *restore, const char *dir, const bool only[BACKUP_PARTS], struct error *err)
{
	if (!find_stack(restore, dir, err) || !choose_parts(restore, only, err))
		return false;
	compare_files(restore);
	return aim_ledger(restore, err);
}

/* ---- doing it ---- */

static void stage(struct restore *r, struct transaction *t)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct restore_change *change = &r->changes[i];
		if (change->action == RESTORE_REMOVE)
			transaction_remove(t, change->path);
		if (change->action != RESTORE_CREATE && change->action != RESTORE_REPLACE)
			continue;
		const struct inventory_file *file = &r->contents.inventory.files[change->index];
		const struct buf *text = &r->contents.texts[change->index];
		mode_t mode = restored_mode(file);
		transaction_put(t, change->path, text->data, text->len, mode);
	}
}

/* The ledger is laid ready, and the transaction is to say so. */
static bool stage_ledger(struct restore *r, struct transaction *t, struct error *err)
{
	AUTO(str) char *id = restore_prepare_ledger(r, err);
	if (!id)
		return false;
	AUTO(str) char *pending = mem_printf("%s\n%s", id, r->state_dir);
	transaction_put(t, RESTORE_PENDING, pending, strlen(pending), 0600);
	return true;
}

bool restore_apply(struct restore *restore, struct error *err)
{
	AUTO(str) char *state = path_join(restore->dir, STATE_DIR);
	AUTO(transaction) struct transaction *t = transaction_new(restore->dir, state);
	stage(restore, t);
	if (restore->state_dir && !stage_ledger(restore, t, err))
		return false;
	if (!transaction_commit(t, err)) {
		restore_drop_ledger(restore->state_dir);
		return false;
	}
	return restore_swap_ledger(restore->dir, err);
}

bool restore_settle(const struct loaded *stack, struct error *err)
{
	AUTO(str) char *pending = path_join(stack->dir, RESTORE_PENDING);
	AUTO(str) char *state = bridge_dir(stack->dir, &stack->config);
	if (access(pending, F_OK) < 0) {
		restore_drop_ledger(state);
		return true;
	}
	return restore_swap_ledger(stack->dir, err) ||
	       error_wrap(err, "a restore that was interrupted could not be completed");
}

void restore_clear(struct restore *restore)
{
	for (size_t i = 0; i < restore->count; i++)
		free(restore->changes[i].path);
	free(restore->changes);
	free(restore->archive);
	free(restore->dir);
	free(restore->state_dir);
	loaded_clear(&restore->now);
	contents_clear(&restore->contents);
	*restore = (struct restore){ 0 };
}
