#include <string.h>

#include "cmd/init_internal.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/text.h"
#include "render/escape.h"

static bool is_embedded(const struct init_job *job)
{
	return job->runtime.runtime == RUNTIME_EMBEDDED;
}

/* What to type next; yours. */
static char *next_command(const struct init_job *job)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(buf) struct buf dir = BUF_INIT(BUF_UNLIMITED);
	if (!escape_append(ESCAPE_SHELL, slice_str(job->dir), &dir, &ignored))
		return mem_strdup("cctm render");
	return mem_printf("cctm up -C %s", buf_str(&dir));
}

/* ---- text ---- */

static void print_actions(const struct init_job *job, enum plan_action action, const char *what)
{
	const struct plan *plan = &job->provision.plan;
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->items[i].action == action)
			out_printf(job->ctx->out, "  %-10s%s\n", what, plan->items[i].path);
	}
}

/* Many new files of a new stack are one line; with --verbose and in an old stack each is named. */
static void print_created(const struct init_job *job)
{
	size_t count = plan_count(&job->provision.plan, PLAN_CREATE);
	if (count == 0)
		return;
	if (job->last.is_there || job->ctx->verbosity) {
		print_actions(job, PLAN_CREATE, "created");
		return;
	}
	out_printf(job->ctx->out,
		"  %-10s%zu files; cctm.yaml holds the settings, .env the secrets\n", "created",
		count);
}

static void print_choices(const struct init_job *job)
{
	struct out *out = job->ctx->out;
	const char *receiver = is_embedded(job)
				       ? service_rows[SERVICE_BRIDGE].title
				       : service_rows[service_receiver(&job->config)].title;
	out_printf(out, "  %-10s%s: %s\n", "runtime", runtime_name(job->runtime.runtime),
		job->runtime.why);
	out_printf(out, "  %-10s%s\n", "profile", config_text(&job->config, "profile"));
	out_printf(out, "  %-10s%s receives\n", "ingest", receiver);
}

static void print_ports(const struct init_job *job)
{
	struct out *out = job->ctx->out;
	for (size_t i = 0; i < job->taken_count; i++) {
		const struct taken_port *taken = &job->taken[i];
		if (taken->moved_to)
			out_printf(out, "  %-10s%s: %lld is taken by %s, so it is %lld\n", "port",
				taken->key, (long long)taken->port, taken->who,
				(long long)taken->moved_to);
		else
			out_printf(out, "  %s%-10s%s: %lld is taken by %s%s\n",
				out_style(out, STYLE_YELLOW), "port", taken->key,
				(long long)taken->port, taken->who, out_style(out, STYLE_PLAIN));
	}
}

static bool has_blocked_port(const struct init_job *job)
{
	for (size_t i = 0; i < job->taken_count; i++) {
		if (!job->taken[i].moved_to)
			return true;
	}
	return false;
}

static void print_conflicts(const struct init_job *job)
{
	struct out *out = job->ctx->out;
	const struct plan *plan = &job->provision.plan;
	size_t count = plan_count(plan, PLAN_CONFLICT);
	if (count == 0)
		return;
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->items[i].action == PLAN_CONFLICT)
			out_printf(out, "  %s%-10s%s stays as it is; the new one is %s.new%s\n",
				out_style(out, STYLE_RED), "conflict", plan->items[i].path,
				plan->items[i].path, out_style(out, STYLE_PLAIN));
	}
	out_printf(out, "Take over what you want from each .new file, then delete it; or 'cctm "
			"init --force' puts them in "
			"place and keeps yours as .bak.\n");
}

/* A variable wins over the file in this shell and is not there in the next. */
static void print_variables(const struct init_job *job)
{
	for (size_t i = 0; i < config_key_count; i++) {
		const struct origin *origin = &job->config.settings[i].origin;
		if (origin->kind == ORIGIN_ENVIRONMENT)
			out_note(job->ctx->out,
				"%s is set in the environment and went into the files; cctm.yaml "
				"does not have it",
				origin->name);
	}
}

static void print_next(const struct init_job *job)
{
	struct out *out = job->ctx->out;
	if (job->runtime.hint)
		out_note(out, "for containers: %s, then 'cctm init --runtime docker'",
			job->runtime.hint);
	if (has_blocked_port(job))
		out_note(out, "ports that are taken: 'cctm init --auto-ports' moves them, or set "
			      "others in cctm.yaml");
	if (job->args->is_dry_run || plan_count(&job->provision.plan, PLAN_CONFLICT))
		return;
	AUTO(str) char *next = next_command(job);
	out_note(out, "next: %s", next);
}

static void print_text(const struct init_job *job)
{
	struct out *out = job->ctx->out;
	const struct plan *plan = &job->provision.plan;
	AUTO(buf) struct buf dir = BUF_INIT(BUF_UNLIMITED);
	text_visible(&dir, job->dir);
	if (!plan_has_changes(plan) && !plan_count(plan, PLAN_CONFLICT) && job->last.is_there) {
		out_printf(out, "%s: nothing to change\n", buf_str(&dir));
		return;
	}
	out_printf(out, "%s%s%s%s\n", out_style(out, STYLE_BOLD), buf_str(&dir),
		out_style(out, STYLE_PLAIN),
		job->args->is_dry_run ? " (nothing is written: --dry-run)" : "");
	print_choices(job);
	print_created(job);
	print_actions(job, PLAN_UPDATE, "updated");
	print_actions(job, PLAN_MERGE, "merged");
	print_actions(job, PLAN_REPLACE, "replaced");
	print_actions(job, PLAN_REMOVE, job->args->adopt ? "moved" : "removed");
	print_actions(job, PLAN_LEAVE, "left");
	print_ports(job);
	init_adopt_print(job);
	print_conflicts(job);
	print_variables(job);
	print_next(job);
}

/* ---- JSON ---- */

static json_t *files_json(const struct plan *plan)
{
	json_t *files = json_array();
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->items[i];
		AUTO(str)
		char *new_path =
			item->action == PLAN_CONFLICT ? mem_printf("%s.new", item->path) : NULL;
		json_array_append_new(files,
			json_pack("{s:s, s:s, s:o, s:o}", "path", item->path, "action",
				plan_action_name(item->action), "new", out_json_text(new_path),
				"backup", out_json_text(item->bak)));
	}
	return files;
}

static json_t *ports_json(const struct init_job *job)
{
	json_t *ports = json_array();
	for (size_t i = 0; i < job->taken_count; i++) {
		const struct taken_port *taken = &job->taken[i];
		json_array_append_new(ports,
			json_pack("{s:s, s:I, s:o, s:o}", "key", taken->key, "port",
				(json_int_t)taken->port, "taken_by", out_json_text(taken->who),
				"moved_to",
				taken->moved_to ? json_integer(taken->moved_to) : json_null()));
	}
	return ports;
}

static void print_json(const struct init_job *job)
{
	const struct plan *plan = &job->provision.plan;
	AUTO(str) char *next = next_command(job);
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:b, s:b, s:s, s:o, s:s, s:o, s:o, s:o, s:[o]}", "directory",
			out_json_text(job->dir), "dry_run", job->args->is_dry_run, "changed",
			plan_has_changes(plan), "runtime", runtime_name(job->runtime.runtime),
			"runtime_why", out_json_text(job->runtime.why), "profile",
			config_text(&job->config, "profile"), "files", files_json(plan),
			"taken_ports", ports_json(job), "adopted", init_adopt_json(job), "next",
			out_json_text(next)));
}

void init_print(const struct init_job *job)
{
	if (job->ctx->is_json)
		print_json(job);
	else
		print_text(job);
}
