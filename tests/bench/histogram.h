/* Latencies in a log-linear histogram: 64 steps for each doubling, so a quantile is right to 1.6 %. */
#ifndef CCTM_BENCH_HISTOGRAM_H
#define CCTM_BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
	HISTOGRAM_STEP_BITS = 6,
	HISTOGRAM_STEPS = 1 << HISTOGRAM_STEP_BITS,
	HISTOGRAM_SLOTS = (64 - HISTOGRAM_STEP_BITS + 1) * HISTOGRAM_STEPS
};

struct histogram {
	uint64_t counts[HISTOGRAM_SLOTS];
	uint64_t total;
	uint64_t max;
};

void histogram_add(struct histogram *h, uint64_t value);

/* The smallest slot's upper end that at least `per_mille` of the values do not exceed, never above the
 * maximum; 0 when empty. */
uint64_t histogram_quantile(const struct histogram *h, unsigned per_mille);

#endif
