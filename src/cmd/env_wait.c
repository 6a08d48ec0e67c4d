/* Waiting for the first data, as the receiver itself counts them. */
#include <poll.h>

#include <jansson.h>

#include "cmd/env_internal.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/out.h"
#include "core/str.h"
#include "loaded/received.h"

#define PAUSE_MS 1000

static int report(const struct env_job *job, bool is_receiving, double points, int64_t after_ms)
{
	if (job->ctx->is_json)
		out_json(job->ctx->out, 1,
			json_pack("{s:b, s:f, s:I}", "receiving", is_receiving, "points", points,
				"after_ms", (json_int_t)after_ms));
	else if (is_receiving)
		out_printf(job->ctx->out, "receiving: %.0f data points came after %.1f s\n", points,
			(double)after_ms / 1000);
	else
		out_printf(job->ctx->out, "%snothing came in %.0f s\n",
			job->args->is_applied ? "configured but silent: " : "",
			(double)after_ms / 1000);
	if (!is_receiving && env_note_processes(job) == 0)
		out_note(job->ctx->out,
			"start Claude Code and ask it something; 'cctm env --check' "
			"compares its settings");
	return is_receiving ? 0 : error_exit_status(ERR_UNHEALTHY);
}

/* A receiver that was started anew counts from 0. */
int env_wait(const struct env_job *job, struct error *err)
{
	double before = 0, now = 0;
	int64_t began = clock_mono_ms(), after_ms = 0;
	if (!received_points(&job->stack, &before, err)) {
		error_hint(err, "'cctm status' shows what does not run");
		return -1;
	}
	out_note(job->ctx->out, "waiting for data ...");
	for (; after_ms < job->args->wait_ms; after_ms = clock_mono_ms() - began) {
		AUTO(error) struct error ignored = ERROR_INIT;
		bool is_told = received_points(&job->stack, &now, &ignored);
		if (is_told && now > before)
			return report(job, true, now - before, clock_mono_ms() - began);
		before = is_told && now < before ? 0 : before;
		poll(NULL, 0, PAUSE_MS);
	}
	return report(job, false, 0, after_ms);
}
