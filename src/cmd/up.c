/* cctm up: starts the stack and comes back when every part of it works, or says which does not and why.
 *
 * Works means: a sample that this run sent was read back through it, from outside, by the published ports. A stack that does
 * not get there is taken down again, unless it ran before or --keep-on-failure says otherwise. Data are never touched.
 */
#include <stdlib.h>
#include <string.h>

#include "backup/restore.h"
#include "cmd/cmd.h"
#include "cmd/up_internal.h"
#include "config/bridge_dir.h"
#include "config/stack_dir.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "render/model.h"
#include "render/provision.h"
#include "stack/embedded.h"
#include "stack/systemd.h"

static const char *const pull_policies[] = { "missing", "always", "never", NULL };

static const struct opt up_options[] = {
	OPT_NEGATABLE(struct up_args, waits, 0, "wait", "on", "wait until every part works"),
	OPT_DURATION(struct up_args, timeout_ms, 0, "timeout", 1000, 3600000, "2m",
		"how long to wait for all parts; images are pulled before"),
	OPT_CHOICE(struct up_args, pull, 0, "pull", "WHEN", pull_policies, "missing",
		"whether images are pulled"),
	OPT(struct up_args, is_build_only, 0, "build-only", NULL,
		"make and pull the images, and start nothing"),
	OPT(struct up_args, uses_systemd, 0, "systemd", NULL,
		"have your systemd run the bridge, also after a crash and the next login"),
	OPT(struct up_args, sets_env, 0, "env", NULL,
		"then write Claude Code's settings too, as 'cctm env --apply' does"),
	OPT(struct up_args, is_kept, 0, "keep-on-failure", NULL,
		"leave what was started when a part does not get healthy"),
	OPT_END,
};

static const struct example up_examples[] = {
	{ "cctm up", "start the stack, making one first where there is none" },
	{ "cctm -C ~/metrics up --timeout 10m",
		"one in a directory of its own, on a slow machine" },
	{ "cctm up --build-only", "only fetch what will be needed, for a start without network" },
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
	.text = "Starts the containers with Docker Compose, or the bridge in the background, sends "
		"one sample (the gauge stack_verified_timestamp_seconds) and "
		"asks every part from this machine until the sample has come through it: OTLP over "
		"HTTP and gRPC, the receiver's health and "
		"metrics, Prometheus and its targets, Grafana, its login and its datasource. Where "
		"Prometheus reads the receiver, that takes up to one scrape interval. Dashboards "
		"that Grafana has not are put there then, and those of an older cctm are brought "
		"up to date; what you changed in them stays.\n\n"
		"Before anything is started it looks for what would stand in the way: the engine, "
		"ports and who has them, room on disk. A part that does not get healthy is named "
		"with what it said last, the end of its log, how it ended, the likely cause and "
		"the remedy; then what was started is stopped again, and the exit status is 1.\n\n"
		"Run again it starts what does not run and recreates what changed in the compose "
		"file. Where only a part's own configuration changed, Prometheus and Grafana read "
		"theirs again and others are restarted; all of it is verified again. Files are as "
		"the last 'cctm init' wrote them and you edited them. Interrupted with Ctrl-C, it "
		"leaves what the next 'cctm up' or 'cctm down' goes on with.",
	.run = up_run,
};

#define SELF_MS 60000

/* ---- what both runtimes need ---- */

bool up_judge(const struct up_job *job, const struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < findings->count; i++) {
		if (!findings->items[i].is_fatal)
			out_note(job->ctx->out, "note: %s", findings->items[i].what);
	}
	return findings_judge(findings, err);
}

static void say_passed(void *ctx, const struct probe *probe)
{
	const struct up_job *job = ctx;
	out_note(job->ctx->out, "  ok  %-38s %.1f s", probe->what, (double)probe->after_ms / 1000);
}

static void say_waiting(void *ctx, const struct probe *probe, int64_t after_ms)
{
	const struct up_job *job = ctx;
	out_status(job->ctx->out, "%-38s %.1f s", probe->what, (double)after_ms / 1000);
}

bool up_wait(struct up_job *job, bool (*is_hopeless)(void *ctx), struct error *err)
{
	const struct wait_request request = { .timeout_ms = job->args->timeout_ms,
		.ctx = job,
		.passed = say_passed,
		.waiting = say_waiting,
		.is_hopeless = is_hopeless };
	return !job->args->waits || wait_for_probes(&job->probes, &request, err);
}

/* ---- the bridge alone ---- */

