#include "archive/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/file.h"
#include "core/library.h"
#include "core/mem.h"

#define FILE_MAX (512 << 20)

/* The functions that are used, as libarchive's headers declare them. */
static struct {
	__typeof__(archive_write_new) *new;
	__typeof__(archive_write_free) *free;
	__typeof__(archive_write_close) *close;
	__typeof__(archive_write_set_format_ustar) *set_ustar;
	__typeof__(archive_write_open) *open;
	__typeof__(archive_write_header) *header;
	__typeof__(archive_write_data) *data;
	__typeof__(archive_error_string) *error;
	__typeof__(archive_entry_new) *entry_new;
	__typeof__(archive_entry_free) *entry_free;
	__typeof__(archive_entry_set_pathname) *set_path;
	__typeof__(archive_entry_set_filetype) *set_type;
	__typeof__(archive_entry_set_perm) *set_mode;
	__typeof__(archive_entry_set_size) *set_size;
	__typeof__(archive_entry_set_uid) *set_uid;
	__typeof__(archive_entry_set_gid) *set_gid;
	__typeof__(archive_entry_set_mtime) *set_mtime;
} lib;

static const struct library_symbol symbols[] = {
	{ "archive_write_new", &lib.new },
	{ "archive_write_free", &lib.free },
	{ "archive_write_close", &lib.close },
	{ "archive_write_set_format_ustar", &lib.set_ustar },
	{ "archive_write_open", &lib.open },
	{ "archive_write_header", &lib.header },
	{ "archive_write_data", &lib.data },
	{ "archive_error_string", &lib.error },
	{ "archive_entry_new", &lib.entry_new },
	{ "archive_entry_free", &lib.entry_free },
	{ "archive_entry_set_pathname", &lib.set_path },
	{ "archive_entry_set_filetype", &lib.set_type },
	{ "archive_entry_set_perm", &lib.set_mode },
	{ "archive_entry_set_size", &lib.set_size },
	{ "archive_entry_set_uid", &lib.set_uid },
	{ "archive_entry_set_gid", &lib.set_gid },
	{ "archive_entry_set_mtime", &lib.set_mtime },
};

static struct library library = { .name = "libarchive.so.13",
	.package = "Debian's package libarchive13",
	.symbols = symbols,
	.count = sizeof symbols / sizeof *symbols };

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
	const char *why = tar->archive ? lib.error(tar->archive) : NULL;
	return error_set(err, ERR_FAILED, "an archive cannot be made: %s", why ? why : "unknown");
}

struct tar *tar_new(struct error *err)
{
	if (!library_load(&library, err))
		return NULL;
	struct tar *tar = mem_zalloc(sizeof *tar);
	tar->bytes = (struct buf)BUF_INIT(BUF_UNLIMITED);
	tar->archive = lib.new();
	if (tar->archive && lib.set_ustar(tar->archive) == ARCHIVE_OK &&
		lib.open(tar->archive, tar, NULL, take, NULL) == ARCHIVE_OK)
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
		lib.free(tar->archive);
	buf_clear(&tar->bytes);
	free(tar);
}

static bool add_header(struct tar *tar, const char *path, mode_t type, size_t size,
	const struct tar_attributes *attributes, struct error *err)
{
	struct archive_entry *entry = lib.entry_new();
	if (!entry)
		return failed(tar, err);
	lib.set_path(entry, path);
	lib.set_type(entry, type);
	lib.set_mode(entry, attributes->mode);
	lib.set_uid(entry, attributes->uid);
	lib.set_gid(entry, attributes->gid);
	lib.set_mtime(entry, 0, 0);
	lib.set_size(entry, (la_int64_t)size);
	bool is_added = lib.header(tar->archive, entry) == ARCHIVE_OK;
	lib.entry_free(entry);
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
	       lib.data(tar->archive, text.ptr, text.len) == (la_ssize_t)text.len ||
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
	if (lib.close(tar->archive) != ARCHIVE_OK)
		return failed(tar, err);
	return buf_append_slice(out, buf_slice(&tar->bytes)) ||
	       error_set(err, ERR_FAILED, "the archive is larger than %zu bytes", out->max);
}
