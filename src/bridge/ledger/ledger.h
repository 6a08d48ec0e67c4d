/* The ledger: SQLite history and the counters' checkpoint, as a fold of the journal.
 *
 * ledger_advance reads the journal from the position the database holds to a given one and adds its
 * operations in one transaction that also moves the position, so each record counts once whatever dies when.
 * It keeps no state between calls but the open database, and may run on a helper thread while the loop
 * appends: the two share nothing but the files.
 *
 * Tables (schema versioned by PRAGMA user_version; a newer one is refused with ERR_NEWER):
 *   series         id, kind, metric, family, unit, help, labels and bounds (text, see series_def.h), shown_ms
 *                  (see SHOWN_WITH_VALUE)
 *   counters       series, part, hi, lo (compensated sum of this epoch), set_ms, pending, position; a series
 *                  with a row here is live; gauges have no epoch and stay
 *   minutes        minute, series, part, amount          history without sessions, WITHOUT ROWID
 *   sessions       session (hash), text, user, terminal, version, first_ms, last_ms, lost, is_unknown
 *   session_hours  hour, session, series, part, amount   history by session; of histograms sum and count
 *   streams        key, earliest, anchor, series, part, value, seen_ms
 *   state          name, bytes                            OP_STATE
 *   progress       one row: position, epoch_start_ns, last_scrape_ms, scrape_position
 *
 * WAL mode, synchronous=NORMAL; the file is 0600.
 */
#ifndef CCTM_BRIDGE_LEDGER_LEDGER_H
#define CCTM_BRIDGE_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/journal/record.h"
#include "core/cleanup.h"

struct error;
struct ledger;

#define LEDGER_FILE	      "ledger.db"
#define LEDGER_SCHEMA_VERSION 1

/* Opens or makes DIR/ledger.db. A file that is no database, fails its check, or was found damaged by an
 * earlier call (which then failed with ERR_CORRUPT) is renamed to ledger-bad-<ms>.db, *was_lost is set, and
 * a new one is made. */
struct ledger *ledger_open(const char *dir, bool *was_lost, struct error *err) MUST_CHECK;
void ledger_close(struct ledger *l);

uint64_t ledger_position(const struct ledger *l); /* everything before it is in the database */

/* Folds the journal up to `position` (a record's end). */
bool ledger_advance(struct ledger *l, uint64_t position, struct error *err) MUST_CHECK;

/* Deletes history before `before_ms`, and sessions and streams last seen before it. *deleted says how many
 * rows went. */
bool ledger_expire(struct ledger *l, int64_t before_ms, uint64_t *deleted, struct error *err)
	MUST_CHECK;

/* Makes everything before ledger_position durable against power loss, so that the journal may drop it. */
bool ledger_sync(struct ledger *l, struct error *err) MUST_CHECK;

/* The checkpoint, read once at start-up. Slices live during the call. */
struct ledger_counter {
	uint32_t series, part;
	double hi, lo;
	int64_t set_ms;
	double pending; /* added since the last scrape, if none came after this row was written */
};

struct ledger_visitor {
	void *ctx;
	void (*epoch)(
		void *ctx, uint64_t start_ns, int64_t last_scrape_ms); /* first; 0: none yet */
	void (*series)(void *ctx, const struct op_series *series, int64_t shown_ms);
	void (*counter)(void *ctx, const struct ledger_counter *counter);
	void (*stream)(void *ctx, const struct op_stream *stream);
	void (*state)(void *ctx, struct slice name, struct slice bytes);
};

bool ledger_load(struct ledger *l, const struct ledger_visitor *visitor, struct error *err)
	MUST_CHECK;

/* What one part of one metric's counters counted, from `since_minute` on, row by row in order of time: minutes as
 * they are in the database. */
typedef void (*ledger_amount_fn)(void *ctx, uint32_t minute, uint32_t series, double amount);
bool ledger_amounts(struct ledger *l, const char *metric, uint32_t since_minute,
	ledger_amount_fn each, void *ctx, struct error *err) MUST_CHECK;

/* The first minute in [since, until) that something was counted in, of metrics whose name begins so, or 0. */
bool ledger_first_minute(struct ledger *l, const char *metrics, uint32_t since, uint32_t until,
	uint32_t *minute, struct error *err) MUST_CHECK;
/* The last of all, or 0. */
bool ledger_last_minute(struct ledger *l, const char *metrics, uint32_t *minute, struct error *err)
	MUST_CHECK;

/* What the status page says about it. */
struct ledger_stats {
	uint64_t position, bytes;
	uint64_t series, sessions, streams;
	int64_t first_minute, last_minute; /* 0: none */
};

bool ledger_stats(struct ledger *l, struct ledger_stats *out, struct error *err) MUST_CHECK;

#endif
