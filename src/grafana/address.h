/* Dashboards on the web: the pages on which people find them, and the JSON behind those pages.
 */
#ifndef CCTM_GRAFANA_ADDRESS_H
#define CCTM_GRAFANA_ADDRESS_H

#include <stdbool.h>

#include "core/cleanup.h"

struct buf;
struct error;

/* Is it meant as one: SCHEME://…, grafana.com:ID, or a bare number of grafana.com? */
bool address_is_meant(const char *text);

/* Where the JSON is, yours: of a page of grafana.com, gist.github.com or github.com behind it, of another address that
 * itself. NULL: it is no address. Asks nobody. */
char *address_of_json(const char *text, struct error *err);

/* Appends what is there to `out`, whose maximum bounds it. Only https, or http from this machine. */
bool address_fetch(const char *text, struct buf *out, struct error *err) MUST_CHECK;

#endif
