/* What a Claude Code that is started here would have, and what the running ones have.
 *
 * A process reads its settings once, when it starts. Its environment stays in /proc as it was then; a settings file that
 * was changed since may say something that it has never read, so it is to be started anew.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "claude/effective.h"
#include "claude/faults.h"
#include "claude/places.h"
#include "cmd/env_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/table.h"

#define START_MS 10 /* how exact the start of a process is known */

extern char **environ;

/* A Claude Code and what was found out about it; `process` is NULL for one that would be started here. */
struct subject {
	const struct claude_process *process;
	struct buf environ; /* of this process, for one that would be started here */
	struct effective effective;
	struct wanted wanted;
	struct comparison comparison;
	bool is_stale;	 /* its settings were changed after it started */
	bool is_unknown; /* its environment is not ours to read */
};

struct check {
	struct claude_processes processes;
	struct subject *subjects;
	size_t count;
};

/* ---- finding out ---- */

static void copy_environ(struct buf *out)
{
	for (char **entry = environ; entry && *entry; entry++)
		buf_add(out, *entry, strlen(*entry) + 1);
}

static void read_settings(struct subject *subject, const char *directory, const struct buf *text)
{
	static const enum layer layers[] = { LAYER_MANAGED, LAYER_LOCAL, LAYER_PROJECT,
		LAYER_USER };

	effective_add_environ(&subject->effective, text);
	for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
		AUTO(str) char *path = place_settings(layers[i], directory, text);
		if (path)
			effective_add_file(&subject->effective, layers[i], path);
	}
}

/* Over whichever protocol it sends: its port goes with it. */
static void compare(const struct env_job *job, struct subject *subject)
{
	enum layer layer = LAYER_SHELL;
	const char *protocol =
		effective_find(&subject->effective, "OTEL_EXPORTER_OTLP_PROTOCOL", &layer);
	bool is_theirs = protocol && strcmp(protocol, "grpc") == 0;
	env_settings_want(job, is_theirs ? protocol : job->args->protocol, &subject->wanted);
	effective_compare(&subject->effective, &subject->wanted, &subject->comparison);
}

static void look_here(const struct env_job *job, struct subject *subject)
{
	AUTO(str) char *here = getcwd(NULL, 0);
	subject->environ = (struct buf)BUF_INIT(BUF_UNLIMITED);
	effective_init(&subject->effective);
	copy_environ(&subject->environ);
	read_settings(subject, here, &subject->environ);
	compare(job, subject);
}

static void look_at(
	const struct env_job *job, const struct claude_process *process, struct subject *subject)
{
	const char *given = command_option(&process->command, "--settings");
	subject->process = process;
	subject->is_unknown = !process->is_readable;
	effective_init(&subject->effective);
	read_settings(subject, process->directory, &process->environ);
	if (given)
		effective_add_option(&subject->effective, given, process->directory);
	subject->is_stale =
		effective_changed_ms(&subject->effective) > process->started_ms + START_MS;
	compare(job, subject);
}

static bool is_well(const struct subject *subject)
{
	return !subject->comparison.wrong && !subject->is_stale && !subject->is_unknown;
}

static void check_begin(const struct env_job *job, bool has_here, struct check *out)
{
	claude_processes_find((pid_t)job->args->pid, &out->processes);
	out->subjects = mem_calloc(out->processes.count + 1, sizeof *out->subjects);
	if (has_here)
		look_here(job, &out->subjects[out->count++]);
	for (size_t i = 0; i < out->processes.count; i++)
		look_at(job, &out->processes.items[i], &out->subjects[out->count++]);
}

static void check_end(struct check *check)
{
	for (size_t i = 0; i < check->count; i++) {
		effective_clear(&check->subjects[i].effective);
		wanted_clear(&check->subjects[i].wanted);
		buf_clear(&check->subjects[i].environ);
	}
	free(check->subjects);
	claude_processes_clear(&check->processes);
}

/* ---- text ---- */

static const char *shown(const struct comparison_row *row, const char *value)
{
	return !value ? "\u2014" : row->is_secret ? "(secret)" : value;
}

