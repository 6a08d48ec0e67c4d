/* Writing the journal. The end is found by scanning once at open; from then on it is a number in memory and
 * each append is one writev. A write that fails half-way is taken back by truncating, and until that worked
 * nothing more is appended, so a reader never meets a torn record in the middle. */
#include "bridge/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bridge/journal/journal_internal.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

#define SEGMENT_LOAD_MAX ((size_t)256 << 20)
#define BROKEN_FILE	 "journal-broken"

struct journal {
	char *dir;
	int fd;
	uint64_t segment_first;
	uint64_t end;		/* position behind the last whole record */
	uint32_t segment_count; /* segments begun or continued since open */
	bool is_synced;		/* the caller syncs: a segment is synced before the next begins */
	bool has_torn_tail;	/* bytes behind `end` are to be cut before the next append */
	uint64_t older_bytes;	/* of the segments before the present one */
};

/* Before anything is mended: whoever is killed in between must not make the next open find nothing. */
static bool mark_broken(const char *dir, struct journal_findings *findings, struct error *err)
{
	AUTO(str) char *path = path_join(dir, BROKEN_FILE);
	if (findings->is_broken)
		return true;
	findings->is_broken = true;
	return file_write_atomic(path, "", 0, 0600, err);
}

bool journal_break_noted(struct journal *j, struct error *err)
{
	AUTO(str) char *path = path_join(j->dir, BROKEN_FILE);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_set_errno(err, ERR_IO, errno, "cannot delete %s", path);
	return true;
}

static bool save_bad(const char *dir, uint64_t position, struct slice bytes,
	struct journal_findings *findings, struct error *err)
{
	char name[64];
	snprintf(name, sizeof name, "journal-bad-%016" PRIx64 ".bin", position);
	AUTO(str) char *path = path_join(dir, name);
	if (access(path, F_OK) == 0)
		return true; /* found and told before */
	if (!mark_broken(dir, findings, err) ||
		!file_write_atomic(path, bytes.ptr, bytes.len, 0600, err))
		return error_wrap(err, "set aside a damaged part of the journal");
	findings->bad_records++;
	findings->bad_bytes += bytes.len;
	if (!findings->first_bad_file[0])
		snprintf(findings->first_bad_file, sizeof findings->first_bad_file, "%s", name);
	return true;
}

/* Walks the frames of a loaded segment from `offset` on; what is damaged between two good frames is set
 * aside. *end is the offset behind the last good frame. */
static bool scan_frames(const char *dir, uint64_t first, struct slice bytes, size_t offset,
	size_t *end, struct journal_findings *findings, struct error *err)
{
	*end = offset;
	while (offset < bytes.len) {
		struct slice rest = slice_of(bytes.ptr + offset, bytes.len - offset), record;
		if (frame_check(rest, first + offset, &record) == FRAME_OK) {
			offset += FRAME_HEADER_SIZE + record.len;
			*end = offset;
			continue;
		}
		size_t good = frame_search(bytes, offset, first);
		if (good == bytes.len)
			return true;
		if (!save_bad(dir, first + offset, slice_of(bytes.ptr + offset, good - offset),
			    findings, err))
			return false;
		offset = good;
	}
	return true;
}

