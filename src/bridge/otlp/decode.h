/* Decoding of OTLP export requests (opentelemetry-proto 1.x), protobuf and JSON.
 *
 * Hand-written readers: bytes in, sink calls out. The whole body is there before decoding starts. A body
 * that turns out malformed half-way has already called the sink; the sink collects and its owner applies
 * only after the decoder returned REASON_OK. Unknown fields are skipped in both encodings.
 */
#ifndef CCTM_BRIDGE_OTLP_DECODE_H
#define CCTM_BRIDGE_OTLP_DECODE_H

#include "bridge/otlp/types.h"

struct otlp_decoder;

/* Scratch memory that is kept between requests. `seed` goes into the hash of attributes. */
struct otlp_decoder *otlp_decoder_new(uint64_t seed);
void otlp_decoder_free(struct otlp_decoder *d);

enum reason otlp_decode_metrics(struct otlp_decoder *d, enum otlp_encoding encoding,
	struct slice body, const struct otlp_sink *sink);
enum reason otlp_decode_logs(struct otlp_decoder *d, enum otlp_encoding encoding, struct slice body,
	const struct otlp_sink *sink);

/* Walks a trace request and counts its spans; their content is not looked at. */
enum reason otlp_count_spans(
	struct otlp_decoder *d, enum otlp_encoding encoding, struct slice body, uint64_t *spans);

/* Reading attributes one by one, in the order sent. The attributes come from a body that was decoded
 * without error, so this cannot fail. A key and a value live until the iterator is initialized again
 * (they may be slices of the body or, where JSON escapes were undone, of the decoder's scratch). */
struct otlp_attr_iter {
	struct otlp_decoder *decoder;
	struct otlp_attrs attrs;
	struct slice left; /* private */
};

/* For sinks with checks_attributes: REASON_OK, or why the request has to be refused. */
enum reason otlp_attrs_check(const struct otlp_attrs *attrs);

void otlp_attr_iter_init(
	struct otlp_attr_iter *it, struct otlp_decoder *d, const struct otlp_attrs *attrs);
bool otlp_attr_next(struct otlp_attr_iter *it, struct otlp_attr *out);

struct buf;

/* Appends the value as label text: strings as they are, numbers in their shortest form, booleans as true
 * and false, bytes in base64, arrays and maps as JSON (as the Collector's AsString does). `out` has a
 * maximum; text past it is cut at a character. False: it was cut. */
bool otlp_value_text(struct otlp_decoder *d, enum otlp_encoding encoding,
	const struct otlp_value *value, struct buf *out);

/* The value as a number: ints, doubles, and strings that hold a number (Claude Code sends both). */
bool otlp_value_number(const struct otlp_value *value, double *out);

#endif
