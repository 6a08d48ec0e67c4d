/* cctm dashboards: those that cctm brings and those in Grafana: a list, one of them as JSON, and what is wrong with one.
 */
#include "grafana/dashboards.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cmd/cmd.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/table.h"
#include "grafana/bundled.h"
#include "grafana/import.h"
#include "grafana/lint.h"
#include "loaded/loaded.h"
#include "loaded/own_grafana.h"

struct dashboards_args {
	const char *action, *output;
	struct opt_rest names;
	bool is_strict;
};

static const char *const actions[] = { "list", "export", "lint", NULL };

static const struct opt dashboards_options[] = {
	OPT(struct dashboards_args, output, 'o', "output", "FILE",
		"export: write it there instead of printing it"),
	OPT(struct dashboards_args, is_strict, 0, "strict", NULL,
		"lint: also what the bundled ones keep: descriptions, units, no holes"),
	OPT_END,
};

static const struct opt_argument dashboards_arguments[] = {
	{ .offset = offsetof(struct dashboards_args, action),
		.name = "ACTION",
		.is_optional = true,
		.choices = actions,
		.help = "list: the bundled ones, and what Grafana has of them (this is the "
			"default); "
			"export: one, from Grafana by uid or from cctm by name; lint: files" },
	{ .offset = offsetof(struct dashboards_args, names),
		.name = "NAME",
		.is_optional = true,
		.is_repeated = true,
		.help = "the name of a bundled dashboard, a uid, or a file" },
	OPT_ARGUMENT_END,
};

static const struct example dashboards_examples[] = {
	{ "cctm dashboards", "what there is, and whether it was edited in Grafana" },
	{ "cctm dashboards export overview -o overview.json", "as cctm brings it" },
	{ "cctm dashboards export my-uid", "as Grafana has it" },
	{ "cctm dashboards lint my.json", "which of its totals are wrong, and why" },
	{ NULL, NULL },
};

static int dashboards_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_dashboards = {
	.name = "dashboards",
	.group = GROUP_STACK,
	.summary = "list dashboards, export one, or find what is wrong with one",
	.effect = EFFECT_READS,
	.args_size = sizeof(struct dashboards_args),
	.options = dashboards_options,
	.arguments = dashboards_arguments,
	.examples = dashboards_examples,
	.text = "Lists the dashboards that cctm brings and what the stack's Grafana has of them, "
		"or "
		"prints one as JSON.\n\n"
		"lint reads dashboards for Claude Code's data, whoever made them, and names the "
		"panels whose totals come out wrong, with what to write instead: increase() over "
		"counters of sessions, counters added up as they stand, recorded series that are "
		"read in another way than sum_over_time() or by labels that they have not, metrics "
		"that do not exist, variables that are missing, panels that Grafana 12 has not. "
		"--strict adds what makes a dashboard pleasant to read: descriptions, units, words "
		"for when there is nothing to show, at most three queries a panel, no holes, no "
		"variable without a use. The exit status is 3 when something is wrong.",
	.run = dashboards_run,
};

/* ---- reading ---- */

static bool read_bundled(const struct bundled_file *file, struct import *out, struct error *err)
{
	const struct import_request request = { .text = slice_of(file->bytes, file->len),
		.name = file->path };
	return import_read(&request, out, err);
}

/* What inputs stand for does not matter to who only reads. */
static bool read_file(const char *path, json_t **out, struct error *err)
{
	json_error_t why;
	AUTO(buf) struct buf text = BUF_INIT(IMPORT_MAX);
	int found = file_read(path, &text, err);
	if (found == 0)
		return error_set(err, ERR_FAILED, "there is no file %s", path);
	if (found < 0)
		return false;
	json_t *root = json_loadb(buf_str(&text), text.len, 0, &why);
	json_t *wrapped = json_object_get(root, "dashboard");
	json_t *spec = json_object_get(root, "spec");
	*out = json_incref(json_is_object(wrapped) ? wrapped : json_is_object(spec) ? spec : root);
	json_decref(root);
	if (json_is_object(*out))
		return true;
	error_set(err, ERR_CORRUPT, "%s is no dashboard: %s", path,
		root ? "it is JSON, but no object" : why.text);
	json_decref(*out);
	return false;
}

