#include "render/env_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "render/escape.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAMES	LETTERS "0123456789_.-[]"
#define BLANKS	" \t\r\v\f"
#define NO_CODE UINT_MAX

/* The text is copied with a NUL behind it and holds none, so strspn and its like may be used on it. */
struct scan {
	const char *at, *line_start;
	size_t line; /* of line_start, from 1 */
	struct env_file *out;
	struct error *err;
};

/* Moves the count on to `at`, which never goes backwards by a line. */
static void count_lines(struct scan *s, const char *at)
{
	const char *newline;
	while ((newline = memchr(s->line_start, '\n', (size_t)(at - s->line_start)))) {
		s->line_start = newline + 1;
		s->line++;
	}
}

static bool fail(struct scan *s, const char *at, const char *why)
{
	size_t column = 1;
	count_lines(s, at);
	for (const char *p = s->line_start; p < at; p++)
		column += ((unsigned char)*p & 0xC0) != 0x80;
	error_set(s->err, ERR_CONFIG, ".env:%zu:%zu: %s", s->line, column, why);
	return error_hint(s->err, "a line is NAME=value, NAME='value' or a # comment");
}

/* ---- blanks: what Go's unicode.IsSpace has on a line ---- */

/* Only the first two are blanks in front of a value as well. */
static const char *const wide_blanks[] = { "\xC2\x85", "\u00A0", "\u1680", "\u2000", "\u2001",
	"\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200A",
	"\u2028", "\u2029", "\u202F", "\u205F", "\u3000" };

enum blanks { BEFORE_VALUE = 2, ANYWHERE = sizeof wide_blanks / sizeof *wide_blanks };

/* How many bytes the blank at `at` has; 0: there is none. */
static size_t blank_len(const char *at, enum blanks which)
{
	if ((unsigned char)*at < 0x80)
		return *at && strchr(BLANKS, *at) ? 1 : 0;
	for (size_t i = 0; i < (size_t)which; i++) {
		size_t len = strlen(wide_blanks[i]);
		if (strncmp(at, wide_blanks[i], len) == 0)
			return len;
	}
	return 0;
}

static const char *skip_blanks(const char *at, enum blanks which)
{
	for (size_t len; (len = blank_len(at, which));)
		at += len;
	return at;
}

/* To the next variable: over empty lines and comments. */
static void skip_between(struct scan *s)
{
	for (;;) {
		s->at = skip_blanks(s->at, ANYWHERE);
		if (*s->at == '#')
			s->at += strcspn(s->at, "\n");
		if (*s->at != '\n')
			return;
		s->at++;
	}
}

/* ---- values: each moves s->at behind the value and adds what it means to `value` ---- */

static bool scan_single(struct scan *s, struct buf *value)
{
	const char *opening = s->at++;
	for (; *s->at != '\''; s->at++) {
		if (!*s->at)
			return fail(s, opening, "the quote is not closed");
		if (*s->at == '\\' && s->at[1] == '\'')
			s->at++;
		else if (*s->at == '\\' && s->at[1] == '\\')
			buf_addc(value, *s->at++);
		buf_addc(value, *s->at);
	}
	s->at++;
	return true;
}

static void add_code(struct buf *value, unsigned code)
{
	if (code >= 0x80)
		buf_addc(value, (char)(0xC0 | code >> 6));
	buf_addc(value, (char)(code < 0x80 ? code : 0x80 | (code & 0x3F)));
}

/* Three octal digits up to 377; NO_CODE: there are others. */
static unsigned octal_code(const char *digits)
{
	bool is_octal = strspn(digits, "01234567") >= 3 && *digits < '4';
	return is_octal ? (unsigned)(*digits - '0') << 6 | (unsigned)(digits[1] - '0') << 3 |
				  (unsigned)(digits[2] - '0')
			: NO_CODE;
}

/* Behind "\0" in double quotes. Where no code follows, Compose drops the 0 and keeps the backslash. */
static bool scan_octal(struct scan *s, struct buf *value)
{
	const char *backslash = s->at - 2;
	unsigned code = octal_code(s->at);
	if (code == 0)
		return fail(s, backslash, "a value cannot hold a NUL");
	if (code == NO_CODE)
		buf_addc(value, '\\');
	else
		add_code(value, code);
	s->at += code == NO_CODE ? 0 : 3;
	return true;
}

