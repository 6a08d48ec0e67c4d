/* What can be seen before a stack is started: will it have its engine, its ports, room on disk and memory?
 *
 * It looks and changes nothing. Our own containers or bridge may hold the ports: those are not in the way.
 */
#ifndef CCTM_STACK_PREFLIGHT_H
#define CCTM_STACK_PREFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/services.h"
#include "core/cleanup.h"
#include "stack/compose.h"

struct error;

#define PREFLIGHT_DISK_MIN   (INT64_C(1) << 30) /* bytes free where the engine keeps its data */
#define PREFLIGHT_MEMORY_MIN (INT64_C(1) << 30) /* bytes that can be had */

enum finding_kind { FINDING_PORT, FINDING_ENGINE, FINDING_DISK, FINDING_MEMORY, FINDING_FOLDER };

struct finding {
	enum finding_kind kind;
	bool is_fatal;
	char *what;	      /* "port 3000 (Grafana) is held by nginx (process 812)" */
	char *hint;	      /* NULL: none */
	const char *port_key; /* of FINDING_PORT: "ports.grafana" */
	int64_t free_port;    /* the next one that it could have; 0: none is near */
};

struct findings {
	struct finding *items;
	size_t count, room;
};

/* For containers; `running` are those that are there already. */
void preflight_containers(const struct config *config, const char *dir,
	const struct compose_services *running, struct findings *out);

/* For the bridge alone; `is_running`: ours holds its ports. */
void preflight_embedded(
	const struct config *config, const char *state_dir, bool is_running, struct findings *out);

/* False when one is fatal: the error names all of those. */
bool findings_judge(const struct findings *findings, struct error *err) MUST_CHECK;
void findings_clear(struct findings *findings);

static inline void auto_findings(struct findings *findings)
{
	findings_clear(findings);
}

#endif
