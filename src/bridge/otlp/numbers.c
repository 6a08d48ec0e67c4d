#include "bridge/otlp/decoder_internal.h"
#include "core/mem.h"

static bool room_for_one(struct numbers *n, size_t size)
{
	if (n->count == POINT_ITEMS_MAX)
		return false;
	if (n->count == n->room)
		n->items = mem_grow(n->items, &n->room, n->count + 1, size);
	return true;
}

bool numbers_add_integer(struct numbers *n, uint64_t value)
{
	if (!room_for_one(n, sizeof value))
		return false;
	n->integers[n->count++] = value;
	return true;
}

bool numbers_add_double(struct numbers *n, double value)
{
	if (!room_for_one(n, sizeof value))
		return false;
	n->doubles[n->count++] = value;
	return true;
}

bool numbers_add_quantile(struct numbers *n, struct otlp_quantile value)
{
	if (!room_for_one(n, sizeof value))
		return false;
	n->quantiles[n->count++] = value;
	return true;
}

void decoder_empty_numbers(struct otlp_decoder *d)
{
	d->counts.count = 0;
	d->bounds.count = 0;
	d->positive.count = 0;
	d->negative.count = 0;
	d->quantiles.count = 0;
}

void decoder_lend_numbers(const struct otlp_decoder *d, struct otlp_point *point)
{
	point->bucket_counts = d->counts.integers;
	point->bucket_count = d->counts.count;
	point->bounds = d->bounds.doubles;
	point->bound_count = d->bounds.count;
	point->positive.counts = d->positive.integers;
	point->positive.count = d->positive.count;
	point->negative.counts = d->negative.integers;
	point->negative.count = d->negative.count;
	point->quantiles = d->quantiles.quantiles;
	point->quantile_count = d->quantiles.count;
}
