/* cctm help: what cctm and each of its commands can do, from the table that also parses the command line.
 * `cctm COMMAND --help` and `cctm` alone come here too. It reads nothing and changes nothing.
 */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/help_internal.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/str.h"
#include "core/text.h"

struct help_args {
	const char *command;
	bool is_man; /* for tests/agree/refresh, which keeps man/ in step */
};

static const struct opt help_options[] = {
	OPT(struct help_args, is_man, 0, "man", NULL, NULL),
	OPT_END,
};

static const struct opt_argument help_arguments[] = {
	{ .offset = offsetof(struct help_args, command),
		.name = "COMMAND",
		.is_optional = true,
		.help = "the command to explain; all of them in short when absent" },
	OPT_ARGUMENT_END,
};

static const struct example help_examples[] = {
	{ "cctm help", "the commands, a line each" },
	{ "cctm help report", "all about one command" },
	{ "cctm help --json", "commands, options, arguments and examples as data" },
	{ NULL, NULL },
};

static int help_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_help = {
	.name = "help",
	.group = GROUP_HELP,
	.summary = "explain cctm or one of its commands",
	.effect = EFFECT_READS,
	.args_size = sizeof(struct help_args),
	.options = help_options,
	.arguments = help_arguments,
	.examples = help_examples,
	.text = "Without COMMAND, lists the commands and the options all of them take. With "
		"COMMAND, "
		"prints what 'cctm COMMAND --help' prints: usage, options with their defaults, "
		"whether the command only reads or also changes something, examples and the exit "
		"statuses.",
	.run = help_run,
};

static void print_overview(struct context *ctx);
static void print_command(struct context *ctx, const struct command *command);

static int help_run(struct context *ctx, const void *args, struct error *err)
{
	const struct help_args *help = args;
	const struct command *command = NULL;
	if (help->command && !(command = command_find(ctx->commands, help->command, err)))
		return -1;
	if (help->is_man)
		help_print_man(ctx, command);
	else if (ctx->is_json)
		help_print_json(ctx, command);
	else if (command)
		print_command(ctx, command);
	else
		print_overview(ctx);
	return 0;
}

const struct command *command_find(
	const struct command *const *commands, const char *name, struct error *err)
{
	const char *names[64];
	size_t count = 0;
	for (; commands[count] && count < sizeof names / sizeof *names; count++) {
		names[count] = commands[count]->name;
		if (strcmp(names[count], name) == 0)
			return commands[count];
	}
	error_set(err, ERR_USAGE, "there is no command \"%s\"", name);
	const char *nearest = str_nearest(name, names, count);
	if (nearest)
		error_hint(err, "did you mean 'cctm %s'?", nearest);
	error_hint(err, "run 'cctm help' for the list");
	return NULL;
}

bool help_has_options(const struct opt *options)
{
	for (; options && options->type != OPT_TYPE_END; options++) {
		if (options->help)
			return true;
	}
	return false;
}

void help_usage(struct buf *out, const struct command *command)
{
	buf_addf(out, "cctm %s", command ? command->name : "[OPTIONS] COMMAND [ARGUMENTS]");
	if (!command)
		return;
	buf_adds(out, " [OPTIONS]");
	for (const struct opt_argument *row = command->arguments; row && row->name; row++)
		buf_addf(out, row->is_optional ? " [%s%s]" : " %s%s", row->name,
			row->is_repeated ? "..." : "");
}

static const struct {
	const char *name, *title;
} groups[] = {
	[GROUP_STACK] = { "stack", "The stack" },
	[GROUP_DATA] = { "data", "What was measured" },
	[GROUP_BRIDGE] = { "bridge", "The bridge" },
	[GROUP_HELP] = { "help", "Help" },
};

static const struct {
	const char *name, *sentence;
} effects[] = {
	[EFFECT_READS] = { "reads", "reads only" },
	[EFFECT_CHANGES] = { "changes", "changes or adds data" },
	[EFFECT_DESTROYS] = { "destroys", "can destroy data" },
};

const char *help_group_name(enum command_group group)
{
	return groups[group].name;
}

const char *help_effect_name(enum command_effect effect)
{
	return effects[effect].name;
}

const char *help_effect_sentence(enum command_effect effect)
{
	return effects[effect].sentence;
}

#define WIDTH_MAX   100
#define HELP_COLUMN 30

static size_t line_width(const struct context *ctx)
{
	unsigned width = out_width(ctx->out);
	return width > WIDTH_MAX ? WIDTH_MAX : width < 50 ? 50 : width;
}

static void print_title(struct context *ctx, const char *title)
{
	out_printf(ctx->out, "\n%s%s:%s\n", out_style(ctx->out, STYLE_BOLD), title,
		out_style(ctx->out, STYLE_PLAIN));
}

