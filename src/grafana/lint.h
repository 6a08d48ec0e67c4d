/* What is wrong with a dashboard for Claude Code's data, found by reading it: totals that come out wrong, metrics and labels
 * that do not exist, panels that a newer Grafana has not. PromQL is looked through word by word, not parsed.
 */
#ifndef CCTM_GRAFANA_LINT_H
#define CCTM_GRAFANA_LINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "core/cleanup.h"

enum lint_depth {
	LINT_USUAL,  /* what breaks numbers or panels */
	LINT_STRICT, /* also what makes a dashboard pleasant to read, as the bundled ones keep it */
};

struct lint_finding {
	const char *rule; /* "total": the row of lint_rules */
	bool is_error;	  /* a number or a panel is wrong; else it could be better */
	char *panel;	  /* its title; NULL: of the whole dashboard */
	char *text;
};

struct lint {
	struct lint_finding *items;
	size_t count, room, errors;
};

struct lint_rule {
	const char *name, *sentence;
	bool is_error;
};
extern const struct lint_rule lint_rules[];
extern const size_t lint_rule_count;

/* Of a classic dashboard. */
void lint_dashboard(const json_t *model, enum lint_depth depth, struct lint *out);
void lint_clear(struct lint *lint);

static inline void auto_lint(struct lint *lint)
{
	lint_clear(lint);
}

#endif
