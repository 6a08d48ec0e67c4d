/* cctm logs: what the parts said, as they said it. In place of cctm it runs Compose, or tail for the bridge's own log. */
#include <string.h>
#include <sys/stat.h>

#include "cmd/cmd.h"
#include "config/bridge_dir.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"
#include "loaded/loaded.h"
#include "stack/compose.h"
#include "stack/embedded.h"

struct logs_args {
	bool is_followed;
	const char *since;
	int64_t tail;
	struct opt_rest services;
};

static const struct opt logs_options[] = {
	OPT(struct logs_args, is_followed, 'f', "follow", NULL, "go on with what comes"),
	OPT(struct logs_args, since, 0, "since", "TIME",
		"of containers: 10m, 2h, 2026-11-01T10:00:00"),
	OPT_INT(struct logs_args, tail, 'n', "tail", "LINES", 0, 1000000, "200",
		"so many lines of each"),
	OPT_END,
};

static const struct opt_argument logs_arguments[] = {
	{ .offset = offsetof(struct logs_args, services),
		.name = "SERVICE",
		.is_optional = true,
		.is_repeated = true,
		.help = "otel-collector, prometheus, grafana, ...; all when absent" },
	OPT_ARGUMENT_END,
};

static const struct example logs_examples[] = {
	{ "cctm logs", "the last lines of every part" },
	{ "cctm logs -f otel-collector", "follow one" },
	{ "cctm logs --since 10m grafana", "the last ten minutes" },
	{ NULL, NULL },
};

static int logs_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_logs = {
	.name = "logs",
	.group = GROUP_STACK,
	.summary = "show what the parts of the stack log",
	.effect = EFFECT_READS,
	.args_size = sizeof(struct logs_args),
	.options = logs_options,
	.arguments = logs_arguments,
	.examples = logs_examples,
	.text = "Shows the logs of the stack's containers through Docker Compose, or of the bridge "
		"in the background. The Collector "
		"with collector.debug: detailed logs what it receives, prompts included where they "
		"are sent.",
	.run = logs_run,
};

#define SERVICES_MAX 12

static bool show_containers(
	const struct loaded *stack, const struct logs_args *args, struct error *err)
{
	struct compose compose;
	const char *words[COMPOSE_WORDS_MAX] = { "logs" };
	size_t count = 1;
	AUTO(str) char *tail = mem_printf("%lld", (long long)args->tail);
	if (args->services.count > SERVICES_MAX)
		return error_set(err, ERR_USAGE, "so many services there are not");
	words[count++] = "--tail";
	words[count++] = tail;
	if (args->is_followed)
		words[count++] = "--follow";
	if (args->since) {
		words[count++] = "--since";
		words[count++] = args->since;
	}
	words[count++] = "--";
	for (size_t i = 0; i < args->services.count; i++)
		words[count++] = args->services.items[i];
	return compose_open(stack->dir, &compose, err) && compose_become(&compose, words, err);
}

static bool show_bridge(const struct loaded *stack, const struct logs_args *args, struct error *err)
{
	struct stat st;
	AUTO(str) char *state = bridge_dir(stack->dir, &stack->config);
	AUTO(str) char *log = path_join(state, EMBEDDED_LOG);
	AUTO(str) char *lines = mem_printf("%lld", (long long)args->tail);
	const char *const argv[] = { "tail", "-n", lines, args->is_followed ? "-F" : "--", log,
		NULL };
	if (args->since || args->services.count)
		return error_set(err, ERR_USAGE,
			"--since and services are of containers; this stack is the bridge alone");
	if (stat(log, &st) < 0) {
		error_set(err, ERR_FAILED, "there is no log yet: %s", log);
		return error_hint(err, "'cctm up' starts the bridge");
	}
	return proc_become(argv, NULL, err);
}

static int logs_run(struct context *ctx, const void *raw, struct error *err)
{
	const struct logs_args *args = raw;
	AUTO(loaded) struct loaded stack = { 0 };
	if (ctx->is_json) {
		error_set(err, ERR_USAGE, "logs are not JSON: they are as the parts write them");
		return -1;
	}
	if (!loaded_read(ctx->dir, &stack, err) || !out_flush(ctx->out, err))
		return -1;
	bool is_shown = stack.runtime == RUNTIME_DOCKER ? show_containers(&stack, args, err)
							: show_bridge(&stack, args, err);
	return is_shown ? 0 : -1;
}
