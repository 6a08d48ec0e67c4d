#include "bridge/alerts/budget.h"

#include <stddef.h>

#include "core/zone.h"

/* Ten times 5.00 is to be 50.00: sums of decimal fractions miss it by their last bits, never by this. */
#define EPSILON_USD 1e-9

const char *budget_period_name(enum budget_period period)
{
	static const char *const names[PERIOD_COUNT] = { "day", "week", "month" };
	return names[period];
}

const char *budget_scope_name(enum budget_scope scope)
{
	static const char *const names[SCOPE_COUNT] = { "all", "user", "team", "model" };
	return names[scope];
}

bool budgets_has_scope(const struct budgets *budgets, enum budget_scope scope)
{
	for (unsigned p = 0; p < PERIOD_COUNT; p++) {
		if (budgets->limit_usd[p][scope] > 0)
			return true;
	}
	return false;
}

bool budgets_any(const struct budgets *budgets)
{
	for (unsigned s = 0; s < SCOPE_COUNT; s++) {
		if (budgets_has_scope(budgets, (enum budget_scope)s))
			return true;
	}
	return false;
}

static int64_t period_at(enum budget_period period, int64_t ms, int later)
{
	switch (period) {
	case PERIOD_WEEK:
		return zone_week(ms, later);
	case PERIOD_MONTH:
		return zone_month(ms, later);
	case PERIOD_DAY:
	case PERIOD_COUNT:
		break;
	}
	return zone_day(ms, later);
}

int64_t budget_period_start(enum budget_period period, int64_t ms)
{
	return period_at(period, ms, 0);
}

int64_t budget_period_end(enum budget_period period, int64_t ms)
{
	return period_at(period, ms, 1);
}

int budget_step(double spent_usd, double limit_usd)
{
	static const int steps[] = BUDGET_STEPS;
	int reached = 0;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		if (spent_usd + EPSILON_USD >= limit_usd * steps[i] / 100)
			reached = steps[i];
	}
	return reached;
}
