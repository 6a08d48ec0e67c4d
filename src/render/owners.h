/* As whom containers run on directories of the stack (storage: bind), so that they can write there without anybody
 * else being able to: never 777.
 *
 * A directory that holds data already is used as who owns these. A new one belongs to who owns the stack's directory,
 * and the container runs as them; root's stack gives it to the user of the image instead.
 */
#ifndef CCTM_RENDER_OWNERS_H
#define CCTM_RENDER_OWNERS_H

#include <stdbool.h>

#include "core/cleanup.h"
#include "render/model.h"

struct error;

void owners_find(const struct config *config, const char *dir, struct owner out[SERVICE_COUNT]);

/* Makes the directories that are missing, 0750 and owned as the container needs them. */
bool owners_make_directories(const struct config *config, const char *dir,
	const struct owner owners[SERVICE_COUNT], struct error *err) MUST_CHECK;

/* Directories that others may write to become 0750 and the container's; does nothing unless run by root. */
bool owners_close_directories(const struct config *config, const char *dir, struct error *err)
	MUST_CHECK;

#endif
