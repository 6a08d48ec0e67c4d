/* Between lint.c, which walks a dashboard, and lint_promql.c, which reads what it asks of Prometheus. */
#ifndef CCTM_GRAFANA_LINT_INTERNAL_H
#define CCTM_GRAFANA_LINT_INTERNAL_H

#include "core/error.h"
#include "grafana/lint.h"

enum rule {
	RULE_TOTAL,
	RULE_RAW,
	RULE_COUNTED,
	RULE_METRIC,
	RULE_SESSION,
	RULE_LABEL,
	RULE_VARIABLE,
	RULE_PANEL,
	RULE_ID,
	RULE_OVERLAP,
	RULE_SOURCE,
	RULE_UNUSED,
	RULE_QUERIES,
	RULE_WORDS,
	RULE_HOLE,
};

/* A finding of the panel of that title; NULL: of the whole dashboard. */
void lint_add(struct lint *out, enum rule rule, const char *panel, const char *fmt, ...)
	PRINTF(4, 5);

/* Of a query, or of what a variable asks: "label_values(x, y)". */
void lint_promql(struct lint *out, const char *panel, const char *expression);

#endif
