#include "otlp.h"

#include <assert.h>
#include <math.h>

#include "bridge/otlp/decode.h"
#include "bridge/otlp/json.h"
#include "bridge/otlp/wire.h"
#include "core/buf.h"

#define TEXT_MAX    48
#define ITEMS_MAX   4096
#define DIGEST_SEED UINT64_C(0xCBF29CE484222325)

/* Attributes are counted when they are handed out and read when the body is known to be whole. */
struct observer {
	struct otlp_decoder *decoder;
	enum otlp_encoding encoding;
	struct slice body;
	uint64_t digest;
	struct otlp_attrs items[ITEMS_MAX];
	size_t item_count;
};

/* FNV-1a; enough to tell two sequences of calls apart. */
static void digest(struct observer *o, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	for (size_t i = 0; i < len; i++)
		o->digest = (o->digest ^ p[i]) * UINT64_C(0x100000001B3);
}

static void digest_slice(struct observer *o, struct slice s)
{
	digest(o, &s.len, sizeof s.len);
	digest(o, s.ptr, s.len);
}

static void digest_attrs(struct observer *o, const struct otlp_attrs *attrs)
{
	assert(attrs->encoding == o->encoding);
	if (attrs->raw.len > 0)
		assert(attrs->raw.ptr >= o->body.ptr &&
			attrs->raw.ptr + attrs->raw.len <= o->body.ptr + o->body.len);
	digest(o, attrs->hash, sizeof attrs->hash);
	digest(o, &attrs->raw.len, sizeof attrs->raw.len);
	if (o->item_count < ITEMS_MAX)
		o->items[o->item_count++] = *attrs;
}

static enum reason see_resource(void *ctx, const struct otlp_resource *resource)
{
	digest_attrs(ctx, &resource->attrs);
	return REASON_OK;
}

static enum reason see_resource_end(void *ctx)
{
	digest(ctx, "end", 3);
	return REASON_OK;
}

static enum reason see_metric(void *ctx, const struct otlp_metric *m)
{
	struct observer *o = ctx;
	digest_slice(o, m->scope_name);
	digest_slice(o, m->scope_version);
	digest_slice(o, m->name);
	digest_slice(o, m->description);
	digest_slice(o, m->unit);
	digest(o, &m->kind, sizeof m->kind);
	digest(o, &m->temporality, sizeof m->temporality);
	digest(o, &m->is_monotonic, sizeof m->is_monotonic);
	assert(m->temporality <= OTLP_CUMULATIVE);
	return REASON_OK;
}

static enum reason see_point(void *ctx, const struct otlp_point *p)
{
	struct observer *o = ctx;
	digest(o, &p->start_ns, sizeof p->start_ns);
	digest(o, &p->time_ns, sizeof p->time_ns);
	digest(o, &p->flags, sizeof p->flags);
	digest(o, &p->value, sizeof p->value);
	digest(o, &p->count, sizeof p->count);
	digest(o, &p->sum, sizeof p->sum);
	digest(o, &p->scale, sizeof p->scale);
	digest(o, &p->zero_count, sizeof p->zero_count);
	digest(o, &p->positive.offset, sizeof p->positive.offset);
	digest(o, &p->negative.offset, sizeof p->negative.offset);
	digest(o, p->bucket_counts, p->bucket_count * sizeof *p->bucket_counts);
	digest(o, p->bounds, p->bound_count * sizeof *p->bounds);
	digest(o, p->positive.counts, p->positive.count * sizeof *p->positive.counts);
	digest(o, p->negative.counts, p->negative.count * sizeof *p->negative.counts);
	digest(o, p->quantiles, p->quantile_count * sizeof *p->quantiles);
	digest_attrs(o, &p->attrs);
	return REASON_OK;
}

/* Reads a value in every way there is. */
static void see_value(struct observer *o, const struct otlp_value *value)
{
	AUTO(buf) struct buf text = BUF_INIT(TEXT_MAX);
	double number = 0;
	bool is_whole = otlp_value_text(o->decoder, o->encoding, value, &text);
	bool is_number = otlp_value_number(value, &number);
	assert(text.len <= TEXT_MAX);
	digest(o, &is_whole, sizeof is_whole);
	digest(o, &is_number, sizeof is_number);
	digest_slice(o, buf_slice(&text));
}

static enum reason see_log(void *ctx, const struct otlp_log *log)
{
	struct observer *o = ctx;
	digest(o, &log->time_ns, sizeof log->time_ns);
	digest(o, &log->observed_ns, sizeof log->observed_ns);
	digest(o, &log->severity, sizeof log->severity);
	digest_slice(o, log->event_name);
	see_value(o, &log->body);
	digest_attrs(o, &log->attrs);
	return REASON_OK;
}

static size_t count_pb(const struct otlp_attrs *attrs)
{
	struct wire w = wire_of(attrs->raw);
	struct wire_field f;
	size_t count = 0;
	while (attrs->raw.len > 0 && wire_next(&w, &f) == WIRE_FIELD)
		count += f.number == attrs->field && f.type == WIRE_BYTES;
	return count;
}

static size_t count_json(const struct otlp_attrs *attrs)
{
	struct json j = json_of(attrs->raw, NULL);
	struct json_array a;
	size_t count = 0;
	if (attrs->raw.len == 0)
		return 0;
	bool ok = json_enter_array(&j, &a);
	while (ok && json_element(&j, &a) > 0) {
		ok = json_skip(&j);
		count++;
	}
	assert(ok && j.reason == REASON_OK && json_is_over(&j));
	return count;
}

static void read_attributes(struct observer *o, const struct otlp_attrs *attrs)
{
	struct otlp_attr_iter it;
	struct otlp_attr attr;
	size_t count = 0;
	otlp_attr_iter_init(&it, o->decoder, attrs);
	while (otlp_attr_next(&it, &attr)) {
		digest_slice(o, attr.key);
		see_value(o, &attr.value);
		count++;
	}
	assert(count == (attrs->encoding == OTLP_JSON ? count_json(attrs) : count_pb(attrs)));
}

static enum reason observe(struct observer *o, enum otlp_signal signal)
{
	const struct otlp_sink sink = {
		.ctx = o,
		.resource = see_resource,
		.resource_end = see_resource_end,
		.metric = see_metric,
		.point = see_point,
		.log = see_log,
	};
	uint64_t spans = 0;
	enum reason reason;
	o->digest = DIGEST_SEED;
	o->item_count = 0;
	if (signal == OTLP_METRICS)
		reason = otlp_decode_metrics(o->decoder, o->encoding, o->body, &sink);
	else if (signal == OTLP_LOGS)
		reason = otlp_decode_logs(o->decoder, o->encoding, o->body, &sink);
	else
		reason = otlp_count_spans(o->decoder, o->encoding, o->body, &spans);
	digest(o, &spans, sizeof spans);
	for (size_t i = 0; reason == REASON_OK && i < o->item_count; i++)
		read_attributes(o, &o->items[i]);
	return reason;
}

void fuzz_otlp(enum otlp_encoding encoding, struct slice body)
{
	static struct observer o;
	if (!o.decoder)
		o.decoder = otlp_decoder_new(1);
	o.encoding = encoding;
	o.body = body;
	for (int signal = OTLP_METRICS; signal <= OTLP_TRACES; signal++) {
		enum reason reason = observe(&o, (enum otlp_signal)signal);
		uint64_t first = o.digest;
		enum reason again = observe(&o, (enum otlp_signal)signal);
		assert(again == reason);
		assert(o.digest == first);
		assert(reason_scope(reason) == REASON_REQUEST || reason == REASON_OK);
	}
}
