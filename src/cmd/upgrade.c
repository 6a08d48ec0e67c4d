/* cctm upgrade: the stack moved to the images and files that this cctm knows, or left as it was.
 *
 * The files are brought up to date as `cctm init` does it, with the user's edits; then one container after the other is made
 * of its new image and asked until it answers. When one does not, files, images and containers are those from before. Killed
 * in the middle it leaves new files and some new containers: the next `cctm up` goes on from there.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "backup/create.h"
#include "cmd/upgrade_internal.h"
#include "config/bridge_dir.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"
#include "http/http.h"
#include "loaded/wait.h"
#include "render/model.h"
#include "render/plan.h"
#include "stack/embedded.h"

static const char *const pull_policies[] = { "missing", "always", "never", NULL };

static const struct opt upgrade_options[] = {
	OPT(struct upgrade_args, is_checked, 0, "check", NULL,
		"say what there is to move to, and exit with 3 when there is something"),
	OPT(struct upgrade_args, is_dry_run, 'n', "dry-run", NULL,
		"say what would be done, files included, and do nothing"),
	OPT_DURATION(struct upgrade_args, timeout_ms, 0, "timeout", 1000, 3600000, "2m",
		"how long to wait for each part"),
	OPT_CHOICE(struct upgrade_args, pull, 0, "pull", "WHEN", pull_policies, "missing",
		"whether images are pulled"),
	OPT_NEGATABLE(struct upgrade_args, has_backup, 0, "backup", "on",
		"save an embedded stack first, into backups/"),
	OPT_END,
};

static const struct example upgrade_examples[] = {
	{ "cctm upgrade --check", "is there anything newer?" },
	{ "cctm upgrade --dry-run", "what would be done" },
	{ "cctm upgrade", "do it; a part that fails brings all of it back" },
	{ NULL, NULL },
};

static int upgrade_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_upgrade = {
	.name = "upgrade",
	.group = GROUP_STACK,
	.summary = "move the stack to the versions this cctm knows",
	.effect = EFFECT_CHANGES,
	.args_size = sizeof(struct upgrade_args),
	.options = upgrade_options,
	.examples = upgrade_examples,
	.text = "Brings the stack's files up to date as 'cctm init' does, keeping your edits, "
		"pulls "
		"the images that they name, makes one container after the other of them and "
		"waits until each answers. When a part does not, the former files and images come "
		"back and are verified, and the exit status is 1. Where your edits clash with "
		"what is new, nothing is done and the exit status is 4.\n\n"
		"Dashboards in Grafana are brought up to date as well; what you changed in them "
		"stays, and Grafana keeps the former version.\n\n"
		"Images that cctm.yaml names stay as they are named; what this cctm would take by "
		"itself is said. An embedded stack's bridge is started again when it runs as an "
		"older version; what is there is saved first, as 'cctm backup' does it.",
	.run = upgrade_run,
};

#define ASK_MS	   3000
#define ANSWER_MAX (1 << 20)
#define STOP_MS	   20000

/* ---- the bridge alone ---- */

/* The version that the running one says; yours, NULL: it does not run, or does not say. */
static char *running_version(const struct upgrade_job *job)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	AUTO(str) char *url = model_url(&job->stack.config, "ports.health", "/");
	const struct http_request request = {
		.url = url, .deadline_ms = ASK_MS, .answer_max = ANSWER_MAX
	};
	if (!http_send(&request, &answer, &ignored))
		return NULL;
	json_t *root = json_loadb(buf_str(&answer.body), answer.body.len, 0, NULL);
	const char *version = json_string_value(json_object_get(root, "version"));
	char *copy = version ? mem_strdup(version) : NULL;
	json_decref(root);
	return copy;
}

static void look_at_bridge(struct upgrade_job *job)
{
	AUTO(str) char *state = bridge_dir(job->stack.dir, &job->stack.config);
	job->runs = embedded_find(state) != 0;
	job->bridge_version = job->runs ? running_version(job) : NULL;
}

static bool is_bridge_old(const struct upgrade_job *job)
{
	return job->bridge_version && strcmp(job->bridge_version, CCTM_VERSION) != 0;
}

