/* What Claude Code's environment must say so that it sends its telemetry to a stack, and why each variable is wanted.
 * The one list of it: printed, rendered, applied and compared.
 *
 *     const struct wanted_request request = { .endpoint = "http://127.0.0.1:4318" };
 *     AUTO(wanted) struct wanted wanted = { 0 };
 *     wanted_init(&wanted, &request);
 */
#ifndef CCTM_CLAUDE_WANTED_H
#define CCTM_CLAUDE_WANTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "claude/settings.h"
#include "core/cleanup.h"

#define WANTED_MAX	   16
#define WANTED_INTERVAL_MS 10000 /* of metrics; what a killed session loses at most */

struct wanted_request {
	const char *endpoint;	/* the base: HTTP appends /v1/metrics and so on */
	const char *protocol;	/* NULL: http/protobuf */
	int64_t interval_ms;	/* 0: WANTED_INTERVAL_MS */
	bool is_delta;		/* each export says what was counted since the last one */
	const char *attributes; /* OTEL_RESOURCE_ATTRIBUTES as it is to be; NULL: none */
	bool has_prompts, has_tool_details, has_traces;
	const char *token;    /* NULL: none, or it comes another way */
	const char *no_proxy; /* NULL: none */
};

struct wanted {
	struct env_setting settings[WANTED_MAX]; /* in the order in which they are read best */
	const char *comments[WANTED_MAX];	 /* why, in a few words */
	size_t count;
};

/* Copies what it takes from the request. */
void wanted_init(struct wanted *out, const struct wanted_request *request);
void wanted_clear(struct wanted *wanted); /* wipes the secrets */

/* NULL: the variable is not wanted. */
const struct env_setting *wanted_find(const struct wanted *wanted, const char *name);

/* Is `value` what the setting asks for? "1" and "true" are the same to Claude Code, as are the cases of a temporality. */
bool wanted_is_met(const struct env_setting *setting, const char *value);

static inline void auto_wanted(struct wanted *wanted)
{
	wanted_clear(wanted);
}

#endif
