/* A command with a row of every kind, offered through cctm's own help and completion: what no command of today
 * uses (an option that can be negated, a file, a repeated argument, a quote in a text) must be right as well.
 *
 *     agree_sample help [--json] [--man] [COMMAND]
 *     agree_sample completion SHELL
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"

struct sample_args {
	bool is_fast, wait;
	const char *file, *dir, *since, *by, *target, *place;
	int64_t port, timeout_ms, body_bytes;
	struct opt_rest rest;
};

static const char *const keys[] = { "day", "model", NULL };

static const struct opt sample_options[] = {
	OPT(struct sample_args, is_fast, 'f', "fast", NULL, "don't wait: [fast] and \\loose"),
	OPT_NEGATABLE(struct sample_args, wait, 0, "wait", "on", "wait for the end"),
	OPT(struct sample_args, file, 'i', "input", "FILE", "read this"),
	OPT(struct sample_args, dir, 0, "state", "DIR", "keep things here"),
	OPT(struct sample_args, since, 's', "since", "TIME", "begin there"),
	OPT_CHOICE(struct sample_args, by, 'b', "by", "KEY", keys, "day", "group by this"),
	OPT_INT(struct sample_args, port, 0, "port", "PORT", 0, 65535, "80", "listen there"),
	OPT_DURATION(struct sample_args, timeout_ms, 0, "timeout", 0, 60000, "2s", "give up then"),
	OPT_SIZE(struct sample_args, body_bytes, 0, "max-body", 1, 1 << 20, "64KiB", "refuse more"),
	OPT_END,
};

static const char *const *places(void)
{
	static const char *const words[] = { "here", "there", NULL };
	return words;
}

static const struct opt_argument sample_arguments[] = {
	{ .offset = offsetof(struct sample_args, target),
		.name = "KEY",
		.choices = keys,
		.help = "what to look at" },
	{ .offset = offsetof(struct sample_args, place),
		.name = "PLACE",
		.suggest = places,
		.help = "where, or somewhere else" },
	{ .offset = offsetof(struct sample_args, rest),
		.name = "FILE",
		.is_optional = true,
		.is_repeated = true,
		.help = "more of it" },
	OPT_ARGUMENT_END,
};

static const struct example sample_examples[] = {
	{ "cctm sample -f --since '2 days' \"day\" here .a", "a line with both kinds of quotes" },
	{ NULL, NULL },
};

static int sample_run(struct context *ctx, const void *args, struct error *err)
{
	(void)ctx;
	(void)args;
	(void)err;
	return 0;
}

static const struct command sample = {
	.name = "sample",
	.group = GROUP_DATA,
	.summary = "show what a row can say",
	.effect = EFFECT_CHANGES,
	.args_size = sizeof(struct sample_args),
	.options = sample_options,
	.arguments = sample_arguments,
	.examples = sample_examples,
	.text = "One sentence. Another, about\n.a file that begins with a dot.\n\nThen:\n\n"
		"    as it \\ is\n\nAnd the end.",
	.run = sample_run,
};

static const struct command *const commands[] = { &sample, &cmd_help, &cmd_completion, NULL };

struct global_args {
	const char *dir, *color;
	bool is_json, is_quiet;
};

static const char *const color_modes[] = { "auto", "always", "never", NULL };

static const struct opt global_options[] = {
	OPT(struct global_args, dir, 'C', "dir", "DIR", "the stack's directory"),
	OPT(struct global_args, is_json, 0, "json", NULL, "print one document"),
	OPT(struct global_args, is_quiet, 'q', "quiet", NULL, "say nothing"),
	OPT_CHOICE(
		struct global_args, color, 0, "color", "WHEN", color_modes, "auto", "be colourful"),
	OPT_END,
};

int main(int argc, char **argv)
{
	AUTO(error) struct error err = ERROR_INIT;
	struct global_args globals = { 0 };
	const struct command *command = command_find(commands, argc > 1 ? argv[1] : "", &err);
	if (!command)
		return 2;
	void *args = mem_zalloc(command->args_size);
	const struct opt_set sets[] = { { global_options, &globals, NULL },
		{ command->options, args, NULL }, { 0 } };
	struct out *out = out_new(COLOR_NEVER);
	bool is_done = opt_parse_sets(sets, command->arguments, args, argc - 2, argv + 2, &err);
	struct context ctx = { .out = out,
		.is_json = globals.is_json,
		.commands = commands,
		.global_options = global_options };
	is_done = is_done && command->run(&ctx, args, &err) == 0 && out_flush(out, &err);
	opt_clear(command->options, command->arguments, args);
	free(args);
	out_free(out);
	return is_done ? 0 : 1;
}
