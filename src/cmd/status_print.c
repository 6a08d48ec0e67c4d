/* The parts as a table, or as JSON. */
#include <unistd.h>

#include <jansson.h>

#include "cmd/status_internal.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/str.h"
#include "core/table.h"

#define DASH "\u2014"

/* "3h", "2d": the largest unit that fits, and the next; yours. */
static char *age(int64_t since_ms)
{
	static const struct {
		int64_t ms;
		const char *name;
	} units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" } };

	int64_t ms = clock_wall_ms() - since_ms;
	if (since_ms <= 0)
		return mem_strdup(DASH);
	for (size_t i = 0; i < 4; i++) {
		if (ms >= units[i].ms)
			return mem_printf("%lld%s", (long long)(ms / units[i].ms), units[i].name);
	}
	return mem_strdup("0s");
}

static char *memory_text(int64_t bytes)
{
	return bytes < 0 ? mem_strdup(DASH) : mem_printf("%.1f MiB", (double)bytes / 1048576);
}

static void add_row(struct table *rows, const struct part *part)
{
	enum style style = part->is_well ? STYLE_GREEN : STYLE_RED;
	AUTO(str) char *since = age(part->started_ms);
	AUTO(str) char *memory = memory_text(part->memory);
	AUTO(str) char *sample = age(part->last_sample_ms);
	table_add(rows, STYLE_PLAIN, "%s", service_rows[part->service].name);
	table_add(rows, style, "%s%s", part->state, part->failed ? ", does not answer" : "");
	table_add(rows, STYLE_PLAIN, "%s", part->version ? part->version : DASH);
	table_add(rows, STYLE_PLAIN, "%s", since);
	if (part->cpu_percent < 0)
		table_add(rows, STYLE_PLAIN, DASH);
	else
		table_add(rows, STYLE_PLAIN, "%.1f %%", part->cpu_percent);
	table_add(rows, STYLE_PLAIN, "%s", memory);
	if (part->restarts < 0)
		table_add(rows, STYLE_PLAIN, DASH);
	else
		table_add(rows, part->restarts ? STYLE_YELLOW : STYLE_PLAIN, "%lld",
			(long long)part->restarts);
	table_add(rows, STYLE_PLAIN, "%s%s", sample, part->last_sample_ms ? " ago" : "");
	table_add(rows, STYLE_DIM, "%s", part->address);
}

static void print_text(const struct status_job *job)
{
	static const struct table_column columns[] = { { "part", TABLE_LEFT },
		{ "state", TABLE_LEFT }, { "version", TABLE_LEFT }, { "up", TABLE_RIGHT },
		{ "cpu", TABLE_RIGHT }, { "memory", TABLE_RIGHT }, { "restarts", TABLE_RIGHT },
		{ "last sample", TABLE_LEFT }, { "address", TABLE_LEFT } };
	struct out *out = job->ctx->out;
	AUTO(table) struct table *rows = table_new(columns, 9);
	if (job->args->is_watched && isatty(STDOUT_FILENO))
		out_printf(out, "\033[H\033[J");
	for (size_t i = 0; i < job->part_count; i++)
		add_row(rows, &job->parts[i]);
	table_print(rows, out);
	for (size_t i = 0; i < job->part_count; i++) {
		const struct part *part = &job->parts[i];
		if (part->failed)
			out_printf(out, "%s: %s: %s\n", service_rows[part->service].name,
				part->failed, part->why);
	}
	if (!job->is_well)
		out_note(out, "'cctm up' starts what does not run; 'cctm logs' shows why "
			      "something does not answer");
}

static json_t *known(int64_t value, int64_t unknown)
{
	return value == unknown ? json_null() : json_integer(value);
}

static json_t *part_json(const struct part *part)
{
	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"service", service_rows[part->service].name, "state", part->state, "healthy",
		part->is_well, "failed", out_json_text(part->failed), "why",
		out_json_text(part->why), "address", out_json_text(part->address), "version",
		out_json_text(part->version), "pid", known(part->pid, 0), "started_ms",
		known(part->started_ms, 0), "cpu_percent",
		part->cpu_percent < 0 ? json_null() : json_real(part->cpu_percent), "memory_bytes",
		known(part->memory, -1), "restarts", known(part->restarts, -1), "last_sample_ms",
		known(part->last_sample_ms, 0));
}

static void print_json(const struct status_job *job)
{
	json_t *parts = json_array();
	for (size_t i = 0; i < job->part_count; i++)
		json_array_append_new(parts, part_json(&job->parts[i]));
	json_t *document = json_pack("{s:o, s:s, s:b, s:o}", "directory",
		out_json_text(job->stack.dir), "runtime", runtime_name(job->stack.runtime),
		"healthy", job->is_well, "parts", parts);
	if (job->args->is_watched)
		out_json_line(job->ctx->out, 1, document);
	else
		out_json(job->ctx->out, 1, document);
}

void status_print(const struct status_job *job)
{
	if (job->ctx->is_json)
		print_json(job);
	else
		print_text(job);
}