/* ---- list ---- */

/* Of one in Grafana: "edited, version 4"; yours. */
static char *state_of(const struct own_grafana *own, const struct import *import)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(grafana_dashboard) struct grafana_dashboard there = { 0 };
	int found =
		own->url ? grafana_dashboard_read(&own->grafana, import->uid, &there, &err) : -1;
	if (found < 0)
		return mem_strdup("unknown");
	if (found == 0)
		return mem_strdup("not there");
	return mem_printf("%s, version %lld",
		grafana_is_same(there.model, import->model) ? "as it came" : "another version",
		(long long)there.version);
}

/* Grafana is asked once; without it the list says what it can. */
static void look_for_grafana(struct context *ctx, struct own_grafana *own)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(loaded) struct loaded stack = { 0 };
	if (loaded_read(ctx->dir, &stack, &err) && own_grafana_find(&stack, own, &err) &&
		grafana_login(&own->grafana, &err) == GRAFANA_LOGIN_RIGHT)
		return;
	out_note(ctx->out, "what Grafana has is unknown: %s",
		error_is_set(&err) ? err.message : "it does not take the password of .env");
	own_grafana_clear(own);
}

static int list(struct context *ctx, struct error *err)
{
	static const struct table_column columns[] = { { "name", TABLE_LEFT },
		{ "title", TABLE_LEFT }, { "uid", TABLE_LEFT }, { "in Grafana", TABLE_LEFT } };
	AUTO(own_grafana) struct own_grafana own = { 0 };
	AUTO(table) struct table *table = table_new(columns, 4);
	json_t *rows = json_array();
	bool is_read = true;
	look_for_grafana(ctx, &own);
	for (size_t i = 0; is_read && i < grafana_bundled_count; i++) {
		AUTO(import) struct import import = { 0 };
		is_read = read_bundled(&grafana_bundled[i], &import, err);
		if (!is_read)
			break;
		AUTO(str) char *name = bundled_name(&grafana_bundled[i]);
		AUTO(str) char *state = state_of(&own, &import);
		table_add(table, STYLE_BOLD, "%s", name);
		table_add(table, STYLE_PLAIN, "%s", import.title);
		table_add(table, STYLE_DIM, "%s", import.uid);
		table_add(table, STYLE_PLAIN, "%s", state);
		json_array_append_new(
			rows, json_pack("{s:s, s:s, s:s, s:s}", "name", name, "title", import.title,
				      "uid", import.uid, "state", state));
	}
	if (is_read && ctx->is_json)
		out_json(ctx->out, 1, json_pack("{s:O}", "dashboards", rows));
	else if (is_read)
		table_print(table, ctx->out);
	json_decref(rows);
	return is_read ? 0 : -1;
}

/* ---- export ---- */

static bool read_named(struct context *ctx, const char *name, json_t **out, struct error *err)
{
	const struct bundled_file *file = bundled_find(name);
	AUTO(import) struct import import = { 0 };
	AUTO(loaded) struct loaded stack = { 0 };
	AUTO(own_grafana) struct own_grafana own = { 0 };
	AUTO(grafana_dashboard) struct grafana_dashboard there = { 0 };
	if (file) {
		bool is_read = read_bundled(file, &import, err);
		*out = json_incref(import.model);
		return is_read;
	}
	if (!loaded_read(ctx->dir, &stack, err) || !own_grafana_find(&stack, &own, err))
		return false;
	int found = grafana_dashboard_read(&own.grafana, name, &there, err);
	if (found > 0)
		*out = json_incref(there.model);
	if (found)
		return found > 0;
	error_set(err, ERR_FAILED, "neither cctm nor Grafana has a dashboard %s", name);
	return error_hint(err, "'cctm dashboards' lists the bundled ones");
}

