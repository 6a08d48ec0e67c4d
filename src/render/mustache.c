/* Walks the nodes of a template. What is bounded here: the output (by its buffer), partials inside each other,
 * and the steps of the whole render, for nested sections over one list, or a partial that includes itself
 * twice, grow without writing a byte. */
#include "render/mustache.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "render/data.h"
#include "render/mustache_internal.h"

/* A partial that was parsed for this render; NULL: there is none of that name. */
struct loaded {
	char *name;
	struct mustache *t;
};

struct render {
	const struct mustache_options *options;
	struct buf *out;
	struct error *err;
	struct buf indentation; /* of all partials that we are in… */
	size_t indentation_at; /* …and from where on it counts: not past a partial within a line */
	struct loaded *partials;
	size_t partial_count, partial_room;
	size_t depth; /* partials that we are in */
	size_t steps;
};

/* Nodes of one template and what they see. */
struct span {
	const struct mustache *t;
	size_t first, end;
	const struct scope *scope;
};

static bool render_span(struct render *r, const struct span *span);

static bool step(struct render *r, const struct span *span, const struct node *node)
{
	return ++r->steps <= MUSTACHE_STEPS_MAX ||
	       mustache_fail(span->t, node->at, r->err, "the render takes more than %d steps",
		       MUSTACHE_STEPS_MAX);
}

static bool fail_output(struct render *r, const struct span *span, const struct node *node)
{
	return mustache_fail(
		span->t, node->at, r->err, "the output would pass %zu bytes", r->out->max);
}

static struct slice current_indentation(const struct render *r)
{
	return slice_of(buf_str(&r->indentation) + r->indentation_at,
		r->indentation.len - r->indentation_at);
}

static bool append_line(struct render *r, struct slice line, bool is_indented)
{
	bool is_empty = line.len && (line.ptr[0] == '\n' || slice_eq_str(line, "\r\n"));
	if (is_indented && !is_empty && !buf_append_slice(r->out, current_indentation(r)))
		return false;
	return buf_append_slice(r->out, line);
}

/* Empty lines stay empty: indentation alone on a line is nothing that a file needs. */
static bool render_text(struct render *r, const struct span *span, const struct node *node)
{
	struct slice rest = node->bytes;
	bool starts_line = node->starts_line, fits = true;
	if (r->indentation.len == r->indentation_at)
		return buf_append_slice(r->out, rest) || fail_output(r, span, node);
	do {
		const unsigned char *newline = rest.len ? memchr(rest.ptr, '\n', rest.len) : NULL;
		size_t len = newline ? (size_t)(newline - rest.ptr) + 1 : rest.len;
		fits = append_line(r, slice_of(rest.ptr, len), starts_line);
		rest = slice_of(rest.ptr + len, rest.len - len);
		starts_line = true;
	} while (fits && rest.len);
	return fits || fail_output(r, span, node);
}

/* The value of the node's name, NULL when there is none. False: that is an error. */
static bool look_up(struct render *r, const struct span *span, const struct node *node,
	const struct data **found)
{
	*found = scope_find(span->scope, node->bytes);
	if (*found || r->options->missing == MUSTACHE_MISSING_IS_EMPTY)
		return true;
	return mustache_fail(span->t, node->at, r->err, "there is no value \"%.*s\"",
		(int)node->bytes.len, (const char *)node->bytes.ptr);
}

static bool render_value(struct render *r, const struct span *span, const struct node *node)
{
	const struct data *v;
	if (!look_up(r, span, node, &v))
		return false;
	if (!v)
		return true;
	enum data_kind kind = data_kind(v);
	if (kind == DATA_LIST || kind == DATA_MAP)
		return mustache_fail(span->t, node->at, r->err,
			"\"%.*s\" is a %s and cannot be written", (int)node->bytes.len,
			(const char *)node->bytes.ptr, kind == DATA_LIST ? "list" : "map");
	bool is_escaped = node->kind == NODE_ESCAPED && kind == DATA_TEXT;
	enum escape escape = is_escaped ? r->options->escape : ESCAPE_NONE;
	return escape_append(escape, data_bytes(v), r->out, r->err) ||
	       mustache_wrap(span->t, node->at, r->err);
}

static bool render_inside(struct render *r, const struct span *span, const struct node *node,
	const struct data *inner)
{
	struct scope scope = { .value = inner, .outer = span->scope };
	struct span inside = {
		.t = span->t, .end = node->end, .scope = inner ? &scope : span->scope
	};
	inside.first = (size_t)(node - span->t->nodes) + 1;
	/* A step of its own, for a section may be empty and its list long. */
	return step(r, span, node) && render_span(r, &inside);
}

