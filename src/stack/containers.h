/* What the engine knows of containers beyond what Compose lists: why one ended, how often it was started again, of which
 * image it is, and what it takes. Asked through the engine's own program.
 */
#ifndef CCTM_STACK_CONTAINERS_H
#define CCTM_STACK_CONTAINERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "stack/compose.h"

struct error;

struct container {
	char *id;	  /* whole */
	char *image;	  /* "prom/prometheus:v3.8.0", as the compose file names it */
	char *image_id;	  /* "sha256:…": what runs, whatever the name means by now */
	char *started_at; /* RFC 3339; "" before the first time */
	int64_t exit_code, restarts;
	bool is_killed_for_memory;
	double cpu_percent; /* of one core; below 0: not asked for, or it does not run */
	int64_t memory;	    /* bytes; below 0: as above */
};

struct containers {
	struct container *items;
	size_t count;
};

/* Of all that `services` lists. An engine that does not answer is an error; a container that is gone since is left out. */
bool containers_read(const struct compose *compose, const struct compose_services *services,
	struct containers *out, struct error *err) MUST_CHECK;

/* Adds what they take now. It takes the engine about two seconds, for it looks twice. */
bool containers_add_usage(
	const struct compose *compose, struct containers *containers, struct error *err) MUST_CHECK;

/* `id` may be short; NULL: not among them. */
const struct container *container_find(const struct containers *containers, const char *id);
void containers_clear(struct containers *containers);

static inline void auto_containers(struct containers *containers)
{
	containers_clear(containers);
}

#endif
