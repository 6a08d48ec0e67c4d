#include "bridge/serve/spares.h"

#define KEEP_MS 2000

struct buf spares_take(struct spares *spares, size_t max)
{
	struct buf *best = &spares->bufs[0];
	struct buf taken = BUF_INIT(max);
	if (max < SPARE_MIN)
		return taken;
	for (unsigned i = 1; i < SPARES_COUNT; i++)
		if (spares->bufs[i].room > best->room)
			best = &spares->bufs[i];
	taken = *best;
	taken.max = max;
	*best = (struct buf){ 0 };
	return taken;
}

void spares_give(struct spares *spares, struct buf *b, int64_t now_ms)
{
	for (unsigned i = 0; i < SPARES_COUNT && b->room >= SPARE_MIN && b->room <= SPARE_MAX;
		i++) {
		if (spares->bufs[i].data)
			continue;
		spares->bufs[i] = *b;
		spares->bufs[i].len = 0;
		if (b->len >= SPARE_MIN)
			spares->used_ms = now_ms;
		*b = (struct buf)BUF_INIT(b->max);
		return;
	}
	buf_clear(b);
}

void spares_expire(struct spares *spares, int64_t now_ms)
{
	if (now_ms - spares->used_ms >= KEEP_MS)
		spares_clear(spares);
}

void spares_clear(struct spares *spares)
{
	for (unsigned i = 0; i < SPARES_COUNT; i++)
		buf_clear(&spares->bufs[i]);
}
