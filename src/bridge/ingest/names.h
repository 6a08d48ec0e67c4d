/* From OTLP's names and text to Prometheus': families, labels, values.
 *
 * The same names as the Collector's Prometheus exporter gives (OpenTelemetry's Prometheus compatibility
 * specification with unit and type suffixes), so that dashboards fit either. Where that translation refuses
 * a name or gives one that Prometheus would treat as internal, the ones here give a valid one instead:
 * whatever bytes come in, what goes out cannot break a line of the exposition.
 *
 * Every function appends to `out`, which must be unlimited (BUF_UNLIMITED); the bounds are on what is read.
 * What a label of a given name means (job, le, session_id …) and several keys that become one name are the
 * caller's business.
 */
#ifndef CCTM_BRIDGE_INGEST_NAMES_H
#define CCTM_BRIDGE_INGEST_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "bridge/otlp/types.h"
#include "core/buf.h"
#include "core/slice.h"

/* Bytes of a name that are looked at; the rest does not exist. */
#define NAMES_METRIC_MAX 512
#define NAMES_UNIT_MAX	 64
#define NAMES_KEY_MAX	 512

/* The family's name: [a-zA-Z_:][a-zA-Z0-9_:]*, never empty. claude_code.cost.usage in USD, a monotonic sum,
 * is claude_code_cost_usage_USD_total. A sum that is not monotonic is named as the Collector names it:
 * without _total, and without the _ratio that a gauge of unit "1" gets. A name without a single usable
 * character is "unnamed"; an empty one should have been refused before (REASON_UNNAMED).
 * Histograms and summaries come without _bucket, _sum and _count. */
void names_family(struct slice metric, struct slice unit, enum otlp_metric_kind kind,
	bool is_monotonic, struct buf *out);

/* A label's name: [a-zA-Z][a-zA-Z0-9_]*, so never one of Prometheus' own (__name__ becomes key__name__). An
 * empty key is "key_empty". */
void names_label(struct slice key, struct buf *out);

/* Text exposition 0.0.4: \\, \" and \n in label values; \\ and \n in HELP. */
void names_escape_label(struct slice value, struct buf *out);
void names_escape_help(struct slice help, struct buf *out);

/* What names_clean_utf8 had to do. */
#define NAMES_REPLACED 1u /* invalid bytes or NUL, one U+FFFD for each */
#define NAMES_CUT      2u

/* Appends `value` as well-formed UTF-8 without NUL, at most `max` bytes, whole characters. Other control
 * characters stay: label values may hold them. Returns flags. */
unsigned names_clean_utf8(struct slice value, size_t max, struct buf *out);

#endif
