#include "archive/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "archive/archive_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

struct pack {
	struct archive *archive;
	int fd, errnum; /* of the write that failed */
	uint64_t written;
};

static la_ssize_t take(struct archive *archive, void *ctx, const void *bytes, size_t len)
{
	struct pack *pack = ctx;
	size_t written;
	(void)archive;
	bool is_written = fd_write_all(pack->fd, bytes, len, &written);
	pack->written += written;
	if (!is_written)
		pack->errnum = errno;
	return is_written ? (la_ssize_t)len : -1;
}

static bool failed(const struct pack *pack, struct error *err)
{
	if (pack->errnum)
		return error_set_errno(err, ERR_IO, pack->errnum, "cannot write the archive");
	const char *why = pack->archive ? archive_lib.error(pack->archive) : NULL;
	return error_set(
		err, ERR_FAILED, "the archive cannot be written: %s", why ? why : "unknown");
}

static bool begin(struct pack *pack, enum pack_compression compression)
{
	if (!pack->archive || archive_lib.write_pax(pack->archive) != ARCHIVE_OK)
		return false;
	int added = compression == PACK_ZSTD ? archive_lib.write_zstd(pack->archive)
					     : archive_lib.write_gzip(pack->archive);
	return added == ARCHIVE_OK && archive_lib.write_pad(pack->archive, 1) == ARCHIVE_OK &&
	       archive_lib.write_open(pack->archive, pack, NULL, take, NULL) == ARCHIVE_OK;
}

struct pack *pack_open(int fd, enum pack_compression compression, struct error *err)
{
	if (!archive_load(err))
		return NULL;
	struct pack *pack = mem_zalloc(sizeof *pack);
	pack->fd = fd;
	pack->archive = archive_lib.write_new();
	if (begin(pack, compression))
		return pack;
	failed(pack, err);
	pack_free(pack);
	return NULL;
}

void pack_free(struct pack *pack)
{
	if (!pack)
		return;
	if (pack->archive)
		archive_lib.write_free(pack->archive);
	free(pack);
}

bool pack_file(struct pack *pack, const struct pack_entry *file, struct error *err)
{
	struct archive_entry *entry = archive_lib.entry_new();
	if (!entry)
		return failed(pack, err);
	archive_lib.entry_set_utf8(entry, file->path);
	archive_lib.entry_set_type(entry, S_IFREG);
	archive_lib.entry_set_mode(entry, file->mode);
	archive_lib.entry_set_uid(entry, 0);
	archive_lib.entry_set_gid(entry, 0);
	archive_lib.entry_set_mtime(entry, file->mtime_s, 0);
	archive_lib.entry_set_size(entry, file->size);
	bool is_added = archive_lib.write_header(pack->archive, entry) == ARCHIVE_OK;
	archive_lib.entry_free(entry);
	return is_added || failed(pack, err);
}

bool pack_bytes(struct pack *pack, const void *bytes, size_t len, struct error *err)
{
	return len == 0 || archive_lib.write_data(pack->archive, bytes, len) == (la_ssize_t)len ||
	       failed(pack, err);
}

bool pack_finish(struct pack *pack, struct error *err)
{
	return archive_lib.write_close(pack->archive) == ARCHIVE_OK || failed(pack, err);
}

uint64_t pack_written(const struct pack *pack)
{
	return pack->written;
}