/* One that runs by itself makes room for the unit. */
static bool move_to_systemd(struct up_job *job, const char *state, struct error *err)
{
	if (!systemd_answers()) {
		error_set(err, ERR_FAILED, "--systemd: no systemd of yours answers here");
		return error_hint(err, "without --systemd the bridge runs in the background");
	}
	if (!systemd_has_unit(state) && job->ran_before && !embedded_stop(state, UP_STOP_MS, err))
		return false;
	job->ran_before = job->ran_before && systemd_has_unit(state);
	out_note(job->ctx->out, "systemd runs the bridge while you are logged in; 'loginctl "
				"enable-linger' makes that always");
	return systemd_write_unit(job->stack.dir, state, err);
}

static bool start_bridge(struct up_job *job, const char *state, struct error *err)
{
	AUTO(findings) struct findings findings = { 0 };
	if (job->args->uses_systemd && !move_to_systemd(job, state, err))
		return false;
	if (job->ran_before && !current_differs(&job->noted, &job->files, SERVICE_BRIDGE))
		return true;
	preflight_embedded(&job->stack.config, state, job->ran_before, &findings);
	if (!up_judge(job, &findings, err))
		return false;
	if (job->ran_before) {
		out_note(job->ctx->out, "the settings changed: the bridge is started again");
		if (!embedded_stop(state, UP_STOP_MS, err))
			return false;
	}
	return embedded_start(job->stack.dir, state, job->args->timeout_ms, err);
}

static bool is_bridge_gone(void *ctx)
{
	const struct up_job *job = ctx;
	AUTO(str) char *state = bridge_dir(job->stack.dir, &job->stack.config);
	return embedded_find(state) == 0;
}

/* One that ran when it was looked at may have been ending: a command that was killed had told it to. */
static bool wait_for_bridge(struct up_job *job, const char *state, struct error *err)
{
	if (up_wait(job, is_bridge_gone, err))
		return true;
	if (!job->ran_before || !is_bridge_gone(job))
		return false;
	error_clear(err);
	job->ran_before = false;
	for (size_t i = 0; i < job->probes.count; i++)
		job->probes.items[i].is_passed = false;
	return embedded_start(job->stack.dir, state, job->args->timeout_ms, err) &&
	       up_wait(job, is_bridge_gone, err);
}

bool up_embedded(struct up_job *job, struct error *err)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(str) char *state = bridge_dir(job->stack.dir, &job->stack.config);
	if (job->args->is_build_only)
		return true;
	job->ran_before = embedded_find(state) != 0;
	if (!start_bridge(job, state, err))
		return false;
	if (wait_for_bridge(job, state, err))
		return true;
	const struct probe *failed = wait_failed(&job->probes);
	AUTO(str) char *hint = failed ? wait_hint(failed) : NULL;
	error_hint(err, "%s", hint ? hint : "'cctm logs' shows its log");
	if (!job->ran_before && !job->args->is_kept && !embedded_stop(state, UP_STOP_MS, &ignored))
		error_wrap(err, "%s", ignored.message);
	return false;
}

/* ---- what is said ---- */

static void print_text(const struct up_job *job)
{
	struct out *out = job->ctx->out;
	const struct config *config = &job->stack.config;
	AUTO(str) char *otlp = model_otlp_endpoint(config, false);
	if (job->args->is_build_only) {
		out_note(out, "the images are here; 'cctm up' starts the stack");
		return;
	}
	if (job->stack.runtime == RUNTIME_DOCKER) {
		AUTO(str) char *grafana = model_url(config, "ports.grafana", "/");
		AUTO(str) char *prometheus = model_url(config, "ports.prometheus", "/");
		out_printf(out, "Grafana     %s (user %s; 'cctm password' shows the password)\n",
			grafana, config_text(config, "grafana.admin_user"));
		out_printf(out, "Prometheus  %s\n", prometheus);
	} else {
		AUTO(str) char *page = model_url(config, "ports.zpages", "/");
		out_printf(out, "Status      %s\n", page);
	}
	out_printf(out, "OTLP        %s\n", otlp);
	out_note(out, "next: 'cctm env --apply --wait' points Claude Code there; then %s",
		job->stack.runtime == RUNTIME_DOCKER ? "'cctm open grafana'" : "'cctm report'");
}

static void print_json(const struct up_job *job)
{
	json_t *parts = json_array();
	for (size_t i = 0; i < job->probes.count; i++) {
		const struct probe *probe = &job->probes.items[i];
		json_array_append_new(parts,
			json_pack("{s:s, s:s, s:o, s:b, s:o}", "service",
				service_rows[probe->service].name, "what", probe->what, "url",
				out_json_text(probe->url), "healthy", probe->is_passed, "after_ms",
				probe->is_passed ? json_integer(probe->after_ms) : json_null()));
	}
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:s, s:b, s:o}", "directory", out_json_text(job->stack.dir),
			"runtime", runtime_name(job->stack.runtime), "started",
			!job->args->is_build_only, "probes", parts));
}

