/* A copy of a state directory's ledger and journal that belong together, also while the bridge writes.
 *
 * The database is copied in one read transaction, at its position. The segments of the journal are opened before that, so
 * that one which is released meanwhile can still be read, and copied after it: what was acknowledged before the call is
 * in the copy. The last segment ends behind a whole record.
 *
 * Whoever puts a copy in the place of a state directory lays LEDGER_RESTORED_FILE beside it: the bridge then begins a new
 * epoch, for scrapers may have been shown higher counters, and removes the file.
 */
#ifndef CCTM_BRIDGE_LEDGER_COPY_H
#define CCTM_BRIDGE_LEDGER_COPY_H

#include <stdbool.h>

#include "core/cleanup.h"

struct error;

#define LEDGER_RESTORED_FILE "ledger-restored"

/* Into `to`, an empty directory that is there. 1: copied, 0: there is nothing in `dir`, -1: error. */
int ledger_copy(const char *dir, const char *to, struct error *err) MUST_CHECK;

/* Is the database whole, page by page, of a version this program knows, and can its journal be read? Nothing is changed;
 * SQLite may leave files of its own beside it. */
bool ledger_check(const char *dir, struct error *err) MUST_CHECK;

#endif
