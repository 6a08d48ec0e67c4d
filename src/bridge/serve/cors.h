/* Which web pages may send telemetry from a browser (Fetch standard, "CORS protocol"). */
#ifndef CCTM_BRIDGE_SERVE_CORS_H
#define CCTM_BRIDGE_SERVE_CORS_H

#include <stdbool.h>

#include "core/slice.h"

struct cors {		/* zeroed: off */
	char **origins; /* NULL-terminated; NULL: off */
};

void cors_init(struct cors *cors, const char *const *origins); /* copies; NULL: off */
void cors_clear(struct cors *cors);

/* The text for Access-Control-Allow-Origin, which lives as long as `cors`; NULL: not allowed. */
const char *cors_allow(const struct cors *cors, struct slice origin);

/* The requested header names as they may be echoed, or the usual ones where the request's are not a list
 * of names or too many. */
struct slice cors_headers(struct slice requested);

#endif
