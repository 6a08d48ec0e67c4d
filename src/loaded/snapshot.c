#include "loaded/snapshot.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/transaction.h"

#define TEXT_MAX (8 << 20)

static bool add(struct snapshot *out, char *path, struct error *err)
{
	struct stat st = { 0 };
	AUTO(str) char *whole = path_join(out->dir, path);
	out->items = mem_grow(out->items, &out->room, out->count + 1, sizeof *out->items);
	struct snapshot_file *file = &out->items[out->count++];
	*file = (struct snapshot_file){ .path = path, .text = BUF_INIT(TEXT_MAX) };
	int found = file_read(whole, &file->text, err);
	file->is_there = found > 0;
	file->mode = stat(whole, &st) == 0 ? st.st_mode & 07777 : 0600;
	return found >= 0;
}

bool snapshot_take(const struct plan *plan, struct snapshot *out, struct error *err)
{
	*out = (struct snapshot){ .dir = mem_strdup(plan->dir) };
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->items[i];
		if (!add(out, mem_strdup(item->path), err) ||
			!add(out, mem_printf("%s.new", item->path), err) ||
			!add(out, manifest_generated_path(item->path), err))
			return false;
	}
	return add(out, mem_strdup(MANIFEST_PATH), err);
}

bool snapshot_restore(const struct snapshot *snapshot, struct error *err)
{
	AUTO(str) char *state = path_join(snapshot->dir, STATE_DIR);
	AUTO(transaction)
	struct transaction *transaction = transaction_new(snapshot->dir, state);
	for (size_t i = 0; i < snapshot->count; i++) {
		const struct snapshot_file *file = &snapshot->items[i];
		if (file->is_there)
			transaction_put(transaction, file->path, buf_str(&file->text),
				file->text.len, file->mode);
		else
			transaction_remove(transaction, file->path);
	}
	return transaction_commit(transaction, err);
}

void snapshot_clear(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->count; i++) {
		struct snapshot_file *file = &snapshot->items[i];
		if (file->text.data)
			explicit_bzero(file->text.data, file->text.len);
		buf_clear(&file->text);
		free(file->path);
	}
	free(snapshot->items);
	free(snapshot->dir);
	*snapshot = (struct snapshot){ 0 };
}
