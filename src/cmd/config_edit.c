/* Changing one key of cctm.yaml: shown, or written. */
#include <string.h>

#include "cmd/config_internal.h"
#include "config/change.h"
#include "config/keys.h"
#include "core/out.h"

static void print_json(const struct config_job *job, const struct change *change, const char *diff)
{
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:s, s:b, s:b, s:o, s:o}", "file", out_json_text(change->file),
			"key", change->key, "changed", change->is_changed, "dry_run",
			job->is_dry_run, "diff", out_json_text(diff), "overridden_by",
			out_json_text(change->overridden_by)));
}

static void print_text(const struct config_job *job, const struct change *change, const char *diff)
{
	struct out *out = job->ctx->out;
	if (!change->is_changed)
		out_note(out, "%s: nothing to change", change->file);
	else if (job->is_dry_run)
		out_printf(out, "%s", diff);
	else
		out_note(out, "%s: changed", change->file);
}

static int finish(const struct config_job *job, const struct change *change, struct error *err)
{
	AUTO(buf) struct buf diff = BUF_INIT(BUF_UNLIMITED);
	if (!job->is_dry_run && !change_write(change, err))
		return -1;
	change_diff(change, &diff);
	if (job->ctx->is_json)
		print_json(job, change, buf_str(&diff));
	else
		print_text(job, change, buf_str(&diff));
	if (change->overridden_by)
		out_note(job->ctx->out, "%s is set in the environment and wins over the file",
			change->overridden_by);
	return 0;
}

int config_set(const struct config_job *job, struct error *err)
{
	AUTO(change) struct change change = { 0 };
	const struct key *key = key_find(job->key);
	if (!key)
		return config_unknown_key(job->key, err);
	return change_set(&job->where, key->path, job->value, &change, err)
		       ? finish(job, &change, err)
		       : -1;
}

int config_unset(const struct config_job *job, struct error *err)
{
	AUTO(change) struct change change = { 0 };
	if (!change_unset(&job->where, job->key, &change, err))
		return -1;
	if (!change.was_there && !key_find(job->key) && !key_is_group(job->key))
		return config_unknown_key(job->key, err);
	return finish(job, &change, err);
}