/* ---- the stack ---- */

/* Another command of this same program; what it says is seen. */
static bool run_self(const struct up_job *job, const char *const *words, struct error *err)
{
	const char *quiet[8] = { "-q" };
	size_t count = 1;
	for (size_t i = 0; words[i] && count < 7; i++)
		quiet[count++] = words[i];
	return proc_run_self(job->ctx->is_quiet ? quiet : words, SELF_MS, err);
}

/* Where there is no stack, there is one then: as `cctm init` makes it without options. */
static bool ensure_stack(const struct up_job *job, struct error *err)
{
	AUTO(stack_dir) struct stack_dir where = { 0 };
	if (!stack_dir_find(job->ctx->dir, &where, err))
		return false;
	if (where.has_file)
		return true;
	out_note(job->ctx->out, "there is no stack in %s yet: 'cctm init' makes one", where.dir);
	const char *const words[] = { "init", where.dir, NULL };
	return run_self(job, words, err) ||
	       error_wrap(err, "'cctm init' could not make a stack in %s", where.dir);
}

/* Ports are asked as cctm.yaml has them and opened as the compose file has them. */
static bool check_ports(const struct up_job *job, struct error *err)
{
	for (size_t i = 0; i < service_port_count; i++) {
		const char *key = service_ports[i].key;
		int64_t written = manifest_port(&job->stack.last, key);
		int64_t wanted = config_number(&job->stack.config, key);
		if (!written || written == wanted ||
			!service_port_is_used(&job->stack.config, &service_ports[i]))
			continue;
		error_set(err, ERR_FAILED,
			"cctm.yaml says %s: %lld, and the stack's files say %lld", key,
			(long long)wanted, (long long)written);
		return error_hint(err, "run 'cctm init', which brings the files up to date");
	}
	return true;
}

static void note_stale_files(const struct up_job *job)
{
	const struct provision_request request = { .dir = job->stack.dir,
		.config = &job->stack.config,
		.last = &job->stack.last,
		.runtime = job->stack.runtime };
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(provision) struct provision provision = { 0 };
	if (provision_make(&request, &provision, &ignored) && plan_has_changes(&provision.plan))
		out_note(job->ctx->out,
			"note: the stack's files are not as cctm.yaml says; 'cctm render --diff' "
			"shows how, 'cctm init' mends it");
}

static bool read_stack(struct up_job *job, struct error *err)
{
	if (!loaded_read(job->ctx->dir, &job->stack, err) || !check_ports(job, err) ||
		!loaded_probes(&job->stack, true, &job->probes, err) ||
		!current_read_files(&job->stack, &job->files, err))
		return false;
	current_read_noted(&job->stack, &job->noted);
	note_stale_files(job);
	return true;
}

static bool check_words(const struct up_job *job, struct error *err)
{
	if (!job->args->uses_systemd || job->stack.runtime == RUNTIME_EMBEDDED)
		return true;
	return error_set(err, ERR_USAGE,
		"--systemd is for the bridge alone; containers come back with their engine");
}

static bool start(struct up_job *job, struct error *err)
{
	if (!ensure_stack(job, err))
		return false;
	AUTO(stack_dir) struct stack_dir where = { 0 };
	if (!stack_dir_find(job->ctx->dir, &where, err))
		return false;
	AUTO(fd) int lock = plan_lock(where.dir, err);
	if (lock < 0 || !read_stack(job, err) || !check_words(job, err) ||
		!restore_settle(&job->stack, err))
		return false;
	bool is_up = job->stack.runtime == RUNTIME_DOCKER ? up_containers(job, err)
							  : up_embedded(job, err);
	if (!is_up || job->args->is_build_only)
		return is_up;
	if (job->args->waits && !current_note(&job->stack, &job->files, err))
		return false;
	const char *const words[] = { "-C", job->stack.dir, "env", "--apply", NULL };
	return !job->args->sets_env || run_self(job, words, err) ||
	       error_wrap(err, "the stack runs, but 'cctm env --apply' failed");
}

static int up_run(struct context *ctx, const void *raw, struct error *err)
{
	struct up_job job = { .ctx = ctx, .args = raw, .ill = SERVICE_COUNT };
	bool is_up = start(&job, err);
	if (is_up && ctx->is_json)
		print_json(&job);
	else if (is_up)
		print_text(&job);
	compose_services_clear(&job.before);
	compose_services_clear(&job.after);
	probes_clear(&job.probes);
	loaded_clear(&job.stack);
	return is_up ? 0 : -1;
}
