/* Segments and frames: naming, listing, checking, finding the next good frame after damage. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "bridge/journal/journal.h"
#include "bridge/journal/journal_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

static void store32(unsigned char *to, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> (8 * i));
}

static void store64(unsigned char *to, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		to[i] = (unsigned char)(value >> (8 * i));
}

static uint32_t load32(const unsigned char *from)
{
	uint32_t value = 0;
	for (unsigned i = 0; i < 4; i++)
		value |= (uint32_t)from[i] << (8 * i);
	return value;
}

static uint64_t load64(const unsigned char *from)
{
	return load32(from) | (uint64_t)load32(from + 4) << 32;
}

char *segment_path(const char *dir, uint64_t first)
{
	char name[64];
	snprintf(name, sizeof name, "journal-%016" PRIx64 ".log", first);
	return path_join(dir, name);
}

static bool parse_name(const char *name, uint64_t *first)
{
	int end = 0;
	if (sscanf(name, "journal-%16" SCNx64 ".log%n", first, &end) != 1)
		return false;
	return end == (int)strlen("journal-0123456789abcdef.log") && name[end] == '\0';
}

static int by_first(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;
	return (x->first > y->first) - (x->first < y->first);
}

bool segment_list_read(const char *dir, struct segment_list *out, struct error *err)
{
	DIR *d = opendir(dir);
	if (!d && errno != ENOENT)
		return error_set_errno(err, ERR_IO, errno, "cannot list %s", dir);
	struct segment_list list = { 0 };
	size_t room = 0;
	const struct dirent *entry;
	while (d && (entry = readdir(d))) {
		uint64_t first;
		if (!parse_name(entry->d_name, &first))
			continue;
		AUTO(str) char *path = segment_path(dir, first);
		struct stat st;
		if (stat(path, &st) < 0)
			continue; /* released meanwhile */
		list.items = mem_grow(list.items, &room, list.count + 1, sizeof *list.items);
		list.items[list.count++] = (struct segment){ first, (uint64_t)st.st_size };
	}
	if (d)
		closedir(d);
	if (list.count)
		qsort(list.items, list.count, sizeof *list.items, by_first);
	*out = list;
	return true;
}

void segment_header_write(unsigned char out[SEGMENT_HEADER_SIZE], uint64_t first)
{
	memcpy(out, SEGMENT_MAGIC, 8);
	store64(out + 8, first);
}

bool segment_header_is_valid(struct slice header, uint64_t first)
{
	return header.len >= SEGMENT_HEADER_SIZE && memcmp(header.ptr, SEGMENT_MAGIC, 8) == 0 &&
	       load64(header.ptr + 8) == first;
}

static uint64_t frame_checksum(uint64_t position, struct slice record)
{
	/* The length is part of what XXH3 digests; the position goes in as the seed. */
	return XXH3_64bits_withSeed(record.ptr, record.len, position);
}

void frame_header_write(
	unsigned char out[FRAME_HEADER_SIZE], uint64_t position, struct slice record)
{
	store32(out, FRAME_MAGIC);
	store32(out + 4, (uint32_t)record.len);
	store64(out + 8, position);
	store64(out + 16, frame_checksum(position, record));
}

enum frame_check frame_check(struct slice bytes, uint64_t position, struct slice *record)
{
	if (bytes.len < FRAME_HEADER_SIZE)
		return FRAME_SHORT;
	if (load32(bytes.ptr) != FRAME_MAGIC || load64(bytes.ptr + 8) != position)
		return FRAME_BAD;
	size_t len = load32(bytes.ptr + 4);
	if (len > JOURNAL_RECORD_MAX)
		return FRAME_BAD;
	if (len > bytes.len - FRAME_HEADER_SIZE)
		return FRAME_SHORT;
	*record = slice_of(bytes.ptr + FRAME_HEADER_SIZE, len);
	return frame_checksum(position, *record) == load64(bytes.ptr + 16) ? FRAME_OK : FRAME_BAD;
}

size_t frame_search(struct slice bytes, size_t from, uint64_t position)
{
	unsigned char magic[4];
	store32(magic, FRAME_MAGIC);
	while (from < bytes.len) {
		const unsigned char *hit =
			memmem(bytes.ptr + from, bytes.len - from, magic, sizeof magic);
		if (!hit)
			return bytes.len;
		from = (size_t)(hit - bytes.ptr);
		struct slice record;
		if (frame_check(slice_of(hit, bytes.len - from), position + from, &record) ==
			FRAME_OK)
			return from;
		from++;
	}
	return bytes.len;
}
