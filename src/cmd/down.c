/* cctm down: stops the stack. Data stay, unless --volumes asks for their end, which is asked about first. */
#include <string.h>

#include "cmd/cmd.h"
#include "config/bridge_dir.h"
#include "core/ask.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"
#include "loaded/loaded.h"
#include "render/plan.h"
#include "stack/compose.h"
#include "stack/embedded.h"
#include "stack/volumes.h"

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
		"With --volumes the named volumes are deleted as well; they are listed with their "
		"sizes first. That is asked about on a "
		"terminal; elsewhere --yes has to "
		"be there. Directories (storage: bind) and the bridge's ledger are never deleted.",
	.run = down_run,
};

#define STOP_MS	      180000
#define BRIDGE_END_MS 20000

static void show_volumes(struct context *ctx, const struct volumes *volumes)
{
	for (size_t i = 0; i < volumes->count; i++)
		out_note(ctx->out, "  %-40s %s", volumes->items[i].name,
			volumes->items[i].size ? volumes->items[i].size : "size unknown");
}

/* What would be lost is listed, asked for or not. */
static bool confirm(struct context *ctx, const struct loaded *stack, const struct down_args *args,
	const struct volumes *volumes, struct error *err)
{
	if (!args->has_volumes || !volumes->count)
		return true;
	out_note(ctx->out, "with all that was measured, these are deleted:");
	show_volumes(ctx, volumes);
	AUTO(str)
	char *question =
		mem_printf("Delete the volumes of %s?", config_text(&stack->config, "project"));
	return args->is_yes || ask_yes(question, "--yes", err);
}

static bool stop_containers(struct context *ctx, const struct loaded *stack,
	const struct down_args *args, struct volumes *volumes, struct error *err)
{
	struct compose compose;
	AUTO(proc_result) struct proc_result result = { 0 };
	const char *const words[] = { "down", "--remove-orphans",
		args->has_volumes ? "--volumes" : NULL, NULL };
	if (!compose_open(stack->dir, &compose, err) ||
		(args->has_volumes &&
			!volumes_read(
				&compose, config_text(&stack->config, "project"), volumes, err)) ||
		!confirm(ctx, stack, args, volumes, err))
		return false;
	return compose_run(&compose, words, !ctx->is_quiet && !ctx->is_json, STOP_MS, &result, err);
}

static bool stop_bridge(const struct loaded *stack, const struct down_args *args, struct error *err)
{
	AUTO(str) char *state = bridge_dir(stack->dir, &stack->config);
	if (args->has_volumes)
		return error_set(err, ERR_USAGE,
			"--volumes: this stack has no volumes; its ledger is %s", state);
	return embedded_stop(state, BRIDGE_END_MS, err);
}

static json_t *volumes_json(const struct volumes *volumes)
{
	json_t *list = json_array();
	for (size_t i = 0; i < volumes->count; i++)
		json_array_append_new(
			list, json_pack("{s:o, s:o}", "name", out_json_text(volumes->items[i].name),
				      "size", out_json_text(volumes->items[i].size)));
	return list;
}

static void print(struct context *ctx, const struct loaded *stack, const struct down_args *args,
	const struct volumes *volumes)
{
	if (ctx->is_json)
		out_json(ctx->out, 1,
			json_pack("{s:o, s:s, s:b, s:o}", "directory", out_json_text(stack->dir),
				"runtime", runtime_name(stack->runtime), "volumes_deleted",
				args->has_volumes, "volumes", volumes_json(volumes)));
	else
		out_note(ctx->out, "stopped; %s",
			args->has_volumes ? "the volumes are deleted"
					  : "the data stay, 'cctm up' starts it again");
}

static int down_run(struct context *ctx, const void *raw, struct error *err)
{
	const struct down_args *args = raw;
	AUTO(loaded) struct loaded stack = { 0 };
	AUTO(volumes) struct volumes volumes = { 0 };
	if (!loaded_read(ctx->dir, &stack, err))
		return -1;
	AUTO(fd) int lock = plan_lock(stack.dir, err);
	if (lock < 0)
		return -1;
	bool is_docker = stack.runtime == RUNTIME_DOCKER;
	if (!(is_docker ? stop_containers(ctx, &stack, args, &volumes, err)
			: stop_bridge(&stack, args, err)))
		return -1;
	print(ctx, &stack, args, &volumes);
	return 0;
}
