/* cctm dashboards lint: what is wrong with dashboards, whoever made them. */
#include <jansson.h>

#include "cmd/dashboards_internal.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/out.h"
#include "grafana/bundled.h"
#include "grafana/import.h"
#include "grafana/lint.h"

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
	if (!(file ? bundled_read(file, &import, err) : read_file(name, &model, err)))
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

int dashboards_lint(struct context *ctx, const struct dashboards_args *args, struct error *err)
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
