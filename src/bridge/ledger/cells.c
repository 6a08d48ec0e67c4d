#include "bridge/ledger/cells.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define FIRST_SLOTS 64

/* Multiply and fold, word by word; keys are ids and hashes of our own making, not a sender's choice. */
static size_t hash_key(const void *key, size_t size)
{
	const unsigned char *at = key;
	uint64_t hash = 0x9e3779b97f4a7c15u ^ size;
	for (size_t i = 0; i < size; i += sizeof(uint32_t)) {
		uint32_t word;
		memcpy(&word, at + i, sizeof word);
		hash = (hash ^ word) * 0xff51afd7ed558ccdu;
		hash ^= hash >> 32;
	}
	return (size_t)hash;
}

void *cells_at(const struct cells *t, size_t i)
{
	return t->items + i * t->item_size;
}

/* Keys are two to six words: a loop over them is faster than memcmp. */
static bool is_key(const unsigned char *a, const unsigned char *b, size_t size)
{
	for (size_t i = 0; i < size; i += sizeof(uint32_t)) {
		uint32_t x, y;
		memcpy(&x, a + i, sizeof x);
		memcpy(&y, b + i, sizeof y);
		if (x != y)
			return false;
	}
	return true;
}

static size_t slot_of(const struct cells *t, const void *key)
{
	size_t mask = t->slot_count - 1;
	size_t slot = hash_key(key, t->key_size) & mask;
	while (t->slots[slot] && !is_key(cells_at(t, t->slots[slot] - 1), key, t->key_size))
		slot = (slot + 1) & mask;
	return slot;
}

size_t cells_index(const struct cells *t, const void *item)
{
	return (size_t)((const unsigned char *)item - t->items) / t->item_size;
}

void *cells_find(const struct cells *t, const void *key)
{
	if (!t->slots)
		return NULL;
	uint32_t index = t->slots[slot_of(t, key)];
	return index ? cells_at(t, index - 1) : NULL;
}

static void rehash(struct cells *t, size_t slot_count)
{
	free(t->slots);
	t->slots = mem_calloc(slot_count, sizeof *t->slots);
	t->slot_count = slot_count;
	for (size_t i = 0; i < t->count; i++)
		t->slots[slot_of(t, cells_at(t, i))] = (uint32_t)(i + 1);
}

void *cells_add(struct cells *t, const void *key, bool *is_new)
{
	assert(t->key_size % sizeof(uint32_t) == 0 && t->count < UINT32_MAX);
	if (t->count * 2 >= t->slot_count)
		rehash(t, t->slot_count ? t->slot_count * 2 : FIRST_SLOTS);
	size_t slot = slot_of(t, key);
	*is_new = !t->slots[slot];
	if (!*is_new)
		return cells_at(t, t->slots[slot] - 1);
	t->items = mem_grow(t->items, &t->room, t->count + 1, t->item_size);
	unsigned char *item = cells_at(t, t->count);
	memcpy(item, key, t->key_size);
	memset(item + t->key_size, 0, t->item_size - t->key_size);
	t->slots[slot] = (uint32_t)++t->count;
	return item;
}

void cells_sort(struct cells *t, int (*compare)(const void *, const void *))
{
	if (t->count)
		qsort(t->items, t->count, t->item_size, compare);
	free(t->slots);
	t->slots = NULL;
	t->slot_count = 0;
}

void cells_clear(struct cells *t)
{
	free(t->items);
	free(t->slots);
	*t = (struct cells){ .item_size = t->item_size, .key_size = t->key_size };
}
