/* A compressed tar archive written to a descriptor as it is made, with libarchive: of any size, in little memory.
 *
 *     struct pack *pack = pack_open(fd, PACK_ZSTD, err);
 *     if (!pack || !pack_file(pack, &file, err) || !pack_bytes(pack, bytes, len, err) || !pack_finish(pack, err)) …
 *     pack_free(pack);
 */
#ifndef CCTM_ARCHIVE_PACK_H
#define CCTM_ARCHIVE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/cleanup.h"

struct error;
struct pack;

enum pack_compression { PACK_ZSTD, PACK_GZIP };

struct pack_entry {
	const char *path; /* relative, UTF-8 */
	int64_t size;
	mode_t mode;
	int64_t mtime_s;
};

/* `fd` is borrowed. */
struct pack *pack_open(int fd, enum pack_compression compression, struct error *err);
void pack_free(struct pack *pack); /* NULL is fine */

/* Begins a file; exactly `size` bytes follow. Owner and group are 0. */
bool pack_file(struct pack *pack, const struct pack_entry *entry, struct error *err) MUST_CHECK;
bool pack_bytes(struct pack *pack, const void *bytes, size_t len, struct error *err) MUST_CHECK;

/* All is written to the descriptor; nothing can be added afterwards. */
bool pack_finish(struct pack *pack, struct error *err) MUST_CHECK;

uint64_t pack_written(const struct pack *pack); /* bytes, compressed */

static inline void auto_pack(struct pack **pack)
{
	pack_free(*pack);
}

#endif
