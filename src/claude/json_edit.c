#include "claude/json_edit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"

#define DEPTH_MAX 200
#define BOM	  "\xef\xbb\xbf"

/* ---- reading ---- */

/* Where in the text, and the first fault that was met. */
struct reader {
	struct slice text;
	size_t at;
	const char *fault; /* NULL: none yet */
	size_t fault_at;
	unsigned depth;
	struct buf *plain; /* gets blanks for what is not JSON; NULL: nobody wants that */
};

static bool fail(struct reader *r, const char *fault)
{
	if (!r->fault) {
		r->fault = fault;
		r->fault_at = r->at;
	}
	return false;
}

/* NUL past the end; a NUL within is refused by all who meet it. */
static char peek(const struct reader *r, size_t ahead)
{
	size_t at = r->at + ahead;
	return at < r->text.len ? (char)r->text.ptr[at] : '\0';
}

static void blank(struct reader *r, size_t begin, size_t end)
{
	for (size_t i = begin; r->plain && i < end; i++) {
		if (r->plain->data[i] != '\n' && r->plain->data[i] != '\r')
			r->plain->data[i] = ' ';
	}
}

static bool skip_comment(struct reader *r)
{
	size_t begin = r->at;
	if (peek(r, 1) == '/') {
		while (r->at < r->text.len && peek(r, 0) != '\n')
			r->at++;
		blank(r, begin, r->at);
		return true;
	}
	if (peek(r, 1) != '*')
		return fail(r, "a '/' that begins no comment");
	for (r->at += 2; r->at < r->text.len; r->at++) {
		if (peek(r, 0) == '*' && peek(r, 1) == '/') {
			r->at += 2;
			blank(r, begin, r->at);
			return true;
		}
	}
	r->at = begin;
	return fail(r, "a comment without an end");
}

/* White space and comments. */
static bool skip(struct reader *r)
{
	for (;;) {
		while (r->at < r->text.len && memchr(" \t\r\n", peek(r, 0), 4))
			r->at++;
		if (peek(r, 0) != '/')
			return true;
		if (!skip_comment(r))
			return false;
	}
}

static bool read_escape(struct reader *r)
{
	char c = peek(r, 1);
	if (c == 'u') {
		for (size_t i = 2; i < 6; i++) {
			if (!isxdigit((unsigned char)peek(r, i)))
				return fail(r, "an escape \\u without four digits");
		}
		r->at += 6;
		return true;
	}
	if (!c || !strchr("\"\\/bfnrt", c))
		return fail(r, "an unknown escape in a string");
	r->at += 2;
	return true;
}

static bool read_string(struct reader *r)
{
	size_t begin = r->at;
	for (r->at++; r->at < r->text.len;) {
		unsigned char c = (unsigned char)peek(r, 0);
		if (c == '"') {
			r->at++;
			return true;
		}
		if (c < 0x20)
			return fail(r, c == '\n' ? "a string that does not end on its line"
						 : "a control character in a string");
		if (c != '\\')
			r->at++;
		else if (!read_escape(r))
			return false;
	}
	r->at = begin;
	return fail(r, "a string without an end");
}

static size_t digits(struct reader *r)
{
	size_t begin = r->at;
	while (isdigit((unsigned char)peek(r, 0)))
		r->at++;
	return r->at - begin;
}

static bool read_number(struct reader *r)
{
	r->at += peek(r, 0) == '-';
	/* No digit follows a leading 0. */
	bool is_zero = peek(r, 0) == '0';
	r->at += is_zero;
	bool is_right = is_zero || digits(r) > 0;
	if (is_right && peek(r, 0) == '.') {
		r->at++;
		is_right = digits(r) > 0;
	}
	if (is_right && (peek(r, 0) == 'e' || peek(r, 0) == 'E')) {
		r->at++;
		r->at += peek(r, 0) == '+' || peek(r, 0) == '-';
		is_right = digits(r) > 0;
	}
	return is_right || fail(r, "this is no value");
}

static bool read_word(struct reader *r)
{
	static const char *const words[] = { "true", "false", "null" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t len = strlen(words[i]);
		if (r->text.len - r->at >= len && memcmp(r->text.ptr + r->at, words[i], len) == 0) {
			r->at += len;
			return true;
		}
	}
	return fail(r, r->at < r->text.len ? "this is no value" : "the text ends too early");
}

static bool read_value(struct reader *r);

/* A member of an object as it stands in the text; offsets. */
struct member {
	size_t key, key_end, value, value_end;
};

