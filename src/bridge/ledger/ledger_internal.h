/* What the files of the ledger share about an open database. */
#ifndef CCTM_BRIDGE_LEDGER_LEDGER_INTERNAL_H
#define CCTM_BRIDGE_LEDGER_LEDGER_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "bridge/ledger/fold.h"
#include "core/cleanup.h"

struct error;

/* What one advance moves, beside the aggregates: the table `progress`, one row. */
struct progress {
	uint64_t position;
	uint64_t epoch_start_ns;
	int64_t last_scrape_ms;
	uint64_t scrape_position;
};

/* The prepared statements of the write side. */
enum write_statement {
	WRITE_BEGIN,
	WRITE_COMMIT,
	WRITE_ROLLBACK,
	READ_SERIES,
	READ_COUNTER,
	READ_SESSION,
	WRITE_SCRAPED,
	WRITE_HAS_VALUE,
	WRITE_EPOCH_COUNTERS,
	WRITE_EPOCH_SHOWN,
	WRITE_SERIES,
	WRITE_SHOWN,
	WRITE_COUNTER,
	WRITE_MINUTE,
	WRITE_HOUR,
	WRITE_SESSION,
	WRITE_STREAM,
	WRITE_STATE,
	WRITE_PROGRESS,
	WRITE_STATEMENTS
};

struct ledger {
	sqlite3 *db;
	char *dir;
	struct progress progress;
	sqlite3_stmt *statements[WRITE_STATEMENTS];
};

/* Puts "<doing> the ledger in DIR" in front of `err`. If the database is damaged, the next ledger_open is told
 * to set it aside. Call it before anything else is done with the database. False. */
bool ledger_failed(struct ledger *l, struct error *err, const char *doing);

/* schema.c: makes or migrates the tables. ERR_NEWER and ERR_CORRUPT leave the file as it was. */
bool schema_prepare(sqlite3 *db, struct error *err) MUST_CHECK;
/* 0: no tables yet. ERR_NEWER when this program is too old for it. */
bool schema_version(sqlite3 *db, int64_t *version, struct error *err) MUST_CHECK;
bool schema_read_progress(sqlite3 *db, struct progress *out, struct error *err) MUST_CHECK;

/* write.c: a fold's base in the database, and the fold into the database. */
bool write_prepare(struct ledger *l, struct error *err) MUST_CHECK;
void write_finish(struct ledger *l);
struct fold_base write_base(struct ledger *l);
bool write_fold(struct ledger *l, struct fold *f, struct error *err) MUST_CHECK;
bool write_progress(struct ledger *l, const struct progress *p, struct error *err) MUST_CHECK;
bool write_simple(struct ledger *l, enum write_statement which, struct error *err) MUST_CHECK;

/* Fills a session from a row of SESSION_COLUMNS. */
#define SESSION_COLUMNS "text, user, terminal, version, first_ms, last_ms, lost, is_unknown"
void session_from_row(struct fold_session *s, sqlite3_stmt *row);

/* Fills a series from a row of SERIES_COLUMNS; slices point into the row and into `labels`. */
#define SERIES_COLUMNS "id, kind, metric, family, unit, help, labels, bounds, shown_ms"
bool series_from_row(
	struct op_series *out, sqlite3_stmt *row, struct buf *labels, struct error *err) MUST_CHECK;

#endif
