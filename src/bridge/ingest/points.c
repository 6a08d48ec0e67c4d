/* Metric data points: what each means for its series.
 *
 * The hot path is a delta point of a known stream: one lookup in the cache of targets, one addition in the
 * record. Cumulative points wait for the end of their resource, because the earliest start time in it is
 * part of their stream's key (cumulative.c). */
#include <math.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "bridge/ingest/exponential.h"
#include "bridge/ingest/ingest_internal.h"
#include "core/mem.h"

/* A billion billions of these still add up to a number. */
#define VALUE_MAX 1e290

#define CLAUDE_SCOPE "com.anthropic.claude_code"

static enum reason on_resource(void *ctx, const struct otlp_resource *resource)
{
	struct staged *st = &((struct ingest *)ctx)->staged;
	st->resource = resource->attrs;
	st->is_resource_read = false;
	st->earliest_ns = UINT64_MAX;
	st->verdict.is_valid = false;
	return REASON_OK;
}

static enum reason on_resource_end(void *ctx)
{
	return cumulative_finish(ctx);
}

static enum reason on_metric(void *ctx, const struct otlp_metric *metric)
{
	struct staged *st = &((struct ingest *)ctx)->staged;
	st->metric = *metric;
	uint64_t traits = (uint64_t)metric->kind | (uint64_t)metric->is_monotonic << 8 |
			  (uint64_t)metric->temporality << 9 |
			  (uint64_t)metric->scope_name.len << 16;
	uint64_t unit = XXH3_64bits_withSeed(metric->unit.ptr, metric->unit.len, traits);
	uint64_t scope = XXH3_64bits_withSeed(metric->scope_name.ptr, metric->scope_name.len, unit);
	XXH128_hash_t name = XXH3_128bits_withSeed(metric->name.ptr, metric->name.len, scope);
	XXH128_hash_t resource = { st->resource.hash[0], st->resource.hash[1] };
	uint64_t both[4] = { name.low64, name.high64, resource.low64, resource.high64 };
	XXH128_hash_t key = XXH3_128bits(both, sizeof both);
	st->context_key[0] = key.low64;
	st->context_key[1] = key.high64;
	return REASON_OK;
}

/* The identity of the stream without start time and part: resource, scope, metric, sorted attributes. */
static struct identity stream_identity(const struct ingest *ing)
{
	const struct otlp_metric *m = &ing->staged.metric;
	uint64_t resource[2];
	labels_resource_identity(ing->labels, resource);
	XXH3_state_t state;
	XXH3_INITSTATE(&state); /* else a seed left on the stack passes for a state made with it */
	XXH3_128bits_reset_withSeed(&state, ing->options.seed);
	uint64_t fixed[8] = { resource[0], resource[1], ing->set.identity[0], ing->set.identity[1],
		(uint64_t)m->kind, m->is_monotonic, m->scope_name.len, m->name.len };
	XXH3_128bits_update(&state, fixed, sizeof fixed);
	XXH3_128bits_update(&state, m->scope_name.ptr, m->scope_name.len);
	XXH3_128bits_update(&state, m->name.ptr, m->name.len);
	XXH128_hash_t hash = XXH3_128bits_digest(&state);
	return (struct identity){ { hash.low64, hash.high64 | 1 } }; /* never the empty slot's */
}

/* Deltas are added without asking where they come from. */
static bool needs_identity(const struct otlp_metric *m)
{
	return m->temporality == OTLP_CUMULATIVE || m->kind == OTLP_SUMMARY;
}

static const struct target *find_target(struct ingest *ing, const struct otlp_point *p)
{
	const struct staged *st = &ing->staged;
	const struct target *t = targets_find(ing->targets, p->attrs.hash[0] ^ st->context_key[0],
		p->attrs.hash[1] ^ st->context_key[1]);
	if (!t || (t->session && t->session != st->session &&
			  !sessions_find(ing->sessions, t->session)))
		return NULL;
	return t;
}

