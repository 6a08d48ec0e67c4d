/* The parts of cctm budget: what was spent of what is allowed (budget_look.c), and showing it (budget_print.c). */
#ifndef CCTM_CMD_BUDGET_INTERNAL_H
#define CCTM_CMD_BUDGET_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command.h"
#include "core/cleanup.h"
#include "loaded/loaded.h"

struct error;

enum budget_period { BUDGET_DAY, BUDGET_WEEK, BUDGET_MONTH, BUDGET_PERIODS };

enum budget_scope { BUDGET_ALL, BUDGET_USER, BUDGET_TEAM, BUDGET_MODEL, BUDGET_SCOPES };

extern const char *const budget_period_names[BUDGET_PERIODS]; /* "day" */
extern const char *const budget_scope_names[BUDGET_SCOPES];   /* "all", "user" */

/* "budgets.per_user.daily_usd", yours. */
char *budget_key(enum budget_period period, enum budget_scope scope);

/* A budget and whose it is. */
struct budget_row {
	enum budget_period period;
	enum budget_scope scope;
	char *subject; /* a user, team or model; NULL: of all, or nobody has spent anything */
	double limit_usd, spent_usd;
};

struct budget_listing {
	struct budget_row *rows; /* by period and scope, who spent most first */
	size_t count, room;
	const char *source; /* "prometheus", "ledger" */
	bool is_known;	    /* what was spent; false: why not is in `why` */
	char *why;
	bool is_stale;		       /* Prometheus goes by other budgets than cctm.yaml has */
	double passed[BUDGET_PERIODS]; /* share of the period, 0..1; 0: unknown */
};

/* What cannot be told is said in the listing. */
void budget_look(const struct loaded *stack, struct budget_listing *out);
void budget_listing_clear(struct budget_listing *listing);

static inline void auto_budget_listing(struct budget_listing *listing)
{
	budget_listing_clear(listing);
}

void budget_print(struct context *ctx, const struct budget_listing *listing);

#endif
