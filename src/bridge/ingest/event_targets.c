#include "bridge/ingest/event_targets.h"

#include <stdbool.h>
#include <stdlib.h>

#include "core/mem.h"

struct event_targets {
	struct event_target *slots;
	size_t slot_count, count, max;
};

#define SLOTS_INITIAL 64u

struct event_targets *event_targets_new(size_t max)
{
	struct event_targets *t = mem_zalloc(sizeof *t);
	t->max = max;
	t->slot_count = SLOTS_INITIAL;
	t->slots = mem_calloc(t->slot_count, sizeof *t->slots);
	return t;
}

void event_targets_free(struct event_targets *t)
{
	if (!t)
		return;
	free(t->slots);
	free(t);
}

void event_targets_clear(struct event_targets *t)
{
	free(t->slots);
	t->slot_count = SLOTS_INITIAL;
	t->slots = mem_calloc(t->slot_count, sizeof *t->slots);
	t->count = 0;
}

static bool is_empty(const struct event_target *slot)
{
	return slot->key[0] == 0 && slot->key[1] == 0;
}

static struct event_target *slot_of(
	struct event_target *slots, size_t slot_count, uint64_t key0, uint64_t key1)
{
	size_t mask = slot_count - 1, at = key0 & mask;
	while (!is_empty(&slots[at]) && (slots[at].key[0] != key0 || slots[at].key[1] != key1))
		at = (at + 1) & mask;
	return &slots[at];
}

static void grow(struct event_targets *t)
{
	size_t count = t->slot_count * 2;
	struct event_target *slots = mem_calloc(count, sizeof *slots);
	for (size_t i = 0; i < t->slot_count; i++) {
		const struct event_target *old = &t->slots[i];
		if (!is_empty(old))
			*slot_of(slots, count, old->key[0], old->key[1]) = *old;
	}
	free(t->slots);
	t->slots = slots;
	t->slot_count = count;
}

struct event_target *event_targets_at(struct event_targets *t, uint64_t key0, uint64_t key1)
{
	struct event_target *slot = slot_of(t->slots, t->slot_count, key0, key1);
	if (!is_empty(slot))
		return slot;
	if (t->count >= t->max)
		event_targets_clear(t);
	else if (t->count + 1 > t->slot_count / 4 * 3)
		grow(t);
	slot = slot_of(t->slots, t->slot_count, key0, key1);
	slot->key[0] = key0;
	slot->key[1] = key1;
	t->count++;
	return slot;
}
