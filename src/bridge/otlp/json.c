#include "bridge/otlp/json.h"

#include "bridge/otlp/arena.h"
#include "bridge/otlp/json_scan.h"

bool json_fail_with(struct json *j, enum reason reason)
{
	if (j->reason == REASON_OK)
		j->reason = reason;
	return false;
}

bool json_fail(struct json *j)
{
	return json_fail_with(j, j->p >= j->end ? REASON_TRUNCATED : REASON_MALFORMED_JSON);
}

static bool is_space(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool json_space_slow(struct json *j)
{
	while (j->p < j->end && is_space(*j->p))
		j->p++;
	return j->p < j->end;
}

bool json_is_over(struct json *j)
{
	return !json_space(j);
}

static bool take_char(struct json *j, char c)
{
	if (!json_space(j) || *j->p != (unsigned char)c)
		return json_fail(j);
	j->p++;
	return true;
}

static bool take_word(struct json *j, const char *word)
{
	for (; *word; word++, j->p++) {
		if (j->p == j->end || *j->p != (unsigned char)*word)
			return json_fail(j);
	}
	return true;
}

bool json_enter_object(struct json *j, struct json_object *o)
{
	o->is_first = true;
	return take_char(j, '{');
}

bool json_enter_array(struct json *j, struct json_array *a)
{
	a->is_first = true;
	return take_char(j, '[');
}

/* Past the comma in front of the next item, or past `close`. 1: an item follows, 0: over, -1: failed. */
static int next_item(struct json *j, bool *is_first, char close)
{
	bool was_first = *is_first;
	*is_first = false;
	if (!json_space(j)) {
		json_fail(j);
		return -1;
	}
	if (*j->p == (unsigned char)close) {
		j->p++;
		return 0;
	}
	if (was_first)
		return 1;
	return take_char(j, ',') && (json_space(j) || json_fail(j)) ? 1 : -1;
}

int json_member(struct json *j, struct json_object *o)
{
	for (;;) {
		int got = next_item(j, &o->is_first, '}');
		if (got <= 0)
			return got;
		if (!json_text(j, &o->key) || !take_char(j, ':'))
			return -1;
		if (!json_space(j)) {
			json_fail(j);
			return -1;
		}
		if (*j->p != 'n')
			return 1;
		if (!take_word(j, "null"))
			return -1;
	}
}

int json_element(struct json *j, struct json_array *a)
{
	return next_item(j, &a->is_first, ']');
}

bool json_bool(struct json *j, bool *out)
{
	*out = j->p < j->end && *j->p == 't';
	return take_word(j, *out ? "true" : "false");
}

static int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits behind "\u". */
static bool take_hex4(struct json *j, unsigned *out)
{
	unsigned value = 0;
	for (int i = 0; i < 4; i++, j->p++) {
		int digit = j->p < j->end ? hex_digit(*j->p) : -1;
		if (digit < 0)
			return json_fail(j);
		value = value << 4 | (unsigned)digit;
	}
	*out = value;
	return true;
}

static unsigned char *put_utf8(unsigned char *to, unsigned code)
{
	if (code < 0x80) {
		*to++ = (unsigned char)code;
		return to;
	}
	if (code < 0x800) {
		*to++ = (unsigned char)(0xC0 | code >> 6);
	} else {
		if (code < 0x10000) {
			*to++ = (unsigned char)(0xE0 | code >> 12);
		} else {
			*to++ = (unsigned char)(0xF0 | code >> 18);
			*to++ = (unsigned char)(0x80 | (code >> 12 & 0x3F));
		}
		*to++ = (unsigned char)(0x80 | (code >> 6 & 0x3F));
	}
	*to++ = (unsigned char)(0x80 | (code & 0x3F));
	return to;
}

/* A code unit behind "\u", joined with its low surrogate; U+FFFD for half a pair. */
static bool take_unicode(struct json *j, unsigned *out)
{
	unsigned low;
	if (!take_hex4(j, out))
		return false;
	if (*out < 0xD800 || *out > 0xDFFF)
		return true;
	if (*out < 0xDC00 && j->end - j->p >= 2 && j->p[0] == '\\' && j->p[1] == 'u') {
		const unsigned char *second = j->p;
		j->p += 2;
		if (!take_hex4(j, &low))
			return false;
		if (low >= 0xDC00 && low <= 0xDFFF) {
			*out = 0x10000 + ((*out - 0xD800) << 10) + (low - 0xDC00);
			return true;
		}
		j->p = second;
	}
	*out = 0xFFFD;
	return true;
}

/* The escape behind a backslash. */
static bool take_escape(struct json *j, unsigned *out)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	if (j->p == j->end)
		return json_fail(j);
	unsigned char c = *j->p;
	if (c == 'u') {
		j->p++;
		return take_unicode(j, out);
	}
	const char *name = c ? strchr(names, c) : NULL;
	if (!name)
		return json_fail(j);
	j->p++;
	*out = (unsigned char)values[name - names];
	return true;
}

/* The rest of a string from its first backslash on: j->p stands there, `start` behind the quote. `to` is
 * where the undone text grows, or NULL to only check. */
static bool take_escaped(struct json *j, const unsigned char *start, unsigned char **to)
{
	const unsigned char *from = start;
	for (;;) {
		size_t plain = (size_t)(j->p - from);
		if (*to && plain) {
			memcpy(*to, from, plain);
			*to += plain;
		}
		if (j->p == j->end || *j->p < 0x20)
			return json_fail(j);
		if (*j->p == '"')
			return true;
		unsigned code;
		j->p++;
		if (!take_escape(j, &code))
			return false;
		if (*to)
			*to = put_utf8(*to, code);
		from = j->p;
		j->p = json_scan_string(j->p, j->end);
	}
}

