/* cctm import-dashboard: dashboards into Grafana through its API: those of cctm by name, or files and addresses of the web in
 * any form in which dashboards are exported.
 *
 * What is there already is compared first: the same content makes no new version, and another one is left alone unless
 * --overwrite says otherwise. What people changed in one of cctm's is merged with what is new. A password is tried once only,
 * for Grafana locks out.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/import_dashboard_internal.h"
#include "core/ask.h"
#include "core/diff.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/secret.h"
#include "grafana/bundled.h"
#include "grafana/folders.h"
#include "grafana/lint.h"

static const struct opt import_options[] = {
	OPT(struct import_args, is_all, 0, "all", NULL, "all that cctm brings"),
	OPT(struct import_args, folder, 0, "folder", "TITLE",
		"into that folder, by title or uid, made when it is not there (default: Claude "
		"Code)"),
	OPT(struct import_args, datasource, 0, "datasource", "UID",
		"the datasource for what the file leaves open, by uid or name"),
	OPT(struct import_args, uid, 0, "uid", "UID", "under this uid instead of its own"),
	OPT(struct import_args, is_overwritten, 0, "overwrite", NULL,
		"put it in the place of another version, which stays in Grafana's history"),
	OPT(struct import_args, is_dry_run, 'n', "dry-run", NULL,
		"say what would be done and change nothing"),
	OPT(struct import_args, is_diff, 0, "diff", NULL,
		"show what changes in Grafana, line by line; with --dry-run what would"),
	OPT(struct import_args, url, 0, "grafana-url", "URL",
		"another Grafana than the stack's; with --user or --token-file"),
	OPT(struct import_args, user, 0, "user", "NAME", "its user; with --password-file"),
	OPT(struct import_args, password_file, 0, "password-file", "FILE",
		"a file with that user's password and nothing else"),
	OPT(struct import_args, token_file, 0, "token-file", "FILE",
		"a file with the token of a service account and nothing else"),
	OPT(struct import_args, ca_file, 0, "ca", "FILE",
		"the certificates by which its own is checked, instead of the system's"),
	OPT_INT(struct import_args, org, 0, "org", "ID", 1, INT64_C(1000000000), NULL,
		"into this organization instead of the login's own"),
	OPT_END,
};

static const struct opt_argument import_arguments[] = {
	{ .offset = offsetof(struct import_args, sources),
		.name = "SOURCE",
		.is_optional = true,
		.is_repeated = true,
		.help = "the name of a bundled dashboard, a file, a directory of files, - for "
			"standard input, or what is on the web: an https:// address, the page of "
			"a gist, of a file on GitHub or of grafana.com, or a number there" },
	OPT_ARGUMENT_END,
};

static const struct example import_examples[] = {
	{ "cctm import-dashboard --all", "what cctm brings" },
	{ "cctm import-dashboard overview --overwrite", "one of them, as it came" },
	{ "cctm import-dashboard my.json other.json --folder Mine", "files" },
	{ "cctm import-dashboard my.json --dry-run --diff", "what would be done, line by line" },
	{ "cctm import-dashboard grafana.com:1860", "number 1860 of grafana.com" },
	{ "cctm import-dashboard https://gist.github.com/USER/ID", "the first file of a gist" },
	{ NULL, NULL },
};

static int import_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_import_dashboard = {
	.name = "import-dashboard",
	.group = GROUP_STACK,
	.summary = "put dashboards into Grafana",
	.effect = EFFECT_CHANGES,
	.args_size = sizeof(struct import_args),
	.options = import_options,
	.arguments = import_arguments,
	.examples = import_examples,
	.text = "Puts dashboards into the stack's Grafana, or into another one, through its API. A "
		"file may be what Grafana exports in any classic form: the dashboard alone, "
		"wrapped with its metadata, with inputs that are open (they are resolved as "
		"Grafana's own page does it; where two datasources could be meant, it asks on a "
		"terminal), or a resource of schema v1. What is changed on the "
		"way is said. From the web it is fetched without any login, by https.\n\n"
		"Content that is there already makes no new version. Where Grafana has another "
		"version under the same uid, it is left alone and the exit status is 4, unless "
		"--overwrite is given; the former version stays in Grafana's history. Dashboards "
		"that are provisioned from files are never touched.\n\n"
		"One of cctm's own that you edited is not left alone and not overwritten, but "
		"merged: what cctm changed since is taken, what you changed stays, by panel, and "
		"where both changed the same it is said. Panels that you moved stay where they "
		"are; new ones lie below. 'cctm up' and 'cctm upgrade' do the same. What was "
		"brought is remembered in the stack's .cctm/dashboards, or for another Grafana "
		"below ~/.local/share/cctm.",
	.run = import_run,
};

#define MESSAGE "imported by cctm " CCTM_VERSION

/* ---- one dashboard ---- */

