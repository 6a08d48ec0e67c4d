#include "claude/shell.h"

#include <ctype.h>
#include <string.h>

#include "core/buf.h"

const char *const shell_names[SHELL_COUNT + 1] = { "bash", "zsh", "fish", "powershell", "dotenv",
	NULL };

enum shell shell_find(const char *name, enum shell otherwise)
{
	const char *slash = name ? strrchr(name, '/') : NULL;
	const char *base = slash ? slash + 1 : name;
	if (base && (strcmp(base, "sh") == 0 || strcmp(base, "dash") == 0))
		return SHELL_BASH;
	if (base && strcmp(base, "pwsh") == 0)
		return SHELL_POWERSHELL;
	for (unsigned i = 0; base && i < SHELL_COUNT; i++) {
		if (strcmp(shell_names[i], base) == 0)
			return (enum shell)i;
	}
	return otherwise;
}

/* ---- one word ---- */

static void quote_posix(struct buf *out, const char *value)
{
	buf_addc(out, '\'');
	for (const char *at = value; *at; at++) {
		if (*at == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *at);
	}
	buf_addc(out, '\'');
}

static void quote_fish(struct buf *out, const char *value)
{
	buf_addc(out, '\'');
	for (const char *at = value; *at; at++) {
		if (*at == '\'' || *at == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *at);
	}
	buf_addc(out, '\'');
}

/* PowerShell takes the typographic single quotes U+2018 to U+201B for the plain one. */
static void quote_powershell(struct buf *out, const char *value)
{
	buf_addc(out, '\'');
	for (const char *at = value; *at; at++) {
		bool is_curly = strncmp(at, "\xe2\x80", 2) == 0 && (unsigned char)at[2] >= 0x98 &&
				(unsigned char)at[2] <= 0x9b;
		if (is_curly)
			buf_add(out, at, 3);
		else if (*at == '\'')
			buf_addc(out, '\'');
		buf_addc(out, *at);
	}
	buf_addc(out, '\'');
}

/* Plain where nothing in it means something to a reader of such files, else in double quotes. */
static void quote_dotenv(struct buf *out, const char *value)
{
	bool is_plain = true;
	for (const char *at = value; *at && is_plain; at++)
		is_plain = isalnum((unsigned char)*at) || strchr("-._~:/@+%,=", *at);
	if (is_plain) {
		buf_adds(out, value);
		return;
	}
	buf_addc(out, '"');
	for (const char *at = value; *at; at++) {
		if (strchr("\"\\$`", *at))
			buf_addc(out, '\\');
		buf_addc(out, *at);
	}
	buf_addc(out, '"');
}

/* ---- assignments ---- */

static const struct {
	const char *before, *between;
	void (*quote)(struct buf *out, const char *value);
	/* What a command prints: in front of it, and behind. */
	const char *opening, *closing, *call;
} languages[SHELL_COUNT] = {
	[SHELL_BASH] = { "export ", "=", quote_posix, "\"$(", ")\"", "" },
	[SHELL_ZSH] = { "export ", "=", quote_posix, "\"$(", ")\"", "" },
	[SHELL_FISH] = { "set -gx ", " ", quote_fish, "(", ")", "" },
	[SHELL_POWERSHELL] = { "$env:", " = ", quote_powershell, " + (", ")", "& " },
	[SHELL_DOTENV] = { "", "=", quote_dotenv, NULL, NULL, NULL },
};

static void begin(struct buf *out, enum shell shell, const char *name)
{
	buf_addf(out, "%s%s%s", languages[shell].before, name, languages[shell].between);
}

void shell_assign(struct buf *out, enum shell shell, const char *name, const char *value)
{
	begin(out, shell, name);
	languages[shell].quote(out, value);
	buf_addc(out, '\n');
}

bool shell_assign_output(struct buf *out, enum shell shell, const char *name, const char *prefix,
	const char *const *words)
{
	if (!languages[shell].opening)
		return false;
	begin(out, shell, name);
	languages[shell].quote(out, prefix);
	buf_addf(out, "%s%s", languages[shell].opening, languages[shell].call);
	for (size_t i = 0; words[i]; i++) {
		buf_adds(out, i ? " " : "");
		languages[shell].quote(out, words[i]);
	}
	buf_addf(out, "%s\n", languages[shell].closing);
	return true;
}
