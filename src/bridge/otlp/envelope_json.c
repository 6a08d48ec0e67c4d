/* The envelope of a request in JSON. Members come in any order, but resource and scope go out before what
 * they hold. JavaScript's exporter writes them in that order, and then everything is read once. Where the
 * items come first they are skimmed by brackets, and read when the object is over. A member that arrives a
 * second time when it is already handed out cannot be honoured: the body is refused. */
#include "bridge/otlp/decoder_internal.h"
#include "bridge/otlp/json.h"

struct walk {
	struct decoding *c;
	struct json *j;
	const struct envelope_names *names;
	item_json item;
};

typedef bool (*array_reader)(struct walk *w);

static bool each_element(struct walk *w, array_reader read)
{
	struct json_array a;
	int got;
	if (!json_enter_array(w->j, &a))
		return false;
	while ((got = json_element(w->j, &a)) > 0) {
		if (!read(w))
			return false;
	}
	return got == 0;
}

/* Reads the array at `from`, which was skimmed before and must end where the skimming did. */
static bool each_deferred(
	struct walk *w, const unsigned char *from, const unsigned char *behind, array_reader read)
{
	const unsigned char *here = w->j->p;
	w->j->p = from;
	if (!each_element(w, read))
		return false;
	bool is_same_end = w->j->p == behind;
	w->j->p = here;
	return is_same_end || json_fail_with(w->j, REASON_MALFORMED_JSON);
}

static bool one_item(struct walk *w)
{
	return w->item(w->c, w->j);
}

static bool read_scope(struct walk *w)
{
	struct json_object o;
	int got;
	struct decoding *c = w->c;
	c->scope_name = c->scope_version = slice_of(NULL, 0);
	if (!json_enter_object(w->j, &o))
		return false;
	while ((got = json_member(w->j, &o)) > 0) {
		bool ok = json_key(&o, "name")	    ? json_text(w->j, &c->scope_name)
			  : json_key(&o, "version") ? json_text(w->j, &c->scope_version)
						    : json_skip(w->j);
		if (!ok)
			return false;
	}
	return got == 0;
}

static bool read_resource(struct walk *w, struct otlp_resource *resource)
{
	struct json_object o;
	struct json *j = w->j;
	int got;
	struct slice text = { 0 };
	if (!json_enter_object(j, &o))
		return false;
	while ((got = json_member(j, &o)) > 0) {
		const unsigned char *start = j->p;
		if (!json_key(&o, "attributes")) {
			if (!json_skip(j))
				return false;
			continue;
		}
		if (!json_skim(j))
			return false;
		text = slice_of(start, (size_t)(j->p - start));
	}
	if (got < 0)
		return false;
	enum reason r = attrs_of_json(w->c->decoder, text, &resource->attrs);
	return r == REASON_OK || json_fail_with(j, r);
}

/* One object of a level: its head (resource or scope) and its items. */
struct level {
	struct slice head_name, items_name;
	bool (*read_head)(struct walk *w, void *ctx); /* reads the head's value */
	bool (*begin)(struct walk *w, void *ctx);     /* the head is known, items follow */
	array_reader element;
	void *ctx;
};

static bool level_items(struct walk *w, const struct level *l, bool *is_begun)
{
	if (*is_begun)
		return json_fail_with(w->j, REASON_MALFORMED_JSON);
	*is_begun = true;
	return l->begin(w, l->ctx) && each_element(w, l->element);
}

static bool level_walk(struct walk *w, const struct level *l)
{
	struct json_object o;
	struct json *j = w->j;
	const unsigned char *items = NULL, *behind = NULL;
	bool has_head = false, is_begun = false, ok = true;
	int got;
	if (!json_enter_object(j, &o))
		return false;
	while (ok && (got = json_member(j, &o)) != 0) {
		if (got < 0)
			return false;
		if (slice_eq(o.key, l->head_name)) {
			ok = is_begun ? json_fail_with(j, REASON_MALFORMED_JSON)
				      : l->read_head(w, l->ctx);
			has_head = true;
		} else if (!slice_eq(o.key, l->items_name)) {
			ok = json_skip(j);
		} else if (has_head || items) {
			ok = level_items(w, l, &is_begun);
		} else {
			items = j->p;
			ok = json_skim(j);
			behind = j->p;
		}
	}
	if (!ok || (items && is_begun))
		return ok ? json_fail_with(j, REASON_MALFORMED_JSON) : false;
	if (is_begun)
		return true;
	return l->begin(w, l->ctx) && (!items || each_deferred(w, items, behind, l->element));
}

static bool scope_head(struct walk *w, void *ctx)
{
	(void)ctx;
	struct arena *strings = w->j->arena;
	w->j->arena = &w->c->decoder->scope_strings;
	bool ok = read_scope(w);
	w->j->arena = strings;
	return ok;
}

static bool scope_begin(struct walk *w, void *ctx)
{
	(void)w;
	(void)ctx;
	return true;
}

static bool one_scope(struct walk *w)
{
	const struct level level = {
		.head_name = SLICE_LIT("scope"),
		.items_name = w->names->items,
		.read_head = scope_head,
		.begin = scope_begin,
		.element = one_item,
	};
	arena_reset(&w->c->decoder->scope_strings);
	w->c->scope_name = w->c->scope_version = slice_of(NULL, 0);
	return level_walk(w, &level);
}

static bool resource_head(struct walk *w, void *ctx)
{
	return read_resource(w, ctx);
}

static bool resource_begin(struct walk *w, void *ctx)
{
	const struct otlp_sink *sink = w->c->sink;
	enum reason r = sink->resource ? sink->resource(sink->ctx, ctx) : REASON_OK;
	return r == REASON_OK || json_fail_with(w->j, r);
}

static bool one_resource(struct walk *w)
{
	struct otlp_resource resource = { 0 };
	const struct level level = {
		.head_name = SLICE_LIT("resource"),
		.items_name = w->names->scopes,
		.read_head = resource_head,
		.begin = resource_begin,
		.element = one_scope,
		.ctx = &resource,
	};
	const struct otlp_sink *sink = w->c->sink;
	/* What holds when the resource is not sent; cannot fail without text. */
	enum reason r = attrs_of_json(w->c->decoder, slice_of(NULL, 0), &resource.attrs);
	if (!level_walk(w, &level))
		return false;
	if (r == REASON_OK && sink->resource_end)
		r = sink->resource_end(sink->ctx);
	return r == REASON_OK || json_fail_with(w->j, r);
}

static bool walk_request(struct walk *w)
{
	struct json_object o;
	int got;
	bool is_seen = false, ok = true;
	if (!json_enter_object(w->j, &o))
		return false;
	while (ok && (got = json_member(w->j, &o)) != 0) {
		if (got < 0)
			return false;
		if (!slice_eq(o.key, w->names->resources)) {
			ok = json_skip(w->j);
			continue;
		}
		ok = is_seen ? json_fail_with(w->j, REASON_MALFORMED_JSON)
			     : each_element(w, one_resource);
		is_seen = true;
	}
	return ok && (json_is_over(w->j) || json_fail(w->j));
}

enum reason envelope_json_walk(
	struct decoding *c, struct slice body, const struct envelope_names *names, item_json item)
{
	struct json j = json_of(body, &c->decoder->strings);
	struct walk w = { .c = c, .j = &j, .names = names, .item = item };
	arena_reset(&c->decoder->strings);
	return walk_request(&w) ? REASON_OK : j.reason;
}
