/* What cctm import-dashboard says: a line for each dashboard and a sum, or the same as JSON. */
#include <string.h>

#include "cmd/import_dashboard_internal.h"
#include "core/error.h"
#include "core/out.h"
#include "core/text.h"

#define TITLE_MAX 200
#define WHY_MAX	  2000

/* Of actions that change nothing in Grafana there is nothing to look at yet. */
static void print_one(const struct import_job *job, const struct import_result *result)
{
	struct out *out = job->ctx->out;
	AUTO(str) char *why = result->why ? text_first_line(result->why, WHY_MAX) : NULL;
	if (result->diff)
		out_write(out, result->diff, strlen(result->diff));
	if (!result->title || result->status) {
		out_printf(out, "%-10s %s: %s\n", result->action, result->name, why);
		return;
	}
	AUTO(str) char *title = text_first_line(result->title, TITLE_MAX);
	out_printf(out, "%-10s %s  %s/d/%s", result->action, title, job->grafana.url, result->uid);
	if (result->former && !job->args->is_dry_run)
		out_printf(out, "  (version %lld; %lld stays in its history)",
			(long long)result->version, (long long)result->former);
	out_printf(out, "%s%s%s\n", why ? "  (" : "", why ? why : "", why ? ")" : "");
	out_write(out, buf_str(&result->notes), result->notes.len);
}

/* "2 created, 1 unchanged" */
static void print_sum(const struct import_job *job)
{
	static const char *const actions[] = { "created", "updated", "merged", "moved", "unchanged",
		"edited", "refused", "failed" };
	AUTO(buf) struct buf sum = BUF_INIT(BUF_UNLIMITED);
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
		size_t count = 0;
		for (size_t k = 0; k < job->count; k++)
			count += strcmp(job->results[k].action, actions[i]) == 0;
		if (count)
			buf_addf(&sum, "%s%zu %s", sum.len ? ", " : "", count, actions[i]);
	}
	out_note(job->ctx->out, "%s", buf_str(&sum));
}

static void print_text(const struct import_job *job)
{
	for (size_t i = 0; i < job->count; i++)
		print_one(job, &job->results[i]);
	if (job->count > 1)
		print_sum(job);
	if (job->args->is_dry_run)
		out_note(job->ctx->out, "nothing was changed");
}

static json_t *result_json(const struct import_result *result)
{
	return json_pack("{s:o, s:s, s:o, s:o, s:I, s:I, s:o, s:o, s:o}", "source",
		out_json_text(result->name), "action", result->action, "uid",
		out_json_text(result->uid), "title", out_json_text(result->title), "version",
		(json_int_t)result->version, "former", (json_int_t)result->former, "why",
		out_json_text(result->why), "notes",
		out_json_text(result->notes.len ? buf_str(&result->notes) : NULL), "diff",
		out_json_text(result->diff));
}

static void print_json(const struct import_job *job)
{
	json_t *list = json_array();
	for (size_t i = 0; i < job->count; i++)
		json_array_append_new(list, result_json(&job->results[i]));
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:b, s:o}", "grafana", out_json_text(job->grafana.url), "dry_run",
			job->args->is_dry_run, "dashboards", list));
}

int import_report(const struct import_job *job)
{
	int status = 0;
	for (size_t i = 0; i < job->count; i++) {
		if (job->results[i].status && status != 1)
			status = job->results[i].status;
	}
	if (job->ctx->is_json)
		print_json(job);
	else
		print_text(job);
	return status;
}
