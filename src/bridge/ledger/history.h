/* The ledger's read side: exact history, also while the bridge writes and also when no bridge runs.
 *
 * history_open takes one snapshot: the database at its position plus the journal's tail behind it, folded
 * in memory, so whatever was acknowledged before the call is in it. With bridge/bridge.h the only header of
 * the bridge that other rooms see.
 */
#ifndef CCTM_BRIDGE_LEDGER_HISTORY_H
#define CCTM_BRIDGE_LEDGER_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"

struct error;
struct history;

struct history_series {
	uint32_t id;
	int kind;	    /* enum series_kind */
	const char *metric; /* claude_code.cost.usage */
	const char *family; /* claude_code_cost_usage_USD_total */
};

struct history_session {
	uint64_t session;
	const char *text, *user, *terminal, *version; /* "" when unknown */
	int64_t first_ms, last_ms;
	int64_t lost;	 /* events known missing */
	bool is_unknown; /* several processes shared the id: loss cannot be told */
};

struct history_row {
	int64_t at_ms; /* beginning of the minute or the hour */
	const struct history_series *series;
	uint32_t part;
	const struct history_session *session; /* NULL in history_minutes */
	double amount;
};

/* 1: open; 0: there is no ledger in `dir` yet; -1: error. */
int history_open(const char *dir, struct history **out, struct error *err) MUST_CHECK;
void history_close(struct history *h);

/* Value of a label of the series, or NULL. Borrowed. */
const char *history_label(
	const struct history *h, const struct history_series *series, const char *name);

int64_t history_first_ms(const struct history *h); /* of the oldest minute, 0: no data */
int64_t history_last_ms(const struct history *h);

typedef void (*history_row_fn)(void *ctx, const struct history_row *row);

/* Every (minute, series, part) in [since_ms, until_ms), in order of time. */
bool history_minutes(struct history *h, int64_t since_ms, int64_t until_ms, history_row_fn each,
	void *ctx, struct error *err) MUST_CHECK;

/* Every (hour, session, series, part) whose hour begins in [since_ms, until_ms). */
bool history_session_hours(struct history *h, int64_t since_ms, int64_t until_ms,
	history_row_fn each, void *ctx, struct error *err) MUST_CHECK;

static inline void auto_history(struct history **h)
{
	if (*h)
		history_close(*h);
}

#endif
