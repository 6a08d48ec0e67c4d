/* The protobuf wire format: fields one after the other from borrowed bytes.
 *
 * A message without a schema: wire_next gives number, type and content of each field; the caller takes what
 * it knows and passes over the rest, also where a known number comes with another wire type (as protobuf's
 * own parsers do). Groups are stepped over whole. A tag that would fit one byte must be one byte: no encoder
 * writes it longer, and so a byte is enough to know a field by. Specification: protobuf.dev, "Encoding".
 */
#ifndef CCTM_BRIDGE_OTLP_WIRE_H
#define CCTM_BRIDGE_OTLP_WIRE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "bridge/otlp/reasons.h"
#include "core/slice.h"

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_BYTES = 2,
	WIRE_GROUP = 3,
	WIRE_GROUP_END = 4,
	WIRE_FIXED32 = 5,
};

enum wire_status {
	WIRE_DONE,  /* the message is over */
	WIRE_FIELD, /* one field was read */
	WIRE_CUT,   /* it ends in the middle of a field */
	WIRE_BAD,   /* this is not protobuf */
};

struct wire {
	const unsigned char *p, *end;
};

struct wire_field {
	uint32_t number;
	enum wire_type type;
	uint64_t integer; /* varint, fixed64, fixed32 */
	struct slice bytes;
};

/* Field and type in one number, for switches: WIRE_KEY(7, WIRE_BYTES). */
#define WIRE_KEY(number_, type_) ((uint64_t)(number_) << 3 | (uint64_t)(type_))

static inline struct wire wire_of(struct slice message)
{
	return (struct wire){ message.ptr, message.ptr + message.len };
}

static inline uint64_t wire_key(const struct wire_field *f)
{
	return WIRE_KEY(f->number, f->type);
}

/* Varints of three bytes and more, or at the end of the bytes. */
enum wire_status wire_varint_long(struct wire *w, uint64_t *out);

/* WIRE_FIELD, WIRE_CUT or WIRE_BAD. */
static inline enum wire_status wire_varint(struct wire *w, uint64_t *out)
{
	if (w->end - w->p >= 2) {
		uint64_t first = w->p[0], second = w->p[1];
		if (first < 0x80) {
			*out = first;
			w->p += 1;
			return WIRE_FIELD;
		}
		if (second < 0x80) {
			*out = (first & 0x7F) | second << 7;
			w->p += 2;
			return WIRE_FIELD;
		}
	}
	return wire_varint_long(w, out);
}

static inline uint64_t wire_load64(const unsigned char *p)
{
	uint64_t value;
	memcpy(&value, p, sizeof value);
	return le64toh(value);
}

static inline enum wire_status wire_fixed64(struct wire *w, uint64_t *out)
{
	if (w->end - w->p < 8)
		return WIRE_CUT;
	*out = wire_load64(w->p);
	w->p += 8;
	return WIRE_FIELD;
}

static inline enum wire_status wire_bytes(struct wire *w, struct slice *out)
{
	uint64_t len;
	enum wire_status status = wire_varint(w, &len);
	if (status != WIRE_FIELD)
		return status;
	if (len > (uint64_t)(w->end - w->p))
		return WIRE_CUT;
	*out = slice_of(w->p, (size_t)len);
	w->p += len;
	return WIRE_FIELD;
}

/* The field's content behind its tag for the types that are rare in OTLP. */
enum wire_status wire_rare_content(struct wire *w, struct wire_field *f);

static inline enum wire_status wire_next(struct wire *w, struct wire_field *f)
{
	uint64_t tag;
	const unsigned char *start = w->p;
	if (start == w->end)
		return WIRE_DONE;
	enum wire_status status = wire_varint(w, &tag);
	if (status != WIRE_FIELD)
		return status;
	if (tag < 8 || tag > UINT32_MAX || (tag < 0x80 && w->p - start > 1))
		return WIRE_BAD;
	f->number = (uint32_t)tag >> 3;
	f->type = (enum wire_type)(tag & 7);
	if (f->type == WIRE_BYTES)
		return wire_bytes(w, &f->bytes);
	if (f->type == WIRE_VARINT)
		return wire_varint(w, &f->integer);
	if (f->type == WIRE_FIXED64)
		return wire_fixed64(w, &f->integer);
	return wire_rare_content(w, f);
}

static inline double wire_double(uint64_t bits)
{
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static inline int32_t wire_sint32(uint64_t varint)
{
	uint32_t v = (uint32_t)varint;
	return (int32_t)((v >> 1) ^ (0u - (v & 1u)));
}

/* What the end of a loop over wire_next means inside a message. The body as a whole is checked at its top
 * level, so a message that is cut further down contradicts its own length. */
static inline enum reason wire_reason(enum wire_status status)
{
	return status == WIRE_DONE ? REASON_OK : REASON_MALFORMED_PROTOBUF;
}

#endif
