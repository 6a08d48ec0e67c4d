#include "histogram.h"

#include <stddef.h>

/* Values below HISTOGRAM_STEPS have a slot each; above, the leading bit picks the doubling and the
 * HISTOGRAM_STEP_BITS bits behind it the step. */
static size_t slot_of(uint64_t value)
{
	if (value < HISTOGRAM_STEPS)
		return (size_t)value;
	unsigned shift = 63U - (unsigned)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;
	return (size_t)(shift + 1) * HISTOGRAM_STEPS +
	       (size_t)((value >> shift) & (HISTOGRAM_STEPS - 1));
}

static uint64_t slot_last_value(size_t slot)
{
	if (slot < HISTOGRAM_STEPS)
		return slot;
	size_t shift = slot / HISTOGRAM_STEPS - 1;
	uint64_t first = (uint64_t)(HISTOGRAM_STEPS + slot % HISTOGRAM_STEPS) << shift;
	return first + (((uint64_t)1 << shift) - 1);
}

void histogram_add(struct histogram *h, uint64_t value)
{
	h->counts[slot_of(value)]++;
	h->total++;
	if (value > h->max)
		h->max = value;
}

uint64_t histogram_quantile(const struct histogram *h, unsigned per_mille)
{
	uint64_t wanted = (h->total * per_mille + 999) / 1000;
	uint64_t seen = 0;

	if (h->total == 0)
		return 0;
	for (size_t slot = 0; slot < HISTOGRAM_SLOTS; slot++) {
		seen += h->counts[slot];
		if (seen >= wanted && seen > 0)
			return slot_last_value(slot) < h->max ? slot_last_value(slot) : h->max;
	}
	return h->max;
}
