/* cctm up: starts the stack and comes back when every part of it works, or says which does not and why.
 *
 * Healthy means asked and answered from outside, through the published ports. A stack that does not get there is taken down
 * again, unless it ran before or --keep-on-failure says otherwise. Data are never touched.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "config/bridge_dir.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "loaded/loaded.h"
#include "loaded/wait.h"
#include "render/model.h"
#include "stack/compose.h"
#include "stack/embedded.h"

struct up_args {
	int64_t timeout_ms;
	bool is_kept, waits;
	const char *pull;
};

static const char *const pull_policies[] = { "missing", "always", "never", NULL };

static const struct opt up_options[] = {
	OPT_NEGATABLE(struct up_args, waits, 0, "wait", "on", "wait until every part answers"),
	OPT_DURATION(struct up_args, timeout_ms, 0, "timeout", 1000, 3600000, "3m",
		"how long to wait for all parts; images are pulled before"),
	OPT_CHOICE(struct up_args, pull, 0, "pull", "WHEN", pull_policies, "missing",
		"whether images are pulled"),
	OPT(struct up_args, is_kept, 0, "keep-on-failure", NULL,
		"leave what was started when a part does not get healthy"),
	OPT_END,
};

static const struct example up_examples[] = {
	{ "cctm up", "start the stack of cctm init and wait for it" },
	{ "cctm -C ~/metrics up --timeout 10m",
		"one in a directory of its own, on a slow machine" },
	{ "cctm up --keep-on-failure", "leave a stack that fails, to look into it" },
	{ NULL, NULL },
};

static int up_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_up = {
	.name = "up",
	.group = GROUP_STACK,
	.summary = "start the stack and wait until every part works",
	.effect = EFFECT_CHANGES,
	.args_size = sizeof(struct up_args),
	.options = up_options,
	.examples = up_examples,
	.text = "Starts the containers with Docker Compose, or the bridge in the background, and "
		"asks every part from this "
		"machine until it answers: OTLP over HTTP and gRPC, the receiver's health and "
		"metrics, Prometheus and its "
		"targets, Grafana, its login and its datasource. A part that does not answer in "
		"time is named with what it "
		"said last and the end of its log; then what was started is stopped again, and the "
		"exit status is 1.\n\n"
		"Run again it starts what does not run and recreates what changed, and verifies "
		"all of it. Files are as the "
		"last 'cctm init' wrote them.",
	.run = up_run,
};

#define ASK_MS	 4000
#define PULL_MS	 (30 * INT64_C(60000))
#define STOP_MS	 120000
#define LOG_TAIL "20"

/* A stack, and how it is to be spoken of. */
struct up_job {
	struct context *ctx;
	const struct up_args *args;
	struct loaded stack;
	struct probes probes;
};

/* ---- waiting ---- */

static void say_passed(void *ctx, const struct probe *probe, int64_t after_ms)
{
	const struct up_job *job = ctx;
	out_note(job->ctx->out, "  ok  %-28s %.1f s", probe->what, (double)after_ms / 1000);
}

static bool wait_for_all(struct up_job *job, struct error *err)
{
	return wait_for_probes(&job->probes, job->args->timeout_ms, say_passed, job, err);
}

/* ---- containers ---- */

static void show_log(const struct up_job *job, const struct compose *compose, enum service service)
{
	const char *const words[] = { "logs", "--no-color", "--tail", LOG_TAIL,
		service_rows[service].name, NULL };
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	bool is_shown = !job->ctx->is_quiet && !job->ctx->is_json;
	if (is_shown && !compose_run(compose, words, true, ASK_MS * 3, &result, &ignored))
		return;
}

static void take_down(const struct compose *compose)
{
	static const char *const words[] = { "down", NULL };
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	if (!compose_run(compose, words, false, STOP_MS, &result, &ignored))
		return;
}

static bool start_containers(
	const struct up_job *job, const struct compose *compose, struct error *err)
{
	const char *const words[] = { "up", "--detach", "--remove-orphans", "--pull",
		job->args->pull, NULL };
	AUTO(proc_result) struct proc_result result = { 0 };
	bool is_shown = !job->ctx->is_quiet && !job->ctx->is_json;
	return compose_run(compose, words, is_shown, PULL_MS, &result, err);
}

