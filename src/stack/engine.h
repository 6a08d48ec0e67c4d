/* Is there a container engine that answers, and which? Asked through its own program, so that DOCKER_HOST, contexts and
 * rootless engines are respected.
 *
 * When nothing in the environment points elsewhere and the standard socket does not even take a connection, the program is
 * not started at all: it costs more than everything else that `cctm init` does.
 */
#ifndef CCTM_STACK_ENGINE_H
#define CCTM_STACK_ENGINE_H

#include <stdbool.h>

#include "core/cleanup.h"

struct engine {
	bool is_reachable;
	char *program; /* "docker", "podman"; NULL: none is installed */
	char *version; /* of the server; NULL: unknown */
	char *why;  /* one sentence without a full stop: what was found, or why it cannot be used */
	char *hint; /* NULL: none */
};

/* Takes at most five seconds. */
void engine_find(struct engine *out);
void engine_clear(struct engine *engine);

static inline void auto_engine(struct engine *engine)
{
	engine_clear(engine);
}

#endif
