#include "render/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/diff.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/merge.h"
#include "core/transaction.h"
#include "render/check.h"

#define FILE_MAX    (8 << 20)
#define SECRET_MODE 0600
#define BAK_MAX	    1000

static const char *const action_names[] = {
	[PLAN_UNCHANGED] = "unchanged",
	[PLAN_KEEP] = "keep",
	[PLAN_CREATE] = "create",
	[PLAN_UPDATE] = "update",
	[PLAN_MERGE] = "merge",
	[PLAN_REPLACE] = "replace",
	[PLAN_CONFLICT] = "conflict",
	[PLAN_REMOVE] = "remove",
	[PLAN_LEAVE] = "leave",
};

const char *plan_action_name(enum plan_action action)
{
	return action_names[action];
}

static struct plan_item *add_item(struct plan *plan, const char *path, mode_t mode)
{
	plan->items = mem_grow(plan->items, &plan->room, plan->count + 1, sizeof *plan->items);
	struct plan_item *item = &plan->items[plan->count++];
	*item = (struct plan_item){ .path = mem_strdup(path),
		.mode = mode,
		.before = BUF_INIT(FILE_MAX),
		.after = BUF_INIT(BUF_UNLIMITED),
		.generated = BUF_INIT(BUF_UNLIMITED) };
	return item;
}

static void copy(struct buf *to, const struct buf *from)
{
	buf_add(to, from->data, from->len);
}

/* What is on disk now. A file keeps the mode that it has. */
static bool read_before(const struct plan *plan, struct plan_item *item, struct error *err)
{
	struct stat st;
	AUTO(str) char *full = path_join(plan->dir, item->path);
	int got = file_read(full, &item->before, err);
	if (got < 0)
		return false;
	item->was_there = got > 0;
	if (got > 0 && stat(full, &st) == 0)
		item->mode = st.st_mode & 07777;
	return true;
}

static char *beside(const char *path, const char *suffix)
{
	return mem_printf("%s.%s", path, suffix);
}

/* The text of FILE.new: 1: there, 0: not, -1: error. */
static int read_offer(
	const struct plan *plan, const struct plan_item *item, struct buf *out, struct error *err)
{
	AUTO(str) char *path = beside(item->path, "new");
	AUTO(str) char *full = path_join(plan->dir, path);
	return file_read(full, out, err);
}

/* ---- deciding about one file ---- */

/* What is known when a file is decided about. */
struct sides {
	const struct manifest_file *last; /* NULL: cctm made none */
	bool has_base;
	struct slice base, ours, theirs;
	char hash[MANIFEST_HASH_DIGITS + 1]; /* of theirs */
};

static struct sides sides_of(const struct plan_item *item, const struct manifest_file *last)
{
	struct sides sides = { .last = last,
		.has_base = last && last->has_generated,
		.ours = buf_slice(&item->before),
		.theirs = buf_slice(&item->generated) };
	if (sides.has_base)
		sides.base = buf_slice(&last->generated);
	manifest_hash(sides.theirs, sides.hash);
	return sides;
}

/* A merge whose result its program could not read is none. */
static bool merge(struct plan_item *item, const struct sides *sides)
{
	AUTO(error) struct error unreadable = ERROR_INIT;
	AUTO(buf) struct buf merged = BUF_INIT(BUF_UNLIMITED);
	if (!sides->has_base || !merge_lines(sides->base, sides->ours, sides->theirs, &merged) ||
		!check_text(item->path, buf_slice(&merged), &unreadable))
		return false;
	copy(&item->after, &merged);
	return true;
}

static bool pick_bak(const struct plan *plan, struct plan_item *item, struct error *err)
{
	struct stat st;
	item->bak_mode = plan->backup_dir ? SECRET_MODE : item->mode;
	if (plan->backup_dir) {
		item->bak = path_join(plan->backup_dir, item->path);
		return true;
	}
	for (int i = 0; i < BAK_MAX; i++) {
		AUTO(str)
		char *path = i ? mem_printf("%s.bak.%d", item->path, i) : beside(item->path, "bak");
		AUTO(str) char *full = path_join(plan->dir, path);
		if (lstat(full, &st) == 0)
			continue;
		item->bak = TAKE(path);
		return true;
	}
	return error_set(err, ERR_REFUSED, "there are too many old copies of %s", item->path);
}

