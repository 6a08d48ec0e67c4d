/* The files of a backup laid ready, for their sizes and sums stand in front of them in the archive: a private directory, and
 * the inventory that grows with it.
 */
#ifndef CCTM_BACKUP_STAGING_H
#define CCTM_BACKUP_STAGING_H

#include <stdbool.h>
#include <sys/types.h>

#include "backup/inventory.h"
#include "core/cleanup.h"
#include "core/slice.h"

struct error;

struct staging {
	char *dir;
	struct inventory inventory;
};

/* Makes `dir` (0700), empty: what an earlier run left there goes. */
bool staging_open(struct staging *staging, const char *dir, struct error *err) MUST_CHECK;

/* Where the part's files lie; made. Yours; NULL: error. */
char *staging_folder(const struct staging *staging, enum backup_part part, struct error *err);

/* Writes a file there, and counts it. */
bool staging_add(struct staging *staging, enum backup_part part, const char *name,
	struct slice text, mode_t mode, struct error *err) MUST_CHECK;

/* Counts one that lies there. */
bool staging_count(struct staging *staging, enum backup_part part, const char *name, mode_t mode,
	struct error *err) MUST_CHECK;

/* Takes back what was counted of a part that then failed. */
void staging_drop(struct staging *staging, enum backup_part part);

/* Removes the directory. */
void staging_close(struct staging *staging);

static inline void auto_staging(struct staging *staging)
{
	staging_close(staging);
}

#endif
