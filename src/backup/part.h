/* The parts of a backup: which a stack has, and how each is laid ready. One file a part. */
#ifndef CCTM_BACKUP_PART_H
#define CCTM_BACKUP_PART_H

#include <stdbool.h>

#include "backup/staging.h"
#include "core/cleanup.h"
#include "loaded/loaded.h"

struct error;

/* Has the stack such a part? */
bool part_exists(const struct loaded *stack, enum backup_part part);

/* Into the staging; what is not saved is noted in its inventory. */
bool part_save(enum backup_part part, const struct loaded *stack, struct staging *staging,
	struct error *err) MUST_CHECK;

/* part_files.c: cctm.yaml and what was made of it, the user's own additions; .env and files with secrets. */
bool part_save_configuration(const struct loaded *stack, struct staging *staging, struct error *err)
	MUST_CHECK;
bool part_save_secrets(const struct loaded *stack, struct staging *staging, struct error *err)
	MUST_CHECK;

/* May a file of that part of an archive be laid there, below the stack's directory? */
bool part_may_write(enum backup_part part, const char *name);

/* part_ledger.c: the bridge's ledger and journal. */
bool part_save_ledger(const struct loaded *stack, struct staging *staging, struct error *err)
	MUST_CHECK;

#endif