/* An older bridge cannot read what a newer one wrote: what is there is kept. */
static bool save_first(const struct upgrade_job *job, struct error *err)
{
	AUTO(created) struct created created = { 0 };
	struct create_request request = { .stack = &job->stack, .compression = PACK_ZSTD };
	if (!job->args->has_backup)
		return true;
	create_want_all(&job->stack, request.wants);
	bool is_saved = backup_create(&request, &created, err);
	if (is_saved && created.inventory.is_partial)
		is_saved = error_set(err, ERR_FAILED, "not every part could be saved");
	if (is_saved) {
		out_note(job->ctx->out, "what is there is saved in %s", created.path);
		return true;
	}
	error_wrap(err, "nothing was changed: the backup before the upgrade");
	return error_hint(err, "--no-backup goes without it");
}

static bool upgrade_bridge(struct upgrade_job *job, struct error *err)
{
	const struct provision_request request = { .dir = job->stack.dir,
		.config = &job->stack.config,
		.last = &job->stack.last,
		.runtime = job->stack.runtime };
	const struct wait_request wait = { .timeout_ms = job->args->timeout_ms };
	AUTO(str) char *state = bridge_dir(job->stack.dir, &job->stack.config);
	AUTO(probes) struct probes probes = { 0 };
	if (!save_first(job, err) || !provision_apply(&request, &job->provision, err))
		return false;
	if (!is_bridge_old(job))
		return true;
	return embedded_stop(state, STOP_MS, err) &&
	       embedded_start(job->stack.dir, state, job->args->timeout_ms, err) &&
	       loaded_probes(&job->stack, true, &probes, err) &&
	       wait_for_probes(&probes, &wait, err);
}

/* ---- what is said ---- */

static bool has_news(const struct upgrade_job *job)
{
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		if (upgrade_changes_image(job, s))
			return true;
	}
	const struct brought *dashboards = &job->dashboards;
	return plan_has_changes(&job->provision.plan) || is_bridge_old(job) ||
	       dashboards->created || dashboards->updated || dashboards->merged;
}

static void print_text(const struct upgrade_job *job)
{
	struct out *out = job->ctx->out;
	const struct plan *plan = &job->provision.plan;
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		if (upgrade_changes_image(job, s))
			out_printf(out, "%-15s %s -> %s\n", service_rows[s].name,
				job->images[s] ? job->images[s] : "nothing", job->wanted[s]);
	}
	if (is_bridge_old(job))
		out_printf(out, "%-15s %s -> " CCTM_VERSION "\n", "bridge", job->bridge_version);
	AUTO(str) char *dashboards = own_dashboards_said(&job->dashboards);
	if (*dashboards)
		out_printf(out, "%-15s %s\n", "dashboards", dashboards);
	if (job->dashboards.notes.len)
		out_note(out, "%.*s", (int)job->dashboards.notes.len - 1,
			buf_str(&job->dashboards.notes));
	for (size_t i = 0; i < plan->count; i++) {
		enum plan_action action = plan->items[i].action;
		if (action != PLAN_UNCHANGED && action != PLAN_KEEP && action != PLAN_LEAVE)
			out_printf(
				out, "%-15s %s\n", plan_action_name(action), plan->items[i].path);
	}
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		if (job->known[s])
			out_note(out,
				"note: %s is %s, as it is configured; by itself this cctm would "
				"take %s",
				service_rows[s].name, job->wanted[s], job->known[s]);
	}
}

static json_t *images_json(const struct upgrade_job *job)
{
	json_t *images = json_array();
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		if (job->wanted[s])
			json_array_append_new(images,
				json_pack("{s:s, s:o, s:o, s:b, s:o}", "service",
					service_rows[s].name, "now", out_json_text(job->images[s]),
					"wanted", out_json_text(job->wanted[s]), "changes",
					upgrade_changes_image(job, s), "known",
					out_json_text(job->known[s])));
	}
	return images;
}

