#include "core/transaction.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/transaction_internal.h"

struct transaction *transaction_new(const char *dir, const char *state_dir)
{
	struct transaction *t = mem_zalloc(sizeof *t);
	t->dir = mem_strdup(dir);
	t->state_dir = mem_strdup(state_dir);
	return t;
}

void transaction_free_dirs(struct transaction_dirs *dirs)
{
	for (size_t i = 0; i < dirs->count; i++)
		free(dirs->items[i].path);
	free(dirs->items);
	*dirs = (struct transaction_dirs){ 0 };
}

void transaction_free(struct transaction *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++) {
		free(t->steps[i].path);
		free(t->steps[i].target);
		free(t->steps[i].bytes);
	}
	free(t->steps);
	transaction_free_dirs(&t->made);
	transaction_free_dirs(&t->modes);
	free(t->dir);
	free(t->state_dir);
	free(t->root);
	free(t);
}

struct transaction_step *transaction_add_step(struct transaction *t, const char *path)
{
	t->steps = mem_grow(t->steps, &t->room, t->count + 1, sizeof *t->steps);
	struct transaction_step *step = &t->steps[t->count++];
	*step = (struct transaction_step){ .path = mem_strdup(path) };
	return step;
}

void transaction_add_dir(struct transaction_dirs *dirs, const char *path, mode_t mode)
{
	dirs->items = mem_grow(dirs->items, &dirs->room, dirs->count + 1, sizeof *dirs->items);
	dirs->items[dirs->count++] =
		(struct transaction_dir){ .path = mem_strdup(path), .mode = mode };
}

static struct transaction_step *add_text(
	struct transaction *t, const char *path, const void *bytes, size_t len, mode_t mode)
{
	struct transaction_step *step = transaction_add_step(t, path);
	step->bytes = len ? mem_memdup(bytes, len) : NULL;
	step->len = len;
	step->mode = mode & 07777;
	return step;
}

void transaction_put(
	struct transaction *t, const char *path, const void *bytes, size_t len, mode_t mode)
{
	add_text(t, path, bytes, len, mode);
}

void transaction_update(
	struct transaction *t, const char *path, const void *bytes, size_t len, mode_t mode)
{
	add_text(t, path, bytes, len, mode)->keeps_mode = true;
}

void transaction_remove(struct transaction *t, const char *path)
{
	transaction_add_step(t, path)->is_removal = true;
}

void transaction_dir_mode(struct transaction *t, const char *path, mode_t mode)
{
	transaction_add_dir(&t->modes, path, mode & 07777);
}

/* ---- going on from a record ---- */

static bool undo_staging(const struct transaction *t, struct error *err)
{
	return transaction_files_clear(t, err) && transaction_files_remove_dirs(t, err) &&
	       transaction_record_drop(t, TRANSACTION_PREPARED, err);
}

static bool undo_rest(const struct transaction *t, struct error *err)
{
	return transaction_files_put_back(t, err) && transaction_files_clear(t, err) &&
	       transaction_files_remove_dirs(t, err) &&
	       transaction_record_drop(t, TRANSACTION_UNDOING, err);
}

static bool clear_rest(const struct transaction *t, struct error *err)
{
	return transaction_files_clear(t, err) &&
	       transaction_record_drop(t, TRANSACTION_FINISHED, err);
}

/* Removals are not done again once the record says "finished": the file may be a new one by then. */
static bool complete(const struct transaction *t, struct error *err)
{
	return transaction_files_apply(t, err) &&
	       transaction_record_turn(t, TRANSACTION_COMMITTED, TRANSACTION_FINISHED, err) > 0 &&
	       clear_rest(t, err);
}

/* ---- committing ---- */

static bool refuse_interrupted(const struct transaction *t, struct error *err)
{
	for (int stage = 0; stage < TRANSACTION_STAGES; stage++) {
		if (!transaction_record_is_there(t, (enum transaction_stage)stage))
			continue;
		error_set(err, ERR_REFUSED, "in %s an earlier change is not cleared away",
			t->state_dir);
		return error_hint(err, "run the command again: it goes on from there first");
	}
	return true;
}

/* All are the former files already; at worst names beside them remain, until the next run. */
static bool give_up(const struct transaction *t, struct error *err)
{
	AUTO(error) struct error second = ERROR_INIT;
	if (!undo_staging(t, &second) || !transaction_record_drop_unfinished(t, &second))
		error_hint(err,
			"nothing was replaced; what was laid ready is cleared away by the next run "
			"(%s)",
			second.message);
	return false;
}

/* `err` says what failed and stays what the user reads first, unless the way back fails too. */
static bool go_back(const struct transaction *t, struct error *err)
{
	AUTO(error) struct error second = ERROR_INIT;
	int turned =
		transaction_record_turn(t, TRANSACTION_COMMITTED, TRANSACTION_UNDOING, &second);
	if (turned > 0 && undo_rest(t, &second))
		return false;
	error_wrap(err, "%s, and not all files are the former ones again (%s)",
		"the files could not be replaced", second.message);
	return error_hint(err, "mend the cause and run the command again: it first %s",
		turned ? "puts the former files back" : "puts the new files in place");
}

/* Behind the moment of truth. Once the record says "finished" all is done, whatever becomes of leftovers: the
 * next run clears them away. */
static bool put_in_place(const struct transaction *t, struct error *err)
{
	if (!transaction_files_apply(t, err))
		return go_back(t, err);
	AUTO(error) struct error why = ERROR_INIT;
	int turned = transaction_record_turn(t, TRANSACTION_COMMITTED, TRANSACTION_FINISHED, &why);
	if (turned == 0) {
		error_set(err, why.code, "%s", why.message);
		return go_back(t, err);
	}
	if (turned > 0 && !clear_rest(t, &why))
		error_clear(&why);
	return true;
}

bool transaction_commit(struct transaction *t, struct error *err)
{
	if (!refuse_interrupted(t, err) || !transaction_check(t, err))
		return false;
	if (!transaction_record_write(t, err) || !transaction_files_stage(t, err))
		return give_up(t, err);
	int turned = transaction_record_turn(t, TRANSACTION_PREPARED, TRANSACTION_COMMITTED, err);
	if (turned == 0)
		return give_up(t, err);
	return turned > 0 ? put_in_place(t, err) : go_back(t, err);
}

/* ---- recovery ---- */

bool transaction_recover(const char *dir, const char *state_dir, enum transaction_outcome *outcome,
	struct error *err)
{
	static const struct {
		enum transaction_stage stage;
		bool (*go_on)(const struct transaction *t, struct error *err);
		enum transaction_outcome outcome;
	} ways[] = {
		{ TRANSACTION_PREPARED, undo_staging, TRANSACTION_UNDONE },
		{ TRANSACTION_COMMITTED, complete, TRANSACTION_COMPLETED },
		{ TRANSACTION_UNDOING, undo_rest, TRANSACTION_UNDONE },
		{ TRANSACTION_FINISHED, clear_rest, TRANSACTION_COMPLETED },
	};

	*outcome = TRANSACTION_NOTHING;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		AUTO(transaction) struct transaction *t = transaction_new(dir, state_dir);
		int got = transaction_record_read(t, ways[i].stage, err);
		if (got < 0 || (got > 0 && !ways[i].go_on(t, err)))
			return error_wrap(err, "going on with an interrupted change");
		if (got > 0)
			*outcome = ways[i].outcome;
	}
	AUTO(transaction) struct transaction *t = transaction_new(dir, state_dir);
	return transaction_record_drop_unfinished(t, err);
}