/* Reads up to the value's end. */
static bool read_member(struct reader *r, struct member *out)
{
	if (peek(r, 0) != '"')
		return fail(r, "a key in double quotes, or '}', is missing");
	out->key = r->at;
	if (!read_string(r))
		return false;
	out->key_end = r->at;
	if (!skip(r))
		return false;
	if (peek(r, 0) != ':')
		return fail(r, "a ':' is missing");
	r->at++;
	if (!skip(r))
		return false;
	out->value = r->at;
	if (!read_value(r))
		return false;
	out->value_end = r->at;
	return true;
}

/* Behind a value: a comma and whether something follows it. */
static bool read_comma(struct reader *r, char end, bool *goes_on)
{
	if (!skip(r))
		return false;
	*goes_on = peek(r, 0) == ',';
	if (!*goes_on)
		return peek(r, 0) == end || fail(r, end == '}' ? "a ',' or a '}' is missing"
							       : "a ',' or a ']' is missing");
	size_t comma = r->at++;
	if (!skip(r))
		return false;
	if (peek(r, 0) != end)
		return true;
	blank(r, comma, comma + 1);
	*goes_on = false;
	return true;
}

/* Objects and lists; `found` is told of an object's members and may end the reading. */
static bool read_members(struct reader *r, char end)
{
	struct member member;
	bool goes_on = true;
	r->at++;
	if (!skip(r))
		return false;
	goes_on = peek(r, 0) != end;
	while (goes_on) {
		if (!(end == '}' ? read_member(r, &member) : read_value(r)) ||
			!read_comma(r, end, &goes_on))
			return false;
	}
	r->at++;
	return true;
}

static bool read_value(struct reader *r)
{
	char c = peek(r, 0);
	if (c == '"')
		return read_string(r);
	if (c == '-' || isdigit((unsigned char)c))
		return read_number(r);
	if (c != '{' && c != '[')
		return read_word(r);
	if (++r->depth > DEPTH_MAX)
		return fail(r, "it is nested too deeply");
	bool is_read = read_members(r, c == '{' ? '}' : ']');
	r->depth--;
	return is_read;
}

static void begin(struct reader *r)
{
	if (r->text.len >= 3 && memcmp(r->text.ptr, BOM, 3) == 0) {
		blank(r, 0, 3);
		r->at = 3;
	}
}

/* The whole of a text: one object. */
static bool read_text(struct reader *r)
{
	begin(r);
	if (r->text.len >= 2 && (memcmp(r->text.ptr, "\xff\xfe", 2) == 0 ||
					memcmp(r->text.ptr, "\xfe\xff", 2) == 0))
		return fail(r, "the text is UTF-16; it has to be UTF-8");
	if (!skip(r))
		return false;
	if (peek(r, 0) != '{')
		return fail(r, r->at < r->text.len ? "the text is no object, which begins with '{'"
						   : "the text is empty");
	if (!read_value(r) || !skip(r))
		return false;
	return r->at == r->text.len || fail(r, "something stands behind the object's end");
}

