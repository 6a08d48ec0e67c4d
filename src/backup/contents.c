#include "backup/contents.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/examine.h"
#include "backup/tree.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

struct collecting {
	const struct contents_request *request;
	struct buf *texts;
	size_t count; /* of texts */
	const struct inventory *inventory;
	size_t index; /* of the file that is read */
	size_t kept;
	int fd; /* of the file that is laid out */
	int64_t done;
};

static int64_t extracted_bytes(const struct collecting *c)
{
	int64_t bytes = 0;
	for (size_t i = 0; i < BACKUP_PARTS; i++)
		bytes += c->request->extracts[i] ? c->inventory->parts[i].bytes : 0;
	return bytes;
}

static bool on_inventory(void *ctx, const struct inventory *inventory, struct error *err)
{
	struct collecting *c = ctx;
	c->inventory = inventory;
	c->count = inventory->count;
	c->texts = mem_calloc(inventory->count ? inventory->count : 1, sizeof *c->texts);
	for (size_t i = 0; i < inventory->count; i++)
		c->texts[i].max = CONTENTS_FILE_MAX;
	return !c->request->dir ||
	       tree_has_room(c->request->dir, (uint64_t)extracted_bytes(c), err);
}

static bool begin_file(struct collecting *c, const struct inventory_file *file, struct error *err)
{
	AUTO(str) char *path = path_join(c->request->dir, file->path);
	AUTO(str) char *folder = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
	if (!dir_make(folder, 0700, err))
		return false;
	c->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return c->fd >= 0 || error_set_errno(err, ERR_IO, errno, "cannot make %s", path);
}

static bool on_begin(void *ctx, const struct inventory_file *file, struct error *err)
{
	struct collecting *c = ctx;
	c->index = (size_t)(file - c->inventory->files);
	if (c->request->extracts[file->part])
		return begin_file(c, file, err);
	if (!c->request->keeps[file->part])
		return true;
	c->kept += (size_t)file->size;
	return (file->size <= CONTENTS_FILE_MAX && c->kept <= CONTENTS_KEPT_MAX) ||
	       error_set(err, ERR_REFUSED, "%s in it is larger than cctm saves it", file->path);
}

static bool on_bytes(void *ctx, struct slice bytes, struct error *err)
{
	struct collecting *c = ctx;
	const struct inventory_file *file = &c->inventory->files[c->index];
	size_t written;
	c->done += (int64_t)bytes.len;
	if (c->request->progress)
		c->request->progress(c->request->ctx, c->done, c->inventory->bytes);
	if (c->fd >= 0)
		return fd_write_all(c->fd, bytes.ptr, bytes.len, &written) ||
		       error_set_errno(err, ERR_IO, errno, "cannot write %s", file->path);
	return !c->request->keeps[file->part] || buf_append_slice(&c->texts[c->index], bytes) ||
	       error_set(err, ERR_REFUSED, "%s in it is too large", file->path);
}

static void close_file(struct collecting *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static bool on_end(void *ctx, const struct inventory_file *file, struct error *err)
{
	(void)file;
	(void)err;
	close_file(ctx);
	return true;
}

static void wipe(struct buf *texts, size_t count)
{
	for (size_t i = 0; texts && i < count; i++) {
		if (texts[i].data)
			explicit_bzero(texts[i].data, texts[i].len);
		buf_clear(&texts[i]);
	}
	free(texts);
}

bool contents_read(const struct contents_request *request, struct contents *out, struct error *err)
{
	struct collecting c = { .request = request, .fd = -1 };
	const struct examine_visitor visitor = { .ctx = &c,
		.inventory = on_inventory,
		.begin = on_begin,
		.bytes = on_bytes,
		.end = on_end };
	*out = (struct contents){ 0 };
	bool is_read = examine_file(request->archive, &visitor, &out->inventory, err);
	close_file(&c);
	out->texts = c.texts;
	if (is_read)
		return true;
	wipe(out->texts, c.count);
	out->texts = NULL;
	return false;
}

void contents_clear(struct contents *contents)
{
	wipe(contents->texts, contents->inventory.count);
	inventory_clear(&contents->inventory);
	*contents = (struct contents){ 0 };
}

struct inventory contents_take_inventory(struct contents *contents)
{
	struct inventory inventory = contents->inventory;
	wipe(contents->texts, inventory.count);
	*contents = (struct contents){ 0 };
	return inventory;
}

int contents_find(const struct contents *contents, enum backup_part part, const char *name)
{
	for (size_t i = 0; i < contents->inventory.count; i++) {
		const struct inventory_file *file = &contents->inventory.files[i];
		if (file->part == part && strcmp(file->name, name) == 0)
			return (int)i;
	}
	return -1;
}
