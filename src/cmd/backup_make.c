/* cctm backup create: which parts, then the archive, then what is said of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/part.h"
#include "cmd/backup_internal.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/str.h"
#include "render/manifest.h"

#define STATUS_EVERY_MS 200
#define CHUNK		65536

struct making {
	struct backup_job *job;
	struct create_request request;
	int64_t begun_ms, told_ms;
};

/* ---- which parts ---- */

static bool take_names(const struct backup_job *job, const struct opt_rest *names, bool is_wanted,
	bool wants[BACKUP_PARTS], struct error *err)
{
	for (size_t i = 0; i < names->count; i++) {
		int part = inventory_part_of(names->items[i]);
		if (part < 0) {
			error_set(err, ERR_USAGE, "there is no part %.100s", names->items[i]);
			return error_hint(err, "parts are configuration, secrets, ledger");
		}
		if (is_wanted && !part_exists(&job->stack, (enum backup_part)part))
			return error_set(
				err, ERR_USAGE, "this stack has no part %s", names->items[i]);
		wants[part] = is_wanted;
	}
	return true;
}

static bool choose_parts(const struct backup_job *job, bool wants[BACKUP_PARTS], struct error *err)
{
	bool is_any = false;
	if (!job->args->included.count && job->stack.runtime == RUNTIME_DOCKER) {
		error_set(err, ERR_REFUSED,
			"what Prometheus and Grafana keep in containers cannot be saved yet");
		return error_hint(err, "'cctm backup --include configuration --include secrets' "
				       "saves the rest");
	}
	if (!job->args->included.count)
		create_want_all(&job->stack, wants);
	if (!take_names(job, &job->args->included, true, wants, err) ||
		!take_names(job, &job->args->excluded, false, wants, err))
		return false;
	if (!job->args->has_secrets)
		wants[BACKUP_SECRETS] = false;
	for (size_t i = 0; i < BACKUP_PARTS; i++)
		is_any = is_any || wants[i];
	return is_any || error_set(err, ERR_USAGE, "of this stack no part is left to save");
}

/* ---- what is said ---- */

static void on_progress(void *ctx, const char *what, int64_t done, int64_t all)
{
	struct making *making = ctx;
	int64_t now_ms = clock_mono_ms(), took_ms = now_ms - making->begun_ms;
	if (all == 0 || done == 0)
		making->begun_ms = now_ms;
	if (all && now_ms - making->told_ms < STATUS_EVERY_MS)
		return;
	making->told_ms = now_ms;
	if (!all) {
		out_status(making->job->ctx->out, "%s", what);
		return;
	}
	AUTO(str) char *some = backup_size(done);
	AUTO(str) char *whole = backup_size(all);
	AUTO(str) char *rate = backup_size(done * 1000 / (took_ms > 0 ? took_ms : 1));
	out_status(making->job->ctx->out, "%s: %s of %s, %s/s", what, some, whole, rate);
}

static void print_text(const struct backup_job *job, const struct created *created)
{
	struct out *out = job->ctx->out;
	AUTO(str) char *size = backup_size(created->bytes);
	backup_print_parts(out, &created->inventory);
	out_printf(out, "%s\n", created->path);
	out_note(out, "%s, read back: the sizes and SHA-256 of all %zu files are right%s", size,
		created->inventory.count,
		created->inventory.is_partial ? "; the archive is PARTIAL" : "");
}

static void print_json(const struct backup_job *job, const struct created *created, json_t *goes)
{
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:o, s:I, s:b, s:b, s:o, s:o}", "directory",
			out_json_text(job->stack.dir), "archive", out_json_text(created->path),
			"bytes", (json_int_t)created->bytes, "partial",
			created->inventory.is_partial, "verified", true, "parts",
			backup_parts_json(&created->inventory), "pruned",
			goes ? goes : json_array()));
}

static void print_wanted(const struct backup_job *job, const bool wants[BACKUP_PARTS])
{
	json_t *parts = json_array();
	for (enum backup_part part = 0; part < BACKUP_PARTS; part++) {
		if (!wants[part])
			continue;
		json_array_append_new(parts, json_string(backup_part_names[part]));
		if (!job->ctx->is_json)
			out_printf(job->ctx->out, "would save %s\n", backup_part_names[part]);
	}
	if (job->ctx->is_json)
		out_json(job->ctx->out, 1,
			json_pack("{s:o, s:b, s:o}", "directory", out_json_text(job->stack.dir),
				"dry_run", true, "would_save", parts));
	else
		json_decref(parts);
}

/* ---- to standard output ---- */

/* Whole and checked like any other, and only then given away. */
static bool give_away(const struct backup_job *job, const char *path, struct error *err)
{
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[CHUNK];
	ssize_t n = 0;
	while (fd >= 0 && (n = read(fd, chunk, sizeof chunk)) > 0)
		out_write(job->ctx->out, chunk, (size_t)n);
	unlink(path);
	return (fd >= 0 && n == 0) ||
	       error_set_errno(err, ERR_IO, errno, "cannot read the archive again");
}

static bool is_given_away(const struct backup_job *job)
{
	return job->args->output && strcmp(job->args->output, "-") == 0;
}

static bool check_output(const struct backup_job *job, struct error *err)
{
	if (!is_given_away(job))
		return true;
	if (job->ctx->is_json)
		return error_set(
			err, ERR_USAGE, "--json and the archive cannot both be standard output");
	return !isatty(STDOUT_FILENO) ||
	       error_set(err, ERR_USAGE, "standard output is a terminal; an archive is not for it");
}

/* ---- the story ---- */

static int finish(struct making *making, struct created *created, struct error *err)
{
	struct backup_job *job = making->job;
	json_t *goes = NULL;
	int status = created->inventory.is_partial ? 1 : 0;
	if (is_given_away(job)) {
		for (enum backup_part i = 0; i < BACKUP_PARTS; i++) {
			if (created->inventory.parts[i].state == BACKUP_FAILED)
				out_note(job->ctx->out, "NOT SAVED: %s: %s", backup_part_names[i],
					created->inventory.parts[i].notes[0]);
		}
		return give_away(job, created->path, err) ? status : -1;
	}
	if (!job->ctx->is_json)
		print_text(job, created);
	if (backup_has_rules(job->args) && !backup_prune_by_rules(job, &goes, err))
		return -1;
	if (job->ctx->is_json)
		print_json(job, created, goes);
	else
		json_decref(goes);
	return status;
}

static int make(struct making *making, struct error *err)
{
	struct backup_job *job = making->job;
	AUTO(created) struct created created = { 0 };
	AUTO(str) char *temporary = path_join(job->stack.dir, STATE_DIR "/backup-given-away");
	making->request.path = job->args->output;
	if (is_given_away(job)) {
		making->request.path = temporary;
		unlink(temporary);
	}
	bool is_made = backup_create(&making->request, &created, err);
	out_end_status(job->ctx->out);
	return is_made ? finish(making, &created, err) : -1;
}

int backup_make(struct backup_job *job, struct error *err)
{
	struct making making = { .job = job,
		.begun_ms = clock_mono_ms(),
		.request = { .stack = &job->stack,
			.compression =
				strcmp(job->args->compression, "gzip") == 0 ? PACK_GZIP : PACK_ZSTD,
			.progress = on_progress } };
	making.request.ctx = &making;
	if (!check_output(job, err) || !choose_parts(job, making.request.wants, err))
		return -1;
	if (job->args->is_dry_run) {
		print_wanted(job, making.request.wants);
		return 0;
	}
	AUTO(fd) int lock = backup_lock(job, err);
	return lock >= 0 ? make(&making, err) : -1;
}