/* At a backslash in double quotes. A dollar gets a second one, for what is done to dollars follows. */
static bool scan_escape(struct scan *s, struct buf *value)
{
	static const char letters[] = "abfnrtv\\\"$", bytes[] = "\a\b\f\n\r\t\v\\\"$";
	char c = s->at[1];
	const char *letter = strchr(letters, c);
	s->at += 2;
	if (c == '0')
		return scan_octal(s, value);
	if (!letter || c == '$')
		buf_addc(value, letter ? '$' : '\\');
	buf_addc(value, letter ? bytes[letter - letters] : c);
	return true;
}

static bool scan_double(struct scan *s, struct buf *value)
{
	const char *opening = s->at++;
	while (*s->at != '"') {
		if (!*s->at || (*s->at == '\\' && !s->at[1]))
			return fail(s, opening, "the quote is not closed");
		if (*s->at != '\\')
			buf_addc(value, *s->at++);
		else if (!scan_escape(s, value))
			return false;
	}
	s->at++;
	return true;
}

/* To the end of the line or the comment, without the blanks in front of that. A tab begins no comment. */
static void scan_unquoted(struct scan *s, struct buf *value)
{
	const char *limit = s->at + strcspn(s->at, "\n"), *begin = s->at, *end = s->at;
	for (const char *p = begin; p < limit && !(p[0] == ' ' && p[1] == '#');) {
		size_t blank = blank_len(p, ANYWHERE);
		p += blank ? blank : 1;
		end = blank ? end : p;
	}
	buf_add(value, begin, (size_t)(end - begin));
	s->at = end;
}

/* What Compose does to dollars once escapes are undone. A value that refers to others stays as it is. */
static char *settle_dollars(const char *text, bool *refers)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	*refers = false;
	for (const char *at = text; *at; at++) {
		if (at[0] == '$' && at[1] == '$')
			at++;
		else if (at[0] == '$' && at[1] && strchr("{_" LETTERS, at[1]))
			*refers = true;
		buf_addc(&out, *at);
	}
	return mem_strdup(*refers ? text : buf_str(&out));
}

static bool scan_value(struct scan *s, struct env_variable *variable, const char *text)
{
	AUTO(buf) struct buf value = BUF_INIT(BUF_UNLIMITED);
	bool is_right = true, is_literal = *s->at == '\'';
	variable->start = (size_t)(s->at - text);
	if (is_literal)
		is_right = scan_single(s, &value);
	else if (*s->at == '"')
		is_right = scan_double(s, &value);
	else
		scan_unquoted(s, &value);
	variable->end = (size_t)(s->at - text);
	variable->value = is_literal ? mem_strdup(buf_str(&value))
				     : settle_dollars(buf_str(&value), &variable->refers);
	if (value.data)
		explicit_bzero(value.data, value.len);
	return is_right;
}

/* What is left of the line behind a quoted value: nothing, or a comment. */
static bool scan_rest(struct scan *s)
{
	const char *rest = skip_blanks(s->at, ANYWHERE);
	if (*rest && *rest != '\n' && *rest != '#')
		return fail(s, s->at, "something stands behind the closing quote");
	s->at = rest + strcspn(rest, "\n");
	return true;
}

/* A name alone says that the value is taken from Compose's own environment: it sets nothing here. */
static bool scan_name(struct scan *s, char **name)
{
	if (strncmp(s->at, "export", 6) == 0 && s->at[6] && strchr(BLANKS, s->at[6]))
		s->at += 6 + strspn(s->at + 6, BLANKS);
	size_t len = strspn(s->at, NAMES);
	const char *sign = skip_blanks(s->at + len, ANYWHERE);
	if (!len || !*sign || !strchr("=:\n", *sign))
		return fail(s, s->at, "this is no variable");
	*name = *sign == '\n' ? NULL : mem_strndup(s->at, len);
	count_lines(s, s->at);
	s->at = *name ? skip_blanks(sign + 1, BEFORE_VALUE) : sign;
	return true;
}

