/* Metric and its data points in JSON: the members of metrics_pb.c under their lowerCamelCase names.
 *
 * As in the envelope, the usual order is read once: name, description and unit before the data, temporality
 * and monotonicity before the points. Otherwise data or points are skimmed and read at the object's end.
 */
#include "bridge/otlp/decoder_internal.h"
#include "bridge/otlp/json.h"

enum { HAS_NAME = 1, HAS_DESCRIPTION = 2, HAS_UNIT = 4, HAS_ALL = 7 };

enum { HAS_TEMPORALITY = 1, HAS_MONOTONIC = 2 };

struct kind_row {
	struct slice key;
	enum otlp_metric_kind kind;
	unsigned needs; /* known before its points go out */
	bool (*point)(struct decoding *c, struct json *j, enum otlp_metric_kind kind);
};

static bool take_attributes(struct decoding *c, struct json *j, struct otlp_attrs *attrs)
{
	struct slice text;
	if (!json_skim_array(j, &text))
		return false;
	enum reason r = attrs_of_json(c->decoder, text, attrs);
	return r == REASON_OK || json_fail_with(j, r);
}

/* Of a number point: left unchecked where the sink checks them. */
static bool take_number_attributes(struct decoding *c, struct json *j, struct otlp_attrs *attrs)
{
	struct slice text;
	if (!c->sink->checks_attributes)
		return take_attributes(c, j, attrs);
	if (!json_skim_array(j, &text))
		return false;
	attrs_of_json_unchecked(c->decoder, text, attrs);
	return true;
}

/* Attributes that were not sent. */
static void no_attributes(struct decoding *c, struct otlp_attrs *attrs)
{
	(void)attrs_of_json(c->decoder, slice_of(NULL, 0), attrs);
}

static bool take_int_value(struct json *j, double *out)
{
	int64_t value;
	if (!json_int64(j, &value))
		return false;
	*out = (double)value;
	return true;
}

static bool number_member(struct decoding *c, struct json *j, const struct json_object *o,
	struct otlp_point *point, bool *has_value)
{
	if (json_key(o, "attributes"))
		return take_number_attributes(c, j, &point->attrs);
	if (json_key(o, "startTimeUnixNano"))
		return json_uint64(j, &point->start_ns);
	if (json_key(o, "timeUnixNano"))
		return json_uint64(j, &point->time_ns);
	if (json_key(o, "asDouble")) {
		*has_value = true;
		return json_double(j, &point->value);
	}
	if (json_key(o, "asInt")) {
		*has_value = true;
		return take_int_value(j, &point->value);
	}
	if (json_key(o, "flags"))
		return json_uint32(j, &point->flags);
	return json_skip(j);
}

static bool number_point(struct decoding *c, struct json *j, enum otlp_metric_kind kind)
{
	struct otlp_point point = { .value = 0 };
	struct json_object o;
	bool has_value = false;
	int got;
	(void)kind;
	if (!json_enter_object(j, &o))
		return false;
	while ((got = json_member(j, &o)) > 0) {
		if (!number_member(c, j, &o, &point, &has_value))
			return false;
	}
	if (got < 0)
		return false;
	if (!point.attrs.raw.len)
		no_attributes(c, &point.attrs);
	if (!has_value)
		point.flags |= OTLP_FLAG_NO_RECORDED_VALUE;
	enum reason r = sink_point(c, &point);
	return r == REASON_OK || json_fail_with(j, r);
}

static bool take_integers(struct json *j, struct numbers *n)
{
	struct json_array a;
	int got;
	uint64_t value;
	n->count = 0;
	if (!json_enter_array(j, &a))
		return false;
	while ((got = json_element(j, &a)) > 0) {
		if (!json_uint64(j, &value))
			return false;
		if (!numbers_add_integer(n, value))
			return json_fail_with(j, REASON_MALFORMED_JSON);
	}
	return got == 0;
}

static bool take_doubles(struct json *j, struct numbers *n)
{
	struct json_array a;
	int got;
	double value;
	n->count = 0;
	if (!json_enter_array(j, &a))
		return false;
	while ((got = json_element(j, &a)) > 0) {
		if (!json_double(j, &value))
			return false;
		if (!numbers_add_double(n, value))
			return json_fail_with(j, REASON_MALFORMED_JSON);
	}
	return got == 0;
}

static bool take_buckets(struct json *j, struct otlp_buckets *buckets, struct numbers *n)
{
	struct json_object o;
	int got;
	buckets->offset = 0;
	n->count = 0;
	if (!json_enter_object(j, &o))
		return false;
	while ((got = json_member(j, &o)) > 0) {
		bool ok = json_key(&o, "offset")	 ? json_int32(j, &buckets->offset)
			  : json_key(&o, "bucketCounts") ? take_integers(j, n)
							 : json_skip(j);
		if (!ok)
			return false;
	}
	return got == 0;
}

