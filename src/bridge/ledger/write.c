/* The fold's base in the database, and a fold into the database.
 *
 * Everything is written in the order of its key: the cache is small, and rows of one page then come
 * together. Measured, 20,000 cells in random order touch most pages of a table once each. */

#include "bridge/ledger/ledger_internal.h"
#include "bridge/ledger/sql.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"

static const char *const texts[WRITE_STATEMENTS] = {
	[WRITE_BEGIN] = "BEGIN IMMEDIATE",
	[WRITE_COMMIT] = "COMMIT",
	[WRITE_ROLLBACK] = "ROLLBACK",
	[READ_SERIES] = "SELECT kind, shown_ms, shown_ms = 0 AND EXISTS(SELECT 1 FROM counters "
			"WHERE series = ?1)"
			" FROM series WHERE id = ?1",
	[READ_COUNTER] = "SELECT hi, lo, set_ms, pending, position FROM counters"
			 " WHERE series = ?1 AND part = ?2",
	[READ_SESSION] = "SELECT " SESSION_COLUMNS " FROM sessions WHERE session = ?1",
	[WRITE_SCRAPED] = "UPDATE series SET shown_ms = ?1 WHERE shown_ms = 0"
			  " AND EXISTS(SELECT 1 FROM counters WHERE counters.series = series.id)",
	[WRITE_HAS_VALUE] = "UPDATE series SET shown_ms = 1"
			    " WHERE shown_ms > 1 AND (shown_ms <= ?1 OR shown_ms > ?2)",
	[WRITE_EPOCH_COUNTERS] = "DELETE FROM counters WHERE series NOT IN"
				 " (SELECT id FROM series WHERE kind = 2)",
	[WRITE_EPOCH_SHOWN] = "UPDATE series SET shown_ms = 0 WHERE shown_ms <> 0 AND kind <> 2",
	[WRITE_SERIES] = "INSERT OR REPLACE INTO series(" SERIES_COLUMNS ")"
			 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[WRITE_SHOWN] = "UPDATE series SET shown_ms = ?2 WHERE id = ?1",
	[WRITE_COUNTER] = "INSERT OR REPLACE INTO counters"
			  "(series, part, hi, lo, set_ms, pending, position)"
			  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[WRITE_MINUTE] = "INSERT INTO minutes(minute, series, part, amount)"
			 " VALUES(?1, ?2, ?3, ?4)"
			 " ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
	[WRITE_HOUR] = "INSERT INTO session_hours(hour, session, series, part, amount)"
		       " VALUES(?1, ?2, ?3, ?4, ?5)"
		       " ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
	[WRITE_SESSION] = "INSERT OR REPLACE INTO sessions(session, " SESSION_COLUMNS ")"
			  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[WRITE_STREAM] = "INSERT OR REPLACE INTO streams"
			 "(key1, key2, earliest, anchor, series, part, value, seen_ms)"
			 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[WRITE_STATE] = "INSERT OR REPLACE INTO state(name, bytes) VALUES(?1, ?2)",
	[WRITE_PROGRESS] = "UPDATE progress SET position = ?1, epoch_start_ns = ?2,"
			   " last_scrape_ms = ?3, scrape_position = ?4",
};

bool write_prepare(struct ledger *l, struct error *err)
{
	for (size_t i = 0; i < WRITE_STATEMENTS; i++) {
		if (!sql_prepare(l->db, &l->statements[i], texts[i], err))
			return false;
	}
	return true;
}

void write_finish(struct ledger *l)
{
	for (size_t i = 0; i < WRITE_STATEMENTS; i++) {
		sqlite3_finalize(l->statements[i]);
		l->statements[i] = NULL;
	}
}

bool write_simple(struct ledger *l, enum write_statement which, struct error *err)
{
	return sql_run(l->statements[which], err);
}

/* ---- the base ---- */

