#include "config/change.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/config.h"
#include "config/edit.h"
#include "config/problems.h"
#include "config/tree.h"
#include "core/diff.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

/* A directory that was named gets its file; one that was found by looking has it. */
static bool read_before(
	const struct stack_dir *where, const char *key, struct change *change, struct error *err)
{
	*change = (struct change){ .file = mem_strdup(where->file),
		.key = mem_strdup(key),
		.before = BUF_INIT(TREE_BYTES_MAX),
		.after = BUF_INIT(BUF_UNLIMITED) };
	int got = file_read(where->file, &change->before, err);
	if (got < 0)
		return false;
	if (got > 0 || where->how == STACK_DIR_GIVEN)
		return true;
	error_set(err, ERR_FAILED, "there is no cctm.yaml here or in a parent directory");
	return error_hint(err,
		"begin one with 'cctm config sample > cctm.yaml', or name its directory "
		"with -C");
}

/* How many problems a file has, and whether one is the key's. */
static size_t count_problems(const struct change *change, struct slice bytes,
	struct problems *problems, const struct problem **of_key)
{
	AUTO(config) struct config config = { 0 };
	const struct config_request request = { .path = change->file };
	bool is_right = config_check_bytes(&request, bytes, &config, problems);
	*of_key = NULL;
	for (size_t i = 0; !is_right && i < problems->count; i++) {
		const char *its = problems->items[i].key;
		if (its && strcmp(its, change->key) == 0 && !*of_key)
			*of_key = &problems->items[i];
	}
	return problems->count;
}

/* A file may be mended one key after the other, but no edit may add a problem. */
static bool check_after(const struct change *change, struct error *err)
{
	AUTO(problems) struct problems before = { 0 };
	AUTO(problems) struct problems after = { 0 };
	const struct problem *of_key;
	size_t had = count_problems(change, buf_slice(&change->before), &before, &of_key);
	size_t has = count_problems(change, buf_slice(&change->after), &after, &of_key);
	if (!of_key && has <= had)
		return true;
	const struct problem *problem = of_key ? of_key : &after.items[has - 1];
	error_set(err, ERR_USAGE, "%s%s%s", problem->key ? problem->key : "",
		problem->key ? ": " : "", problem->error.message);
	if (problem->error.hint)
		error_hint(err, "%s", problem->error.hint);
	return false;
}

static char *overriding_variable(const char *path)
{
	const struct key *key = key_find(path);
	char *name = key ? key_variable(key) : NULL;
	const char *text = name ? config_getenv(name) : NULL;
	if (text && *text)
		return name;
	free(name);
	return NULL;
}

static bool wrap_edit(const struct change *change, struct error *err)
{
	/* Errors of syntax begin with their place. */
	if (err->code != ERR_CONFIG)
		return error_wrap(err, "%s", change->file);
	char *placed = mem_printf("%s:%s", change->file, err->message);
	free(err->message);
	err->message = placed;
	return false;
}

static bool finish(struct change *change, struct error *err)
{
	change->is_changed = !slice_eq(buf_slice(&change->before), buf_slice(&change->after));
	change->overridden_by = overriding_variable(change->key);
	return !change->is_changed || check_after(change, err);
}

bool change_set(const struct stack_dir *where, const char *key, const char *text,
	struct change *out, struct error *err)
{
	const struct key *row = key_find(key);
	AUTO(value) struct value value = { 0 };
	*out = (struct change){ 0 };
	assert(row);
	if (!value_parse_words(row, text, &value, err)) {
		err->code = ERR_USAGE;
		return error_wrap(err, "%s", row->path);
	}
	if (!read_before(where, key, out, err))
		return false;
	return edit_set(buf_slice(&out->before), row, &value, &out->after, err)
		       ? finish(out, err)
		       : wrap_edit(out, err);
}

bool change_unset(
	const struct stack_dir *where, const char *key, struct change *out, struct error *err)
{
	if (!read_before(where, key, out, err))
		return false;
	int was_there = edit_unset(buf_slice(&out->before), key, &out->after, err);
	if (was_there < 0)
		return wrap_edit(out, err);
	out->was_there = was_there > 0;
	if (!was_there)
		buf_add(&out->after, out->before.data, out->before.len);
	return finish(out, err);
}

bool change_write(const struct change *change, struct error *err)
{
	struct stat st;
	AUTO(str) char *real = realpath(change->file, NULL);
	const char *path = real ? real : change->file;
	mode_t mode = real && stat(path, &st) == 0 ? st.st_mode & 07777 : 0644;
	AUTO(buf) struct buf now = BUF_INIT(TREE_BYTES_MAX);
	if (!change->is_changed)
		return true;
	if (file_read(path, &now, err) < 0)
		return false;
	if (!slice_eq(buf_slice(&now), buf_slice(&change->before))) {
		error_set(err, ERR_REFUSED, "%s was changed meanwhile", path);
		return error_hint(err, "run the command again");
	}
	return file_write_atomic(path, change->after.data, change->after.len, mode, err);
}

void change_diff(const struct change *change, struct buf *out)
{
	diff_unified(out, CONFIG_FILE, CONFIG_FILE, buf_slice(&change->before),
		buf_slice(&change->after));
}

void change_clear(struct change *change)
{
	free(change->file);
	free(change->key);
	buf_clear(&change->before);
	buf_clear(&change->after);
	free(change->overridden_by);
	*change = (struct change){ 0 };
}
