/* A hash table of fixed-size items in one array: the aggregates of a fold.
 *
 * An item begins with its key, `key_size` bytes without padding and a multiple of four. Items lie in the
 * order in which they were added until cells_sort, after which only iteration is allowed until cells_clear.
 * Pointers to items live until the next cells_add.
 */
#ifndef CCTM_BRIDGE_LEDGER_CELLS_H
#define CCTM_BRIDGE_LEDGER_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cells {
	size_t item_size, key_size;
	unsigned char *items;
	size_t count;
	size_t room;	 /* private */
	uint32_t *slots; /* private: index of an item plus one, 0: empty */
	size_t slot_count;
};

#define CELLS_INIT(type, key_bytes)                                 \
	{                                                           \
		.item_size = sizeof(type), .key_size = (key_bytes), \
	}

/* The item with this key, or NULL. */
/* The number of an item, good for cells_at until the items are sorted or cleared. */
size_t cells_index(const struct cells *t, const void *item);

void *cells_find(const struct cells *t, const void *key);

/* The item with this key; a new one is zeroed behind its key. */
void *cells_add(struct cells *t, const void *key, bool *is_new);

void *cells_at(const struct cells *t, size_t i);

void cells_sort(struct cells *t, int (*compare)(const void *, const void *));

/* Releases the memory; usable again. What items own is the caller's to release before. */
void cells_clear(struct cells *t);

#endif
