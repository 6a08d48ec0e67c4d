/* The dashboards of cctm in a stack's own Grafana.
 */
#ifndef CCTM_LOADED_OWN_DASHBOARDS_H
#define CCTM_LOADED_OWN_DASHBOARDS_H

#include <stdbool.h>

#include "core/cleanup.h"
#include "grafana/bundled.h"
#include "loaded/loaded.h"

struct error;

/* The folder in which copies of what was brought are kept; yours. */
char *own_dashboards_copies(const struct loaded *stack);

/* bundled_bring, there. */
bool own_dashboards_bring(const struct loaded *stack, bool is_look_only, struct brought *out,
	struct error *err) MUST_CHECK;

/* "2 new, 1 merged with your edits"; "" when nothing was done; yours. */
char *own_dashboards_said(const struct brought *brought);

#endif
