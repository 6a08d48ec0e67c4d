/* Manual pages in mdoc(7), from the rows.
 *
 * Two parts, each between marker lines, because mdoc wants its sections in a fixed order and what is written
 * by hand (ENVIRONMENT, FILES) belongs between them: "synopsis" is NAME to OPTIONS, "examples" is EXIT STATUS
 * and EXAMPLES. tests/agree/refresh puts both into the pages of man/.
 */
#include <ctype.h>
#include <string.h>

#include "cmd/help_internal.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/out.h"
#include "core/text.h"

#define LINE_MAX_COLUMNS 78

/* A line of running text: no control character in front, and backslashes shown. */
static void add_line(struct buf *out, const char *line, size_t len)
{
	if (len && (*line == '.' || *line == '\''))
		buf_adds(out, "\\&");
	for (size_t i = 0; i < len; i++) {
		if (line[i] == '\\')
			buf_adds(out, "\\e");
		else
			buf_addc(out, line[i]);
	}
	buf_addc(out, '\n');
}

static void add_lines(struct buf *out, const char *text)
{
	for (size_t len; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		add_line(out, text, len);
	}
}

/* mdoc wants each sentence to begin a line, since it sets the space between sentences. */
static void add_sentences(struct buf *out, const char *text, size_t len)
{
	for (const char *end = text + len; text < end;) {
		const char *stop = text;
		while (stop < end && !(stop[0] == '.' && (stop[1] == ' ' || stop[1] == '\n')))
			stop++;
		stop += stop < end;
		AUTO(buf) struct buf sentence = BUF_INIT(BUF_UNLIMITED);
		AUTO(buf) struct buf wrapped = BUF_INIT(BUF_UNLIMITED);
		buf_add(&sentence, text, (size_t)(stop - text));
		text_wrap(&wrapped, buf_str(&sentence), 0, LINE_MAX_COLUMNS);
		add_lines(out, buf_str(&wrapped));
		text = stop + strspn(stop, " \n");
	}
}

/* Bytes of the lines from `text` on that begin with a space. */
static size_t literal_bytes(const char *text)
{
	size_t len = 0;
	while (text[len] == ' ') {
		len += strcspn(text + len, "\n");
		len += text[len] == '\n';
	}
	return len;
}

static size_t prose_bytes(const char *text)
{
	size_t len = 0;
	while (text[len] && !(text[len] == '\n' && (strchr("\n ", text[len + 1]))))
		len++;
	return len;
}

static void add_description(struct buf *out, const char *text)
{
	bool is_first = true;
	for (size_t len; *text; text += len) {
		text += strspn(text, "\n");
		if (!*text)
			return;
		if (*text == ' ') {
			len = literal_bytes(text);
			buf_adds(out, ".Bd -literal -offset indent\n");
			for (size_t at = 0, line; at < len; at += line + 1) {
				line = strcspn(text + at, "\n");
				size_t blank = strspn(text + at, " ");
				add_line(out, text + at + blank, line - blank);
			}
			buf_adds(out, ".Ed\n");
		} else {
			len = prose_bytes(text);
			buf_adds(out, is_first ? "" : ".Pp\n");
			add_sentences(out, text, len);
		}
		is_first = false;
	}
}

/* One argument of a macro: quoted, so that no word of it is taken for a macro. */
static void add_quoted(struct buf *out, const char *text)
{
	buf_addc(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			buf_adds(out, "\\(dq");
		else if (*text == '\\')
			buf_adds(out, "\\e");
		else if (*text == '-')
			buf_adds(out, "\\-");
		else
			buf_addc(out, *text);
	}
	buf_addc(out, '"');
}

static void add_command_line(struct buf *out, const char *macro, const char *text)
{
	buf_addf(out, ".%s ", macro);
	add_quoted(out, text);
	buf_addc(out, '\n');
}

static void add_option_name(struct buf *out, const struct opt *row)
{
	buf_adds(out, "Fl Fl ");
	if (row->is_negatable)
		buf_adds(out, "Oo no\\- Oc Ns ");
	for (const char *at = row->name; *at; at++)
		buf_addf(out, *at == '-' ? "\\-" : "%c", *at);
	if (row->implied)
		buf_addf(out, " Ns Oo Ns = Ns Ar %s Oc", row->argument);
	else if (row->argument)
		buf_addf(out, " Ar %s", row->argument);
}

/* A row's help as a sentence: rows are written in lower case, without a full stop. */
static void add_help(
	struct buf *out, const char *text, const char *const *choices, const char *fallback)
{
	AUTO(buf) struct buf help = BUF_INIT(BUF_UNLIMITED);
	buf_addc(&help, (char)toupper((unsigned char)*text));
	buf_adds(&help, *text ? text + 1 : "");
	help_add_notes(&help, choices, fallback);
	buf_addc(&help, '.');
	add_sentences(out, buf_str(&help), help.len);
}

static void add_option(struct buf *out, const struct opt *row)
{
	buf_adds(out, ".It ");
	if (row->letter)
		buf_addf(out, "Fl %c , ", row->letter);
	add_option_name(out, row);
	buf_addc(out, '\n');
	add_help(out, row->help, row->choices, row->fallback);
}

