/* The write side: opening, advancing, expiring, syncing. */
#include "bridge/ledger/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/journal/journal.h"
#include "bridge/ledger/ledger_internal.h"
#include "bridge/ledger/sql.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

/* A reader holds no lock that blocks a writer in WAL mode; this is for a checkpoint at the wrong moment. */
#define BUSY_TIMEOUT_MS 5000

/* A whole check takes about 6 ms a MiB. A larger file shows its damage when a damaged page is read, which
 * leaves DAMAGED_FILE behind for the next start. */
#define CHECK_BYTES_MAX ((off_t)4 << 20)
#define DAMAGED_FILE	"ledger-damaged"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS	  INT64_C(3600000)

static const char settings[] = "PRAGMA journal_mode = WAL;"
			       "PRAGMA synchronous = NORMAL;"
			       "PRAGMA cache_size = -256;" /* KiB: part of the bridge's 8 MiB */
			       "PRAGMA mmap_size = 0;"
			       "PRAGMA journal_size_limit = 4194304;";

/* SQLite makes files by the umask; the WAL takes the mode of the database. */
static bool make_private(const char *path, struct error *err)
{
	AUTO(fd) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EEXIST)
		return error_set_errno(err, ERR_IO, errno, "cannot make %s", path);
	return true;
}

static bool check(sqlite3 *db, const char *path, struct error *err)
{
	struct stat st;
	if (stat(path, &st) < 0 || st.st_size > CHECK_BYTES_MAX)
		return true;
	AUTO(statement) sqlite3_stmt *row = NULL;
	if (!sql_prepare(db, &row, "PRAGMA quick_check(1)", err))
		return false;
	int got = sql_step(row, err);
	if (got < 0)
		return false;
	if (got == 0 || !slice_eq_str(sql_slice(row, 0), "ok"))
		return error_set(err, ERR_CORRUPT, "%s",
			got ? (const char *)sqlite3_column_text(row, 0) : "no answer");
	return true;
}

static bool open_database(struct ledger *l, const char *path, struct error *err)
{
	if (!make_private(path, err))
		return false;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	if (sqlite3_open_v2(path, &l->db, flags, NULL) != SQLITE_OK)
		return sql_error(l->db, err);
	sqlite3_busy_timeout(l->db, BUSY_TIMEOUT_MS);
	int64_t version;
	return schema_version(l->db, &version, err) && sql_exec(l->db, settings, err) &&
	       check(l->db, path, err) && schema_prepare(l->db, err) &&
	       schema_read_progress(l->db, &l->progress, err) && write_prepare(l, err);
}

bool ledger_failed(struct ledger *l, struct error *err, const char *doing)
{
	int code = sqlite3_extended_errcode(l->db) & 0xff;
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
		AUTO(str) char *path = path_join(l->dir, DAMAGED_FILE);
		struct error ignored = ERROR_INIT;
		if (!make_private(path, &ignored))
			error_clear(&ignored);
	}
	return error_wrap(err, "%s the ledger in %s", doing, l->dir);
}

static bool rename_if_there(const char *from, const char *to, struct error *err)
{
	if (rename(from, to) == 0 || errno == ENOENT)
		return true;
	return error_set_errno(err, ERR_IO, errno, "cannot rename %s to %s", from, to);
}

static bool set_aside(const char *dir, struct error *err)
{
	static const char *const suffixes[] = { "-wal", "-shm", "" };
	int64_t now = clock_wall_ms();
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		AUTO(str) char *from = mem_printf("%s/" LEDGER_FILE "%s", dir, suffixes[i]);
		AUTO(str)
		char *to = mem_printf("%s/ledger-bad-%lld.db%s", dir, (long long)now, suffixes[i]);
		if (!rename_if_there(from, to, err))
			return false;
	}
	AUTO(str) char *note = path_join(dir, DAMAGED_FILE);
	if (unlink(note) < 0 && errno != ENOENT)
		return error_set_errno(err, ERR_IO, errno, "cannot delete %s", note);
	return dir_sync(dir, err);
}

static bool is_noted_as_damaged(const char *dir)
{
	AUTO(str) char *note = path_join(dir, DAMAGED_FILE);
	return access(note, F_OK) == 0;
}

static void close_database(struct ledger *l)
{
	write_finish(l);
	sqlite3_close(l->db);
	l->db = NULL;
}

struct ledger *ledger_open(const char *dir, bool *was_lost, struct error *err)
{
	struct ledger *l = mem_zalloc(sizeof *l);
	l->dir = mem_strdup(dir);
	*was_lost = false;
	AUTO(str) char *path = path_join(dir, LEDGER_FILE);
	bool is_damaged = is_noted_as_damaged(dir);
	bool is_open = !is_damaged && open_database(l, path, err);
	if (!is_open && (is_damaged || err->code == ERR_CORRUPT)) {
		close_database(l);
		error_clear(err);
		*was_lost = true;
		is_open = set_aside(dir, err) && open_database(l, path, err);
	}
	if (is_open)
		return l;
	error_wrap(err, "opening the ledger %s", path);
	ledger_close(l);
	return NULL;
}

void ledger_close(struct ledger *l)
{
	if (!l)
		return;
	close_database(l);
	free(l->dir);
	free(l);
}

uint64_t ledger_position(const struct ledger *l)
{
	return l->progress.position;
}

