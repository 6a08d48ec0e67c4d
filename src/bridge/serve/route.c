#include "bridge/serve/route.h"

#define EXPORT(path_, signal_)                                                      \
	{                                                                           \
		.door = DOOR_OTLP_HTTP, .path = (path_), .kind = ROUTE_EXPORT,      \
		.signal = (signal_), .allow = "POST", .allow_cors = "POST, OPTIONS" \
	}
#define PAGE(door_, path_)                                                                  \
	{                                                                                   \
		.door = (door_), .path = (path_), .kind = ROUTE_PAGE, .allow = "GET, HEAD", \
		.allow_cors = "GET, HEAD"                                                   \
	}
#define ACTION(door_, path_)                                                             \
	{                                                                                \
		.door = (door_), .path = (path_), .kind = ROUTE_ACTION, .allow = "POST", \
		.allow_cors = "POST"                                                     \
	}

static const struct route routes[] = {
	EXPORT("/v1/metrics", OTLP_METRICS),
	EXPORT("/v1/logs", OTLP_LOGS),
	EXPORT("/v1/traces", OTLP_TRACES),
	PAGE(DOOR_EXPORTER, "/metrics"),
	ACTION(DOOR_HEALTH, "/alerts/test"),
	PAGE(DOOR_HEALTH, NULL),
	PAGE(DOOR_ZPAGES, NULL),
};

const struct route *route_find(enum serve_door door, struct slice path)
{
	if (door == DOOR_OTLP_GRPC) /* either protocol at either port */
		door = DOOR_OTLP_HTTP;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		const struct route *r = &routes[i];
		if (r->door == door && (!r->path || slice_eq_str(path, r->path)))
			return r;
	}
	return NULL;
}

bool route_takes(const struct route *route, enum http1_method method)
{
	if (route->kind == ROUTE_EXPORT || route->kind == ROUTE_ACTION)
		return method == HTTP1_POST;
	return method == HTTP1_GET || method == HTTP1_HEAD;
}
