/* zsh: rows for _arguments, which does the walking; a state per level, as its manual describes. */
#include "cmd/completion_internal.h"
#include "core/buf.h"

/* Inside '…': a quote ends the string, and brackets and colons would end the description. */
static void add_description(struct buf *out, const char *text)
{
	AUTO(buf) struct buf marked = BUF_INIT(BUF_UNLIMITED);
	completion_escape(&marked, text, "\\[]:", "\\");
	completion_escape(out, buf_str(&marked), "'", "'\\'");
}

static void add_action(struct buf *out, const char *name, const char *const *choices)
{
	buf_addf(out, ":%s:", name);
	switch (completion_kind(name, choices)) {
	case VALUE_CHOICES:
		buf_adds(out, "(");
		completion_add_words(out, choices);
		buf_adds(out, ")");
		break;
	case VALUE_COMMANDS:
		buf_adds(out, "_cctm_commands");
		break;
	case VALUE_DIRECTORIES:
		buf_adds(out, "_files -/");
		break;
	case VALUE_FILES:
		buf_adds(out, "_files");
		break;
	case VALUE_ANY:
		buf_adds(out, " ");
		break;
	}
}

static void add_option(struct buf *out, const struct opt *row)
{
	const char *value = row->implied ? "=-" : row->argument ? "=" : "";
	buf_adds(out, "\t\t");
	if (row->letter)
		buf_addf(out, "'(-%c --%s)'{-%c%s,--%s%s}'", row->letter, row->name, row->letter,
			row->argument ? "+" : "", row->name, value);
	else if (row->is_negatable)
		buf_addf(out, "'(--%s --no-%s)'{--%s,--no-%s}'", row->name, row->name, row->name,
			row->name);
	else
		buf_addf(out, "'--%s%s", row->name, value);
	buf_adds(out, "[");
	add_description(out, row->help);
	buf_adds(out, row->implied ? "]:" : "]");
	if (row->argument)
		add_action(out, row->argument, row->choices);
	buf_adds(out, "'\n");
}

static void add_options(struct buf *out, const struct opt *row)
{
	for (; row && row->type != OPT_TYPE_END; row++) {
		if (row->help)
			add_option(out, row);
	}
}

static void add_arguments(struct buf *out, const struct opt_argument *row)
{
	for (size_t position = 1; row && row->name; row++, position++) {
		if (row->is_repeated)
			buf_adds(out, "\t\t'*");
		else
			buf_addf(out, "\t\t'%zu%s", position, row->is_optional ? ":" : "");
		add_action(out, row->name, completion_words(row));
		buf_adds(out, "'\n");
	}
}

static void add_commands(struct buf *out, const struct context *ctx)
{
	buf_adds(out, "_cctm_commands()\n{\n\tlocal -a commands=(\n");
	for (size_t i = 0; ctx->commands[i]; i++) {
		buf_addf(out, "\t\t'%s:", ctx->commands[i]->name);
		add_description(out, ctx->commands[i]->summary);
		buf_adds(out, "'\n");
	}
	buf_adds(out, "\t)\n\t_describe -t commands command commands\n}\n\n");
}

static void add_command_rows(struct buf *out, const struct context *ctx)
{
	for (size_t i = 0; ctx->commands[i]; i++) {
		buf_addf(out, "\t%s) rows+=(\n", ctx->commands[i]->name);
		add_options(out, ctx->commands[i]->options);
		add_arguments(out, ctx->commands[i]->arguments);
		buf_adds(out, "\t\t) ;;\n");
	}
}

void completion_zsh(struct buf *out, const struct context *ctx)
{
	buf_adds(out,
		"#compdef cctm\n# zsh completion for cctm, made by 'cctm completion zsh'.\n\n");
	add_commands(out, ctx);
	buf_adds(out, "_cctm()\n{\n\tlocal curcontext=$curcontext state line\n\tlocal -a rows=(\n");
	add_options(out, ctx->global_options);
	buf_adds(out, "\t)\n\t_arguments -C -s -S -A '-*' $rows '1: :_cctm_commands' '*:: "
		      ":->words' && return\n"
		      "\t[[ $state == words ]] || return 1\n\tcase $words[1] in\n");
	add_command_rows(out, ctx);
	buf_adds(out, "\tesac\n\tcurcontext=${curcontext%:*}-$words[1]:\n\t_arguments -s -S $rows\n"
		      "}\n\n");
	/* As a file of fpath it is the body of the function _cctm; sourced, it has to announce itself. */
	buf_adds(out, "if [[ $funcstack[1] == _cctm ]]; then\n\t_cctm \"$@\"\nelse\n"
		      "\tcompdef _cctm cctm\nfi\n");
}
