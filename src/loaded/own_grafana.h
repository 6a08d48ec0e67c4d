/* A stack's own Grafana, with its administrator's login from .env.
 *
 *     AUTO(own_grafana) struct own_grafana own = { 0 };
 *     if (!own_grafana_find(&stack, &own, err) || !grafana_reload(&own.grafana, err)) …
 */
#ifndef CCTM_LOADED_OWN_GRAFANA_H
#define CCTM_LOADED_OWN_GRAFANA_H

#include <stdbool.h>

#include "core/cleanup.h"
#include "grafana/grafana.h"
#include "loaded/loaded.h"

struct error;

struct own_grafana {
	char *url, *user, *password;
	struct grafana grafana; /* borrows them */
};

/* An embedded stack has none: ERR_USAGE. */
bool own_grafana_find(const struct loaded *stack, struct own_grafana *out, struct error *err)
	MUST_CHECK;
void own_grafana_clear(struct own_grafana *own); /* wipes the password */

static inline void auto_own_grafana(struct own_grafana *own)
{
	own_grafana_clear(own);
}

#endif
