/* What is read once at start-up and handed out row by row: the checkpoint, and what was spent of late. */
#include <stdlib.h>

#include "bridge/ledger/ledger.h"
#include "bridge/ledger/ledger_internal.h"
#include "bridge/ledger/sql.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"

bool series_from_row(
	struct op_series *out, sqlite3_stmt *row, struct buf *labels, struct error *err)
{
	struct slice text = sql_slice(row, 6);
	labels->len = 0;
	buf_add(labels, text.ptr, text.len);
	out->id = sql_u32(row, 0);
	out->kind = (enum series_kind)sqlite3_column_int(row, 1);
	out->metric = sql_slice(row, 2);
	out->family = sql_slice(row, 3);
	out->unit = sql_slice(row, 4);
	out->help = sql_slice(row, 5);
	if (!series_labels_parse(labels, out) || !series_bounds_parse(sql_slice(row, 7), out))
		return error_set(
			err, ERR_CORRUPT, "the ledger's series %u has no readable labels", out->id);
	return true;
}

static bool load_series(sqlite3_stmt *row, const struct ledger_visitor *v, struct error *err)
{
	struct op_series *series = mem_zalloc(sizeof *series);
	AUTO(buf) struct buf labels = BUF_INIT(BUF_UNLIMITED);
	int got;
	while ((got = sql_step(row, err)) > 0) {
		if (!series_from_row(series, row, &labels, err)) {
			got = -1;
			break;
		}
		v->series(v->ctx, series, sqlite3_column_int64(row, 8));
	}
	free(series);
	return got == 0;
}

static bool load_counters(
	sqlite3_stmt *row, const struct ledger_visitor *v, uint64_t scrape, struct error *err)
{
	int got;
	while ((got = sql_step(row, err)) > 0) {
		struct ledger_counter counter = {
			.series = sql_u32(row, 0),
			.part = sql_u32(row, 1),
			.hi = sql_double(row, 2),
			.lo = sql_double(row, 3),
			.set_ms = sqlite3_column_int64(row, 4),
		};
		if (sql_u64(row, 6) > scrape || sqlite3_column_int64(row, 7) != SHOWN_WITH_VALUE)
			counter.pending = sqlite3_column_double(row, 5);
		v->counter(v->ctx, &counter);
	}
	return got == 0;
}

static bool load_streams(sqlite3_stmt *row, const struct ledger_visitor *v, struct error *err)
{
	int got;
	while ((got = sql_step(row, err)) > 0) {
		struct op_stream stream = {
			.key = { sql_u64(row, 0), sql_u64(row, 1) },
			.earliest_ns = sql_u64(row, 2),
			.anchor = sql_u64(row, 3),
			.series = sql_u32(row, 4),
			.part = sql_u32(row, 5),
			.value = sqlite3_column_double(row, 6),
			.time_ms = sqlite3_column_int64(row, 7),
		};
		v->stream(v->ctx, &stream);
	}
	return got == 0;
}

static bool load_states(sqlite3_stmt *row, const struct ledger_visitor *v, struct error *err)
{
	int got;
	while ((got = sql_step(row, err)) > 0) {
		struct slice name = sql_slice(row, 0);
		v->state(v->ctx, name, sql_slice(row, 1));
	}
	return got == 0;
}

enum part { PART_SERIES, PART_COUNTERS, PART_STREAMS, PART_STATES };

static bool is_wanted(const struct ledger_visitor *v, enum part part)
{
	switch (part) {
	case PART_SERIES:
		return v->series != NULL;
	case PART_COUNTERS:
		return v->counter != NULL;
	case PART_STREAMS:
		return v->stream != NULL;
	case PART_STATES:
		return v->state != NULL;
	}
	return false;
}

