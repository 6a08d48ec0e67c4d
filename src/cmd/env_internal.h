/* The parts of cctm env: env.c is the story, env_settings.c what Claude Code is to be told, env_print.c how it is shown,
 * env_apply.c how it is written into files, env_check.c what is in effect, env_wait.c waiting for data. */
#ifndef CCTM_CMD_ENV_INTERNAL_H
#define CCTM_CMD_ENV_INTERNAL_H

#include "claude/processes.h"
#include "claude/shell.h"
#include "claude/wanted.h"
#include "command.h"
#include "core/buf.h"
#include "loaded/loaded.h"

struct error;

struct env_args {
	const char *scope, *shell, *protocol, *host, *team, *department, *cost_center;
	int64_t interval_ms, wait_ms, pid;
	struct opt_rest attributes;
	bool has_prompts, has_tool_details, has_traces, is_cumulative, is_delta;
	bool is_checked, is_applied, is_removed, is_managed, is_printed, is_forced, is_dry_run;
};

struct env_job {
	struct context *ctx;
	const struct env_args *args;
	struct loaded stack;
	char *http_endpoint, *grpc_endpoint;
	struct buf attributes; /* OTEL_RESOURCE_ATTRIBUTES */
	char *token;	       /* NULL: the stack asks for none */
	char *helper;	/* the script that prints it; NULL: there is none, or gRPC cannot use it */
	char *no_proxy; /* NULL: as it is */
	struct wanted wanted;
};

/* Fills all but ctx and args. */
bool env_settings_make(struct env_job *job, struct error *err) MUST_CHECK;
/* What is wanted of a client that uses `protocol`. */
void env_settings_want(const struct env_job *job, const char *protocol, struct wanted *out);
void env_settings_clear(struct env_job *job);

void env_print(const struct env_job *job);

/* The settings as Claude Code reads them, without the token. */
void env_print_settings(const struct env_job *job);

/* Writes them where the scope says, or takes them out; 0. */
int env_apply(const struct env_job *job, struct error *err);

/* What is in effect and where it differs; 0, or 3 when something does. */
int env_check(const struct env_job *job, struct error *err);

/* Says which running processes of Claude Code have other settings than the stack wants; how many. */
size_t env_note_processes(const struct env_job *job);

/* Waits until the receiver has taken a data point; 0, or 3 when none came in time. */
int env_wait(const struct env_job *job, struct error *err);

#endif
