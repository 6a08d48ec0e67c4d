/* cctm completion: the script that lets a shell complete cctm's commands, options and values. It is made
 * from the table that parses the command line, holds all of it, and does not call cctm when a key is
 * pressed. It prints; installing is the user's (or the package's) choice.
 */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/completion_internal.h"
#include "core/buf.h"
#include "core/out.h"

struct completion_args {
	const char *shell;
};

static const char *const shells[] = { "bash", "zsh", "fish", NULL };

static const struct opt_argument completion_arguments[] = {
	{ .offset = offsetof(struct completion_args, shell),
		.name = "SHELL",
		.choices = shells,
		.help = "the shell that will read the script" },
	OPT_ARGUMENT_END,
};

static const struct example completion_examples[] = {
	{ "source <(cctm completion bash)", "for this bash only" },
	{ "cctm completion zsh > ~/.zfunc/_cctm", "for zsh, with ~/.zfunc in fpath" },
	{ "cctm completion fish > ~/.config/fish/completions/cctm.fish", "for fish" },
	{ NULL, NULL },
};

static int completion_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_completion = {
	.name = "completion",
	.group = GROUP_HELP,
	.summary = "print a script that completes cctm's command line in a shell",
	.effect = EFFECT_READS,
	.args_size = sizeof(struct completion_args),
	.arguments = completion_arguments,
	.examples = completion_examples,
	.text = "Prints a script for bash (4 or newer), zsh or fish that completes commands, "
		"options, "
		"the values an option allows, and files and directories where one is asked for. "
		"An installed cctm brings the three scripts along; this command is for the others.",
	.run = completion_run,
};

static int completion_run(struct context *ctx, const void *args, struct error *err)
{
	const struct completion_args *completion = args;
	(void)err;
	AUTO(buf) struct buf script = BUF_INIT(BUF_UNLIMITED);
	if (strcmp(completion->shell, "bash") == 0)
		completion_bash(&script, ctx);
	else if (strcmp(completion->shell, "zsh") == 0)
		completion_zsh(&script, ctx);
	else
		completion_fish(&script, ctx);
	if (ctx->is_json)
		out_json(ctx->out, 1,
			json_pack("{s:s, s:s}", "shell", completion->shell, "script",
				buf_str(&script)));
	else
		out_write(ctx->out, buf_str(&script), script.len);
	return 0;
}

enum value_kind completion_kind(const char *name, const char *const *choices)
{
	if (choices)
		return VALUE_CHOICES;
	if (strcmp(name, "DIR") == 0)
		return VALUE_DIRECTORIES;
	if (strcmp(name, "FILE") == 0)
		return VALUE_FILES;
	return strcmp(name, "COMMAND") == 0 ? VALUE_COMMANDS : VALUE_ANY;
}

const char *const *completion_words(const struct opt_argument *row)
{
	return row->choices || !row->suggest ? row->choices : row->suggest();
}

void completion_add_words(struct buf *out, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		buf_addf(out, "%s%s", i ? " " : "", words[i]);
}

void completion_add_commands(struct buf *out, const struct context *ctx)
{
	for (size_t i = 0; ctx->commands[i]; i++)
		buf_addf(out, "%s%s", i ? " " : "", ctx->commands[i]->name);
}

void completion_escape(struct buf *out, const char *text, const char *special, const char *escape)
{
	for (; *text; text++) {
		if (strchr(special, *text))
			buf_adds(out, escape);
		buf_addc(out, *text);
	}
}
