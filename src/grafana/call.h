/* One call of Grafana's API: shared by the files of this room. */
#ifndef CCTM_GRAFANA_CALL_H
#define CCTM_GRAFANA_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "core/cleanup.h"
#include "grafana/grafana.h"
#include "http/http.h"

struct error;

#define GRAFANA_ASK_MS 10000

struct grafana_call {
	const char *method, *path;
	const char *json; /* NULL: no body */
	int64_t deadline_ms;
};

/* The status, or 0 when no answer came (err says why). */
long grafana_send(const struct grafana *grafana, const struct grafana_call *call,
	struct http_answer *answer, struct error *err);

/* False, with Grafana's own message where it sent one. */
bool grafana_refused(
	const struct grafana_call *call, const struct http_answer *answer, struct error *err);

/* What the server says of itself why not: its JSON's message, or its first line; yours. */
char *grafana_said(const struct http_answer *answer);

/* Does it mean that there is no such path in its API, and not that there is no such thing? */
bool grafana_is_gone(const struct http_answer *answer);

/* What stands at that path; NULL: error. */
json_t *grafana_get(const struct grafana *grafana, const char *path, struct error *err);

/* The text of that name; "" when there is none; yours. */
char *grafana_text(const json_t *object, const char *name);

/* The answer as JSON; NULL: it is none. */
json_t *grafana_json(const struct http_answer *answer);

#endif
