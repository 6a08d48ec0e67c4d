/* Shared between the files of cctm import-dashboard: import_dashboard.c is the story, import_dashboard_sources.c what is
 * imported, import_dashboard_connect.c where to, import_dashboard_print.c what is said of it. */
#ifndef CCTM_CMD_IMPORT_DASHBOARD_INTERNAL_H
#define CCTM_CMD_IMPORT_DASHBOARD_INTERNAL_H

#include <jansson.h>

#include "cmd/cmd.h"
#include "core/buf.h"
#include "grafana/bring.h"
#include "loaded/loaded.h"
#include "loaded/own_grafana.h"

struct import_args {
	const char *folder, *datasource, *uid, *url, *user, *password_file, *token_file, *ca_file;
	int64_t org;
	struct opt_rest sources;
	bool is_all, is_overwritten, is_dry_run, is_diff;
};

/* One dashboard that is to be imported. */
struct import_source {
	char *name; /* as it is spoken of */
	struct buf text;
	bool is_bundled;
};

struct import_result {
	char *name, *uid, *title;
	char *why;	  /* of a failure, or of what was left alone; NULL */
	char *diff;	  /* NULL: none was asked for, or nothing differs */
	struct buf notes; /* of a merge */
	/* "created", "updated", "merged", "moved", "unchanged", "edited", "refused", "failed" */
	const char *action;
	int64_t version, former; /* former: what was replaced and is in its history; 0: nothing */
	int status;
};

struct import_job {
	struct context *ctx;
	const struct import_args *args;
	struct loaded stack;
	char *url, *secret; /* of another Grafana */
	struct own_grafana own;
	struct grafana grafana; /* the one or the other */
	char *copies;		/* of what is brought there */
	json_t *datasources;
	char *folder_uid;
	struct import_source *sources;
	struct import_result *results;
	size_t count, room;
};

/* Reads all that is named. */
bool import_gather(struct import_job *job, struct error *err) MUST_CHECK;

/* Finds the Grafana and logs in there, once. */
bool import_connect(struct import_job *job, struct error *err) MUST_CHECK;

/* The exit status. */
int import_report(const struct import_job *job);

#endif
