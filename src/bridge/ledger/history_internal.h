/* What the files that read share: history_snapshot.c opens it, history.c reads it, copy.c copies it. */
#ifndef CCTM_BRIDGE_LEDGER_HISTORY_INTERNAL_H
#define CCTM_BRIDGE_LEDGER_HISTORY_INTERNAL_H

#include <stdint.h>

#include "bridge/ledger/history.h"
#include "bridge/ledger/ledger_internal.h"

struct history {
	char *dir;
	sqlite3 *db; /* NULL: none yet */
	struct progress progress;
	struct fold *fold;
	struct history_series *series; /* one for each of fold->series, in its order */
	int64_t first_minute, last_minute;
};

/* Opens the database in a read transaction. 1: open, 0: there is none, or it has no tables yet; -1: error. */
int history_open_database(const char *dir, sqlite3 **db, struct error *err) MUST_CHECK;

/* The order that rows are given in; the fold's tail is sorted by it. */
int history_order_minutes(const void *a, const void *b);
int history_order_hours(const void *a, const void *b);

#endif
