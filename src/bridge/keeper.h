/* The ledger's keeper: a helper thread that folds the journal into SQLite, so that the loop never waits for
 * the database. The two share files and the few numbers below, nothing else.
 */
#ifndef CCTM_BRIDGE_KEEPER_H
#define CCTM_BRIDGE_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/ledger/ledger.h"

struct error;
struct keeper;

struct keeper_status {
	struct ledger_stats stats; /* as of the last advance */
	uint64_t durable_position; /* the journal may be released up to here */
	bool is_busy;
	char problem[256]; /* "": none; of the last advance */
};

/* Takes the ledger over. */
struct keeper *keeper_start(struct ledger *ledger, int64_t retention_ms, struct error *err);

/* Folds up to `position`, soon; `also_expire` deletes what is past the retention too. */
void keeper_advance(struct keeper *k, uint64_t position, bool also_expire);

void keeper_status(struct keeper *k, struct keeper_status *out);

/* Folds up to `position`, makes it durable, ends the thread and closes the ledger. */
bool keeper_finish(struct keeper *k, uint64_t position, struct error *err);

#endif
