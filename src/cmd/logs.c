/* cctm logs: what the parts said, as they said it. In place of cctm it runs Compose, or tail for the bridge's own log. */
#include <regex.h>
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
	const char *pattern;
	bool is_followed, has_errors_only;
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
	OPT(struct logs_args, pattern, 0, "grep", "PATTERN", "show only lines that match"),
	OPT(struct logs_args, has_errors_only, 0, "errors", NULL, "show only errors and warnings"),
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
	{ "cctm logs --errors -f", "only what is an error or a warning, as it comes" },
	{ "cctm logs --grep 'refused|timeout'", "only lines that match" },
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
		"are sent.\n\n"
		"With --grep, an extended regular expression (POSIX), and --errors only the lines "
		"that match are shown, of the last lines that --tail takes.",
	.run = logs_run,
};

#define SERVICES_MAX 12

/* As the parts write their levels: level=warn, "level":"error", a column of its own, a word at the line's begin. */
#define ERRORS                                                                     \
	"(level|lvl)\"?[=:][ "                                                     \
	"]?\"?(warn|err|crit|fatal|panic|alert)|\t(warn|error|fatal|[d]?panic)\t|" \
	"(^|[ |])(panic:|fatal:|fatal error:|error|warning|cctm: )"

/* The lines that are shown. */
struct filter {
	struct out *out;
	regex_t patterns[2];
	size_t count;
	bool is_broken; /* nobody reads what we write */
};

static bool add_pattern(struct filter *filter, const char *pattern, int flags, struct error *err)
{
	char why[200];
	regex_t *regex = &filter->patterns[filter->count];
	int code = regcomp(regex, pattern, REG_EXTENDED | REG_NOSUB | flags);
	if (code == 0) {
		filter->count++;
		return true;
	}
	regerror(code, regex, why, sizeof why);
	return error_set(err, ERR_USAGE, "--grep \"%.100s\": %s", pattern, why);
}

static void show_line(void *ctx, const char *line)
{
	struct filter *filter = ctx;
	AUTO(error) struct error ignored = ERROR_INIT;
	for (size_t i = 0; i < filter->count; i++) {
		if (regexec(&filter->patterns[i], line, 0, NULL, 0) != 0)
			return;
	}
	out_printf(filter->out, "%s\n", line);
	if (!out_flush(filter->out, &ignored))
		filter->is_broken = true;
}

/* Without a filter the program that knows the logs takes our place. */
static bool show(struct context *ctx, const struct logs_args *args, const char *const *argv,
	const char *dir, struct error *err)
{
	struct filter filter = { .out = ctx->out };
	int status = 0;
	if (!args->pattern && !args->has_errors_only)
		return out_flush(ctx->out, err) && proc_become(argv, dir, err);
	bool is_shown = (!args->pattern || add_pattern(&filter, args->pattern, 0, err)) &&
			(!args->has_errors_only || add_pattern(&filter, ERRORS, REG_ICASE, err)) &&
			proc_lines(argv, dir, show_line, &filter, &status, err);
	for (size_t i = 0; i < filter.count; i++)
		regfree(&filter.patterns[i]);
	return is_shown &&
	       (status == 0 || error_set(err, ERR_FAILED, "%s exited with %d", argv[0], status));
}

static bool show_containers(struct context *ctx, const struct loaded *stack,
	const struct logs_args *args, struct error *err)
{
	struct compose compose;
	const char *words[COMPOSE_WORDS_MAX] = { "logs" }, *argv[COMPOSE_WORDS_MAX];
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
	if (!compose_open(stack->dir, &compose, err))
		return false;
	compose_words(&compose, words, argv);
	return show(ctx, args, argv, stack->dir, err);
}

static bool show_bridge(struct context *ctx, const struct loaded *stack,
	const struct logs_args *args, struct error *err)
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
	return show(ctx, args, argv, NULL, err);
}

static int logs_run(struct context *ctx, const void *raw, struct error *err)
{
	const struct logs_args *args = raw;
	AUTO(loaded) struct loaded stack = { 0 };
	if (ctx->is_json) {
		error_set(err, ERR_USAGE, "logs are not JSON: they are as the parts write them");
		return -1;
	}
	if (!loaded_read(ctx->dir, &stack, err))
		return -1;
	bool is_shown = stack.runtime == RUNTIME_DOCKER ? show_containers(ctx, &stack, args, err)
							: show_bridge(ctx, &stack, args, err);
	return is_shown ? 0 : -1;
}
