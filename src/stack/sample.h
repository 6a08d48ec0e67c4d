/* Samples and events of cctm's own, as OTLP requests: what is sent to see whether it comes through. They are gauges and
 * events of a service of their own, so that no total and no report can hold them.
 *
 * Source: opentelemetry-proto 1.3, collector/metrics/v1 and collector/logs/v1; for JSON the OTLP specification.
 */
#ifndef CCTM_STACK_SAMPLE_H
#define CCTM_STACK_SAMPLE_H

struct buf;

struct sample {
	const char *metric, *unit, *description; /* texts that JSON takes as they are */
	const char *protocol;			 /* an attribute; NULL: none */
	double seconds;				 /* since 1970: its time and its value */
};

/* An ExportMetricsServiceRequest with one gauge, added to `out`. */
void sample_json(const struct sample *sample, struct buf *out);
void sample_protobuf(const struct sample *sample, struct buf *out);

/* An ExportLogsServiceRequest with one event, whose time and attribute probe are `seconds`. */
void sample_event_json(double seconds, struct buf *out);

#endif
