/* One snapshot: a read transaction on the database, and the journal's tail behind it folded in memory.
 *
 * The bridge may move on meanwhile, and release segments that the snapshot still needs. So the database's
 * position is read again behind the tail; if it has moved past what was read without a gap, everything is read
 * again. A database that is not there yet counts as one at position 0.
 *
 * Nothing is written and no lock of the bridge is taken. SQLite needs its -shm file to read a WAL; where it
 * cannot be made (a directory that may not be written, with no bridge running), the database is complete
 * without a WAL and is opened as immutable. */
#include "bridge/ledger/history.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "bridge/journal/journal.h"
#include "bridge/ledger/ledger.h"
#include "bridge/ledger/ledger_internal.h"
#include "bridge/ledger/sql.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"

#define BUSY_TIMEOUT_MS 5000
#define ATTEMPTS	200
#define MINUTE_MS	INT64_C(60000)
#define HOUR_MS		INT64_C(3600000)

struct history {
	char *dir;
	sqlite3 *db; /* NULL: none yet */
	struct progress progress;
	struct fold *fold;
	struct history_series *series; /* one for each of fold->series, in its order */
	int64_t first_minute, last_minute;
};

/* ---- the database ---- */

/* As a URI, in which these characters mean something. */
static char *immutable_uri(const char *path)
{
	struct buf uri = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&uri, "file:");
	for (const char *at = path; *at; at++) {
		if (strchr("%?#", *at))
			buf_addf(&uri, "%%%02X", (unsigned)(unsigned char)*at);
		else
			buf_addc(&uri, *at);
	}
	buf_adds(&uri, "?immutable=1");
	return buf_detach(&uri);
}

static bool begin_reading(sqlite3 *db, int64_t *version, struct error *err)
{
	sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
	return sql_exec(db, "BEGIN", err) && schema_version(db, version, err);
}

static bool try_open(const char *name, int flags, sqlite3 **db, int64_t *version, struct error *err)
{
	int code = sqlite3_open_v2(name, db, SQLITE_OPEN_READONLY | flags, NULL);
	if (code == SQLITE_OK && begin_reading(*db, version, err))
		return true;
	if (code != SQLITE_OK)
		sql_error(*db, err);
	return false;
}

static void close_db(sqlite3 **db)
{
	sqlite3_close(*db);
	*db = NULL;
}

/* Opens the database in a read transaction. 1: open, 0: there is none, or it has no tables yet. */
static int open_snapshot(const char *dir, sqlite3 **db, struct error *err)
{
	AUTO(str) char *path = path_join(dir, LEDGER_FILE);
	AUTO(str) char *wal = mem_printf("%s-wal", path);
	*db = NULL;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	int64_t version = 0;
	bool is_open = try_open(path, 0, db, &version, err);
	int code = sqlite3_errcode(*db) & 0xff;
	if (!is_open && (code == SQLITE_CANTOPEN || code == SQLITE_READONLY) &&
		access(wal, F_OK) < 0) {
		close_db(db);
		error_clear(err);
		AUTO(str) char *uri = immutable_uri(path);
		is_open = try_open(uri, SQLITE_OPEN_URI, db, &version, err);
	}
	if (is_open && version > 0)
		return 1;
	bool is_denied = !is_open && sqlite3_system_errno(*db) == EACCES;
	close_db(db);
	if (is_open)
		return 0;
	if (is_denied)
		error_hint(err, "the user that runs the bridge may read it");
	error_wrap(err, "opening the ledger %s", path);
	return -1;
}

/* ---- the fold's base ---- */

static bool base_session(void *ctx, struct fold_session *session, struct error *err)
{
	struct history *h = ctx;
	AUTO(statement) sqlite3_stmt *row = NULL;
	if (!h->db)
		return true;
	if (!sql_prepare(h->db, &row, "SELECT " SESSION_COLUMNS " FROM sessions WHERE session = ?1",
		    err))
		return false;
	sql_bind_u64(row, 1, session->session);
	int got = sql_step(row, err);
	if (got > 0)
		session_from_row(session, row);
	return got >= 0;
}

/* Every series of the database goes into the fold before the tail does. */
static bool load_series(struct history *h, struct error *err)
{
	AUTO(statement) sqlite3_stmt *row = NULL;
	if (!h->db)
		return true;
	if (!sql_prepare(h->db, &row, "SELECT " SERIES_COLUMNS " FROM series", err))
		return false;
	AUTO(buf) struct buf labels = BUF_INIT(BUF_UNLIMITED);
	struct op_series *series = mem_zalloc(sizeof *series);
	int got;
	while ((got = sql_step(row, err)) > 0) {
		if (!series_from_row(series, row, &labels, err)) {
			got = -1;
			break;
		}
		bool is_new;
		struct fold_series *s = cells_add(&h->fold->series, &series->id, &is_new);
		s->kind = series->kind;
		s->def = series_def_new(series);
	}
	free(series);
	return got == 0;
}

/* ---- the tail ---- */

/* Folds everything behind the database. *reached is the end of the last record, as far as each began where the
 * one before ended; the header of a segment in between already counts as a gap. */
static bool fold_tail(struct history *h, uint64_t *reached, struct error *err)
{
	uint64_t from = h->progress.position, position, next;
	AUTO(journal_reader) struct journal_reader *reader = journal_reader_open(h->dir, from, err);
	if (!reader)
		return false;
	struct slice record;
	bool is_whole = true;
	int got;
	*reached = from;
	while ((got = journal_read(reader, &record, &position, &next, err)) > 0) {
		if (!fold_record(h->fold, position, record, err))
			return false;
		is_whole = is_whole && position == *reached;
		if (is_whole)
			*reached = next;
	}
	return got == 0;
}