/* Looked for when the first dashboard needs it, and made then; a dry run makes none, and folder_uid stays NULL. */
static bool find_folder(struct import_job *job, struct error *err)
{
	const char *wanted = job->args->folder;
	const char *uid = wanted ? wanted : BUNDLED_FOLDER_UID;
	const char *title = wanted ? wanted : BUNDLED_FOLDER_TITLE;
	if (job->folder_uid)
		return true;
	return job->args->is_dry_run
		       ? grafana_folder_find(&job->grafana, uid, title, &job->folder_uid, err) >= 0
		       : grafana_folder_ensure(&job->grafana, uid, title, &job->folder_uid, err);
}

static bool refuse_provisioned(const struct grafana_dashboard *there, struct error *err)
{
	error_set(err, ERR_REFUSED, "Grafana provisions it from the file %s",
		*there->provisioned_by ? there->provisioned_by : "that it was started with");
	return error_hint(err, "change that file, or import under another uid: --uid");
}

static bool refuse_other(const struct grafana_dashboard *there, struct error *err)
{
	error_set(err, ERR_REFUSED, "Grafana has another version of it, %lld by %s of %s",
		(long long)there->version, there->updated_by, there->updated);
	return error_hint(
		err, "--overwrite puts this one in its place; the other stays in its history");
}

/* What is done with one of cctm's own by itself; --overwrite is for what it is not. */
static const char *own_action(enum bring_state state)
{
	switch (state) {
	case BRING_ABSENT:
	case BRING_DELETED:
		return "created";
	case BRING_SAME:
		return "unchanged";
	case BRING_OLDER:
		return "updated";
	case BRING_EDITED_OLDER:
		return "merged";
	case BRING_EDITED:
		return "edited";
	case BRING_UNKNOWN:
	case BRING_PROVISIONED:
		break;
	}
	return "refused";
}

/* NULL: it is refused, err says why. */
static const char *decide(const struct import_job *job, const struct import_source *source,
	const struct bring *bring, struct error *err)
{
	const char *action = source->is_bundled		  ? own_action(bring->state)
			     : !bring->there.model	  ? "created"
			     : bring->state == BRING_SAME ? "unchanged"
							  : "refused";
	bool is_there = bring->there.model && bring->state != BRING_SAME;
	if (bring->state == BRING_PROVISIONED)
		refuse_provisioned(&bring->there, err);
	else if (is_there && job->args->is_overwritten)
		return "updated";
	else if (strcmp(action, "refused") == 0)
		refuse_other(&bring->there, err);
	return error_is_set(err) ? NULL : action;
}

static char *diff_of(const struct bring *bring, const json_t *wanted)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	const char *uid = json_string_value(json_object_get(wanted, "uid"));
	AUTO(str) char *after = grafana_canonical(wanted);
	AUTO(str)
	char *before = bring->there.model ? grafana_canonical(bring->there.model) : mem_strdup("");
	AUTO(str)
	char *before_name =
		mem_printf("%s in Grafana, version %lld", uid, (long long)bring->there.version);
	AUTO(str) char *after_name = mem_printf("%s to be", uid);
	diff_unified(&out, bring->there.model ? before_name : NULL, after_name,
		slice_of(before, strlen(before)), slice_of(after, strlen(after)));
	return out.len ? buf_detach(&out) : NULL;
}

