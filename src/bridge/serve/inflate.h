/* gzip and deflate bodies to plain bytes, counted while they come out.
 *
 * One inflater serves all requests, one after another; its zlib state is kept between them.
 */
#ifndef CCTM_BRIDGE_SERVE_INFLATE_H
#define CCTM_BRIDGE_SERVE_INFLATE_H

#include "bridge/otlp/reasons.h"
#include "bridge/serve/http1.h"
#include "core/buf.h"

struct inflater;

struct inflater *inflater_new(void);
void inflater_free(struct inflater *f);

/* Replaces the content of `out`, whose maximum bounds the size. gzip may have several members (RFC 1952,
 * 2.2); "deflate" is zlib's format (RFC 9110, 8.4.1.2), and the raw one that some clients send instead.
 * REASON_OK, REASON_MALFORMED_COMPRESSION (also when cut short, or followed by other bytes) or
 * REASON_BODY_TOO_LARGE. */
enum reason inflate_body(
	struct inflater *f, enum http1_coding coding, struct slice in, struct buf *out);

#endif