static bool decide_conflict(const struct plan *plan, struct plan_item *item,
	const struct sides *sides, bool is_forced, struct error *err)
{
	AUTO(buf) struct buf offer = BUF_INIT(FILE_MAX);
	if (is_forced) {
		item->action = PLAN_REPLACE;
		copy(&item->after, &item->generated);
		return pick_bak(plan, item, err);
	}
	copy(&item->after, &item->before);
	int is_there = read_offer(plan, item, &offer, err);
	bool was_offered = sides->last && strcmp(sides->last->offered, sides->hash) == 0;
	if (is_there < 0)
		return false;
	/* It was laid beside, and the user took it away: what they have is their answer. */
	item->action = was_offered && !is_there ? PLAN_KEEP : PLAN_CONFLICT;
	item->lays_new = item->action == PLAN_CONFLICT &&
			 !(is_there && slice_eq(buf_slice(&offer), sides->theirs));
	return true;
}

static bool decide(const struct plan *plan, struct plan_item *item,
	const struct manifest_file *last, bool is_forced, struct error *err)
{
	struct sides sides = sides_of(item, last);
	if (!item->was_there || slice_eq(sides.ours, sides.theirs) ||
		(sides.has_base && slice_eq(sides.ours, sides.base))) {
		item->action = !item->was_there			    ? PLAN_CREATE
			       : slice_eq(sides.ours, sides.theirs) ? PLAN_UNCHANGED
								    : PLAN_UPDATE;
		copy(&item->after, &item->generated);
		return true;
	}
	if (sides.has_base && slice_eq(sides.base, sides.theirs) && !is_forced) {
		item->action = PLAN_KEEP;
		copy(&item->after, &item->before);
		return true;
	}
	if (!is_forced && merge(item, &sides)) {
		/* What is new may be in the user's text already. */
		item->action =
			slice_eq(buf_slice(&item->after), sides.ours) ? PLAN_KEEP : PLAN_MERGE;
		return true;
	}
	return decide_conflict(plan, item, &sides, is_forced, err);
}

/* FILE.new that cctm laid there and that is settled now goes away, unless it was written into. */
static bool find_settled_offer(const struct plan *plan, struct plan_item *item,
	const struct manifest_file *last, struct error *err)
{
	char hash[MANIFEST_HASH_DIGITS + 1];
	AUTO(buf) struct buf offer = BUF_INIT(FILE_MAX);
	if (item->action == PLAN_CONFLICT || !last || !*last->offered)
		return true;
	int is_there = read_offer(plan, item, &offer, err);
	if (is_there <= 0)
		return is_there == 0;
	manifest_hash(buf_slice(&offer), hash);
	item->drops_new = strcmp(hash, last->offered) == 0;
	return true;
}

/* What the manifest will say of the file. */
static void remember(
	struct plan *plan, const struct plan_item *item, const struct manifest_file *last)
{
	struct manifest_file *now = manifest_add(&plan->manifest, item->path);
	if (item->action == PLAN_CONFLICT) {
		/* The ancestor stays: the file has not moved on from it. */
		manifest_hash(buf_slice(&item->generated), now->offered);
		now->has_generated = last && last->has_generated;
		if (now->has_generated &&
			!buf_append_slice(&now->generated, buf_slice(&last->generated)))
			now->has_generated = false;
		return;
	}
	now->has_generated = buf_append_slice(&now->generated, buf_slice(&item->generated));
}

static bool plan_file(struct plan *plan, const struct stack_file *file,
	const struct manifest *manifest, bool is_forced, struct error *err)
{
	struct plan_item *item = add_item(plan, file->path, file->mode);
	const struct manifest_file *last = manifest_find(manifest, file->path);
	item->is_generated = true;
	copy(&item->generated, &file->text);
	if (!read_before(plan, item, err) || !decide(plan, item, last, is_forced, err) ||
		!find_settled_offer(plan, item, last, err))
		return false;
	remember(plan, item, last);
	return true;
}

