/* One call of Prometheus' or Alertmanager's API: shared by the files of this room. */
#ifndef CCTM_PROMETHEUS_CALL_H
#define CCTM_PROMETHEUS_CALL_H

#include <stdbool.h>

#include <jansson.h>

#include "core/cleanup.h"
#include "http/http.h"

struct error;

struct prometheus_call {
	const char *whom; /* "Prometheus", for errors */
	const char *url;  /* without the path */
	const char *method, *path;
	const char *json; /* NULL: no body */
};

/* The answer when its status is 200; an error has the server's own words. */
bool prometheus_send(const struct prometheus_call *call, struct http_answer *answer,
	struct error *err) MUST_CHECK;

/* The same as JSON, yours; NULL: error. */
json_t *prometheus_json(const struct prometheus_call *call, struct error *err) MUST_CHECK;

/* Text of a member; "" when it has none. Borrowed. */
const char *prometheus_text(const json_t *object, const char *name);

#endif
