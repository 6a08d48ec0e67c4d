/* cctm status: one line a part: does its container or process run, and does it answer? Reads only; 3 when one does not.
 *
 * What runs is known by Compose's own labels, or by the lock of the bridge's directory and what that bridge calls itself,
 * never by an open port: that may be somebody else's.
 */
#include <poll.h>
#include <unistd.h>

#include "cmd/status_internal.h"
#include "core/error.h"
#include "core/out.h"

static const struct opt status_options[] = {
	OPT(struct status_args, is_watched, 'w', "watch", NULL,
		"show it again and again, until Ctrl-C"),
	OPT_NEGATABLE(struct status_args, has_usage, 0, "usage", "on",
		"show what each part takes of CPU and memory; of containers that needs two "
		"seconds"),
	OPT_END,
};

static const struct example status_examples[] = {
	{ "cctm status", "is the stack well?" },
	{ "cctm status --watch", "look on while it starts" },
	{ "cctm status --json --no-usage", "for a program; the exit status is 3 when it is not" },
	{ NULL, NULL },
};

static int status_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_status = {
	.name = "status",
	.group = GROUP_STACK,
	.summary = "show which parts of the stack run and answer",
	.effect = EFFECT_READS,
	.args_size = sizeof(struct status_args),
	.options = status_options,
	.examples = status_examples,
	.text = "Lists the parts of the stack: whether each runs and answers through its published "
		"port, its version, since when it runs, what it takes, how often it was started "
		"again, when the receiver took its last sample, and its address. What is not "
		"known is shown as a dash. The exit status is 3 when a part does not run or does "
		"not answer.\n\n"
		"With --watch it goes on until it is interrupted; with --json too, a document a "
		"line.",
	.run = status_run,
};

#define WATCH_MS 2000

static int look_once(struct context *ctx, const struct status_args *args, struct error *err)
{
	struct status_job job = { .ctx = ctx, .args = args };
	int status = -1;
	if (status_look(&job, err)) {
		status = job.is_well ? 0 : error_exit_status(ERR_UNHEALTHY);
		status_print(&job);
	}
	status_clear(&job);
	return status;
}

static int status_run(struct context *ctx, const void *raw, struct error *err)
{
	const struct status_args *args = raw;
	int status = look_once(ctx, args, err);
	while (args->is_watched && status >= 0) {
		if (!out_flush(ctx->out, err))
			return -1;
		poll(NULL, 0, WATCH_MS);
		status = look_once(ctx, args, err);
	}
	return status;
}
