/* cctm render: what `cctm init` would write, without writing it: a list, a diff, one file, or only the exit status.
 *
 * It takes no lock and changes nothing. Secrets are not shown.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "loaded/loaded.h"
#include "render/provision.h"

struct render_args {
	const char *file, *templates;
	bool is_diff, is_check;
};

static const struct opt render_options[] = {
	OPT(struct render_args, is_diff, 0, "diff", NULL,
		"print what would change as a unified diff"),
	OPT(struct render_args, is_check, 0, "check", NULL,
		"exit with 3 when something would change"),
	OPT(struct render_args, file, 0, "stdout", "FILE",
		"print the text that one file gets, without your edits"),
	OPT(struct render_args, templates, 0, "templates", "DIR",
		"take templates from there first; the stack's own templates/ comes next"),
	OPT_END,
};

static const struct example render_examples[] = {
	{ "cctm render", "which files would change" },
	{ "cctm render --diff", "and how" },
	{ "cctm render --check", "in a script: is the stack as cctm.yaml says?" },
	{ "cctm render --stdout docker-compose.yml | docker compose -f - config",
		"hand one file on" },
	{ NULL, NULL },
};

static int render_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_render = {
	.name = "render",
	.group = GROUP_STACK,
	.summary = "show what init would write",
	.effect = EFFECT_READS,
	.args_size = sizeof(struct render_args),
	.options = render_options,
	.examples = render_examples,
	.text = "Renders the stack's files from cctm.yaml and compares them with those that are "
		"there, as 'cctm init' does, and "
		"writes nothing.",
	.run = render_run,
};

struct render_job {
	struct context *ctx;
	const struct render_args *args;
	struct loaded stack;
	struct provision provision;
};

static bool make(struct render_job *job, struct error *err)
{
	if (!loaded_read(job->ctx->dir, &job->stack, err))
		return false;
	const struct provision_request request = {
		.dir = job->stack.dir,
		.config = &job->stack.config,
		.last = &job->stack.last,
		.runtime = job->stack.runtime,
		.template_dir = job->args->templates,
	};
	return provision_make(&request, &job->provision, err);
}

/* ---- what is printed ---- */

static bool print_file(const struct render_job *job, struct error *err)
{
	const struct stack_file *file = stack_files_find(&job->provision.files, job->args->file);
	if (!file) {
		error_set(err, ERR_USAGE, "the stack has no generated file %s", job->args->file);
		return error_hint(err, "'cctm render' lists those that it has");
	}
	if (job->ctx->is_json)
		out_json(job->ctx->out, 1,
			json_pack("{s:s, s:o}", "path", file->path, "text",
				out_json_text(buf_str(&file->text))));
	else
		out_write(job->ctx->out, buf_str(&file->text), file->text.len);
	return true;
}

static void print_json(const struct render_job *job)
{
	const struct plan *plan = &job->provision.plan;
	AUTO(buf) struct buf diff = BUF_INIT(BUF_UNLIMITED);
	json_t *files = json_array();
	for (size_t i = 0; i < plan->count; i++)
		json_array_append_new(
			files, json_pack("{s:s, s:s}", "path", plan->items[i].path, "action",
				       plan_action_name(plan->items[i].action)));
	plan_diff(plan, &diff);
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:s, s:b, s:o, s:o}", "directory", out_json_text(job->stack.dir),
			"runtime", runtime_name(job->stack.runtime), "changes",
			plan_has_changes(plan), "files", files, "diff",
			out_json_text(buf_str(&diff))));
}

static void print_diff(const struct render_job *job)
{
	AUTO(buf) struct buf diff = BUF_INIT(BUF_UNLIMITED);
	plan_diff(&job->provision.plan, &diff);
	out_write(job->ctx->out, buf_str(&diff), diff.len);
}

static void print_list(const struct render_job *job)
{
	const struct plan *plan = &job->provision.plan;
	for (size_t i = 0; i < plan->count; i++)
		out_printf(job->ctx->out, "%-10s %s\n", plan_action_name(plan->items[i].action),
			plan->items[i].path);
}

static void print(const struct render_job *job)
{
	if (job->ctx->is_json)
		print_json(job);
	else if (job->args->is_diff)
		print_diff(job);
	else if (!job->args->is_check)
		print_list(job);
}

static int render_run(struct context *ctx, const void *raw, struct error *err)
{
	struct render_job job = { .ctx = ctx, .args = raw };
	int status = -1;
	if (make(&job, err)) {
		bool is_stale = plan_has_changes(&job.provision.plan) ||
				plan_count(&job.provision.plan, PLAN_CONFLICT);
		status = job.args->is_check && is_stale ? 3 : 0;
		if (job.args->file)
			status = print_file(&job, err) ? status : -1;
		else
			print(&job);
		if (status == 3)
			out_note(ctx->out,
				"%s is not as cctm.yaml says; 'cctm render --diff' shows how, "
				"'cctm init' mends it",
				job.stack.dir);
	}
	loaded_clear(&job.stack);
	provision_clear(&job.provision);
	return status;
}
