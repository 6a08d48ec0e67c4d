/* One snapshot: a read transaction on the database, and the journal's tail behind it folded in memory.
 *
 * The bridge may move on meanwhile, and release segments that the snapshot still needs. So the database's
 * position is read again behind the tail; if it has moved past what was read without a gap, everything is read
 * again. A database that is not there yet counts as one at position 0.
 *
 * Nothing is written and no lock of the bridge is taken. SQLite needs its -shm file to read a WAL; where it
 * cannot be made (a directory that may not be written, with no bridge running), the database is complete
 * without a WAL and is opened as immutable. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/journal/journal.h"
#include "bridge/ledger/history_internal.h"
#include "bridge/ledger/ledger.h"
#include "bridge/ledger/sql.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"

#define BUSY_TIMEOUT_MS 5000
#define ATTEMPTS	200

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

int history_open_database(const char *dir, sqlite3 **db, struct error *err)
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
	int found = history_open_database(dir, &db, err);
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
	int found = history_open_database(h->dir, &h->db, err);
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
	cells_sort(&h->fold->minutes, history_order_minutes);
	cells_sort(&h->fold->hours, history_order_hours);
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
