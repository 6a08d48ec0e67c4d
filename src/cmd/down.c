/* cctm down: stops the stack. Data stay, unless --volumes asks for their end, which is asked about first. */
#include <string.h>

#include "cmd/cmd.h"
#include "config/bridge_dir.h"
#include "core/ask.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "loaded/loaded.h"
#include "stack/compose.h"
#include "stack/embedded.h"

struct down_args {
	bool has_volumes, is_yes;
};

static const struct opt down_options[] = {
	OPT(struct down_args, has_volumes, 0, "volumes", NULL,
		"delete the named volumes too, with everything that was measured; asks first"),
	OPT(struct down_args, is_yes, 'y', "yes", NULL, "answer yes to what would be asked"),
	OPT_END,
};

static const struct example down_examples[] = {
	{ "cctm down", "stop; 'cctm up' goes on where it was" },
	{ "cctm down --volumes", "stop, and delete what Prometheus and Grafana keep" },
	{ NULL, NULL },
};

static int down_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_down = {
	.name = "down",
	.group = GROUP_STACK,
	.summary = "stop the stack",
	.effect = EFFECT_DESTROYS,
	.args_size = sizeof(struct down_args),
	.options = down_options,
	.examples = down_examples,
	.text = "Stops the containers and takes them away, or ends the bridge in the background, "
		"which finishes what it accepted. "
		"Data stay: volumes, directories and the bridge's ledger are not touched.\n\n"
		"With --volumes the named volumes are deleted as well. That is asked about on a "
		"terminal; elsewhere --yes has to "
		"be there. Directories (storage: bind) and the bridge's ledger are never deleted.",
	.run = down_run,
};

#define STOP_MS	      180000
#define BRIDGE_END_MS 20000

static bool confirm(const struct loaded *stack, const struct down_args *args, struct error *err)
{
	if (!args->has_volumes || args->is_yes)
		return true;
	AUTO(str)
	char *question = mem_printf("Delete the volumes of %s, with all that was measured?",
		config_text(&stack->config, "project"));
	return ask_yes(question, "--yes", err);
}

static bool stop_containers(struct context *ctx, const struct loaded *stack,
	const struct down_args *args, struct error *err)
{
	struct compose compose;
	AUTO(proc_result) struct proc_result result = { 0 };
	const char *const words[] = { "down", "--remove-orphans",
		args->has_volumes ? "--volumes" : NULL, NULL };
	return confirm(stack, args, err) && compose_open(stack->dir, &compose, err) &&
	       compose_run(&compose, words, !ctx->is_quiet && !ctx->is_json, STOP_MS, &result, err);
}

static bool stop_bridge(const struct loaded *stack, const struct down_args *args, struct error *err)
{
	AUTO(str) char *state = bridge_dir(stack->dir, &stack->config);
	if (args->has_volumes)
		return error_set(err, ERR_USAGE,
			"--volumes: this stack has no volumes; its ledger is %s", state);
	return embedded_stop(state, BRIDGE_END_MS, err);
}

static int down_run(struct context *ctx, const void *raw, struct error *err)
{
	const struct down_args *args = raw;
	AUTO(loaded) struct loaded stack = { 0 };
	if (!loaded_read(ctx->dir, &stack, err))
		return -1;
	bool is_docker = stack.runtime == RUNTIME_DOCKER;
	if (!(is_docker ? stop_containers(ctx, &stack, args, err) : stop_bridge(&stack, args, err)))
		return -1;
	if (ctx->is_json)
		out_json(ctx->out, 1,
			json_pack("{s:o, s:s, s:b}", "directory", out_json_text(stack.dir),
				"runtime", runtime_name(stack.runtime), "volumes_deleted",
				args->has_volumes));
	else
		out_note(ctx->out, "stopped; %s",
			args->has_volumes ? "the volumes are deleted"
					  : "the data stay, 'cctm up' starts it again");
	return 0;
}
