/* Changing one key of cctm.yaml: plan the new bytes, see that they load, show or write them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/config_internal.h"
#include "config/config.h"
#include "config/edit.h"
#include "config/problems.h"
#include "config/tree.h"
#include "core/buf.h"
#include "core/diff.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/text.h"

/* The file before and after. */
struct change {
	const char *key;
	struct buf before, after;
	bool is_changed;
	char *overridden_by; /* a variable that wins over the file; NULL: none */
};

static void change_clear(struct change *change)
{
	buf_clear(&change->before);
	buf_clear(&change->after);
	free(change->overridden_by);
}

static struct change change_of(const char *key)
{
	return (struct change){
		.key = key, .before = BUF_INIT(TREE_BYTES_MAX), .after = BUF_INIT(BUF_UNLIMITED)
	};
}

/* A directory that was named gets its file; one that was found by looking has it. */
static bool read_before(const struct config_job *job, struct change *change, struct error *err)
{
	int got = file_read(job->where.file, &change->before, err);
	if (got < 0)
		return false;
	if (got > 0 || job->where.how == STACK_DIR_GIVEN)
		return true;
	error_set(err, ERR_FAILED, "there is no cctm.yaml here or in a parent directory");
	return error_hint(err,
		"begin one with 'cctm config sample > cctm.yaml', or name its directory "
		"with -C");
}

/* How many problems a file has, and whether one is the key's. */
static size_t count_problems(const struct config_job *job, struct slice bytes, const char *key,
	struct problems *problems, const struct problem **of_key)
{
	AUTO(config) struct config config = { 0 };
	const struct config_request request = { .path = job->where.file };
	bool is_right = config_check_bytes(&request, bytes, &config, problems);
	*of_key = NULL;
	for (size_t i = 0; !is_right && i < problems->count; i++) {
		const char *its = problems->items[i].key;
		if (its && strcmp(its, key) == 0 && !*of_key)
			*of_key = &problems->items[i];
	}
	return problems->count;
}

/* A file may be mended one key after the other, but no edit may add a problem. */
static bool check_after(
	const struct config_job *job, const struct change *change, struct error *err)
{
	AUTO(problems) struct problems before = { 0 };
	AUTO(problems) struct problems after = { 0 };
	const struct problem *of_key;
	size_t had = count_problems(job, buf_slice(&change->before), change->key, &before, &of_key);
	size_t has = count_problems(job, buf_slice(&change->after), change->key, &after, &of_key);
	if (!of_key && has <= had)
		return true;
	const struct problem *problem = of_key ? of_key : &after.items[has - 1];
	error_set(err, ERR_USAGE, "%s%s%s", problem->key ? problem->key : "",
		problem->key ? ": " : "", problem->error.message);
	if (problem->error.hint)
		error_hint(err, "%s", problem->error.hint);
	return false;
}

/* Through a link, so that the link stays; with the mode the file had; and only if it is still what was
 * read. */
static bool write_after(
	const struct config_job *job, const struct change *change, struct error *err)
{
	struct stat st;
	AUTO(str) char *real = realpath(job->where.file, NULL);
	const char *path = real ? real : job->where.file;
	mode_t mode = real && stat(path, &st) == 0 ? st.st_mode & 07777 : 0644;
	AUTO(buf) struct buf now = BUF_INIT(TREE_BYTES_MAX);
	if (file_read(path, &now, err) < 0)
		return false;
	if (!slice_eq(buf_slice(&now), buf_slice(&change->before))) {
		error_set(err, ERR_REFUSED, "%s was changed meanwhile", path);
		return error_hint(err, "run the command again");
	}
	return file_write_atomic(path, change->after.data, change->after.len, mode, err);
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

static void print_json(const struct config_job *job, const struct change *change, const char *diff)
{
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:s, s:b, s:b, s:o, s:o}", "file", out_json_text(job->where.file),
			"key", change->key, "changed", change->is_changed, "dry_run",
			job->is_dry_run, "diff", out_json_text(diff), "overridden_by",
			out_json_text(change->overridden_by)));
}

static void print_text(const struct config_job *job, const struct change *change, const char *diff)
{
	struct out *out = job->ctx->out;
	if (!change->is_changed)
		out_note(out, "%s: nothing to change", job->where.file);
	else if (job->is_dry_run)
		out_printf(out, "%s", diff);
	else
		out_note(out, "%s: changed", job->where.file);
}

static int finish(const struct config_job *job, struct change *change, struct error *err)
{
	AUTO(buf) struct buf diff = BUF_INIT(BUF_UNLIMITED);
	struct slice before = buf_slice(&change->before), after = buf_slice(&change->after);
	change->is_changed = !slice_eq(before, after);
	if (change->is_changed && (!check_after(job, change, err) ||
					  (!job->is_dry_run && !write_after(job, change, err))))
		return -1;
	change->overridden_by = overriding_variable(change->key);
	diff_unified(&diff, CONFIG_FILE, CONFIG_FILE, before, after);
	if (job->ctx->is_json)
		print_json(job, change, buf_str(&diff));
	else
		print_text(job, change, buf_str(&diff));
	if (change->overridden_by)
		out_note(job->ctx->out, "%s is set in the environment and wins over the file",
			change->overridden_by);
	return 0;
}

static void wrap_edit(const struct config_job *job, struct error *err)
{
	/* Errors of syntax begin with their place. */
	if (err->code == ERR_CONFIG) {
		char *placed = mem_printf("%s:%s", job->where.file, err->message);
		free(err->message);
		err->message = placed;
	} else {
		error_wrap(err, "%s", job->where.file);
	}
}

int config_set(const struct config_job *job, struct error *err)
{
	const struct key *key = key_find(job->key);
	AUTO(value) struct value value = { 0 };
	if (!key)
		return config_unknown_key(job->key, err);
	if (!value_parse_words(key, job->value, &value, err)) {
		err->code = ERR_USAGE;
		error_wrap(err, "%s", key->path);
		return -1;
	}
	struct change change = change_of(key->path);
	int status = -1;
	if (read_before(job, &change, err)) {
		if (edit_set(buf_slice(&change.before), key, &value, &change.after, err))
			status = finish(job, &change, err);
		else
			wrap_edit(job, err);
	}
	change_clear(&change);
	return status;
}

static int unset_absent(const struct config_job *job, struct change *change, struct error *err)
{
	if (!key_find(job->key) && !key_is_group(job->key))
		return config_unknown_key(job->key, err);
	buf_add(&change->after, change->before.data, change->before.len);
	return finish(job, change, err);
}

int config_unset(const struct config_job *job, struct error *err)
{
	struct change change = change_of(job->key);
	int status = -1, was_there = -1;
	if (read_before(job, &change, err)) {
		was_there = edit_unset(buf_slice(&change.before), job->key, &change.after, err);
		if (was_there > 0)
			status = finish(job, &change, err);
		else if (was_there == 0)
			status = unset_absent(job, &change, err);
		else
			wrap_edit(job, err);
	}
	change_clear(&change);
	return status;
}
