/* Grafana's dashboards and datasources through its HTTP API, by the contract that a real 12.3.0 was seen to keep. A server
 * that has no /api for them any more is asked through /apis.
 */
#ifndef CCTM_GRAFANA_DASHBOARDS_H
#define CCTM_GRAFANA_DASHBOARDS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "core/cleanup.h"
#include "grafana/grafana.h"

struct error;

#define GRAFANA_UID_MAX 40 /* letters, digits, '-' and '_' */

/* As it is stored there. */
struct grafana_dashboard {
	json_t *model; /* with its id and version */
	int64_t version;
	char *folder_uid;     /* "": none */
	char *provisioned_by; /* the file it is provisioned from; NULL: it is not */
	char *updated_by, *updated;
	bool is_filled; /* the server added what it takes for granted */
};

/* 1: read, 0: there is none of that uid, -1: error. */
int grafana_dashboard_read(const struct grafana *grafana, const char *uid,
	struct grafana_dashboard *out, struct error *err) MUST_CHECK;
void grafana_dashboard_clear(struct grafana_dashboard *dashboard);

/* Has it this content? Its id and version are the server's own and are passed over. */
bool grafana_dashboard_is(const struct grafana_dashboard *dashboard, const json_t *model);

/* Its JSON without id and version, a line each value, keys sorted: for comparing; yours. */
char *grafana_canonical(const json_t *model);

struct grafana_save {
	json_t *model;		/* borrowed; sent without an id */
	const char *folder_uid; /* NULL: none */
	const char *message;	/* for the history, at most 500 bytes */
	int64_t version;	/* of what is to be replaced; 0: nothing is there */
};

/* *version: as it is stored then, read back. Somebody who saved meanwhile is an error (ERR_REFUSED) that names them. */
bool grafana_dashboard_save(const struct grafana *grafana, const struct grafana_save *save,
	int64_t *version, struct error *err) MUST_CHECK;

/* With its history. */
bool grafana_dashboard_delete(const struct grafana *grafana, const char *uid, struct error *err)
	MUST_CHECK;

/* The versions that are kept, newest or oldest first: [{version, message, data, …}]. An empty list where the server does
 * not tell; NULL: error. */
json_t *grafana_dashboard_versions(
	const struct grafana *grafana, const char *uid, struct error *err);

enum grafana_kind { GRAFANA_DASHBOARDS, GRAFANA_FOLDERS };

/* All that the login may see, of every folder: [{uid, title, folderTitle?, …}]; to be given back with json_decref. NULL:
 * error. */
json_t *grafana_search(const struct grafana *grafana, enum grafana_kind kind, struct error *err);

/* [{uid, name, type, isDefault, …}]; to be given back with json_decref. NULL: error. */
json_t *grafana_datasources(const struct grafana *grafana, struct error *err);

static inline void auto_grafana_dashboard(struct grafana_dashboard *dashboard)
{
	grafana_dashboard_clear(dashboard);
}

#endif
