/* What a budget is: a limit for a period, for everybody together or for each of those that share one.
 *
 * Periods are local: a day begins at midnight of the zone in use (core/zone.h), a week on Monday, a month on its
 * first. So a day has 23 or 25 hours where the clock changes.
 */
#ifndef CCTM_BRIDGE_ALERTS_BUDGET_H
#define CCTM_BRIDGE_ALERTS_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

enum budget_period { PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH, PERIOD_COUNT };

enum budget_scope { SCOPE_ALL, SCOPE_USER, SCOPE_TEAM, SCOPE_MODEL, SCOPE_COUNT };

struct budgets {
	double limit_usd[PERIOD_COUNT][SCOPE_COUNT]; /* 0: none */
};

const char *budget_period_name(enum budget_period period); /* "day" */
const char *budget_scope_name(enum budget_scope scope);	   /* "all" */

bool budgets_any(const struct budgets *budgets);
bool budgets_has_scope(const struct budgets *budgets, enum budget_scope scope);

/* The beginning of the period that `ms` lies in, and of the one behind it. */
int64_t budget_period_start(enum budget_period period, int64_t ms);
int64_t budget_period_end(enum budget_period period, int64_t ms);

/* The steps that are told of, in per cent, in rising order. */
#define BUDGET_STEPS        \
	{                   \
		50, 80, 100 \
	}
#define BUDGET_FIRST_STEP 50

/* The highest step that was reached, or 0. */
int budget_step(double spent_usd, double limit_usd);

#endif