static bool save(struct import_job *job, const struct import_source *source,
	const struct import *import, const struct bring *bring, struct import_result *result,
	struct error *err)
{
	const struct bring_place place = { &job->grafana, job->copies };
	bool is_merge = strcmp(result->action, "merged") == 0;
	const struct grafana_save request = { .model = import->model,
		.folder_uid = job->folder_uid ? job->folder_uid : bring->there.folder_uid,
		.message = MESSAGE,
		.version = bring->there.version };
	return source->is_bundled
		       ? bring_save(&place, import, bring,
				 is_merge ? BRING_MERGED : BRING_AS_IT_CAME, request.folder_uid,
				 &result->version, err)
		       : grafana_dashboard_save(&job->grafana, &request, &result->version, err);
}

/* --folder moves one that is there, with a version of its own. */
static bool is_moved(const struct import_job *job, const struct bring *bring)
{
	return job->args->folder && bring->there.model &&
	       (!job->folder_uid || strcmp(job->folder_uid, bring->there.folder_uid) != 0);
}

static bool act(struct import_job *job, const struct import_source *source,
	const struct import *import, const struct bring *bring, struct import_result *result,
	struct error *err)
{
	const struct bring_place place = { &job->grafana, job->copies };
	bool is_new = !bring->there.model;
	if ((is_new || job->args->folder) && !find_folder(job, err))
		return false;
	if (strcmp(result->action, "unchanged") == 0 && is_moved(job, bring))
		result->action = "moved";
	result->version = bring->there.version;
	if (strcmp(result->action, "edited") == 0) {
		result->why = mem_strdup("you edited it, and cctm has nothing newer; --overwrite "
					 "puts it back as it came");
		return true;
	}
	if (strcmp(result->action, "unchanged") == 0)
		return job->args->is_dry_run || !source->is_bundled ||
		       bring_keep(&place, import, err);
	if (!job->args->is_dry_run && !save(job, source, import, bring, result, err))
		return false;
	result->former = bring->there.version;
	return true;
}

/* It is taken all the same: it is theirs. */
static void warn(
	const struct import_job *job, const struct import_source *source, const json_t *model)
{
	AUTO(lint) struct lint lint = { 0 };
	lint_dashboard(model, LINT_USUAL, &lint);
	for (size_t i = 0; i < lint.count; i++) {
		if (lint.items[i].is_error)
			out_note(job->ctx->out, "%s: warning: %s: %s", source->name,
				lint.items[i].panel ? lint.items[i].panel : "", lint.items[i].text);
	}
}

/* What Grafana has of it; of one that is not cctm's only whether it is the same. */
static bool look(const struct import_job *job, const struct import_source *source,
	const struct import *import, struct bring *out, struct error *err)
{
	const struct bring_place place = { &job->grafana, job->copies };
	if (source->is_bundled)
		return bring_look(&place, import, out, err);
	*out = (struct bring){ .state = BRING_UNKNOWN };
	int found = grafana_dashboard_read(&job->grafana, import->uid, &out->there, err);
	if (found == 0)
		out->state = BRING_ABSENT;
	else if (found > 0 && out->there.provisioned_by)
		out->state = BRING_PROVISIONED;
	else if (found > 0 && grafana_dashboard_is(&out->there, import->model))
		out->state = BRING_SAME;
	return found >= 0;
}

