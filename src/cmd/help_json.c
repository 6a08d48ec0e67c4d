/* The command table as data: what `cctm help --json` promises. */
#include <jansson.h>

#include "cmd/help_internal.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/out.h"

static const char *const type_names[] = {
	[OPT_TYPE_END] = "",
	[OPT_TYPE_FLAG] = "flag",
	[OPT_TYPE_TEXT] = "text",
	[OPT_TYPE_INT] = "integer",
	[OPT_TYPE_DURATION] = "duration",
	[OPT_TYPE_SIZE] = "size",
	[OPT_TYPE_LIST] = "list",
};

static json_t *choices_json(const char *const *choices)
{
	json_t *list = json_array();
	for (; choices && *choices; choices++)
		json_array_append_new(list, json_string(*choices));
	return list;
}

static void add_bounds(json_t *option, const struct opt *row)
{
	bool is_number = row->type == OPT_TYPE_INT || row->type == OPT_TYPE_DURATION ||
			 row->type == OPT_TYPE_SIZE;
	if (!is_number)
		return;
	json_object_set_new(option, "min", json_integer(row->min));
	json_object_set_new(option, "max", json_integer(row->max));
}

static json_t *option_json(const struct opt *row)
{
	const char letter[] = { row->letter, '\0' };
	json_t *option = json_pack("{s:s, s:s?, s:s, s:s?, s:s?, s:s?, s:b, s:o, s:s}", "name",
		row->name, "letter", row->letter ? letter : NULL, "type", type_names[row->type],
		"argument", row->argument, "default", row->fallback, "implied", row->implied,
		"negatable", row->is_negatable, "choices", choices_json(row->choices), "help",
		row->help);
	add_bounds(option, row);
	return option;
}

static json_t *options_json(const struct opt *row)
{
	json_t *list = json_array();
	for (; row && row->type != OPT_TYPE_END; row++) {
		if (row->help)
			json_array_append_new(list, option_json(row));
	}
	return list;
}

static json_t *arguments_json(const struct opt_argument *row)
{
	json_t *list = json_array();
	for (; row && row->name; row++)
		json_array_append_new(
			list, json_pack("{s:s, s:b, s:b, s:o, s:o, s:s}", "name", row->name,
				      "optional", row->is_optional, "repeated", row->is_repeated,
				      "choices", choices_json(row->choices), "suggestions",
				      choices_json(row->suggest ? row->suggest() : NULL), "help",
				      row->help));
	return list;
}

static json_t *examples_json(const struct example *example)
{
	json_t *list = json_array();
	for (; example && example->command_line; example++)
		json_array_append_new(
			list, json_pack("{s:s, s:s}", "command_line", example->command_line,
				      "explanation", example->explanation));
	return list;
}

static json_t *command_json(const struct command *command)
{
	AUTO(buf) struct buf usage = BUF_INIT(BUF_UNLIMITED);
	help_usage(&usage, command);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s?}", "name", command->name,
		"group", help_group_name(command->group), "summary", command->summary, "effect",
		help_effect_name(command->effect), "usage", buf_str(&usage), "options",
		options_json(command->options), "arguments", arguments_json(command->arguments),
		"examples", examples_json(command->examples), "text", command->text);
}

static json_t *errors_json(void)
{
	json_t *list = json_array();

#define X(code, slug, exit_status, sentence)                                                  \
	json_array_append_new(list, json_pack("{s:s, s:i, s:s}", "code", slug, "exit_status", \
					    exit_status, "meaning", sentence));
	ERROR_CODES(X)
#undef X
	json_array_remove(list, ERR_NONE);
	return list;
}

void help_print_json(struct context *ctx, const struct command *command)
{
	json_t *commands = json_array();
	for (size_t i = 0; ctx->commands[i]; i++) {
		if (!command || command == ctx->commands[i])
			json_array_append_new(commands, command_json(ctx->commands[i]));
	}
	out_json(ctx->out, 1,
		json_pack("{s:o, s:o, s:o}", "commands", commands, "global_options",
			options_json(ctx->global_options), "errors", errors_json()));
}
