/* What a journal record says: the effects of one request, as a list of operations.
 *
 * The journal keeps effects, not bodies: no prompt or tool input can reach the disk, a record is some
 * twenty times smaller than its request, and every reader (the counters at start-up, the ledger, a report
 * that reads the tail) folds the same operations and so agrees by construction.
 *
 * A record is: time of arrival (wall ms), then operations until its end. Numbers are LEB128 varints, times
 * deltas zigzag where they can be negative, doubles 8 bytes little endian, text a length and its bytes.
 * Series ids are small, given in order of appearance, and defined (OP_SERIES) in each journal segment
 * before their first use there, so a segment can be read alone. A session is named by a 64-bit hash of its
 * text and defined (OP_SESSION) the same way.
 *
 * Readers ignore nothing: an unknown operation is an error (a newer cctm wrote it).
 */
#ifndef CCTM_BRIDGE_JOURNAL_RECORD_H
#define CCTM_BRIDGE_JOURNAL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/slice.h"

enum op_kind {
	OP_REQUEST = 1, /* hash of the body that this record took */
	OP_SERIES = 2,	/* definition of a series */
	OP_SESSION = 3, /* definition of a session */
	OP_CONTEXT = 4, /* session and minute of the additions that follow in this record */
	OP_ADD = 5,	/* series.part += amount, in the context's minute and session */
	OP_SET = 6,	/* series.part = value (gauges), if its time is not older */
	OP_STREAM = 7,	/* what a cumulative stream has reached */
	OP_SCRAPE = 8,	/* /metrics was answered: see struct op_scrape */
	OP_EPOCH = 9,	/* counters begin again from 0 under a new start */
	OP_CARRY = 10,	/* series.part += amount without a place in the ledger (behind OP_EPOCH) */
	OP_SEEN = 11,	/* a run of event.sequence numbers of a session */
	OP_LOST = 12,	/* events of a session found missing (or, negative, found after all) */
	OP_STATE = 13,	/* opaque state of a part of the bridge, by name; the last one counts */
};

/* The kinds of series and what their parts are. */
enum series_kind {
	SERIES_COUNTER = 1,   /* part 0: the value */
	SERIES_GAUGE = 2,     /* part 0: set, or added to (up-down counters) */
	SERIES_HISTOGRAM = 3, /* part 0: sum, 1: count, 2+i: bucket i, of bounds[] and then +Inf */
	SERIES_EXPONENTIAL = 4, /* part 0: sum, 1: count, 2+…: see ingest/exponential.h */
	SERIES_SUMMARY = 5,	/* part 0: sum, 1: count, 2+i: value of quantile bounds[i] (set) */
};

#define RECORD_LABELS_MAX 64
#define RECORD_BOUNDS_MAX 512

struct op_label {
	struct slice name, value; /* sanitized name; raw value */
};

struct op_series {
	uint32_t id;
	enum series_kind kind;
	struct slice metric; /* as sent: claude_code.cost.usage */
	struct slice family; /* as exposed: claude_code_cost_usage_USD_total */
	struct slice unit, help;
	size_t label_count;
	/* sorted by name; without session_id unless it is a label */
	struct op_label labels[RECORD_LABELS_MAX];
	size_t bound_count;
	double bounds[RECORD_BOUNDS_MAX];
};

struct op_session {
	uint64_t session;		      /* record_session_hash(text) */
	struct slice text;		      /* session.id */
	struct slice user, terminal, version; /* best identity; may be empty */
};

struct op_context {
	uint64_t session; /* 0: none */
	uint32_t minute;  /* minutes since 1970 */
};

struct op_add {
	uint32_t series, part;
	double amount;
};

struct op_set {
	uint32_t series, part;
	int64_t time_ms;
	double value;
};

struct op_stream {
	uint64_t key[2];      /* resource, scope, metric, sorted attributes, start time, part */
	uint64_t earliest_ns; /* earliest start of its ResourceMetrics when first seen */
	uint64_t anchor;      /* hash of the stream that had that earliest start */
	uint32_t series, part;
	double value; /* highest seen (monotonic) or last (others) */
	int64_t time_ms;
};

/* /metrics was answered at time_ms: every live series not shown before is shown from now on, as 0 until hold_ms
 * have passed; every other one was shown with its value. The hold is the bridge's option of that time: another
 * one at the next start changes nothing of what was shown. */
struct op_scrape {
	int64_t time_ms, hold_ms;
};

/* Since when a series is shown. 0: it is not. SHOWN_WITH_VALUE: a scraper was shown its value, and never is 0
 * again. Else the time of the scrape that showed it first, as 0. */
#define SHOWN_WITH_VALUE 1

/* Whether a scrape shows 0 instead of the value. Not when the clock was set back behind the first one: nobody
 * knows how long ago that was, and the 0 was seen. */
static inline bool scrape_holds(int64_t time_ms, int64_t hold_ms, int64_t shown_ms)
{
	return shown_ms != SHOWN_WITH_VALUE && time_ms >= shown_ms && time_ms - shown_ms < hold_ms;
}

struct op_epoch {
	uint64_t start_ns; /* the label `start` */
};

struct op_seen {
	uint64_t session, user; /* user: hash of the best identity */
	uint64_t first, last;	/* inclusive run, in the order of the request */
};

struct op_lost {
	uint64_t session;
	int64_t count;
	bool is_unknown; /* several processes share the session: cannot be told */
};

struct op_state {
	struct slice name, bytes;
};

struct op {
	enum op_kind kind;

	union {
		uint64_t request[2];
		struct op_session session;
		struct op_context context;
		struct op_add add;
		struct op_set set;
		struct op_stream stream;
		struct op_scrape scrape;
		struct op_epoch epoch;
		struct op_seen seen;
		struct op_lost lost;
		struct op_state state;
	} u;
	/* OP_SERIES: slices into the record; not in the union for its size */
	struct op_series series;
};

/* Writing: record_begin, then record_put for each operation, into an unlimited buffer. */
void record_begin(struct buf *record, int64_t arrived_ms);
void record_put(struct buf *record, const struct op *op);
/* The hot ones, without building a struct op. */
void record_put_context(struct buf *record, uint64_t session, uint32_t minute);
void record_put_add(struct buf *record, uint32_t series, uint32_t part, double amount);

/* Reading: record_reader_init, then record_next until it returns 0 (end) or -1 (not a record). */
struct record_reader {
	struct slice left;
	int64_t arrived_ms;
};

bool record_reader_init(struct record_reader *r, struct slice record);
int record_next(struct record_reader *r, struct op *out);

uint64_t record_session_hash(struct slice text); /* never 0 for a non-empty text */

#endif
