#include "render/env_file.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "render/escape.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAMES	LETTERS "0123456789_"
#define BLANKS	" \t\r\v\f"

/* The text is copied with a NUL behind it and holds none, so strspn and its like may be used on it. */
struct scan {
	const char *text, *at;
	struct env_file *out;
	struct error *err;
};

static size_t line_of(const struct scan *s, const char *at)
{
	size_t line = 1;
	for (const char *p = s->text; p < at; p++)
		line += *p == '\n';
	return line;
}

static bool fail(const struct scan *s, const char *at, const char *why)
{
	error_set(s->err, ERR_CONFIG, ".env:%zu: %s", line_of(s, at), why);
	return error_hint(s->err, "a line is NAME=value, NAME='value' or a # comment");
}

/* To the next variable: over empty lines and comments. */
static void skip_between(struct scan *s)
{
	for (;;) {
		s->at += strspn(s->at, BLANKS "\n");
		if (*s->at != '#')
			return;
		s->at += strcspn(s->at, "\n");
	}
}

static bool is_reference(const char *dollar)
{
	return dollar[1] == '{' || (dollar[1] && strchr(LETTERS "_", dollar[1]));
}

/* ---- values: each moves s->at behind the value and adds what it means to `value` ---- */

static bool scan_single(struct scan *s, struct buf *value)
{
	const char *opening = s->at++;
	for (; *s->at != '\''; s->at++) {
		if (!*s->at)
			return fail(s, opening, "the quote is not closed");
		if (s->at[0] == '\\' && s->at[1] == '\'')
			s->at++;
		buf_addc(value, *s->at);
	}
	s->at++;
	return true;
}

/* What stands behind a backslash in double quotes; the same with its backslash where it means nothing. */
static void add_escaped(struct buf *value, char c)
{
	static const char letters[] = "nrt\\\"$", bytes[] = "\n\r\t\\\"$";
	const char *letter = strchr(letters, c);
	if (!letter)
		buf_addc(value, '\\');
	buf_addc(value, letter ? bytes[letter - letters] : c);
}

static bool scan_double(struct scan *s, struct env_variable *variable, struct buf *value)
{
	const char *opening = s->at++;
	for (; *s->at != '"'; s->at++) {
		if (!*s->at || (*s->at == '\\' && !s->at[1]))
			return fail(s, opening, "the quote is not closed");
		if (*s->at == '\\') {
			add_escaped(value, *++s->at);
			continue;
		}
		variable->refers |= *s->at == '$' && is_reference(s->at);
		if (s->at[0] == '$' && s->at[1] == '$')
			s->at++;
		buf_addc(value, *s->at);
	}
	s->at++;
	return true;
}

static const char *unquoted_end(const char *at)
{
	const char *end = at + strcspn(at, "\n");
	for (const char *p = at; p < end; p++) {
		if (*p == '#' && p > at && strchr(BLANKS, p[-1]))
			end = p;
	}
	while (end > at && strchr(BLANKS, end[-1]))
		end--;
	return end;
}

static void scan_unquoted(struct scan *s, struct env_variable *variable, struct buf *value)
{
	const char *end = unquoted_end(s->at);
	for (; s->at < end; s->at++) {
		variable->refers |= *s->at == '$' && is_reference(s->at);
		if (s->at[0] == '$' && s->at[1] == '$' && s->at + 1 < end)
			s->at++;
		buf_addc(value, *s->at);
	}
}

static bool scan_value(struct scan *s, struct env_variable *variable)
{
	AUTO(buf) struct buf value = BUF_INIT(BUF_UNLIMITED);
	bool is_right = true;
	variable->start = (size_t)(s->at - s->text);
	if (*s->at == '\'')
		is_right = scan_single(s, &value);
	else if (*s->at == '"')
		is_right = scan_double(s, variable, &value);
	else
		scan_unquoted(s, variable, &value);
	variable->end = (size_t)(s->at - s->text);
	variable->value = buf_detach(&value);
	if (!variable->value)
		variable->value = mem_strdup("");
	return is_right;
}

/* What is left of the line behind a quoted value: nothing, or a comment. */
static bool scan_rest(struct scan *s)
{
	const char *rest = s->at + strspn(s->at, BLANKS);
	if (*rest && *rest != '\n' && *rest != '#')
		return fail(s, s->at, "something stands behind the closing quote");
	s->at = rest + strcspn(rest, "\n");
	return true;
}

static bool scan_name(struct scan *s, struct env_variable *variable)
{
	if (strncmp(s->at, "export", 6) == 0 && s->at[6] && strchr(BLANKS, s->at[6]))
		s->at += 6 + strspn(s->at + 6, BLANKS);
	size_t len = strspn(s->at, NAMES);
	const char *sign = s->at + len + strspn(s->at + len, BLANKS);
	if (!len || (*sign != '=' && *sign != ':'))
		return fail(s, s->at, "this is no variable");
	variable->name = mem_strndup(s->at, len);
	variable->line = line_of(s, s->at);
	s->at = sign + 1 + strspn(sign + 1, BLANKS);
	return true;
}

static bool scan_variable(struct scan *s)
{
	struct env_file *out = s->out;
	out->items = mem_grow(out->items, &out->room, out->count + 1, sizeof *out->items);
	struct env_variable *variable = &out->items[out->count++];
	*variable = (struct env_variable){ 0 };
	return scan_name(s, variable) && scan_value(s, variable) && scan_rest(s);
}

bool env_file_parse(struct slice text, struct env_file *out, struct error *err)
{
	*out = (struct env_file){ 0 };
	if (text.len > ENV_FILE_MAX)
		return error_set(err, ERR_CONFIG, ".env is larger than %d bytes", ENV_FILE_MAX);
	if (text.len && memchr(text.ptr, '\0', text.len))
		return error_set(err, ERR_CONFIG, ".env holds a NUL byte");
	AUTO(str) char *copy = mem_strndup((const char *)text.ptr, text.len);
	struct scan s = { .text = copy, .at = copy, .out = out, .err = err };
	if (strncmp(s.at, "\xEF\xBB\xBF", 3) == 0)
		s.at += 3;
	for (skip_between(&s); *s.at; skip_between(&s)) {
		if (scan_variable(&s))
			continue;
		env_file_clear(out);
		return false;
	}
	return true;
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

static bool add_line(
	struct slice text, const char *name, struct slice value, struct buf *out, struct error *err)
{
	bool is_crlf =
		text.len > 1 && text.ptr[text.len - 2] == '\r' && text.ptr[text.len - 1] == '\n';
	const char *end = is_crlf ? "\r\n" : "\n";
	buf_add(out, text.ptr, text.len);
	if (text.len && text.ptr[text.len - 1] != '\n')
		buf_adds(out, end);
	buf_addf(out, "%s=", name);
	if (!escape_append(ESCAPE_ENV, value, out, err))
		return false;
	buf_adds(out, end);
	return true;
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
	buf_add(out, text.ptr, variable->start);
	if (!escape_append(ESCAPE_ENV, slice_str(value), out, err))
		return false;
	buf_add(out, text.ptr + variable->end, text.len - variable->end);
	return true;
}
