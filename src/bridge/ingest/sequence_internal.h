/* What the files of sequence share: its state, and what is done to one chain of it.
 *
 *   sequence.c         where a run of numbers belongs
 *   sequence_chains.c  the set of chains and their gaps, within their bounds
 *   sequence_judge.c   what is certain when the grace period is over
 *   sequence_saved.c   the state as bytes, and back
 */
#ifndef CCTM_BRIDGE_INGEST_SEQUENCE_INTERNAL_H
#define CCTM_BRIDGE_INGEST_SEQUENCE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/ingest/sequence.h"

#define GAPS_MAX       16
#define GAP_LENGTH_MAX UINT64_C(1000000) /* a longer one is no loss but a number from nowhere */
#define NUMBER_MAX     (UINT64_C(1) << 53)
#define TIME_MAX_MS    (INT64_C(1) << 53)
#define TOLD_KEPT_MS   INT64_C(900000)	   /* how long a reported gap may still be filled */
#define RETRY_MS       INT64_C(15000)	   /* the client gives up after some ten seconds */
#define ALIVE_MS       INT64_C(2592000000) /* 30 days: a process idle for longer is over */

struct gap {
	uint64_t lo, hi;
	int64_t since_ms;
	bool is_begin; /* the numbers before the first one seen of the session */
	bool is_told;
};

struct chain {
	uint64_t user, session;
	uint64_t start, next; /* numbers from start to next - 1, less the gaps */
	int64_t born_ms, last_ms;
	uint64_t tick; /* of its latest run: orders the chains */
	uint64_t told; /* events reported lost, net */
	int64_t owed;  /* to be reported with the next expire */
	struct gap *gaps;
	uint32_t gap_count;
	uint32_t link;	   /* the next chain of its bucket */
	bool is_extended;  /* more than its first run was seen */
	bool is_tentative; /* repeated numbers: came twice, or a process whose beginning was lost */
	bool is_explained; /* begins above 0 where another session ends */
	bool is_settled;   /* tentative, and the session went on without it */
	bool is_taken;	   /* its process went on under an existing session */
	bool is_unknown;   /* stands for the whole session */
	bool is_unknown_due; /* not reported yet */
};

struct sequence {
	struct chain *chains;
	size_t count, room;
	unsigned chains_max;
	uint32_t *buckets;
	uint32_t bucket_count; /* a power of two */
	uint64_t tick;
	int64_t unsure_until_ms; /* until then a chain that was dropped may come back */
	int64_t due_ms;		 /* before it no gap is to be judged or forgotten */
	bool has_news;		 /* some chain has something to report */
	bool has_told_begin;	 /* some chain has a beginning that was reported lost */
};

struct run { /* of numbers, in one request */
	uint64_t user, session, first, last;
	int64_t at_ms;
};

/* Differences of times do not overflow. */
static inline bool sequence_is_time(int64_t ms)
{
	return ms >= 0 && ms < TIME_MAX_MS;
}

/* ---- the set of chains ---- */

struct chain *chain_first(const struct sequence *s, uint64_t session);
struct chain *chain_next(const struct sequence *s, const struct chain *c); /* of the same session */

/* The chain of the session that moved last, repetitions apart; NULL: none. */
struct chain *chain_current(const struct sequence *s, uint64_t session);

/* These three may move chains or drop one: pointers to chains are void afterwards. */
struct chain *chain_add(struct sequence *s, const struct chain *model);
struct chain *chain_begin(struct sequence *s, const struct run *run); /* it holds the run */
void chain_remove(struct sequence *s, struct chain *c);

void chain_touch(struct sequence *s, struct chain *c, const struct run *run);
bool chain_has_news(const struct chain *c);

/* `count` events that were reported lost have come after all. */
void chain_take_back(struct sequence *s, struct chain *c, uint64_t count);

/* Forgets the chains that are idle longest, at least `count`. */
void chains_drop_idle(struct sequence *s, size_t count);

/* From now on one chain stands for the session; what was reported of it is taken back. */
void chains_make_unknown(struct sequence *s, uint64_t session);

void gap_add(struct sequence *s, struct chain *c, const struct gap *gap); /* the oldest gives way */
void gap_remove(struct chain *c, size_t i);
void gap_note_due(struct sequence *s, const struct gap *g);

/* ---- judging ---- */

/* The numbers below are another session's of the same user, if this one goes on where that ended: the end
 * nearest below its first number. UINT64_MAX: cannot be told. */
uint64_t sequence_begin_floor(
	const struct sequence *s, const struct chain *chain, const struct gap *g);

/* Judges the gaps that are due. Also before every run, so that the state depends on the runs and their times
 * alone, not on when it was looked at: a replay comes to the same answers. */
void sequence_judge(struct sequence *s, int64_t now_ms);

#endif