static void print_json(const struct upgrade_job *job, bool is_done)
{
	const struct plan *plan = &job->provision.plan;
	json_t *files = json_array();
	for (size_t i = 0; i < plan->count; i++)
		json_array_append_new(
			files, json_pack("{s:s, s:s}", "path", plan->items[i].path, "action",
				       plan_action_name(plan->items[i].action)));
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:s, s:b, s:b, s:o, s:{s:I, s:I, s:I}, s:o}", "directory",
			out_json_text(job->stack.dir), "runtime", runtime_name(job->stack.runtime),
			"news", has_news(job), "done", is_done, "images", images_json(job),
			"dashboards", "created", (json_int_t)job->dashboards.created, "updated",
			(json_int_t)job->dashboards.updated, "merged",
			(json_int_t)job->dashboards.merged, "files", files));
}

/* ---- dashboards ---- */

/* What Grafana does not tell now is found when all parts answer. */
static void look_at_dashboards(struct upgrade_job *job)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	if (job->runs && !own_dashboards_bring(&job->stack, true, &job->dashboards, &ignored))
		out_note(job->ctx->out, "whether dashboards are newer is not known: %s",
			ignored.message);
}

/* The rest is done and stays. */
static bool bring_dashboards(struct upgrade_job *job, struct error *err)
{
	if (!job->runs)
		return true;
	brought_clear(&job->dashboards);
	if (own_dashboards_bring(&job->stack, false, &job->dashboards, err))
		return true;
	error_wrap(err, "all is upgraded but the dashboards in Grafana");
	return error_hint(err, "'cctm import-dashboard --all' tries again");
}

/* ---- the story ---- */

static bool look(struct upgrade_job *job, struct error *err)
{
	const struct provision_request request = { .dir = job->stack.dir,
		.config = &job->stack.config,
		.last = &job->stack.last,
		.runtime = job->stack.runtime };
	if (!provision_make(&request, &job->provision, err))
		return false;
	if (job->stack.runtime != RUNTIME_DOCKER) {
		look_at_bridge(job);
		return true;
	}
	if (!upgrade_look_at_containers(job, err))
		return false;
	look_at_dashboards(job);
	return true;
}

static bool check_conflicts(const struct upgrade_job *job, struct error *err)
{
	if (plan_count(&job->provision.plan, PLAN_CONFLICT) == 0)
		return true;
	error_set(err, ERR_REFUSED, "your edits clash with what is new");
	return error_hint(err, "'cctm init' lays the new files beside yours; take over what you "
			       "want, then 'cctm upgrade'");
}

static bool upgrade(struct upgrade_job *job, struct error *err)
{
	if (!check_conflicts(job, err))
		return false;
	if (job->stack.runtime != RUNTIME_DOCKER)
		return upgrade_bridge(job, err);
	return upgrade_containers(job, err) && bring_dashboards(job, err);
}

static void say_end(const struct upgrade_job *job)
{
	const char *end =
		!job->runs ? "done; 'cctm up' starts the stack" : "done; every part answers";
	out_note(job->ctx->out, "%s", end);
}

/* 0, 3 when --check found something, -1. */
static int act(struct upgrade_job *job, struct error *err)
{
	bool is_look_only = job->args->is_checked || job->args->is_dry_run;
	bool is_news = has_news(job);
	if (!job->ctx->is_json)
		print_text(job);
	if (!is_news)
		out_note(job->ctx->out, "nothing newer is known to cctm " CCTM_VERSION);
	if (is_news && !is_look_only && !upgrade(job, err))
		return -1;
	if (job->ctx->is_json)
		print_json(job, is_news && !is_look_only);
	else if (is_news && !is_look_only)
		say_end(job);
	return is_news && job->args->is_checked ? error_exit_status(ERR_UNHEALTHY) : 0;
}

static void clear(struct upgrade_job *job)
{
	for (enum service s = 0; s < SERVICE_COUNT; s++)
		free(job->images[s]);
	free(job->bridge_version);
	brought_clear(&job->dashboards);
	snapshot_clear(&job->before);
	containers_clear(&job->containers);
	compose_services_clear(&job->services);
	provision_clear(&job->provision);
	loaded_clear(&job->stack);
}

static int upgrade_run(struct context *ctx, const void *raw, struct error *err)
{
	struct upgrade_job job = { .ctx = ctx, .args = raw };
	int status = -1;
	if (loaded_read(ctx->dir, &job.stack, err)) {
		AUTO(fd) int lock = plan_lock(job.stack.dir, err);
		if (lock >= 0 && look(&job, err))
			status = act(&job, err);
	}
	clear(&job);
	return status;
}
