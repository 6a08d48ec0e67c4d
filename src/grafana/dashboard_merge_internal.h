/* Shared between the files of the merge of dashboards: values field by field, and panels with their places. */
#ifndef CCTM_GRAFANA_DASHBOARD_MERGE_INTERNAL_H
#define CCTM_GRAFANA_DASHBOARD_MERGE_INTERNAL_H

#include <stdbool.h>

#include "grafana/dashboard_merge.h"

/* Where in the dashboard a value stands. */
struct merge_at {
	const struct merge_at *above; /* NULL: at the top */
	const char *name; /* a key, or what tells an element of a list from the others */
	bool is_element;
	int depth;
};

struct merge_three {
	json_t *base, *mine, *theirs; /* borrowed; NULL: not there */
};

/* What becomes of a value: a new reference, NULL when it is not to be there. */
json_t *merge_value(
	struct dashboard_merge *out, const struct merge_at *at, struct merge_three three);

bool merge_is_equal(const json_t *a, const json_t *b); /* NULL equals NULL */

/* Notes that both changed what stands there, and what of it stays. */
void merge_note(struct dashboard_merge *out, const struct merge_at *at, const char *what);

/* The list of panels; NULL: at least one of the three is none, or too long. */
json_t *merge_panels(struct dashboard_merge *out, struct merge_three three);

#endif
