/* Where a point goes: a bounded cache from the bytes of its attributes (with its metric and resource) to its
 * series and session, so that a point of a known stream costs one lookup and no parsing.
 *
 * A cache and nothing more: what is not in it is found by reading the attributes. A full cache is emptied.
 */
#ifndef CCTM_BRIDGE_INGEST_TARGETS_H
#define CCTM_BRIDGE_INGEST_TARGETS_H

#include <stddef.h>
#include <stdint.h>

struct targets;

struct target {
	uint64_t key[2];  /* both 0: an empty slot */
	uint64_t session; /* hash; 0: none */
	uint32_t series;
	uint32_t next; /* private: the slot that was found after this one last time */
};

/* Of a stream without start time and part; needed for cumulative ones only, and kept apart, because a cache
 * of delta streams is a third smaller without. */
struct identity {
	uint64_t hash[2];
};

struct targets *targets_new(size_t max);
void targets_free(struct targets *t);

/* NULL: not there. Good until the next targets_put. */
const struct target *targets_find(struct targets *t, uint64_t key0, uint64_t key1);
const struct target *targets_put(struct targets *t, const struct target *target);

/* The identity put beside a target of this table; both halves 0: none was. */
struct identity targets_identity(const struct targets *t, const struct target *target);
void targets_put_identity(struct targets *t, const struct target *target, struct identity identity);
void targets_clear(struct targets *t);

#endif
