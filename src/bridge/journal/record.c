/* Coding of journal records; the layout is in record.h. Written for the additions, which are nearly all of
 * what a journal holds: one tag byte, two varints, eight bytes. */
#include "bridge/journal/record.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define TEXT_MAX    \
	((size_t)32 \
		<< 20) /* the state of a part of the bridge; names are bounded where they come in */

#define VARINT_MAX 10

static unsigned char *write_varint(unsigned char *to, uint64_t value)
{
	while (value >= 0x80) {
		*to++ = (unsigned char)(value | 0x80);
		value >>= 7;
	}
	*to++ = (unsigned char)value;
	return to;
}

static unsigned char *write_fixed(unsigned char *to, uint64_t value)
{
	uint64_t little = htole64(value);
	memcpy(to, &little, sizeof little);
	return to + sizeof little;
}

static void put_varint(struct buf *b, uint64_t value)
{
	unsigned char bytes[VARINT_MAX];
	buf_add(b, bytes, (size_t)(write_varint(bytes, value) - bytes));
}

static uint64_t zigzag(int64_t value)
{
	return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t value)
{
	return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static void put_signed(struct buf *b, int64_t value)
{
	put_varint(b, zigzag(value));
}

static void put_fixed(struct buf *b, uint64_t value)
{
	unsigned char bytes[8];
	write_fixed(bytes, value);
	buf_add(b, bytes, sizeof bytes);
}

static void put_double(struct buf *b, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	put_fixed(b, bits);
}

static void put_text(struct buf *b, struct slice s)
{
	put_varint(b, s.len);
	buf_add(b, s.ptr, s.len);
}

void record_begin(struct buf *record, int64_t arrived_ms)
{
	put_signed(record, arrived_ms);
}

void record_put_context(struct buf *record, uint64_t session, uint32_t minute)
{
	buf_addc(record, OP_CONTEXT);
	put_fixed(record, session);
	put_varint(record, minute);
}

void record_put_add(struct buf *record, uint32_t series, uint32_t part, double amount)
{
	uint64_t bits;
	memcpy(&bits, &amount, sizeof bits);
	unsigned char *begin = buf_reserve(record, 1 + 2 * VARINT_MAX + sizeof bits);
	assert(begin); /* records are made in unlimited buffers */
	unsigned char *to = begin;
	*to++ = OP_ADD;
	to = write_varint(to, series);
	to = write_varint(to, part);
	to = write_fixed(to, bits);
	buf_wrote(record, (size_t)(to - begin));
}

static void put_series(struct buf *b, const struct op_series *s)
{
	put_varint(b, s->id);
	put_varint(b, (uint64_t)s->kind);
	put_text(b, s->metric);
	put_text(b, s->family);
	put_text(b, s->unit);
	put_text(b, s->help);
	put_varint(b, s->label_count);
	for (size_t i = 0; i < s->label_count; i++) {
		put_text(b, s->labels[i].name);
		put_text(b, s->labels[i].value);
	}
	put_varint(b, s->bound_count);
	for (size_t i = 0; i < s->bound_count; i++)
		put_double(b, s->bounds[i]);
}

static void put_session(struct buf *b, const struct op_session *s)
{
	put_fixed(b, s->session);
	put_text(b, s->text);
	put_text(b, s->user);
	put_text(b, s->terminal);
	put_text(b, s->version);
}

static void put_stream(struct buf *b, const struct op_stream *s)
{
	put_fixed(b, s->key[0]);
	put_fixed(b, s->key[1]);
	put_fixed(b, s->earliest_ns);
	put_fixed(b, s->anchor);
	put_varint(b, s->series);
	put_varint(b, s->part);
	put_double(b, s->value);
	put_signed(b, s->time_ms);
}

void record_put(struct buf *record, const struct op *op)
{
	if (op->kind == OP_CONTEXT) {
		record_put_context(record, op->u.context.session, op->u.context.minute);
		return;
	}
	if (op->kind == OP_ADD) {
		record_put_add(record, op->u.add.series, op->u.add.part, op->u.add.amount);
		return;
	}
	buf_addc(record, (char)op->kind);
	switch (op->kind) {
	case OP_REQUEST:
		put_fixed(record, op->u.request[0]);
		put_fixed(record, op->u.request[1]);
		break;
	case OP_SERIES:
		put_series(record, &op->series);
		break;
	case OP_SESSION:
		put_session(record, &op->u.session);
		break;
	case OP_SET:
		put_varint(record, op->u.set.series);
		put_varint(record, op->u.set.part);
		put_signed(record, op->u.set.time_ms);
		put_double(record, op->u.set.value);
		break;
	case OP_STREAM:
		put_stream(record, &op->u.stream);
		break;
	case OP_SCRAPE:
		put_signed(record, op->u.scrape.time_ms);
		put_signed(record, op->u.scrape.hold_ms);
		break;
	case OP_EPOCH:
		put_varint(record, op->u.epoch.start_ns);
		break;
	case OP_CARRY:
		put_varint(record, op->u.add.series);
		put_varint(record, op->u.add.part);
		put_double(record, op->u.add.amount);
		break;
	case OP_SEEN:
		put_fixed(record, op->u.seen.session);
		put_fixed(record, op->u.seen.user);
		put_varint(record, op->u.seen.first);
		put_varint(record, op->u.seen.last);
		break;
	case OP_LOST:
		put_fixed(record, op->u.lost.session);
		put_signed(record, op->u.lost.count);
		put_varint(record, op->u.lost.is_unknown);
		break;
	case OP_STATE:
		put_text(record, op->u.state.name);
		put_text(record, op->u.state.bytes);
		break;
	case OP_CONTEXT:
	case OP_ADD:
		assert(false); /* written above */
	}
}

/* Reading. Each take_ function returns false when the record ends first or holds what cannot be. */

static bool take_varint(struct record_reader *r, uint64_t *out)
{
	if (r->left.len && r->left.ptr[0] < 0x80) { /* one byte, as nearly always */
		*out = *r->left.ptr++;
		r->left.len--;
		return true;
	}
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (r->left.len == 0)
			return false;
		unsigned char byte = *r->left.ptr++;
		r->left.len--;
		value |= (uint64_t)(byte & 0x7F) << shift;
		if (!(byte & 0x80)) {
			*out = value;
			return shift < 63 || byte <= 1;
		}
	}
	return false;
}