static bool take_quantile(struct json *j, struct numbers *n)
{
	struct otlp_quantile q = { 0 };
	struct json_object o;
	int got;
	if (!json_enter_object(j, &o))
		return false;
	while ((got = json_member(j, &o)) > 0) {
		bool ok = json_key(&o, "quantile") ? json_double(j, &q.quantile)
			  : json_key(&o, "value")  ? json_double(j, &q.value)
						   : json_skip(j);
		if (!ok)
			return false;
	}
	if (got < 0)
		return false;
	return numbers_add_quantile(n, q) || json_fail_with(j, REASON_MALFORMED_JSON);
}

static bool take_quantiles(struct json *j, struct numbers *n)
{
	struct json_array a;
	int got;
	n->count = 0;
	if (!json_enter_array(j, &a))
		return false;
	while ((got = json_element(j, &a)) > 0) {
		if (!take_quantile(j, n))
			return false;
	}
	return got == 0;
}

/* The members that only one kind has; others of that name are unknown members. */
static bool kind_member(struct otlp_decoder *d, struct json *j, const struct json_object *o,
	enum otlp_metric_kind kind, struct otlp_point *point)
{
	if (kind == OTLP_HISTOGRAM) {
		if (json_key(o, "bucketCounts"))
			return take_integers(j, &d->counts);
		if (json_key(o, "explicitBounds"))
			return take_doubles(j, &d->bounds);
	} else if (kind == OTLP_EXPONENTIAL_HISTOGRAM) {
		if (json_key(o, "scale"))
			return json_int32(j, &point->scale);
		if (json_key(o, "zeroCount"))
			return json_uint64(j, &point->zero_count);
		if (json_key(o, "zeroThreshold"))
			return json_double(j, &point->zero_threshold);
		if (json_key(o, "positive"))
			return take_buckets(j, &point->positive, &d->positive);
		if (json_key(o, "negative"))
			return take_buckets(j, &point->negative, &d->negative);
	} else if (json_key(o, "quantileValues")) {
		return take_quantiles(j, &d->quantiles);
	}
	return json_skip(j);
}

static bool big_member(struct decoding *c, struct json *j, const struct json_object *o,
	enum otlp_metric_kind kind, struct otlp_point *point)
{
	if (json_key(o, "attributes"))
		return take_attributes(c, j, &point->attrs);
	if (json_key(o, "startTimeUnixNano"))
		return json_uint64(j, &point->start_ns);
	if (json_key(o, "timeUnixNano"))
		return json_uint64(j, &point->time_ns);
	if (json_key(o, "count"))
		return json_uint64(j, &point->count);
	if (json_key(o, "sum")) {
		point->has_sum = true;
		return json_double(j, &point->sum);
	}
	if (json_key(o, "flags"))
		return json_uint32(j, &point->flags);
	return kind_member(c->decoder, j, o, kind, point);
}

static bool big_point(struct decoding *c, struct json *j, enum otlp_metric_kind kind)
{
	struct otlp_point point = { 0 };
	struct json_object o;
	int got;
	decoder_empty_numbers(c->decoder);
	if (!json_enter_object(j, &o))
		return false;
	while ((got = json_member(j, &o)) > 0) {
		if (!big_member(c, j, &o, kind, &point))
			return false;
	}
	if (got < 0)
		return false;
	if (!point.attrs.raw.len)
		no_attributes(c, &point.attrs);
	decoder_lend_numbers(c->decoder, &point);
	enum reason r = sink_point(c, &point);
	return r == REASON_OK || json_fail_with(j, r);
}

static const struct kind_row *kind_of(struct slice key)
{
	static const struct kind_row rows[] = {
		{ JSON_NAME("sum"), OTLP_SUM, HAS_TEMPORALITY | HAS_MONOTONIC, number_point },
		{ JSON_NAME("gauge"), OTLP_GAUGE, 0, number_point },
		{ JSON_NAME("histogram"), OTLP_HISTOGRAM, HAS_TEMPORALITY, big_point },
		{ JSON_NAME("exponentialHistogram"), OTLP_EXPONENTIAL_HISTOGRAM, HAS_TEMPORALITY,
			big_point },
		{ JSON_NAME("summary"), OTLP_SUMMARY, 0, big_point },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (slice_eq(rows[i].key, key))
			return &rows[i];
	}
	return NULL;
}

/* Where something was skimmed over, to be read when the object around it is over. */
struct deferred {
	const unsigned char *from, *behind; /* NULL: nothing */
};

static bool defer(struct json *j, struct deferred *d)
{
	if (d->from)
		return json_fail_with(j, REASON_MALFORMED_JSON);
	d->from = j->p;
	bool ok = json_skim(j);
	d->behind = j->p;
	return ok;
}

/* The data of one metric: its kind, and how far it has gone out. */
struct data_reading {
	struct otlp_metric *metric;
	const struct kind_row *row;
	unsigned known;
	bool is_out; /* the sink has the metric */
};

