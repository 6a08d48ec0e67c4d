/* Three versions of a dashboard made into one: what cctm brought last (base), what became of it in Grafana (mine), and what
 * cctm brings now (theirs).
 *
 * What one side changed is taken. Where both changed the same, mine stays and that is noted. Objects are gone through by key;
 * panels are told apart by id, variables and annotations by name, links by title, queries by refId, overrides by what they
 * match; any other list is one value. Panels that Grafana's page gave another number, or that cctm numbers anew, are known
 * by title and type. No panel that somebody made or changed is ever lost.
 *
 * Where nobody moved, added or put away a panel, the layout is theirs. Else it is mine, and new panels lie below all others,
 * on none of them.
 */
#ifndef CCTM_GRAFANA_DASHBOARD_MERGE_H
#define CCTM_GRAFANA_DASHBOARD_MERGE_H

#include <stddef.h>

#include <jansson.h>

#include "core/buf.h"
#include "core/cleanup.h"

struct dashboard_merge {
	json_t *model; /* without id and version */
	struct buf
		notes; /* what both changed, by panel, a line each: "Spend: description: yours stays" */
	size_t clashes; /* how many */
};

/* The models may have ids and versions, which are Grafana's own and are passed over. */
void dashboard_merge(json_t *base, json_t *mine, json_t *theirs, struct dashboard_merge *out);
void dashboard_merge_clear(struct dashboard_merge *merge);

static inline void auto_dashboard_merge(struct dashboard_merge *merge)
{
	dashboard_merge_clear(merge);
}

#endif
