/* cctm budget: what was spent of each budget of cctm.yaml, and setting one.
 *
 * Setting a budget edits one key and nothing else; what follows from it is said and left to the user. A figure that cannot
 * be told is a dash and never 0.
 */
#include <string.h>

#include "cmd/budget_internal.h"
#include "cmd/cmd.h"
#include "config/change.h"
#include "config/stack_dir.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"

struct budget_args {
	const char *action, *period, *amount;
	bool is_user, is_team, is_model, is_dry_run;
};

static const char *const actions[] = { "list", "set", "unset", NULL };
static const char *const periods[] = { "daily", "weekly", "monthly", NULL };

static const struct opt budget_options[] = {
	OPT(struct budget_args, is_user, 0, "user", NULL, "set and unset: the budget of each user"),
	OPT(struct budget_args, is_team, 0, "team", NULL, "set and unset: the budget of each team"),
	OPT(struct budget_args, is_model, 0, "model", NULL,
		"set and unset: the budget of each model"),
	OPT(struct budget_args, is_dry_run, 0, "dry-run", NULL,
		"set and unset: show what would change, as a diff, and change nothing"),
	OPT_END,
};

static const struct opt_argument budget_arguments[] = {
	{ .offset = offsetof(struct budget_args, action),
		.name = "ACTION",
		.is_optional = true,
		.choices = actions,
		.help = "list: each budget and what was spent of it (this is the default); set and "
			"unset: change one in cctm.yaml" },
	{ .offset = offsetof(struct budget_args, period),
		.name = "PERIOD",
		.is_optional = true,
		.choices = periods,
		.help = "which budget" },
	{ .offset = offsetof(struct budget_args, amount),
		.name = "USD",
		.is_optional = true,
		.help = "how much, for set" },
	OPT_ARGUMENT_END,
};

static const struct example budget_examples[] = {
	{ "cctm budget", "what is left of today, this week and this month" },
	{ "cctm budget set daily 50", "50 USD a day, all together" },
	{ "cctm budget set monthly 200 --user", "200 USD a month for each user" },
	{ "cctm budget unset weekly --team", "no budget of teams for the week" },
	{ NULL, NULL },
};

static int budget_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_budget = {
	.name = "budget",
	.group = GROUP_DATA,
	.summary = "show what is spent of each budget, or set one",
	.effect = EFFECT_CHANGES,
	.args_size = sizeof(struct budget_args),
	.options = budget_options,
	.arguments = budget_arguments,
	.examples = budget_examples,
	.text = "Shows each budget of cctm.yaml with what was spent of it since local midnight, "
		"Monday or the first of the month (time_zone in cctm.yaml), what is left, and what "
		"the period will have cost if it goes on like this. The figures are Prometheus', "
		"or "
		"those of the bridge's ledger in an embedded stack.\n\n"
		"set and unset change cctm.yaml and keep its comments. Alerts of a budget are "
		"raised at 50, 80 and 100 %; 'cctm alerts' shows them.",
	.run = budget_run,
};

/* ---- set and unset ---- */

static bool check_words(const struct budget_args *args, bool is_set, struct error *err)
{
	const char *usage = is_set ? "cctm budget set daily 50" : "cctm budget unset daily";
	int scopes = args->is_user + args->is_team + args->is_model;
	if (scopes > 1)
		return error_set(err, ERR_USAGE, "--user, --team and --model exclude each other");
	if (args->period && is_set == (args->amount != NULL))
		return true;
	error_set(err, ERR_USAGE, "budget: wrong number of words");
	return error_hint(err, "write '%s'", usage);
}

static char *key_of(const struct budget_args *args)
{
	size_t period = 0;
	while (strcmp(periods[period], args->period) != 0)
		period++;
	enum budget_scope scope = args->is_user	   ? BUDGET_USER
				  : args->is_team  ? BUDGET_TEAM
				  : args->is_model ? BUDGET_MODEL
						   : BUDGET_ALL;
	return budget_key((enum budget_period)period, scope);
}

/* What has to be run for it to be watched. */
static const char *next_step(const struct context *ctx)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(loaded) struct loaded stack = { 0 };
	bool is_embedded =
		loaded_read(ctx->dir, &stack, &ignored) && stack.runtime == RUNTIME_EMBEDDED;
	return is_embedded ? "'cctm up' makes the bridge go by it"
			   : "'cctm init' and 'cctm up' make the alerts go by it";
}

static void print_change(
	struct context *ctx, const struct change *change, bool is_dry_run, const char *diff)
{
	struct out *out = ctx->out;
	if (ctx->is_json)
		out_json(out, 1,
			json_pack("{s:o, s:s, s:b, s:b, s:o}", "file", out_json_text(change->file),
				"key", change->key, "changed", change->is_changed, "dry_run",
				is_dry_run, "diff", out_json_text(diff)));
	else if (is_dry_run && change->is_changed)
		out_printf(out, "%s", diff);
	if (!change->is_changed)
		out_note(out, "%s: nothing to change", change->file);
	else if (!is_dry_run)
		out_note(out, "%s: %s is changed; %s", change->file, change->key, next_step(ctx));
	if (change->overridden_by)
		out_note(out, "%s is set in the environment and wins over the file",
			change->overridden_by);
}

static int edit(struct context *ctx, const struct budget_args *args, bool is_set, struct error *err)
{
	AUTO(change) struct change change = { 0 };
	AUTO(stack_dir) struct stack_dir where = { 0 };
	AUTO(buf) struct buf diff = BUF_INIT(BUF_UNLIMITED);
	if (!check_words(args, is_set, err) || !stack_dir_find(ctx->dir, &where, err))
		return -1;
	AUTO(str) char *key = key_of(args);
	bool is_done = (is_set ? change_set(&where, key, args->amount, &change, err)
			       : change_unset(&where, key, &change, err)) &&
		       (args->is_dry_run || change_write(&change, err));
	if (!is_done)
		return -1;
	change_diff(&change, &diff);
	print_change(ctx, &change, args->is_dry_run, buf_str(&diff));
	return 0;
}

/* ---- list ---- */

static int list(struct context *ctx, const struct budget_args *args, struct error *err)
{
	AUTO(loaded) struct loaded stack = { 0 };
	AUTO(budget_listing) struct budget_listing listing = { 0 };
	if (args->period || args->is_user || args->is_team || args->is_model || args->is_dry_run) {
		error_set(err, ERR_USAGE, "list takes no other words");
		return -1;
	}
	if (!loaded_read(ctx->dir, &stack, err) || !loaded_use_zone(&stack, err))
		return -1;
	budget_look(&stack, &listing);
	budget_print(ctx, &listing);
	return 0;
}

static int budget_run(struct context *ctx, const void *raw, struct error *err)
{
	const struct budget_args *args = raw;
	const char *action = args->action ? args->action : "list";
	if (strcmp(action, "list") == 0)
		return list(ctx, args, err);
	return edit(ctx, args, strcmp(action, "set") == 0, err);
}
