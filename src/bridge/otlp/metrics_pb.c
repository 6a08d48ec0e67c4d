/* Metric and its data points (opentelemetry/proto/metrics/v1; the field numbers stand in the switches).
 *
 * Protobuf writes a Sum's data points (1) before its temporality (2) and monotonicity (3), and JavaScript's
 * exporter does so too. The sink is promised the whole metric first, so the fields that are not points are
 * looked for in a first walk over lengths only.
 *
 * NumberDataPoint is the hot path: one loop over tag bytes, the run of attributes taken in one go. Everything
 * else reads through wire_next.
 */
#include "bridge/otlp/decoder_internal.h"

#define NUMBER_ATTRIBUTES WIRE_KEY(7, WIRE_BYTES)

struct metric_kind_row {
	uint32_t field;
	enum otlp_metric_kind kind;
	enum reason (*point)(struct decoding *c, struct slice message);
};

/* The attribute fields from `*from` on, which is the tag of the first; leaves w behind the last. All their
 * tags are the one byte `tag`. */
static enum wire_status take_run(struct wire *w, unsigned char tag)
{
	struct slice bytes;
	do {
		w->p++;
		enum wire_status status = wire_bytes(w, &bytes);
		if (status != WIRE_FIELD)
			return status;
	} while (w->p < w->end && *w->p == tag);
	return WIRE_FIELD;
}

/* The three fixed64 fields that every point has, without the detour over wire_next. False: the next field
 * is another one, or cut. */
static bool take_fixed(struct wire *w, struct otlp_point *point, bool *has_value)
{
	if (w->end - w->p < 9)
		return false;
	uint64_t bits = wire_load64(w->p + 1);
	switch (*w->p) {
	case WIRE_KEY(2, WIRE_FIXED64):
		point->start_ns = bits;
		break;
	case WIRE_KEY(3, WIRE_FIXED64):
		point->time_ns = bits;
		break;
	case WIRE_KEY(4, WIRE_FIXED64):
		point->value = wire_double(bits);
		*has_value = true;
		break;
	case WIRE_KEY(6, WIRE_FIXED64):
		point->value = (double)(int64_t)bits;
		*has_value = true;
		break;
	default:
		return false;
	}
	w->p += 9;
	return true;
}

/* All attributes in a row from w->p on. */
static enum reason take_attributes(struct otlp_decoder *d, struct wire *w, struct attrs_builder *b)
{
	const unsigned char *run = w->p;
	if (take_run(w, NUMBER_ATTRIBUTES) != WIRE_FIELD)
		return REASON_MALFORMED_PROTOBUF;
	return attrs_run(d, b, run, (size_t)(w->p - run));
}

static enum reason number_point(struct decoding *c, struct slice message)
{
	struct otlp_point point = { .value = 0 };
	struct attrs_builder b = attrs_begin(&point.attrs, message, 7, OTLP_PROTOBUF);
	b.is_unchecked = c->sink->checks_attributes;
	struct wire w = wire_of(message);
	struct wire_field f;
	bool has_value = false;
	while (w.p < w.end) {
		if (*w.p == NUMBER_ATTRIBUTES) {
			enum reason r = take_attributes(c->decoder, &w, &b);
			if (r != REASON_OK)
				return r;
			continue;
		}
		if (take_fixed(&w, &point, &has_value))
			continue;
		if (wire_next(&w, &f) != WIRE_FIELD)
			return REASON_MALFORMED_PROTOBUF;
		if (wire_key(&f) == WIRE_KEY(8, WIRE_VARINT))
			point.flags = (uint32_t)f.integer;
	}
	attrs_end(c->decoder, &b);
	if (!has_value)
		point.flags |= OTLP_FLAG_NO_RECORDED_VALUE;
	return sink_point(c, &point);
}

/* Repeated fixed64 or double, packed or not. */
static bool take_integers(const struct wire_field *f, struct numbers *n)
{
	if (f->type == WIRE_FIXED64)
		return numbers_add_integer(n, f->integer);
	if (f->type != WIRE_BYTES)
		return true;
	for (size_t i = 0; i < f->bytes.len; i += 8) {
		if (f->bytes.len - i < 8 || !numbers_add_integer(n, wire_load64(f->bytes.ptr + i)))
			return false;
	}
	return true;
}

