/* What the decoders of this room share: the decoder's scratch, attributes, and the envelope around metrics,
 * log records and spans. */
#ifndef CCTM_BRIDGE_OTLP_DECODER_INTERNAL_H
#define CCTM_BRIDGE_OTLP_DECODER_INTERNAL_H

#include "bridge/otlp/arena.h"
#include "bridge/otlp/decode.h"
#include "bridge/otlp/wire.h"
#include "core/hash128.h"

/* Values inside values (arrays, maps) are followed this deep. */
#define VALUE_DEPTH_MAX 32

/* Buckets, bounds or quantiles of one point. */
#define POINT_ITEMS_MAX 65536

/* Growable numbers of one point, reused from point to point. */
struct numbers {
	union {
		uint64_t *integers;
		double *doubles;
		struct otlp_quantile *quantiles;
		void *items;
	};

	size_t count, room;
};

struct otlp_decoder {
	struct hash128 hash;  /* of attributes */
	uint64_t *checked;    /* see attrs.c */
	struct arena strings; /* of the metric or log record at hand */
	struct arena scope_strings;
	struct arena iter_strings; /* of the attributes being read */
	struct numbers counts, bounds, positive, negative, quantiles;
};

/* False: more than POINT_ITEMS_MAX. */
bool numbers_add_integer(struct numbers *n, uint64_t value);
bool numbers_add_double(struct numbers *n, double value);
bool numbers_add_quantile(struct numbers *n, struct otlp_quantile value);

/* A histogram's scratch emptied for the next point, and put into the point when it has been read. */
void decoder_empty_numbers(struct otlp_decoder *d);
void decoder_lend_numbers(const struct otlp_decoder *d, struct otlp_point *point);

/* Attributes of a protobuf message: begin, a run for each stretch of neighbouring attribute fields (tags
 * included), end. A message without attributes has no runs. */
struct attrs_builder {
	struct otlp_attrs *attrs;
	unsigned runs;
	bool is_unchecked; /* the sink checks them, see struct otlp_sink */
};

struct attrs_builder attrs_begin(struct otlp_attrs *attrs, struct slice message, uint32_t field,
	enum otlp_encoding encoding);
enum reason attrs_run(
	struct otlp_decoder *d, struct attrs_builder *b, const unsigned char *from, size_t len);
void attrs_end(struct otlp_decoder *d, struct attrs_builder *b);

/* All attributes of `message` in one call, for messages whose other fields do not matter. */
enum reason attrs_of_message(
	struct otlp_decoder *d, struct slice message, uint32_t field, struct otlp_attrs *attrs);

/* JSON text of an array of KeyValue: hashed, and checked unless these bytes were seen before. */
void attrs_of_json_unchecked(struct otlp_decoder *d, struct slice text, struct otlp_attrs *attrs);
enum reason attrs_of_json(struct otlp_decoder *d, struct slice text, struct otlp_attrs *attrs);

/* KeyValue and AnyValue in protobuf. Reading one checks all that is in it. */
enum reason value_pb_read(struct slice message, unsigned depth, struct otlp_value *out);
enum reason attr_pb_read(struct slice message, unsigned depth, struct otlp_attr *out);

/* One request on its way through the envelope; scope_name and scope_version are those of the item. */
struct decoding {
	struct otlp_decoder *decoder;
	const struct otlp_sink *sink;
	struct slice scope_name, scope_version;
	uint64_t spans;
};

struct json;

/* One metric, log record or span. */
typedef enum reason (*item_pb)(struct decoding *c, struct slice message);
typedef bool (*item_json)(struct decoding *c, struct json *j);

/* Names of the envelope's members, which are all that differs between the signals in JSON. */
struct envelope_names {
	struct slice resources, scopes, items;
};

enum reason envelope_pb_walk(struct decoding *c, struct slice body, item_pb item);
enum reason envelope_json_walk(
	struct decoding *c, struct slice body, const struct envelope_names *names, item_json item);

enum reason metric_pb_decode(struct decoding *c, struct slice message);
enum reason log_pb_decode(struct decoding *c, struct slice message);
bool metric_json_decode(struct decoding *c, struct json *j);
bool log_json_decode(struct decoding *c, struct json *j);

static inline enum reason sink_metric(const struct decoding *c, const struct otlp_metric *metric)
{
	return c->sink->metric ? c->sink->metric(c->sink->ctx, metric) : REASON_OK;
}

static inline enum reason sink_point(const struct decoding *c, const struct otlp_point *point)
{
	return c->sink->point ? c->sink->point(c->sink->ctx, point) : REASON_OK;
}

static inline enum otlp_temporality temporality_of(int64_t number)
{
	return number == OTLP_DELTA	   ? OTLP_DELTA
	       : number == OTLP_CUMULATIVE ? OTLP_CUMULATIVE
					   : OTLP_UNSPECIFIED;
}

#endif
