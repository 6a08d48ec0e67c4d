#include "bridge/otlp/arena.h"

#include <assert.h>
#include <stdlib.h>

#include "core/mem.h"

#define BLOCK_BYTES 4096

struct arena_block {
	struct arena_block *older;
	size_t used, room;
	unsigned char bytes[];
};

unsigned char *arena_take(struct arena *a, size_t len)
{
	struct arena_block *block = a->blocks;
	if (!block || block->room - block->used < len) {
		size_t room = len > BLOCK_BYTES ? len : BLOCK_BYTES;
		block = mem_alloc(sizeof *block + room);
		*block = (struct arena_block){ .older = a->blocks, .room = room };
		a->blocks = block;
	}
	unsigned char *bytes = block->bytes + block->used;
	block->used += len;
	return bytes;
}

void arena_return(struct arena *a, size_t unused)
{
	assert(a->blocks && unused <= a->blocks->used);
	a->blocks->used -= unused;
}

/* Keeps one block of the ordinary size, so that a single odd request does not hold its memory for ever. */
void arena_reset_blocks(struct arena *a)
{
	struct arena_block *kept = NULL;
	while (a->blocks) {
		struct arena_block *block = a->blocks;
		a->blocks = block->older;
		if (!kept && block->room == BLOCK_BYTES)
			kept = block;
		else
			free(block);
	}
	if (kept)
		*kept = (struct arena_block){ .room = BLOCK_BYTES };
	a->blocks = kept;
}

void arena_clear(struct arena *a)
{
	arena_reset_blocks(a);
	free(a->blocks);
	a->blocks = NULL;
}