static bool take_u32(struct record_reader *r, uint32_t *out)
{
	uint64_t value;
	if (!take_varint(r, &value) || value > UINT32_MAX)
		return false;
	*out = (uint32_t)value;
	return true;
}

static bool take_signed(struct record_reader *r, int64_t *out)
{
	uint64_t value;
	if (!take_varint(r, &value))
		return false;
	*out = unzigzag(value);
	return true;
}

static bool take_fixed(struct record_reader *r, uint64_t *out)
{
	uint64_t little;
	if (r->left.len < sizeof little)
		return false;
	memcpy(&little, r->left.ptr, sizeof little);
	r->left = slice_of(r->left.ptr + sizeof little, r->left.len - sizeof little);
	*out = le64toh(little);
	return true;
}

static bool take_double(struct record_reader *r, double *out)
{
	uint64_t bits;
	if (!take_fixed(r, &bits))
		return false;
	memcpy(out, &bits, sizeof bits);
	return true;
}

static bool take_text(struct record_reader *r, struct slice *out)
{
	uint64_t len;
	if (!take_varint(r, &len) || len > TEXT_MAX || len > r->left.len)
		return false;
	*out = slice_of(r->left.ptr, (size_t)len);
	r->left = slice_of(r->left.ptr + len, r->left.len - (size_t)len);
	return true;
}

static bool take_count(struct record_reader *r, size_t max, size_t *out)
{
	uint64_t count;
	if (!take_varint(r, &count) || count > max)
		return false;
	*out = (size_t)count;
	return true;
}

