/* The contents of an archive: read whole and checked, and on the way small parts kept in memory and large ones laid into a
 * directory. What is in memory may be secret, and is wiped.
 */
#ifndef CCTM_BACKUP_CONTENTS_H
#define CCTM_BACKUP_CONTENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "backup/inventory.h"
#include "core/buf.h"
#include "core/cleanup.h"

struct error;

#define CONTENTS_FILE_MAX (8 << 20)  /* bytes of a file in memory */
#define CONTENTS_KEPT_MAX (64 << 20) /* of all of them */

struct contents_request {
	const char *archive;
	bool keeps[BACKUP_PARTS];
	/* Files of these parts become files below `dir` (0600, folders 0700), under the paths of the archive. It is an empty
	 * directory that is there. */
	bool extracts[BACKUP_PARTS];
	const char *dir;
	void *ctx;
	void (*progress)(void *ctx, int64_t done, int64_t all); /* may be NULL */
};

struct contents {
	struct inventory inventory;
	struct buf *texts; /* one a file of the inventory; empty where it was not kept */
};

/* Errors as of examine_file; what was laid into `dir` by then stays. */
bool contents_read(const struct contents_request *request, struct contents *out, struct error *err)
	MUST_CHECK;
void contents_clear(struct contents *contents);
/* The inventory, yours; the rest is cleared. */
struct inventory contents_take_inventory(struct contents *contents);

/* -1: there is none of that name. */
int contents_find(const struct contents *contents, enum backup_part part, const char *name);

static inline void auto_contents(struct contents *contents)
{
	contents_clear(contents);
}

#endif
