/* Shared between the files of cctm up: the stack that is started, by containers or as the bridge alone. */
#ifndef CCTM_CMD_UP_INTERNAL_H
#define CCTM_CMD_UP_INTERNAL_H

#include "cmd/cmd.h"
#include "loaded/current.h"
#include "loaded/loaded.h"
#include "loaded/wait.h"
#include "stack/compose.h"
#include "stack/preflight.h"

struct up_args {
	int64_t timeout_ms;
	bool is_kept, waits, is_build_only, sets_env, uses_systemd;
	const char *pull;
};

struct up_job {
	struct context *ctx;
	const struct up_args *args;
	struct loaded stack;
	struct probes probes;
	struct current noted, files; /* configurations: at the last up, and now */
	bool ran_before;
	/* Of containers. */
	struct compose compose;
	struct compose_services before, after;
	enum service ill; /* what crashes again and again; SERVICE_COUNT: nothing */
};

#define UP_STOP_MS 120000

/* Is what other programs say to be seen? */
static inline bool up_is_shown(const struct up_job *job)
{
	return !job->ctx->is_quiet && !job->ctx->is_json;
}

/* Starts what does not run, and waits; or says what fails, and takes down what was started. */
bool up_containers(struct up_job *job, struct error *err) MUST_CHECK;
bool up_embedded(struct up_job *job, struct error *err) MUST_CHECK;

/* What stands in the way; notes are printed, the rest is an error. */
bool up_judge(const struct up_job *job, const struct findings *findings, struct error *err)
	MUST_CHECK;

/* Asks until all answer. */
bool up_wait(struct up_job *job, bool (*is_hopeless)(void *ctx), struct error *err) MUST_CHECK;

/* Adds to an error what the engine knows of it: the part, how it ended, its last lines, the likely cause and the fix. */
void up_explain(const struct up_job *job, struct error *err);

/* Containers that were there before and whose files changed read them again, or are started again. */
bool up_reload_changed(const struct up_job *job, struct error *err) MUST_CHECK;

#endif
