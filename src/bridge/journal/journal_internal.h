/* The frame of a record and the names of segments; shared by the writer and the reader. */
#ifndef CCTM_BRIDGE_JOURNAL_JOURNAL_INTERNAL_H
#define CCTM_BRIDGE_JOURNAL_JOURNAL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/journal/journal.h"
#include "core/slice.h"

struct error;

/* A segment: 16 bytes of header, then frames. A position counts the header's bytes too, so that position
 * minus the segment's first position is the offset in its file. */
#define SEGMENT_MAGIC	    "cctmjnl1"
#define SEGMENT_HEADER_SIZE JOURNAL_SEGMENT_HEADER

/* A frame: magic (4), length (4), position (8), checksum over these and the bytes (8), bytes. Little endian.
 * The magic lets the search after damage skip most places without computing a checksum. */
#define FRAME_MAGIC	  0x6E6A6363u
#define FRAME_HEADER_SIZE 24u

struct segment {
	uint64_t first; /* position of its first byte */
	uint64_t size;	/* of the file, when listed */
};

struct segment_list {
	struct segment *items; /* sorted by position */
	size_t count;
};

char *segment_path(const char *dir, uint64_t first); /* yours */

/* The segments of `dir`; an absent directory is an empty list. Free `items`. */
bool segment_list_read(const char *dir, struct segment_list *out, struct error *err);

void segment_header_write(unsigned char out[SEGMENT_HEADER_SIZE], uint64_t first);
bool segment_header_is_valid(struct slice header, uint64_t first);

void frame_header_write(
	unsigned char out[FRAME_HEADER_SIZE], uint64_t position, struct slice record);

enum frame_check {
	FRAME_OK,
	FRAME_SHORT, /* the bytes end before the frame does */
	FRAME_BAD,
};

/* Looks at the frame at the beginning of `bytes`, which stands at `position`. */
enum frame_check frame_check(struct slice bytes, uint64_t position, struct slice *record);

/* Offset of the next valid frame in `bytes` at or behind `from`, or bytes.len when there is none.
 * `position` is that of bytes.ptr[0]. */
size_t frame_search(struct slice bytes, size_t from, uint64_t position);

#endif