static bool base_series(void *ctx, struct fold_series *series, struct error *err)
{
	struct ledger *l = ctx;
	sqlite3_stmt *row = l->statements[READ_SERIES];
	sqlite3_bind_int64(row, 1, series->id);
	int got = sql_step(row, err);
	if (got <= 0)
		return got == 0;
	series->kind = (enum series_kind)sqlite3_column_int(row, 0);
	series->shown_ms = sqlite3_column_int64(row, 1);
	series->waits = sqlite3_column_int(row, 2) != 0;
	sqlite3_reset(row);
	return true;
}

static bool base_counter(void *ctx, struct fold_counter *counter, struct error *err)
{
	struct ledger *l = ctx;
	sqlite3_stmt *row = l->statements[READ_COUNTER];
	sqlite3_bind_int64(row, 1, counter->series);
	sqlite3_bind_int64(row, 2, counter->part);
	int got = sql_step(row, err);
	if (got <= 0)
		return got == 0;
	counter->hi = sql_double(row, 0);
	counter->lo = sql_double(row, 1);
	counter->set_ms = sqlite3_column_int64(row, 2);
	counter->pending = sqlite3_column_double(row, 3);
	counter->position = sql_u64(row, 4);
	sqlite3_reset(row);
	return true;
}

static char *text_or_null(sqlite3_stmt *row, int column)
{
	struct slice text = sql_slice(row, column);
	return text.len ? mem_strndup((const char *)text.ptr, text.len) : NULL;
}

void session_from_row(struct fold_session *s, sqlite3_stmt *row)
{
	s->text = text_or_null(row, 0);
	s->user = text_or_null(row, 1);
	s->terminal = text_or_null(row, 2);
	s->version = text_or_null(row, 3);
	s->first_ms = sqlite3_column_int64(row, 4);
	s->last_ms = sqlite3_column_int64(row, 5);
	s->lost = sqlite3_column_int64(row, 6);
	s->is_unknown = sqlite3_column_int(row, 7) != 0;
}

static bool base_session(void *ctx, struct fold_session *session, struct error *err)
{
	struct ledger *l = ctx;
	sqlite3_stmt *row = l->statements[READ_SESSION];
	sql_bind_u64(row, 1, session->session);
	int got = sql_step(row, err);
	if (got <= 0)
		return got == 0;
	session_from_row(session, row);
	sqlite3_reset(row);
	return true;
}

static bool base_scraped(void *ctx, int64_t time_ms, struct error *err)
{
	struct ledger *l = ctx;
	sqlite3_bind_int64(l->statements[WRITE_SCRAPED], 1, time_ms);
	return write_simple(l, WRITE_SCRAPED, err);
}

static bool base_epoch(void *ctx, struct error *err)
{
	struct ledger *l = ctx;
	return write_simple(l, WRITE_EPOCH_COUNTERS, err) &&
	       write_simple(l, WRITE_EPOCH_SHOWN, err);
}

static bool base_full(void *ctx, struct fold *fold, struct error *err)
{
	struct ledger *l = ctx;
	if (!write_fold(l, fold, err))
		return false;
	fold_drop(fold);
	return true;
}

struct fold_base write_base(struct ledger *l)
{
	return (struct fold_base){
		.ctx = l,
		.series = base_series,
		.counter = base_counter,
		.session = base_session,
		.scraped = base_scraped,
		.epoch = base_epoch,
		.full = base_full,
	};
}

/* ---- orders: those of the primary keys, where 64-bit keys are signed ---- */

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int order_counters(const void *a, const void *b)
{
	const struct fold_counter *x = a, *y = b;
	int by_series = ORDER(x->series, y->series);
	return by_series ? by_series : ORDER(x->part, y->part);
}

static int order_minutes(const void *a, const void *b)
{
	const struct fold_minute *x = a, *y = b;
	if (x->minute != y->minute)
		return ORDER(x->minute, y->minute);
	return x->series != y->series ? ORDER(x->series, y->series) : ORDER(x->part, y->part);
}

