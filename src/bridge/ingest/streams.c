/* An open-addressing table; entries of one key lie on one probe sequence. */
#include "bridge/ingest/streams.h"

#include <stdlib.h>

#include "core/mem.h"

struct streams {
	struct stream *slots;
	size_t slot_count; /* power of two, 0 at first */
	size_t count, max;
};

#define SLOTS_INITIAL 256u

struct streams *streams_new(size_t max)
{
	struct streams *s = mem_zalloc(sizeof *s);
	s->max = max;
	return s;
}

void streams_free(struct streams *s)
{
	if (!s)
		return;
	free(s->slots);
	free(s);
}

static bool is_empty(const struct stream *slot)
{
	return slot->at.key[0] == 0 && slot->at.key[1] == 0;
}

struct stream *streams_next(struct streams *s, const uint64_t key[2], size_t *cursor)
{
	if (s->slot_count == 0)
		return NULL;
	size_t mask = s->slot_count - 1;
	for (;; (*cursor)++) {
		struct stream *slot = &s->slots[(key[0] + *cursor) & mask];
		if (is_empty(slot))
			return NULL;
		if (slot->at.key[0] == key[0] && slot->at.key[1] == key[1]) {
			(*cursor)++;
			return slot;
		}
	}
}

static struct stream *empty_slot(struct stream *slots, size_t slot_count, uint64_t hash)
{
	size_t at = hash & (slot_count - 1);
	while (!is_empty(&slots[at]))
		at = (at + 1) & (slot_count - 1);
	return &slots[at];
}

/* Moves the entries that are kept into a table of `slot_count` slots. */
static void rebuild(struct streams *s, size_t slot_count, int64_t keep_from_ms)
{
	struct stream *slots = mem_calloc(slot_count, sizeof *slots);
	size_t count = 0;
	for (size_t i = 0; i < s->slot_count; i++) {
		const struct stream *old = &s->slots[i];
		if (is_empty(old) || old->at.time_ms < keep_from_ms)
			continue;
		*empty_slot(slots, slot_count, old->at.key[0]) = *old;
		count++;
	}
	free(s->slots);
	s->slots = slots;
	s->slot_count = slot_count;
	s->count = count;
}

struct stream *streams_add(struct streams *s, const struct op_stream *first)
{
	if (s->count >= s->max)
		return NULL;
	if (s->slot_count == 0)
		rebuild(s, SLOTS_INITIAL, INT64_MIN);
	else if (s->count + 1 > s->slot_count / 4 * 3)
		rebuild(s, s->slot_count * 2, INT64_MIN);
	struct stream *slot = empty_slot(s->slots, s->slot_count, first->key[0]);
	*slot = (struct stream){ .at = *first };
	s->count++;
	return slot;
}

void streams_apply(struct streams *s, const struct op_stream *op)
{
	size_t cursor = 0;
	struct stream *slot;
	while ((slot = streams_next(s, op->key, &cursor))) {
		if (slot->at.earliest_ns == op->earliest_ns)
			break;
	}
	if (!slot)
		slot = streams_add(s, op);
	if (!slot)
		return;
	slot->at = *op;
	slot->has_value = true;
}

void streams_expire(struct streams *s, int64_t before_ms)
{
	if (s->slot_count)
		rebuild(s, s->slot_count, before_ms);
}

size_t streams_count(const struct streams *s)
{
	return s->count;
}

bool streams_have_room(const struct streams *s, size_t more)
{
	return s->count + more <= s->max;
}
