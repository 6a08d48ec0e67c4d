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
	uint64_t key[2];      /* both 0: an empty slot */
	uint64_t session;     /* hash; 0: none */
	uint64_t identity[2]; /* of the stream without start time and part */
	uint32_t series;
};

struct targets *targets_new(size_t max);
void targets_free(struct targets *t);

/* NULL: not there. Good until the next targets_put. */
const struct target *targets_find(const struct targets *t, uint64_t key0, uint64_t key1);
const struct target *targets_put(struct targets *t, const struct target *target);
void targets_clear(struct targets *t);

#endif
