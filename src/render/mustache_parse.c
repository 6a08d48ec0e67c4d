/* Template text to a flat array of nodes; a section knows where its nodes end, so nothing is a tree.
 *
 * The specification says of a tag that may stand alone (all but interpolations): when its line holds nothing
 * else but blanks, the whole line goes, with its line break ("\n" or "\r\n"). Whether it does is decided on the
 * template's text around the tag: any other tag on the line is not blank.
 *
 * The blanks in front of a partial that stands alone are put before each line of what it renders, but not
 * before the lines that a value brings. So each text says whether it starts a line, and where a tag that is not
 * alone starts one, an empty text stands before it. */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/str.h"
#include "render/mustache.h"
#include "render/mustache_internal.h"

#define BLANKS " \t\r\n\v\f"

struct delimiter {
	char bytes[MUSTACHE_DELIMITER_MAX];
	size_t len;
};

struct parser {
	struct mustache *t;
	struct error *err;
	struct delimiter open, close;
	size_t text_at;				/* where the text that is not yet a node begins */
	size_t sections[MUSTACHE_SECTIONS_MAX]; /* nodes of those that are open */
	size_t depth;
};

/* A tag as it stands in the text. */
struct tag {
	char sigil; /* one of "!#^/>=&{", or '\0' for a plain name */
	size_t at, end;
	struct slice content; /* without sigil and the blanks around it */
};

void mustache_place(const struct mustache *t, size_t at, size_t *line, size_t *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < at; i++) {
		if (t->text[i] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)t->text[i] & 0xC0) != 0x80) {
			++*column;
		}
	}
}

bool mustache_wrap(const struct mustache *t, size_t at, struct error *err)
{
	size_t line, column;
	mustache_place(t, at, &line, &column);
	return error_wrap(err, "%s, line %zu, column %zu", t->name, line, column);
}

bool mustache_fail(const struct mustache *t, size_t at, struct error *err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	AUTO(str) char *what = mem_vprintf(fmt, ap);
	va_end(ap);
	error_set(err, ERR_FAILED, "%s", what);
	return mustache_wrap(t, at, err);
}

static struct node *add_node(struct parser *p, enum node_kind kind, struct slice bytes, size_t at)
{
	struct mustache *t = p->t;
	t->nodes = mem_grow(t->nodes, &t->room, t->count + 1, sizeof *t->nodes);
	struct node *node = &t->nodes[t->count++];
	*node = (struct node){ .kind = kind, .bytes = bytes, .at = at };
	return node;
}

static bool is_line_start(const struct mustache *t, size_t at)
{
	return at == 0 || t->text[at - 1] == '\n';
}

/* The text up to `end` becomes a node; nothing when there is none. */
static void add_text(struct parser *p, size_t end)
{
	if (end > p->text_at)
		add_node(p, NODE_TEXT, slice_of(p->t->text + p->text_at, end - p->text_at),
			p->text_at)
			->starts_line = is_line_start(p->t, p->text_at);
	p->text_at = end;
}

static size_t find(const struct mustache *t, size_t from, struct slice what)
{
	const char *hit = memmem(t->text + from, t->len - from, what.ptr, what.len);
	return hit ? (size_t)(hit - t->text) : t->len;
}

