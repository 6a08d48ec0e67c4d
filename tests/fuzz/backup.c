/* An archive of a backup as a stranger made it: it is read to its end or refused with a reason, and what its manifest is taken
 * for can become files below a directory and reads the same when it is written again. */
#include <stdlib.h>
#include <string.h>

#include "archive/unpack.h"
#include "backup/examine.h"
#include "backup/inventory.h"
#include "core/buf.h"
#include "core/error.h"
#include "fuzz.h"

static void must(bool claim)
{
	if (!claim)
		abort();
}

static void check(const struct inventory *inventory)
{
	AUTO(buf) struct buf once = BUF_INIT(BUF_UNLIMITED), twice = BUF_INIT(BUF_UNLIMITED);
	AUTO(inventory) struct inventory again = { 0 };
	AUTO(error) struct error err = ERROR_INIT;
	int64_t bytes = 0;
	must(inventory->count <= INVENTORY_FILES_MAX);
	for (size_t i = 0; i < inventory->count; i++) {
		must(inventory_path_is_proper(inventory->files[i].path));
		must(inventory->files[i].mode <= 0777 && inventory->files[i].size >= 0);
		bytes += inventory->files[i].size;
	}
	must(bytes == inventory->bytes && bytes <= INVENTORY_BYTES_MAX);
	inventory_print(inventory, &once);
	must(inventory_parse(buf_slice(&once), &again, &err));
	inventory_print(&again, &twice);
	must(slice_eq(buf_slice(&once), buf_slice(&twice)));
}

static bool count_file(void *ctx, const struct inventory_file *file, struct error *err)
{
	size_t *files = ctx;
	(void)file;
	(void)err;
	++*files;
	return true;
}

static void read_archive(struct slice bytes)
{
	size_t files = 0;
	const struct examine_visitor visitor = { .ctx = &files, .end = count_file };
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(inventory) struct inventory inventory = { 0 };
	AUTO(unpack) struct unpack *unpack = unpack_bytes(bytes, &err);
	if (!unpack || !examine(unpack, &visitor, &inventory, &err)) {
		must(error_is_set(&err));
		return;
	}
	must(files == inventory.count);
	check(&inventory);
}

/* Sums would keep it from the manifest's finer points: those are read by themselves, too. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(inventory) struct inventory inventory = { 0 };
	if (inventory_parse(slice_of(bytes, len), &inventory, &err))
		check(&inventory);
	else
		must(error_is_set(&err));
	read_archive(slice_of(bytes, len));
	return 0;
}
