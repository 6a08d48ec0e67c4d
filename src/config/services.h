/* The services of a stack in containers: which of them a configuration wants, what Compose calls them, which
 * ports they listen on and as whom their images run. The one list of it.
 */
#ifndef CCTM_CONFIG_SERVICES_H
#define CCTM_CONFIG_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

/* Where a stack runs; `runtime: auto` is decided once, and then stays. */
enum runtime { RUNTIME_UNKNOWN, RUNTIME_DOCKER, RUNTIME_EMBEDDED };

enum service {
	SERVICE_COLLECTOR,
	SERVICE_BRIDGE,
	SERVICE_PROMETHEUS,
	SERVICE_GRAFANA,
	SERVICE_LOKI,
	SERVICE_ALERTMANAGER,
	SERVICE_PROXY,
	SERVICE_COUNT,
};

struct service_row {
	const char
		*key; /* "collector", as in images.collector, limits.collector.cpus, data.bridge */
	const char *name;	      /* of the Compose service: "otel-collector" */
	const char *title;	      /* for people: "the Collector" */
	const char *data_path;	      /* where the container keeps its data; NULL: it has none */
	int64_t image_uid, image_gid; /* as whom the image's program runs */
};

extern const struct service_row service_rows[SERVICE_COUNT];

/* Does the stack have this service? For `runtime: docker`; an embedded stack has the bridge alone. */
bool service_is_used(const struct config *config, enum service service);

/* The service that receives OTLP: the Collector or the bridge. */
enum service service_receiver(const struct config *config);

/* Ports that are opened on the host. */
struct service_port {
	enum service service;
	const char *key;	/* "ports.otlp_http" */
	int64_t container_port; /* inside; the receiver's are the Collector's standard ones for both */
	const char *what;	/* "OTLP over HTTP" */
};

extern const struct service_port service_ports[];
extern const size_t service_port_count;

/* The port of that key, which is in the list. */
const struct service_port *service_port_find(const char *key);

/* Is the port opened? The receiver's ports are listed for the Collector and hold for the bridge too. */
bool service_port_is_used(const struct config *config, const struct service_port *port);

/* The address on which a port is opened: as `bind` says, but Prometheus' own is opened on loopback only while
 * it offers the admin API, and the proxy's has a key of its own. Borrowed. */
const char *service_port_address(const struct config *config, const struct service_port *port);

/* "127.0.0.1", "::1": reachable from this machine only. */
bool address_is_loopback(const char *address);

#endif