bool json_edit_check(struct slice text, struct error *err)
{
	struct reader r = { .text = text };
	size_t line = 1, column = 1;
	if (text.len > JSON_EDIT_MAX)
		return error_set(err, ERR_FAILED, "it is larger than %d MiB", JSON_EDIT_MAX >> 20);
	if (read_text(&r))
		return true;
	for (size_t i = 0; i < r.fault_at && i < text.len; i++) {
		bool is_begin = ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
		column += is_begin;
		if (text.ptr[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return error_set(err, ERR_CORRUPT, "line %zu, column %zu: %s", line, column, r.fault);
}

void json_edit_plain(struct buf *text)
{
	struct reader r = { .text = buf_slice(text), .plain = text };
	(void)read_text(&r);
}

/* ---- finding ---- */

/* An object in the text: from its '{' to behind its '}', and the members that are looked for. */
struct object {
	size_t open, end;
	struct member found, before, last; /* before: the member in front of the one found */
	bool is_found, has_before, has_last;
	bool is_followed;      /* a member stands behind the one found */
	bool has_comma_at_end; /* behind the last member */
};

static bool is_key(struct slice text, const struct member *member, const char *key)
{
	json_t *value = json_loadb((const char *)text.ptr + member->key,
		member->key_end - member->key, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	const char *decoded = json_string_value(value);
	bool is_same = decoded && strlen(decoded) == json_string_length(value) &&
		       strcmp(decoded, key) == 0;
	json_decref(value);
	return is_same;
}

static void take_member(
	struct object *out, struct slice text, const struct member *member, const char *key)
{
	if (is_key(text, member, key)) {
		out->is_found = true;
		out->is_followed = false;
		out->found = *member;
		out->before = out->last;
		out->has_before = out->has_last;
	} else {
		out->is_followed = true;
	}
	out->last = *member;
	out->has_last = true;
}

/* The object that begins at `open`, which is well formed, and `key` in it. */
static void read_object(struct slice text, size_t open, const char *key, struct object *out)
{
	struct reader r = { .text = text, .at = open + 1 };
	bool goes_on;
	*out = (struct object){ .open = open };
	goes_on = skip(&r) && peek(&r, 0) != '}';
	while (goes_on) {
		struct member member;
		if (!read_member(&r, &member))
			return;
		take_member(out, text, &member, key);
		size_t behind = r.at;
		if (!read_comma(&r, '}', &goes_on))
			return;
		struct reader look = { .text = text, .at = behind };
		out->has_comma_at_end = !goes_on && skip(&look) && peek(&look, 0) == ',';
	}
	out->end = r.at + 1;
}

/* The root's '{'. */
static bool find_root(struct slice text, size_t *open)
{
	struct reader whole = { .text = text }, r = { .text = text };
	begin(&r);
	if (!read_text(&whole) || !skip(&r))
		return false;
	*open = r.at;
	return true;
}

/* The object that a key is looked for in: the root, or one in it. False: it is not there, or no object. */
static bool find_object(
	struct slice text, const char *object, const char *key, struct object *out, bool *is_other)
{
	size_t open;
	*is_other = false;
	if (!find_root(text, &open))
		return false;
	read_object(text, open, object ? object : key, out);
	if (!object)
		return true;
	if (!out->is_found)
		return false;
	*is_other = text.ptr[out->found.value] != '{';
	if (*is_other)
		return false;
	read_object(text, out->found.value, key, out);
	return true;
}

bool json_edit_find(struct slice text, const char *object, const char *key, struct slice *value)
{
	struct object found;
	bool is_other;
	if (!find_object(text, object, key, &found, &is_other) || !found.is_found)
		return false;
	*value = slice_of(text.ptr + found.found.value, found.found.value_end - found.found.value);
	return true;
}

bool json_edit_is_empty(struct slice text, const char *object)
{
	struct object found;
	bool is_other;
	return find_object(text, object, "", &found, &is_other) && !found.has_last;
}

/* ---- writing ---- */

static void replace(struct buf *text, size_t begin, size_t end, const char *with, size_t len)
{
	AUTO(str) char *tail = mem_strndup(buf_str(text) + end, text->len - end);
	size_t tail_len = text->len - end;
	text->len = begin;
	buf_add(text, with, len);
	buf_add(text, tail, tail_len);
}

static const char *line_end(struct slice text)
{
	const char *newline = memchr(text.ptr, '\n', text.len);
	return newline && newline > (const char *)text.ptr && newline[-1] == '\r' ? "\r\n" : "\n";
}

/* The white space that a line begins with, up to `at` at most; false when something else stands before `at` on it. */
static bool indentation(struct slice text, size_t at, struct slice *out)
{
	size_t begin = at;
	while (begin > 0 && text.ptr[begin - 1] != '\n')
		begin--;
	size_t end = begin;
	while (end < at && (text.ptr[end] == ' ' || text.ptr[end] == '\t'))
		end++;
	*out = slice_of(text.ptr + begin, end - begin);
	return end == at && begin > 0;
}

/* One step of indentation: what the root's first member has; two blanks when that tells nothing. */
static struct slice unit(struct slice text)
{
	struct object root;
	size_t open;
	struct slice found;
	if (find_root(text, &open)) {
		struct reader r = { .text = text, .at = open + 1 };
		read_object(text, open, "", &root);
		if (root.has_last && skip(&r) && indentation(text, r.at, &found) && found.len)
			return found;
	}
	return slice_of("  ", 2);
}

/* Past blanks and comments on the same line, when all that follows there is that. */
static size_t behind_comment(struct slice text, size_t at)
{
	struct reader r = { .text = text, .at = at };
	size_t end = at;
	for (;;) {
		while (peek(&r, 0) == ' ' || peek(&r, 0) == '\t')
			r.at++;
		if (peek(&r, 0) != '/' || !skip_comment(&r))
			return end;
		end = r.at;
		if (end > at && text.ptr[end - 1] == '\r')
			end--;
	}
}

/* Behind the last member, on a line of its own where that has one. */
static void append(struct buf *text, const struct object *object, const char *member)
{
	struct slice bytes = buf_slice(text), indent;
	AUTO(buf) struct buf added = BUF_INIT(BUF_UNLIMITED);
	size_t end = object->last.value_end, comma = end;
	if (object->has_comma_at_end) {
		struct reader r = { .text = bytes, .at = end };
		if (skip(&r))
			end = r.at + 1;
	}
	bool has_line = indentation(bytes, object->last.key, &indent);
	/* On the same line it has to stand in front of a comment, which would swallow it. */
	size_t at = has_line ? behind_comment(bytes, end) : end;
	if (has_line)
		buf_addf(&added, "%s%.*s%s", line_end(bytes), (int)indent.len,
			(const char *)indent.ptr, member);
	else
		buf_addf(&added, " %s", member);
	replace(text, at, at, buf_str(&added), added.len);
	if (!object->has_comma_at_end)
		replace(text, comma, comma, ",", 1);
}

/* The first member. What stands between the braces, white space or a comment, stays in front of it. */
static void fill(struct buf *text, const struct object *object, const char *member)
{
	struct slice bytes = buf_slice(text), indent, step = unit(bytes);
	AUTO(buf) struct buf added = BUF_INIT(BUF_UNLIMITED);
	size_t close = object->end - 1, begin = close;
	while (begin > object->open + 1 && memchr(" \t\r\n", bytes.ptr[begin - 1], 4))
		begin--;
	(void)indentation(bytes, object->open, &indent);
	const char *newline = line_end(bytes);
	buf_addf(&added, "%s%.*s%.*s%s%s%.*s", newline, (int)indent.len, (const char *)indent.ptr,
		(int)step.len, (const char *)step.ptr, member, newline, (int)indent.len,
		(const char *)indent.ptr);
	replace(text, begin, close, buf_str(&added), added.len);
}

static void add_member(
	struct buf *text, const struct object *object, const char *key, const char *value)
{
	json_t *name = json_string(key);
	AUTO(str) char *quoted = json_dumps(name, JSON_ENCODE_ANY);
	AUTO(str) char *member = mem_printf("%s: %s", quoted, value);
	json_decref(name);
	if (object->has_last)
		append(text, object, member);
	else
		fill(text, object, member);
}

/* White space alone, or nothing: an object with nothing in it, with the line end that it had. */
static void begin_text(struct buf *text)
{
	struct reader r = { .text = buf_slice(text) };
	begin(&r);
	while (r.at < r.text.len && memchr(" \t\r\n", peek(&r, 0), 4))
		r.at++;
	if (r.at == r.text.len)
		buf_adds(text, "{}\n");
}

bool json_edit_set(
	struct buf *text, const char *object, const char *key, const char *value, struct error *err)
{
	struct object found;
	bool is_other;
	begin_text(text);
	if (!json_edit_check(buf_slice(text), err))
		return false;
	bool is_there = find_object(buf_slice(text), object, key, &found, &is_other);
	if (is_other)
		return error_set(err, ERR_CORRUPT, "\"%s\" is there, and is no object", object);
	if (!is_there) {
		add_member(text, &found, object, "{}");
		is_there = find_object(buf_slice(text), object, key, &found, &is_other);
	}
	if (!is_there)
		return error_set(err, ERR_CORRUPT, "\"%s\" cannot be added", object);
	if (found.is_found)
		replace(text, found.found.value, found.found.value_end, value, strlen(value));
	else
		add_member(text, &found, key, value);
	return true;
}

/* From a key up to the next one. */
static size_t next_key(struct slice text, size_t value_end)
{
	struct reader r = { .text = text, .at = value_end };
	if (skip(&r) && peek(&r, 0) == ',') {
		r.at++;
		if (skip(&r))
			return r.at;
	}
	return value_end;
}

bool json_edit_remove(struct buf *text, const char *object, const char *key, struct error *err)
{
	struct object found;
	bool is_other;
	if (!json_edit_check(buf_slice(text), err))
		return false;
	if (!find_object(buf_slice(text), object, key, &found, &is_other) || !found.is_found)
		return true;
	if (found.is_followed) {
		replace(text, found.found.key, next_key(buf_slice(text), found.found.value_end), "",
			0);
	} else if (found.has_before) {
		replace(text, found.before.value_end, found.found.value_end, "", 0);
	} else {
		replace(text, found.open + 1, found.end - 1, "", 0);
	}
	return true;
}
