/* Waiting until every part of a stack answers. */
#ifndef CCTM_LOADED_WAIT_H
#define CCTM_LOADED_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "stack/probes.h"

struct error;

/* Asks all probes again and again until they pass, one never will, or the time is over. `passed` (may be NULL) is told of
 * each as it passes, with the milliseconds since the beginning. The error names the probe that failed and why. */
bool wait_for_probes(struct probes *probes, int64_t timeout_ms,
	void (*passed)(void *ctx, const struct probe *probe, int64_t after_ms), void *ctx,
	struct error *err) MUST_CHECK;

/* The one that failed, NULL when all passed; Prometheus' targets last, for a target is down because the part behind it is. */
const struct probe *wait_failed(const struct probes *probes);

#endif
