/* A sink for tests that writes down every call as a line of text, all fields and attributes included. Two
 * encodings of the same data must give the same text. */
#ifndef CCTM_BRIDGE_OTLP_RECORDER_TESTING_H
#define CCTM_BRIDGE_OTLP_RECORDER_TESTING_H

#include <assert.h>
#include <stdlib.h>

#include "bridge/otlp/decode.h"
#include "core/buf.h"
#include "core/mem.h"

struct recorder {
	struct otlp_decoder *decoder;
	enum otlp_encoding encoding;
	struct buf text;
	double sum;	     /* of all number points */
	size_t points, logs; /* calls */
	size_t stop_after;   /* points; 0: never */
};

static inline void record_slice(struct recorder *r, const char *name, struct slice s)
{
	buf_addf(&r->text, " %s=\"%.*s\"", name, (int)s.len, s.len ? (const char *)s.ptr : "");
}

static inline void record_value(struct recorder *r, const struct otlp_value *value)
{
	AUTO(buf) struct buf text = BUF_INIT(4096);
	double number = 0;
	bool is_whole = otlp_value_text(r->decoder, r->encoding, value, &text);
	bool is_number = otlp_value_number(value, &number);
	buf_addf(&r->text, "%d:%s%s", (int)value->kind, buf_str(&text), is_whole ? "" : "(cut)");
	if (is_number)
		buf_addf(&r->text, "(%.17g)", number);
}

static inline void record_attrs(struct recorder *r, const struct otlp_attrs *attrs)
{
	struct otlp_attr_iter it;
	struct otlp_attr attr;
	assert(attrs->encoding == r->encoding);
	buf_adds(&r->text, " {");
	otlp_attr_iter_init(&it, r->decoder, attrs);
	while (otlp_attr_next(&it, &attr)) {
		record_slice(r, "key", attr.key);
		buf_adds(&r->text, " value=");
		record_value(r, &attr.value);
	}
	buf_adds(&r->text, " }");
}

static inline enum reason record_resource(void *ctx, const struct otlp_resource *resource)
{
	struct recorder *r = ctx;
	buf_adds(&r->text, "resource");
	record_attrs(r, &resource->attrs);
	buf_adds(&r->text, "\n");
	return REASON_OK;
}

static inline enum reason record_resource_end(void *ctx)
{
	struct recorder *r = ctx;
	buf_adds(&r->text, "end\n");
	return REASON_OK;
}

static inline enum reason record_metric(void *ctx, const struct otlp_metric *m)
{
	struct recorder *r = ctx;
	buf_addf(&r->text, " metric kind=%d temporality=%d monotonic=%d", (int)m->kind,
		(int)m->temporality, m->is_monotonic);
	record_slice(r, "scope", m->scope_name);
	record_slice(r, "version", m->scope_version);
	record_slice(r, "name", m->name);
	record_slice(r, "description", m->description);
	record_slice(r, "unit", m->unit);
	buf_adds(&r->text, "\n");
	return REASON_OK;
}

static inline void record_buckets(
	struct recorder *r, const char *name, int32_t offset, const uint64_t *counts, size_t count)
{
	buf_addf(&r->text, " %s=%d:[", name, offset);
	for (size_t i = 0; i < count; i++)
		buf_addf(&r->text, "%llu ", (unsigned long long)counts[i]);
	buf_adds(&r->text, "]");
}

static inline void record_big_point(struct recorder *r, const struct otlp_point *p)
{
	buf_addf(&r->text, " count=%llu sum=%.17g/%d scale=%d zero=%llu/%.17g",
		(unsigned long long)p->count, p->sum, p->has_sum, p->scale,
		(unsigned long long)p->zero_count, p->zero_threshold);
	record_buckets(r, "buckets", 0, p->bucket_counts, p->bucket_count);
	record_buckets(r, "positive", p->positive.offset, p->positive.counts, p->positive.count);
	record_buckets(r, "negative", p->negative.offset, p->negative.counts, p->negative.count);
	for (size_t i = 0; i < p->bound_count; i++)
		buf_addf(&r->text, " le=%.17g", p->bounds[i]);
	for (size_t i = 0; i < p->quantile_count; i++)
		buf_addf(
			&r->text, " q%.17g=%.17g", p->quantiles[i].quantile, p->quantiles[i].value);
}

static inline enum reason record_point(void *ctx, const struct otlp_point *p)
{
	struct recorder *r = ctx;
	buf_addf(&r->text, "  point start=%llu time=%llu flags=%u value=%.17g",
		(unsigned long long)p->start_ns, (unsigned long long)p->time_ns, p->flags,
		p->value);
	record_big_point(r, p);
	record_attrs(r, &p->attrs);
	buf_adds(&r->text, "\n");
	r->sum += p->value;
	r->points++;
	return r->points == r->stop_after ? REASON_TOO_MANY_POINTS : REASON_OK;
}

static inline enum reason record_log(void *ctx, const struct otlp_log *log)
{
	struct recorder *r = ctx;
	buf_addf(&r->text, "  log time=%llu observed=%llu severity=%d",
		(unsigned long long)log->time_ns, (unsigned long long)log->observed_ns,
		log->severity);
	record_slice(r, "event", log->event_name);
	buf_adds(&r->text, " body=");
	record_value(r, &log->body);
	record_attrs(r, &log->attrs);
	buf_adds(&r->text, "\n");
	r->logs++;
	return REASON_OK;
}

static inline struct recorder recorder_new(void)
{
	return (struct recorder){ .decoder = otlp_decoder_new(7),
		.text = { .max = BUF_UNLIMITED } };
}

static inline void auto_recorder(struct recorder *r)
{
	otlp_decoder_free(r->decoder);
	buf_clear(&r->text);
}

/* Decodes a copy of exactly the body's size, so that the sanitizer sees a read past it, and records. What an
 * earlier call recorded is forgotten. */
static inline enum reason record(
	struct recorder *r, enum otlp_signal signal, enum otlp_encoding encoding, struct slice body)
{
	const struct otlp_sink sink = {
		.ctx = r,
		.resource = record_resource,
		.resource_end = record_resource_end,
		.metric = record_metric,
		.point = record_point,
		.log = record_log,
	};
	unsigned char *copy = mem_memdup(body.ptr, body.len);
	struct slice exact = slice_of(copy, body.len);
	r->text.len = 0;
	r->encoding = encoding;
	r->sum = 0;
	r->points = r->logs = 0;
	enum reason reason = signal == OTLP_LOGS
				     ? otlp_decode_logs(r->decoder, encoding, exact, &sink)
				     : otlp_decode_metrics(r->decoder, encoding, exact, &sink);
	if (r->text.len == 0)
		buf_adds(&r->text, "");
	free(copy);
	return reason;
}

#endif
