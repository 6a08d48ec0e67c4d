/* The folders that dashboards lie in.
 */
#ifndef CCTM_GRAFANA_FOLDERS_H
#define CCTM_GRAFANA_FOLDERS_H

#include "core/cleanup.h"
#include "grafana/grafana.h"

struct error;

/* That of this uid, else of this title, at whatever depth; *out is its uid, yours, "" for the one called General, in which
 * lies what has no folder. 1: found, 0: there is none, -1: error, also when several have the title. */
int grafana_folder_find(const struct grafana *grafana, const char *uid, const char *title,
	char **out, struct error *err) MUST_CHECK;

/* The same, made with that title when there is none; with that uid where it can be one. */
bool grafana_folder_ensure(const struct grafana *grafana, const char *uid, const char *title,
	char **out, struct error *err) MUST_CHECK;

#endif