static enum reason make_target(
	struct ingest *ing, const struct otlp_point *p, const struct target **out)
{
	const struct staged *st = &ing->staged;
	const struct otlp_metric *m = &st->metric;
	if (m->name.len == 0)
		return REASON_UNNAMED;
	enum reason why = otlp_attrs_check(&p->attrs);
	if (why != REASON_OK)
		return why;
	struct series_request request = {
		.metric = m->name,
		.unit = m->unit,
		.help = m->description,
		.kind = m->kind,
		.is_monotonic = m->is_monotonic,
		.bounds = p->bounds,
		.bound_count = p->bound_count,
	};
	double quantiles[RECORD_BOUNDS_MAX];
	if (m->kind == OTLP_SUMMARY) {
		request.bounds = quantiles;
		request.bound_count = p->quantile_count;
		for (size_t i = 0; i < p->quantile_count && i < RECORD_BOUNDS_MAX; i++)
			quantiles[i] = p->quantiles[i].quantile;
	}
	if (request.bound_count > RECORD_BOUNDS_MAX)
		return REASON_BOUNDS;
	struct series *series;
	struct target target = { .key = { p->attrs.hash[0] ^ st->context_key[0],
					 p->attrs.hash[1] ^ st->context_key[1] } };
	why = resolve_series(ing, &p->attrs, &request, &series, &target.session);
	if (why != REASON_OK)
		return why;
	target.series = series->id;
	*out = targets_put(ing->targets, &target);
	if (needs_identity(m))
		targets_put_identity(ing->targets, *out, stream_identity(ing));
	return REASON_OK;
}

static void add_cumulative(struct ingest *ing, const struct target *t, const struct otlp_point *p,
	uint32_t part, double value, uint32_t parts, bool is_monotonic)
{
	struct staged *st = &ing->staged;
	/* An up-down counter is a level: a restarted process replaces it rather than adding to it. */
	bool is_level = st->metric.kind == OTLP_SUM && !is_monotonic;
	st->cumulative = mem_grow(st->cumulative, &st->cumulative_room, st->cumulative_count + 1,
		sizeof *st->cumulative);
	struct identity identity = targets_identity(ing->targets, t);
	st->cumulative[st->cumulative_count++] = (struct cumulative){
		.identity = { identity.hash[0], identity.hash[1] },
		.session = t->session,
		.start_ns = is_level ? 0 : p->start_ns,
		.time_ns = p->time_ns,
		.value = value,
		.series = t->series,
		.part = part,
		.parts = parts,
		.is_monotonic = is_monotonic,
		.is_claude = slice_eq_str(st->metric.scope_name, CLAUDE_SCOPE),
	};
}

static enum reason take_sum(struct ingest *ing, const struct target *t, const struct otlp_point *p)
{
	const struct otlp_metric *m = &ing->staged.metric;
	if (m->is_monotonic && p->value < 0)
		return REASON_NEGATIVE;
	if (m->temporality == OTLP_CUMULATIVE) {
		add_cumulative(ing, t, p, 0, p->value, 1, m->is_monotonic);
		return REASON_OK;
	}
	stage_context(ing, t->session, stage_minute(ing, p->time_ns));
	stage_add(ing, store_by_id(ing->store, t->series), 0, p->value);
	return REASON_OK;
}

static enum reason take_gauge(
	struct ingest *ing, const struct target *t, const struct otlp_point *p)
{
	struct series *series = store_by_id(ing->store, t->series);
	stage_minute(ing, p->time_ns); /* for its remark: a gauge has no place in the ledger */
	stage_series_definition(ing, series);
	struct op *op = &ing->op;
	op->kind = OP_SET;
	op->u.set = (struct op_set){
		.series = series->id,
		.part = 0,
		.time_ms = stage_time_ms(ing, p->time_ns),
		.value = p->value,
	};
	record_put(&ing->record, op);
	return REASON_OK;
}

/* A histogram's parts, delta or cumulative, in the order count, sum, buckets. */
struct parts {
	struct ingest *ing;
	const struct target *target;
	const struct otlp_point *point;
	size_t first; /* index of the cumulative count */
	bool is_delta;
};

static void begin_parts(
	struct parts *ps, struct ingest *ing, const struct target *t, const struct otlp_point *p)
{
	bool is_delta = ing->staged.metric.temporality == OTLP_DELTA;
	*ps = (struct parts){ ing, t, p, ing->staged.cumulative_count, is_delta };
	if (is_delta)
		stage_context(ing, t->session, stage_minute(ing, p->time_ns));
}

/* Neighbouring buckets of an exponential histogram may share a part, and any may share it with the zero
 * bucket, which comes third. */
static struct cumulative *find_shared(const struct parts *ps, uint32_t part)
{
	struct staged *st = &ps->ing->staged;
	const size_t zero = ps->first + 2, last = st->cumulative_count - 1;
	if (zero > last)
		return NULL;
	if (st->cumulative[last].part == part)
		return &st->cumulative[last];
	return st->cumulative[zero].part == part ? &st->cumulative[zero] : NULL;
}

