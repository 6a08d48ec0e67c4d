/* Export…ServiceRequest { resource_… 1 }, Resource… { resource 1, scope_… 2 }, Scope… { scope 1, items 2 }:
 * the same field numbers for metrics, logs and traces. Resource and scope may stand behind what they hold,
 * so each level is walked once for them, by lengths only, before its items are. */
#include "bridge/otlp/decoder_internal.h"

struct level {
	struct slice head; /* resource or scope; a repeated one replaces the earlier */
	enum wire_status status;
};

static struct level level_scan(struct slice message)
{
	struct level level = { .head = { (const unsigned char *)"", 0 } };
	struct wire w = wire_of(message);
	struct wire_field f;
	while ((level.status = wire_next(&w, &f)) == WIRE_FIELD) {
		if (wire_key(&f) == WIRE_KEY(1, WIRE_BYTES))
			level.head = f.bytes;
	}
	return level;
}

static enum reason read_scope(struct decoding *c, struct slice message)
{
	struct wire w = wire_of(message);
	struct wire_field f;
	enum wire_status status;
	c->scope_name = c->scope_version = slice_of(NULL, 0);
	while ((status = wire_next(&w, &f)) == WIRE_FIELD) {
		if (wire_key(&f) == WIRE_KEY(1, WIRE_BYTES))
			c->scope_name = f.bytes;
		else if (wire_key(&f) == WIRE_KEY(2, WIRE_BYTES))
			c->scope_version = f.bytes;
	}
	return wire_reason(status);
}

static enum reason walk_scope(struct decoding *c, struct slice message, item_pb item)
{
	struct level level = level_scan(message);
	if (level.status != WIRE_DONE)
		return wire_reason(level.status);
	enum reason r = read_scope(c, level.head);
	struct wire w = wire_of(message);
	struct wire_field f;
	while (r == REASON_OK && wire_next(&w, &f) == WIRE_FIELD) {
		if (wire_key(&f) == WIRE_KEY(2, WIRE_BYTES))
			r = item(c, f.bytes);
	}
	return r;
}

static enum reason hand_out_resource(struct decoding *c, struct slice message)
{
	struct otlp_resource resource = { 0 };
	enum reason r = attrs_of_message(c->decoder, message, 1, &resource.attrs);
	if (r == REASON_OK && c->sink->resource)
		r = c->sink->resource(c->sink->ctx, &resource);
	return r;
}

static enum reason walk_resource(struct decoding *c, struct slice message, item_pb item)
{
	struct level level = level_scan(message);
	if (level.status != WIRE_DONE)
		return wire_reason(level.status);
	enum reason r = hand_out_resource(c, level.head);
	struct wire w = wire_of(message);
	struct wire_field f;
	while (r == REASON_OK && wire_next(&w, &f) == WIRE_FIELD) {
		if (wire_key(&f) == WIRE_KEY(2, WIRE_BYTES))
			r = walk_scope(c, f.bytes, item);
	}
	if (r == REASON_OK && c->sink->resource_end)
		r = c->sink->resource_end(c->sink->ctx);
	return r;
}

enum reason envelope_pb_walk(struct decoding *c, struct slice body, item_pb item)
{
	struct wire w = wire_of(body);
	struct wire_field f;
	enum wire_status status;
	while ((status = wire_next(&w, &f)) == WIRE_FIELD) {
		if (wire_key(&f) != WIRE_KEY(1, WIRE_BYTES))
			continue;
		enum reason r = walk_resource(c, f.bytes, item);
		if (r != REASON_OK)
			return r;
	}
	return status == WIRE_CUT ? REASON_TRUNCATED : wire_reason(status);
}
