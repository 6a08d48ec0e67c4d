/* Shared between the files of restoring: restore.c is the whole, restore_ledger.c how one directory takes the place of
 * another. */
#ifndef CCTM_BACKUP_RESTORE_INTERNAL_H
#define CCTM_BACKUP_RESTORE_INTERNAL_H

#include <stdbool.h>

#include "backup/restore.h"

/* In the stack's directory: the id of the ledger that is to take its place, which that one has in LEDGER_RESTORED_FILE, a
 * newline, and the state directory. */
#define RESTORE_PENDING STATE_DIR "/restore-pending"

/* Lays the archive's ledger beside the state directory, checked and on disk. Its id, yours; NULL: error, and nothing is
 * left. */
char *restore_prepare_ledger(const struct restore *restore, struct error *err);
void restore_drop_ledger(const char *state_dir); /* NULL is fine */

/* It takes the place; with what is pending, as often as it is called. Refused while a bridge runs there. */
bool restore_swap_ledger(const char *dir, struct error *err) MUST_CHECK;

#endif