static void put_part(struct parts *ps, uint32_t part, double value, bool is_monotonic)
{
	if (ps->is_delta) {
		struct series *series = store_by_id(ps->ing->store, ps->target->series);
		if (value != 0 || part < 2)
			stage_add(ps->ing, series, part, value);
		return;
	}
	struct staged *st = &ps->ing->staged;
	struct cumulative *shared = part >= 2 ? find_shared(ps, part) : NULL;
	if (shared) {
		shared->value += value;
		return;
	}
	add_cumulative(ps->ing, ps->target, ps->point, part, value, 0, is_monotonic);
	st->cumulative[ps->first].parts = (uint32_t)(st->cumulative_count - ps->first);
}

static bool buckets_add_up(const struct otlp_point *p)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < p->bucket_count; i++)
		sum += p->bucket_counts[i];
	return p->bucket_count == 0 || sum == p->count;
}

/* Looked at before the series is found: bounds that make no sense must not become those of a series. */
static bool is_histogram(const struct otlp_point *p)
{
	for (size_t i = 0; i < p->bound_count; i++) {
		if (isnan(p->bounds[i]) || (i && !(p->bounds[i] > p->bounds[i - 1])))
			return false;
	}
	size_t buckets = p->bound_count || p->bucket_count ? p->bound_count + 1 : 0;
	return p->bucket_count == buckets && buckets_add_up(p);
}

static bool bounds_fit(const struct series *s, const struct otlp_point *p)
{
	return s->bound_count == p->bound_count &&
	       (p->bound_count == 0 ||
		       memcmp(s->bounds, p->bounds, p->bound_count * sizeof *s->bounds) == 0);
}

static bool quantiles_fit(const struct series *s, const struct otlp_point *p)
{
	bool fits = s->bound_count == p->quantile_count;
	for (size_t i = 0; fits && i < p->quantile_count; i++)
		fits = s->bounds[i] == p->quantiles[i].quantile;
	return fits;
}

static enum reason take_histogram(
	struct ingest *ing, const struct target *t, const struct otlp_point *p)
{
	const struct series *s = store_by_id(ing->store, t->series);
	if (!bounds_fit(s, p))
		return REASON_BOUNDS;
	struct parts ps;
	begin_parts(&ps, ing, t, p);
	put_part(&ps, 1, (double)p->count, true);
	put_part(&ps, 0, p->has_sum ? p->sum : 0, false);
	for (size_t i = 0; i < p->bucket_count; i++)
		put_part(&ps, (uint32_t)i + 2, (double)p->bucket_counts[i], true);
	return REASON_OK;
}

static void put_buckets(
	struct parts *ps, const struct otlp_buckets *buckets, enum exponential_sign sign)
{
	for (size_t i = 0; i < buckets->count; i++) {
		if (buckets->counts[i] == 0)
			continue;
		int64_t index = (int64_t)buckets->offset + (int64_t)i;
		put_part(ps, exponential_part(ps->point->scale, index, sign),
			(double)buckets->counts[i], false);
	}
}

/* A client that sees a wider range halves its resolution, and what was in a bucket is in another one from
 * then on. So the buckets of the series that this point lacks are taken as 0. */
static void put_absent_buckets(struct parts *ps)
{
	if (ps->is_delta)
		return;
	struct staged *st = &ps->ing->staged;
	unsigned char present[EXPONENTIAL_PART_MAX / 8 + 1] = { 0 };
	for (size_t i = ps->first; i < st->cumulative_count; i++) {
		uint32_t part = st->cumulative[i].part;
		present[part / 8] |= (unsigned char)(1u << part % 8);
	}
	const struct series *s = store_by_id(ps->ing->store, ps->target->series);
	for (size_t i = 0; i < s->part_count; i++) {
		uint32_t part = s->parts[i].id;
		if (part < 2 || part > EXPONENTIAL_PART_MAX || present[part / 8] & 1u << part % 8)
			continue;
		put_part(ps, part, 0, false);
		st->cumulative[st->cumulative_count - 1].is_absent = true;
	}
}

