/* Lost client events, told from gaps in event.sequence.
 *
 * A Claude Code process numbers its events 0, 1, 2 … without gaps, whatever session they belong to; a log
 * request that never arrived leaves a hole. A pure state machine: no clock, no I/O, the same calls give the
 * same answers, also when it was saved and restored in between.
 *
 * A chain stands for a process as far as it can be told. A run of numbers goes on the chain of its session
 * that expects it or fills a gap there. Numbers from 0 begin a new chain (a resumed session is a new
 * process). Where a chain of the same user ends right before the first number of another session, nothing
 * is missing there: /clear and --continue go on under another id.
 *
 * It never claims a loss that may not have happened. Where several processes use one session at once, their
 * numbers interleave and prove nothing: the session is unknown, for good. What cannot be seen: a loss at the
 * end of a process, the lost beginning of a resumed one (its session becomes unknown when it goes on), and
 * whatever fell out of the bounds. What is claimed is the least that explains the numbers.
 */
#ifndef CCTM_BRIDGE_INGEST_SEQUENCE_H
#define CCTM_BRIDGE_INGEST_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/slice.h"

#define SEQUENCE_GRACE_MS INT64_C(60000) /* a retry, or a slower connection, may still fill a gap */

struct sequence;

/* `count` events of the session are missing; negative: that many reported before have come after all.
 * With is_unknown the session can no longer be told, now and later; count takes back what was reported
 * of it, or is 0. */
typedef void (*sequence_lost_fn)(void *ctx, uint64_t session, int64_t count, bool is_unknown);

/* At most `chains_max` chains (at least 1); past it the one idle longest is forgotten. */
struct sequence *sequence_new(unsigned chains_max);
void sequence_free(struct sequence *s);

/* The numbers first … last, in one request, of one session. Call for the runs of a request in its order.
 * user and session are hashes. Session 0 means that none was sent: processes cannot be told apart, and the
 * run is ignored. */
void sequence_seen(struct sequence *s, uint64_t user, uint64_t session, uint64_t first,
	uint64_t last, int64_t at_ms);

/* Tells what became certain: gaps older than the grace period, and what corrects an earlier answer. Call
 * now and then, with times that do not go back; when makes no difference to what is told in the end. */
void sequence_expire(struct sequence *s, int64_t now_ms, sequence_lost_fn each, void *ctx);

/* The state as bytes, appended to `out` (unlimited), and back. NULL: damaged, or of another version. */
void sequence_save(const struct sequence *s, struct buf *out);
struct sequence *sequence_restore(struct slice saved, unsigned chains_max);

#endif
