/* The append-only, checksummed journal: what was acknowledged, in order.
 *
 * A directory of segments, journal-<first position, 16 hex digits>.log. A position is a byte offset in the
 * journal as a whole, so it names a place for ever, across segments. Each record carries its own position
 * and an XXH3 checksum over position, length and bytes; after damage the next record is found by searching
 * for a frame whose position is where it stands and whose checksum holds.
 *
 * Promises, each with a test:
 *   - what journal_append returned true for is read back by every later open, once, in order, also after
 *     kill -9 at any moment (durability os), and after power loss (durability disk, behind journal_sync);
 *   - a torn last record is cut off at open; a damaged one in the middle is copied to
 *     journal-bad-<position>.bin and passed over, and what follows is kept;
 *   - a failed append leaves the journal as it was;
 *   - that records may be missing is told by each open until it is noted, whatever dies in between: mending
 *     removes the evidence, so a file journal-broken is made before it.
 *
 * One process writes (the caller holds the directory's lock); any number read, also while it is written.
 */
#ifndef CCTM_BRIDGE_JOURNAL_JOURNAL_H
#define CCTM_BRIDGE_JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct error;
struct journal;
struct journal_reader;

#define JOURNAL_SEGMENT_SIZE ((uint64_t)16 << 20) /* a segment this large is followed by another */
#define JOURNAL_RECORD_MAX   ((size_t)64 << 20)

enum journal_durability {
	JOURNAL_OS,   /* write(2): survives the death of the process */
	JOURNAL_DISK, /* journal_sync before answering: survives power loss */
};

/* What opening found. */
struct journal_findings {
	uint64_t cut_bytes;   /* torn tail */
	unsigned bad_records; /* set aside */
	uint64_t bad_bytes;
	char first_bad_file[64]; /* "" when none */
	bool is_broken; /* records may be missing: by what this open found, or one before it that did not
			 * live to see journal_break_noted */
};

/* Opens the journal in `dir` for writing, repairing its tail. `at_least` is a position that the end must
 * not lie before (the ledger's checkpoint may have outlived the journal in a power loss): a new segment
 * begins there if it does. Segments that are missing behind it are a break too. */
struct journal *journal_open(const char *dir, uint64_t at_least, struct journal_findings *findings,
	struct error *err) MUST_CHECK;
void journal_free(struct journal *j);

/* The caller has drawn its conclusions from is_broken, durably. */
bool journal_break_noted(struct journal *j, struct error *err) MUST_CHECK;

/* One record, at most JOURNAL_RECORD_MAX bytes. False: nothing was added (disk full …). Whoever puts
 * definitions into records calls journal_rotate(j, JOURNAL_SEGMENT_SIZE) before making one, or the record
 * may be the first of a segment that lacks them. */
bool journal_append(struct journal *j, struct slice record, struct error *err) MUST_CHECK;

/* fdatasync of what was appended. */
bool journal_sync(struct journal *j, struct error *err) MUST_CHECK;
/* The same, but later segments are not synced before they end, as they are behind a journal_sync. */
bool journal_sync_once(struct journal *j, struct error *err) MUST_CHECK;

uint64_t journal_end(const struct journal *j); /* position behind the last record */

/* Changes whenever a new segment begins, so that definitions can be repeated in it. */
uint32_t journal_segment(const struct journal *j);

/* Begins a new segment if the present one holds at least `bytes`. */
bool journal_rotate(struct journal *j, uint64_t bytes, struct error *err) MUST_CHECK;

/* Deletes the segments that lie wholly before `position`. */
bool journal_release(struct journal *j, uint64_t position, struct error *err) MUST_CHECK;

uint64_t journal_bytes(const struct journal *j); /* of all segments on disk */

/* Reads from `position` on, which need not be the beginning of a segment. Where nothing so old is kept any more,
 * it begins at the oldest record, and the position of the first one read says so. */
struct journal_reader *journal_reader_open(const char *dir, uint64_t position, struct error *err)
	MUST_CHECK;

/* 1: *record (lives until the next call), *position where it begins, *next where the next one does.
 * 0: the end for now; calling again later goes on. -1: error. Damaged records are passed over and counted. */
int journal_read(struct journal_reader *r, struct slice *record, uint64_t *position, uint64_t *next,
	struct error *err) MUST_CHECK;
unsigned journal_reader_skipped(const struct journal_reader *r);
void journal_reader_free(struct journal_reader *r);

/* The segments that are there, held open, so that what is released meanwhile can still be read; for copying them. */
#define JOURNAL_SEGMENT_HEADER 16u /* bytes in front of the first record */

struct journal_segment_file {
	uint64_t first, size; /* size: as of the last call that found it */
	int fd;
	char name[40];
};

struct journal_segments {
	struct journal_segment_file *items; /* in order */
	size_t count, room;
};

/* Adds those that are not held yet. An absent directory has none. */
bool journal_segments_open(const char *dir, struct journal_segments *segments, struct error *err)
	MUST_CHECK;
/* Drops what begins another run than the last one. Does the rest reach from `position`, or from before it, without a gap? */
bool journal_segments_join(struct journal_segments *segments, uint64_t position);
void journal_segments_clear(struct journal_segments *segments);

static inline void auto_journal_segments(struct journal_segments *segments)
{
	journal_segments_clear(segments);
}

static inline void auto_journal_reader(struct journal_reader **r)
{
	if (*r)
		journal_reader_free(*r);
}

#endif