static bool render_section(struct render *r, const struct span *span, const struct node *node)
{
	const struct data *v;
	if (!look_up(r, span, node, &v))
		return false;
	if (data_is_true(v) == (node->kind == NODE_INVERTED))
		return true;
	if (node->kind == NODE_INVERTED)
		return render_inside(r, span, node, NULL);
	if (data_kind(v) != DATA_LIST)
		return render_inside(r, span, node, v);
	for (size_t i = 0; i < data_count(v); i++)
		if (!render_inside(r, span, node, data_item(v, i)))
			return false;
	return true;
}

static bool load_partial(struct render *r, const char *name, struct mustache **out)
{
	struct slice text;
	*out = NULL;
	int got = r->options->partial
			  ? r->options->partial(r->options->partial_ctx, name, &text, r->err)
			  : 0;
	if (got > 0)
		*out = mustache_parse(name, text, r->err);
	return got == 0 || *out;
}

/* The partial, parsed at the first request; NULL when there is none. False: `err` is set. */
static bool get_partial(struct render *r, struct slice name, const struct mustache **out)
{
	for (size_t i = 0; i < r->partial_count; i++) {
		if (slice_eq_str(name, r->partials[i].name)) {
			*out = r->partials[i].t;
			return true;
		}
	}
	struct loaded loaded = { .name = mem_strndup((const char *)name.ptr, name.len) };
	if (!load_partial(r, loaded.name, &loaded.t)) {
		free(loaded.name);
		return false;
	}
	r->partials =
		mem_grow(r->partials, &r->partial_room, r->partial_count + 1, sizeof *r->partials);
	r->partials[r->partial_count++] = loaded;
	*out = loaded.t;
	return true;
}

static bool render_partial(struct render *r, const struct span *span, const struct node *node)
{
	const struct mustache *t;
	struct slice name = node->bytes;
	if (r->depth == MUSTACHE_PARTIALS_MAX)
		return mustache_fail(span->t, node->at, r->err,
			"partials include each other deeper than %d", MUSTACHE_PARTIALS_MAX);
	if (!get_partial(r, name, &t))
		return mustache_wrap(span->t, node->at, r->err);
	if (!t && r->options->missing == MUSTACHE_MISSING_FAILS)
		return mustache_fail(span->t, node->at, r->err, "there is no partial \"%.*s\"",
			(int)name.len, (const char *)name.ptr);
	if (!t)
		return true;
	size_t outer = r->indentation.len, outer_at = r->indentation_at;
	if (!node->stands_alone)
		r->indentation_at = outer;
	if (!buf_append_slice(&r->indentation, node->indentation))
		return mustache_fail(
			span->t, node->at, r->err, "partials indent each other too far");
	r->depth++;
	bool ok = render_span(r, &(struct span){ .t = t, .end = t->count, .scope = span->scope });
	r->depth--;
	r->indentation.len = outer;
	r->indentation_at = outer_at;
	return ok;
}

static bool render_node(struct render *r, const struct span *span, const struct node *node)
{
	switch (node->kind) {
	case NODE_TEXT:
		return render_text(r, span, node);
	case NODE_ESCAPED:
	case NODE_RAW:
		return render_value(r, span, node);
	case NODE_SECTION:
	case NODE_INVERTED:
		return render_section(r, span, node);
	case NODE_PARTIAL:
		return render_partial(r, span, node);
	}
	return false;
}

static bool render_span(struct render *r, const struct span *span)
{
	for (size_t i = span->first; i < span->end;) {
		const struct node *node = &span->t->nodes[i];
		if (!step(r, span, node) || !render_node(r, span, node))
			return false;
		bool is_section = node->kind == NODE_SECTION || node->kind == NODE_INVERTED;
		i = is_section ? node->end : i + 1;
	}
	return true;
}

bool mustache_render(const struct mustache *t, const struct data *root,
	const struct mustache_options *options, struct buf *out, struct error *err)
{
	if (!data_check(root, err))
		return error_wrap(err, "%s", t->name);
	struct render r = {
		.options = options,
		.out = out,
		.err = err,
		.indentation = BUF_INIT(4096),
	};
	struct scope scope = { .value = root };
	bool ok = render_span(&r, &(struct span){ .t = t, .end = t->count, .scope = &scope });
	for (size_t i = 0; i < r.partial_count; i++) {
		free(r.partials[i].name);
		mustache_free(r.partials[i].t);
	}
	free(r.partials);
	buf_clear(&r.indentation);
	return ok;
}
