#include "report/figures.h"

#include <math.h>
#include <string.h>

const struct figure_row figure_rows[FIGURE_COUNT] = {

#define X(id, object, name, metric, label, value) [id] = { object, name, metric, label, value },
	FIGURES(X)
#undef X
};

/* Neumaier's sum: a year of minutes is right to the last digit of a double. */
void figures_add(struct figures *f, enum figure figure, double amount)
{
	double hi = f->hi[figure], total = hi + amount;
	bool is_larger = fabs(hi) >= fabs(amount);
	f->lo[figure] += is_larger ? (hi - total) + amount : (amount - total) + hi;
	f->hi[figure] = total;
}

double figures_value(const struct figures *f, enum figure figure)
{
	return f->hi[figure] + f->lo[figure];
}

double figures_tokens(const struct figures *f)
{
	double tokens = 0;
	for (enum figure i = FIGURE_INPUT; i <= FIGURE_OTHER_TOKENS; i++)
		tokens += figures_value(f, i);
	return tokens;
}

enum figure figure_of(const char *metric, figure_label_fn label, const void *ctx)
{
	for (enum figure i = 0; i < FIGURE_COUNT; i++) {
		const struct figure_row *row = &figure_rows[i];
		if (strcmp(row->metric, metric) != 0)
			continue;
		if (!row->label || !row->value)
			return i;
		const char *value = label(ctx, row->label);
		if (value && strcmp(value, row->value) == 0)
			return i;
	}
	return FIGURE_NONE;
}
