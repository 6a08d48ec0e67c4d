/* Who listens on a TCP port of this machine. The kernel is asked, or its tables in /proc/net are read, and no port is
 * opened; where there is neither, trying to bind tells.
 */
#ifndef CCTM_STACK_PORTS_H
#define CCTM_STACK_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cleanup.h"

struct port_holder {
	bool is_taken;
	int64_t pid;   /* 0: it cannot be seen, as for other users' processes */
	char *program; /* its name as the system has it; NULL with pid 0 */
	char *who;     /* for people: "prometheus (process 4711)", "a process of user grafana" */
};

/* The system's listeners at one moment. Of more than a hundred thousand the rest is passed over. */
struct listeners;
struct listeners *listeners_read(void);
void listeners_free(struct listeners *ports);

/* Is `port` taken for somebody who would listen on `address`? A listener on all addresses takes it for every one, and
 * listening on all addresses needs it free on each. */
void listeners_holder(
	const struct listeners *ports, const char *address, int64_t port, struct port_holder *out);
void port_holder_clear(struct port_holder *holder);

/* The first port above `port` that is free on `address` and for which `is_used` (may be NULL) is false; 0: there is none. */
int64_t listeners_free_above(const struct listeners *ports, const char *address, int64_t port,
	bool (*is_used)(void *ctx, int64_t port), void *ctx);

static inline void auto_listeners(struct listeners **ports)
{
	listeners_free(*ports);
}

static inline void auto_port_holder(struct port_holder *holder)
{
	port_holder_clear(holder);
}

#endif