/* Reads a segment and checks it from `at_least` on; the last one's torn tail is cut. */
static bool check_segment(struct journal *j, uint64_t first, uint64_t at_least, bool is_last,
	struct journal_findings *findings, struct error *err)
{
	AUTO(str) char *path = segment_path(j->dir, first);
	AUTO(buf) struct buf bytes = BUF_INIT(SEGMENT_LOAD_MAX);
	if (file_read(path, &bytes, err) < 0)
		return false;
	size_t end = 0;
	if (segment_header_is_valid(buf_slice(&bytes), first)) {
		size_t from = SEGMENT_HEADER_SIZE;
		if (at_least > first + from && at_least <= first + bytes.len)
			from = (size_t)(at_least - first);
		if (!scan_frames(j->dir, first, buf_slice(&bytes), from, &end, findings, err))
			return false;
	}
	if (end == bytes.len && end > 0) {
		j->end = first + end;
		return true;
	}
	struct slice tail = slice_of(bytes.data + end, bytes.len - end), record;
	bool is_torn = is_last && frame_check(tail, first + end, &record) == FRAME_SHORT;
	if (!is_torn && tail.len && !save_bad(j->dir, first + end, tail, findings, err))
		return false;
	if (is_last) {
		findings->cut_bytes += tail.len;
		if (truncate(path, (off_t)end) < 0)
			return error_set_errno(
				err, ERR_IO, errno, "cannot cut the torn end of %s", path);
	}
	j->end = first + end;
	return true;
}

static bool begin_segment(struct journal *j, uint64_t first, struct error *err)
{
	AUTO(str) char *path = segment_path(j->dir, first);
	AUTO(fd) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot begin %s", path);
	unsigned char header[SEGMENT_HEADER_SIZE];
	segment_header_write(header, first);
	size_t written;
	if (!fd_write_all(fd, header, sizeof header, &written)) {
		int why = errno;
		unlink(path);
		return error_set_errno(err, ERR_IO, why, "cannot begin %s", path);
	}
	if (!dir_sync(j->dir, err)) {
		unlink(path);
		return false;
	}
	if (j->fd >= 0) {
		j->older_bytes += j->end - j->segment_first;
		close(j->fd);
	}
	j->fd = TAKE_FD(fd);
	j->segment_first = first;
	j->end = first + SEGMENT_HEADER_SIZE;
	j->segment_count++;
	return true;
}

static bool continue_segment(struct journal *j, uint64_t first, struct error *err)
{
	AUTO(str) char *path = segment_path(j->dir, first);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || lseek(fd, (off_t)(j->end - first), SEEK_SET) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot open %s", path);
	j->fd = fd;
	j->segment_first = first;
	j->segment_count++;
	return true;
}

static bool open_segments(
	struct journal *j, uint64_t at_least, struct journal_findings *findings, struct error *err)
{
	struct segment_list list;
	if (!segment_list_read(j->dir, &list, err))
		return false;
	bool ok = true;
	uint64_t reached = at_least;
	for (size_t i = 0; ok && i < list.count; i++) {
		bool is_last = i + 1 == list.count;
		bool is_needed = is_last || list.items[i + 1].first > at_least;
		if (is_needed) {
			bool is_gap = list.items[i].first > reached;
			ok = (!is_gap || mark_broken(j->dir, findings, err)) &&
			     check_segment(
				     j, list.items[i].first, at_least, is_last, findings, err);
			reached = list.items[i].first + list.items[i].size;
		}
		if (!is_last)
			j->older_bytes += list.items[i].size;
	}
	uint64_t last = list.count ? list.items[list.count - 1].first : 0;
	bool is_empty = list.count == 0;
	free(list.items);
	if (!ok)
		return false;
	/* What the checkpoint has seen is gone, and with it what may have followed. */
	if (j->end < at_least && !mark_broken(j->dir, findings, err))
		return false;
	if (is_empty || j->end < at_least)
		return begin_segment(j, at_least, err);
	if (j->end < last + SEGMENT_HEADER_SIZE)
		return begin_segment(j, last, err); /* its header never got whole */
	return continue_segment(j, last, err);
}

struct journal *journal_open(
	const char *dir, uint64_t at_least, struct journal_findings *findings, struct error *err)
{
	*findings = (struct journal_findings){ 0 };
	struct journal *j = mem_zalloc(sizeof *j);
	j->dir = mem_strdup(dir);
	j->fd = -1;
	AUTO(str) char *broken = path_join(dir, BROKEN_FILE);
	findings->is_broken = access(broken, F_OK) == 0;
	if (!open_segments(j, at_least, findings, err)) {
		error_wrap(err, "open the journal");
		journal_free(j);
		return NULL;
	}
	return j;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	if (j->fd >= 0)
		close(j->fd);
	free(j->dir);
	free(j);
}

