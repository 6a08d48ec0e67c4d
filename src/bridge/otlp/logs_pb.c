/* LogRecord { time 1, severity_number 2, body 5, attributes 6, observed_time 11, event_name 12 }
 * (opentelemetry/proto/logs/v1). */
#include "bridge/otlp/decoder_internal.h"

static enum reason take_field(const struct wire_field *f, struct otlp_log *log)
{
	switch (wire_key(f)) {
	case WIRE_KEY(1, WIRE_FIXED64):
		log->time_ns = f->integer;
		return REASON_OK;
	case WIRE_KEY(2, WIRE_VARINT):
		log->severity = (int32_t)f->integer;
		return REASON_OK;
	case WIRE_KEY(5, WIRE_BYTES):
		return value_pb_read(f->bytes, 0, &log->body);
	case WIRE_KEY(11, WIRE_FIXED64):
		log->observed_ns = f->integer;
		return REASON_OK;
	case WIRE_KEY(12, WIRE_BYTES):
		log->event_name = f->bytes;
		return REASON_OK;
	default:
		return REASON_OK;
	}
}

enum reason log_pb_decode(struct decoding *c, struct slice message)
{
	struct otlp_log log = { .scope_name = c->scope_name, .body = { .kind = OTLP_EMPTY } };
	struct wire w = wire_of(message);
	struct wire_field f;
	enum wire_status status;
	while ((status = wire_next(&w, &f)) == WIRE_FIELD) {
		enum reason r = take_field(&f, &log);
		if (r != REASON_OK)
			return r;
	}
	enum reason r = wire_reason(status);
	if (r == REASON_OK)
		r = attrs_of_message(c->decoder, message, 6, &log.attrs);
	if (r == REASON_OK && c->sink->log)
		r = c->sink->log(c->sink->ctx, &log);
	return r;
}
