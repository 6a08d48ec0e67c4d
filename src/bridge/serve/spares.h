/* Large body buffers that wait to be used again.
 *
 * A body of some megabytes costs more in page faults than in being read [measured: 3.7 ms against 1.2 for
 * 6.7 MB], so a few buffers outlive their request for a moment. They are bounded in number and size, and
 * spares_expire gives them back when no large body has come for a while.
 */
#ifndef CCTM_BRIDGE_SERVE_SPARES_H
#define CCTM_BRIDGE_SERVE_SPARES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"

#define SPARES_COUNT 4
#define SPARE_MIN    ((size_t)256 << 10)
#define SPARE_MAX    ((size_t)16 << 20)

struct spares { /* zeroed: none */
	struct buf bufs[SPARES_COUNT];
	int64_t used_ms; /* when a large body was last in one; monotonic */
};

/* An empty buffer for up to `max` bytes, with memory already when a spare is there and `max` is large. */
struct buf spares_take(struct spares *spares, size_t max);

/* Clears `b`; its memory becomes a spare if it is worth keeping. */
void spares_give(struct spares *spares, struct buf *b, int64_t now_ms);

void spares_expire(struct spares *spares, int64_t now_ms);
void spares_clear(struct spares *spares);

#endif
