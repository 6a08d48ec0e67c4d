/* KeyValue { key 1, value 2 } and AnyValue { string 1, bool 2, int 3, double 4, array 5, kvlist 6, bytes 7 };
 * ArrayValue and KeyValueList hold their values in field 1 (opentelemetry/proto/common/v1). */
#include "bridge/otlp/decoder_internal.h"

static enum reason check_items(struct slice message, unsigned depth, bool are_pairs)
{
	struct wire w = wire_of(message);
	struct wire_field f;
	enum wire_status status;
	if (depth == VALUE_DEPTH_MAX)
		return REASON_TOO_DEEP;
	while ((status = wire_next(&w, &f)) == WIRE_FIELD) {
		if (wire_key(&f) != WIRE_KEY(1, WIRE_BYTES))
			continue;
		struct otlp_attr attr;
		enum reason r = are_pairs ? attr_pb_read(f.bytes, depth + 1, &attr)
					  : value_pb_read(f.bytes, depth + 1, &attr.value);
		if (r != REASON_OK)
			return r;
	}
	return wire_reason(status);
}

static enum reason take_field(const struct wire_field *f, unsigned depth, struct otlp_value *out)
{
	switch (wire_key(f)) {
	case WIRE_KEY(1, WIRE_BYTES):
		*out = (struct otlp_value){ .kind = OTLP_STRING, .bytes = f->bytes };
		return REASON_OK;
	case WIRE_KEY(2, WIRE_VARINT):
		*out = (struct otlp_value){ .kind = OTLP_BOOL, .integer = f->integer != 0 };
		return REASON_OK;
	case WIRE_KEY(3, WIRE_VARINT):
		*out = (struct otlp_value){ .kind = OTLP_INT, .integer = (int64_t)f->integer };
		return REASON_OK;
	case WIRE_KEY(4, WIRE_FIXED64):
		*out = (struct otlp_value){ .kind = OTLP_DOUBLE,
			.number = wire_double(f->integer) };
		return REASON_OK;
	case WIRE_KEY(5, WIRE_BYTES):
		*out = (struct otlp_value){ .kind = OTLP_ARRAY, .bytes = f->bytes };
		return check_items(f->bytes, depth, false);
	case WIRE_KEY(6, WIRE_BYTES):
		*out = (struct otlp_value){ .kind = OTLP_KVLIST, .bytes = f->bytes };
		return check_items(f->bytes, depth, true);
	case WIRE_KEY(7, WIRE_BYTES):
		*out = (struct otlp_value){ .kind = OTLP_BYTES, .bytes = f->bytes };
		return REASON_OK;
	default:
		return REASON_OK;
	}
}

enum reason value_pb_read(struct slice message, unsigned depth, struct otlp_value *out)
{
	struct wire w = wire_of(message);
	struct wire_field f;
	enum wire_status status;
	*out = (struct otlp_value){ .kind = OTLP_EMPTY };
	while ((status = wire_next(&w, &f)) == WIRE_FIELD) {
		enum reason r = take_field(&f, depth, out);
		if (r != REASON_OK)
			return r;
	}
	return wire_reason(status);
}

enum reason attr_pb_read(struct slice message, unsigned depth, struct otlp_attr *out)
{
	struct wire w = wire_of(message);
	struct wire_field f;
	enum wire_status status;
	*out = (struct otlp_attr){ .value = { .kind = OTLP_EMPTY } };
	while ((status = wire_next(&w, &f)) == WIRE_FIELD) {
		if (wire_key(&f) == WIRE_KEY(1, WIRE_BYTES)) {
			out->key = f.bytes;
		} else if (wire_key(&f) == WIRE_KEY(2, WIRE_BYTES)) {
			enum reason r = value_pb_read(f.bytes, depth, &out->value);
			if (r != REASON_OK)
				return r;
		}
	}
	return wire_reason(status);
}