static bool scan_variable(struct scan *s, const char *text)
{
	char *name = NULL;
	struct env_file *out = s->out;
	if (!scan_name(s, &name))
		return false;
	if (!name)
		return true;
	out->items = mem_grow(out->items, &out->room, out->count + 1, sizeof *out->items);
	struct env_variable *variable = &out->items[out->count++];
	*variable = (struct env_variable){ .name = name, .line = s->line };
	return scan_value(s, variable, text) && scan_rest(s);
}

static bool scan_all(struct scan *s, const char *text)
{
	for (skip_between(s); *s->at; skip_between(s)) {
		if (!scan_variable(s, text))
			return false;
	}
	return true;
}

bool env_file_parse(struct slice text, struct env_file *out, struct error *err)
{
	*out = (struct env_file){ 0 };
	if (text.len > ENV_FILE_MAX)
		return error_set(err, ERR_CONFIG, ".env is larger than %d bytes", ENV_FILE_MAX);
	if (text.len && memchr(text.ptr, '\0', text.len))
		return error_set(err, ERR_CONFIG, ".env holds a NUL byte");
	AUTO(str) char *copy = mem_strndup((const char *)text.ptr, text.len);
	const char *begin = copy + (strncmp(copy, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0);
	struct scan s = { .at = begin, .line_start = begin, .line = 1, .out = out, .err = err };
	bool is_right = scan_all(&s, copy);
	explicit_bzero(copy, text.len);
	if (!is_right)
		env_file_clear(out);
	return is_right;
}

void env_file_clear(struct env_file *file)
{
	for (size_t i = 0; i < file->count; i++) {
		free(file->items[i].name);
		if (file->items[i].value)
			explicit_bzero(file->items[i].value, strlen(file->items[i].value));
		free(file->items[i].value);
	}
	free(file->items);
	*file = (struct env_file){ 0 };
}

const struct env_variable *env_file_find(const struct env_file *file, const char *name)
{
	for (size_t i = file->count; i-- > 0;) {
		if (strcmp(file->items[i].name, name) == 0)
			return &file->items[i];
	}
	return NULL;
}

/* ---- setting ---- */

/* As the first line has it. */
static const char *line_end(struct slice text)
{
	const unsigned char *newline = text.len ? memchr(text.ptr, '\n', text.len) : NULL;
	return newline && newline > text.ptr && newline[-1] == '\r' ? "\r\n" : "\n";
}

static bool add_line(
	struct slice text, const char *name, struct slice value, struct buf *out, struct error *err)
{
	const char *end = line_end(text);
	buf_add(out, text.ptr, text.len);
	if (text.len && text.ptr[text.len - 1] != '\n')
		buf_adds(out, end);
	buf_addf(out, "%s=", name);
	if (!escape_append(ESCAPE_ENV, value, out, err))
		return false;
	buf_adds(out, end);
	return true;
}

/* Behind a quoted value a comment needs no space, and would become part of one without quotes. */
static bool must_quote(struct slice rest)
{
	size_t spaces = 0, len = 0;
	while (spaces < rest.len && rest.ptr[spaces] == ' ')
		spaces++;
	while (len < rest.len && rest.ptr[len] != '\n')
		len++;
	bool has_comment = memchr(rest.ptr, '#', len) != NULL;
	return has_comment && !(spaces > 0 && rest.ptr[spaces] == '#');
}

static bool add_value(const char *value, struct slice rest, struct buf *out, struct error *err)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	bool is_escaped = escape_append(ESCAPE_ENV, slice_str(value), &text, err);
	bool is_bare = text.len == 0 || !strchr("'\"", *text.data);
	const char *quote = is_bare && must_quote(rest) ? "'" : "";
	if (is_escaped)
		buf_addf(out, "%s%s%s", quote, buf_str(&text), quote);
	if (text.data)
		explicit_bzero(text.data, text.len);
	return is_escaped;
}

bool env_file_set(
	struct slice text, const char *name, const char *value, struct buf *out, struct error *err)
{
	AUTO(env_file) struct env_file file = { 0 };
	if (!env_file_parse(text, &file, err))
		return false;
	const struct env_variable *variable = env_file_find(&file, name);
	if (!variable)
		return add_line(text, name, slice_str(value), out, err);
	struct slice rest = slice_of(text.ptr + variable->end, text.len - variable->end);
	buf_add(out, text.ptr, variable->start);
	if (!add_value(value, rest, out, err))
		return false;
	buf_add(out, rest.ptr, rest.len);
	return true;
}
