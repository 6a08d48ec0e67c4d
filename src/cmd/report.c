/* cctm report: what Claude Code cost and did, added up from the ledger by day, model, user and more.
 *
 * It reads and never writes: the bridge may run meanwhile or not, and its lock is not taken. Totals are
 * exact (the ledger holds every acknowledged value once); a figure that cannot be told is a
 * dash or null and never 0. JSON is a promise: fields are added, never renamed.
 */
#include "report/report.h"

#include <sys/stat.h>

#include "cmd/cmd.h"
#include "config/bridge_dir.h"
#include "config/config.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/zone.h"
#include "report/period.h"
#include "report/print.h"

struct report_args {
	const char *since, *until, *by, *tz, *state;
	bool csv;
};

static const struct opt report_options[] = {
	OPT(struct report_args, since, 0, "since", "TIME",
		"beginning of the range: 7d, 2026-11-01, 2026-11-01T10:00, today, yesterday, week "
		"or month (default the last day of the range and the six before it)"),
	OPT_TEXT(struct report_args, until, 0, "until", "TIME", "now",
		"end of the range, itself not in it"),
	OPT_CHOICE(struct report_args, by, 0, "by", "GROUP", report_by_names, "day",
		"what a row stands for"),
	OPT(struct report_args, tz, 0, "tz", "ZONE",
		"time zone of days and times: Europe/Berlin, UTC or +02:00 (default the system's)"),
	OPT(struct report_args, csv, 0, "csv", NULL, "print comma-separated values"),
	OPT(struct report_args, state, 0, "state", "DIR",
		"the bridge's state directory (default that of the stack which -C names, else the "
		"user's)"),
	OPT_END,
};

static const struct example report_examples[] = {
	{ "cctm report", "the last seven days, day by day" },
	{ "cctm report --since month --by model", "this month, by model" },
	{ "cctm report --since 2026-11-01 --until 2026-12-01 --by user --json",
		"November by user, for a program" },
	{ "cctm report --by session --since 12h", "sessions of the last twelve hours" },
	{ NULL, NULL },
};

static int report_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_report = {
	.name = "report",
	.group = GROUP_DATA,
	.summary = "add up what Claude Code cost and did",
	.effect = EFFECT_READS,
	.args_size = sizeof(struct report_args),
	.options = report_options,
	.examples = report_examples,
	.text = "Reads the bridge's ledger, also while the bridge runs, and prints totals and one "
		"row a group: cost as Claude Code itself states it, tokens by type, sessions, "
		"commits, lines, active time.\n\n"
		"Times are those at which things happened, to the minute. With --by session the "
		"range "
		"is widened to whole hours, because history by session is kept by the hour; the "
		"printed range says so.\n\n"
		"A session is incomplete when events of it were lost on their way to the bridge "
		"(Claude Code numbers them). It is unknown when several processes used it at once. "
		"A "
		"figure that cannot be told is shown as a dash, in JSON as null.",
	.run = report_run,
};

static bool read_query(const struct report_args *args, int64_t now_ms, struct report_query *query,
	struct error *err)
{
	if (!zone_use(args->tz, err))
		return error_wrap(err, "--tz");
	query->by = report_by_parse(args->by);
	if (!period_parse(args->until, now_ms, &query->until_ms, err))
		return error_wrap(err, "--until");
	query->since_ms = period_default_since(query->until_ms - 1);
	if (args->since && !period_parse(args->since, now_ms, &query->since_ms, err))
		return error_wrap(err, "--since");
	if (query->since_ms >= query->until_ms) {
		error_set(err, ERR_USAGE, "the range ends before it begins");
		return error_hint(err, "--since must be earlier than --until");
	}
	return true;
}

/* Of the option, of the stack that -C names, else of the user. A stack whose settings are broken has a ledger too. */
static char *state_dir(const struct context *ctx, const struct report_args *args)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(config) struct config config = { 0 };
	if (args->state)
		return mem_strdup(args->state);
	AUTO(str) char *file = ctx->dir ? path_join(ctx->dir, CONFIG_FILE) : NULL;
	struct stat st;
	if (!file || stat(file, &st) < 0)
		return bridge_dir(NULL, NULL);
	const struct config_request request = { .path = file, .variable = config_getenv };
	bool is_loaded = config_load(&request, &config, &ignored);
	return bridge_dir(ctx->dir, is_loaded ? &config : NULL);
}

static void print(struct context *ctx, const struct report_args *args, const struct report *report,
	const struct print_options *options)
{
	if (ctx->is_json)
		out_json(ctx->out, 1, report_print_json(report));
	else if (args->csv)
		report_print_csv(ctx->out, report);
	else
		report_print_text(ctx->out, report, options);
}

static int report_run(struct context *ctx, const void *args, struct error *err)
{
	const struct report_args *a = args;
	int64_t now_ms = clock_wall_ms();
	struct report_query query;
	if (a->csv && ctx->is_json) {
		error_set(err, ERR_USAGE, "--csv and --json exclude each other");
		return -1;
	}
	if (a->state && !*a->state) {
		error_set(err, ERR_USAGE, "--state: the directory has no name");
		return -1;
	}
	if (!read_query(a, now_ms, &query, err))
		return -1;
	AUTO(str) char *dir = state_dir(ctx, a);
	AUTO(report) struct report report = { 0 };
	if (!report_from_ledger(dir, &query, &report, err)) {
		error_wrap(err, "reading the report");
		return -1;
	}
	const struct print_options options = {
		.now_ms = now_ms,
		.state_dir = dir,
		.is_utf8 = report_locale_is_utf8(),
		.width = out_width(ctx->out),
	};
	print(ctx, a, &report, &options);
	return 0;
}
