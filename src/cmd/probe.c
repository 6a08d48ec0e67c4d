/* cctm probe: sends a marked sample over each protocol and follows it hop by hop, until it is seen or says where it is lost.
 *
 * All ways are gone at once: one slow part is waited for once. The first hop of a way that fails ends that way.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "loaded/loaded.h"

struct probe_args {
	const char *protocol;
	int64_t timeout_ms;
};

static const struct opt probe_options[] = {
	OPT_CHOICE(struct probe_args, protocol, 0, "protocol", "PROTOCOL", way_names, NULL,
		"one way only; all that the stack offers when absent"),
	OPT_DURATION(struct probe_args, timeout_ms, 0, "timeout", 1000, 600000, "1m",
		"how long the sample may be on its way"),
	OPT_END,
};

static const struct example probe_examples[] = {
	{ "cctm probe", "does a sample come through, and how long does it take?" },
	{ "cctm probe --protocol grpc", "over one protocol" },
	{ "cctm probe --json", "for a program; the exit status is 3 when a sample is lost" },
	{ NULL, NULL },
};

static int probe_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_probe = {
	.name = "probe",
	.group = GROUP_STACK,
	.summary = "send a marked sample through the stack and time each hop",
	.effect = EFFECT_CHANGES,
	.args_size = sizeof(struct probe_args),
	.options = probe_options,
	.examples = probe_examples,
	.text = "Sends one sample (the gauge cctm_probe, with the protocol as a label and the "
		"moment "
		"as its value) over each protocol that the stack offers, and one event, and looks "
		"for it where it has to come by: in the receiver's metrics, in Prometheus, through "
		"Grafana's datasource, an event in Loki where there is one. Neither is in any "
		"total "
		"or report.\n\n"
		"Each hop is shown with the time since the sample was sent. Prometheus reads the "
		"receiver every prometheus.scrape_interval, so that hop takes up to that long. A "
		"way ends at the first hop that fails, with what to look at; then the exit status "
		"is 3.",
	.run = probe_run,
};

#define PAUSE_MS 100
#define ASK_MS	 4000

struct probe_job {
	struct context *ctx;
	const struct loaded *stack;
	struct ways *ways;
	int64_t began_ms, timeout_ms;
};

/* ---- going ---- */

/* The hop that a way waits for; NULL: it has arrived. */
static struct hop *next_hop(struct way *way)
{
	for (size_t i = 0; i < way->count; i++) {
		if (!way->hops[i].is_passed)
			return &way->hops[i];
	}
	return NULL;
}

/* True: there is more to wait for. */
static bool go_on(struct probe_job *job, struct way *way)
{
	struct hop *hop = next_hop(way);
	while (hop && !hop->is_final) {
		hop_ask(job->ways, way, hop, ASK_MS);
		if (!hop->is_passed)
			return !hop->is_final;
		hop->after_ms = clock_mono_ms() - job->began_ms;
		hop = next_hop(way);
	}
	return false;
}

static void follow(struct probe_job *job)
{
	bool is_waiting = true;
	job->began_ms = clock_mono_ms();
	while (is_waiting) {
		int64_t after_ms = clock_mono_ms() - job->began_ms;
		is_waiting = false;
		for (size_t i = 0; i < job->ways->count; i++)
			is_waiting = go_on(job, &job->ways->items[i]) || is_waiting;
		out_status(job->ctx->out, "on its way for %.1f s", (double)after_ms / 1000);
		if (after_ms >= job->timeout_ms)
			break;
		if (is_waiting)
			poll(NULL, 0, PAUSE_MS);
	}
	out_end_status(job->ctx->out);
}

/* ---- telling ---- */

/* What to look at when a hop fails; yours. */
static char *advice(const struct hop *hop)
{
	const char *name = service_rows[hop->service].name;
	switch (hop->kind) {
	case HOP_TAKEN:
		return mem_printf("'cctm status' shows whether it runs, 'cctm logs %s' what it "
				  "said; 'cctm up' starts what does not",
			name);
	case HOP_SHOWN:
		return mem_printf("the receiver took it and lost it: 'cctm logs %s'", name);
	case HOP_STORED:
		return mem_printf("'cctm status' shows whether %s reads it, 'cctm logs %s' why not",
			service_rows[hop->service].title, name);
	case HOP_SEEN:
		break;
	}
	return mem_printf("Grafana's datasource does not reach Prometheus, or the password in .env "
			  "is not its own: 'cctm logs %s'",
		name);
}