static bool take_doubles(const struct wire_field *f, struct numbers *n)
{
	if (f->type == WIRE_FIXED64)
		return numbers_add_double(n, wire_double(f->integer));
	if (f->type != WIRE_BYTES)
		return true;
	for (size_t i = 0; i < f->bytes.len; i += 8) {
		if (f->bytes.len - i < 8)
			return false;
		if (!numbers_add_double(n, wire_double(wire_load64(f->bytes.ptr + i))))
			return false;
	}
	return true;
}

static bool take_varints(const struct wire_field *f, struct numbers *n)
{
	if (f->type == WIRE_VARINT)
		return numbers_add_integer(n, f->integer);
	if (f->type != WIRE_BYTES)
		return true;
	struct wire w = wire_of(f->bytes);
	while (w.p < w.end) {
		uint64_t value;
		if (wire_varint(&w, &value) != WIRE_FIELD || !numbers_add_integer(n, value))
			return false;
	}
	return true;
}

/* What all of histogram, exponential histogram and summary have under the same numbers. */
static void take_common_field(const struct wire_field *f, struct otlp_point *point)
{
	switch (wire_key(f)) {
	case WIRE_KEY(2, WIRE_FIXED64):
		point->start_ns = f->integer;
		break;
	case WIRE_KEY(3, WIRE_FIXED64):
		point->time_ns = f->integer;
		break;
	case WIRE_KEY(4, WIRE_FIXED64):
		point->count = f->integer;
		break;
	case WIRE_KEY(5, WIRE_FIXED64):
		point->sum = wire_double(f->integer);
		point->has_sum = true;
		break;
	default:
		break;
	}
}

static bool histogram_field(
	struct otlp_decoder *d, const struct wire_field *f, struct otlp_point *point)
{
	switch (f->number) {
	case 6:
		return take_integers(f, &d->counts);
	case 7:
		return take_doubles(f, &d->bounds);
	case 10:
		if (f->type == WIRE_VARINT)
			point->flags = (uint32_t)f->integer;
		return true;
	default:
		take_common_field(f, point);
		return true;
	}
}

/* Buckets { offset 1 (sint32), bucket_counts 2 (varints) } */
static bool take_buckets(struct slice message, struct otlp_buckets *buckets, struct numbers *n)
{
	struct wire w = wire_of(message);
	struct wire_field f;
	enum wire_status status;
	while ((status = wire_next(&w, &f)) == WIRE_FIELD) {
		if (wire_key(&f) == WIRE_KEY(1, WIRE_VARINT))
			buckets->offset = wire_sint32(f.integer);
		else if (f.number == 2 && !take_varints(&f, n))
			return false;
	}
	return status == WIRE_DONE;
}

static bool exponential_field(
	struct otlp_decoder *d, const struct wire_field *f, struct otlp_point *point)
{
	switch (wire_key(f)) {
	case WIRE_KEY(6, WIRE_VARINT):
		point->scale = wire_sint32(f->integer);
		return true;
	case WIRE_KEY(7, WIRE_FIXED64):
		point->zero_count = f->integer;
		return true;
	case WIRE_KEY(8, WIRE_BYTES):
		return take_buckets(f->bytes, &point->positive, &d->positive);
	case WIRE_KEY(9, WIRE_BYTES):
		return take_buckets(f->bytes, &point->negative, &d->negative);
	case WIRE_KEY(10, WIRE_VARINT):
		point->flags = (uint32_t)f->integer;
		return true;
	case WIRE_KEY(14, WIRE_FIXED64):
		point->zero_threshold = wire_double(f->integer);
		return true;
	default:
		take_common_field(f, point);
		return true;
	}
}

/* ValueAtQuantile { quantile 1, value 2 } */
static bool take_quantile(struct slice message, struct numbers *n)
{
	struct otlp_quantile q = { 0 };
	struct wire w = wire_of(message);
	struct wire_field f;
	enum wire_status status;
	while ((status = wire_next(&w, &f)) == WIRE_FIELD) {
		if (wire_key(&f) == WIRE_KEY(1, WIRE_FIXED64))
			q.quantile = wire_double(f.integer);
		else if (wire_key(&f) == WIRE_KEY(2, WIRE_FIXED64))
			q.value = wire_double(f.integer);
	}
	return status == WIRE_DONE && numbers_add_quantile(n, q);
}