/* A file of last time that the stack has no more. */
static bool plan_leftover(struct plan *plan, const struct manifest_file *last, struct error *err)
{
	struct plan_item *item = add_item(plan, last->path, 0644);
	if (!read_before(plan, item, err))
		return false;
	bool is_unedited = last->has_generated &&
			   slice_eq(buf_slice(&item->before), buf_slice(&last->generated));
	item->is_generated = true;
	item->action = !item->was_there ? PLAN_UNCHANGED : is_unedited ? PLAN_REMOVE : PLAN_LEAVE;
	if (item->action == PLAN_LEAVE)
		copy(&item->after, &item->before);
	return find_settled_offer(plan, item, last, err);
}

static bool manifest_differs(const struct manifest *a, const struct manifest *b)
{
	AUTO(buf) struct buf text_a = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf text_b = BUF_INIT(BUF_UNLIMITED);
	manifest_write(a, &text_a);
	manifest_write(b, &text_b);
	return !b->is_there || !slice_eq(buf_slice(&text_a), buf_slice(&text_b));
}

static void begin_manifest(struct manifest *manifest, const struct manifest *now)
{
	manifest->runtime = now->runtime;
	for (size_t i = 0; i < now->port_count; i++)
		manifest_add_port(manifest, now->ports[i].key, now->ports[i].number);
}

bool plan_make(const char *dir, const struct stack_files *files, const struct manifest *last,
	const struct manifest *now, const struct plan_options *options, struct plan *out,
	struct error *err)
{
	*out = (struct plan){ .dir = mem_strdup(dir),
		.backup_dir = options->backup_dir ? mem_strdup(options->backup_dir) : NULL };
	begin_manifest(&out->manifest, now);
	for (size_t i = 0; i < files->count; i++) {
		if (!plan_file(out, &files->items[i], last, options->is_forced, err))
			return false;
	}
	for (size_t i = 0; i < last->file_count; i++) {
		if (!stack_files_find(files, last->files[i].path) &&
			!plan_leftover(out, &last->files[i], err))
			return false;
	}
	out->is_manifest_changed = manifest_differs(&out->manifest, last);
	return true;
}

static bool is_planned(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (strcmp(plan->items[i].path, path) == 0)
			return true;
	}
	return false;
}

static bool is_outside(const char *path)
{
	return *path == '/' || strncmp(path, "../", 3) == 0 || strstr(path, "/../");
}

bool plan_move_away(struct plan *plan, const char *path, struct error *err)
{
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	if (is_outside(path) || is_planned(plan, path))
		return true;
	struct plan_item *item = add_item(plan, path, 0644);
	if (!read_before(plan, item, err))
		return false;
	item->action = item->was_there ? PLAN_REMOVE : PLAN_UNCHANGED;
	return !item->was_there || pick_bak(plan, item, err);
}

bool plan_add(
	struct plan *plan, const char *path, struct slice after, mode_t mode, struct error *err)
{
	struct plan_item *item = add_item(plan, path, mode);
	if (!read_before(plan, item, err))
		return false;
	buf_add(&item->after, after.ptr, after.len);
	item->action = !item->was_there				   ? PLAN_CREATE
		       : slice_eq(buf_slice(&item->before), after) ? PLAN_UNCHANGED
								   : PLAN_UPDATE;
	return item->action != PLAN_UPDATE || !plan->backup_dir || pick_bak(plan, item, err);
}

bool plan_add_secret(struct plan *plan, const char *path, struct slice after, struct error *err)
{
	if (!plan_add(plan, path, after, SECRET_MODE, err))
		return false;
	struct plan_item *item = &plan->items[plan->count - 1];
	item->is_secret = true;
	if (item->action == PLAN_UNCHANGED && item->mode != SECRET_MODE)
		item->action = PLAN_UPDATE;
	item->mode = SECRET_MODE;
	return true;
}

/* ---- looking at a plan ---- */

