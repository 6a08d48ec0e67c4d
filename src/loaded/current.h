/* Which configuration each container runs with: files under config/ can change without Compose knowing, for it looks at the
 * compose file alone. What was in effect at the last `cctm up` is noted in .cctm/current.json, as one hash a service.
 *
 * A service whose files changed is told to read them again (Prometheus, Grafana) or started again (the others).
 */
#ifndef CCTM_LOADED_CURRENT_H
#define CCTM_LOADED_CURRENT_H

#include <stdbool.h>

#include "config/services.h"
#include "loaded/loaded.h"

struct error;

#define CURRENT_PATH ".cctm/current.json"

struct current {
	char hashes[SERVICE_COUNT][MANIFEST_HASH_DIGITS + 1]; /* "": unknown, or it reads no file */
};

/* Of the files as they are now. */
bool current_read_files(const struct loaded *stack, struct current *out, struct error *err)
	MUST_CHECK;

/* As noted; all unknown when nothing was. */
void current_read_noted(const struct loaded *stack, struct current *out);
bool current_note(const struct loaded *stack, const struct current *current, struct error *err)
	MUST_CHECK;

/* Does the service run with other files than those that are there? */
bool current_differs(
	const struct current *noted, const struct current *files, enum service service);

#endif
