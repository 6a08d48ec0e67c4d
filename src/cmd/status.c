/* cctm status: one line a part: does its container or process run, and does it answer? Reads only; 3 when one does not.
 *
 * What runs is known by Compose's own labels and by the lock of the bridge's directory, never by an open port: that may be
 * somebody else's.
 */
#include <string.h>

#include "cmd/cmd.h"
#include "config/bridge_dir.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/table.h"
#include "loaded/loaded.h"
#include "stack/compose.h"
#include "stack/embedded.h"

static const struct example status_examples[] = {
	{ "cctm status", "is the stack well?" },
	{ "cctm status --json", "the same for a program; the exit status is 3 when it is not" },
	{ NULL, NULL },
};

static int status_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_status = {
	.name = "status",
	.group = GROUP_STACK,
	.summary = "show which parts of the stack run and answer",
	.effect = EFFECT_READS,
	.examples = status_examples,
	.text = "Lists the parts of the stack, whether each runs, and whether it answers through "
		"its published port. The exit "
		"status is 3 when a part does not run or does not answer.",
	.run = status_run,
};

#define ASK_MS 3000

/* A part: what Compose or the lock says of it, and the first of its probes that failed. */
struct part {
	enum service service;
	char *state;		  /* "running", "exited (1)", "absent" */
	const char *failed, *why; /* borrowed from the probes; NULL: all passed */
	bool is_well;
};

struct status_job {
	struct loaded stack;
	struct probes probes;
	struct part parts[SERVICE_COUNT];
	size_t part_count;
};

static char *state_of_container(
	const struct compose_services *services, const char *name, bool *runs)
{
	const struct compose_service *service = compose_service_find(services, name);
	if (!service)
		return mem_strdup("absent");
	*runs = strcmp(service->state, "running") == 0;
	if (*runs)
		return mem_strdup(*service->health ? service->health : "running");
	return mem_printf("%s (%lld)", service->state, (long long)service->exit_code);
}

static void add_part(struct status_job *job, enum service service, char *state, bool runs)
{
	struct part *part = &job->parts[job->part_count++];
	*part = (struct part){ .service = service, .state = state, .is_well = runs };
	for (size_t i = 0; runs && i < job->probes.count; i++) {
		struct probe *probe = &job->probes.items[i];
		if (probe->service != service)
			continue;
		probe_ask(&job->probes, probe, ASK_MS);
		if (probe->is_passed || part->failed)
			continue;
		part->is_well = false;
		part->failed = probe->what;
		part->why = probe->why;
	}
}

static bool look_at_containers(struct status_job *job, struct error *err)
{
	struct compose compose;
	AUTO(compose_services) struct compose_services services = { 0 };
	if (!compose_open(job->stack.dir, &compose, err) || !compose_list(&compose, &services, err))
		return false;
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		bool runs = false;
		if (!service_is_used(&job->stack.config, s))
			continue;
		char *state = state_of_container(&services, service_rows[s].name, &runs);
		add_part(job, s, state, runs);
	}
	return true;
}

static void look_at_bridge(struct status_job *job)
{
	AUTO(str) char *state = bridge_dir(job->stack.dir, &job->stack.config);
	pid_t pid = embedded_find(state);
	add_part(job, SERVICE_BRIDGE,
		pid ? mem_printf("process %ld", (long)pid) : mem_strdup("does not run"), pid != 0);
}

static bool is_well(const struct status_job *job)
{
	for (size_t i = 0; i < job->part_count; i++) {
		if (!job->parts[i].is_well)
			return false;
	}
	return job->part_count > 0;
}

static void print_text(struct context *ctx, const struct status_job *job)
{
	static const struct table_column columns[] = { { "part", TABLE_LEFT },
		{ "state", TABLE_LEFT }, { "answers", TABLE_LEFT } };
	AUTO(table) struct table *rows = table_new(columns, 3);
	for (size_t i = 0; i < job->part_count; i++) {
		const struct part *part = &job->parts[i];
		enum style style = part->is_well ? STYLE_GREEN : STYLE_RED;
		table_add(rows, STYLE_PLAIN, "%s", service_rows[part->service].name);
		table_add(rows, style, "%s", part->state);
		if (part->failed)
			table_add(rows, style, "%s: %s", part->failed, part->why);
		else
			table_add(rows, style, "%s", part->is_well ? "yes" : "no");
	}
	table_print(rows, ctx->out);
	if (!is_well(job))
		out_note(ctx->out, "'cctm up' starts what does not run; 'cctm logs' shows why "
				   "something does not answer");
}

static void print_json(struct context *ctx, const struct status_job *job)
{
	json_t *parts = json_array();
	for (size_t i = 0; i < job->part_count; i++) {
		const struct part *part = &job->parts[i];
		json_array_append_new(parts,
			json_pack("{s:s, s:s, s:b, s:o, s:o}", "service",
				service_rows[part->service].name, "state", part->state, "healthy",
				part->is_well, "failed", out_json_text(part->failed), "why",
				out_json_text(part->why)));
	}
	out_json(ctx->out, 1,
		json_pack("{s:o, s:s, s:b, s:o}", "directory", out_json_text(job->stack.dir),
			"runtime", runtime_name(job->stack.runtime), "healthy", is_well(job),
			"parts", parts));
}

static bool look(struct context *ctx, struct status_job *job, struct error *err)
{
	if (!loaded_read(ctx->dir, &job->stack, err) ||
		!loaded_probes(&job->stack, false, &job->probes, err))
		return false;
	if (job->stack.runtime == RUNTIME_DOCKER)
		return look_at_containers(job, err);
	look_at_bridge(job);
	return true;
}

static int status_run(struct context *ctx, const void *args, struct error *err)
{
	(void)args;
	struct status_job job = { 0 };
	int status = -1;
	if (look(ctx, &job, err)) {
		status = is_well(&job) ? 0 : error_exit_status(ERR_UNHEALTHY);
		if (ctx->is_json)
			print_json(ctx, &job);
		else
			print_text(ctx, &job);
	}
	for (size_t i = 0; i < job.part_count; i++)
		free(job.parts[i].state);
	probes_clear(&job.probes);
	loaded_clear(&job.stack);
	return status;
}
