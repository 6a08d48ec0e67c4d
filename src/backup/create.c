#include "backup/create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/examine.h"
#include "backup/part.h"
#include "backup/staging.h"
#include "backup/store.h"
#include "backup/tree.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/zone.h"

#define STAGING STATE_DIR "/backup-staging"
#define CHUNK	(1 << 18)
#define SPARE	(16 << 20) /* bytes beside the files: manifest, padding */

struct writing {
	const struct create_request *request;
	struct staging *staging;
	struct pack *pack;
	int64_t now_ms, done;
};

static void tell(const struct create_request *request, const char *what, int64_t done, int64_t all)
{
	if (request->progress)
		request->progress(request->ctx, what, done, all);
}

void create_want_all(const struct loaded *stack, bool wants[BACKUP_PARTS])
{
	for (enum backup_part part = 0; part < BACKUP_PARTS; part++)
		wants[part] = part_exists(stack, part);
}

/* ---- laying ready ---- */

static void describe(const struct loaded *stack, int64_t now_ms, struct inventory *inventory)
{
	char at[ZONE_TEXT_MAX];
	zone_rfc3339(now_ms, at);
	inventory->cctm = mem_strdup(CCTM_VERSION);
	inventory->made_at = mem_strdup(at);
	inventory->project = mem_strdup(config_text(&stack->config, "project"));
	inventory->runtime = mem_strdup(runtime_name(stack->runtime));
	inventory->ingest = mem_strdup(config_text(&stack->config, "ingest"));
	for (enum service s = 0; s < SERVICE_COUNT && stack->runtime == RUNTIME_DOCKER; s++) {
		AUTO(str) char *key = mem_printf("images.%s", service_rows[s].key);
		if (service_is_used(&stack->config, s))
			inventory->images[s] = mem_strdup(config_text(&stack->config, key));
	}
}

static void save_part(
	const struct create_request *request, struct staging *staging, enum backup_part part)
{
	AUTO(error) struct error why = ERROR_INIT;
	struct inventory_part *row = &staging->inventory.parts[part];
	tell(request, backup_part_names[part], 0, 0);
	row->state = BACKUP_SAVED;
	if (part_save(part, request->stack, staging, &why))
		return;
	staging_drop(staging, part);
	row->state = BACKUP_FAILED;
	staging->inventory.is_partial = true;
	inventory_note(&staging->inventory, part, "%s", why.message);
}

static bool save_parts(
	const struct create_request *request, struct staging *staging, struct error *err)
{
	size_t saved = 0;
	for (enum backup_part part = 0; part < BACKUP_PARTS; part++) {
		if (request->wants[part])
			save_part(request, staging, part);
		saved += staging->inventory.parts[part].state == BACKUP_SAVED;
	}
	if (saved)
		return true;
	for (enum backup_part part = 0; part < BACKUP_PARTS; part++) {
		const struct inventory_part *row = &staging->inventory.parts[part];
		if (row->state == BACKUP_FAILED && !error_is_set(err))
			error_set(err, ERR_FAILED, "%s: %s", backup_part_names[part],
				row->note_count ? row->notes[0] : "it cannot be read");
	}
	return error_is_set(err) ? error_wrap(err, "no part could be saved")
				 : error_set(err, ERR_USAGE, "no part is to be saved");
}

/* ---- writing ---- */

static bool pack_staged(struct writing *w, const struct inventory_file *file, struct error *err)
{
	const struct pack_entry entry = { .path = file->path,
		.size = file->size,
		.mode = file->mode,
		.mtime_s = w->now_ms / 1000 };
	AUTO(str) char *path = path_join(w->staging->dir, file->path);
	AUTO(fd) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	unsigned char *chunk = mem_alloc(CHUNK);
	bool ok = fd >= 0 || error_set_errno(err, ERR_IO, errno, "cannot open %s", path);
	ok = ok && pack_file(w->pack, &entry, err);
	ssize_t n = 1;
	while (ok && (n = read(fd, chunk, CHUNK)) > 0) {
		ok = pack_bytes(w->pack, chunk, (size_t)n, err);
		w->done += n;
		tell(w->request, "writing", w->done, w->staging->inventory.bytes);
	}
	free(chunk);
	return ok && (n == 0 || error_set_errno(err, ERR_IO, errno, "cannot read %s", path));
}

