/* cctm restart: ends and starts all parts or some, and waits until everything answers again. Data are never touched. */
#include <string.h>

#include "backup/restore.h"
#include "cmd/cmd.h"
#include "config/bridge_dir.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "loaded/loaded.h"
#include "loaded/wait.h"
#include "render/plan.h"
#include "stack/compose.h"
#include "stack/embedded.h"

struct restart_args {
	int64_t timeout_ms;
	struct opt_rest services;
};

static const struct opt restart_options[] = {
	OPT_DURATION(struct restart_args, timeout_ms, 0, "timeout", 1000, 3600000, "3m",
		"how long to wait until all parts answer"),
	OPT_END,
};

static const struct opt_argument restart_arguments[] = {
	{ .offset = offsetof(struct restart_args, services),
		.name = "SERVICE",
		.is_optional = true,
		.is_repeated = true,
		.help = "otel-collector, prometheus, grafana, ...; all when absent" },
	OPT_ARGUMENT_END,
};

static const struct example restart_examples[] = {
	{ "cctm restart", "all parts" },
	{ "cctm restart otel-collector", "one, after an edit of its configuration" },
	{ NULL, NULL },
};

static int restart_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_restart = {
	.name = "restart",
	.group = GROUP_STACK,
	.summary = "restart all parts of the stack or some",
	.effect = EFFECT_CHANGES,
	.args_size = sizeof(struct restart_args),
	.options = restart_options,
	.arguments = restart_arguments,
	.examples = restart_examples,
	.text = "Restarts containers as they are, with the configurations that now lie in the "
		"stack's directory, or the bridge in "
		"the background, and waits until every part answers. 'cctm up' is what takes over "
		"a changed compose file.",
	.run = restart_run,
};

#define RESTART_MS    300000
#define BRIDGE_END_MS 20000

static bool restart_containers(struct context *ctx, const struct loaded *stack,
	const struct restart_args *args, struct error *err)
{
	struct compose compose;
	AUTO(proc_result) struct proc_result result = { 0 };
	const char *words[COMPOSE_WORDS_MAX] = { "restart", "--" };
	size_t count = 2;
	if (args->services.count > SERVICE_COUNT)
		return error_set(err, ERR_USAGE, "so many services there are not");
	for (size_t i = 0; i < args->services.count; i++)
		words[count++] = args->services.items[i];
	return compose_open(stack->dir, &compose, err) &&
	       compose_run(
		       &compose, words, !ctx->is_quiet && !ctx->is_json, RESTART_MS, &result, err);
}

static bool restart_bridge(
	const struct loaded *stack, const struct restart_args *args, struct error *err)
{
	AUTO(str) char *state = bridge_dir(stack->dir, &stack->config);
	if (args->services.count)
		return error_set(err, ERR_USAGE,
			"services are of containers; this stack is the bridge alone");
	return embedded_stop(state, BRIDGE_END_MS, err) &&
	       embedded_start(stack->dir, state, args->timeout_ms, err);
}

static bool wait_for_all(struct probes *probes, int64_t timeout_ms, struct error *err)
{
	const struct wait_request request = { .timeout_ms = timeout_ms };
	if (wait_for_probes(probes, &request, err))
		return true;
	AUTO(str) char *hint = wait_hint(wait_failed(probes));
	return error_hint(err, "%s", hint);
}

static int restart_run(struct context *ctx, const void *raw, struct error *err)
{
	const struct restart_args *args = raw;
	AUTO(loaded) struct loaded stack = { 0 };
	AUTO(probes) struct probes probes = { 0 };
	if (!loaded_read(ctx->dir, &stack, err) || !loaded_probes(&stack, true, &probes, err))
		return -1;
	AUTO(fd) int lock = plan_lock(stack.dir, err);
	if (lock < 0 || !restore_settle(&stack, err))
		return -1;
	bool is_docker = stack.runtime == RUNTIME_DOCKER;
	if (!(is_docker ? restart_containers(ctx, &stack, args, err)
			: restart_bridge(&stack, args, err)) ||
		!wait_for_all(&probes, args->timeout_ms, err))
		return -1;
	if (ctx->is_json)
		out_json(ctx->out, 1,
			json_pack("{s:o, s:s}", "directory", out_json_text(stack.dir), "runtime",
				runtime_name(stack.runtime)));
	else
		out_note(ctx->out, "restarted; every part answers");
	return 0;
}