static void add_argument(struct buf *out, const struct opt_argument *row)
{
	buf_addf(out, ".It Ar %s%s\n", row->name, row->is_repeated ? " ..." : "");
	add_help(out, row->help, row->choices, NULL);
}

static void add_option_list(struct buf *out, const struct opt *row)
{
	if (!help_has_options(row))
		return;
	buf_adds(out, ".Bl -tag -width Ds\n");
	for (; row->type != OPT_TYPE_END; row++) {
		if (row->help)
			add_option(out, row);
	}
	buf_adds(out, ".El\n");
}

static void add_argument_list(struct buf *out, const struct opt_argument *row)
{
	if (!row || !row->name)
		return;
	buf_adds(out, ".Bl -tag -width Ds\n");
	for (; row->name; row++)
		add_argument(out, row);
	buf_adds(out, ".El\n");
}

static void add_synopsis_options(struct buf *out, const struct opt *row)
{
	for (; row && row->type != OPT_TYPE_END; row++) {
		if (!row->help)
			continue;
		buf_adds(out, ".Op ");
		if (row->letter)
			buf_addf(out, "Fl %c | ", row->letter);
		add_option_name(out, row);
		buf_addc(out, '\n');
	}
}

static void add_synopsis(struct buf *out, const struct command *command)
{
	buf_addf(out, ".Sh SYNOPSIS\n.Nm cctm %s\n", command->name);
	add_synopsis_options(out, command->options);
	for (const struct opt_argument *row = command->arguments; row && row->name; row++)
		buf_addf(out, "%s %s%s\n", row->is_optional ? ".Op Ar" : ".Ar", row->name,
			row->is_repeated ? " ..." : "");
}

static void add_command_part(struct buf *out, const struct command *command)
{
	buf_addf(out, ".Sh NAME\n.Nm cctm\\-%s\n", command->name);
	add_command_line(out, "Nd", command->summary);
	add_synopsis(out, command);
	buf_adds(out, ".Sh DESCRIPTION\n");
	add_description(out, command->text ? command->text : command->summary);
	buf_addf(out, ".Pp\nEffect: %s.\n", help_effect_sentence(command->effect));
	add_argument_list(out, command->arguments);
	buf_adds(out, ".Sh OPTIONS\n");
	add_option_list(out, command->options);
	if (help_has_options(command->options))
		buf_adds(out, ".Pp\n");
	buf_adds(out, "The options that every command takes are described in\n.Xr cctm 1 .\n");
}

static void add_program_part(struct buf *out, const struct context *ctx)
{
	buf_adds(out, ".Sh NAME\n.Nm cctm\n.Nd monitoring for Claude Code whose numbers can be "
		      "trusted\n.Sh SYNOPSIS\n.Nm\n");
	add_synopsis_options(out, ctx->global_options);
	buf_adds(out, ".Ar COMMAND\n.Op Ar ARGUMENTS\n.Sh DESCRIPTION\nThe commands are:\n"
		      ".Bl -tag -width completion\n");
	for (size_t i = 0; ctx->commands[i]; i++) {
		const struct command *command = ctx->commands[i];
		buf_addf(out, ".It Xr cctm\\-%s 1\n", command->name);
		add_help(out, command->summary, NULL, NULL);
	}
	buf_adds(out, ".El\n.Sh OPTIONS\nThese are taken by every command, in front of its name or "
		      "behind it.\n");
	add_option_list(out, ctx->global_options);
}

static void add_exit_statuses(struct buf *out)
{
	buf_adds(out, ".Sh EXIT STATUS\nThe status tells the kind of outcome; the word is the "
		      "error's\n.Ql code\nin the document that\n.Fl Fl json\nprints.\n"
		      ".Bl -tag -width \"130 interrupted\"\n.It 0\nDone.\n");

#define X(code, slug, exit_status, sentence) \
	if ((code) != ERR_NONE)              \
		buf_addf(out, ".It %d %s\n%s\n", exit_status, slug, sentence);
	ERROR_CODES(X)
#undef X
	buf_adds(out, ".El\n");
}

static void add_examples(struct buf *out, const struct example *example)
{
	if (!example || !example->command_line)
		return;
	buf_adds(out, ".Sh EXAMPLES\n.Bl -tag -width Ds\n");
	for (; example->command_line; example++) {
		add_command_line(out, "It Li", example->command_line);
		add_help(out, example->explanation, NULL, NULL);
	}
	buf_adds(out, ".El\n");
}

void help_print_man(struct context *ctx, const struct command *command)
{
	AUTO(buf) struct buf page = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&page, ".\\\" begin synopsis\n");
	if (command)
		add_command_part(&page, command);
	else
		add_program_part(&page, ctx);
	buf_adds(&page, ".\\\" end synopsis\n.\\\" begin examples\n");
	if (command)
		buf_adds(&page, ".Sh EXIT STATUS\nSee\n.Xr cctm 1 .\n");
	else
		add_exit_statuses(&page);
	if (command)
		add_examples(&page, command->examples);
	buf_adds(&page, ".\\\" end examples\n");
	out_write(ctx->out, buf_str(&page), page.len);
}
