#include "env_reader.h"

#include <string.h>

struct reader {
	struct slice rest;
	struct buf value;
};

static int peek(const struct reader *r)
{
	return r->rest.len ? r->rest.ptr[0] : -1;
}

static int take(struct reader *r)
{
	int c = peek(r);
	if (c >= 0)
		r->rest = slice_of(r->rest.ptr + 1, r->rest.len - 1);
	return c;
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static void skip_between(struct reader *r)
{
	while (is_blank(peek(r)) || peek(r) == '\n' || peek(r) == '#') {
		if (take(r) == '#')
			while (peek(r) >= 0 && peek(r) != '\n')
				take(r);
	}
}

static bool is_name_byte(int c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool read_single(struct reader *r)
{
	for (int c; (c = take(r)) != '\'';) {
		if (c < 0)
			return false;
		if (c == '\\' && peek(r) == '\'')
			c = take(r);
		buf_addc(&r->value, (char)c);
	}
	return true;
}

static char read_octal(struct reader *r)
{
	unsigned value = 0;
	for (int digits = 0; digits < 3 && peek(r) >= '0' && peek(r) <= '7'; digits++)
		value = value * 8 + (unsigned)(take(r) - '0');
	return (char)value;
}

static void read_backslash(struct reader *r)
{
	static const char letters[] = "nrt\\\"$", bytes[] = "\n\r\t\\\"$";
	int c = take(r);
	const char *letter = c > 0 ? strchr(letters, c) : NULL;
	if (c == '0') {
		buf_addc(&r->value, read_octal(r));
	} else if (letter) {
		buf_addc(&r->value, bytes[letter - letters]);
	} else {
		buf_addc(&r->value, '\\');
		buf_addc(&r->value, (char)c);
	}
}

/* A dollar that was read: only a second one behind it is harmless. */
static bool read_dollar(struct reader *r)
{
	if (peek(r) == '$')
		take(r);
	else if (peek(r) == '{' || is_name_byte(peek(r)))
		return false;
	buf_addc(&r->value, '$');
	return true;
}

static bool read_double(struct reader *r)
{
	for (int c; (c = take(r)) != '"';) {
		if (c < 0 || (c == '$' && !read_dollar(r)))
			return false;
		if (c == '\\')
			read_backslash(r);
		else if (c != '$')
			buf_addc(&r->value, (char)c);
	}
	return true;
}

static bool read_unquoted(struct reader *r)
{
	for (int c; peek(r) >= 0 && (c = take(r)) != '\n';) {
		if (c == '#' && r->value.len && r->value.data[r->value.len - 1] == ' ') {
			while (peek(r) >= 0 && peek(r) != '\n')
				take(r);
			break;
		}
		if (c == '$' && !read_dollar(r))
			return false;
		if (c != '$')
			buf_addc(&r->value, (char)c);
	}
	while (r->value.len && is_blank(r->value.data[r->value.len - 1]))
		r->value.len--;
	return true;
}

static bool read_variable(struct reader *r, struct slice *name)
{
	*name = slice_of(r->rest.ptr, 0);
	r->value.len = 0;
	for (; is_name_byte(peek(r)); take(r))
		name->len++;
	if (!name->len || (peek(r) != '=' && peek(r) != ':'))
		return false;
	take(r);
	while (is_blank(peek(r)))
		take(r);
	int quote = peek(r);
	if (quote != '\'' && quote != '"')
		return read_unquoted(r);
	take(r);
	return quote == '"' ? read_double(r) : read_single(r);
}

bool env_read(struct slice text, env_variable *each, void *ctx)
{
	struct reader r = { .rest = text, .value = BUF_INIT(BUF_UNLIMITED) };
	bool ok = true;
	for (skip_between(&r); ok && r.rest.len; skip_between(&r)) {
		struct slice name;
		ok = read_variable(&r, &name) && each(ctx, name, buf_slice(&r.value));
	}
	buf_clear(&r.value);
	return ok;
}