/* Compose says that something depends on what is not healthy; here is said which, and its log is shown. */
static bool explain(const struct up_job *job, const struct compose *compose, struct error *err)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(compose_services) struct compose_services services = { 0 };
	if (!compose_list(compose, &services, &ignored))
		return false;
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		const struct compose_service *found =
			compose_service_find(&services, service_rows[s].name);
		bool is_ill = found && strcmp(found->state, "created") != 0 &&
			      (strcmp(found->state, "running") != 0 ||
				      strcmp(found->health, "unhealthy") == 0);
		if (!is_ill)
			continue;
		show_log(job, compose, s);
		error_wrap(err, "%s is %s (exit status %lld)", service_rows[s].title, found->state,
			(long long)found->exit_code);
		return error_hint(err, "its log stands above; '--keep-on-failure' leaves the "
				       "containers to look into");
	}
	return false;
}

static bool had_containers(const struct compose *compose)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(compose_services) struct compose_services services = { 0 };
	return compose_list(compose, &services, &ignored) && services.count > 0;
}

static bool up_containers(struct up_job *job, struct error *err)
{
	struct compose compose;
	if (service_receiver(&job->stack.config) == SERVICE_BRIDGE) {
		error_set(err, ERR_REFUSED, "the bridge has no container image yet");
		return error_hint(
			err, "'cctm init --set ingest=collector', or '--runtime embedded'");
	}
	if (!compose_open(job->stack.dir, &compose, err))
		return false;
	bool ran_before = had_containers(&compose);
	bool is_started = start_containers(job, &compose, err);
	if (is_started && (!job->args->waits || wait_for_all(job, err)))
		return true;
	const struct probe *failed = wait_failed(&job->probes);
	if (is_started && failed)
		show_log(job, &compose, failed->service);
	else if (!is_started)
		explain(job, &compose, err);
	if (!ran_before && !job->args->is_kept)
		take_down(&compose);
	return false;
}

/* ---- the bridge alone ---- */

static bool up_embedded(struct up_job *job, struct error *err)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(str) char *state = bridge_dir(job->stack.dir, &job->stack.config);
	bool ran_before = embedded_find(state) != 0;
	if (!ran_before && !embedded_start(job->stack.dir, state, job->args->timeout_ms, err))
		return false;
	if (!job->args->waits || wait_for_all(job, err))
		return true;
	if (!ran_before && !job->args->is_kept && !embedded_stop(state, STOP_MS, &ignored))
		error_wrap(err, "%s", ignored.message);
	return false;
}

/* ---- what is said ---- */

static void print_text(const struct up_job *job)
{
	struct out *out = job->ctx->out;
	const struct config *config = &job->stack.config;
	AUTO(str) char *otlp = model_otlp_endpoint(config, false);
	if (job->stack.runtime == RUNTIME_DOCKER) {
		AUTO(str) char *grafana = model_url(config, "ports.grafana", "/");
		AUTO(str) char *prometheus = model_url(config, "ports.prometheus", "/");
		out_printf(out, "Grafana     %s (user %s, password in .env)\n", grafana,
			config_text(config, "grafana.admin_user"));
		out_printf(out, "Prometheus  %s\n", prometheus);
	}
	out_printf(out, "OTLP        %s\n", otlp);
	out_note(out, "next: point Claude Code there; %s",
		job->stack.runtime == RUNTIME_DOCKER
			? "claude-code.env lists the variables. 'cctm status' looks after the stack"
			: "'cctm report' adds up what it sends. 'cctm status' looks after the "
			  "bridge");
}

static void print_json(const struct up_job *job)
{
	json_t *parts = json_array();
	for (size_t i = 0; i < job->probes.count; i++) {
		const struct probe *probe = &job->probes.items[i];
		json_array_append_new(parts,
			json_pack("{s:s, s:s, s:o, s:b}", "service",
				service_rows[probe->service].name, "what", probe->what, "url",
				out_json_text(probe->url), "healthy", probe->is_passed));
	}
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:s, s:o}", "directory", out_json_text(job->stack.dir), "runtime",
			runtime_name(job->stack.runtime), "probes", parts));
}

static bool start(struct up_job *job, struct error *err)
{
	if (!loaded_read(job->ctx->dir, &job->stack, err) ||
		!loaded_probes(&job->stack, &job->probes, err))
		return false;
	return job->stack.runtime == RUNTIME_DOCKER ? up_containers(job, err)
						    : up_embedded(job, err);
}

static int up_run(struct context *ctx, const void *raw, struct error *err)
{
	struct up_job job = { .ctx = ctx, .args = raw };
	bool is_up = start(&job, err);
	if (is_up && ctx->is_json)
		print_json(&job);
	else if (is_up)
		print_text(&job);
	probes_clear(&job.probes);
	loaded_clear(&job.stack);
	return is_up ? 0 : -1;
}