static bool is_written(enum plan_action action)
{
	return action == PLAN_CREATE || action == PLAN_UPDATE || action == PLAN_MERGE ||
	       action == PLAN_REPLACE;
}

static bool item_changes(const struct plan_item *item)
{
	return is_written(item->action) || item->action == PLAN_REMOVE || item->lays_new ||
	       item->drops_new;
}

bool plan_has_changes(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (item_changes(&plan->items[i]))
			return true;
	}
	return false;
}

size_t plan_count(const struct plan *plan, enum plan_action action)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->count; i++)
		count += plan->items[i].action == action;
	return count;
}

void plan_diff(const struct plan *plan, struct buf *out)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->items[i];
		AUTO(str) char *new_path = beside(item->path, "new");
		struct slice before = buf_slice(&item->before), after = buf_slice(&item->after);
		if (item->is_secret)
			continue;
		if (item->action == PLAN_CONFLICT)
			diff_unified(
				out, item->path, new_path, before, buf_slice(&item->generated));
		else if (is_written(item->action) || item->action == PLAN_REMOVE)
			diff_unified(out, item->was_there ? item->path : NULL,
				item->action == PLAN_REMOVE ? NULL : item->path, before, after);
	}
}

/* ---- doing it ---- */

static void stage_item(struct transaction *t, const struct plan_item *item)
{
	AUTO(str) char *new_path = beside(item->path, "new");
	const struct buf *after = &item->after;
	if (item->bak)
		transaction_put(t, item->bak, item->before.data, item->before.len, item->bak_mode);
	if (is_written(item->action))
		transaction_put(t, item->path, after->data, after->len, item->mode);
	if (item->action == PLAN_REMOVE)
		transaction_remove(t, item->path);
	if (item->lays_new)
		transaction_put(t, new_path, item->generated.data, item->generated.len, item->mode);
	if (item->drops_new)
		transaction_remove(t, new_path);
}

/* The texts of which the manifest speaks; those it does not speak of are left: they are harmless. */
static void stage_manifest(struct transaction *t, const struct plan *plan)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	for (size_t i = 0; i < plan->manifest.file_count; i++) {
		const struct manifest_file *file = &plan->manifest.files[i];
		AUTO(str) char *path = manifest_generated_path(file->path);
		if (file->has_generated)
			transaction_put(t, path, file->generated.data, file->generated.len, 0600);
	}
	manifest_write(&plan->manifest, &text);
	transaction_put(t, MANIFEST_PATH, text.data, text.len, 0600);
}

bool plan_apply(const struct plan *plan, struct error *err)
{
	if (!plan_has_changes(plan) && !plan->is_manifest_changed)
		return true;
	AUTO(str) char *state = path_join(plan->dir, STATE_DIR);
	AUTO(transaction) struct transaction *t = transaction_new(plan->dir, state);
	for (size_t i = 0; i < plan->count; i++)
		stage_item(t, &plan->items[i]);
	if (plan->is_manifest_changed)
		stage_manifest(t, plan);
	return transaction_commit(t, err);
}

int plan_lock(const char *dir, struct error *err)
{
	AUTO(str) char *state = path_join(dir, STATE_DIR);
	AUTO(str) char *lock = path_join(state, "lock");
	if (!dir_make(state, 0700, err))
		return -1;
	AUTO(fd) int fd = lock_take(lock, err);
	enum transaction_outcome outcome;
	if (fd < 0 && err->code == ERR_LOCKED)
		error_hint(err, "another cctm works on this stack; run the command again when it "
				"has ended");
	if (fd < 0 || !transaction_recover(dir, state, &outcome, err))
		return -1;
	return TAKE_FD(fd);
}

void plan_clear(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct plan_item *item = &plan->items[i];
		free(item->path);
		free(item->bak);
		buf_clear(&item->before);
		buf_clear(&item->after);
		buf_clear(&item->generated);
	}
	free(plan->items);
	free(plan->dir);
	free(plan->backup_dir);
	manifest_clear(&plan->manifest);
	*plan = (struct plan){ 0 };
}
