/* An archive read from end to end, as hostile as it may be: nothing is believed that its manifest does not say, and its
 * manifest only what could have been written. Each file comes where the manifest has it, has the size and the sum that it
 * says, and is a file; anything else ends the reading. Nothing is written.
 */
#ifndef CCTM_BACKUP_EXAMINE_H
#define CCTM_BACKUP_EXAMINE_H

#include <stdbool.h>

#include "backup/inventory.h"
#include "core/cleanup.h"
#include "core/slice.h"

struct error;
struct unpack;

/* Told of what is read; each may be NULL. False ends the reading, with err set. */
struct examine_visitor {
	void *ctx;
	bool (*inventory)(void *ctx, const struct inventory *inventory, struct error *err);
	bool (*begin)(void *ctx, const struct inventory_file *file, struct error *err);
	bool (*bytes)(void *ctx, struct slice bytes, struct error *err);
	/* Its size and sum are right. */
	bool (*end)(void *ctx, const struct inventory_file *file, struct error *err);
};

/* ERR_REFUSED: it is hostile; ERR_CORRUPT: it is damaged or none; ERR_NEWER. `out` is its manifest. */
bool examine(struct unpack *unpack, const struct examine_visitor *visitor, struct inventory *out,
	struct error *err) MUST_CHECK;

/* The archive at `path`. */
bool examine_file(const char *path, const struct examine_visitor *visitor, struct inventory *out,
	struct error *err) MUST_CHECK;

/* Its manifest alone, for a list: of the rest nothing is known. */
bool examine_inventory(const char *path, struct inventory *out, struct error *err) MUST_CHECK;

#endif
