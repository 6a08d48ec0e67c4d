/* Cumulative streams: how far each has come.
 *
 * A stream is a series as sent. Its key is a hash of resource, scope, metric, all attributes sorted, start
 * time and part; behind one key stand as many processes as were seen to share it. Claude Code's start times
 * have whole milliseconds, and two processes were recorded with equal attributes and equal start
 * (tests/data/captures, collide-6); what told them apart in every recording is the earliest start time of
 * the request, so each entry carries it, with the identity of the stream that had it (its anchor).
 */
#ifndef CCTM_BRIDGE_INGEST_STREAMS_H
#define CCTM_BRIDGE_INGEST_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/journal/record.h"

struct streams;

struct stream {
	struct op_stream at; /* what was committed; at.key[0] == 0 && key[1] == 0: an empty slot */
	double staged;	     /* value within the request being prepared */
	int64_t staged_ms;
	uint32_t request; /* number of the request that `staged` belongs to */
	bool has_value;	  /* committed at least once */
};

struct streams *streams_new(size_t max);
void streams_free(struct streams *s);

/* Walks the entries of a key: *cursor is 0 at first. NULL: no more. The pointer is good until
 * streams_add. */
struct stream *streams_next(struct streams *s, const uint64_t key[2], size_t *cursor);

/* A new entry without value; NULL past the maximum. */
struct stream *streams_add(struct streams *s, const struct op_stream *first);

/* Applies a committed operation: makes or moves the entry of (key, earliest). */
void streams_apply(struct streams *s, const struct op_stream *op);

/* Forgets what was last seen before `before_ms`. */
void streams_expire(struct streams *s, int64_t before_ms);
size_t streams_count(const struct streams *s);
bool streams_have_room(const struct streams *s, size_t more);

#endif
