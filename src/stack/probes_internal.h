/* Shared between probes and hops: how a part is asked, and whether a sample is in its answer. */
#ifndef CCTM_STACK_PROBES_INTERNAL_H
#define CCTM_STACK_PROBES_INTERNAL_H

#include <stdbool.h>

#include "config/services.h"

struct http_answer;
struct http_request;

#define PROBE_ANSWER_MAX     (8 << 20)
#define PROBE_DATASOURCE_UID "prometheus_claude_metrics"
#define PROBE_EXPORT_METRICS "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"

/* Grafana's own way to Prometheus' API (`GET /api/datasources/proxy/uid/:uid/…`). */
#define PROBE_PROXY "/api/datasources/proxy/uid/" PROBE_DATASOURCE_UID

/* An address for a client on this machine: what is opened on all is asked on loopback. Yours. */
char *probe_url(const struct config *config, const struct service_port *port, const char *path);

/* What a part says of itself, in short; yours. */
char *probe_said(const struct http_answer *answer);

/* Is there a sample of `metric` with that value, and with protocol="PROTOCOL" unless that is NULL? In an exposition, and
 * in Prometheus' answer to an instant query. */
bool probe_is_shown(const char *exposition, const char *metric, const char *protocol, double value);
bool probe_is_stored(const struct http_answer *answer, const char *protocol, double value);

#endif
