#include "bridge/ledger/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/journal/journal.h"
#include "bridge/ledger/history_internal.h"
#include "bridge/ledger/ledger.h"
#include "bridge/ledger/sql.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

#define CHUNK	 65536
#define ATTEMPTS 5

/* ---- the database ---- */

static bool make_private(const char *path, struct error *err)
{
	AUTO(fd) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd >= 0 || error_set_errno(err, ERR_IO, errno, "cannot make %s", path);
}

/* In one go: pages that the bridge writes meanwhile are not in the read transaction. */
static bool copy_pages(sqlite3 *from, sqlite3 *to, struct error *err)
{
	sqlite3_backup *pages = sqlite3_backup_init(to, "main", from, "main");
	if (!pages)
		return sql_error(to, err);
	(void)sqlite3_backup_step(pages, -1);
	return sqlite3_backup_finish(pages) == SQLITE_OK || sql_error(to, err);
}

static bool copy_database(sqlite3 *from, const char *to_dir, struct error *err)
{
	AUTO(str) char *path = path_join(to_dir, LEDGER_FILE);
	sqlite3 *to = NULL;
	if (!make_private(path, err))
		return false;
	bool is_copied = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK
				 ? copy_pages(from, to, err)
				 : sql_error(to, err);
	sqlite3_close(to);
	return is_copied || error_wrap(err, "copying the database to %s", path);
}

/* *position: where the copy stands; 0 when there is no database yet. */
static bool copy_history(const char *dir, const char *to, uint64_t *position, struct error *err)
{
	sqlite3 *db = NULL;
	struct progress progress = { 0 };
	int found = history_open_database(dir, &db, err);
	bool is_copied = found == 0 || (found > 0 && schema_read_progress(db, &progress, err) &&
					       copy_database(db, to, err));
	sqlite3_close(db);
	*position = progress.position;
	return is_copied;
}

/* ---- the journal ---- */

static bool write_rest(int from, int to, uint64_t size, const char *path, struct error *err)
{
	unsigned char chunk[CHUNK];
	size_t written;
	for (uint64_t at = 0; at < size;) {
		size_t want = size - at < CHUNK ? (size_t)(size - at) : CHUNK;
		ssize_t n = pread(from, chunk, want, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_set_errno(
				err, ERR_IO, n ? errno : EIO, "cannot read the journal");
		if (!fd_write_all(to, chunk, (size_t)n, &written))
			return error_set_errno(err, ERR_IO, errno, "cannot write %s", path);
		at += (uint64_t)n;
	}
	return true;
}

static bool copy_segment(
	const struct journal_segments *segments, size_t i, const char *to, struct error *err)
{
	const struct journal_segment_file *segment = &segments->items[i];
	AUTO(str) char *path = path_join(to, segment->name);
	AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot make %s", path);
	return write_rest(segment->fd, fd, segment->size, path, err);
}

/* The copy of the last segment may end in the middle of what was being written. */
static bool cut_tail(const struct journal_segments *segments, const char *to, struct error *err)
{
	const struct journal_segment_file *last = &segments->items[segments->count - 1];
	AUTO(journal_reader)
	struct journal_reader *reader = journal_reader_open(to, last->first, err);
	if (!reader)
		return false;
	struct slice record;
	uint64_t position, next, end = last->first + JOURNAL_SEGMENT_HEADER;
	int got;
	while ((got = journal_read(reader, &record, &position, &next, err)) > 0)
		end = next;
	if (got < 0)
		return false;
	AUTO(str) char *path = path_join(to, last->name);
	uint64_t size = end - last->first;
	return size >= last->size || truncate(path, (off_t)size) == 0 ||
	       error_set_errno(err, ERR_IO, errno, "cannot cut %s", path);
}

static bool copy_journal(const struct journal_segments *segments, const char *to, struct error *err)
{
	for (size_t i = 0; i < segments->count; i++) {
		if (!copy_segment(segments, i, to, err))
			return false;
	}
	return segments->count == 0 || cut_tail(segments, to, err);
}

/* ---- both ---- */

static bool clear(const char *to, struct error *err)
{
	AUTO(str) char *path = path_join(to, LEDGER_FILE);
	return unlink(path) == 0 || errno == ENOENT ||
	       error_set_errno(err, ERR_IO, errno, "cannot delete %s", path);
}

/* 1: the pair stands; 0: the journal was cut in between, try again. */
static int copy_once(const char *dir, const char *to, struct error *err)
{
	AUTO(journal_segments) struct journal_segments segments = { 0 };
	uint64_t position;
	if (!journal_segments_open(dir, &segments, err) || !copy_history(dir, to, &position, err) ||
		!journal_segments_open(dir, &segments, err))
		return -1;
	if (!journal_segments_join(&segments, position))
		return 0;
	return copy_journal(&segments, to, err) ? 1 : -1;
}

static bool is_there(const char *dir, struct error *err)
{
	struct history *history = NULL;
	int found = history_open(dir, &history, err);
	history_close(history);
	return found > 0;
}

int ledger_copy(const char *dir, const char *to, struct error *err)
{
	if (!is_there(dir, err))
		return error_is_set(err) ? -1 : 0;
	for (int i = 0; i < ATTEMPTS; i++) {
		int copied = clear(to, err) ? copy_once(dir, to, err) : -1;
		if (copied)
			return copied;
	}
	error_set(err, ERR_FAILED, "the journal in %s has a gap behind the ledger", dir);
	return -1;
}

/* ---- looking at a copy ---- */

static bool check_pages(sqlite3 *db, struct error *err)
{
	AUTO(statement) sqlite3_stmt *row = NULL;
	if (!sql_prepare(db, &row, "PRAGMA integrity_check(1)", err))
		return false;
	int got = sql_step(row, err);
	if (got < 0)
		return false;
	if (got > 0 && slice_eq_str(sql_slice(row, 0), "ok"))
		return true;
	return error_set(err, ERR_CORRUPT, "the ledger is damaged: %.200s",
		got ? (const char *)sqlite3_column_text(row, 0) : "no answer");
}

/* The sums in the database are what it is for; a record that was damaged at its source is passed over, as the bridge
 * does. */
static bool check_history(const char *dir, struct error *err)
{
	struct history *history = NULL;
	int found = history_open(dir, &history, err);
	history_close(history);
	return found > 0 || (found == 0 && error_set(err, ERR_CORRUPT, "there is no ledger in it"));
}

bool ledger_check(const char *dir, struct error *err)
{
	sqlite3 *db = NULL;
	int found = history_open_database(dir, &db, err);
	bool is_whole = found == 0 || (found > 0 && check_pages(db, err));
	sqlite3_close(db);
	return is_whole && check_history(dir, err);
}
