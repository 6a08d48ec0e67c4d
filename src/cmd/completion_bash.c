/* bash: three case tables (options, their values, arguments) and one function that walks the words.
 *
 * Nothing of the bash-completion package is used, which is not on every machine.
 */
#include "cmd/completion_internal.h"
#include "core/buf.h"

static const char walk[] =
	"_cctm()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	"\tlocal command= kind= options= position=0 is_over= i\n"
	"\tCOMPREPLY=()\n"
	"\t# bash hands out --name=value as three words.\n"
	"\tif [[ $cur == = ]]; then\n"
	"\t\tcur=\n"
	"\telif [[ $prev == = ]]; then\n"
	"\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"\tfi\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tcase $is_over${COMP_WORDS[i]} in\n"
	"\t\t--) is_over=: ;;\n"
	"\t\t=) ((i++)) ;;\n"
	"\t\t-*)\n"
	"\t\t\tif _cctm_value \"$command\" \"${COMP_WORDS[i]}\" && [[ ${COMP_WORDS[i + 1]} != = "
	"]]; then\n"
	"\t\t\t\t((i++))\n"
	"\t\t\tfi\n"
	"\t\t\t;;\n"
	"\t\t*)\n"
	"\t\t\tif [[ $command ]]; then\n"
	"\t\t\t\t((position++))\n"
	"\t\t\telse\n"
	"\t\t\t\tcommand=${COMP_WORDS[i]}\n"
	"\t\t\tfi\n"
	"\t\t\t;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tkind=\n"
	"\tif [[ $is_over ]] || ! _cctm_value \"$command\" \"$prev\"; then\n"
	"\t\tif [[ $cur == -* && ! $is_over ]]; then\n"
	"\t\t\t_cctm_options \"$command\"\n"
	"\t\t\tkind=\"words $options\"\n"
	"\t\telse\n"
	"\t\t\t_cctm_argument \"$command\" \"$position\"\n"
	"\t\tfi\n"
	"\tfi\n"
	"\tcase $kind in\n"
	"\twords*) mapfile -t COMPREPLY < <(compgen -W \"${kind#words}\" -- \"$cur\") ;;\n"
	"\tdirectories)\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n"
	"\t\t;;\n"
	"\tfiles)\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	"\t\t;;\n"
	"\tesac\n"
	"}\n\n"
	"complete -F _cctm cctm\n";

static void add_options(struct buf *out, const struct opt *row)
{
	for (; row && row->type != OPT_TYPE_END; row++) {
		if (!row->help)
			continue;
		if (row->letter)
			buf_addf(out, " -%c", row->letter);
		buf_addf(out, " --%s", row->name);
		if (row->is_negatable)
			buf_addf(out, " --no-%s", row->name);
	}
}

static void add_kind(
	struct buf *out, const struct context *ctx, const char *name, const char *const *choices)
{
	switch (completion_kind(name, choices)) {
	case VALUE_CHOICES:
		buf_adds(out, "'words ");
		completion_add_words(out, choices);
		buf_adds(out, "'");
		break;
	case VALUE_COMMANDS:
		buf_adds(out, "'words ");
		completion_add_commands(out, ctx);
		buf_adds(out, "'");
		break;
	case VALUE_DIRECTORIES:
		buf_adds(out, "directories");
		break;
	case VALUE_FILES:
		buf_adds(out, "files");
		break;
	case VALUE_ANY:
		break;
	}
	buf_adds(out, " ;;\n");
}

static void add_values(
	struct buf *out, const struct context *ctx, const char *command, const struct opt *row)
{
	for (; row && row->type != OPT_TYPE_END; row++) {
		if (!row->help || !row->argument || row->implied)
			continue;
		if (row->letter)
			buf_addf(out, "\t%s' -%c' | ", command, row->letter);
		else
			buf_adds(out, "\t");
		buf_addf(out, "%s' --%s') kind=", command, row->name);
		add_kind(out, ctx, row->argument, row->choices);
	}
}

static void add_option_table(struct buf *out, const struct context *ctx)
{
	buf_adds(
		out, "# Sets options to those of the command $1.\n_cctm_options()\n{\n\toptions='");
	add_options(out, ctx->global_options);
	buf_adds(out, "'\n\tcase $1 in\n");
	for (size_t i = 0; ctx->commands[i]; i++) {
		buf_addf(out, "\t%s) options+='", ctx->commands[i]->name);
		add_options(out, ctx->commands[i]->options);
		buf_adds(out, "' ;;\n");
	}
	buf_adds(out, "\tesac\n}\n\n");
}

static void add_value_table(struct buf *out, const struct context *ctx)
{
	buf_adds(out,
		"# Sets kind to what the option $2 of the command $1 takes; false: it takes no "
		"value.\n_cctm_value()\n{\n\tcase \"$1 $2\" in\n");
	for (size_t i = 0; ctx->commands[i]; i++)
		add_values(out, ctx, ctx->commands[i]->name, ctx->commands[i]->options);
	add_values(out, ctx, "*", ctx->global_options);
	buf_adds(out, "\t*) return 1 ;;\n\tesac\n}\n\n");
}

static void add_argument_table(struct buf *out, const struct context *ctx)
{
	buf_adds(out, "# Sets kind to what the argument at position $2 of the command $1 may be.\n"
		      "_cctm_argument()\n{\n\tcase \"$1 $2\" in\n\t' '*) kind='words ");
	completion_add_commands(out, ctx);
	buf_adds(out, "' ;;\n");
	for (size_t i = 0; ctx->commands[i]; i++) {
		const struct opt_argument *row = ctx->commands[i]->arguments;
		for (size_t position = 0; row && row->name; row++, position++) {
			buf_addf(out, "\t'%s '", ctx->commands[i]->name);
			if (row->is_repeated)
				buf_adds(out, "*) kind=");
			else
				buf_addf(out, "%zu) kind=", position);
			add_kind(out, ctx, row->name, completion_words(row));
		}
	}
	buf_adds(out, "\tesac\n}\n\n");
}

void completion_bash(struct buf *out, const struct context *ctx)
{
	buf_adds(out, "# bash completion for cctm, made by 'cctm completion bash'.\n\n");
	add_option_table(out, ctx);
	add_value_table(out, ctx);
	add_argument_table(out, ctx);
	buf_adds(out, walk);
}
