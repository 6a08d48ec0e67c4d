/* What the templates see: the configuration and its surroundings, turned into one tree of values.
 *
 * Templates decide how a file looks; everything that has to be computed, put together or said in another
 * program's way (Go's durations, Compose's ports) is computed here, so that a template only places values. A
 * name that is of no use in a configuration is false or the empty text: templates are rendered strictly.
 */
#ifndef CCTM_RENDER_MODEL_H
#define CCTM_RENDER_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/services.h"

struct data;

/* As whom a container runs on its data directory; uid -1: as its image says. */
struct owner {
	int64_t uid, gid;
};

/* What is not in the configuration and ends up in files all the same. All texts are borrowed. */
struct surroundings {
	const char *dir; /* of the stack, absolute */
	bool is_embedded;
	struct owner owners[SERVICE_COUNT];
};

/* Days begin as in the time zone that is in use (core/zone). Yours: data_free. */
struct data *model_new(const struct config *config, const struct surroundings *around);

/* Where a service keeps its data: a directory ("./data/grafana", "/srv/grafana") or the name of a volume in the
 * compose file; *is_directory says which. Yours. */
char *model_data_source(const struct config *config, enum service service, bool *is_directory);

/* "http://localhost:3000/": under which people and programs on this machine reach a port. Yours. */
char *model_url(const struct config *config, const char *port_key, const char *path);

/* The base of the addresses to which Claude Code sends: through the proxy where there is one, else straight to
 * the receiver's port for HTTP or for gRPC. Yours. */
char *model_otlp_endpoint(const struct config *config, bool is_grpc);

#endif