static bool points_out(struct decoding *c, struct json *j, struct data_reading *data)
{
	struct json_array a;
	int got;
	if (data->is_out)
		return json_fail_with(j, REASON_MALFORMED_JSON);
	data->is_out = true;
	enum reason r = sink_metric(c, data->metric);
	if (r != REASON_OK)
		return json_fail_with(j, r);
	if (!json_enter_array(j, &a))
		return false;
	while ((got = json_element(j, &a)) > 0) {
		if (!data->row->point(c, j, data->row->kind))
			return false;
	}
	return got == 0;
}

static bool take_temporality(struct json *j, struct data_reading *data)
{
	int64_t number;
	if (!json_enum(j, &number))
		return false;
	data->metric->temporality = temporality_of(number);
	data->known |= HAS_TEMPORALITY;
	return !data->is_out || json_fail_with(j, REASON_MALFORMED_JSON);
}

static bool take_monotonic(struct json *j, struct data_reading *data)
{
	data->known |= HAS_MONOTONIC;
	return json_bool(j, &data->metric->is_monotonic) &&
	       (!data->is_out || json_fail_with(j, REASON_MALFORMED_JSON));
}

static bool data_member(struct decoding *c, struct json *j, const struct json_object *o,
	struct data_reading *data, struct deferred *points)
{
	unsigned needs = data->row->needs;
	if ((needs & HAS_TEMPORALITY) && json_key(o, "aggregationTemporality"))
		return take_temporality(j, data);
	if ((needs & HAS_MONOTONIC) && json_key(o, "isMonotonic"))
		return take_monotonic(j, data);
	if (!json_key(o, "dataPoints"))
		return json_skip(j);
	if ((data->known & needs) == needs && !points->from)
		return points_out(c, j, data);
	return defer(j, points);
}

static bool read_data(
	struct decoding *c, struct json *j, struct otlp_metric *metric, const struct kind_row *row)
{
	struct data_reading data = { .metric = metric, .row = row };
	struct deferred points = { 0 };
	struct json_object o;
	int got;
	metric->kind = row->kind;
	if (!json_enter_object(j, &o))
		return false;
	while ((got = json_member(j, &o)) > 0) {
		if (!data_member(c, j, &o, &data, &points))
			return false;
	}
	if (got < 0)
		return false;
	if (points.from) {
		const unsigned char *here = j->p;
		j->p = points.from;
		if (!points_out(c, j, &data))
			return false;
		bool is_same_end = j->p == points.behind;
		j->p = here;
		return is_same_end || json_fail_with(j, REASON_MALFORMED_JSON);
	}
	enum reason r = data.is_out ? REASON_OK : sink_metric(c, metric);
	return r == REASON_OK || json_fail_with(j, r);
}

struct metric_reading {
	struct otlp_metric metric;
	const struct kind_row *row;
	struct deferred data;
	unsigned known;
	bool is_out;
};

static bool text_member(struct json *j, struct metric_reading *m, unsigned bit, struct slice *out)
{
	m->known |= bit;
	if (m->is_out)
		return json_fail_with(j, REASON_MALFORMED_JSON);
	return json_text(j, out);
}

static bool metric_member(
	struct decoding *c, struct json *j, const struct json_object *o, struct metric_reading *m)
{
	if (json_key(o, "name"))
		return text_member(j, m, HAS_NAME, &m->metric.name);
	if (json_key(o, "description"))
		return text_member(j, m, HAS_DESCRIPTION, &m->metric.description);
	if (json_key(o, "unit"))
		return text_member(j, m, HAS_UNIT, &m->metric.unit);
	const struct kind_row *row = kind_of(o->key);
	if (!row)
		return json_skip(j);
	if (m->row)
		return json_fail_with(j, REASON_MALFORMED_JSON);
	m->row = row;
	if (m->known != HAS_ALL)
		return defer(j, &m->data);
	m->is_out = true;
	return read_data(c, j, &m->metric, row);
}

bool metric_json_decode(struct decoding *c, struct json *j)
{
	struct metric_reading m = { .metric = { .scope_name = c->scope_name,
					    .scope_version = c->scope_version } };
	struct json_object o;
	int got;
	arena_reset(&c->decoder->strings);
	if (!json_enter_object(j, &o))
		return false;
	while ((got = json_member(j, &o)) > 0) {
		if (!metric_member(c, j, &o, &m))
			return false;
	}
	if (got < 0)
		return false;
	if (!m.data.from)
		return true;
	const unsigned char *here = j->p;
	j->p = m.data.from;
	if (!read_data(c, j, &m.metric, m.row))
		return false;
	bool is_same_end = j->p == m.data.behind;
	j->p = here;
	return is_same_end || json_fail_with(j, REASON_MALFORMED_JSON);
}
