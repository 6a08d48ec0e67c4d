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

#endif