static int order_hours(const void *a, const void *b)
{
	const struct fold_hour *x = a, *y = b;
	if (x->hour != y->hour)
		return ORDER(x->hour, y->hour);
	if (x->session != y->session)
		return ORDER((int64_t)x->session, (int64_t)y->session);
	return x->series != y->series ? ORDER(x->series, y->series) : ORDER(x->part, y->part);
}

static int order_u64(const void *a, const void *b)
{
	int64_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return ORDER(x, y);
}

/* ---- writing ---- */

static bool write_series(struct ledger *l, const struct fold_series *s, struct error *err)
{
	if (!s->is_new) {
		if (!s->is_changed)
			return true;
		sqlite3_bind_int64(l->statements[WRITE_SHOWN], 1, s->id);
		sqlite3_bind_int64(l->statements[WRITE_SHOWN], 2, s->shown_ms);
		return write_simple(l, WRITE_SHOWN, err);
	}
	AUTO(buf) struct buf labels = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf bounds = BUF_INIT(BUF_UNLIMITED);
	series_labels_text(&labels, s->def->labels, s->def->label_count);
	series_bounds_text(&bounds, s->def->bounds, s->def->bound_count);
	sqlite3_stmt *row = l->statements[WRITE_SERIES];
	sqlite3_bind_int64(row, 1, s->id);
	sqlite3_bind_int64(row, 2, s->kind);
	sql_bind_slice(row, 3, s->def->metric);
	sql_bind_slice(row, 4, s->def->family);
	sql_bind_slice(row, 5, s->def->unit);
	sql_bind_slice(row, 6, s->def->help);
	sql_bind_slice(row, 7, buf_slice(&labels));
	sql_bind_slice(row, 8, buf_slice(&bounds));
	sqlite3_bind_int64(row, 9, s->shown_ms);
	return sql_run(row, err);
}

static bool write_counter(struct ledger *l, const struct fold_counter *c, struct error *err)
{
	sqlite3_stmt *row = l->statements[WRITE_COUNTER];
	sqlite3_bind_int64(row, 1, c->series);
	sqlite3_bind_int64(row, 2, c->part);
	sqlite3_bind_double(row, 3, c->hi);
	sqlite3_bind_double(row, 4, c->lo);
	sqlite3_bind_int64(row, 5, c->set_ms);
	sqlite3_bind_double(row, 6, c->pending);
	sql_bind_u64(row, 7, c->position);
	return sql_run(row, err);
}

static bool write_minute(struct ledger *l, const struct fold_minute *m, struct error *err)
{
	sqlite3_stmt *row = l->statements[WRITE_MINUTE];
	sqlite3_bind_int64(row, 1, m->minute);
	sqlite3_bind_int64(row, 2, m->series);
	sqlite3_bind_int64(row, 3, m->part);
	sqlite3_bind_double(row, 4, m->hi + m->lo);
	return sql_run(row, err);
}

static bool write_hour(struct ledger *l, const struct fold_hour *h, struct error *err)
{
	sqlite3_stmt *row = l->statements[WRITE_HOUR];
	sqlite3_bind_int64(row, 1, h->hour);
	sql_bind_u64(row, 2, h->session);
	sqlite3_bind_int64(row, 3, h->series);
	sqlite3_bind_int64(row, 4, h->part);
	sqlite3_bind_double(row, 5, h->hi + h->lo);
	return sql_run(row, err);
}

static void bind_text(sqlite3_stmt *row, int index, const char *text)
{
	sqlite3_bind_text(row, index, text ? text : "", -1, SQLITE_STATIC);
}

static bool write_session(struct ledger *l, const struct fold_session *s, struct error *err)
{
	sqlite3_stmt *row = l->statements[WRITE_SESSION];
	sql_bind_u64(row, 1, s->session);
	bind_text(row, 2, s->text);
	bind_text(row, 3, s->user);
	bind_text(row, 4, s->terminal);
	bind_text(row, 5, s->version);
	sqlite3_bind_int64(row, 6, s->first_ms);
	sqlite3_bind_int64(row, 7, s->last_ms);
	sqlite3_bind_int64(row, 8, s->lost);
	sqlite3_bind_int64(row, 9, s->is_unknown);
	return sql_run(row, err);
}

