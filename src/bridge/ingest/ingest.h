/* From a request's bytes to what it changes, and the change itself.
 *
 * ingest_prepare decodes a request and writes the operations it means into a record, changing nothing that
 * shows. The owner appends the record to the journal and then calls ingest_commit, which applies it, or
 * ingest_abandon. Replay applies records read from the journal through the same code, so a restarted bridge
 * holds what the old one held, bit for bit. Nothing here does I/O or reads a clock.
 *
 * The rules (the facts behind them: tests/data/captures):
 *   - a delta adds to its series, whatever its start time; a request with the bytes of one taken in the
 *     last 15 minutes is acknowledged and not added again;
 *   - a cumulative point adds its rise over the highest value seen of its stream (bridge/ingest/streams.h);
 *   - what cannot be taken is counted by reason and named in partial_success, never dropped in silence.
 */
#ifndef CCTM_BRIDGE_INGEST_INGEST_H
#define CCTM_BRIDGE_INGEST_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/ingest/store.h"
#include "bridge/ingest/tally.h"
#include "bridge/otlp/types.h"

struct ingest;

struct ingest_options {
	size_t series_max;    /* once there are so many, a family's new ones are added up in one */
	size_t streams_max;   /* cumulative streams remembered */
	int64_t retention_ms; /* oldest time the ledger keeps; older points count at it */
	int64_t zero_hold_ms;
	bool has_session_label;
	uint64_t seed; /* of hashes kept across restarts; secret, constant for a state directory */
};

struct ingest *ingest_new(const struct ingest_options *options);
void ingest_free(struct ingest *ing);

/* What is added to the history, and when its request arrived. `part` as in struct op_add; the series lives as long as
 * the store. */
struct ingest_added {
	uint32_t minute;
	const struct series *series;
	uint32_t part;
	double amount;
	int64_t arrived_ms;
};

/* Told of everything that is added: live, and of the journal that is replayed. */
typedef void (*ingest_added_fn)(void *ctx, const struct ingest_added *added);
void ingest_watch(struct ingest *ing, ingest_added_fn added, void *ctx);

/* The seed kept with the state directory, once it is known; before the first request. */
void ingest_set_seed(struct ingest *ing, uint64_t seed);

struct ingest_request {
	enum otlp_signal signal;
	enum otlp_encoding encoding;
	struct slice body;
	int64_t now_ms;	  /* wall time of arrival */
	uint32_t segment; /* journal_segment(): definitions are repeated in each */
};

struct ingest_outcome {
	bool is_duplicate;   /* acknowledge; there is nothing to commit */
	int64_t rejected;    /* points or log records not taken */
	const char *message; /* for partial_success; NULL: none; lives until the next prepare */
};

/* REASON_OK: *out says what to answer, ingest_record what to journal; follow with commit or abandon (also
 * when the record is empty). Else the whole request is refused and there is nothing to commit. */
enum reason ingest_prepare(
	struct ingest *ing, const struct ingest_request *request, struct ingest_outcome *out);
struct slice ingest_record(const struct ingest *ing); /* empty: nothing to journal */
void ingest_commit(struct ingest *ing);
void ingest_abandon(struct ingest *ing);

/* What the bridge itself has to note; each fills the record like ingest_prepare, and the same commit or
 * abandon follows. False: there is nothing to note. */
bool ingest_prepare_scrape(struct ingest *ing, int64_t now_ms);
bool ingest_prepare_expiry(struct ingest *ing, int64_t now_ms, uint32_t segment); /* lost events */
/* carries_unscraped: what was added since the last scrape goes into the new epoch's counters. */
void ingest_prepare_epoch(
	struct ingest *ing, int64_t now_ms, uint64_t start_ns, bool carries_unscraped);
void ingest_prepare_state(struct ingest *ing, int64_t now_ms, const char *name, struct slice bytes);
void ingest_prepare_sequence_state(struct ingest *ing, int64_t now_ms);

/* Start-up: the checkpoint's rows, then the journal behind it. */
void ingest_load_series(struct ingest *ing, const struct op_series *series, int64_t shown_ms);
void ingest_load_part(struct ingest *ing, uint32_t series, const struct part *part);
void ingest_load_stream(struct ingest *ing, const struct op_stream *stream);
/* Of a record that the checkpoint holds already: only which request it took. */
bool ingest_replay_request(struct ingest *ing, struct slice record);
void ingest_load_state(struct ingest *ing, struct slice name, struct slice bytes);
void ingest_load_epoch(struct ingest *ing, uint64_t start_ns, int64_t last_scrape_ms);
bool ingest_replay(
	struct ingest *ing, struct slice record); /* false: not a record of this version */

/* Values of OP_STATE that were replayed or loaded, by name; NULL: none. For the daemon's own. */
const char *ingest_state(const struct ingest *ing, const char *name, size_t *len);

/* Forgets sessions idle for a day and streams idle for the retention. */
void ingest_expire(struct ingest *ing, int64_t now_ms);

struct ingest_stats {
	uint64_t requests[3]; /* taken, by signal */
	uint64_t duplicates, points, log_records, spans;
	uint64_t series, streams, sessions;
	uint64_t dedupe_shortened, unresolved;
	uint64_t lost_events;	/* of clients, found missing in this epoch */
	int64_t last_sample_ms; /* arrival of the last request that brought something; 0: none */
};

struct ingest_stats ingest_stats(const struct ingest *ing);
const struct tally *ingest_tally(const struct ingest *ing);
const struct store *ingest_store(const struct ingest *ing);

/* Counts something refused before it was a request (bridge/serve). */
void ingest_refused(struct ingest *ing, enum reason reason);

#endif
