#include "bridge/otlp/wire.h"

#define GROUP_DEPTH_MAX 64

enum wire_status wire_varint_long(struct wire *w, uint64_t *out)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (w->p == w->end)
			return WIRE_CUT;
		uint64_t byte = *w->p++;
		/* The tenth byte holds bit 63 alone. */
		if (shift == 63 && byte > 1)
			return WIRE_BAD;
		value |= (byte & 0x7F) << shift;
		if (byte < 0x80) {
			*out = value;
			return WIRE_FIELD;
		}
	}
	return WIRE_BAD;
}

static enum wire_status fixed32(struct wire *w, uint64_t *out)
{
	uint32_t value;
	if (w->end - w->p < 4)
		return WIRE_CUT;
	memcpy(&value, w->p, sizeof value);
	*out = le32toh(value);
	w->p += 4;
	return WIRE_FIELD;
}

/* Content of a field that is neither group nor end of one. */
static enum wire_status plain_content(struct wire *w, enum wire_type type)
{
	uint64_t ignored;
	struct slice bytes;
	if (type == WIRE_VARINT)
		return wire_varint(w, &ignored);
	if (type == WIRE_FIXED64)
		return wire_fixed64(w, &ignored);
	if (type == WIRE_BYTES)
		return wire_bytes(w, &bytes);
	if (type == WIRE_FIXED32)
		return fixed32(w, &ignored);
	return WIRE_BAD;
}

/* Steps over a group whose start tag has been read; each end must carry the number of its start. */
static enum wire_status skip_group(struct wire *w, uint32_t number)
{
	uint32_t open[GROUP_DEPTH_MAX] = { number };
	unsigned depth = 1;
	while (depth > 0) {
		uint64_t tag;
		enum wire_status status = wire_varint(w, &tag);
		if (status != WIRE_FIELD)
			return status;
		if (tag < 8 || tag > UINT32_MAX)
			return WIRE_BAD;
		enum wire_type type = (enum wire_type)(tag & 7);
		if (type == WIRE_GROUP) {
			if (depth == GROUP_DEPTH_MAX)
				return WIRE_BAD;
			open[depth++] = (uint32_t)tag >> 3;
		} else if (type == WIRE_GROUP_END) {
			if (open[--depth] != (uint32_t)tag >> 3)
				return WIRE_BAD;
		} else {
			status = plain_content(w, type);
			if (status != WIRE_FIELD)
				return status;
		}
	}
	return WIRE_FIELD;
}

enum wire_status wire_rare_content(struct wire *w, struct wire_field *f)
{
	if (f->type == WIRE_FIXED32)
		return fixed32(w, &f->integer);
	if (f->type == WIRE_GROUP)
		return skip_group(w, f->number);
	return WIRE_BAD;
}