static bool summary_field(
	struct otlp_decoder *d, const struct wire_field *f, struct otlp_point *point)
{
	switch (wire_key(f)) {
	case WIRE_KEY(5, WIRE_FIXED64):
		point->sum = wire_double(f->integer);
		point->has_sum = true;
		return true;
	case WIRE_KEY(6, WIRE_BYTES):
		return take_quantile(f->bytes, &d->quantiles);
	case WIRE_KEY(8, WIRE_VARINT):
		point->flags = (uint32_t)f->integer;
		return true;
	default:
		take_common_field(f, point);
		return true;
	}
}

typedef bool (*field_reader)(
	struct otlp_decoder *d, const struct wire_field *f, struct otlp_point *point);

static enum reason big_point(
	struct decoding *c, struct slice message, uint32_t attributes, field_reader read_field)
{
	struct otlp_point point = { 0 };
	struct wire w = wire_of(message);
	struct wire_field f;
	enum wire_status status;
	decoder_empty_numbers(c->decoder);
	while ((status = wire_next(&w, &f)) == WIRE_FIELD) {
		if (!read_field(c->decoder, &f, &point))
			return REASON_MALFORMED_PROTOBUF;
	}
	enum reason r = wire_reason(status);
	if (r == REASON_OK)
		r = attrs_of_message(c->decoder, message, attributes, &point.attrs);
	if (r != REASON_OK)
		return r;
	decoder_lend_numbers(c->decoder, &point);
	return sink_point(c, &point);
}

static enum reason histogram_point(struct decoding *c, struct slice message)
{
	return big_point(c, message, 9, histogram_field);
}

static enum reason exponential_point(struct decoding *c, struct slice message)
{
	return big_point(c, message, 1, exponential_field);
}

static enum reason summary_point(struct decoding *c, struct slice message)
{
	return big_point(c, message, 7, summary_field);
}

/* Fields of Metric's oneof `data`. */
static const struct metric_kind_row kinds[] = {
	{ 5, OTLP_GAUGE, number_point },
	{ 7, OTLP_SUM, number_point },
	{ 9, OTLP_HISTOGRAM, histogram_point },
	{ 10, OTLP_EXPONENTIAL_HISTOGRAM, exponential_point },
	{ 11, OTLP_SUMMARY, summary_point },
};

static const struct metric_kind_row *kind_of(uint32_t field)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (kinds[i].field == field)
			return &kinds[i];
	}
	return NULL;
}

/* Sum, Gauge, … : { data_points 1, aggregation_temporality 2, is_monotonic 3 }. */
static enum reason walk_data(struct decoding *c, struct slice message, struct otlp_metric *metric,
	const struct metric_kind_row *row)
{
	bool has_temporality = row->kind != OTLP_GAUGE && row->kind != OTLP_SUMMARY;
	struct wire w = wire_of(message);
	struct wire_field f;
	enum wire_status status;
	while ((status = wire_next(&w, &f)) == WIRE_FIELD) {
		if (wire_key(&f) == WIRE_KEY(2, WIRE_VARINT) && has_temporality)
			metric->temporality = temporality_of((int32_t)f.integer);
		else if (wire_key(&f) == WIRE_KEY(3, WIRE_VARINT) && row->kind == OTLP_SUM)
			metric->is_monotonic = f.integer != 0;
	}
	enum reason r = wire_reason(status);
	if (r == REASON_OK)
		r = sink_metric(c, metric);
	w = wire_of(message);
	while (r == REASON_OK && wire_next(&w, &f) == WIRE_FIELD) {
		if (wire_key(&f) == WIRE_KEY(1, WIRE_BYTES))
			r = row->point(c, f.bytes);
	}
	return r;
}

enum reason metric_pb_decode(struct decoding *c, struct slice message)
{
	struct otlp_metric metric = { .scope_name = c->scope_name,
		.scope_version = c->scope_version };
	const struct metric_kind_row *row = NULL;
	struct slice data_field = { 0 };
	struct wire w = wire_of(message);
	struct wire_field f;
	enum wire_status status;
	while ((status = wire_next(&w, &f)) == WIRE_FIELD) {
		if (f.type != WIRE_BYTES)
			continue;
		if (f.number == 1) {
			metric.name = f.bytes;
		} else if (f.number == 2) {
			metric.description = f.bytes;
		} else if (f.number == 3) {
			metric.unit = f.bytes;
		} else if (kind_of(f.number)) {
			row = kind_of(f.number);
			data_field = f.bytes;
		}
	}
	if (status != WIRE_DONE || !row)
		return wire_reason(status);
	metric.kind = row->kind;
	return walk_data(c, data_field, &metric, row);
}
