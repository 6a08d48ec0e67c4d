/* Claude Code: is it there, does it send, and here? What `cctm env --check` finds, one check a variable. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "claude/effective.h"
#include "claude/faults.h"
#include "claude/places.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/proc.h"
#include "core/text.h"
#include "doctor/doctor_internal.h"

#define ASK_MS 4000

extern char **environ;

/* ---- the program ---- */

void check_claude_program(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(str) char *path = proc_find("claude");
	(void)d;
	(void)check;
	if (path) {
		outcome_say(out, CHECK_OK, "%s", path);
		return;
	}
	outcome_say(out, CHECK_NOTE, "no program claude is in PATH");
	outcome_advise(out, "where it runs on another machine, 'cctm env --host' prints what to "
			    "set there");
}

void check_claude_version(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	AUTO(str) char *path = proc_find("claude");
	const char *const argv[] = { "claude", "--version", NULL };
	const struct proc_request request = {
		.argv = argv, .deadline_ms = ASK_MS, .output_max = 4096
	};
	(void)d;
	(void)check;
	if (!path) {
		outcome_say(out, CHECK_SKIPPED, "no program claude is in PATH");
		return;
	}
	if (!proc_ask(&request, &result, &ignored)) {
		outcome_say(out, CHECK_NOTE, "'claude --version': %s", ignored.message);
		return;
	}
	AUTO(str) char *version = text_first_line(buf_str(&result.out), 60);
	const char *fault = version_fault(version);
	if (!fault) {
		outcome_say(out, CHECK_OK, "%s", version);
		return;
	}
	outcome_say(out, CHECK_WARNING, "%s: %s", version, fault);
	outcome_command(out, FIX_TO_LOOK_AT, "claude", "update", NULL);
}

/* ---- its settings files ---- */

/* Of a Claude Code that would be started here. */
static void read_effective(struct effective *effective, struct buf *variables)
{
	AUTO(str) char *here = getcwd(NULL, 0);
	*variables = (struct buf)BUF_INIT(BUF_UNLIMITED);
	for (char **entry = environ; entry && *entry; entry++)
		buf_add(variables, *entry, strlen(*entry) + 1);
	effective_init(effective);
	effective_add_environ(effective, variables);
	for (enum layer layer = 0; layer < LAYER_COUNT; layer++) {
		AUTO(str) char *path = place_settings(layer, here, variables);
		if (path)
			effective_add_file(effective, layer, path);
	}
}

void check_claude_settings(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(buf) struct buf variables = BUF_INIT(BUF_UNLIMITED);
	AUTO(effective) struct effective effective;
	(void)d;
	(void)check;
	read_effective(&effective, &variables);
	for (enum layer layer = 0; layer < LAYER_COUNT; layer++) {
		const struct effective_source *source = &effective.sources[layer];
		if (!source->fault)
			continue;
		outcome_say(out, CHECK_FAILURE,
			"%s cannot be read as settings, so none of it counts: %s", source->path,
			source->fault);
		outcome_advise(out, "mend that place; in an editor that knows JSON it is marked");
		return;
	}
}

void check_claude_block(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(buf) struct buf variables = BUF_INIT(BUF_UNLIMITED);
	AUTO(effective) struct effective effective;
	(void)d;
	(void)check;
	read_effective(&effective, &variables);
	for (enum layer layer = 0; layer < LAYER_COUNT; layer++) {
		const struct effective_source *source = &effective.sources[layer];
		const json_t *env = json_object_get(source->settings, "env");
		bool has_block = json_object_get(source->settings, "telemetry") != NULL;
		if (!has_block && (!env || json_is_object(env)))
			continue;
		outcome_say(out, CHECK_WARNING, "%s: %s", source->path,
			has_block ? "\"telemetry\" is no setting that Claude Code knows"
				  : "\"env\" has to be an object of texts");
		outcome_advise(out, "take it out: variables stand in \"env\", where 'cctm env "
				    "--apply' writes them");
		return;
	}
}

void check_claude_attributes(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(buf) struct buf variables = BUF_INIT(BUF_UNLIMITED);
	AUTO(effective) struct effective effective;
	enum layer layer = LAYER_SHELL;
	(void)d;
	(void)check;
	read_effective(&effective, &variables);
	const char *value = effective_find(&effective, "OTEL_RESOURCE_ATTRIBUTES", &layer);
	for (const char *at = value; at && *at;) {
		size_t len = strcspn(at, ",");
		const char *equals = memchr(at, '=', len);
		size_t key = equals ? (size_t)(equals - at) : len;
		size_t good = 0;
		while (good < len && (unsigned char)at[good] > ' ' &&
			(unsigned char)at[good] < 127 && !strchr("\";\\", at[good]))
			good++;
		if (!equals || !key || good < len || len > 255 + key) {
			outcome_say(out, CHECK_FAILURE,
				"OTEL_RESOURCE_ATTRIBUTES (%s): \"%.*s\" %s", layer_name(layer),
				(int)(len < 80 ? len : 80), at,
				good < len ? "has a character that keeps it off every data point"
				: !equals  ? "is no name=value"
					   : "is too long or has no name");
			outcome_advise(out, "write blanks, quotes and letters beyond ASCII as %%20 "
					    "and so on; 'cctm env --attribute NAME=VALUE' does it");
			return;
		}
		at += len + (at[len] == ',');
	}
}