/* "  left      right, wrapped"; right begins in its own line when left is too long. */
static void print_pair(struct context *ctx, const char *left, size_t column, const char *right)
{
	AUTO(buf) struct buf line = BUF_INIT(BUF_UNLIMITED);
	size_t used = text_width(left) + 2;
	buf_addf(&line, "  %s", left);
	if (used + 2 > column) {
		buf_addc(&line, '\n');
		used = 0;
	}
	buf_addf(&line, "%*s", (int)(column - used), "");
	text_wrap(&line, right, column, line_width(ctx));
	out_printf(ctx->out, "%s\n", buf_str(&line));
}

void help_add_notes(struct buf *out, const char *const *choices, const char *fallback)
{
	if (!choices && !fallback)
		return;
	buf_adds(out, " (");
	for (size_t i = 0; choices && choices[i]; i++)
		buf_addf(out, "%s%s", i ? ", " : "", choices[i]);
	if (fallback)
		buf_addf(out, "%sdefault: %s", choices ? "; " : "", fallback);
	buf_addc(out, ')');
}

static void print_option(struct context *ctx, const struct opt *row)
{
	AUTO(buf) struct buf left = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf right = BUF_INIT(BUF_UNLIMITED);
	if (row->letter)
		buf_addf(&left, "-%c, ", row->letter);
	else
		buf_adds(&left, "    ");
	buf_addf(&left, "--%s%s", row->is_negatable ? "[no-]" : "", row->name);
	if (row->argument)
		buf_addf(&left, " %s", row->argument);
	buf_adds(&right, row->help);
	help_add_notes(&right, row->choices, row->fallback);
	print_pair(ctx, buf_str(&left), HELP_COLUMN, buf_str(&right));
}

static void print_options(struct context *ctx, const char *title, const struct opt *options)
{
	if (!help_has_options(options))
		return;
	print_title(ctx, title);
	for (; options->type != OPT_TYPE_END; options++) {
		if (options->help)
			print_option(ctx, options);
	}
}

static void print_arguments(struct context *ctx, const struct opt_argument *row)
{
	if (!row || !row->name)
		return;
	print_title(ctx, "Arguments");
	for (; row->name; row++) {
		AUTO(buf) struct buf right = BUF_INIT(BUF_UNLIMITED);
		buf_adds(&right, row->help);
		help_add_notes(&right, row->choices, NULL);
		print_pair(ctx, row->name, HELP_COLUMN, buf_str(&right));
	}
}

static void print_examples(struct context *ctx, const struct example *example)
{
	if (!example || !example->command_line)
		return;
	print_title(ctx, "Examples");
	for (; example->command_line; example++)
		print_pair(ctx, example->command_line, HELP_COLUMN + 6, example->explanation);
}

static void print_exit_statuses(struct context *ctx)
{
	static const struct {
		const char *status, *meaning;
	} statuses[] = {
		{ "0", "done" },
		{ "1", "failed" },
		{ "2", "the command line is wrong" },
		{ "3", "it ran, and what it looked at is unhealthy" },
		{ "4", "refused, to protect data or edits" },
		{ "130", "interrupted" },
	};

	print_title(ctx, "Exit status");
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		print_pair(ctx, statuses[i].status, 8, statuses[i].meaning);
}

static void print_usage(struct context *ctx, const struct command *command)
{
	AUTO(buf) struct buf usage = BUF_INIT(BUF_UNLIMITED);
	help_usage(&usage, command);
	out_printf(ctx->out, "%sUsage:%s %s\n", out_style(ctx->out, STYLE_BOLD),
		out_style(ctx->out, STYLE_PLAIN), buf_str(&usage));
}

static void print_overview(struct context *ctx)
{
	out_printf(ctx->out, "cctm: monitoring for Claude Code whose numbers can be trusted\n\n");
	print_usage(ctx, NULL);
	for (size_t group = 0; group < sizeof groups / sizeof *groups; group++) {
		bool has_title = false;
		for (size_t i = 0; ctx->commands[i]; i++) {
			const struct command *command = ctx->commands[i];
			if (command->group != (enum command_group)group)
				continue;
			if (!has_title)
				print_title(ctx, groups[group].title);
			has_title = true;
			print_pair(ctx, command->name, 14, command->summary);
		}
	}
	print_options(ctx, "Options of every command", ctx->global_options);
	out_printf(ctx->out, "\n'cctm help COMMAND' explains a command, with examples.\n");
}

static void print_command(struct context *ctx, const struct command *command)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	out_printf(ctx->out, "cctm %s: %s\n\n", command->name, command->summary);
	print_usage(ctx, command);
	out_printf(ctx->out, "%sEffect:%s %s\n", out_style(ctx->out, STYLE_BOLD),
		out_style(ctx->out, STYLE_PLAIN), help_effect_sentence(command->effect));
	if (command->text) {
		text_paragraphs(&text, command->text, 0, line_width(ctx));
		out_printf(ctx->out, "\n%s", buf_str(&text));
	}
	print_arguments(ctx, command->arguments);
	print_options(ctx, "Options", command->options);
	print_options(ctx, "Options of every command", ctx->global_options);
	print_examples(ctx, command->examples);
	print_exit_statuses(ctx);
}
