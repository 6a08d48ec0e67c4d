/* cctm backup list and prune: the archives in the stack's store, and which of them go. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/backup_internal.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/zone.h"

static const char *state_of(const struct stored *item)
{
	if (!item->is_readable)
		return "unreadable";
	return item->is_partial ? "partial" : "whole";
}

static json_t *item_json(const struct stored *item)
{
	char at[ZONE_TEXT_MAX];
	zone_rfc3339(item->at_ms, at);
	return json_pack("{s:o, s:s, s:I, s:s, s:o, s:o}", "archive", out_json_text(item->path),
		"made_at", at, "bytes", (json_int_t)item->bytes, "state", state_of(item), "cctm",
		out_json_text(item->cctm), "why", out_json_text(item->why));
}

static bool read_store(const struct backup_job *job, struct stored_list *out, struct error *err)
{
	return store_list(job->stack.dir, config_text(&job->stack.config, "project"), out, err);
}

/* ---- list ---- */

static void print_item(struct out *out, const struct stored *item)
{
	char at[ZONE_TEXT_MAX];
	zone_rfc3339(item->at_ms, at);
	AUTO(str) char *size = backup_size(item->bytes);
	out_printf(out, "%s  %10s  %-10s  %s\n", at, size, state_of(item), item->name);
	if (item->why)
		out_printf(out, "  %s\n", item->why);
}

int backup_list(struct backup_job *job, struct error *err)
{
	AUTO(stored_list) struct stored_list list = { 0 };
	if (!read_store(job, &list, err))
		return -1;
	json_t *items = json_array();
	for (size_t i = 0; i < list.count; i++) {
		json_array_append_new(items, item_json(&list.items[i]));
		if (!job->ctx->is_json)
			print_item(job->ctx->out, &list.items[i]);
	}
	if (job->ctx->is_json) {
		out_json(job->ctx->out, 1,
			json_pack("{s:o, s:o}", "directory", out_json_text(job->stack.dir),
				"archives", items));
		return 0;
	}
	json_decref(items);
	if (!list.count)
		out_note(job->ctx->out,
			"there is no backup in %s/" STORE_FOLDER "; 'cctm backup' makes one",
			job->stack.dir);
	return 0;
}

/* ---- prune ---- */

static bool settle_item(
	const struct backup_job *job, const struct stored *item, json_t *goes, struct error *err)
{
	bool is_dry = job->args->is_dry_run;
	if (!job->ctx->is_json && item->rule)
		out_printf(job->ctx->out, "kept     %s (%s)\n", item->name, item->rule);
	if (item->rule)
		return true;
	if (!is_dry && unlink(item->path) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot delete %s", item->path);
	if (!job->ctx->is_json)
		out_printf(job->ctx->out, "%s  %s\n", is_dry ? "would go" : "deleted", item->name);
	json_array_append_new(goes, out_json_text(item->path));
	return true;
}

bool backup_prune_by_rules(struct backup_job *job, json_t **goes, struct error *err)
{
	const struct keep_rules rules = backup_rules(job->args);
	AUTO(stored_list) struct stored_list list = { 0 };
	if (!read_store(job, &list, err))
		return false;
	store_choose(&rules, &list);
	*goes = json_array();
	for (size_t i = 0; i < list.count; i++) {
		if (!settle_item(job, &list.items[i], *goes, err)) {
			json_decref(*goes);
			*goes = NULL;
			return false;
		}
	}
	return true;
}

int backup_prune(struct backup_job *job, struct error *err)
{
	json_t *goes = NULL;
	AUTO(fd) int lock = backup_lock(job, err);
	if (lock < 0 || !backup_prune_by_rules(job, &goes, err))
		return -1;
	if (!job->ctx->is_json) {
		json_decref(goes);
		return 0;
	}
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:b, s:o}", "directory", out_json_text(job->stack.dir), "dry_run",
			job->args->is_dry_run, "pruned", goes));
	return 0;
}