void check_claude_temporality(
	struct doctor *d, const struct check *check, struct check_outcome *out)
{
	static const char name[] = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
	static const char *const known[] = { "cumulative", "delta", "lowmemory" };
	AUTO(buf) struct buf variables = BUF_INIT(BUF_UNLIMITED);
	AUTO(effective) struct effective effective;
	enum layer layer = LAYER_SHELL;
	(void)check;
	read_effective(&effective, &variables);
	const char *value = effective_find(&effective, name, &layer);
	for (size_t i = 0; value && i < sizeof known / sizeof *known; i++) {
		if (strcasecmp(value, known[i]) == 0 && i == 0)
			return;
		if (strcasecmp(value, known[i]) == 0) {
			outcome_say(out, CHECK_NOTE,
				"%s (%s): an export that is lost is lost for good", value,
				layer_name(layer));
			outcome_cctm(out, d, FIX_SAFE, "env", "--apply", NULL);
			return;
		}
	}
	if (!value) {
		outcome_say(out, CHECK_NOTE,
			"not set, so delta: an export that is lost is lost for good");
		outcome_cctm(out, d, FIX_SAFE, "env", "--apply", NULL);
		return;
	}
	outcome_say(out, CHECK_WARNING,
		"\"%s\" (%s) is no temporality, and Claude Code takes it as cumulative", value,
		layer_name(layer));
	outcome_advise(out, "write cumulative there, which is what it means now, or delta");
}

/* ---- its variables ---- */

static const char *text_of(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));
	return text ? text : "";
}

/* False: it is not known, and that is said. */
static bool look(struct doctor *d, const json_t **rows, struct check_outcome *out)
{
	const json_t *root = doctor_environment(d);
	*rows = json_object_get(json_object_get(root, "here"), "variables");
	if (root)
		return true;
	outcome_say(out, CHECK_SKIPPED, "%s", d->environment_fault);
	return false;
}

/* The command that gives a variable its value, where that stands. */
static void advise(const struct doctor *d, const char *origin, bool is_set, bool is_in_the_way,
	struct check_outcome *out)
{
	if (strcmp(origin, "managed settings") == 0)
		outcome_advise(out, "an administrator has set it in " MANAGED_SETTINGS_PATH
				    ", and nobody else can change it");
	else if (strcmp(origin, "local settings") == 0 || strcmp(origin, "project settings") == 0)
		outcome_cctm(out, d, FIX_TO_LOOK_AT, "env", "--apply", "--force", "--scope",
			*origin == 'l' ? "local" : "project", NULL);
	else if (is_set && strcmp(origin, "user settings") == 0)
		outcome_cctm(out, d, FIX_TO_LOOK_AT, "env", "--apply", "--force", NULL);
	else if (is_in_the_way)
		outcome_advise(out, "take it out of the environment (unset it, and in the start "
				    "file of your shell)");
	else
		outcome_cctm(out, d, FIX_SAFE, "env", "--apply", NULL);
}

static void judge(const struct doctor *d, const json_t *row, struct check_outcome *out)
{
	const char *verdict = text_of(row, "verdict"), *name = text_of(row, "name");
	const char *value = text_of(row, "value"), *origin = text_of(row, "origin");
	bool is_secret = json_is_true(json_object_get(row, "secret"));
	bool is_way = strcmp(verdict, "in-the-way") == 0;
	if (strcmp(verdict, "ok") == 0)
		return;
	enum check_result result = strcmp(verdict, "note") == 0 ? CHECK_NOTE : CHECK_FAILURE;
	if (!*origin)
		outcome_say(out, result, "%s is not set", name);
	else if (is_secret)
		outcome_say(out, result, "%s (%s) %s", name, origin,
			is_way ? text_of(row, "note") : "is another one than the stack's");
	else
		outcome_say(out, result, "%s is \"%s\" (%s), %s%s", name, value, origin,
			is_way ? "" : "the stack needs ", text_of(row, is_way ? "note" : "wanted"));
	advise(d, origin, *origin, is_way, out);
}

/* `word` is the variable's name. */
void check_claude_variable(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	const json_t *rows, *row;
	size_t i;
	if (!look(d, &rows, out))
		return;
	json_array_foreach(rows, i, row)
	{
		if (strcmp(text_of(row, "name"), check->word) == 0)
			judge(d, row, out);
	}
}

/* Variables that are not wanted and win; `word` is how their names end, `number` how many of them may be told apart. */
void check_claude_in_the_way(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	const json_t *rows, *row;
	size_t i;
	if (!look(d, &rows, out))
		return;
	json_array_foreach(rows, i, row)
	{
		const char *name = text_of(row, "name");
		bool is_proxy = strcasestr(name, "proxy") != NULL;
		if (strcmp(text_of(row, "verdict"), "in-the-way") == 0 &&
			is_proxy == (strcmp(check->word, "proxy") == 0)) {
			judge(d, row, out);
			return;
		}
	}
}

/* ---- those that run ---- */

void check_claude_running(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	const json_t *root = doctor_environment(d), *process;
	AUTO(buf) struct buf all = BUF_INIT(BUF_UNLIMITED);
	size_t i;
	(void)check;
	if (!root) {
		outcome_say(out, CHECK_SKIPPED, "%s", d->environment_fault);
		return;
	}
	json_array_foreach(json_object_get(root, "processes"), i, process)
	{
		if (json_is_true(json_object_get(process, "well")) ||
			!json_is_true(json_object_get(process, "readable")))
			continue;
		buf_addf(&all, "%sprocess %lld in %s%s", all.len ? "; " : "",
			(long long)json_integer_value(json_object_get(process, "pid")),
			text_of(process, "directory"),
			json_is_true(json_object_get(process, "stale"))
				? " started before its settings were changed"
				: " has other settings than the stack needs");
	}
	if (!all.len)
		return;
	outcome_say(out, CHECK_WARNING, "%s", buf_str(&all));
	outcome_advise(out, "end and start those sessions: settings are read once, at the start "
			    "('claude --continue' goes on where one was)");
}
