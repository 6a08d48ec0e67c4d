/* The state as bytes, and back. Numbers are 64 bits, little-endian; a checksum ends them. What is read is
 * checked as if it came from outside: the ledger's file may be damaged.
 */
#include "bridge/ingest/sequence_internal.h"

#define SAVED_MAGIC	 UINT64_C(0x0131514553544343) /* "CCTSEQ1" and the version, 1 */
#define SAVED_CHAIN_SIZE ((size_t)10 * 8)
#define SAVED_GAP_SIZE	 ((size_t)4 * 8)
#define SAVED_HEAD_SIZE	 ((size_t)4 * 8)

/* of a chain */
#define FLAG_EXTENDED	 1u
#define FLAG_TENTATIVE	 2u
#define FLAG_TAKEN	 4u
#define FLAG_UNKNOWN	 8u
#define FLAG_UNKNOWN_DUE 16u
#define FLAG_SETTLED	 32u
#define FLAG_EXPLAINED	 64u
#define GAPS_SHIFT	 8 /* the number of gaps stands above the flags */

/* of a gap */
#define FLAG_BEGIN 1u
#define FLAG_TOLD  2u

static void put(struct buf *out, uint64_t value)
{
	unsigned char bytes[8];
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(value >> (8 * i));
	buf_add(out, bytes, sizeof bytes);
}

static uint64_t take(struct slice *left)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < 8; i++)
		value |= (uint64_t)left->ptr[i] << (8 * i);
	*left = slice_of(left->ptr + 8, left->len - 8);
	return value;
}

/* FNV-1a: finds damage; the journal's own checksum is the strong one. */
static uint64_t checksum(struct slice bytes)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ bytes.ptr[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static void put_chain(struct buf *out, const struct chain *c)
{
	uint64_t flags =
		(c->is_extended ? FLAG_EXTENDED : 0) | (c->is_tentative ? FLAG_TENTATIVE : 0) |
		(c->is_taken ? FLAG_TAKEN : 0) | (c->is_unknown ? FLAG_UNKNOWN : 0) |
		(c->is_unknown_due ? FLAG_UNKNOWN_DUE : 0) | (c->is_settled ? FLAG_SETTLED : 0) |
		(c->is_explained ? FLAG_EXPLAINED : 0);
	put(out, c->user);
	put(out, c->session);
	put(out, c->start);
	put(out, c->next);
	put(out, (uint64_t)c->born_ms);
	put(out, (uint64_t)c->last_ms);
	put(out, c->tick);
	put(out, c->told);
	put(out, (uint64_t)c->owed);
	put(out, flags | (uint64_t)c->gap_count << GAPS_SHIFT);
	for (size_t i = 0; i < c->gap_count; i++) {
		put(out, c->gaps[i].lo);
		put(out, c->gaps[i].hi);
		put(out, (uint64_t)c->gaps[i].since_ms);
		put(out, (c->gaps[i].is_begin ? FLAG_BEGIN : 0) |
				 (c->gaps[i].is_told ? FLAG_TOLD : 0));
	}
}

void sequence_save(const struct sequence *s, struct buf *out)
{
	size_t start = out->len;
	put(out, SAVED_MAGIC);
	put(out, s->tick);
	put(out, (uint64_t)s->unsure_until_ms);
	put(out, s->count);
	for (size_t i = 0; i < s->count; i++)
		put_chain(out, &s->chains[i]);
	put(out, checksum(slice_of(out->data + start, out->len - start)));
}

static bool take_gaps(struct sequence *s, struct chain *c, size_t count, struct slice *left)
{
	if (count > GAPS_MAX || left->len < count * SAVED_GAP_SIZE)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct gap g = { .lo = take(left) };
		g.hi = take(left);
		g.since_ms = (int64_t)take(left);
		uint64_t flags = take(left);
		g.is_begin = flags & FLAG_BEGIN;
		g.is_told = flags & FLAG_TOLD;
		if (g.lo > g.hi || g.hi >= c->next || !sequence_is_time(g.since_ms))
			return false;
		gap_add(s, c, &g);
	}
	return true;
}

static bool take_chain(struct sequence *s, struct slice *left)
{
	if (left->len < SAVED_CHAIN_SIZE)
		return false;
	struct chain model = { .user = take(left) };
	model.session = take(left);
	model.start = take(left);
	model.next = take(left);
	model.born_ms = (int64_t)take(left);
	model.last_ms = (int64_t)take(left);
	model.tick = take(left);
	model.told = take(left);
	model.owed = (int64_t)take(left);
	uint64_t flags = take(left);
	model.is_extended = flags & FLAG_EXTENDED;
	model.is_tentative = flags & FLAG_TENTATIVE;
	model.is_taken = flags & FLAG_TAKEN;
	model.is_unknown = flags & FLAG_UNKNOWN;
	model.is_unknown_due = flags & FLAG_UNKNOWN_DUE;
	model.is_settled = flags & FLAG_SETTLED;
	model.is_explained = flags & FLAG_EXPLAINED;
	if (model.session == 0 || model.next > NUMBER_MAX || model.start > model.next ||
		model.tick > s->tick || !sequence_is_time(model.born_ms) ||
		!sequence_is_time(model.last_ms))
		return false;
	s->has_news |= chain_has_news(&model);
	return take_gaps(s, chain_add(s, &model), flags >> GAPS_SHIFT, left);
}

/* Reads as many chains as were saved, then keeps those that moved last. */
struct sequence *sequence_restore(struct slice saved, unsigned chains_max)
{
	if (saved.len < SAVED_HEAD_SIZE + 8)
		return NULL;
	struct slice left = slice_of(saved.ptr, saved.len - 8);
	struct slice tail = slice_of(saved.ptr + left.len, 8);
	if (take(&tail) != checksum(left) || take(&left) != SAVED_MAGIC)
		return NULL;
	struct sequence *s = sequence_new(chains_max);
	s->tick = take(&left);
	s->unsure_until_ms = (int64_t)take(&left);
	uint64_t count = take(&left);
	bool is_whole = count <= left.len / SAVED_CHAIN_SIZE;
	s->chains_max = UINT32_MAX - 1;
	for (uint64_t i = 0; is_whole && i < count; i++)
		is_whole = take_chain(s, &left);
	s->chains_max = chains_max ? chains_max : 1;
	if (!is_whole || left.len != 0) {
		sequence_free(s);
		return NULL;
	}
	if (s->count > s->chains_max)
		chains_drop_idle(s, s->count - s->chains_max);
	return s;
}