static enum style style_of(enum verdict verdict)
{
	return verdict == VERDICT_OK	 ? STYLE_GREEN
	       : verdict == VERDICT_NOTE ? STYLE_YELLOW
					 : STYLE_RED;
}

static void add_verdict(struct table *table, const struct comparison_row *row)
{
	enum style style = style_of(row->verdict);
	if (row->verdict == VERDICT_OK)
		table_add(table, style, "ok");
	else if (row->verdict == VERDICT_IN_THE_WAY)
		table_add(table, style, "in the way: %s", row->note);
	else
		table_add(table, style, "%s %s", row->verdict == VERDICT_NOTE ? "better" : "needs",
			row->is_secret ? "another token" : row->wanted);
}

static void print_rows(struct out *out, const struct comparison *comparison)
{
	static const struct table_column columns[] = { { "variable", TABLE_LEFT },
		{ "in effect", TABLE_LEFT }, { "from", TABLE_LEFT }, { "verdict", TABLE_LEFT } };
	AUTO(table) struct table *table = table_new(columns, 4);
	for (size_t i = 0; i < comparison->count; i++) {
		const struct comparison_row *row = &comparison->rows[i];
		table_add(table, STYLE_PLAIN, "%s", row->name);
		table_add(table, STYLE_PLAIN, "%s", shown(row, row->value));
		table_add(table, STYLE_DIM, "%s", row->value ? layer_name(row->layer) : "\u2014");
		add_verdict(table, row);
	}
	table_print(table, out);
}

static void print_faults(struct out *out, const struct effective *effective)
{
	for (enum layer at = 0; at < LAYER_COUNT; at++) {
		const struct effective_source *source = &effective->sources[at];
		if (source->fault)
			out_printf(out, "%s cannot be read as settings: %s\n",
				source->path ? source->path : "--settings", source->fault);
	}
}

/* The first thing that is wrong, in a few words. Yours. */
static char *why_of(const struct subject *subject)
{
	const struct comparison *comparison = &subject->comparison;
	if (subject->is_unknown)
		return mem_strdup("not readable: it belongs to somebody else");
	for (size_t i = 0; i < comparison->count; i++) {
		const struct comparison_row *row = &comparison->rows[i];
		if (row->verdict > VERDICT_NOTE)
			return mem_printf("%s %s", row->name,
				row->verdict == VERDICT_MISSING	     ? "is not set"
				: row->verdict == VERDICT_IN_THE_WAY ? "is in the way"
								     : "differs");
	}
	return mem_strdup(subject->is_stale
				  ? "started before its settings were changed: start it anew"
				  : "as the stack needs");
}

static void print_processes(struct out *out, const struct check *check, size_t first)
{
	static const struct table_column columns[] = { { "process", TABLE_RIGHT },
		{ "version", TABLE_LEFT }, { "directory", TABLE_LEFT },
		{ "settings", TABLE_LEFT } };
	AUTO(table) struct table *table = table_new(columns, 4);
	for (size_t i = first; i < check->count; i++) {
		const struct subject *subject = &check->subjects[i];
		AUTO(str) char *why = why_of(subject);
		table_add(table, STYLE_PLAIN, "%ld", (long)subject->process->pid);
		table_add(table, STYLE_PLAIN, "%s",
			subject->process->version ? subject->process->version : "\u2014");
		table_add(table, STYLE_PLAIN, "%s",
			subject->process->directory ? subject->process->directory : "\u2014");
		table_add(table, is_well(subject) ? STYLE_GREEN : STYLE_RED, "%s", why);
	}
	out_printf(out, "\n");
	table_print(table, out);
	for (size_t i = first; i < check->count; i++) {
		const struct claude_process *process = check->subjects[i].process;
		const char *fault = version_fault(process->version);
		if (fault)
			out_printf(out, "process %ld: %s\n", (long)process->pid, fault);
	}
}

