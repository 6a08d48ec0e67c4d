#include "backup/examine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "archive/unpack.h"
#include "core/error.h"
#include "core/mem.h"

#define CHUNK 65536

/* A bomb: few bytes that become many. SQLite's pages and JSON shrink to a twentieth, seldom to a hundredth. */
#define RATIO_MAX  500
#define RATIO_FROM ((uint64_t)64 << 20) /* so much may come of anything */

struct reading {
	struct unpack *unpack;
	const struct examine_visitor *visitor;
	uint64_t unpacked;
};

static bool take(struct reading *r, size_t len, struct error *err)
{
	r->unpacked += len;
	if (r->unpacked > RATIO_FROM && r->unpacked / RATIO_MAX > unpack_consumed(r->unpack))
		return error_set(err, ERR_REFUSED,
			"it becomes more than %d times as large when it is unpacked", RATIO_MAX);
	return true;
}

/* 1: a file named `path`; 0: the end. */
static int next_file(
	struct reading *r, const char *path, struct unpack_entry *entry, struct error *err)
{
	int got = unpack_next(r->unpack, entry, err);
	if (got <= 0)
		return got;
	const char *name = entry->path ? entry->path : "a name that is not UTF-8";
	if (!path)
		error_set(err, ERR_REFUSED, "it holds more than its manifest lists: %.200s", name);
	else if (strcmp(name, path) != 0)
		error_set(err, ERR_REFUSED, "where its manifest lists %s it holds %.200s", path,
			name);
	else if (!entry->is_file)
		error_set(err, ERR_REFUSED, "%s in it is no file", path);
	return error_is_set(err) ? -1 : 1;
}

static bool read_inventory(struct reading *r, struct inventory *out, struct error *err)
{
	struct unpack_entry entry;
	AUTO(buf) struct buf text = BUF_INIT(INVENTORY_MAX);
	unsigned char chunk[CHUNK];
	ssize_t n;
	int got = next_file(r, INVENTORY_NAME, &entry, err);
	if (got <= 0)
		return got < 0 ? false : error_set(err, ERR_CORRUPT, "it is empty");
	while ((n = unpack_read(r->unpack, chunk, sizeof chunk, err)) > 0) {
		if (!buf_append(&text, chunk, (size_t)n))
			return error_set(err, ERR_REFUSED, "its manifest is larger than %d bytes",
				INVENTORY_MAX);
	}
	return n == 0 && inventory_parse(buf_slice(&text), out, err);
}

static bool read_bytes(struct reading *r, const struct inventory_file *file, struct error *err)
{
	unsigned char chunk[CHUNK];
	char sum[SHA256_DIGITS + 1];
	struct sha256 hash;
	int64_t size = 0;
	ssize_t n;
	sha256_init(&hash);
	while ((n = unpack_read(r->unpack, chunk, sizeof chunk, err)) > 0) {
		size += n;
		if (size > file->size)
			break;
		sha256_add(&hash, chunk, (size_t)n);
		if (!take(r, (size_t)n, err) ||
			(r->visitor->bytes && !r->visitor->bytes(r->visitor->ctx,
						      slice_of(chunk, (size_t)n), err)))
			return false;
	}
	if (n < 0)
		return error_wrap(err, "%s", file->path);
	sha256_hex(&hash, sum);
	if (size != file->size || strcmp(sum, file->sha256) != 0)
		return error_set(err, ERR_CORRUPT, "%s is not what its manifest says (%s)",
			file->path, size != file->size ? "its size" : "its SHA-256");
	return true;
}

static bool read_file(struct reading *r, const struct inventory_file *file, struct error *err)
{
	const struct examine_visitor *v = r->visitor;
	struct unpack_entry entry;
	int got = next_file(r, file->path, &entry, err);
	if (got < 0)
		return false;
	if (got == 0)
		return error_set(err, ERR_CORRUPT, "it ends before %s", file->path);
	return (!v->begin || v->begin(v->ctx, file, err)) && read_bytes(r, file, err) &&
	       (!v->end || v->end(v->ctx, file, err));
}

static bool read_all(struct reading *r, const struct inventory *inventory, struct error *err)
{
	const struct examine_visitor *v = r->visitor;
	struct unpack_entry entry;
	if (v->inventory && !v->inventory(v->ctx, inventory, err))
		return false;
	for (size_t i = 0; i < inventory->count; i++) {
		if (!read_file(r, &inventory->files[i], err))
			return false;
	}
	return next_file(r, NULL, &entry, err) == 0;
}

bool examine(struct unpack *unpack, const struct examine_visitor *visitor, struct inventory *out,
	struct error *err)
{
	struct reading reading = { .unpack = unpack, .visitor = visitor };
	*out = (struct inventory){ 0 };
	if (!read_inventory(&reading, out, err))
		return false;
	if (read_all(&reading, out, err))
		return true;
	inventory_clear(out);
	return false;
}

/* NULL: error; the descriptor is yours all the same. */
static struct unpack *open_archive(const char *path, int *fd, struct error *err)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd >= 0)
		return unpack_fd(*fd, err);
	error_set_errno(err, ERR_IO, errno, "it cannot be opened");
	return NULL;
}

bool examine_file(const char *path, const struct examine_visitor *visitor, struct inventory *out,
	struct error *err)
{
	AUTO(fd) int fd = -1;
	AUTO(unpack) struct unpack *unpack = open_archive(path, &fd, err);
	*out = (struct inventory){ 0 };
	return (unpack && examine(unpack, visitor, out, err)) || error_wrap(err, "%s", path);
}

bool examine_inventory(const char *path, struct inventory *out, struct error *err)
{
	static const struct examine_visitor nobody = { 0 };
	AUTO(fd) int fd = -1;
	AUTO(unpack) struct unpack *unpack = open_archive(path, &fd, err);
	struct reading reading = { .unpack = unpack, .visitor = &nobody };
	*out = (struct inventory){ 0 };
	return (unpack && read_inventory(&reading, out, err)) || error_wrap(err, "%s", path);
}
