/* The way of a marked sample through a stack: over which protocols it goes in, and where it must show itself after that.
 *
 * The sample is the gauge cctm_probe, with the protocol as a label and the moment as its value; events have a way of their
 * own. Neither is in any total or report.
 */
#ifndef CCTM_STACK_HOPS_H
#define CCTM_STACK_HOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/services.h"
#include "core/cleanup.h"

enum hop_kind {
	HOP_TAKEN,  /* the receiver took it */
	HOP_SHOWN,  /* it is in the receiver's exposition */
	HOP_STORED, /* Prometheus has it; of an event: Loki */
	HOP_SEEN,   /* Grafana's datasource shows it */
};

struct hop {
	enum hop_kind kind;
	enum service service;
	const char *what; /* "taken by the receiver" */
	char *url;
	bool is_passed, is_final; /* final: it will never pass */
	char *why;		  /* the last time it did not pass */
	int64_t after_ms;	  /* since it was sent, when it passed; set by who waits */
};

#define HOPS_MAX 4

enum way_protocol { WAY_PROTOBUF, WAY_JSON, WAY_GRPC, WAY_EVENTS, WAY_COUNT };

/* "http/protobuf", as OTEL_EXPORTER_OTLP_PROTOCOL names it; events are "events". Ends with NULL. */
extern const char *const way_names[WAY_COUNT + 1];

struct way {
	enum way_protocol protocol;
	struct hop hops[HOPS_MAX];
	size_t count;
};

struct ways {
	struct way items[WAY_COUNT];
	size_t count;
	char *grafana_user, *grafana_password, *token;
	double seconds; /* what is sent and looked for */
};

/* Those of the runtime; `only` is one of way_names, or NULL for all. The secrets may be NULL and are copied. */
void ways_init(struct ways *out, const struct config *config, enum runtime runtime,
	const char *only, const char *grafana_password, const char *token);
void ways_clear(struct ways *ways); /* wipes the secrets */

/* Asks once, at most `deadline_ms`; sets is_passed, or why and is_final. */
void hop_ask(const struct ways *ways, const struct way *way, struct hop *hop, int64_t deadline_ms);

static inline void auto_ways(struct ways *ways)
{
	ways_clear(ways);
}

#endif
