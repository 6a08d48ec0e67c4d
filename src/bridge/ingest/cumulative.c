/* Cumulative points: the rise over the highest value seen of the stream.
 *
 * The key is identity + start time (+ part), and behind it the earliest start time of the resource's
 * points. Rises are measured against the maximum, because a retry may be overtaken by newer data and then
 * comes late (captures reorder-cumulative): with this key a fall is a late point, never a reset.
 *
 * When a known key arrives with another earliest start, it is either a second process that shares attributes
 * and start millisecond (capture collide-6), or the same process whose oldest stream came or went. The
 * stream that had the earliest start (the anchor) tells: here with another start time, it belongs to another
 * process; here with its start time, to the same. When it is missing: Claude Code sends session.count in
 * every cumulative export, so there it is another process; elsewhere the start time alone decides. */

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "bridge/ingest/ingest_internal.h"

#define REFRESH_MS \
	INT64_C(86400000) /* an unchanged stream is noted once a day, so it is not forgotten */

static void stream_key(const struct cumulative *c, uint64_t out[2])
{
	uint64_t parts[4] = { c->identity[0], c->identity[1], c->start_ns, c->part };
	XXH128_hash_t hash = XXH3_128bits(parts, sizeof parts);
	out[0] = hash.low64;
	out[1] = hash.high64 | 1;
}

/* The stream of this resource that began first; of several the one with the smallest identity, so that the
 * order of points does not matter. */
static uint64_t find_anchor(const struct staged *st)
{
	uint64_t anchor = 0;
	for (size_t i = 0; i < st->cumulative_count; i++) {
		const struct cumulative *c = &st->cumulative[i];
		if (c->start_ns == st->earliest_ns && (anchor == 0 || c->identity[0] < anchor))
			anchor = c->identity[0];
	}
	return anchor;
}

static bool decide_same(const struct staged *st, const struct op_stream *known, bool is_claude)
{
	bool is_elsewhere = false;
	for (size_t i = 0; i < st->cumulative_count; i++) {
		const struct cumulative *c = &st->cumulative[i];
		if (c->identity[0] != known->anchor)
			continue;
		if (c->start_ns == known->earliest_ns)
			return true;
		is_elsewhere = true;
	}
	return !is_elsewhere && !is_claude;
}

static bool is_same_process(struct staged *st, const struct op_stream *known, bool is_claude)
{
	struct verdict *v = &st->verdict;
	if (!v->is_valid || v->known_earliest != known->earliest_ns || v->anchor != known->anchor) {
		*v = (struct verdict){
			.known_earliest = known->earliest_ns,
			.anchor = known->anchor,
			.is_same = decide_same(st, known, is_claude),
			.is_valid = true,
		};
	}
	return v->is_same;
}

/* The entry of the stream, or NULL when it is new. */
static struct stream *find_stream(
	struct ingest *ing, const struct cumulative *c, const uint64_t key[2])
{
	struct staged *st = &ing->staged;
	struct stream *moved = NULL, *at;
	size_t cursor = 0;
	while ((at = streams_next(ing->streams, key, &cursor))) {
		if (c->start_ns == 0 || at->at.earliest_ns == st->earliest_ns)
			return at;
		if (!moved && is_same_process(st, &at->at, c->is_claude))
			moved = at;
	}
	return moved;
}

static struct stream *take_stream(struct ingest *ing, const struct cumulative *c, uint64_t anchor)
{
	struct op_stream first = {
		.earliest_ns = ing->staged.earliest_ns,
		.anchor = anchor,
		.series = c->series,
		.part = c->part,
	};
	stream_key(c, first.key);
	struct stream *s = find_stream(ing, c, first.key);
	return s ? s : streams_add(ing->streams, &first);
}

static struct stream *known_stream(struct ingest *ing, const struct cumulative *c)
{
	uint64_t key[2];
	stream_key(c, key);
	return find_stream(ing, c, key);
}

static double base_value(const struct ingest *ing, const struct stream *s)
{
	if (s->request == ing->staged.number)
		return s->staged;
	return s->has_value ? s->at.value : 0;
}

