#include "bridge/ingest/targets.h"

#include <stdbool.h>
#include <stdlib.h>

#include "core/mem.h"

struct targets {
	struct target *slots;
	struct identity *identities; /* of the slot of the same number; NULL until one was put */
	size_t slot_count, count, max;
	size_t last; /* slot found last */
};

#define SLOTS_INITIAL 256u

struct targets *targets_new(size_t max)
{
	struct targets *t = mem_zalloc(sizeof *t);
	t->max = max;
	t->slot_count = SLOTS_INITIAL;
	t->slots = mem_calloc(t->slot_count, sizeof *t->slots);
	return t;
}

void targets_free(struct targets *t)
{
	if (!t)
		return;
	free(t->slots);
	free(t->identities);
	free(t);
}

static bool is_empty(const struct target *slot)
{
	return slot->key[0] == 0 && slot->key[1] == 0;
}

/* The slot of the key, or the empty one where it belongs. */
static struct target *slot_of(struct target *slots, size_t slot_count, uint64_t key0, uint64_t key1)
{
	size_t mask = slot_count - 1, at = key0 & mask;
	while (!is_empty(&slots[at]) && (slots[at].key[0] != key0 || slots[at].key[1] != key1))
		at = (at + 1) & mask;
	return &slots[at];
}

/* A client's points come in the same order each time: while this one is worked on, the one that followed
 * it last time is brought into the cache. */
const struct target *targets_find(struct targets *t, uint64_t key0, uint64_t key1)
{
	struct target *slot = slot_of(t->slots, t->slot_count, key0, key1);
	if (is_empty(slot))
		return NULL;
	size_t at = (size_t)(slot - t->slots);
	if (t->slots[t->last].next != at)
		t->slots[t->last].next = (uint32_t)at;
	t->last = at;
	if (slot->next < t->slot_count)
		__builtin_prefetch(&t->slots[slot->next]);
	return slot;
}

void targets_clear(struct targets *t)
{
	free(t->slots);
	free(t->identities);
	t->identities = NULL;
	t->last = 0;
	t->slot_count = SLOTS_INITIAL;
	t->slots = mem_calloc(t->slot_count, sizeof *t->slots);
	t->count = 0;
}

static void grow(struct targets *t)
{
	size_t count = t->slot_count * 2;
	struct target *slots = mem_calloc(count, sizeof *slots);
	struct identity *identities = NULL;
	if (t->identities)
		identities = mem_calloc(count, sizeof *identities);
	for (size_t i = 0; i < t->slot_count; i++) {
		const struct target *old = &t->slots[i];
		if (is_empty(old))
			continue;
		struct target *slot = slot_of(slots, count, old->key[0], old->key[1]);
		*slot = *old;
		if (identities)
			identities[slot - slots] = t->identities[i];
	}
	free(t->slots);
	free(t->identities);
	t->slots = slots;
	t->identities = identities;
	t->slot_count = count;
	t->last = 0;
}

const struct target *targets_put(struct targets *t, const struct target *target)
{
	if (t->count >= t->max)
		targets_clear(t);
	else if (t->count + 1 > t->slot_count / 4 * 3)
		grow(t);
	struct target *slot = slot_of(t->slots, t->slot_count, target->key[0], target->key[1]);
	t->count += is_empty(slot);
	*slot = *target;
	return slot;
}

struct identity targets_identity(const struct targets *t, const struct target *target)
{
	return t->identities ? t->identities[target - t->slots] : (struct identity){ { 0, 0 } };
}

void targets_put_identity(struct targets *t, const struct target *target, struct identity identity)
{
	if (!t->identities)
		t->identities = mem_calloc(t->slot_count, sizeof *t->identities);
	t->identities[target - t->slots] = identity;
}
