/* Several files replaced as one: after a failure, a full disk or kill -9 at any moment, all of them are the
 * former ones or all are the new ones.
 *
 *     if (!transaction_recover(dir, state_dir, &outcome, err))     first, under the lock (lock_take)
 *             return false;
 *     struct transaction *t = transaction_new(dir, state_dir);
 *     transaction_put(t, "config/prometheus.yml", text, len, 0644);
 *     transaction_remove(t, "config/loki.yaml");
 *     ok = transaction_commit(t, err);
 *     transaction_free(t);
 *
 * How. The record, a file in `state_dir` that lists every step, says by its name how far it got:
 *
 *     transaction-prepared.json    new texts are being written beside their targets, each former file gets a
 *                                  second name, missing directories are made   → to be undone
 *     transaction-committed.json   the moment of truth: new texts are renamed into place, files are removed
 *                                                                              → to be completed
 *     transaction-undoing.json     a step failed: the former files are put back   → to be put back further
 *     transaction-finished.json    all is in place, second names go            → to be cleared away
 *
 * Each change of name is durable (fsync) before what it allows is done, so the same holds when the power fails.
 * A text is at no moment half in place: readers see the former file or the new one.
 *
 * Symbolic links are followed, also out of `dir`: the link stays, the file behind it is replaced. Only links
 * that belong to the user who runs this or to root are; one that somebody else laid into a shared directory is
 * refused. What was resolved is then used without following any link, so that nobody can lay one afterwards.
 *
 * What it does not do: keep owner, ACL or extended attributes (a replaced file is a new one of the user who runs
 * this), or see an edit that is made between its first step and its last.
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

/* What transaction_recover found. */
enum transaction_outcome {
	TRANSACTION_NOTHING,   /* no transaction was interrupted */
	TRANSACTION_UNDONE,    /* one was; all files are the former ones */
	TRANSACTION_COMPLETED, /* one was; all files are the new ones */
};

/* Both directories are there when it is committed; paths are relative to `dir`. */
struct transaction *transaction_new(const char *dir, const char *state_dir);
void transaction_free(struct transaction *t); /* NULL is fine */

/* Both copy what they are given and touch nothing yet. `mode` holds whatever the umask; transaction_update keeps
 * the mode of a file that is there. */
void transaction_put(
	struct transaction *t, const char *path, const void *bytes, size_t len, mode_t mode);
void transaction_update(
	struct transaction *t, const char *path, const void *bytes, size_t len, mode_t mode);

/* A file that is not there is fine. A link is removed itself; what it leads to stays. */
void transaction_remove(struct transaction *t, const char *path);

/* The mode that directory `path` gets if it has to be made for a file below it; others get 0755. */
void transaction_dir_mode(struct transaction *t, const char *path, mode_t mode);

/* True: all files are the new ones. False: all are the former ones, no leftover remains, and the error says what
 * could not be done: ERR_REFUSED for what was seen beforehand (a path that leaves `dir`, a target that is a
 * directory, two steps for one file, somebody's link), ERR_IO for the rest. If even the way back failed, the
 * error says so, the record stays and the next transaction_recover goes on. */
bool transaction_commit(struct transaction *t, struct error *err) MUST_CHECK;

/* Completes or undoes what an earlier process left behind in `state_dir`. False: the record is damaged or of
 * another directory (ERR_CORRUPT; nothing was touched), or a step failed (ERR_IO; it can be tried again). */
bool transaction_recover(const char *dir, const char *state_dir, enum transaction_outcome *outcome,
	struct error *err) MUST_CHECK;

static inline void auto_transaction(struct transaction **t)
{
	transaction_free(*t);
}

#endif
