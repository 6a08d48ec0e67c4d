/* One state directory in the place of another: exchanged in one step where the file system can do that, else by two changes
 * of name, of which the first is undone by nothing: whoever goes on sees that the place is empty. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/restore_internal.h"
#include "backup/tree.h"
#include "bridge/ledger/copy.h"
#include "config/bridge_dir.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/secret.h"
#include "stack/embedded.h"

#define ID_MAX	    128
#define PENDING_MAX (ID_MAX + 4096)

/* Beside the state directory: what is laid ready is in it, under the name of the part. */
static char *beside(const char *state_dir)
{
	return mem_printf("%s.cctm-restore", state_dir);
}

static char *ready_in(const char *beside_dir)
{
	return path_join(beside_dir, backup_part_names[BACKUP_LEDGER]);
}

/* ---- laying ready ---- */

/* Files of SQLite's own that looking left; the database is whole without them. */
static void drop_looks(const char *ready)
{
	AUTO(str) char *log = path_join(ready, "ledger.db-wal");
	AUTO(str) char *index = path_join(ready, "ledger.db-shm");
	unlink(log);
	unlink(index);
}

static bool check_ready(const char *ready, struct error *err)
{
	bool is_whole = ledger_check(ready, err);
	drop_looks(ready);
	return is_whole;
}

static bool extract(const struct restore *r, const char *folder, struct error *err)
{
	const struct contents_request request = {
		.archive = r->archive, .extracts = { [BACKUP_LEDGER] = true }, .dir = folder
	};
	AUTO(contents) struct contents contents = { 0 };
	AUTO(str) char *ready = ready_in(folder);
	/* Of a stack that received nothing there is no file. */
	return contents_read(&request, &contents, err) && dir_make(ready, 0700, err) &&
	       (contents.inventory.parts[BACKUP_LEDGER].files == 0 || check_ready(ready, err));
}

static bool mark(const char *folder, const char *id, struct error *err)
{
	AUTO(str) char *ready = ready_in(folder);
	AUTO(str) char *marker = path_join(ready, LEDGER_RESTORED_FILE);
	return file_write_atomic(marker, id, strlen(id), 0600, err) && tree_sync(folder, err);
}

char *restore_prepare_ledger(const struct restore *restore, struct error *err)
{
	AUTO(str) char *folder = beside(restore->state_dir);
	char *id = secret_new(err); /* it is none: what matters is that no other is the same */
	if (id && tree_remove(folder, err) && dir_make(folder, 0700, err) &&
		extract(restore, folder, err) && mark(folder, id, err))
		return id;
	free(id);
	restore_drop_ledger(restore->state_dir);
	return NULL;
}

void restore_drop_ledger(const char *state_dir)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(str) char *folder = state_dir ? beside(state_dir) : NULL;
	if (folder && !tree_remove(folder, &ignored))
		error_clear(&ignored);
}

/* ---- taking the place ---- */

static bool has_id(const char *folder, const char *id)
{
	AUTO(str) char *marker = path_join(folder, LEDGER_RESTORED_FILE);
	AUTO(buf) struct buf text = BUF_INIT(ID_MAX);
	AUTO(error) struct error ignored = ERROR_INIT;
	return file_read(marker, &text, &ignored) > 0 && strcmp(buf_str(&text), id) == 0;
}

/* The log goes on. */
static void keep_log(const char *state_dir, const char *ready)
{
	AUTO(str) char *from = path_join(state_dir, EMBEDDED_LOG);
	AUTO(str) char *to = path_join(ready, EMBEDDED_LOG);
	(void)!link(from, to);
}

static bool exchange(
	const char *state_dir, const char *ready, const char *folder, struct error *err)
{
	if (renameat2(AT_FDCWD, ready, AT_FDCWD, state_dir, RENAME_EXCHANGE) == 0)
		return true;
	AUTO(str) char *former = path_join(folder, "former");
	if ((rename(state_dir, former) == 0 || errno == ENOENT) && rename(ready, state_dir) == 0)
		return true;
	return error_set_errno(
		err, ERR_IO, errno, "cannot put the ledger in its place, %s", state_dir);
}

/* The lock on the place, which a bridge that runs there has; *fd stays -1 where there is no place yet. */
static bool take_place(const char *state_dir, int *fd, struct error *err)
{
	AUTO(str) char *path = path_join(state_dir, BRIDGE_LOCK_FILE);
	if (access(state_dir, F_OK) < 0)
		return true;
	*fd = lock_take(path, err);
	if (*fd >= 0)
		return true;
	if (err->code == ERR_LOCKED)
		error_hint(err, "'cctm down' ends the bridge");
	return error_wrap(err, "the ledger cannot take its place");
}

static bool swap(const char *state_dir, const char *folder, const char *id, struct error *err)
{
	AUTO(str) char *ready = ready_in(folder);
	if (!has_id(ready, id))
		return true; /* it is in its place */
	AUTO(str)
	char *above = mem_strndup(state_dir, (size_t)(strrchr(state_dir, '/') - state_dir));
	AUTO(fd) int lock = -1;
	if (!take_place(state_dir, &lock, err))
		return false;
	keep_log(state_dir, ready);
	return exchange(state_dir, ready, folder, err) && dir_sync(above, err);
}

bool restore_swap_ledger(const char *dir, struct error *err)
{
	AUTO(str) char *pending = path_join(dir, RESTORE_PENDING);
	AUTO(str) char *state = path_join(dir, STATE_DIR);
	AUTO(buf) struct buf text = BUF_INIT(PENDING_MAX);
	int found = file_read(pending, &text, err);
	if (found <= 0)
		return found == 0;
	AUTO(str) char *id = mem_strndup(buf_str(&text), strcspn(buf_str(&text), "\n"));
	const char *state_dir = strchr(buf_str(&text), '/');
	if (!state_dir)
		return error_set(err, ERR_CORRUPT, "%s is damaged", pending);
	AUTO(str) char *folder = beside(state_dir);
	if (!swap(state_dir, folder, id, err))
		return false;
	if (unlink(pending) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot delete %s", pending);
	return dir_sync(state, err) && tree_remove(folder, err);
}