static bool pack_all(struct writing *w, struct error *err)
{
	const struct inventory *inventory = &w->staging->inventory;
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	inventory_print(inventory, &text);
	const struct pack_entry entry = { .path = INVENTORY_NAME,
		.size = (int64_t)text.len,
		.mode = 0600,
		.mtime_s = w->now_ms / 1000 };
	if (!pack_file(w->pack, &entry, err) || !pack_bytes(w->pack, text.data, text.len, err))
		return false;
	for (size_t i = 0; i < inventory->count; i++) {
		if (!pack_staged(w, &inventory->files[i], err))
			return false;
	}
	return pack_finish(w->pack, err);
}

static bool write_archive(struct writing *w, const char *path, struct error *err)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return error_set_errno(err, ERR_IO, errno, "cannot delete %s", path);
	AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot make %s", path);
	AUTO(pack) struct pack *pack = pack_open(fd, w->request->compression, err);
	w->pack = pack;
	return pack && pack_all(w, err) &&
	       (fsync(fd) == 0 ||
		       error_set_errno(err, ERR_IO, errno, "cannot write %s to disk", path));
}

/* ---- reading back ---- */

static bool count_read(void *ctx, struct slice bytes, struct error *err)
{
	struct writing *w = ctx;
	(void)err;
	w->done += (int64_t)bytes.len;
	tell(w->request, "reading it back", w->done, w->staging->inventory.bytes);
	return true;
}

static bool read_back(struct writing *w, const char *path, struct created *out, struct error *err)
{
	const struct examine_visitor visitor = { .ctx = w, .bytes = count_read };
	struct stat st;
	w->done = 0;
	if (!examine_file(path, &visitor, &out->inventory, err))
		return error_wrap(err, "the archive that was written is not right");
	if (stat(path, &st) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot look at %s", path);
	out->bytes = st.st_size;
	return true;
}

/* ---- the whole ---- */

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? mem_strndup(path, slash == path ? 1 : (size_t)(slash - path))
		     : mem_strdup(".");
}

/* Beside it, so that the last step is a change of name. */
static char *temporary_of(const char *path)
{
	AUTO(str) char *folder = folder_of(path);
	const char *slash = strrchr(path, '/');
	return mem_printf("%s/.%s.cctm-new", folder, slash ? slash + 1 : path);
}

static bool give_name(const char *temporary, const char *path, struct error *err)
{
	AUTO(str) char *folder = folder_of(path);
	if (link(temporary, path) == 0)
		unlink(temporary);
	else if (errno == EEXIST)
		return error_set(err, ERR_REFUSED, "%s is there already", path);
	else if (rename(temporary, path) < 0) /* not every file system has second names */
		return error_set_errno(err, ERR_IO, errno, "cannot give %s its name", path);
	return dir_sync(folder, err);
}

static bool write_checked(
	struct writing *w, const char *temporary, struct created *out, struct error *err)
{
	AUTO(str) char *folder = folder_of(out->path);
	return tree_has_room(folder, (uint64_t)w->staging->inventory.bytes + SPARE, err) &&
	       write_archive(w, temporary, err) && read_back(w, temporary, out, err) &&
	       give_name(temporary, out->path, err);
}

static bool choose_path(
	const struct create_request *request, int64_t now_ms, char **out, struct error *err)
{
	struct stat st;
	if (!request->path) {
		AUTO(str) char *store = store_open(request->stack->dir, err);
		*out = store ? store_new_path(store,
				       config_text(&request->stack->config, "project"),
				       request->compression, now_ms)
			     : NULL;
		return store != NULL;
	}
	*out = mem_strdup(request->path);
	if (lstat(request->path, &st) < 0)
		return true;
	error_set(err, ERR_REFUSED, "%s is there already", request->path);
	return error_hint(err, "name another file with --output");
}

bool backup_create(const struct create_request *request, struct created *out, struct error *err)
{
	AUTO(staging) struct staging staging = { 0 };
	AUTO(str) char *staging_dir = path_join(request->stack->dir, STAGING);
	struct writing w = { .request = request, .staging = &staging, .now_ms = clock_wall_ms() };
	*out = (struct created){ 0 };
	if (!choose_path(request, w.now_ms, &out->path, err))
		return false;
	if (!staging_open(&staging, staging_dir, err))
		return false;
	describe(request->stack, w.now_ms, &staging.inventory);
	AUTO(str) char *temporary = temporary_of(out->path);
	if (save_parts(request, &staging, err) && write_checked(&w, temporary, out, err))
		return true;
	unlink(temporary);
	created_clear(out);
	return false;
}

void created_clear(struct created *created)
{
	free(created->path);
	inventory_clear(&created->inventory);
	*created = (struct created){ 0 };
}
