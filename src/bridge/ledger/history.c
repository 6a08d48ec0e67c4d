/* Rows of the database and of the tail, merged in the order they have in both. */
#include <stddef.h>
#include <string.h>

#include "bridge/ledger/history_internal.h"
#include "bridge/ledger/sql.h"
#include "core/error.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS	  INT64_C(3600000)

int history_order_minutes(const void *a, const void *b)
{
	const struct fold_minute *x = a, *y = b;
	if (x->minute != y->minute)
		return x->minute < y->minute ? -1 : 1;
	if (x->series != y->series)
		return x->series < y->series ? -1 : 1;
	return (x->part > y->part) - (x->part < y->part);
}

int history_order_hours(const void *a, const void *b)
{
	const struct fold_hour *x = a, *y = b;
	if (x->hour != y->hour)
		return x->hour < y->hour ? -1 : 1;
	if (x->session != y->session)
		return (int64_t)x->session < (int64_t)y->session ? -1 : 1;
	if (x->series != y->series)
		return x->series < y->series ? -1 : 1;
	return (x->part > y->part) - (x->part < y->part);
}

int64_t history_first_ms(const struct history *h)
{
	return h->first_minute * MINUTE_MS;
}

int64_t history_last_ms(const struct history *h)
{
	return h->last_minute * MINUTE_MS;
}

static const struct fold_series *series_item(const struct history *h, uint32_t id)
{
	return cells_find(&h->fold->series, &id);
}

const char *history_label(
	const struct history *h, const struct history_series *series, const char *name)
{
	const struct fold_series *s = series_item(h, series->id);
	return s && s->def ? series_def_label(s->def, name) : NULL;
}

/* NULL: never defined (its definition was damaged); such rows are passed over. */
static const struct history_series *series_of(const struct history *h, uint32_t id)
{
	const struct fold_series *s = series_item(h, id);
	if (!s || !s->def)
		return NULL;
	size_t offset = (size_t)((const unsigned char *)s - h->fold->series.items);
	return &h->series[offset / h->fold->series.item_size];
}

static void give_minute(
	const struct history *h, const struct fold_minute *m, history_row_fn each, void *ctx)
{
	const struct history_series *series = series_of(h, m->series);
	if (!series)
		return;
	struct history_row row = {
		.at_ms = m->minute * MINUTE_MS,
		.series = series,
		.part = m->part,
		.amount = m->hi + m->lo,
	};
	each(ctx, &row);
}

