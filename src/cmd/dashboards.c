/* cctm dashboards: those that cctm brings and those in Grafana: a list, one of them as JSON, what was edited in one, the end
 * of one, and what is wrong with one. Only delete changes anything, and asks first.
 */
#include "grafana/dashboards.h"

#include <string.h>

#include <jansson.h>

#include "cmd/dashboards_internal.h"
#include "core/ask.h"
#include "core/diff.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/text.h"
#include "grafana/bundled.h"
#include "grafana/import.h"
#include "loaded/loaded.h"
#include "loaded/own_grafana.h"

static const char *const actions[] = { "list", "export", "diff", "delete", "lint", NULL };

static const struct opt dashboards_options[] = {
	OPT(struct dashboards_args, output, 'o', "output", "FILE",
		"export: write it there instead of printing it"),
	OPT(struct dashboards_args, is_yes, 'y', "yes", NULL, "delete: do not ask"),
	OPT(struct dashboards_args, is_strict, 0, "strict", NULL,
		"lint: also what the bundled ones keep: descriptions, units, no holes"),
	OPT_END,
};

static const struct opt_argument dashboards_arguments[] = {
	{ .offset = offsetof(struct dashboards_args, action),
		.name = "ACTION",
		.is_optional = true,
		.choices = actions,
		.help = "list: the bundled ones and what Grafana has of them, and the others there "
			"(this is the default); export: one, from Grafana by uid or from cctm by "
			"name; diff: what was edited in one of cctm's; delete: one in Grafana; "
			"lint: files" },
	{ .offset = offsetof(struct dashboards_args, names),
		.name = "NAME",
		.is_optional = true,
		.is_repeated = true,
		.help = "the name of a bundled dashboard, a uid, or a file" },
	OPT_ARGUMENT_END,
};

static const struct example dashboards_examples[] = {
	{ "cctm dashboards", "what there is, and whether it was edited in Grafana" },
	{ "cctm dashboards diff overview", "what was edited in it, line by line" },
	{ "cctm dashboards export overview -o overview.json", "as cctm brings it" },
	{ "cctm dashboards export my-uid", "as Grafana has it" },
	{ "cctm dashboards delete my-uid", "out of Grafana, with its history" },
	{ "cctm dashboards lint my.json", "which of its totals are wrong, and why" },
	{ NULL, NULL },
};