static enum reason take_exponential(
	struct ingest *ing, const struct target *t, const struct otlp_point *p)
{
	struct parts ps;
	begin_parts(&ps, ing, t, p);
	put_part(&ps, 1, (double)p->count, true);
	put_part(&ps, 0, p->has_sum ? p->sum : 0, false);
	if (p->zero_count)
		put_part(&ps, exponential_zero_part(p->zero_threshold), (double)p->zero_count,
			false);
	put_buckets(&ps, &p->negative, EXPONENTIAL_NEGATIVE);
	put_buckets(&ps, &p->positive, EXPONENTIAL_POSITIVE);
	put_absent_buckets(&ps);
	return REASON_OK;
}

/* A summary's count and sum are cumulative by definition; its quantiles are what they are now. */
static enum reason take_summary(
	struct ingest *ing, const struct target *t, const struct otlp_point *p)
{
	struct series *series = store_by_id(ing->store, t->series);
	if (!quantiles_fit(series, p))
		return REASON_BOUNDS;
	struct parts ps;
	begin_parts(&ps, ing, t, p);
	ps.is_delta = false;
	put_part(&ps, 1, (double)p->count, true);
	put_part(&ps, 0, p->sum, false);
	stage_series_definition(ing, series);
	int64_t time_ms = stage_time_ms(ing, p->time_ns);
	for (size_t i = 0; i < p->quantile_count; i++) {
		struct op *op = &ing->op;
		op->kind = OP_SET;
		op->u.set = (struct op_set){
			.series = series->id,
			.part = (uint32_t)i + 2,
			.time_ms = time_ms,
			.value = p->quantiles[i].value,
		};
		record_put(&ing->record, op);
	}
	return REASON_OK;
}

static enum reason check_number(double value)
{
	if (isnan(value))
		return REASON_NAN;
	return fabs(value) > VALUE_MAX ? REASON_INFINITE : REASON_OK;
}

static enum reason check_point(const struct otlp_metric *m, const struct otlp_point *p)
{
	bool has_temporality = m->kind != OTLP_GAUGE && m->kind != OTLP_SUMMARY;
	if (has_temporality && m->temporality == OTLP_UNSPECIFIED)
		return REASON_TEMPORALITY;
	if (m->kind == OTLP_SUM)
		return check_number(p->value);
	if (m->kind == OTLP_GAUGE)
		return REASON_OK; /* NaN and the infinities are values of a gauge */
	if (m->kind == OTLP_HISTOGRAM && !is_histogram(p))
		return REASON_BOUNDS;
	return p->has_sum || m->kind == OTLP_SUMMARY ? check_number(p->sum) : REASON_OK;
}

static enum reason take_point(
	struct ingest *ing, const struct target *t, const struct otlp_point *p)
{
	switch (ing->staged.metric.kind) {
	case OTLP_SUM:
		return take_sum(ing, t, p);
	case OTLP_GAUGE:
		return take_gauge(ing, t, p);
	case OTLP_HISTOGRAM:
		return take_histogram(ing, t, p);
	case OTLP_EXPONENTIAL_HISTOGRAM:
		return take_exponential(ing, t, p);
	case OTLP_SUMMARY:
		return take_summary(ing, t, p);
	}
	return REASON_OK;
}

static enum reason on_point(void *ctx, const struct otlp_point *p)
{
	struct ingest *ing = ctx;
	struct staged *st = &ing->staged;
	if (++st->points > POINTS_MAX || st->cumulative_count > PARTS_MAX || stage_is_full(ing))
		return REASON_TOO_MANY_POINTS;
	/* Also of a point that is not taken: it says when its process began. */
	if (p->start_ns && p->start_ns < st->earliest_ns)
		st->earliest_ns = p->start_ns;
	if (p->flags & OTLP_FLAG_NO_RECORDED_VALUE) {
		stage_note(ing, REASON_NO_RECORDED_VALUE);
		return REASON_OK;
	}
	enum reason why = check_point(&st->metric, p);
	if (why == REASON_OK) {
		const struct target *t = find_target(ing, p);
		if (!t)
			why = make_target(ing, p, &t);
		if (why == REASON_OK)
			why = take_point(ing, t, p);
	}
	if (why != REASON_OK && reason_scope(why) == REASON_REQUEST)
		return why;
	if (why != REASON_OK)
		stage_reject(ing, why, 1);
	return REASON_OK;
}

const struct otlp_sink metrics_sink = {
	.checks_attributes = true,
	.resource = on_resource,
	.resource_end = on_resource_end,
	.metric = on_metric,
	.point = on_point,
};
