/* A tar archive read entry by entry, with libarchive, from a descriptor or from memory: plain, or compressed with zstd or
 * gzip. It says what is there and judges nothing but that it can be read; nothing is ever written to disk.
 *
 *     while ((got = unpack_next(unpack, &entry, err)) > 0)
 *             while ((n = unpack_read(unpack, chunk, sizeof chunk, err)) > 0) …
 */
#ifndef CCTM_ARCHIVE_UNPACK_H
#define CCTM_ARCHIVE_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct error;
struct unpack;

struct unpack_entry {
	const char *path; /* UTF-8, until the next entry; NULL: it is none */
	int64_t size;	  /* as it claims; below 0: it does not */
	bool is_file;	  /* a file with bytes of its own: no folder, link or device */
};

/* Both are borrowed. */
struct unpack *unpack_fd(int fd, struct error *err);
struct unpack *unpack_bytes(struct slice bytes, struct error *err);
void unpack_free(struct unpack *unpack); /* NULL is fine */

/* 1: *entry; 0: the end; -1: error (ERR_CORRUPT: it is no archive, or cut short or damaged). */
int unpack_next(struct unpack *unpack, struct unpack_entry *entry, struct error *err) MUST_CHECK;

/* Bytes of the entry, at most `room`; 0: its end; -1: error. */
ssize_t unpack_read(struct unpack *unpack, void *bytes, size_t room, struct error *err) MUST_CHECK;

uint64_t unpack_consumed(const struct unpack *unpack); /* bytes read so far, compressed */

static inline void auto_unpack(struct unpack **unpack)
{
	unpack_free(*unpack);
}

#endif
