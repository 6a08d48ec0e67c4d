/* A dashboard as people export it, made into what Grafana's API takes: wrappers come off, inputs are resolved, and what is
 * changed is said.
 */
#ifndef CCTM_GRAFANA_IMPORT_H
#define CCTM_GRAFANA_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "core/buf.h"
#include "core/cleanup.h"
#include "core/slice.h"

struct error;

#define IMPORT_MAX (16 << 20) /* bytes; Grafana takes no more */

struct import_request {
	struct slice text;
	const char *name; /* for errors: "overview.json" */
	const char *uid;  /* in place of its own; NULL */
	const char
		*datasource; /* uid or name, for every input of a datasource; NULL: found by type */
	const json_t *datasources; /* of grafana_datasources; NULL: none are known */
	/* Says which of several of one type an input means; NULL with an error. NULL: that is an error. */
	const json_t *(*choose)(
		void *ctx, const json_t *input, const json_t *candidates, struct error *err);
	void *choose_ctx;
};

struct import {
	json_t *model;		 /* with a uid, without id and version */
	const char *title, *uid; /* of the model */
	struct buf notes;	 /* what was changed, a line each */
};

/* Of classic JSON, {dashboard, meta}, or a v1 resource; a v2 resource is an error that says so. */
bool import_read(const struct import_request *request, struct import *out, struct error *err)
	MUST_CHECK;
void import_clear(struct import *import);

/* 1 to 40 letters, digits, '-' and '_'. */
bool import_is_uid(const char *uid);

static inline void auto_import(struct import *import)
{
	import_clear(import);
}

#endif
