/* For the tests of sequence: what was told of each session, added up. */
#ifndef CCTM_BRIDGE_INGEST_SEQUENCE_TESTING_H
#define CCTM_BRIDGE_INGEST_SEQUENCE_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/ingest/sequence.h"

#define SESSIONS_MAX 16

enum { USER = 7, OTHER_USER = 8 };

struct outcome {
	int64_t lost[SESSIONS_MAX];
	bool is_unknown[SESSIONS_MAX];
};

static inline void note_lost(void *ctx, uint64_t session, int64_t count, bool is_unknown)
{
	struct outcome *outcome = ctx;
	assert_true(session < SESSIONS_MAX);
	outcome->lost[session] += count;
	outcome->is_unknown[session] |= is_unknown;
}

static inline int64_t total(const struct outcome *outcome)
{
	int64_t sum = 0;
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		sum += outcome->lost[i];
	return sum;
}

static inline bool has_unknown(const struct outcome *outcome)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (outcome->is_unknown[i])
			return true;
	}
	return false;
}

static inline bool same_outcome(const struct outcome *a, const struct outcome *b)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (a->lost[i] != b->lost[i] || a->is_unknown[i] != b->is_unknown[i])
			return false;
	}
	return true;
}

#endif
