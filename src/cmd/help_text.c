/* Help for a person: wrapped to the terminal, but not wider than a line is easily read. */
#include "cmd/help_internal.h"
#include "core/buf.h"
#include "core/out.h"
#include "core/text.h"

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
		buf_addf(&left, row->implied ? "[=%s]" : " %s", row->argument);
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
	for (size_t i = 0; ctx->commands[i]; i++) {
		const struct command *command = ctx->commands[i];
		if (i == 0 || ctx->commands[i - 1]->group != command->group)
			print_title(ctx, help_group_title(command->group));
		print_pair(ctx, command->name, 14, command->summary);
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

void help_print_text(struct context *ctx, const struct command *command)
{
	if (command)
		print_command(ctx, command);
	else
		print_overview(ctx);
}
