/* cctm alerts silence: Alertmanager tells nobody of an alert for a while. Only silences for that name alone are changed or
 * ended: what somebody made for more is theirs. */
#include <stdlib.h>
#include <string.h>

#include "cmd/alerts_internal.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/zone.h"
#include "report/words.h"

static bool is_its(const struct alerts_job *job, const struct alertmanager_silence *silence)
{
	return silence->alertname && strcmp(silence->alertname, job->args->name) == 0;
}

static void print_set(
	const struct alerts_job *job, const char *id, const struct alertmanager_silence *silence)
{
	struct out *out = job->ctx->out;
	char until[ZONE_TEXT_MAX];
	AUTO(buf) struct buf moment = BUF_INIT(BUF_UNLIMITED);
	zone_rfc3339(silence->ends_ms, until);
	words_moment(&moment, silence->ends_ms);
	if (job->ctx->is_json)
		out_json(out, 1,
			json_pack("{s:o, s:s, s:s, s:o, s:b}", "id", out_json_text(id), "alert",
				silence->alertname, "until", until, "comment",
				out_json_text(silence->comment), "dry_run", job->args->is_dry_run));
	else
		out_printf(out, "%s %s silenced until %s\n", silence->alertname,
			job->args->is_dry_run ? "would be" : "is", buf_str(&moment));
}

static int set(const struct alerts_job *job, const struct alertmanager_silences *silences,
	struct error *err)
{
	const char *user = getenv("USER"), *comment = job->args->comment, *known = NULL;
	AUTO(str) char *by = user && *user ? mem_printf("%s (cctm)", user) : mem_strdup("cctm");
	for (size_t i = 0; i < silences->count && !known; i++) {
		if (!is_its(job, &silences->items[i]))
			continue;
		known = silences->items[i].id;
		comment = comment ? comment : silences->items[i].comment;
	}
	const struct alertmanager_silence silence = { .alertname = job->args->name,
		.by = by,
		.comment = comment ? comment : "cctm alerts silence",
		.starts_ms = job->now_ms,
		.ends_ms = job->now_ms + job->args->for_ms };
	AUTO(str) char *id = NULL;
	if (!job->args->is_dry_run) {
		id = alertmanager_silence_set(&job->manager, known, &silence, err);
		if (!id)
			return -1;
	}
	print_set(job, id, &silence);
	return 0;
}

static void print_ended(const struct alerts_job *job, json_t *ids)
{
	if (job->ctx->is_json)
		out_json(job->ctx->out, 1,
			json_pack("{s:s, s:O, s:b}", "alert", job->args->name, "ended", ids,
				"dry_run", job->args->is_dry_run));
	else
		out_printf(job->ctx->out, "%s %s told of again\n", job->args->name,
			job->args->is_dry_run ? "would be" : "is");
}

static bool end_all(const struct alerts_job *job, const struct alertmanager_silences *silences,
	json_t *ids, struct error *err)
{
	for (size_t i = 0; i < silences->count; i++) {
		const char *id = silences->items[i].id;
		if (!is_its(job, &silences->items[i]))
			continue;
		if (!job->args->is_dry_run && !alertmanager_silence_end(&job->manager, id, err))
			return false;
		json_array_append_new(ids, json_string(id));
	}
	return json_array_size(ids) > 0 ||
	       error_set(err, ERR_FAILED, "there is no silence for %s alone", job->args->name);
}

static int end(const struct alerts_job *job, const struct alertmanager_silences *silences,
	struct error *err)
{
	json_t *ids = json_array();
	bool is_done = end_all(job, silences, ids, err);
	if (is_done)
		print_ended(job, ids);
	json_decref(ids);
	return is_done ? 0 : -1;
}

static bool has_silences(const struct alerts_job *job, struct error *err)
{
	if (job->is_embedded) {
		error_set(err, ERR_USAGE, "an embedded stack has no silences");
		return error_hint(err, "'cctm budget unset daily' and 'cctm config unset "
				       "alerts.no_data_after' end what the bridge tells of");
	}
	if (job->has_manager)
		return true;
	error_set(err, ERR_FAILED,
		"there is nothing to silence: Alertmanager is not part of the "
		"stack");
	return error_hint(
		err, "'cctm config set alerts.alertmanager true', then 'cctm init' and 'cctm up'");
}

int alerts_silence(struct alerts_job *job, struct error *err)
{
	AUTO(prometheus_rules) struct prometheus_rules rules = { 0 };
	AUTO(alertmanager_silences) struct alertmanager_silences silences = { 0 };
	if (!has_silences(job, err))
		return -1;
	/* One may be left of a rule that is gone. */
	if (!job->args->is_removed && !alerts_check_name(job, &rules, err))
		return -1;
	if (!alertmanager_silences_read(&job->manager, &silences, err))
		return -1;
	return job->args->is_removed ? end(job, &silences, err) : set(job, &silences, err);
}
