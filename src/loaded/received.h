/* How much the stack's receiver has taken, as the receiver itself counts it: the way to see that data arrive.
 */
#ifndef CCTM_LOADED_RECEIVED_H
#define CCTM_LOADED_RECEIVED_H

#include <stdbool.h>
#include <stdint.h>

#include "loaded/loaded.h"

/* Metric data points since the receiver started. The bridge is asked itself; what the Collector counts is asked of
 * Prometheus, which reads it every 15 s. */
bool received_points(const struct loaded *stack, double *out, struct error *err) MUST_CHECK;

/* When the Collector took a data point last, wall time to the minute, as Prometheus has seen it within a day; 0: not since.
 * The bridge says it itself, on its health page. */
bool received_last_ms(const struct loaded *stack, int64_t *out, struct error *err) MUST_CHECK;

#endif
