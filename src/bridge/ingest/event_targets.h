/* Where an event goes: a bounded cache from what of it becomes labels to the series that it counts in, so that an
 * event like one before costs one lookup.
 *
 * A cache and nothing more: what is not in it is found by reading the attributes. A full cache is emptied.
 */
#ifndef CCTM_BRIDGE_INGEST_EVENT_TARGETS_H
#define CCTM_BRIDGE_INGEST_EVENT_TARGETS_H

#include <stddef.h>
#include <stdint.h>

#define EVENT_SERIES_MAX 8

struct event_targets;

struct event_target {
	uint64_t key[2];		   /* both 0: an empty slot */
	uint64_t session;		   /* hash, where the event itself names none; 0: none */
	uint64_t user;			   /* hash */
	uint32_t series[EVENT_SERIES_MAX]; /* 0: not found yet */
};

struct event_targets *event_targets_new(size_t max);
void event_targets_free(struct event_targets *t);

/* Finds it or makes an empty one. Good until the next call. */
struct event_target *event_targets_at(struct event_targets *t, uint64_t key0, uint64_t key1);
void event_targets_clear(struct event_targets *t);

#endif
