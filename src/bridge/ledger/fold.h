/* The one fold of journal operations into aggregates.
 *
 * ledger_advance folds the journal and writes what a fold holds into the database; history folds the tail
 * behind the database and keeps it in memory. Both read operations here and nowhere else, so they agree.
 *
 * A fold stands on a base: what was known before its first record. Series, counters and sessions are asked
 * from the base when first touched and from then on hold the whole truth (written back as they are);
 * minutes and hours hold only what this fold added (written back by adding). A function of the base that is
 * NULL means that nothing was there before.
 *
 * Memory is bounded: past FOLD_CELLS_MAX aggregates, `full` is called, also in the middle of a record; it
 * takes what there is and calls fold_drop. The context of the record is kept.
 */
#ifndef CCTM_BRIDGE_LEDGER_FOLD_H
#define CCTM_BRIDGE_LEDGER_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/journal/record.h"
#include "bridge/ledger/cells.h"
#include "bridge/ledger/series_def.h"
#include "core/cleanup.h"

struct error;
struct fold;

#define FOLD_CELLS_MAX 50000

struct fold_series {
	uint32_t id;
	enum series_kind kind; /* 0: not defined yet (its definition was damaged) */
	int64_t shown_ms;
	struct series_def *def; /* NULL: the base has it */
	bool is_new;		/* the base does not have it */
	bool is_changed;	/* shown_ms is not the base's */
	bool waits;		/* live, and no scrape has shown it yet */
};

struct fold_counter {
	uint32_t series, part;
	double hi, lo;
	int64_t set_ms;
	double pending; /* added since `scrape_position`, if `position` is behind it; of a series that is
			    * still shown as 0, all that was added */
	uint64_t position; /* of the last operation on it */
};

struct fold_minute {
	uint32_t minute, series, part;
	double hi, lo;
};

struct fold_hour {
	uint64_t session;
	uint32_t hour, series, part;
	uint32_t unused; /* the key has no padding */
	double hi, lo;
};

struct fold_session {
	uint64_t session;
	char *text, *user, *terminal, *version; /* NULL: unknown */
	int64_t first_ms, last_ms;		/* 0: never in a context */
	int64_t named_ms;			/* private */
	int64_t lost;
	bool is_unknown;
};

struct fold_stream {
	struct op_stream stream; /* begins with its key */
};

struct fold_state {
	struct slice name, bytes; /* one allocation at name.ptr */
};

struct fold_base {
	void *ctx;
	/* Fills the item, whose key is set, if it is known; leaves it otherwise. */
	bool (*series)(void *ctx, struct fold_series *series, struct error *err);
	bool (*counter)(void *ctx, struct fold_counter *counter, struct error *err);
	bool (*session)(void *ctx, struct fold_session *session, struct error *err);
	/* The first scrape since the fold was empty: live series of the base that were not shown are now. Which
	 * of them were shown with their value since, fold_has_value says. */
	bool (*scraped)(void *ctx, int64_t time_ms, struct error *err);
	/* All counters of the base are gone and no series of it is live or shown. */
	bool (*epoch)(void *ctx, struct error *err);
	bool (*full)(void *ctx, struct fold *fold, struct error *err);
};

enum fold_scope { FOLD_ALL, FOLD_HISTORY }; /* history: series, sessions, minutes and hours only */

/* Where an addition goes, of late: most additions of a minute go to the same few cells. */
struct fold_memo {
	uint32_t series, part, minute; /* series 0: empty */
	uint32_t counter, cell, item;  /* numbers in counters, minutes and series */
	enum series_kind kind;
};

#define FOLD_MEMOS 256u

struct fold {
	struct cells series, counters, minutes, hours, sessions, streams;
	struct fold_state *states;
	size_t state_count;
	uint64_t epoch_start_ns; /* these four: 0 until set; kept by fold_drop */
	int64_t last_scrape_ms;
	uint64_t scrape_position;
	bool has_scrape;	       /* since the fold was empty; these two are of it */
	int64_t reach_ms, earliest_ms; /* the latest time minus the hold, and the earliest time */

	/* private */
	struct fold_base base;
	enum fold_scope scope;
	size_t state_room, bytes, waiting;
	int64_t arrived_ms;
	struct op_context context;
	bool has_context;
	struct fold_memo memos[FOLD_MEMOS];
	struct op op;
};

struct fold *fold_new(const struct fold_base *base, enum fold_scope scope);
void fold_free(struct fold *f);

/* Folds one record. On failure the fold is of no further use. */
bool fold_record(struct fold *f, uint64_t position, struct slice record, struct error *err)
	MUST_CHECK;

/* Forgets the aggregates; what the base holds now is what was there before. */
void fold_drop(struct fold *f);

/* Places sessions that no context has placed in time (only events of them were lost) at the moment they were
 * named. Before sessions are read; `full` finds it done. */
void fold_settle(struct fold *f);

/* Whether a series of the base, shown first at `shown_ms`, was shown with its value by a scrape of this fold. */
bool fold_has_value(const struct fold *f, int64_t shown_ms);

/* The session's item, asked from the base if need be. */
struct fold_session *fold_session(struct fold *f, uint64_t session, struct error *err) MUST_CHECK;

static inline void auto_fold(struct fold **f)
{
	fold_free(*f);
}

#endif
