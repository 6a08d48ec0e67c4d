/* Shared between the two files that merge panels: dashboard_merge_panels.c says which there are, dashboard_merge_places.c where
 * they stand. */
#ifndef CCTM_GRAFANA_DASHBOARD_MERGE_PANELS_INTERNAL_H
#define CCTM_GRAFANA_DASHBOARD_MERGE_PANELS_INTERNAL_H

#include <stdint.h>

#include "grafana/dashboard_merge_internal.h"

#define NONE SIZE_MAX

struct panels {
	json_t **items; /* borrowed */
	size_t *rows;	/* of each: the folded row that it lies in; NONE */
	size_t *slots;	/* of each: where it went; NONE */
	size_t count;
};

struct rectangle {
	json_int_t x, y, w, h;
};

/* One panel of the result. */
struct slot {
	size_t base, mine, theirs; /* NONE: it is not there */
	json_t *panel;		   /* NULL: it is not to be there */
	struct rectangle at;
	bool is_placed;
	size_t row; /* the slot of the folded row that it lies in; NONE */
};

struct panel_merge {
	struct dashboard_merge *out;
	struct panels base, mine, theirs;
	struct slot *slots;
	size_t count;
};

static inline const char *text_of(const json_t *panel, const char *key)
{
	const char *text = json_string_value(json_object_get(panel, key));
	return text ? text : "";
}

static inline bool has_same(const json_t *a, const json_t *b, const char *key)
{
	return merge_is_equal(json_object_get(a, key), json_object_get(b, key));
}

/* Places all that are there, and gives them back as the list of a dashboard, in order; a new reference. */
json_t *merge_places(struct panel_merge *merge);

#endif
