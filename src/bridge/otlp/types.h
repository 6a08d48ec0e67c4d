/* OTLP as the decoders hand it out: one point, one log record at a time, borrowed bytes, no object tree.
 *
 * Both encodings give the same structs. Everything handed to a sink lives until the sink's function returns,
 * except slices into the request body, which live as long as the body: `raw` of attributes always does, so
 * a sink may keep a struct otlp_attrs and read it later in the same request.
 *
 * Nothing here knows what a stream or a series is; that is bridge/ingest.
 */
#ifndef CCTM_BRIDGE_OTLP_TYPES_H
#define CCTM_BRIDGE_OTLP_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/otlp/reasons.h"
#include "core/slice.h"

enum otlp_signal { OTLP_METRICS, OTLP_LOGS, OTLP_TRACES };

enum otlp_encoding { OTLP_PROTOBUF, OTLP_JSON };

enum otlp_value_kind {
	OTLP_EMPTY,
	OTLP_STRING,
	OTLP_BOOL,
	OTLP_INT,
	OTLP_DOUBLE,
	OTLP_BYTES,
	OTLP_ARRAY, /* `bytes` is the raw encoding; shown as JSON text by otlp_value_text */
	OTLP_KVLIST,
};

struct otlp_value {
	enum otlp_value_kind kind;
	struct slice bytes; /* string: decoded; bytes: decoded; array, kvlist: raw */
	int64_t integer;    /* int, bool (0 or 1) */
	double number;	    /* double */
};

struct otlp_attr {
	struct slice key;
	struct otlp_value value;
};

/* A set of attributes, not yet read.
 * Protobuf: `raw` is the enclosing message and `field` the number of its KeyValue field.
 * JSON: `raw` is the text of the array, empty when there is none; `field` is 0.
 * `hash` is over the attributes' bytes as sent (XXH3, 128 bits, with the decoder's seed): equal bytes give
 * equal hashes; the same attributes in another order do not. */
struct otlp_attrs {
	struct slice raw;
	uint32_t field;
	enum otlp_encoding encoding;
	uint64_t hash[2];
};

struct otlp_resource {
	struct otlp_attrs attrs;
};

enum otlp_metric_kind {
	OTLP_SUM,
	OTLP_GAUGE,
	OTLP_HISTOGRAM,
	OTLP_EXPONENTIAL_HISTOGRAM,
	OTLP_SUMMARY,
};

enum otlp_temporality { OTLP_UNSPECIFIED = 0, OTLP_DELTA = 1, OTLP_CUMULATIVE = 2 };

struct otlp_metric {
	struct slice scope_name, scope_version;
	struct slice name, description, unit;
	enum otlp_metric_kind kind;
	enum otlp_temporality temporality; /* any other number arrives as OTLP_UNSPECIFIED */
	bool is_monotonic;		   /* sums only */
};

#define OTLP_FLAG_NO_RECORDED_VALUE 1u

struct otlp_buckets { /* exponential histogram, one sign */
	int32_t offset;
	const uint64_t *counts;
	size_t count;
};

struct otlp_quantile {
	double quantile, value;
};

struct otlp_point {
	uint64_t start_ns, time_ns; /* 0: not sent */
	uint32_t flags;
	struct otlp_attrs attrs;

	double value; /* sum and gauge; as_int is converted */

	/* histogram, exponential histogram and summary */
	uint64_t count;
	double sum;
	bool has_sum;

	const uint64_t *bucket_counts; /* histogram: bound_count + 1 of them, or none */
	size_t bucket_count;
	const double *bounds;
	size_t bound_count;

	int32_t scale; /* exponential histogram */
	uint64_t zero_count;
	double zero_threshold;
	struct otlp_buckets positive, negative;

	const struct otlp_quantile *quantiles; /* summary */
	size_t quantile_count;
};

struct otlp_log {
	struct slice scope_name;
	uint64_t time_ns, observed_ns;
	int32_t severity;
	struct slice event_name; /* its own field; Claude Code uses attributes and body */
	struct otlp_value body;
	struct otlp_attrs attrs;
};

/* What a decoder calls, in the order of the request. A function that returns anything but REASON_OK stops
 * the decoding, and the decoder returns that reason. Unused functions may be NULL.
 * resource: before its metrics or log records, also where the encoding brings it behind them.
 * resource_end: after the last of them. metric: before its points, complete. */
struct otlp_sink {
	void *ctx;
	/* The sink knows the attributes of most number points by their hash: those are not checked while
	 * decoding, and the sink calls otlp_attrs_check before it reads any. */
	bool checks_attributes;
	enum reason (*resource)(void *ctx, const struct otlp_resource *resource);
	enum reason (*resource_end)(void *ctx);
	enum reason (*metric)(void *ctx, const struct otlp_metric *metric);
	enum reason (*point)(void *ctx, const struct otlp_point *point);
	enum reason (*log)(void *ctx, const struct otlp_log *log);
};

#endif
