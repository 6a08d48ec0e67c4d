/* Counts by reason: what was refused, and what was taken with a remark. */
#ifndef CCTM_BRIDGE_INGEST_TALLY_H
#define CCTM_BRIDGE_INGEST_TALLY_H

#include <stdint.h>

#include "bridge/otlp/reasons.h"

struct tally {
	uint64_t counts[REASON_COUNT];
};

static inline void tally_add(struct tally *t, enum reason reason, uint64_t count)
{
	t->counts[reason] += count;
}

static inline void tally_merge(struct tally *t, const struct tally *more)
{
	for (unsigned i = 0; i < REASON_COUNT; i++)
		t->counts[i] += more->counts[i];
}

#endif
