/* Reading a journal, from any position, also while it is written.
 *
 * A window of the segment is kept in a buffer; mapping the file instead would be shorter, but mapped pages
 * count as resident and the bridge promises a small resident size. At damage the rest of the segment is
 * loaded and searched for the next good frame. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "bridge/journal/journal.h"
#include "bridge/journal/journal_internal.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"

#define WINDOW_STEP ((size_t)64 << 10)

struct journal_reader {
	char *dir;
	int fd; /* -1: none open */
	uint64_t segment_first;
	uint64_t position; /* of the next frame */
	struct buf window; /* bytes of the segment from `position` minus `window_used` on */
	size_t window_used;
	unsigned skipped;
};

/* The segment that holds `position`, else the first behind it. 0: none. */
static int choose_segment(
	const char *dir, uint64_t position, struct segment *out, struct error *err)
{
	struct segment_list list;
	if (!segment_list_read(dir, &list, err))
		return -1;
	int found = 0;
	for (size_t i = 0; i < list.count; i++) {
		bool holds = list.items[i].first <= position;
		if (holds || !found)
			*out = list.items[i];
		found = 1;
		if (!holds)
			break;
	}
	free(list.items);
	return found;
}

static bool open_segment(struct journal_reader *r, uint64_t first, struct error *err)
{
	AUTO(str) char *path = segment_path(r->dir, first);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot open %s", path);
	if (r->fd >= 0)
		close(r->fd);
	r->fd = fd;
	r->segment_first = first;
	if (r->position < first + SEGMENT_HEADER_SIZE)
		r->position = first + SEGMENT_HEADER_SIZE;
	r->window.len = 0;
	r->window_used = 0;
	return true;
}

struct journal_reader *journal_reader_open(const char *dir, uint64_t position, struct error *err)
{
	struct journal_reader *r = mem_zalloc(sizeof *r);
	*r = (struct journal_reader){
		.dir = mem_strdup(dir),
		.fd = -1,
		.position = position,
		.window = BUF_INIT(BUF_UNLIMITED),
	};
	struct segment segment;
	int found = choose_segment(dir, position, &segment, err);
	if (found < 0 || (found && !open_segment(r, segment.first, err))) {
		journal_reader_free(r);
		return NULL;
	}
	return r;
}

static struct slice window_left(const struct journal_reader *r)
{
	if (!r->window.data)
		return slice_of("", 0);
	return slice_of(r->window.data + r->window_used, r->window.len - r->window_used);
}

/* Reads up to `len` more bytes of the segment. 1: some, 0: the file ends here, -1: error. */
static int fill(struct journal_reader *r, size_t len, struct error *err)
{
	buf_drop_front(&r->window, r->window_used);
	r->window_used = 0;
	uint64_t offset = r->position + r->window.len - r->segment_first;
	unsigned char *to = buf_reserve(&r->window, len);
	ssize_t n;
	do
		n = pread(r->fd, to, len, (off_t)offset);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		error_set_errno(err, ERR_IO, errno, "cannot read the journal in %s", r->dir);
		return -1;
	}
	buf_wrote(&r->window, (size_t)n);
	return n > 0;
}

static int fill_to_end(struct journal_reader *r, struct error *err)
{
	int more;
	while ((more = fill(r, WINDOW_STEP * 16, err)) > 0)
		;
	return more;
}

static void advance(struct journal_reader *r, size_t bytes)
{
	r->window_used += bytes;
	r->position += bytes;
}

/* Goes to the segment behind this one. 1: there, 0: none, -1: error. */
static int next_segment(struct journal_reader *r, struct error *err)
{
	struct segment segment;
	uint64_t behind = r->segment_first + 1;
	struct segment_list list;
	if (!segment_list_read(r->dir, &list, err))
		return -1;
	int found = 0;
	for (size_t i = 0; i < list.count && !found; i++) {
		if (list.items[i].first >= behind) {
			segment = list.items[i];
			found = 1;
		}
	}
	free(list.items);
	if (!found)
		return 0;
	/* Frames may have been added here before the next segment began. */
	if (r->fd >= 0 && segment.first > r->position) {
		struct slice left = window_left(r);
		int more = fill(r, WINDOW_STEP, err);
		if (more < 0)
			return -1;
		if (window_left(r).len > left.len)
			return 1;
		r->skipped++;
	}
	r->position = segment.first;
	return open_segment(r, segment.first, err) ? 1 : -1;
}

/* The frame at the window's start is short or bad and the file has no more bytes: find the next good one.
 * 1: the position moved, 0: nothing further for now, -1: error. */
static int pass_over(struct journal_reader *r, struct error *err)
{
	if (fill_to_end(r, err) < 0)
		return -1;
	struct slice left = window_left(r);
	size_t hit = left.len ? frame_search(left, 0, r->position) : 0;
	if (hit < left.len) {
		r->skipped += hit > 0;
		advance(r, hit);
		return 1;
	}
	return next_segment(r, err);
}

static int find_first_segment(struct journal_reader *r, struct error *err)
{
	struct segment segment;
	int found = choose_segment(r->dir, r->position, &segment, err);
	if (found <= 0)
		return found;
	return open_segment(r, segment.first, err) ? 1 : -1;
}

int journal_read(struct journal_reader *r, struct slice *record, uint64_t *position, uint64_t *next,
	struct error *err)
{
	if (r->fd < 0) {
		int found = find_first_segment(r, err);
		if (found <= 0)
			return found;
	}
	for (;;) {
		int go_on = -1;
		switch (frame_check(window_left(r), r->position, record)) {
		case FRAME_OK:
			*position = r->position;
			advance(r, FRAME_HEADER_SIZE + record->len);
			*next = r->position;
			return 1;
		case FRAME_SHORT:
			go_on = fill(r, WINDOW_STEP, err);
			if (go_on == 0)
				go_on = pass_over(r, err);
			break;
		case FRAME_BAD:
			go_on = pass_over(r, err);
			break;
		}
		if (go_on <= 0)
			return go_on;
	}
}

unsigned journal_reader_skipped(const struct journal_reader *r)
{
	return r->skipped;
}

void journal_reader_free(struct journal_reader *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		close(r->fd);
	buf_clear(&r->window);
	free(r->dir);
	free(r);
}
