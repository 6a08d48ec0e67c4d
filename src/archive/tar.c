#include "archive/tar.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "archive/archive_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

#define FILE_MAX (512 << 20)

struct tar {
	struct archive *archive;
	struct buf bytes;
};

static la_ssize_t take(struct archive *archive, void *ctx, const void *bytes, size_t len)
{
	struct tar *tar = ctx;
	(void)archive;
	buf_add(&tar->bytes, bytes, len);
	return (la_ssize_t)len;
}

static bool failed(const struct tar *tar, struct error *err)
{
	const char *why = tar->archive ? archive_lib.error(tar->archive) : NULL;
	return error_set(err, ERR_FAILED, "an archive cannot be made: %s", why ? why : "unknown");
}

struct tar *tar_new(struct error *err)
{
	if (!archive_load(err))
		return NULL;
	struct tar *tar = mem_zalloc(sizeof *tar);
	tar->bytes = (struct buf)BUF_INIT(BUF_UNLIMITED);
	tar->archive = archive_lib.write_new();
	if (tar->archive && archive_lib.write_ustar(tar->archive) == ARCHIVE_OK &&
		archive_lib.write_open(tar->archive, tar, NULL, take, NULL) == ARCHIVE_OK)
		return tar;
	failed(tar, err);
	tar_free(tar);
	return NULL;
}

void tar_free(struct tar *tar)
{
	if (!tar)
		return;
	if (tar->archive)
		archive_lib.write_free(tar->archive);
	buf_clear(&tar->bytes);
	free(tar);
}

static bool add_header(struct tar *tar, const char *path, mode_t type, size_t size,
	const struct tar_attributes *attributes, struct error *err)
{
	struct archive_entry *entry = archive_lib.entry_new();
	if (!entry)
		return failed(tar, err);
	archive_lib.entry_set_path(entry, path);
	archive_lib.entry_set_type(entry, type);
	archive_lib.entry_set_mode(entry, attributes->mode);
	archive_lib.entry_set_uid(entry, attributes->uid);
	archive_lib.entry_set_gid(entry, attributes->gid);
	archive_lib.entry_set_mtime(entry, 0, 0);
	archive_lib.entry_set_size(entry, (la_int64_t)size);
	bool is_added = archive_lib.write_header(tar->archive, entry) == ARCHIVE_OK;
	archive_lib.entry_free(entry);
	return is_added || failed(tar, err);
}

bool tar_add_folder(struct tar *tar, const char *path, const struct tar_attributes *attributes,
	struct error *err)
{
	return add_header(tar, path, S_IFDIR, 0, attributes, err);
}

bool tar_add_text(struct tar *tar, const char *path, struct slice text,
	const struct tar_attributes *attributes, struct error *err)
{
	if (!add_header(tar, path, S_IFREG, text.len, attributes, err))
		return false;
	return text.len == 0 ||
	       archive_lib.write_data(tar->archive, text.ptr, text.len) == (la_ssize_t)text.len ||
	       failed(tar, err);
}

bool tar_add_file(struct tar *tar, const char *path, const char *source,
	const struct tar_attributes *attributes, struct error *err)
{
	AUTO(buf) struct buf text = BUF_INIT(FILE_MAX);
	int found = file_read(source, &text, err);
	if (found == 0)
		return error_set(err, ERR_IO, "%s is not there", source);
	return found > 0 && tar_add_text(tar, path, buf_slice(&text), attributes, err);
}

bool tar_finish(struct tar *tar, struct buf *out, struct error *err)
{
	if (archive_lib.write_close(tar->archive) != ARCHIVE_OK)
		return failed(tar, err);
	return buf_append_slice(out, buf_slice(&tar->bytes)) ||
	       error_set(err, ERR_FAILED, "the archive is larger than %zu bytes", out->max);
}
