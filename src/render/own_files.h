/* The files of a stack that belong to the user from the first day and are only ever added to: .env and .gitignore. */
#ifndef CCTM_RENDER_OWN_FILES_H
#define CCTM_RENDER_OWN_FILES_H

#include <stdbool.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct buf;
struct error;

#define ENV_PATH	 ".env"
#define GITIGNORE_PATH	 ".gitignore"
#define GRAFANA_PASSWORD "GRAFANA_ADMIN_PASSWORD"
#define OTLP_TOKEN	 "OTLP_BEARER_TOKEN"

/* .env with a random value for each secret that it lacks; a variable that is there stays as it is, one that is empty gets
 * a value. `before` is empty when there is no file. */
bool own_env(struct slice before, bool has_grafana, struct buf *out, struct error *err) MUST_CHECK;

/* .gitignore with the lines that keep secrets and data out of version control. */
bool own_gitignore(struct slice before, struct buf *out, struct error *err) MUST_CHECK;

#endif