static bool read_position(const char *dir, uint64_t *position, struct error *err)
{
	sqlite3 *db = NULL;
	struct progress progress = { 0 };
	int found = open_snapshot(dir, &db, err);
	bool ok = found == 0 || (found > 0 && schema_read_progress(db, &progress, err));
	close_db(&db);
	*position = progress.position;
	return ok;
}

/* ---- opening ---- */

static bool has_journal(const char *dir)
{
	DIR *d = opendir(dir);
	bool found = false;
	const struct dirent *entry;
	while (d && !found && (entry = readdir(d)))
		found = str_has_prefix(entry->d_name, "journal-") &&
			str_has_suffix(entry->d_name, ".log");
	if (d)
		closedir(d);
	return found;
}

static void reset(struct history *h)
{
	close_db(&h->db);
	fold_free(h->fold);
	h->fold = NULL;
	h->progress = (struct progress){ 0 };
}

/* 1: the snapshot stands; 0: the bridge moved on meanwhile, try again. */
static int take_snapshot(struct history *h, struct error *err)
{
	reset(h);
	struct fold_base base = { .ctx = h, .session = base_session };
	h->fold = fold_new(&base, FOLD_HISTORY);
	int found = open_snapshot(h->dir, &h->db, err);
	if (found < 0)
		return -1;
	if (found > 0 && !schema_read_progress(h->db, &h->progress, err))
		return -1;
	uint64_t reached = 0, position;
	bool ok = load_series(h, err) && fold_tail(h, &reached, err);
	/* Only what lies before the database's position is released: what was read up to there without a gap
	 * is everything. */
	struct error second = ERROR_INIT;
	bool is_known = read_position(h->dir, &position, &second);
	error_clear(&second);
	bool has_moved = !is_known || position != h->progress.position;
	if (!has_moved || (ok && is_known && reached >= position))
		return ok ? 1 : -1;
	error_clear(err);
	return 0;
}

static int order_minutes(const void *a, const void *b)
{
	const struct fold_minute *x = a, *y = b;
	if (x->minute != y->minute)
		return x->minute < y->minute ? -1 : 1;
	if (x->series != y->series)
		return x->series < y->series ? -1 : 1;
	return (x->part > y->part) - (x->part < y->part);
}

static int order_hours(const void *a, const void *b)
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

static const char *text_of(struct slice text)
{
	return (const char *)text.ptr;
}

static void list_series(struct history *h)
{
	const struct cells *all = &h->fold->series;
	h->series = mem_calloc(all->count ? all->count : 1, sizeof *h->series);
	for (size_t i = 0; i < all->count; i++) {
		const struct fold_series *s = cells_at(all, i);
		if (!s->def)
			continue;
		h->series[i] = (struct history_series){
			.id = s->id,
			.kind = (int)s->def->kind,
			.metric = text_of(s->def->metric),
			.family = text_of(s->def->family),
		};
	}
}

static bool find_range(struct history *h, struct error *err)
{
	int64_t first = 0, last = 0;
	if (h->db && (!sql_number(h->db, "SELECT min(minute) FROM minutes", 0, &first, err) ||
			     !sql_number(h->db, "SELECT max(minute) FROM minutes", 0, &last, err)))
		return false;
	const struct cells *tail = &h->fold->minutes;
	if (tail->count) {
		const struct fold_minute *begin = cells_at(tail, 0);
		const struct fold_minute *end = cells_at(tail, tail->count - 1);
		first = first && first < begin->minute ? first : begin->minute;
		last = last > end->minute ? last : end->minute;
	}
	h->first_minute = first;
	h->last_minute = last;
	return true;
}

static bool open_history(struct history *h, struct error *err)
{
	int taken = 0;
	for (int i = 0; i < ATTEMPTS && taken == 0; i++)
		taken = take_snapshot(h, err);
	if (taken < 0)
		return false;
	if (taken == 0)
		return error_set(err, ERR_FAILED,
			"the ledger in %s moves faster than it can be read", h->dir);
	fold_settle(h->fold);
	cells_sort(&h->fold->minutes, order_minutes);
	cells_sort(&h->fold->hours, order_hours);
	list_series(h);
	return find_range(h, err);
}

/* 1: it can be read, 0: it is not there, -1: error. */
static int look_into(const char *dir, struct error *err)
{
	AUTO(str) char *inside = path_join(dir, "."); /* a file that is none says so */
	if (access(inside, R_OK | X_OK) == 0)
		return 1;
	if (errno == ENOENT)
		return 0;
	int why = errno;
	error_set_errno(err, ERR_IO, why, "cannot read the directory %s", dir);
	if (why == EACCES)
		error_hint(err, "the user that runs the bridge may read it");
	return -1;
}

int history_open(const char *dir, struct history **out, struct error *err)
{
	int found = look_into(dir, err);
	if (found <= 0)
		return found;
	AUTO(str) char *path = path_join(dir, LEDGER_FILE);
	if (access(path, F_OK) < 0 && errno == ENOENT && !has_journal(dir))
		return 0;
	struct history *h = mem_zalloc(sizeof *h);
	h->dir = mem_strdup(dir);
	if (!open_history(h, err)) {
		history_close(h);
		return -1;
	}
	*out = h;
	return 1;
}

void history_close(struct history *h)
{
	if (!h)
		return;
	reset(h);
	free(h->series);
	free(h->dir);
	free(h);
}

/* ---- reading ---- */

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
		int order = !own ? -1 : got == 0 ? 1 : order_minutes(&stored, own);
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
		int order = !own ? -1 : got == 0 ? 1 : order_hours(&stored, own);
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