static int dashboards_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_dashboards = {
	.name = "dashboards",
	.group = GROUP_STACK,
	.summary = "list dashboards, export, compare or delete one, or find what is wrong with one",
	.effect = EFFECT_DESTROYS,
	.args_size = sizeof(struct dashboards_args),
	.options = dashboards_options,
	.arguments = dashboards_arguments,
	.examples = dashboards_examples,
	.text = "Lists the dashboards that cctm brings and what the stack's Grafana has of them: "
		"as they came, edited, or of an older cctm, with their versions; and the other "
		"dashboards there. One can be printed as JSON.\n\n"
		"diff shows what differs between one of cctm's and what Grafana has of it, as a "
		"unified diff of JSON with sorted keys; what 'cctm import-dashboard' would make "
		"of it shows its --dry-run --diff. delete takes one out of Grafana, with its "
		"history; it asks first. One of cctm's that is deleted, here or in the page, does "
		"not come back by itself as long as another of them is there, but with 'cctm "
		"import-dashboard NAME'. What is provisioned from a file "
		"is refused.\n\n"
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

#define TITLE_MAX 200

/* ---- one in Grafana ---- */

static bool open_grafana(struct context *ctx, struct own_grafana *own, struct error *err)
{
	AUTO(loaded) struct loaded stack = { 0 };
	return loaded_read(ctx->dir, &stack, err) && own_grafana_find(&stack, own, err);
}

/* Of a bundled name its uid; yours. */
static bool uid_of(const char *name, char **out, struct error *err)
{
	const struct bundled_file *file = bundled_find(name);
	AUTO(import) struct import import = { 0 };
	if (file && !bundled_read(file, &import, err))
		return false;
	if (!file && !import_is_uid(name)) {
		error_set(err, ERR_USAGE, "\"%.60s\" is no name and no uid", name);
		return error_hint(err, "'cctm dashboards' lists them");
	}
	*out = mem_strdup(file ? import.uid : name);
	return true;
}

/* One that is not there is an error. */
static bool read_there(const struct own_grafana *own, const char *uid,
	struct grafana_dashboard *out, struct error *err)
{
	int found = grafana_dashboard_read(&own->grafana, uid, out, err);
	if (found < 0 && err->code == ERR_NETWORK)
		return error_hint(err, "'cctm up' starts the stack's Grafana");
	if (found)
		return found > 0;
	error_set(err, ERR_FAILED, "Grafana has no dashboard %s", uid);
	return error_hint(err, "'cctm dashboards' lists what it has");
}

static bool has_one_name(const struct dashboards_args *args, struct error *err)
{
	return args->names.count == 1 ||
	       error_set(err, ERR_USAGE, "%s takes one name or uid", args->action);
}

/* ---- export ---- */

static bool read_named(struct context *ctx, const char *name, json_t **out, struct error *err)
{
	const struct bundled_file *file = bundled_find(name);
	AUTO(import) struct import import = { 0 };
	AUTO(own_grafana) struct own_grafana own = { 0 };
	AUTO(grafana_dashboard) struct grafana_dashboard there = { 0 };
	AUTO(str) char *uid = NULL;
	if (file) {
		bool is_read = bundled_read(file, &import, err);
		*out = json_incref(import.model);
		return is_read;
	}
	if (!uid_of(name, &uid, err) || !open_grafana(ctx, &own, err))
		return false;
	int found = grafana_dashboard_read(&own.grafana, uid, &there, err);
	if (found > 0)
		*out = json_incref(there.model);
	if (found)
		return found > 0;
	error_set(err, ERR_FAILED, "neither cctm nor Grafana has a dashboard %s", name);
	return error_hint(err, "'cctm dashboards' lists them");
}

static int export_one(struct context *ctx, const struct dashboards_args *args, struct error *err)
{
	json_t *model = NULL;
	if (!has_one_name(args, err) || !read_named(ctx, args->names.items[0], &model, err))
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

/* ---- diff ---- */

static void compare(
	struct buf *out, const struct import *ours, const struct grafana_dashboard *there)
{
	AUTO(str) char *before = grafana_canonical(ours->model);
	AUTO(str) char *after = grafana_canonical(there->model);
	AUTO(str) char *before_name = mem_printf("%s of cctm " CCTM_VERSION, ours->uid);
	AUTO(str)
	char *after_name = mem_printf("%s in Grafana, version %lld by %s of %s", ours->uid,
		(long long)there->version, there->updated_by, there->updated);
	diff_unified(out, before_name, after_name, slice_of(before, strlen(before)),
		slice_of(after, strlen(after)));
}

static int diff(struct context *ctx, const struct dashboards_args *args, struct error *err)
{
	AUTO(import) struct import ours = { 0 };
	AUTO(own_grafana) struct own_grafana own = { 0 };
	AUTO(grafana_dashboard) struct grafana_dashboard there = { 0 };
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	if (!has_one_name(args, err))
		return -1;
	const struct bundled_file *file = bundled_find(args->names.items[0]);
	if (!file) {
		error_set(err, ERR_USAGE, "cctm brings no dashboard %s", args->names.items[0]);
		error_hint(
			err, "for a file of yours: 'cctm import-dashboard FILE --dry-run --diff'");
		return -1;
	}
	if (!bundled_read(file, &ours, err) || !open_grafana(ctx, &own, err) ||
		!read_there(&own, ours.uid, &there, err))
		return -1;
	if (!grafana_dashboard_is(&there, ours.model))
		compare(&out, &ours, &there);
	if (ctx->is_json)
		out_json(ctx->out, 1,
			json_pack("{s:s, s:b, s:o}", "uid", ours.uid, "differs", out.len > 0,
				"diff", out_json_text(buf_str(&out))));
	else
		out_write(ctx->out, buf_str(&out), out.len);
	if (!out.len)
		out_note(ctx->out, "it is as it came, version %lld", (long long)there.version);
	return 0;
}

/* ---- delete ---- */

static bool may_delete(const struct dashboards_args *args, const struct grafana_dashboard *there,
	struct error *err)
{
	const char *its = json_string_value(json_object_get(there->model, "title"));
	AUTO(str) char *title = text_first_line(its ? its : "", TITLE_MAX);
	AUTO(str)
	char *question = mem_printf("Delete \"%s\" (version %lld by %s of %s) with its history?",
		title, (long long)there->version, there->updated_by, there->updated);
	if (there->provisioned_by) {
		error_set(err, ERR_REFUSED, "Grafana provisions it from the file %s",
			*there->provisioned_by ? there->provisioned_by
					       : "that it was started with");
		return error_hint(err, "take it out of there");
	}
	return args->is_yes || ask_yes(question, "--yes", err);
}

static int delete_one(struct context *ctx, const struct dashboards_args *args, struct error *err)
{
	AUTO(own_grafana) struct own_grafana own = { 0 };
	AUTO(grafana_dashboard) struct grafana_dashboard there = { 0 };
	AUTO(str) char *uid = NULL;
	if (!has_one_name(args, err) || !uid_of(args->names.items[0], &uid, err) ||
		!open_grafana(ctx, &own, err) || !read_there(&own, uid, &there, err) ||
		!may_delete(args, &there, err) || !grafana_dashboard_delete(&own.grafana, uid, err))
		return -1;
	if (ctx->is_json)
		out_json(ctx->out, 1, json_pack("{s:s}", "deleted", uid));
	else
		out_printf(ctx->out, "deleted    %s\n", uid);
	return 0;
}

static int dashboards_run(struct context *ctx, const void *raw, struct error *err)
{
	const struct dashboards_args *args = raw;
	const char *action = args->action ? args->action : "list";
	if (strcmp(action, "export") == 0)
		return export_one(ctx, args, err);
	if (strcmp(action, "diff") == 0)
		return diff(ctx, args, err);
	if (strcmp(action, "delete") == 0)
		return delete_one(ctx, args, err);
	if (strcmp(action, "lint") == 0)
		return dashboards_lint(ctx, args, err);
	if (args->names.count == 0)
		return dashboards_list(ctx, err);
	error_set(err, ERR_USAGE, "list takes no name");
	return -1;
}
