/* The one list of why something sent to the bridge was refused, altered or passed over.
 *
 * A reason is a fact of the data path: no text, no allocation. Its slug is the `reason` label of
 * cctm_rejected_total (requests and points refused) or cctm_noted_total (taken, with a remark);
 * serve/answer turns a reason into a response; the status page turns it into prose.
 *
 * Columns: name, slug, scope, HTTP status, gRPC status, sentence. Scope says what is counted:
 *   REQUEST  the whole request is answered with the status and changes nothing
 *   POINT    the data point, log record or span is not taken; named in partial_success
 *   NOTE     it is taken, and the remark is counted
 * Retrying helps only for HTTP 429 and 503 (OTLP specification, "Failures").
 */
#ifndef CCTM_BRIDGE_OTLP_REASONS_H
#define CCTM_BRIDGE_OTLP_REASONS_H

#include <stdbool.h>

enum reason_scope { REASON_REQUEST, REASON_POINT, REASON_NOTE };

#define REASONS(X)                                                                                \
	X(REASON_OK, "ok", REASON_NOTE, 200, 0, "Taken.")                                         \
	/* requests */                                                                            \
	X(REASON_TRUNCATED, "truncated", REASON_REQUEST, 400, 3,                                  \
		"The body ends in the middle of a message.")                                      \
	X(REASON_MALFORMED_PROTOBUF, "malformed_protobuf", REASON_REQUEST, 400, 3,                \
		"The body is not an OTLP protobuf message.")                                      \
	X(REASON_MALFORMED_JSON, "malformed_json", REASON_REQUEST, 400, 3,                        \
		"The body is not OTLP JSON.")                                                     \
	X(REASON_TOO_DEEP, "too_deep", REASON_REQUEST, 400, 3,                                    \
		"The body nests deeper than the bridge follows.")                                 \
	X(REASON_TOO_MANY_POINTS, "too_many_points", REASON_REQUEST, 413, 8,                      \
		"The request holds more points than the bridge takes at once.")                   \
	X(REASON_MALFORMED_HTTP, "malformed_http", REASON_REQUEST, 400, 3,                        \
		"The request is neither HTTP/1.1 nor HTTP/2.")                                    \
	X(REASON_MALFORMED_COMPRESSION, "malformed_compression", REASON_REQUEST, 400, 3,          \
		"The body does not inflate.")                                                     \
	X(REASON_UNSUPPORTED_ENCODING, "unsupported_encoding", REASON_REQUEST, 415, 12,           \
		"Content-Encoding is none of identity, gzip and deflate.")                        \
	X(REASON_UNSUPPORTED_TYPE, "unsupported_type", REASON_REQUEST, 415, 12,                   \
		"Content-Type is neither application/x-protobuf nor application/json.")           \
	X(REASON_BODY_TOO_LARGE, "body_too_large", REASON_REQUEST, 413, 8,                        \
		"The body is larger than --max-body.")                                            \
	X(REASON_HEADER_TOO_LARGE, "header_too_large", REASON_REQUEST, 431, 8,                    \
		"The request's header is larger than the bridge reads.")                          \
	X(REASON_LENGTH_REQUIRED, "length_required", REASON_REQUEST, 411, 3,                      \
		"A POST needs Content-Length or Transfer-Encoding: chunked.")                     \
	X(REASON_NOT_FOUND, "not_found", REASON_REQUEST, 404, 12,                                 \
		"There is nothing at this path; OTLP goes to /v1/metrics, /v1/logs and "          \
		"/v1/traces of the OTLP port, scrapes to /metrics of the exporter port.")         \
	X(REASON_METHOD, "method_not_allowed", REASON_REQUEST, 405, 12,                           \
		"This path takes another method.")                                                \
	X(REASON_TIMEOUT, "timeout", REASON_REQUEST, 408, 4,                                      \
		"The request did not arrive in time.")                                            \
	X(REASON_HTTP2, "http2_not_here", REASON_REQUEST, 400, 12,                                \
		"HTTP/2 is spoken at the OTLP ports only, from the connection's first byte.")     \
	X(REASON_HTTP2_BROKEN, "http2_broken", REASON_REQUEST, 400, 13,                           \
		"The connection broke the rules of HTTP/2.")                                      \
	X(REASON_HTTP2_FLOOD, "http2_flood", REASON_REQUEST, 429, 8,                              \
		"Pings, settings, empty frames or resets without end: the connection was ended.") \
	X(REASON_MALFORMED_GRPC, "malformed_grpc", REASON_REQUEST, 400, 3,                        \
		"The body is not one whole gRPC message.")                                        \
	X(REASON_GRPC_COMPRESSION, "grpc_compression", REASON_REQUEST, 400, 13,                   \
		"A gRPC message says that it is compressed, and grpc-encoding does not say how.") \
	X(REASON_GRPC_ENCODING, "grpc_encoding", REASON_REQUEST, 415, 12,                         \
		"grpc-encoding is neither identity nor gzip.")                                    \
	X(REASON_GRPC_METHOD, "grpc_method", REASON_REQUEST, 404, 12,                             \
		"There is no such gRPC method; OTLP's are Export of MetricsService, "             \
		"LogsService and TraceService.")                                                  \
	X(REASON_GRPC_SERVICE, "grpc_service", REASON_REQUEST, 404, 5,                            \
		"There is no such gRPC service.")                                                 \
	X(REASON_TOO_MANY_CONNECTIONS, "too_many_connections", REASON_REQUEST, 503, 14,           \
		"More connections than the bridge keeps.")                                        \
	X(REASON_OVERLOADED, "overloaded", REASON_REQUEST, 503, 14,                               \
		"The bridge holds as many bytes of requests as it may.")                          \
	X(REASON_JOURNAL_FULL, "journal_full", REASON_REQUEST, 503, 14,                           \
		"The journal cannot be written (disk full or failing).")                          \
	X(REASON_STOPPING, "stopping", REASON_REQUEST, 503, 14, "The bridge is stopping.")        \
	/* points not taken */                                                                    \
	X(REASON_NAN, "nan", REASON_POINT, 200, 0, "The value is not a number.")                  \
	X(REASON_INFINITE, "infinite", REASON_POINT, 200, 0,                                      \
		"The value is infinite, or too large to add up.")                                 \
	X(REASON_NEGATIVE, "negative_monotonic", REASON_POINT, 200, 0,                            \
		"A monotonic sum or a histogram is negative.")                                    \
	X(REASON_TEMPORALITY, "unknown_temporality", REASON_POINT, 200, 0,                        \
		"Aggregation temporality is neither delta nor cumulative.")                       \
	X(REASON_UNNAMED, "unnamed_metric", REASON_POINT, 200, 0, "The metric has no name.")      \
	X(REASON_TYPE_CONFLICT, "type_conflict", REASON_POINT, 200, 0,                            \
		"Another metric of this exposed name has another type.")                          \
	X(REASON_BOUNDS, "histogram_bounds", REASON_POINT, 200, 0,                                \
		"The histogram's bounds or counts do not fit its series.")                        \
	X(REASON_STREAM_LIMIT, "stream_limit", REASON_POINT, 200, 0,                              \
		"More cumulative streams than the bridge remembers.")                             \
	/* taken, with a remark */                                                                \
	X(REASON_NO_RECORDED_VALUE, "no_recorded_value", REASON_NOTE, 200, 0,                     \
		"The point says that it holds no value.")                                         \
	X(REASON_LATE, "late_point", REASON_NOTE, 200, 0,                                         \
		"A cumulative value below the highest seen: already counted.")                    \
	X(REASON_TIME_CLAMPED, "time_clamped", REASON_NOTE, 200, 0,                               \
		"The point's time lies in the future or before the retention.")                   \
	X(REASON_SERIES_OVERFLOW, "series_overflow", REASON_NOTE, 200, 0,                         \
		"Past --series-max: counted in the metric's overflow series.")                    \
	X(REASON_INVALID_UTF8, "invalid_utf8", REASON_NOTE, 200, 0,                               \
		"An attribute is not UTF-8; U+FFFD stands for the bad bytes.")                    \
	X(REASON_LABEL_TRUNCATED, "label_truncated", REASON_NOTE, 200, 0,                         \
		"An attribute is longer than a label may be and was cut.")                        \
	X(REASON_LABELS_DROPPED, "labels_dropped", REASON_NOTE, 200, 0,                           \
		"A point has more attributes than a series may have labels.")                     \
	X(REASON_EVENT_OVERFLOW, "event_overflow", REASON_NOTE, 200, 0,                           \
		"More event names than the bridge tells apart: counted as \"other\".")

enum reason {

#define X(name, slug, scope, http, grpc, sentence) name,
	REASONS(X)
#undef X
		REASON_COUNT
};

const char *reason_slug(enum reason r);
enum reason_scope reason_scope(enum reason r);
int reason_http_status(enum reason r);
int reason_grpc_status(enum reason r);
bool reason_retry_helps(enum reason r);
const char *reason_sentence(enum reason r);

#endif
