/* Waiting until every part of a stack answers. */
#ifndef CCTM_LOADED_WAIT_H
#define CCTM_LOADED_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "stack/probes.h"

struct error;

struct wait_request {
	int64_t timeout_ms;
	void *ctx;
	/* All may be NULL. Told of each probe as it passes; of the first that has not, once a round, with the milliseconds
	 * since the beginning; and asked every other second whether waiting makes sense. */
	void (*passed)(void *ctx, const struct probe *probe);
	void (*waiting)(void *ctx, const struct probe *probe, int64_t after_ms);
	bool (*is_hopeless)(void *ctx);
};

/* Asks all probes again and again until they pass, one never will, or the time is over. The error names the probe that
 * failed and why. */
bool wait_for_probes(struct probes *probes, const struct wait_request *request, struct error *err)
	MUST_CHECK;

/* The one that failed, NULL when all passed. What cannot be mended by waiting comes first, and what depends on other parts
 * last: a target of Prometheus is down because the part behind it is. */
const struct probe *wait_failed(const struct probes *probes);

/* What to do about it, when nothing better is known; yours. */
char *wait_hint(const struct probe *failed);

#endif
