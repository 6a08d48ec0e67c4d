/* Does every part of a stack answer, seen from this machine? A probe asks one address for one thing that only a working
 * part can answer; the list of them comes from the configuration.
 */
#ifndef CCTM_STACK_PROBES_H
#define CCTM_STACK_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/services.h"
#include "core/cleanup.h"

struct error;

enum probe_kind {
	PROBE_OK,      /* GET is answered 200 */
	PROBE_EXPORT,  /* an export of metrics over HTTP, empty or of one sample, is answered 200 */
	PROBE_GRPC,    /* an empty export over gRPC is answered */
	PROBE_TARGETS, /* every target of Prometheus is up */
	PROBE_GRAFANA, /* the database is well */
	PROBE_LOGIN, /* the administrator's password is right; asked once only, for Grafana locks out */
	PROBE_DATASOURCE, /* Grafana reaches Prometheus */
	PROBE_SHOWN,	  /* the sample that was exported is in the receiver's exposition */
	PROBE_STORED,	  /* it is what Prometheus answers, asked itself or through Grafana */
};

struct probe {
	enum probe_kind kind;
	enum service service;
	const char *what; /* "OTLP over HTTP" */
	char *url;
	bool is_passed, is_final; /* final: asking again would be wrong */
	char *why;		  /* the last time it did not pass */
	int64_t after_ms;	  /* of waiting, when it passed; set by who waits */
};

struct probes {
	struct probe *items;
	size_t count;
	char *grafana_user, *grafana_password, *token; /* NULL: unknown, or not asked for */
	double sample; /* seconds since 1970, that is sent and read back; 0: nothing is sent */
};

/* The gauge that is sent: when the stack was verified last. */
#define PROBE_METRIC "stack_verified_timestamp_seconds"

/* Those of the runtime; `grafana_password` and `token` may be NULL and are copied. With `sends_sample` the export is one
 * sample of the moment instead of an empty request, and every part through which it comes is asked for it. */
void probes_init(struct probes *out, const struct config *config, enum runtime runtime,
	const char *grafana_password, const char *token, bool sends_sample);
void probes_clear(struct probes *probes); /* wipes the secrets */

/* Asks once, at most `deadline_ms`; sets is_passed or why. */
void probe_ask(const struct probes *probes, struct probe *probe, int64_t deadline_ms);

static inline void auto_probes(struct probes *probes)
{
	probes_clear(probes);
}

#endif
