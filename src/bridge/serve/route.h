/* What is at which path of which door: one row a path. */
#ifndef CCTM_BRIDGE_SERVE_ROUTE_H
#define CCTM_BRIDGE_SERVE_ROUTE_H

#include "bridge/serve/http1.h"
#include "bridge/serve/serve.h"

enum route_kind { ROUTE_EXPORT, ROUTE_PAGE, ROUTE_ACTION };

struct route {
	enum serve_door door;
	const char *path; /* NULL: any */
	enum route_kind kind;
	enum otlp_signal signal;	/* of an export */
	const char *allow, *allow_cors; /* the Allow field, without and with CORS */
};

/* NULL: nothing is there. */
const struct route *route_find(enum serve_door door, struct slice path);
bool route_takes(const struct route *route, enum http1_method method);

#endif
