/* fish: a `complete` line per command, option and argument, each with the condition under which it holds. */
#include "cmd/completion_internal.h"
#include "core/buf.h"

static void add_text(struct buf *out, const char *text)
{
	buf_addc(out, '\'');
	completion_escape(out, text, "\\'", "\\");
	buf_addc(out, '\'');
}

static void add_value(
	struct buf *out, const struct context *ctx, const char *name, const char *const *choices)
{
	switch (completion_kind(name, choices)) {
	case VALUE_CHOICES:
		buf_adds(out, " -x -a '");
		completion_add_words(out, choices);
		buf_adds(out, "'");
		break;
	case VALUE_COMMANDS:
		buf_adds(out, " -x -a '");
		completion_add_commands(out, ctx);
		buf_adds(out, "'");
		break;
	case VALUE_DIRECTORIES:
		buf_adds(out, " -x -a '(__fish_complete_directories)'");
		break;
	case VALUE_FILES:
		buf_adds(out, " -r -F");
		break;
	case VALUE_ANY:
		buf_adds(out, " -x");
		break;
	}
}

static void add_option(
	struct buf *out, const struct context *ctx, const char *condition, const struct opt *row)
{
	buf_addf(out, "complete -c cctm%s -l %s", condition, row->name);
	if (row->letter)
		buf_addf(out, " -s %c", row->letter);
	if (row->argument && !row->implied)
		add_value(out, ctx, row->argument, row->choices);
	buf_adds(out, " -d ");
	add_text(out, row->help);
	buf_adds(out, "\n");
	if (row->is_negatable)
		buf_addf(out, "complete -c cctm%s -l no-%s -d 'turn --%s off'\n", condition,
			row->name, row->name);
}

static void add_options(
	struct buf *out, const struct context *ctx, const char *condition, const struct opt *row)
{
	for (; row && row->type != OPT_TYPE_END; row++) {
		if (row->help)
			add_option(out, ctx, condition, row);
	}
}

static void add_arguments(struct buf *out, const struct context *ctx, const char *command,
	const struct opt_argument *row)
{
	for (size_t position = 0; row && row->name; row++, position++) {
		buf_addf(out, "complete -c cctm -n '__cctm_at %s %zu%s'", command, position,
			row->is_repeated ? " more" : "");
		add_value(out, ctx, row->name, completion_words(row));
		buf_adds(out, " -d ");
		add_text(out, row->help);
		buf_adds(out, "\n");
	}
}

/* The names of the options whose value is the next word, as fish patterns. */
static void add_valued(struct buf *out, const struct opt *row)
{
	for (; row && row->type != OPT_TYPE_END; row++) {
		if (!row->help || !row->argument || row->implied)
			continue;
		if (row->letter)
			buf_addf(out, " -%c", row->letter);
		buf_addf(out, " --%s", row->name);
	}
}

static void add_walk(struct buf *out, const struct context *ctx)
{
	buf_adds(out, "# The words typed so far that are neither options nor their values.\n"
		      "function __cctm_words\n"
		      "\tset -l skip 0\n"
		      "\tfor word in (commandline -opc)[2..]\n"
		      "\t\tif test $skip = 1\n"
		      "\t\t\tset skip 0\n"
		      "\t\telse if contains -- $word");
	add_valued(out, ctx->global_options);
	for (size_t i = 0; ctx->commands[i]; i++)
		add_valued(out, ctx->commands[i]->options);
	buf_adds(out, "\n"
		      "\t\t\tset skip 1\n"
		      "\t\telse if not string match -q -- '-*' $word\n"
		      "\t\t\techo $word\n"
		      "\t\tend\n"
		      "\tend\n"
		      "end\n\n"
		      "# Is the command the first word, and is this its argument (from 0)?\n"
		      "function __cctm_at\n"
		      "\tset -l words (__cctm_words)\n"
		      "\tset -l position (math (count $words) - 1)\n"
		      "\ttest \"$words[1]\" = $argv[1]; or return\n"
		      "\ttest (count $argv) -lt 2; and return\n"
		      "\ttest $position -eq $argv[2]; and return\n"
		      "\ttest \"$argv[3]\" = more -a $position -gt $argv[2]\n"
		      "end\n\n"
		      "function __cctm_without_command\n"
		      "\ttest (count (__cctm_words)) -eq 0\n"
		      "end\n\n");
}

void completion_fish(struct buf *out, const struct context *ctx)
{
	buf_adds(out, "# fish completion for cctm, made by 'cctm completion fish'.\n\n");
	add_walk(out, ctx);
	buf_adds(out, "complete -c cctm -f\n");
	add_options(out, ctx, "", ctx->global_options);
	for (size_t i = 0; ctx->commands[i]; i++) {
		const struct command *command = ctx->commands[i];
		AUTO(buf) struct buf condition = BUF_INIT(BUF_UNLIMITED);
		buf_addf(out, "\ncomplete -c cctm -n __cctm_without_command -a %s -d ",
			command->name);
		add_text(out, command->summary);
		buf_adds(out, "\n");
		buf_addf(&condition, " -n '__cctm_at %s'", command->name);
		add_options(out, ctx, buf_str(&condition), command->options);
		add_arguments(out, ctx, command->name, command->arguments);
	}
}