static bool take_series(struct record_reader *r, struct op_series *s)
{
	uint64_t kind;
	if (!take_u32(r, &s->id) || !take_varint(r, &kind) || kind < SERIES_COUNTER ||
		kind > SERIES_SUMMARY || !take_text(r, &s->metric) || !take_text(r, &s->family) ||
		!take_text(r, &s->unit) || !take_text(r, &s->help) ||
		!take_count(r, RECORD_LABELS_MAX, &s->label_count))
		return false;
	s->kind = (enum series_kind)kind;
	for (size_t i = 0; i < s->label_count; i++) {
		if (!take_text(r, &s->labels[i].name) || !take_text(r, &s->labels[i].value))
			return false;
	}
	if (!take_count(r, RECORD_BOUNDS_MAX, &s->bound_count))
		return false;
	for (size_t i = 0; i < s->bound_count; i++) {
		if (!take_double(r, &s->bounds[i]))
			return false;
	}
	return true;
}

static bool take_session(struct record_reader *r, struct op_session *s)
{
	return take_fixed(r, &s->session) && take_text(r, &s->text) && take_text(r, &s->user) &&
	       take_text(r, &s->terminal) && take_text(r, &s->version);
}

static bool take_stream(struct record_reader *r, struct op_stream *s)
{
	return take_fixed(r, &s->key[0]) && take_fixed(r, &s->key[1]) &&
	       take_fixed(r, &s->earliest_ns) && take_fixed(r, &s->anchor) &&
	       take_u32(r, &s->series) && take_u32(r, &s->part) && take_double(r, &s->value) &&
	       take_signed(r, &s->time_ms);
}

static bool take_set(struct record_reader *r, struct op_set *s)
{
	return take_u32(r, &s->series) && take_u32(r, &s->part) && take_signed(r, &s->time_ms) &&
	       take_double(r, &s->value);
}

static bool take_seen(struct record_reader *r, struct op_seen *s)
{
	return take_fixed(r, &s->session) && take_fixed(r, &s->user) && take_varint(r, &s->first) &&
	       take_varint(r, &s->last);
}

static bool take_lost(struct record_reader *r, struct op_lost *l)
{
	uint64_t is_unknown;
	if (!take_fixed(r, &l->session) || !take_signed(r, &l->count) ||
		!take_varint(r, &is_unknown) || is_unknown > 1)
		return false;
	l->is_unknown = is_unknown == 1;
	return true;
}

static bool take_add(struct record_reader *r, struct op_add *a)
{
	return take_u32(r, &a->series) && take_u32(r, &a->part) && take_double(r, &a->amount);
}

static bool take_op(struct record_reader *r, struct op *op)
{
	switch (op->kind) {
	case OP_REQUEST:
		return take_fixed(r, &op->u.request[0]) && take_fixed(r, &op->u.request[1]);
	case OP_SERIES:
		return take_series(r, &op->series);
	case OP_SESSION:
		return take_session(r, &op->u.session);
	case OP_CONTEXT:
		return take_fixed(r, &op->u.context.session) && take_u32(r, &op->u.context.minute);
	case OP_ADD:
	case OP_CARRY:
		return take_add(r, &op->u.add);
	case OP_SET:
		return take_set(r, &op->u.set);
	case OP_STREAM:
		return take_stream(r, &op->u.stream);
	case OP_SCRAPE:
		return take_signed(r, &op->u.scrape.time_ms) &&
		       take_signed(r, &op->u.scrape.hold_ms);
	case OP_EPOCH:
		return take_varint(r, &op->u.epoch.start_ns);
	case OP_SEEN:
		return take_seen(r, &op->u.seen);
	case OP_LOST:
		return take_lost(r, &op->u.lost);
	case OP_STATE:
		return take_text(r, &op->u.state.name) && take_text(r, &op->u.state.bytes);
	}
	return false;
}

bool record_reader_init(struct record_reader *r, struct slice record)
{
	r->left = record;
	return take_signed(r, &r->arrived_ms);
}

int record_next(struct record_reader *r, struct op *out)
{
	if (r->left.len == 0)
		return 0;
	unsigned char kind = *r->left.ptr++;
	r->left.len--;
	if (kind < OP_REQUEST || kind > OP_STATE)
		return -1;
	out->kind = (enum op_kind)kind;
	return take_op(r, out) ? 1 : -1;
}

uint64_t record_session_hash(struct slice text)
{
	uint64_t hash = XXH3_64bits(text.ptr, text.len);
	return text.len == 0 ? 0 : hash ? hash : 1;
}
