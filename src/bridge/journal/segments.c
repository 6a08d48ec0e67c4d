/* Segments held open, for who copies a journal that is being written and cut. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/journal/journal.h"
#include "bridge/journal/journal_internal.h"
#include "core/error.h"
#include "core/mem.h"

static struct journal_segment_file *find(struct journal_segments *segments, uint64_t first)
{
	for (size_t i = 0; i < segments->count; i++) {
		if (segments->items[i].first == first)
			return &segments->items[i];
	}
	return NULL;
}

/* One that is gone since it was listed is none. */
static bool hold(
	const char *dir, uint64_t first, struct journal_segments *segments, struct error *err)
{
	AUTO(str) char *path = segment_path(dir, first);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ||
		       error_set_errno(err, ERR_IO, errno, "cannot open %s", path);
	segments->items = mem_grow(
		segments->items, &segments->room, segments->count + 1, sizeof *segments->items);
	struct journal_segment_file *item = &segments->items[segments->count++];
	*item = (struct journal_segment_file){ .first = first, .fd = fd };
	snprintf(item->name, sizeof item->name, "%s", strrchr(path, '/') + 1);
	return true;
}

static int by_first(const void *a, const void *b)
{
	const struct journal_segment_file *x = a, *y = b;
	return (x->first > y->first) - (x->first < y->first);
}

bool journal_segments_open(const char *dir, struct journal_segments *segments, struct error *err)
{
	struct segment_list list;
	if (!segment_list_read(dir, &list, err))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && i < list.count; i++)
		ok = find(segments, list.items[i].first) ||
		     hold(dir, list.items[i].first, segments, err);
	free(list.items);
	if (segments->count)
		qsort(segments->items, segments->count, sizeof *segments->items, by_first);
	for (size_t i = 0; ok && i < segments->count; i++) {
		struct stat st;
		ok = fstat(segments->items[i].fd, &st) == 0 ||
		     error_set_errno(err, ERR_IO, errno, "cannot look at the journal in %s", dir);
		if (ok)
			segments->items[i].size = (uint64_t)st.st_size;
	}
	return ok;
}

/* The last segments that follow each other; those before them are not needed behind a gap. */
bool journal_segments_join(struct journal_segments *segments, uint64_t position)
{
	size_t begin = segments->count;
	while (begin > 0 &&
		(begin == segments->count ||
			segments->items[begin - 1].first + segments->items[begin - 1].size ==
				segments->items[begin].first))
		begin--;
	for (size_t i = 0; i < begin; i++)
		close(segments->items[i].fd);
	if (begin)
		memmove(segments->items, segments->items + begin,
			(segments->count - begin) * sizeof *segments->items);
	segments->count -= begin;
	return position == 0 || (segments->count && segments->items[0].first <= position);
}

void journal_segments_clear(struct journal_segments *segments)
{
	for (size_t i = 0; i < segments->count; i++)
		close(segments->items[i].fd);
	free(segments->items);
	*segments = (struct journal_segments){ 0 };
}
