/* The named volumes of a stack, and how much lies in each. */
#ifndef CCTM_STACK_VOLUMES_H
#define CCTM_STACK_VOLUMES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cleanup.h"
#include "stack/compose.h"

struct error;

struct volume {
	char *name;
	char *size; /* as the engine writes it: "12.3MB"; NULL: not known */
};

struct volumes {
	struct volume *items;
	size_t count, room;
};

/* Those that Compose made for `project`, whether containers use them or not. */
bool volumes_read(const struct compose *compose, const char *project, struct volumes *out,
	struct error *err) MUST_CHECK;
void volumes_clear(struct volumes *volumes);

static inline void auto_volumes(struct volumes *volumes)
{
	volumes_clear(volumes);
}

#endif