static bool load_part(
	struct ledger *l, const struct ledger_visitor *v, enum part part, struct error *err)
{
	static const char *const queries[] = {
		[PART_SERIES] = "SELECT " SERIES_COLUMNS " FROM series ORDER BY id",
		[PART_COUNTERS] = ("SELECT c.series, part, hi, lo, set_ms, pending, position,"
				   " shown_ms FROM counters c LEFT JOIN series ON id = c.series"
				   " ORDER BY c.series, part"),
		[PART_STREAMS] = "SELECT key1, key2, earliest, anchor, series, part, value, seen_ms"
				 " FROM streams",
		[PART_STATES] = "SELECT name, bytes FROM state",
	};
	AUTO(statement) sqlite3_stmt *row = NULL;
	if (!is_wanted(v, part))
		return true;
	if (!sql_prepare(l->db, &row, queries[part], err))
		return false;
	switch (part) {
	case PART_SERIES:
		return load_series(row, v, err);
	case PART_COUNTERS:
		return load_counters(row, v, l->progress.scrape_position, err);
	case PART_STREAMS:
		return load_streams(row, v, err);
	case PART_STATES:
		return load_states(row, v, err);
	}
	return true;
}

bool ledger_load(struct ledger *l, const struct ledger_visitor *v, struct error *err)
{
	if (v->epoch)
		v->epoch(v->ctx, l->progress.epoch_start_ns, l->progress.last_scrape_ms);
	for (enum part part = PART_SERIES; part <= PART_STATES; part++) {
		if (!load_part(l, v, part, err))
			return ledger_failed(l, err, "loading the checkpoint of");
	}
	return true;
}

static bool give_amounts(sqlite3_stmt *row, ledger_amount_fn each, void *ctx, struct error *err)
{
	int got;
	while ((got = sql_step(row, err)) > 0)
		each(ctx, sql_u32(row, 0), sql_u32(row, 1), sqlite3_column_double(row, 2));
	return got == 0;
}

bool ledger_amounts(struct ledger *l, const char *metric, uint32_t since_minute,
	ledger_amount_fn each, void *ctx, struct error *err)
{
	AUTO(statement) sqlite3_stmt *row = NULL;
	/* CROSS JOIN: the minutes are read once in their order, whatever the planner thinks of the series. */
	if (!sql_prepare(l->db, &row,
		    "SELECT minute, series, amount FROM minutes CROSS JOIN series ON id = series"
		    " WHERE minute >= ?1 AND part = 0 AND kind = 1 AND metric = ?2"
		    " ORDER BY minute, series",
		    err))
		return ledger_failed(l, err, "reading");
	sqlite3_bind_int64(row, 1, since_minute);
	sql_bind_slice(row, 2, slice_str(metric));
	return give_amounts(row, each, ctx, err) || ledger_failed(l, err, "reading");
}

/* The first row's minute; ?1 is how the metric begins. */
static bool read_minute(struct ledger *l, sqlite3_stmt *row, const char *metrics, uint32_t *minute,
	struct error *err)
{
	sqlite3_bind_text(row, 1, metrics, -1, SQLITE_STATIC);
	int got = sql_step(row, err);
	*minute = got > 0 ? sql_u32(row, 0) : 0;
	return got >= 0 || ledger_failed(l, err, "reading");
}

/* In the order of the primary key, so that it ends at the first that fits. */
#define MINUTES_OF                                                                    \
	"SELECT minute FROM minutes CROSS JOIN series ON series.id = minutes.series " \
	"WHERE substr(metric, 1, length(?1)) = ?1 "

bool ledger_first_minute(struct ledger *l, const char *metrics, uint32_t since, uint32_t until,
	uint32_t *minute, struct error *err)
{
	AUTO(statement) sqlite3_stmt *row = NULL;
	if (!sql_prepare(l->db, &row,
		    MINUTES_OF "AND minute >= ?2 AND minute < ?3 ORDER BY minute LIMIT 1", err))
		return ledger_failed(l, err, "reading");
	sqlite3_bind_int64(row, 2, since);
	sqlite3_bind_int64(row, 3, until);
	return read_minute(l, row, metrics, minute, err);
}

bool ledger_last_minute(struct ledger *l, const char *metrics, uint32_t *minute, struct error *err)
{
	AUTO(statement) sqlite3_stmt *row = NULL;
	if (!sql_prepare(l->db, &row, MINUTES_OF "ORDER BY minute DESC LIMIT 1", err))
		return ledger_failed(l, err, "reading");
	return read_minute(l, row, metrics, minute, err);
}
