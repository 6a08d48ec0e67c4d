/* The bridge's ledger and journal, which are copied as a pair while it runs. */
#include <stdlib.h>

#include "backup/part.h"
#include "backup/tree.h"
#include "bridge/ledger/copy.h"
#include "config/bridge_dir.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

#define FILES_MAX 10000

/* SQLite's own files beside the database are none of it: the copy is whole without them. */
static bool is_wanted(const char *name)
{
	return strcmp(name, "ledger.db") == 0 || str_has_suffix(name, ".log");
}

static bool count_all(struct staging *staging, const char *folder, struct error *err)
{
	AUTO(tree_list) struct tree_list list = { 0 };
	if (!tree_list(folder, FILES_MAX, &list, err))
		return false;
	for (size_t i = 0; i < list.count; i++) {
		if (is_wanted(list.items[i]) &&
			!staging_count(staging, BACKUP_LEDGER, list.items[i], 0600, err))
			return false;
	}
	return true;
}

bool part_save_ledger(const struct loaded *stack, struct staging *staging, struct error *err)
{
	AUTO(str) char *state = bridge_dir(stack->dir, &stack->config);
	AUTO(str) char *folder = staging_folder(staging, BACKUP_LEDGER, err);
	if (!folder || !tree_has_room(folder, tree_bytes(state), err))
		return false;
	int copied = ledger_copy(state, folder, err);
	if (copied == 0)
		inventory_note(&staging->inventory, BACKUP_LEDGER, "nothing was received yet");
	return copied >= 0 && (copied == 0 || ledger_check(folder, err)) &&
	       count_all(staging, folder, err);
}