/* Cuts what a failed write left behind. */
static bool mend_tail(struct journal *j, struct error *err)
{
	off_t offset = (off_t)(j->end - j->segment_first);
	if (ftruncate(j->fd, offset) < 0 || lseek(j->fd, offset, SEEK_SET) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot mend the journal's end");
	j->has_torn_tail = false;
	return true;
}

static bool write_frame(struct journal *j, struct slice record, struct error *err)
{
	unsigned char header[FRAME_HEADER_SIZE];
	frame_header_write(header, j->end, record);

	union {
		const unsigned char *in;
		void *out;
	} bytes = { .in = record.ptr };
	struct iovec parts[2] = { { header, sizeof header }, { bytes.out, record.len } };
	size_t whole = sizeof header + record.len;
	ssize_t n;
	do
		n = writev(j->fd, parts, 2);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)whole)
		return true;
	/* Short: what is left goes in further writes; the next one says why it stopped, if it did. */
	size_t done = n > 0 ? (size_t)n : 0;
	if (n >= 0) {
		size_t written = 0;
		if (done < sizeof header &&
			fd_write_all(j->fd, header + done, sizeof header - done, &written))
			done = sizeof header;
		if (done >= sizeof header &&
			fd_write_all(
				j->fd, record.ptr + (done - sizeof header), whole - done, &written))
			return true;
	}
	int why = errno;
	j->has_torn_tail = true;
	error_set_errno(err, ERR_IO, why, "cannot write the journal in %s", j->dir);
	struct error ignored = ERROR_INIT;
	if (!mend_tail(j, &ignored))
		error_clear(&ignored); /* tried again before the next append */
	return false;
}

bool journal_append(struct journal *j, struct slice record, struct error *err)
{
	if (record.len > JOURNAL_RECORD_MAX)
		return error_set(err, ERR_FAILED, "a record of %zu bytes is too large", record.len);
	if (j->has_torn_tail && !mend_tail(j, err))
		return false;
	if (!journal_rotate(j, JOURNAL_SEGMENT_SIZE, err))
		return false;
	if (!write_frame(j, record, err))
		return false;
	j->end += FRAME_HEADER_SIZE + record.len;
	return true;
}

bool journal_sync_once(struct journal *j, struct error *err)
{
	if (fdatasync(j->fd) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot sync the journal in %s", j->dir);
	return true;
}

bool journal_sync(struct journal *j, struct error *err)
{
	j->is_synced = true;
	return journal_sync_once(j, err);
}

uint64_t journal_end(const struct journal *j)
{
	return j->end;
}

uint32_t journal_segment(const struct journal *j)
{
	return j->segment_count;
}

bool journal_rotate(struct journal *j, uint64_t bytes, struct error *err)
{
	if (j->end - j->segment_first < bytes)
		return true;
	if (j->is_synced && !journal_sync(j, err))
		return false;
	return begin_segment(j, j->end, err);
}

bool journal_release(struct journal *j, uint64_t position, struct error *err)
{
	struct segment_list list;
	if (!segment_list_read(j->dir, &list, err))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && i + 1 < list.count; i++) {
		if (list.items[i + 1].first > position || list.items[i].first == j->segment_first)
			break;
		AUTO(str) char *path = segment_path(j->dir, list.items[i].first);
		if (unlink(path) < 0 && errno != ENOENT)
			ok = error_set_errno(err, ERR_IO, errno, "cannot delete %s", path);
		else if (j->older_bytes >= list.items[i].size)
			j->older_bytes -= list.items[i].size;
	}
	free(list.items);
	return ok;
}

uint64_t journal_bytes(const struct journal *j)
{
	return j->older_bytes + (j->end - j->segment_first);
}
