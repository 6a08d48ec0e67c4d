/* Docker Compose, through its own program: what it is asked, always by argv and with a deadline.
 */
#ifndef CCTM_STACK_COMPOSE_H
#define CCTM_STACK_COMPOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/services.h"
#include "core/cleanup.h"
#include "core/proc.h"

struct error;

#define COMPOSE_WORDS_MAX 24

struct compose {
	const char *words[3]; /* "docker", "compose"; ends with NULL */
	const char *dir;      /* of the stack; borrowed */
};

/* Which Compose there is: docker's plug-in, docker-compose 2, podman's. Where the plug-in's file is seen, no program is
 * started. False: none, or docker-compose 1 only. */
bool compose_open(const char *dir, struct compose *out, struct error *err) MUST_CHECK;

/* The engine's own program beside it: "docker" or "podman". */
const char *compose_engine(const struct compose *compose);

/* `words` end with NULL. False: it could not be run, did not end in time or was not content; the error has the last line
 * it said, unless that was shown. */
bool compose_run(const struct compose *compose, const char *const *words, bool is_shown,
	int64_t deadline_ms, struct proc_result *result, struct error *err) MUST_CHECK;

/* "docker", "compose", and `words`, as an argv of at most COMPOSE_WORDS_MAX with its NULL; all borrowed. */
void compose_words(const struct compose *compose, const char *const *words, const char **argv);

#define COMPOSE_PORTS_MAX 16

struct compose_service {
	char *id;     /* of the container */
	char *name;   /* "prometheus" */
	char *state;  /* "running", "exited", "restarting" */
	char *health; /* "healthy", "starting"; "": it has no check */
	int64_t exit_code;
	int64_t ports[COMPOSE_PORTS_MAX]; /* published on this machine, each once */
	size_t port_count;
};

struct compose_services {
	struct compose_service *items;
	size_t count, room;
};

/* The stack's containers, running or not. */
bool compose_list(const struct compose *compose, struct compose_services *out, struct error *err)
	MUST_CHECK;
/* The images that the compose file names as it lies there, by service; NULL: the file has no such service, or builds
 * it. The texts are yours. */
bool compose_images(const struct compose *compose, char *out[SERVICE_COUNT], struct error *err)
	MUST_CHECK;

/* NULL: there is no container of it. */
const struct compose_service *compose_service_find(
	const struct compose_services *services, const char *name);
void compose_services_clear(struct compose_services *services);

static inline void auto_compose_services(struct compose_services *services)
{
	compose_services_clear(services);
}

#endif
