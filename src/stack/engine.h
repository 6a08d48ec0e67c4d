/* Is there a container engine that answers and can run a stack, and which? Asked through its own program, so that DOCKER_HOST, contexts and
 * rootless engines are respected.
 *
 * When nothing in the environment points elsewhere and the standard socket does not even take a connection, the program is
 * not started at all: it costs more than everything else that `cctm init` does.
 */
#ifndef CCTM_STACK_ENGINE_H
#define CCTM_STACK_ENGINE_H

#include <stdbool.h>

#include "core/cleanup.h"

/* The oldest Docker that stacks are written for: 20.10. */
#define ENGINE_OLDEST_MAJOR 20
#define ENGINE_OLDEST_MINOR 10

struct engine {
	bool is_reachable;
	bool is_usable; /* it is new enough too (Docker 20.10), and Compose 2 is there */
	char *program;	/* "docker", "podman"; NULL: none is installed */
	char *client;	/* the program's version; NULL: it was not asked or did not say */
	char *version;	/* of the server; NULL: it does not answer */
	char *why;  /* one sentence without a full stop: what was found, or why it cannot be used */
	char *hint; /* NULL: none */
};

/* Each program that is asked gets five seconds: docker or podman, and a Compose that is not seen by its file. */
void engine_find(struct engine *out);
void engine_clear(struct engine *engine);

static inline void auto_engine(struct engine *engine)
{
	engine_clear(engine);
}

#endif