static void print_way(struct out *out, const struct way *way)
{
	bool is_lost = false;
	out_printf(out, "%s\n", way_names[way->protocol]);
	for (size_t i = 0; i < way->count && !is_lost; i++) {
		const struct hop *hop = &way->hops[i];
		is_lost = !hop->is_passed;
		if (hop->is_passed) {
			out_printf(out, "  %sok%s    %-24s %6.2f s  %s\n",
				out_style(out, STYLE_GREEN), out_style(out, STYLE_PLAIN), hop->what,
				(double)hop->after_ms / 1000, hop->url);
			continue;
		}
		AUTO(str) char *hint = advice(hop);
		out_printf(out, "  %slost%s  %-24s %8s  %s\n        %s\n        %s\n",
			out_style(out, STYLE_RED), out_style(out, STYLE_PLAIN), hop->what, "",
			hop->url, hop->why ? hop->why : "it was not asked", hint);
	}
}

static int64_t slowest_ms(const struct ways *ways)
{
	int64_t slowest = 0;
	for (size_t i = 0; i < ways->count; i++) {
		const struct way *way = &ways->items[i];
		int64_t after_ms = way->count ? way->hops[way->count - 1].after_ms : 0;
		slowest = after_ms > slowest ? after_ms : slowest;
	}
	return slowest;
}

static size_t lost_ways(struct ways *ways)
{
	size_t count = 0;
	for (size_t i = 0; i < ways->count; i++)
		count += next_hop(&ways->items[i]) != NULL;
	return count;
}

static bool keeps_events(const struct loaded *stack)
{
	return stack->runtime == RUNTIME_DOCKER && service_is_used(&stack->config, SERVICE_LOKI);
}

static void print_text(struct probe_job *job, size_t lost)
{
	struct out *out = job->ctx->out;
	for (size_t i = 0; i < job->ways->count; i++)
		print_way(out, &job->ways->items[i]);
	if (lost)
		out_printf(out, "%zu of %zu did not come through\n", lost, job->ways->count);
	else
		out_printf(out, "everything comes through; the slowest took %.2f s\n",
			(double)slowest_ms(job->ways) / 1000);
	bool has_events = job->ways->items[job->ways->count - 1].protocol == WAY_EVENTS;
	if (has_events && !lost && !keeps_events(job->stack))
		out_note(out, "events are taken and counted, and not kept: events.store is none");
}

static json_t *hop_json(const struct hop *hop)
{
	AUTO(str) char *hint = hop->is_passed ? NULL : advice(hop);
	return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "what", hop->what, "service",
		service_rows[hop->service].name, "url", hop->url, "passed", hop->is_passed,
		"after_ms", hop->is_passed ? json_integer(hop->after_ms) : json_null(), "why",
		out_json_text(hop->why), "hint", out_json_text(hint));
}

static void print_json(struct probe_job *job, size_t lost)
{
	json_t *list = json_array();
	for (size_t i = 0; i < job->ways->count; i++) {
		const struct way *way = &job->ways->items[i];
		json_t *hops = json_array();
		for (size_t j = 0; j < way->count; j++)
			json_array_append_new(hops, hop_json(&way->hops[j]));
		json_array_append_new(list,
			json_pack("{s:s, s:b, s:o}", "protocol", way_names[way->protocol], "passed",
				next_hop(&job->ways->items[i]) == NULL, "hops", hops));
	}
	out_json(job->ctx->out, 1,
		json_pack("{s:s, s:b, s:o}", "runtime", runtime_name(job->stack->runtime), "passed",
			lost == 0, "ways", list));
}

static int probe_run(struct context *ctx, const void *raw, struct error *err)
{
	const struct probe_args *args = raw;
	AUTO(loaded) struct loaded stack = { 0 };
	AUTO(ways) struct ways ways = { 0 };
	if (!loaded_read(ctx->dir, &stack, err) || !loaded_ways(&stack, args->protocol, &ways, err))
		return -1;
	struct probe_job job = {
		.ctx = ctx, .stack = &stack, .ways = &ways, .timeout_ms = args->timeout_ms
	};
	follow(&job);
	size_t lost = lost_ways(&ways);
	if (ctx->is_json)
		print_json(&job, lost);
	else
		print_text(&job, lost);
	return lost ? error_exit_status(ERR_UNHEALTHY) : 0;
}
