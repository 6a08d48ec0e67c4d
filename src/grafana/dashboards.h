/* Grafana's dashboards, folders and datasources through its HTTP API, by the contract that a real 12.3.0 was seen to keep.
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
};

/* 1: read, 0: there is none of that uid, -1: error. */
int grafana_dashboard_read(const struct grafana *grafana, const char *uid,
	struct grafana_dashboard *out, struct error *err) MUST_CHECK;
void grafana_dashboard_clear(struct grafana_dashboard *dashboard);

struct grafana_save {
	json_t *model;		/* borrowed; sent without an id */
	const char *folder_uid; /* NULL: none */
	const char *message;	/* for the history, at most 500 bytes */
	int64_t version;	/* of what is to be replaced; 0: nothing is there */
};

/* *version: as it is stored then, read back. Somebody who saved meanwhile is an error (ERR_REFUSED). */
bool grafana_dashboard_save(const struct grafana *grafana, const struct grafana_save *save,
	int64_t *version, struct error *err) MUST_CHECK;

/* The folder of that title or uid, made with `uid` and `title` when there is none; *out is its uid, yours. */
bool grafana_folder_ensure(const struct grafana *grafana, const char *uid, const char *title,
	char **out, struct error *err) MUST_CHECK;

/* [{uid, name, type, isDefault, …}]; to be given back with json_decref. NULL: error. */
json_t *grafana_datasources(const struct grafana *grafana, struct error *err);

/* Are these the same but for id and version, which the server keeps? */
bool grafana_is_same(const json_t *a, const json_t *b);

static inline void auto_grafana_dashboard(struct grafana_dashboard *dashboard)
{
	grafana_dashboard_clear(dashboard);
}

#endif
