/* Several files replaced as one: after a failure, a full disk or kill -9 at any moment, all of them are the former ones or
 * all are the new ones.
 *
 *     struct transaction *t = transaction_new(dir, state_dir);
 *     transaction_put(t, "config/prometheus.yml", text, len, 0644);
 *     transaction_remove(t, "config/loki.yaml");
 *     ok = transaction_commit(t, err);
 *     transaction_free(t);
 *
 * How: (1) the list of what is to be done is written to state_dir/transaction.json; (2) every new text is written beside
 * its target and synced, and every former file gets a second name; (3) the list is renamed to committed.json, which is the
 * moment of truth; (4) the new texts are renamed into place; (5) second names and the list go away. Before (3) an
 * interrupted transaction is undone by transaction_recover, after it completed. When a step of (4) fails while the program
 * lives, the former files are put back.
 *
 * A target that is a symbolic link is followed: the link stays, the file behind it is replaced. Directories are made as
 * needed, 0755, and those stay. The caller holds a lock, and calls transaction_recover first.
 */
#ifndef CCTM_CORE_TRANSACTION_H
#define CCTM_CORE_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/cleanup.h"

struct error;
struct transaction;

#define TRANSACTION_STEPS_MAX 1000

/* Both directories are there; paths are relative to `dir`. */
struct transaction *transaction_new(const char *dir, const char *state_dir);
void transaction_free(struct transaction *t);

/* Copy what they are given. A path comes once. */
void transaction_put(
	struct transaction *t, const char *path, const void *bytes, size_t len, mode_t mode);
void transaction_remove(struct transaction *t, const char *path);

/* False: nothing has changed, and the error says what could not be done; if even the way back failed, it says so, and the
 * next transaction_recover goes on. */
bool transaction_commit(struct transaction *t, struct error *err) MUST_CHECK;

/* Completes or undoes what an earlier process left behind in `state_dir`; fine when there is nothing. */
bool transaction_recover(const char *dir, const char *state_dir, struct error *err) MUST_CHECK;

static inline void auto_transaction(struct transaction **t)
{
	transaction_free(*t);
}

#endif
