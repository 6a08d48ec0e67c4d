/* gRPC's own layer (grpc/doc/PROTOCOL-HTTP2.md): paths of methods, the frame around a message, timeouts, and
 * what goes into trailers. Pure functions of bytes; http2_stream.c and http2_answer.c carry them.
 *
 * Only unary calls are read: a request is exactly one message.
 */
#ifndef CCTM_BRIDGE_SERVE_GRPC_H
#define CCTM_BRIDGE_SERVE_GRPC_H

#include <stdint.h>

#include "bridge/otlp/types.h"
#include "core/buf.h"
#include "core/slice.h"

enum grpc_call { GRPC_EXPORT, GRPC_HEALTH_CHECK, GRPC_HEALTH_WATCH };

struct grpc_method {
	const char *path;
	enum grpc_call call;
	enum otlp_signal signal; /* of an export */
};

/* NULL: there is no such method. */
const struct grpc_method *grpc_method_find(struct slice path);

/* "application/grpc", alone or with "+proto"; the only message format that is spoken here. */
bool grpc_type_is_ours(struct slice media_type);

#define GRPC_PREFIX_LEN 5

struct grpc_reader { /* zeroed: before the message */
	unsigned char prefix[GRPC_PREFIX_LEN];
	unsigned have; /* of the prefix */
	uint32_t left; /* of the message, once the prefix is whole */
};

/* Reads all of `in`, the next bytes of a request; *part is the run of the message in it, possibly empty.
 * REASON_OK, REASON_MALFORMED_GRPC (no such flag, or bytes behind the message) or REASON_BODY_TOO_LARGE
 * (the length it announces is more than `max`). */
enum reason grpc_read(struct grpc_reader *r, struct slice in, size_t max, struct slice *part);
bool grpc_is_whole(const struct grpc_reader *r);
bool grpc_is_compressed(const struct grpc_reader *r);

void grpc_add_prefix(struct buf *out, size_t message_len);

/* grpc-timeout in milliseconds, rounded up; 0: none, or not one (a request is taken rather than refused). */
int64_t grpc_timeout_ms(struct slice text);

/* Status text as grpc-message has it: bytes outside of printable ASCII, and %, become %XX. */
void grpc_add_message(struct buf *out, const char *text);

/* grpc-status-details-bin: a google.rpc.Status that says to come back after `retry_after_s` (RetryInfo), in
 * base64 without padding. */
void grpc_add_retry_details(struct buf *out, int code, const char *message, int retry_after_s);

/* grpc.health.v1 */
enum grpc_health { GRPC_SERVING = 1, GRPC_NOT_SERVING = 2, GRPC_SERVICE_UNKNOWN = 3 };

/* REASON_OK or REASON_MALFORMED_PROTOBUF; *is_known: the whole server (""), or one of its services. */
enum reason grpc_health_read(struct slice message, bool *is_known);
void grpc_add_health(struct buf *out, enum grpc_health status); /* HealthCheckResponse */

#endif
