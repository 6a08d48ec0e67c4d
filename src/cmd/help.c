/* cctm help: what cctm and each of its commands can do, from the table that also parses the command line.
 * `cctm COMMAND --help` and `cctm` alone come here too. It reads nothing and changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/help_internal.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/str.h"

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
	.text = "Without COMMAND, lists the commands and the options all of them take. "
		"With COMMAND, prints what 'cctm COMMAND --help' prints: usage, options with "
		"their defaults, whether the command only reads or also changes something, "
		"examples and the exit statuses.",
	.run = help_run,
};

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
	else
		help_print_text(ctx, command);
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

bool context_is_given(const struct context *ctx, const struct opt *options, const char *name)
{
	for (size_t i = 0; options[i].type != OPT_TYPE_END; i++) {
		if (strcmp(options[i].name, name) == 0)
			return ctx->given >> i & 1;
	}
	abort(); /* the command asks for an option it does not have */
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

const char *help_group_title(enum command_group group)
{
	return groups[group].title;
}

const char *help_effect_name(enum command_effect effect)
{
	return effects[effect].name;
}

const char *help_effect_sentence(enum command_effect effect)
{
	return effects[effect].sentence;
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