/* Folds [from, to) of the journal. `reached` is the end of the last record read. */
static bool fold_journal(
	struct ledger *l, struct fold *f, uint64_t to, uint64_t *reached, struct error *err)
{
	AUTO(journal_reader)
	struct journal_reader *reader = journal_reader_open(l->dir, *reached, err);
	if (!reader)
		return false;
	while (*reached < to) {
		struct slice record;
		uint64_t position, next;
		int got = journal_read(reader, &record, &position, &next, err);
		if (got < 0)
			return false;
		if (got == 0 || position >= to)
			break;
		if (!fold_record(f, position, record, err))
			return false;
		*reached = next;
	}
	/* The caller knows that everything before `to` is written: what is left holds no record (a segment that
	 * has just begun, or a damaged place that the journal has told about). */
	if (*reached < to)
		*reached = to;
	return true;
}

static bool advance(struct ledger *l, uint64_t to, struct progress *p, struct error *err)
{
	struct fold_base base = write_base(l);
	AUTO(fold) struct fold *f = fold_new(&base, FOLD_ALL);
	f->epoch_start_ns = p->epoch_start_ns;
	f->last_scrape_ms = p->last_scrape_ms;
	f->scrape_position = p->scrape_position;
	if (!fold_journal(l, f, to, &p->position, err))
		return false;
	fold_settle(f);
	p->epoch_start_ns = f->epoch_start_ns;
	p->last_scrape_ms = f->last_scrape_ms;
	p->scrape_position = f->scrape_position;
	return write_fold(l, f, err) && write_progress(l, p, err);
}

bool ledger_advance(struct ledger *l, uint64_t position, struct error *err)
{
	if (position <= l->progress.position)
		return true;
	struct progress p = l->progress;
	if (!write_simple(l, WRITE_BEGIN, err))
		return ledger_failed(l, err, "writing");
	if (advance(l, position, &p, err) && write_simple(l, WRITE_COMMIT, err)) {
		l->progress = p;
		return true;
	}
	ledger_failed(l, err, "writing");
	struct error ignored = ERROR_INIT;
	if (!write_simple(l, WRITE_ROLLBACK, &ignored)) /* SQLite may have rolled back itself */
		error_clear(&ignored);
	return false;
}

static bool delete_before(
	struct ledger *l, const char *text, int64_t before, uint64_t *deleted, struct error *err)
{
	AUTO(statement) sqlite3_stmt *statement = NULL;
	if (!sql_prepare(l->db, &statement, text, err))
		return false;
	sqlite3_bind_int64(statement, 1, before);
	if (!sql_run(statement, err))
		return false;
	*deleted += (uint64_t)sqlite3_changes(l->db);
	return true;
}

bool ledger_expire(struct ledger *l, int64_t before_ms, uint64_t *deleted, struct error *err)
{
	/* A session goes with its last hour, so that no hour is left without one. */
	int64_t hour = before_ms / HOUR_MS;

	const struct {
		const char *text;
		int64_t before;
	} deletions[] = {
		{ "DELETE FROM minutes WHERE minute < ?1", before_ms / MINUTE_MS },
		{ "DELETE FROM session_hours WHERE hour < ?1", hour },
		{ "DELETE FROM sessions WHERE last_ms < ?1", hour * HOUR_MS },
		{ "DELETE FROM streams WHERE seen_ms < ?1", before_ms },
	};

	*deleted = 0;
	for (size_t i = 0; i < sizeof deletions / sizeof *deletions; i++) {
		if (!delete_before(l, deletions[i].text, deletions[i].before, deleted, err))
			return ledger_failed(l, err, "expiring history of");
	}
	return true;
}

/* Synchronous NORMAL leaves the newest transactions in an unsynced WAL. A checkpoint syncs it, except where
 * a reader leaves nothing to copy; so the WAL is synced by itself first. */
bool ledger_sync(struct ledger *l, struct error *err)
{
	sqlite3_file *wal = NULL;
	sqlite3_file_control(l->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
	if (wal && wal->pMethods && wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL) != SQLITE_OK)
		return error_set_errno(err, ERR_IO, errno, "cannot sync the ledger in %s", l->dir);
	int code = sqlite3_wal_checkpoint_v2(l->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	if (code != SQLITE_OK && code != SQLITE_BUSY) {
		sql_error(l->db, err);
		return ledger_failed(l, err, "syncing");
	}
	return true;
}

bool ledger_stats(struct ledger *l, struct ledger_stats *out, struct error *err)
{
	int64_t pages, page_size, series, sessions, streams, first, last;
	if (!sql_number(l->db, "PRAGMA page_count", 0, &pages, err) ||
		!sql_number(l->db, "PRAGMA page_size", 0, &page_size, err) ||
		!sql_number(l->db, "SELECT count(*) FROM series", 0, &series, err) ||
		!sql_number(l->db, "SELECT count(*) FROM sessions", 0, &sessions, err) ||
		!sql_number(l->db, "SELECT count(*) FROM streams", 0, &streams, err) ||
		!sql_number(l->db, "SELECT min(minute) FROM minutes", 0, &first, err) ||
		!sql_number(l->db, "SELECT max(minute) FROM minutes", 0, &last, err))
		return ledger_failed(l, err, "reading");
	*out = (struct ledger_stats){
		.position = l->progress.position,
		.bytes = (uint64_t)(pages * page_size),
		.series = (uint64_t)series,
		.sessions = (uint64_t)sessions,
		.streams = (uint64_t)streams,
		.first_minute = first,
		.last_minute = last,
	};
	return true;
}