static void print_text(const struct env_job *job, const struct check *check)
{
	struct out *out = job->ctx->out;
	print_rows(out, &check->subjects[0].comparison);
	print_faults(out, &check->subjects[0].effective);
	if (job->args->pid && check->subjects[0].is_stale)
		out_printf(out, "it started before its settings were changed: start it anew\n");
	if (!job->args->pid && check->count > 1)
		print_processes(out, check, 1);
	if (!check->processes.is_supported)
		out_note(out, "what running processes have cannot be seen on this system");
	else if (!job->args->pid && check->count == 1)
		out_note(out, "no Claude Code runs");
	if (check->subjects[0].comparison.wrong)
		out_note(out,
			"'cctm env --apply' writes what is missing; then start Claude Code anew");
}

/* ---- JSON ---- */

static const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_OK] = "ok",
		[VERDICT_NOTE] = "note",
		[VERDICT_MISSING] = "missing",
		[VERDICT_DIFFERS] = "differs",
		[VERDICT_IN_THE_WAY] = "in-the-way",
	};
	return names[verdict];
}

static json_t *row_json(const struct comparison_row *row)
{
	bool is_hidden = row->is_secret;
	return json_pack("{s:s, s:o, s:o, s:s?, s:b, s:s, s:o}", "name", row->name, "value",
		is_hidden ? json_null() : out_json_text(row->value), "wanted",
		is_hidden ? json_null() : out_json_text(row->wanted), "origin",
		row->value ? layer_name(row->layer) : NULL, "secret", is_hidden, "verdict",
		verdict_name(row->verdict), "note", out_json_text(row->note));
}

static json_t *subject_json(const struct subject *subject)
{
	json_t *rows = json_array();
	const struct claude_process *process = subject->process;
	for (size_t i = 0; i < subject->comparison.count; i++)
		json_array_append_new(rows, row_json(&subject->comparison.rows[i]));
	json_t *object = json_pack("{s:b, s:b, s:b, s:o}", "well", is_well(subject), "stale",
		subject->is_stale, "readable", !subject->is_unknown, "variables", rows);
	if (process)
		json_object_update_new(object,
			json_pack("{s:I, s:I, s:o, s:o, s:o}", "pid", (json_int_t)process->pid,
				"started_ms", (json_int_t)process->started_ms, "directory",
				out_json_text(process->directory), "version",
				out_json_text(process->version), "version_fault",
				out_json_text(version_fault(process->version))));
	return object;
}

static void print_json(const struct env_job *job, const struct check *check, bool is_all_well)
{
	json_t *processes = json_array();
	size_t first = job->args->pid ? 0 : 1;
	for (size_t i = first; i < check->count; i++)
		json_array_append_new(processes, subject_json(&check->subjects[i]));
	json_t *document = json_pack("{s:b, s:b, s:o}", "well", is_all_well, "processes_visible",
		check->processes.is_supported, "processes", processes);
	if (first)
		json_object_set_new(document, "here", subject_json(&check->subjects[0]));
	out_json(job->ctx->out, 1, document);
}

/* ---- the two uses of it ---- */

static int report(const struct env_job *job, const struct check *check)
{
	bool is_all_well = true;
	for (size_t i = 0; i < check->count; i++)
		is_all_well = is_all_well && is_well(&check->subjects[i]);
	if (job->ctx->is_json)
		print_json(job, check, is_all_well);
	else
		print_text(job, check);
	return is_all_well ? 0 : error_exit_status(ERR_UNHEALTHY);
}

int env_check(const struct env_job *job, struct error *err)
{
	struct check check = { 0 };
	int status = -1;
	check_begin(job, !job->args->pid, &check);
	if (check.count)
		status = report(job, &check);
	else
		error_set(err, ERR_FAILED, "there is no process %lld that can be looked into",
			(long long)job->args->pid);
	check_end(&check);
	return status;
}

size_t env_note_processes(const struct env_job *job)
{
	struct check check = { 0 };
	size_t wrong = 0;
	check_begin(job, false, &check);
	for (size_t i = 0; i < check.count; i++) {
		const struct subject *subject = &check.subjects[i];
		if (is_well(subject) || subject->is_unknown)
			continue;
		AUTO(str) char *why = why_of(subject);
		out_note(job->ctx->out, "process %ld in %s: %s", (long)subject->process->pid,
			subject->process->directory ? subject->process->directory : "?", why);
		wrong++;
	}
	check_end(&check);
	return wrong;
}