/* The first item of the tail at or behind `time`, the minute or hour that an item's uint32_t at `offset` is. */
static size_t first_at(const struct cells *items, size_t offset, int64_t time)
{
	size_t low = 0, high = items->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const unsigned char *item = cells_at(items, middle);
		uint32_t at;
		memcpy(&at, item + offset, sizeof at);
		if (at < time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A time in units of `unit`, rounded up and inside of what the tables can hold. */
static int64_t ceiling(int64_t ms, int64_t unit)
{
	if (ms <= 0)
		return 0;
	int64_t units = ms / unit + (ms % unit != 0);
	return units < UINT32_MAX ? units : UINT32_MAX;
}

/* 1: *m is the next row of the database; 0: no more. */
static int next_minute(sqlite3_stmt *row, struct fold_minute *m, struct error *err)
{
	int got = row ? sql_step(row, err) : 0;
	if (got > 0)
		*m = (struct fold_minute){
			.minute = sql_u32(row, 0),
			.series = sql_u32(row, 1),
			.part = sql_u32(row, 2),
			.hi = sqlite3_column_double(row, 3),
		};
	return got;
}

static bool prepare_range(struct history *h, sqlite3_stmt **row, const char *query, int64_t since,
	int64_t until, struct error *err)
{
	if (!h->db)
		return true;
	if (!sql_prepare(h->db, row, query, err))
		return false;
	sqlite3_bind_int64(*row, 1, since);
	sqlite3_bind_int64(*row, 2, until);
	return true;
}

bool history_minutes(struct history *h, int64_t since_ms, int64_t until_ms, history_row_fn each,
	void *ctx, struct error *err)
{
	int64_t since = ceiling(since_ms, MINUTE_MS), until = ceiling(until_ms, MINUTE_MS);
	const struct cells *tail = &h->fold->minutes;
	size_t at = first_at(tail, offsetof(struct fold_minute, minute), since);
	size_t end = first_at(tail, offsetof(struct fold_minute, minute), until);
	AUTO(statement) sqlite3_stmt *row = NULL;
	if (!prepare_range(h, &row,
		    "SELECT minute, series, part, amount FROM minutes"
		    " WHERE minute >= ?1 AND minute < ?2 ORDER BY minute, series, part",
		    since, until, err))
		return false;
	struct fold_minute stored;
	int got = next_minute(row, &stored, err);
	while (got > 0 || (got == 0 && at < end)) {
		const struct fold_minute *own = at < end ? cells_at(tail, at) : NULL;
		int order = !own ? -1 : got == 0 ? 1 : history_order_minutes(&stored, own);
		struct fold_minute m = order <= 0 ? stored : *own;
		if (order == 0)
			m.hi += own->hi + own->lo;
		give_minute(h, &m, each, ctx);
		at += order >= 0;
		if (order <= 0)
			got = next_minute(row, &stored, err);
	}
	return got == 0;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static bool give_hour(struct history *h, const struct fold_hour *hour, history_row_fn each,
	void *ctx, struct error *err)
{
	const struct history_series *series = series_of(h, hour->series);
	if (!series)
		return true;
	const struct fold_session *s = fold_session(h->fold, hour->session, err);
	if (!s)
		return false;
	struct history_session session = {
		.session = s->session,
		.text = or_empty(s->text),
		.user = or_empty(s->user),
		.terminal = or_empty(s->terminal),
		.version = or_empty(s->version),
		.first_ms = s->first_ms,
		.last_ms = s->last_ms,
		.lost = s->lost,
		.is_unknown = s->is_unknown,
	};
	struct history_row row = {
		.at_ms = hour->hour * HOUR_MS,
		.series = series,
		.part = hour->part,
		.session = &session,
		.amount = hour->hi + hour->lo,
	};
	each(ctx, &row);
	return true;
}

static int next_hour(sqlite3_stmt *row, struct fold_hour *h, struct error *err)
{
	int got = row ? sql_step(row, err) : 0;
	if (got > 0)
		*h = (struct fold_hour){
			.hour = sql_u32(row, 0),
			.session = sql_u64(row, 1),
			.series = sql_u32(row, 2),
			.part = sql_u32(row, 3),
			.hi = sqlite3_column_double(row, 4),
		};
	return got;
}

bool history_session_hours(struct history *h, int64_t since_ms, int64_t until_ms,
	history_row_fn each, void *ctx, struct error *err)
{
	int64_t since = ceiling(since_ms, HOUR_MS), until = ceiling(until_ms, HOUR_MS);
	const struct cells *tail = &h->fold->hours;
	size_t at = first_at(tail, offsetof(struct fold_hour, hour), since);
	size_t end = first_at(tail, offsetof(struct fold_hour, hour), until);
	AUTO(statement) sqlite3_stmt *row = NULL;
	if (!prepare_range(h, &row,
		    "SELECT hour, session, series, part, amount FROM session_hours"
		    " WHERE hour >= ?1 AND hour < ?2 ORDER BY hour, session, series, part",
		    since, until, err))
		return false;
	struct fold_hour stored;
	int got = next_hour(row, &stored, err);
	while (got > 0 || (got == 0 && at < end)) {
		const struct fold_hour *own = at < end ? cells_at(tail, at) : NULL;
		int order = !own ? -1 : got == 0 ? 1 : history_order_hours(&stored, own);
		struct fold_hour hour = order <= 0 ? stored : *own;
		if (order == 0)
			hour.hi += own->hi + own->lo;
		if (!give_hour(h, &hour, each, ctx, err))
			return false;
		at += order >= 0;
		if (order <= 0)
			got = next_hour(row, &stored, err);
	}
	return got == 0;
}
