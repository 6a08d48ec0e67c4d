/* Dashboards and folders as resources under /apis, for a server that has no /api for them any more (12.3 has both; /api is
 * deprecated since 13). In the way of grafana/dashboards.h, and used by it alone.
 */
#ifndef CCTM_GRAFANA_RESOURCES_H
#define CCTM_GRAFANA_RESOURCES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "grafana/dashboards.h"

int resources_read(const struct grafana *grafana, const char *uid, struct grafana_dashboard *out,
	struct error *err) MUST_CHECK;
bool resources_save(const struct grafana *grafana, const struct grafana_save *save,
	struct error *err) MUST_CHECK;
bool resources_delete(const struct grafana *grafana, const char *uid, struct error *err) MUST_CHECK;

/* As grafana_search gives it. */
json_t *resources_list(const struct grafana *grafana, enum grafana_kind kind, struct error *err);
/* `uid` NULL: the server's choice. */
bool resources_make_folder(const struct grafana *grafana, const char *uid, const char *title,
	char **out, struct error *err) MUST_CHECK;

#endif
