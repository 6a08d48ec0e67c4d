#include "archive/unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive_internal.h"
#include "core/error.h"
#include "core/mem.h"

#define CHUNK 65536

struct unpack {
	struct archive *archive;
	int fd;		    /* -1: from memory */
	struct slice bytes; /* the rest of them */
	int errnum;	    /* of the read that failed */
	uint64_t consumed;
	unsigned char chunk[CHUNK];
};

static la_ssize_t give(struct archive *archive, void *ctx, const void **bytes)
{
	struct unpack *unpack = ctx;
	(void)archive;
	*bytes = unpack->chunk;
	if (unpack->fd < 0) {
		size_t len = unpack->bytes.len < CHUNK ? unpack->bytes.len : CHUNK;
		*bytes = unpack->bytes.ptr;
		unpack->bytes = slice_of(unpack->bytes.ptr + len, unpack->bytes.len - len);
		unpack->consumed += len;
		return (la_ssize_t)len;
	}
	ssize_t n;
	do
		n = read(unpack->fd, unpack->chunk, CHUNK);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		unpack->errnum = errno;
	else
		unpack->consumed += (uint64_t)n;
	return n;
}

/* What libarchive says comes from the bytes and may be long. */
static bool failed(const struct unpack *unpack, struct error *err)
{
	if (unpack->errnum)
		return error_set_errno(err, ERR_IO, unpack->errnum, "cannot read the archive");
	const char *why = unpack->archive ? archive_lib.error(unpack->archive) : NULL;
	return error_set(
		err, ERR_CORRUPT, "it is no whole tar archive (%.120s)", why ? why : "unknown");
}

static bool begin(struct unpack *unpack)
{
	struct archive *archive = unpack->archive;
	return archive && archive_lib.read_tar(archive) == ARCHIVE_OK &&
	       archive_lib.read_zstd(archive) == ARCHIVE_OK &&
	       archive_lib.read_gzip(archive) == ARCHIVE_OK &&
	       archive_lib.read_open(archive, unpack, NULL, give, NULL) == ARCHIVE_OK;
}

static struct unpack *unpack_new(int fd, struct slice bytes, struct error *err)
{
	if (!archive_load(err))
		return NULL;
	struct unpack *unpack = mem_zalloc(sizeof *unpack);
	unpack->fd = fd;
	unpack->bytes = bytes;
	unpack->archive = archive_lib.read_new();
	if (begin(unpack))
		return unpack;
	failed(unpack, err);
	unpack_free(unpack);
	return NULL;
}

struct unpack *unpack_fd(int fd, struct error *err)
{
	return unpack_new(fd, (struct slice){ 0 }, err);
}

struct unpack *unpack_bytes(struct slice bytes, struct error *err)
{
	return unpack_new(-1, bytes, err);
}

void unpack_free(struct unpack *unpack)
{
	if (!unpack)
		return;
	if (unpack->archive)
		archive_lib.read_free(unpack->archive);
	free(unpack);
}

/* A warning is about what cannot be kept, such as a name's characters; the entry says so by itself. */
int unpack_next(struct unpack *unpack, struct unpack_entry *entry, struct error *err)
{
	struct archive_entry *found = NULL;
	int got = archive_lib.read_next(unpack->archive, &found);
	if (got == ARCHIVE_EOF)
		return 0;
	if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
		return failed(unpack, err) - 1;
	*entry = (struct unpack_entry){
		.path = archive_lib.entry_path(found),
		.size = archive_lib.entry_has_size(found) ? archive_lib.entry_size(found) : -1,
		.is_file = archive_lib.entry_type(found) == S_IFREG &&
			   !archive_lib.entry_hardlink(found),
	};
	return 1;
}

ssize_t unpack_read(struct unpack *unpack, void *bytes, size_t room, struct error *err)
{
	la_ssize_t n = archive_lib.read_data(unpack->archive, bytes, room);
	return n >= 0 ? (ssize_t)n : failed(unpack, err) - 1;
}

uint64_t unpack_consumed(const struct unpack *unpack)
{
	return unpack->consumed;
}