static bool import_there(struct import_job *job, const struct import_source *source,
	const struct import *import, struct import_result *result, struct error *err)
{
	AUTO(bring) struct bring bring = { 0 };
	if (!look(job, source, import, &bring, err))
		return false;
	result->action = decide(job, source, &bring, err);
	bool is_merge = result->action && strcmp(result->action, "merged") == 0;
	bool is_edited = result->action && strcmp(result->action, "edited") == 0;
	if (job->args->is_diff && !is_edited)
		result->diff = diff_of(&bring, is_merge ? bring.merge.model : import->model);
	if (is_merge)
		buf_adds(&result->notes, buf_str(&bring.merge.notes));
	return result->action && act(job, source, import, &bring, result, err);
}

/* Which of several datasources, for an input that leaves it open. */
static const json_t *ask_source(
	void *ctx, const json_t *input, const json_t *candidates, struct error *err)
{
	const struct import_source *source = ctx;
	size_t count = json_array_size(candidates), chosen = 0;
	const char **choices = mem_calloc(count + 1, sizeof *choices);
	const char *label = json_string_value(json_object_get(input, "label"));
	AUTO(str)
	char *question = mem_printf("%s asks for a datasource (%s): which?", source->name,
		label ? label : json_string_value(json_object_get(input, "pluginId")));
	for (size_t i = 0; i < count; i++)
		choices[i] =
			json_string_value(json_object_get(json_array_get(candidates, i), "name"));
	bool is_chosen = ask_choice(question, choices, count, "--datasource UID", &chosen, err);
	free(choices);
	return is_chosen ? json_array_get(candidates, chosen) : NULL;
}

static bool import_one(struct import_job *job, struct import_source *source,
	struct import_result *result, struct error *err)
{
	const struct import_request request = { .text = buf_slice(&source->text),
		.name = source->name,
		.uid = job->args->uid,
		.datasource = job->args->datasource,
		.datasources = job->datasources,
		.choose = ask_is_possible() ? ask_source : NULL,
		.choose_ctx = source };
	AUTO(import) struct import import = { 0 };
	if (!import_read(&request, &import, err))
		return false;
	result->uid = mem_strdup(import.uid);
	result->title = mem_strdup(import.title);
	if (import.notes.len)
		out_note(job->ctx->out, "%s: %.*s", source->name, (int)import.notes.len - 1,
			buf_str(&import.notes));
	warn(job, source, import.model);
	return import_there(job, source, &import, result, err);
}

/* What fails with one of several is said with it, and the others go on. */
static void import_all(struct import_job *job)
{
	job->results = mem_calloc(job->count, sizeof *job->results);
	for (size_t i = 0; i < job->count; i++) {
		struct import_result *result = &job->results[i];
		AUTO(error) struct error err = ERROR_INIT;
		*result = (struct import_result){ .name = mem_strdup(job->sources[i].name),
			.notes = BUF_INIT(BUF_UNLIMITED) };
		if (import_one(job, &job->sources[i], result, &err))
			continue;
		result->status = error_exit_status(err.code);
		result->action = err.code == ERR_REFUSED ? "refused" : "failed";
		result->why = err.hint ? mem_printf("%s (%s)", err.message, err.hint)
				       : mem_strdup(err.message);
	}
}

static void clear(struct import_job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		free(job->sources[i].name);
		buf_clear(&job->sources[i].text);
		if (!job->results)
			continue;
		free(job->results[i].name);
		free(job->results[i].uid);
		free(job->results[i].title);
		free(job->results[i].why);
		free(job->results[i].diff);
		buf_clear(&job->results[i].notes);
	}
	free(job->sources);
	free(job->results);
	json_decref(job->datasources);
	free(job->folder_uid);
	free(job->copies);
	free(job->url);
	secret_free(job->secret);
	own_grafana_clear(&job->own);
	loaded_clear(&job->stack);
}

static int import_run(struct context *ctx, const void *raw, struct error *err)
{
	struct import_job job = { .ctx = ctx, .args = raw };
	int status = -1;
	if (import_gather(&job, err) && import_connect(&job, err)) {
		import_all(&job);
		status = import_report(&job);
	}
	clear(&job);
	return status;
}
