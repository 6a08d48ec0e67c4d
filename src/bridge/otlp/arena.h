/* Bytes that live until the next reset: decoded strings that could not be borrowed from the body.
 *
 * What is handed out never moves. Its total is bounded by the body: undoing escapes or base64 only shrinks.
 * Valid when zeroed.
 */
#ifndef CCTM_BRIDGE_OTLP_ARENA_H
#define CCTM_BRIDGE_OTLP_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* private: the newest first */
};

unsigned char *arena_take(struct arena *a, size_t len);

/* Gives back the last `unused` bytes of the latest arena_take. */
void arena_return(struct arena *a, size_t unused);

void arena_reset_blocks(struct arena *a);
void arena_clear(struct arena *a);

/* Inline, because it is called for every set of attributes and is nearly always a comparison. */
static inline void arena_reset(struct arena *a)
{
	if (a->blocks)
		arena_reset_blocks(a);
}

#endif
