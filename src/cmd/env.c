/* cctm env: what Claude Code must find in its environment to send its telemetry to this stack, and whether it does.
 *
 * Without --check it prints settings, in the language of a shell. A secret is never printed: what is printed
 * names the command that knows it.
 */
#include <string.h>

#include "claude/places.h"
#include "cmd/cmd.h"
#include "cmd/env_internal.h"
#include "core/error.h"

static const char *const scopes[] = { "user", "project", "local", "managed", "shell", NULL };
static const char *const protocols[] = { "http/protobuf", "http/json", "grpc", NULL };

static const struct opt env_options[] = {
	OPT_CHOICE(struct env_args, shell, 0, "shell", "SHELL", shell_names, NULL,
		"the language to print in (default: that of $SHELL)"),
	OPT_CHOICE(struct env_args, protocol, 0, "protocol", "PROTOCOL", protocols, "http/protobuf",
		"how to send; over gRPC nothing is tried again"),
	OPT_DURATION(struct env_args, interval_ms, 0, "interval", 1000, 3600000, "10s",
		"how often metrics are sent"),
	OPT(struct env_args, host, 0, "host", "HOST",
		"the stack's name or address as Claude Code sees it, where that runs elsewhere"),
	OPT(struct env_args, team, 0, "team", "NAME", "the label team_id"),
	OPT(struct env_args, department, 0, "department", "NAME", "the label department"),
	OPT(struct env_args, cost_center, 0, "cost-center", "NAME", "the label cost_center"),
	OPT(struct env_args, attributes, 0, "attribute", "NAME=VALUE",
		"a label of your own; may be repeated"),
	OPT(struct env_args, has_prompts, 0, "prompts", NULL,
		"send prompts too, as they were typed"),
	OPT(struct env_args, has_tool_details, 0, "tool-details", NULL,
		"send commands and parameters of tools too"),
	OPT(struct env_args, has_traces, 0, "traces", NULL,
		"send traces too, which Claude Code calls a beta"),
	OPT(struct env_args, is_cumulative, 0, "cumulative", NULL,
		"send sums since the start, which heal after an outage (this is the default)"),
	OPT(struct env_args, is_delta, 0, "delta", NULL,
		"send what was counted since the last export, as Claude Code does by itself"),
	OPT(struct env_args, is_checked, 0, "check", NULL,
		"compare what is in effect here and in running processes with what the stack "
		"needs"),
	OPT_INT(struct env_args, pid, 0, "pid", "PID", 1, INT32_MAX, NULL,
		"check this process of Claude Code alone"),
	OPT_DURATION_IMPLIED(
		struct env_args, wait_ms, "wait", 1000, 86400000, "5m", "wait for the first data"),
	OPT(struct env_args, is_applied, 0, "apply", NULL,
		"write it where Claude Code reads it, and keep all else that is there"),
	OPT(struct env_args, is_removed, 0, "remove", NULL,
		"take out exactly what --apply has added"),
	OPT_CHOICE(struct env_args, scope, 0, "scope", "SCOPE", scopes, "user",
		"where to: your settings.json, the project's (shared or local), that of all users "
		"of the machine, or your shell's start file"),
	OPT(struct env_args, is_managed, 0, "managed", NULL,
		"the same as --scope managed: " MANAGED_SETTINGS_PATH ", which wins over all"),
	OPT(struct env_args, is_printed, 0, "print", NULL,
		"print the settings as JSON instead, for a fleet's own tools"),
	OPT(struct env_args, is_forced, 0, "force", NULL,
		"put the stack's values in the place of yours, which --remove gives back"),
	OPT(struct env_args, is_dry_run, 'n', "dry-run", NULL,
		"say what would be written and write nothing"),
	OPT_END,
};

static const struct example env_examples[] = {
	{ "cctm env", "what to set, with comments" },
	{ "eval \"$(cctm env)\"", "set it in this shell" },
	{ "cctm env --shell fish | source", "the same in fish" },
	{ "cctm env --team platform --attribute enduser.id=ada", "with labels" },
	{ "cctm env --apply --wait", "set it for all your sessions and wait for the first data" },
	{ "cctm env --apply --scope shell", "in the start file of your shell" },
	{ "cctm env --remove", "as it was before" },
	{ "cctm env --managed --print", "for a fleet: what managed-settings.json is to hold" },
	{ "cctm env --check", "is Claude Code set up, and do running ones know it?" },
	{ "cctm env --wait=2m", "wait for the first data" },
	{ NULL, NULL },
};

static int env_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_env = {
	.name = "env",
	.group = GROUP_STACK,
	.summary = "connect Claude Code with the stack",
	.effect = EFFECT_CHANGES,
	.args_size = sizeof(struct env_args),
	.options = env_options,
	.examples = env_examples,
	.text = "Prints the variables that make Claude Code send its telemetry to this stack: its "
		"address, the protocol, and "
		"cumulative sums, which heal after an outage. Claude Code reads them once, when it "
		"starts.\n\n"
		"With --check nothing is printed to set: each variable is shown with its value in "
		"effect and who set it "
		"(managed settings, --settings, the project's local and shared settings, the "
		"user's, the environment), "
		"and each running Claude Code is compared with what the stack needs. The exit "
		"status is 3 when something "
		"differs. What a running process has is read from /proc, on Linux only.\n\n"
		"With --apply the variables are written into the \"env\" of Claude Code's "
		"settings.json (or a marked block of the shell's start file). Every other byte of "
		"the file stays: order, indentation, comments, line ends. The former file is kept, "
		"links are followed, mode and owner stay. Where you have set another value, "
		"nothing is written and the exit status is 4; --force puts the stack's in its "
		"place. --remove takes out what was added and gives the former bytes back. A "
		"stack's token comes by a script (otelHeadersHelper), which Claude Code runs again "
		"every 29 minutes and for HTTP only; for gRPC the token itself is written, and the "
		"file gets mode 0600.\n\n"
		"With --wait it waits until the stack has received data, and exits with 3 when "
		"none came in time.",
	.run = env_run,
};

static bool check_words(const struct env_args *args, struct error *err)
{
	if (args->is_delta && args->is_cumulative)
		return error_set(err, ERR_USAGE, "--delta and --cumulative exclude each other");
	if (args->wait_ms && (args->is_checked || args->pid))
		return error_set(err, ERR_USAGE, "--wait and --check exclude each other");
	if (args->is_applied + args->is_removed + args->is_printed +
			(args->is_checked || args->pid) >
		1)
		return error_set(err, ERR_USAGE,
			"--apply, --remove, --print and --check exclude each other");
	return true;
}

static int act(const struct env_job *job, struct error *err)
{
	if (job->args->is_checked || job->args->pid)
		return env_check(job, err);
	if (job->args->is_applied || job->args->is_removed) {
		int status = env_apply(job, err);
		return status || !job->args->wait_ms || job->args->is_dry_run ? status
									      : env_wait(job, err);
	}
	if (job->args->is_printed) {
		env_print_settings(job);
		return 0;
	}
	if (job->args->wait_ms)
		return env_wait(job, err);
	env_print(job);
	return 0;
}

static int env_run(struct context *ctx, const void *raw, struct error *err)
{
	struct env_job job = { .ctx = ctx, .args = raw };
	int status = -1;
	if (check_words(raw, err) && env_settings_make(&job, err))
		status = act(&job, err);
	env_settings_clear(&job);
	return status;
}