static bool write_stream(struct ledger *l, const struct op_stream *s, struct error *err)
{
	sqlite3_stmt *row = l->statements[WRITE_STREAM];
	sql_bind_u64(row, 1, s->key[0]);
	sql_bind_u64(row, 2, s->key[1]);
	sql_bind_u64(row, 3, s->earliest_ns);
	sql_bind_u64(row, 4, s->anchor);
	sqlite3_bind_int64(row, 5, s->series);
	sqlite3_bind_int64(row, 6, s->part);
	sqlite3_bind_double(row, 7, s->value);
	sqlite3_bind_int64(row, 8, s->time_ms);
	return sql_run(row, err);
}

static bool write_state(struct ledger *l, const struct fold_state *s, struct error *err)
{
	sqlite3_stmt *row = l->statements[WRITE_STATE];
	sql_bind_slice(row, 1, s->name);
	sqlite3_bind_blob(row, 2, s->bytes.ptr, (int)s->bytes.len, SQLITE_STATIC);
	return sql_run(row, err);
}

static bool write_history(struct ledger *l, struct fold *f, struct error *err)
{
	bool ok = true;
	cells_sort(&f->minutes, order_minutes);
	for (size_t i = 0; ok && i < f->minutes.count; i++)
		ok = write_minute(l, cells_at(&f->minutes, i), err);
	cells_sort(&f->sessions, order_u64);
	for (size_t i = 0; ok && i < f->sessions.count; i++)
		ok = write_session(l, cells_at(&f->sessions, i), err);
	cells_sort(&f->hours, order_hours);
	for (size_t i = 0; ok && i < f->hours.count; i++)
		ok = write_hour(l, cells_at(&f->hours, i), err);
	return ok;
}

static bool write_checkpoint(struct ledger *l, struct fold *f, struct error *err)
{
	bool ok = true;
	cells_sort(&f->counters, order_counters);
	for (size_t i = 0; ok && i < f->counters.count; i++)
		ok = write_counter(l, cells_at(&f->counters, i), err);
	cells_sort(&f->streams, order_u64);
	for (size_t i = 0; ok && i < f->streams.count; i++) {
		const struct fold_stream *s = cells_at(&f->streams, i);
		ok = write_stream(l, &s->stream, err);
	}
	for (size_t i = 0; ok && i < f->state_count; i++)
		ok = write_state(l, &f->states[i], err);
	return ok;
}

/* Of the series that the fold did not touch; see fold_has_value. Before the others are written: what those were
 * shown at is not to be measured by scrapes that came before it. */
static bool write_has_value(struct ledger *l, const struct fold *f, struct error *err)
{
	if (!f->has_scrape)
		return true;
	sqlite3_bind_int64(l->statements[WRITE_HAS_VALUE], 1, f->reach_ms);
	sqlite3_bind_int64(l->statements[WRITE_HAS_VALUE], 2, f->earliest_ms);
	return write_simple(l, WRITE_HAS_VALUE, err);
}

bool write_fold(struct ledger *l, struct fold *f, struct error *err)
{
	if (!write_has_value(l, f, err))
		return false;
	for (size_t i = 0; i < f->series.count; i++) {
		if (!write_series(l, cells_at(&f->series, i), err))
			return false;
	}
	return write_history(l, f, err) && write_checkpoint(l, f, err);
}

bool write_progress(struct ledger *l, const struct progress *p, struct error *err)
{
	sqlite3_stmt *row = l->statements[WRITE_PROGRESS];
	sql_bind_u64(row, 1, p->position);
	sql_bind_u64(row, 2, p->epoch_start_ns);
	sqlite3_bind_int64(row, 3, p->last_scrape_ms);
	sql_bind_u64(row, 4, p->scrape_position);
	return sql_run(row, err);
}