/* The end of a string whose content starts at p, for the size of what it becomes. */
static size_t raw_length(const unsigned char *p, const unsigned char *end)
{
	const unsigned char *at = p;
	while ((at = json_scan_string(at, end)) < end && *at == '\\' && end - at >= 2)
		at += 2;
	return (size_t)(at - p);
}

static bool string_with_escapes(struct json *j, const unsigned char *start, struct slice *out)
{
	size_t room = j->arena ? raw_length(start, j->end) : 0;
	unsigned char *base = j->arena ? arena_take(j->arena, room) : NULL;
	unsigned char *to = base;
	if (!take_escaped(j, start, &to))
		return false;
	*out = slice_of(start, (size_t)(j->p - start));
	if (base) {
		*out = slice_of(base, (size_t)(to - base));
		arena_return(j->arena, room - out->len);
	}
	j->p++;
	return true;
}

bool json_text(struct json *j, struct slice *out)
{
	if (!take_char(j, '"'))
		return false;
	const unsigned char *start = j->p;
	j->p = json_scan_string(start, j->end);
	if (j->p < j->end && *j->p == '"') {
		*out = slice_of(start, (size_t)(j->p - start));
		j->p++;
		return true;
	}
	return string_with_escapes(j, start, out);
}

static int base64_digit(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

bool json_base64(struct json *j, struct slice *out)
{
	struct slice text;
	if (!json_text(j, &text))
		return false;
	while (text.len > 0 && text.ptr[text.len - 1] == '=')
		text.len--;
	unsigned char *base = j->arena ? arena_take(j->arena, text.len) : NULL;
	size_t len = 0;
	unsigned bits = 0, held = 0;
	for (size_t i = 0; i < text.len; i++) {
		int digit = base64_digit(text.ptr[i]);
		if (digit < 0)
			return json_fail_with(j, REASON_MALFORMED_JSON);
		bits = (bits << 6 | (unsigned)digit) & 0xFFFF;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		if (base)
			base[len] = (unsigned char)(bits >> held);
		len++;
	}
	/* One digit left over holds six bits of a byte that is not there. */
	if (held >= 6)
		return json_fail_with(j, REASON_MALFORMED_JSON);
	*out = base ? slice_of(base, len) : text;
	if (base)
		arena_return(j->arena, text.len - len);
	return true;
}

static bool skip_string(struct json *j)
{
	struct json plain = { j->p, j->end, NULL, REASON_OK };
	struct slice ignored;
	bool ok = json_text(&plain, &ignored);
	j->p = plain.p;
	return ok || json_fail_with(j, plain.reason);
}

static bool skip_scalar(struct json *j)
{
	double ignored;
	switch (*j->p) {
	case '"':
		return skip_string(j);
	case 't':
		return take_word(j, "true");
	case 'f':
		return take_word(j, "false");
	case 'n':
		return take_word(j, "null");
	default:
		return json_double(j, &ignored);
	}
}

/* The brackets that are open, one bit each: 1 is an object. */
struct nesting {
	uint64_t objects;
	unsigned depth;
};

static bool skip_key(struct json *j)
{
	return skip_string(j) && take_char(j, ':');
}

/* Opens the bracket at j->p. *is_empty: it closed at once and was not pushed. */
static bool skip_open(struct json *j, struct nesting *n, bool *is_empty)
{
	bool is_object = *j->p == '{';
	if (n->depth == JSON_DEPTH_MAX)
		return json_fail_with(j, REASON_TOO_DEEP);
	j->p++;
	if (!json_space(j))
		return json_fail(j);
	*is_empty = *j->p == (is_object ? '}' : ']');
	if (*is_empty) {
		j->p++;
		return true;
	}
	n->objects = n->objects << 1 | is_object;
	n->depth++;
	return !is_object || skip_key(j);
}

/* Behind a value: closes brackets, up to the next value or until none is open. */
static bool skip_close(struct json *j, struct nesting *n)
{
	while (n->depth > 0) {
		bool is_object = n->objects & 1;
		if (!json_space(j))
			return json_fail(j);
		if (*j->p == ',') {
			j->p++;
			return !is_object || (json_space(j) ? skip_key(j) : json_fail(j));
		}
		if (*j->p != (is_object ? '}' : ']'))
			return json_fail(j);
		j->p++;
		n->objects >>= 1;
		n->depth--;
	}
	return true;
}

bool json_skip(struct json *j)
{
	struct nesting n = { 0 };
	do {
		bool is_whole = true;
		if (!json_space(j))
			return json_fail(j);
		if (*j->p == '{' || *j->p == '[') {
			if (!skip_open(j, &n, &is_whole))
				return false;
		} else if (!skip_scalar(j)) {
			return false;
		}
		if (is_whole && !skip_close(j, &n))
			return false;
	} while (n.depth > 0);
	return true;
}

bool json_skim(struct json *j)
{
	if (!json_space(j))
		return json_fail(j);
	if (*j->p != '{' && *j->p != '[')
		return skip_scalar(j);
	const unsigned char *behind = json_scan_brackets(j->p, j->end);
	j->p = behind ? behind : j->end;
	return behind || json_fail(j);
}

bool json_skim_array(struct json *j, struct slice *text)
{
	const unsigned char *start = j->p;
	if (j->p < j->end && *j->p != '[')
		return json_fail(j);
	if (!json_skim(j))
		return false;
	*text = slice_of(start, (size_t)(j->p - start));
	return true;
}