static int64_t base_time_ms(const struct ingest *ing, const struct stream *s)
{
	if (s->request == ing->staged.number)
		return s->staged_ms;
	return s->has_value ? s->at.time_ms : INT64_MIN;
}

static void put_stream(struct ingest *ing, struct stream *s, double value, int64_t time_ms)
{
	s->staged = value;
	s->staged_ms = time_ms;
	s->request = ing->staged.number;
	struct op *op = &ing->op;
	op->kind = OP_STREAM;
	op->u.stream = s->at;
	op->u.stream.value = value;
	op->u.stream.time_ms = time_ms;
	record_put(&ing->record, op);
}

/* What a point is measured against. */
struct group {
	uint64_t anchor;
	int64_t time_ms;
	bool is_reset; /* begun again without saying so: it counts whole */
};

/* What the stream has reached. */
static double highest(const struct cumulative *c, const struct group *g, double base)
{
	bool has_fallen = c->is_monotonic && !g->is_reset && c->value < base;
	return has_fallen ? base : c->value;
}

/* Adds the rise of one part. False: no room for a new stream. */
static bool take_part(struct ingest *ing, const struct cumulative *c, const struct group *g)
{
	if (c->is_absent && !known_stream(ing, c))
		return true;
	struct stream *s = take_stream(ing, c, g->anchor);
	if (!s)
		return false;
	int64_t time_ms = g->time_ms;
	bool is_new = !s->has_value && s->request != ing->staged.number;
	double base = base_value(ing, s);
	double rise = g->is_reset ? c->value : c->value - base;
	if (c->is_monotonic && rise < 0)
		rise = 0;
	if (rise != 0 || is_new) {
		struct series *series = store_by_id(ing->store, c->series);
		stage_context(ing, c->session, stage_minute(ing, c->time_ns));
		stage_add(ing, series, c->part, rise);
	}
	bool is_stale = s->has_value && time_ms - s->at.time_ms > REFRESH_MS;
	if (rise != 0 || is_new || is_stale)
		put_stream(ing, s, highest(c, g, base), time_ms);
	return true;
}

/* Nothing of a point below what is already counted is taken: for a number its value tells, for a histogram
 * its count. Without a start time a fall can only be told from a late point by the clock. */
static bool is_late(const struct ingest *ing, const struct cumulative *c, const struct stream *s,
	int64_t time_ms)
{
	if (c->is_monotonic && c->start_ns)
		return c->value < base_value(ing, s);
	return time_ms < base_time_ms(ing, s);
}

/* Whether every part has its stream or finds room for one: a point is taken whole or not at all. */
static bool has_room(struct ingest *ing, const struct cumulative *c)
{
	if (streams_have_room(ing->streams, c->parts))
		return true;
	size_t missing = 0;
	for (uint32_t i = 0; i < c->parts; i++)
		missing += !c[i].is_absent && !known_stream(ing, c + i);
	return streams_have_room(ing->streams, missing);
}

static void take_group(struct ingest *ing, const struct cumulative *c, uint64_t anchor)
{
	const struct stream *known = known_stream(ing, c);
	bool has_value = known && (known->has_value || known->request == ing->staged.number);
	struct group g = { .anchor = anchor, .time_ms = stage_time_ms(ing, c->time_ns) };
	if (has_value && is_late(ing, c, known, g.time_ms)) {
		stage_note(ing, REASON_LATE);
		return;
	}
	if (!has_room(ing, c)) {
		stage_reject(ing, REASON_STREAM_LIMIT, 1);
		return;
	}
	g.is_reset = has_value && c->start_ns == 0 && c->is_monotonic &&
		     c->value < base_value(ing, known);
	for (uint32_t i = 0; i < c->parts; i++) {
		if (!take_part(ing, c + i, &g))
			return;
	}
}

enum reason cumulative_finish(struct ingest *ing)
{
	struct staged *st = &ing->staged;
	uint64_t anchor = st->cumulative_count ? find_anchor(st) : 0;
	for (size_t i = 0; i < st->cumulative_count;) {
		const struct cumulative *c = &st->cumulative[i];
		take_group(ing, c, anchor);
		i += c->parts ? c->parts : 1;
	}
	st->cumulative_count = 0;
	return REASON_OK;
}