static int export_one(struct context *ctx, const struct dashboards_args *args, struct error *err)
{
	json_t *model = NULL;
	if (args->names.count != 1) {
		error_set(err, ERR_USAGE, "export takes one name or uid");
		return -1;
	}
	if (!read_named(ctx, args->names.items[0], &model, err))
		return -1;
	/* Its number in that Grafana means nothing elsewhere. */
	json_object_set_new(model, "id", json_null());
	AUTO(str) char *text = json_dumps(model, JSON_INDENT(2));
	bool is_done = true;
	if (args->output)
		is_done = file_write_atomic(args->output, text, strlen(text), 0644, err);
	else if (ctx->is_json)
		out_json(ctx->out, 1, json_pack("{s:O}", "dashboard", model));
	else
		out_printf(ctx->out, "%s\n", text);
	if (is_done && args->output && ctx->is_json)
		out_json(ctx->out, 1, json_pack("{s:o}", "file", out_json_text(args->output)));
	json_decref(model);
	return is_done ? 0 : -1;
}

/* ---- lint ---- */

static void print_finding(struct context *ctx, const char *file, const struct lint_finding *finding)
{
	struct out *out = ctx->out;
	out_printf(out, "%s: %s%s%s%s%s: %s\n", file,
		out_style(out, finding->is_error ? STYLE_RED : STYLE_YELLOW),
		finding->is_error ? "error" : "warning", out_style(out, STYLE_PLAIN),
		finding->panel ? ": " : "", finding->panel ? finding->panel : "", finding->text);
}

static json_t *finding_json(const char *file, const struct lint_finding *finding)
{
	return json_pack("{s:o, s:s, s:b, s:o, s:o}", "file", out_json_text(file), "rule",
		finding->rule, "error", finding->is_error, "panel", out_json_text(finding->panel),
		"text", out_json_text(finding->text));
}

static bool lint_one(struct context *ctx, const char *name, enum lint_depth depth, json_t *findings,
	size_t *errors, struct error *err)
{
	const struct bundled_file *file = bundled_find(name);
	json_t *model = NULL;
	AUTO(import) struct import import = { 0 };
	AUTO(lint) struct lint lint = { 0 };
	if (!(file ? read_bundled(file, &import, err) : read_file(name, &model, err)))
		return false;
	lint_dashboard(file ? import.model : model, depth, &lint);
	json_decref(model);
	for (size_t i = 0; i < lint.count; i++) {
		json_array_append_new(findings, finding_json(name, &lint.items[i]));
		if (!ctx->is_json)
			print_finding(ctx, name, &lint.items[i]);
	}
	*errors += lint.errors;
	return true;
}

static int lint(struct context *ctx, const struct dashboards_args *args, struct error *err)
{
	size_t errors = 0;
	json_t *findings = json_array();
	bool is_read = args->names.count > 0 ||
		       error_set(err, ERR_USAGE, "lint needs a file, or the name of a bundled one");
	for (size_t i = 0; is_read && i < args->names.count; i++)
		is_read = lint_one(ctx, args->names.items[i],
			args->is_strict ? LINT_STRICT : LINT_USUAL, findings, &errors, err);
	if (is_read && ctx->is_json)
		out_json(ctx->out, 1, json_pack("{s:O}", "findings", findings));
	else if (is_read && json_array_size(findings) == 0)
		out_note(ctx->out, "nothing is wrong");
	json_decref(findings);
	return !is_read ? -1 : errors ? error_exit_status(ERR_UNHEALTHY) : 0;
}

static int dashboards_run(struct context *ctx, const void *raw, struct error *err)
{
	const struct dashboards_args *args = raw;
	const char *action = args->action ? args->action : "list";
	if (strcmp(action, "export") == 0)
		return export_one(ctx, args, err);
	if (strcmp(action, "lint") == 0)
		return lint(ctx, args, err);
	if (args->names.count == 0)
		return list(ctx, err);
	error_set(err, ERR_USAGE, "list takes no name");
	return -1;
}