static struct slice trim(struct slice s)
{
	while (s.len && strchr(BLANKS, s.ptr[0]))
		s = slice_of(s.ptr + 1, s.len - 1);
	while (s.len && strchr(BLANKS, s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* The tag whose opening delimiter is at `at`. In {{{x}}} and {{=a b=}} the closing delimiter has a character of
 * its own in front. */
static bool read_tag(struct parser *p, size_t at, struct tag *tag)
{
	struct mustache *t = p->t;
	char close[MUSTACHE_DELIMITER_MAX + 1];
	size_t close_len = 0, from = at + p->open.len;
	*tag = (struct tag){ .at = at };
	while (from < t->len && strchr(BLANKS, t->text[from]))
		from++;
	if (from < t->len && strchr("!#^/>=&{$<", t->text[from]))
		tag->sigil = t->text[from++];
	if (tag->sigil == '{' || tag->sigil == '=')
		close[close_len++] = tag->sigil == '{' ? '}' : '=';
	memcpy(close + close_len, p->close.bytes, p->close.len);
	close_len += p->close.len;
	size_t end = find(t, from, slice_of(close, close_len));
	if (end == t->len)
		return mustache_fail(t, at, p->err,
			"the tag that begins here does not end with \"%.*s\"", (int)close_len,
			close);
	tag->end = end + close_len;
	tag->content = trim(slice_of(t->text + from, end - from));
	return true;
}

static bool is_name(struct slice s)
{
	if (slice_eq_str(s, "."))
		return true;
	bool part_is_empty = true;
	for (size_t i = 0; i < s.len; i++) {
		if (strchr(BLANKS, s.ptr[i]) || (s.ptr[i] == '.' && part_is_empty))
			return false;
		part_is_empty = s.ptr[i] == '.';
	}
	return !part_is_empty;
}

/* The name of a partial is the caller's business, for the rest it is a name: bounded, and one word. */
static bool check_name(struct parser *p, const struct tag *tag)
{
	struct slice name = tag->content;
	if (name.len == 0)
		return mustache_fail(p->t, tag->at, p->err, "a tag without a name");
	if (name.len > MUSTACHE_NAME_MAX)
		return mustache_fail(p->t, tag->at, p->err, "a name of %zu bytes, more than %d",
			name.len, MUSTACHE_NAME_MAX);
	if (tag->sigil == '>' && name.ptr[0] != '*')
		return true;
	if (tag->sigil == '$' || tag->sigil == '<' || tag->sigil == '>') {
		mustache_fail(p->t, tag->at, p->err,
			"\"%c%.*s\" is not a tag of this template language", tag->sigil,
			(int)name.len, (const char *)name.ptr);
		return error_hint(p->err, "where the file itself needs {{, change the delimiters "
					  "first: {{=<%% %%>=}}");
	}
	if (!is_name(name))
		return mustache_fail(p->t, tag->at, p->err, "\"%.*s\" is not a name", (int)name.len,
			(const char *)name.ptr);
	return true;
}

static bool take_delimiter(struct slice word, struct delimiter *out)
{
	if (word.len == 0 || word.len > sizeof out->bytes)
		return false;
	for (size_t i = 0; i < word.len; i++)
		if (word.ptr[i] == '=' || strchr(BLANKS, word.ptr[i]))
			return false;
	memcpy(out->bytes, word.ptr, word.len);
	out->len = word.len;
	return true;
}

static bool set_delimiters(struct parser *p, const struct tag *tag)
{
	struct slice s = tag->content;
	size_t first = 0;
	while (first < s.len && !strchr(BLANKS, s.ptr[first]))
		first++;
	if (take_delimiter(slice_of(s.ptr, first), &p->open) &&
		take_delimiter(trim(slice_of(s.ptr + first, s.len - first)), &p->close))
		return true;
	return mustache_fail(p->t, tag->at, p->err,
		"delimiters are two words of at most %d bytes without \"=\"",
		MUSTACHE_DELIMITER_MAX);
}

static bool open_section(struct parser *p, const struct tag *tag)
{
	if (p->depth == MUSTACHE_SECTIONS_MAX)
		return mustache_fail(p->t, tag->at, p->err, "sections are nested deeper than %d",
			MUSTACHE_SECTIONS_MAX);
	p->sections[p->depth++] = p->t->count;
	add_node(p, tag->sigil == '#' ? NODE_SECTION : NODE_INVERTED, tag->content, tag->at);
	return true;
}

static bool close_section(struct parser *p, const struct tag *tag)
{
	struct slice name = tag->content;
	if (p->depth == 0)
		return mustache_fail(p->t, tag->at, p->err,
			"{{/%.*s}} closes a section, but none is open", (int)name.len,
			(const char *)name.ptr);
	struct node *open = &p->t->nodes[p->sections[p->depth - 1]];
	if (!slice_eq(open->bytes, name)) {
		size_t line, column;
		mustache_place(p->t, open->at, &line, &column);
		return mustache_fail(p->t, tag->at, p->err,
			"{{/%.*s}} closes a section, but the open one is \"%.*s\" (line %zu, "
			"column %zu)",
			(int)name.len, (const char *)name.ptr, (int)open->bytes.len,
			(const char *)open->bytes.ptr, line, column);
	}
	open->end = p->t->count;
	p->depth--;
	return true;
}

/* Where the blanks in front of the tag begin, and where the line break behind it ends, when its line holds
 * nothing else; false otherwise. */
static bool find_own_line(
	const struct mustache *t, const struct tag *tag, size_t *start, size_t *end)
{
	size_t from = tag->at, to = tag->end;
	while (from > 0 && (t->text[from - 1] == ' ' || t->text[from - 1] == '\t'))
		from--;
	while (to < t->len && (t->text[to] == ' ' || t->text[to] == '\t'))
		to++;
	if (to + 1 < t->len && t->text[to] == '\r' && t->text[to + 1] == '\n')
		to++;
	if (!is_line_start(t, from) || (to < t->len && t->text[to] != '\n'))
		return false;
	*start = from;
	*end = to < t->len ? to + 1 : to;
	return true;
}

/* The text in front of the tag becomes a node, and the next text begins behind the tag, or behind its line.
 * True for a tag that stands alone; *indentation are the blanks in front of it. */
static bool cut_out(struct parser *p, const struct tag *tag, struct slice *indentation)
{
	bool writes = strchr("&{", tag->sigil) != NULL; /* and '\0', the end of this string */
	size_t start, end;
	if (!writes && find_own_line(p->t, tag, &start, &end)) {
		add_text(p, start);
		p->text_at = end;
		*indentation = slice_of(p->t->text + start, tag->at - start);
		return true;
	}
	add_text(p, tag->at);
	if (is_line_start(p->t, tag->at))
		add_node(p, NODE_TEXT, slice_of(p->t->text + tag->at, 0), tag->at)->starts_line =
			true;
	p->text_at = tag->end;
	return false;
}

static void add_partial(
	struct parser *p, const struct tag *tag, bool stands_alone, struct slice indentation)
{
	struct node *node = add_node(p, NODE_PARTIAL, tag->content, tag->at);
	node->stands_alone = stands_alone;
	node->indentation = indentation;
}

static bool add_tag(struct parser *p, const struct tag *tag)
{
	struct slice indentation = { 0 };
	bool stands_alone = cut_out(p, tag, &indentation);
	switch (tag->sigil) {
	case '!':
		return true;
	case '=':
		return set_delimiters(p, tag);
	}
	if (!check_name(p, tag))
		return false;
	switch (tag->sigil) {
	case '#':
	case '^':
		return open_section(p, tag);
	case '/':
		return close_section(p, tag);
	case '>':
		add_partial(p, tag, stands_alone, indentation);
		return true;
	}
	add_node(p, tag->sigil ? NODE_RAW : NODE_ESCAPED, tag->content, tag->at);
	return true;
}

static bool parse(struct parser *p)
{
	struct mustache *t = p->t;
	for (size_t at = 0;;) {
		struct tag tag;
		at = find(t, at, slice_of(p->open.bytes, p->open.len));
		if (at == t->len)
			break;
		if (!read_tag(p, at, &tag) || !add_tag(p, &tag))
			return false;
		at = tag.end;
	}
	add_text(p, t->len);
	if (p->depth == 0)
		return true;
	const struct node *open = &t->nodes[p->sections[p->depth - 1]];
	return mustache_fail(t, open->at, p->err,
		"the section \"%.*s\" that begins here is not closed", (int)open->bytes.len,
		(const char *)open->bytes.ptr);
}

static bool check_text(const char *name, struct slice text, struct error *err)
{
	if (text.len > MUSTACHE_TEMPLATE_MAX)
		return error_set(err, ERR_FAILED, "%s: a template of %zu bytes, more than %d", name,
			text.len, MUSTACHE_TEMPLATE_MAX);
	if (text.len && memchr(text.ptr, '\0', text.len))
		return error_set(err, ERR_FAILED, "%s: a template with a NUL byte", name);
	if (!str_is_utf8(text))
		return error_set(err, ERR_FAILED, "%s: a template that is not UTF-8", name);
	return true;
}

struct mustache *mustache_parse(const char *name, struct slice text, struct error *err)
{
	if (!check_text(name, text, err))
		return NULL;
	struct mustache *t = mem_zalloc(sizeof *t);
	t->name = mem_strdup(name);
	t->text = mem_strndup((const char *)text.ptr, text.len);
	t->len = text.len;
	struct parser p = { .t = t, .err = err, .open = { "{{", 2 }, .close = { "}}", 2 } };
	if (parse(&p))
		return t;
	mustache_free(t);
	return NULL;
}

void mustache_free(struct mustache *t)
{
	if (!t)
		return;
	free(t->name);
	free(t->text);
	free(t->nodes);
	free(t);
}
