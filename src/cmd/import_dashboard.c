/* cctm import-dashboard: dashboards into Grafana through its API: those of cctm by name, or files in any form in which
 * dashboards are exported.
 *
 * What is there already is compared first: the same content makes no new version, and another one is left alone unless
 * --overwrite says otherwise. A password is tried once only, for Grafana locks out.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/secret.h"
#include "core/str.h"
#include "grafana/bundled.h"
#include "grafana/dashboards.h"
#include "grafana/import.h"
#include "grafana/lint.h"
#include "loaded/loaded.h"
#include "loaded/own_grafana.h"

struct import_args {
	const char *folder, *datasource, *uid, *url, *user, *password_file, *token_file;
	struct opt_rest sources;
	bool is_all, is_overwritten, is_dry_run;
};

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
	OPT(struct import_args, url, 0, "grafana-url", "URL",
		"another Grafana than the stack's; with --user or --token-file"),
	OPT(struct import_args, user, 0, "user", "NAME", "its user; with --password-file"),
	OPT(struct import_args, password_file, 0, "password-file", "FILE",
		"a file with that user's password and nothing else"),
	OPT(struct import_args, token_file, 0, "token-file", "FILE",
		"a file with the token of a service account and nothing else"),
	OPT_END,
};

static const struct opt_argument import_arguments[] = {
	{ .offset = offsetof(struct import_args, sources),
		.name = "SOURCE",
		.is_optional = true,
		.is_repeated = true,
		.help = "the name of a bundled dashboard, a file, a directory of files, or - for "
			"standard input" },
	OPT_ARGUMENT_END,
};

static const struct example import_examples[] = {
	{ "cctm import-dashboard --all", "what cctm brings" },
	{ "cctm import-dashboard overview --overwrite", "one of them, as it came" },
	{ "cctm import-dashboard my.json other.json --folder Mine", "files" },
	{ "cctm import-dashboard my.json --dry-run", "what would be done" },
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
		"Grafana's own page does it), or a resource of schema v1. What is changed on the "
		"way is said.\n\n"
		"Content that is there already makes no new version. Where Grafana has another "
		"version under the same uid, it is left alone and the exit status is 4, unless "
		"--overwrite is given; the former version stays in Grafana's history. Dashboards "
		"that are provisioned from files are never touched.",
	.run = import_run,
};

#define SECRET_MAX 4096
#define FILES_MAX  500
#define MESSAGE	   "imported by cctm " CCTM_VERSION

/* One dashboard that is to be imported. */
struct source {
	char *name; /* as it is spoken of */
	struct buf text;
};

struct result {
	char *name, *uid, *title, *why; /* why: of a failure; the others NULL then */
	const char *action;		/* "created", "updated", "unchanged", "refused", "failed" */
	int64_t version;
	int status;
};

struct import_job {
	struct context *ctx;
	const struct import_args *args;
	struct loaded stack;
	char *url, *secret; /* of another Grafana */
	struct own_grafana own;
	struct grafana grafana; /* the one or the other */
	json_t *datasources;
	char *folder_uid;
	struct source *sources;
	struct result *results;
	size_t count, room;
};

/* ---- sources ---- */

static struct source *add_source(struct import_job *job, const char *name)
{
	job->sources = mem_grow(job->sources, &job->room, job->count + 1, sizeof *job->sources);
	struct source *source = &job->sources[job->count++];
	*source = (struct source){ .name = mem_strdup(name), .text = BUF_INIT(IMPORT_MAX + 1) };
	return source;
}

static bool add_bundled(struct import_job *job, const struct bundled_file *file)
{
	AUTO(str) char *name = bundled_name(file);
	struct source *source = add_source(job, name);
	return buf_append(&source->text, file->bytes, file->len);
}

static bool add_file(struct import_job *job, const char *path, struct error *err)
{
	struct source *source = add_source(job, path);
	int found = file_read(path, &source->text, err);
	if (found)
		return found > 0;
	error_set(err, ERR_FAILED, "there is no file and no bundled dashboard %s", path);
	return error_hint(err, "'cctm import-dashboard --all --dry-run' lists the bundled ones; "
			       "what is on the web is downloaded first");
}

static bool add_input(struct import_job *job, struct error *err)
{
	struct source *source = add_source(job, "standard input");
	char bytes[65536];
	ssize_t got;
	while ((got = read(STDIN_FILENO, bytes, sizeof bytes)) > 0) {
		if (!buf_append(&source->text, bytes, (size_t)got))
			return error_set(err, ERR_FAILED, "standard input is larger than 16 MB");
	}
	return got == 0 || error_set_errno(err, ERR_IO, errno, "cannot read standard input");
}

static bool add_folder(struct import_job *job, const char *path, struct error *err)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);
	bool is_fine = count >= 0 || error_set_errno(err, ERR_IO, errno, "cannot list %s", path);
	size_t before = job->count;
	for (int i = 0; i < count; i++) {
		AUTO(str) char *file = path_join(path, entries[i]->d_name);
		bool is_json = str_has_suffix(entries[i]->d_name, ".json");
		free(entries[i]);
		if (is_fine && is_json && job->count < FILES_MAX)
			is_fine = add_file(job, file, err);
	}
	if (count >= 0)
		free(entries);
	return is_fine &&
	       (job->count > before || error_set(err, ERR_FAILED, "%s has no .json file", path));
}

static bool add_named(struct import_job *job, const char *name, struct error *err)
{
	struct stat st;
	const struct bundled_file *file = bundled_find(name);
	if (strcmp(name, "-") == 0)
		return add_input(job, err);
	if (file)
		return add_bundled(job, file);
	if (stat(name, &st) == 0 && S_ISDIR(st.st_mode))
		return add_folder(job, name, err);
	return add_file(job, name, err);
}

static bool gather(struct import_job *job, struct error *err)
{
	for (size_t i = 0; job->args->is_all && i < grafana_bundled_count; i++) {
		if (!add_bundled(job, &grafana_bundled[i]))
			return error_set(err, ERR_FAILED, "a bundled dashboard is too large");
	}
	for (size_t i = 0; i < job->args->sources.count; i++) {
		if (!add_named(job, job->args->sources.items[i], err))
			return false;
	}
	if (job->count == 0) {
		error_set(err, ERR_USAGE, "nothing is named that is to be imported");
		return error_hint(err, "'--all' takes what cctm brings");
	}
	return job->count == 1 || !job->args->uid ||
	       error_set(
		       err, ERR_USAGE, "--uid is for one dashboard, and these are %zu", job->count);
}

/* ---- the Grafana ---- */

static bool read_secret(const char *path, char **out, struct error *err)
{
	AUTO(buf) struct buf text = BUF_INIT(SECRET_MAX);
	int found = file_read(path, &text, err);
	if (found == 0)
		return error_set(err, ERR_FAILED, "there is no file %s", path);
	if (found < 0)
		return false;
	*out = mem_strndup(buf_str(&text), strcspn(buf_str(&text), "\r\n"));
	return true;
}

static bool find_other(struct import_job *job, struct error *err)
{
	const struct import_args *args = job->args;
	size_t len = strlen(args->url);
	while (len && args->url[len - 1] == '/')
		len--;
	if (!!args->token_file == (args->user && args->password_file)) {
		error_set(err, ERR_USAGE,
			"--grafana-url needs --token-file, or --user and "
			"--password-file");
		return false;
	}
	job->url = mem_strndup(args->url, len);
	if (!read_secret(
		    args->token_file ? args->token_file : args->password_file, &job->secret, err))
		return false;
	job->grafana = (struct grafana){ .url = job->url,
		.user = args->user,
		.password = args->token_file ? NULL : job->secret,
		.token = args->token_file ? job->secret : NULL };
	return true;
}

static bool find_own(struct import_job *job, struct error *err)
{
	if (!loaded_read(job->ctx->dir, &job->stack, err))
		return false;
	if (!own_grafana_find(&job->stack, &job->own, err))
		return error_hint(err, "--grafana-url names another one");
	job->grafana = job->own.grafana;
	return true;
}

static bool log_in(struct import_job *job, struct error *err)
{
	switch (grafana_login(&job->grafana, err)) {
	case GRAFANA_LOGIN_RIGHT:
		return true;
	case GRAFANA_LOGIN_WRONG:
		error_set(err, ERR_FAILED, "%s does not take the login", job->grafana.url);
		return error_hint(err, "it was tried once: after five wrong tries Grafana refuses "
				       "every one for five minutes");
	case GRAFANA_LOGIN_UNKNOWN:
		break;
	}
	return error_hint(err, "'cctm up' starts the stack's Grafana");
}

static bool connect(struct import_job *job, struct error *err)
{
	if (!(job->args->url ? find_other(job, err) : find_own(job, err)) || !log_in(job, err))
		return false;
	job->datasources = grafana_datasources(&job->grafana, err);
	return job->datasources != NULL;
}

/* Made when the first dashboard needs it. */
static bool find_folder(struct import_job *job, struct error *err)
{
	const char *wanted = job->args->folder;
	return job->folder_uid ||
	       grafana_folder_ensure(&job->grafana, wanted ? wanted : BUNDLED_FOLDER_UID,
		       wanted ? wanted : BUNDLED_FOLDER_TITLE, &job->folder_uid, err);
}

/* ---- one dashboard ---- */

static bool refuse(
	const struct import_args *args, const struct grafana_dashboard *there, struct error *err)
{
	if (there->provisioned_by) {
		error_set(err, ERR_REFUSED, "Grafana provisions it from the file %s",
			*there->provisioned_by ? there->provisioned_by
					       : "that it was started with");
		return error_hint(err, "change that file, or import under another uid: --uid");
	}
	if (args->is_overwritten)
		return true;
	error_set(err, ERR_REFUSED, "Grafana has another version of it, %lld by %s of %s",
		(long long)there->version, there->updated_by, there->updated);
	return error_hint(
		err, "--overwrite puts this one in its place; the other stays in its history");
}

static bool save(struct import_job *job, const struct import *import,
	const struct grafana_dashboard *there, struct result *result, struct error *err)
{
	bool is_new = !there->model;
	struct grafana_save request = { .model = import->model,
		.folder_uid = there->folder_uid,
		.message = MESSAGE,
		.version = there->version };
	result->action = is_new ? "created" : "updated";
	result->version = there->version;
	if (job->args->is_dry_run)
		return true;
	if (is_new || job->args->folder) {
		if (!find_folder(job, err))
			return false;
		request.folder_uid = job->folder_uid;
	}
	return grafana_dashboard_save(&job->grafana, &request, &result->version, err);
}

/* It is taken all the same: it is theirs. */
static void warn(const struct import_job *job, const struct source *source, const json_t *model)
{
	AUTO(lint) struct lint lint = { 0 };
	lint_dashboard(model, LINT_USUAL, &lint);
	for (size_t i = 0; i < lint.count; i++) {
		if (lint.items[i].is_error)
			out_note(job->ctx->out, "%s: warning: %s: %s", source->name,
				lint.items[i].panel ? lint.items[i].panel : "", lint.items[i].text);
	}
}

static bool import_one(struct import_job *job, const struct source *source, struct result *result,
	struct error *err)
{
	const struct import_request request = { .text = buf_slice(&source->text),
		.name = source->name,
		.uid = job->args->uid,
		.datasource = job->args->datasource,
		.datasources = job->datasources };
	AUTO(import) struct import import = { 0 };
	AUTO(grafana_dashboard) struct grafana_dashboard there = { 0 };
	if (!import_read(&request, &import, err))
		return false;
	result->uid = mem_strdup(import.uid);
	result->title = mem_strdup(import.title);
	if (import.notes.len)
		out_note(job->ctx->out, "%s: %.*s", source->name, (int)import.notes.len - 1,
			buf_str(&import.notes));
	warn(job, source, import.model);
	int found = grafana_dashboard_read(&job->grafana, import.uid, &there, err);
	if (found < 0)
		return false;
	if (found && !there.provisioned_by && grafana_is_same(there.model, import.model)) {
		result->action = "unchanged";
		result->version = there.version;
		return true;
	}
	return (!found || refuse(job->args, &there, err)) &&
	       save(job, &import, &there, result, err);
}

/* What fails with one of several is said with it, and the others go on. */
static void import_all(struct import_job *job)
{
	job->results = mem_calloc(job->count, sizeof *job->results);
	for (size_t i = 0; i < job->count; i++) {
		struct result *result = &job->results[i];
		AUTO(error) struct error err = ERROR_INIT;
		result->name = mem_strdup(job->sources[i].name);
		if (import_one(job, &job->sources[i], result, &err))
			continue;
		result->status = error_exit_status(err.code);
		result->action = err.code == ERR_REFUSED ? "refused" : "failed";
		result->why = err.hint ? mem_printf("%s (%s)", err.message, err.hint)
				       : mem_strdup(err.message);
	}
}

/* ---- what is said ---- */

static void print_text(const struct import_job *job)
{
	struct out *out = job->ctx->out;
	for (size_t i = 0; i < job->count; i++) {
		const struct result *result = &job->results[i];
		if (result->why)
			out_printf(
				out, "%-10s %s: %s\n", result->action, result->name, result->why);
		else
			out_printf(out, "%-10s %s  %s/d/%s\n", result->action, result->title,
				job->grafana.url, result->uid);
	}
	if (job->args->is_dry_run)
		out_note(out, "nothing was changed");
}

static void print_json(const struct import_job *job)
{
	json_t *list = json_array();
	for (size_t i = 0; i < job->count; i++) {
		const struct result *result = &job->results[i];
		json_array_append_new(list,
			json_pack("{s:o, s:s, s:o, s:o, s:I, s:o}", "source",
				out_json_text(result->name), "action", result->action, "uid",
				out_json_text(result->uid), "title", out_json_text(result->title),
				"version", (json_int_t)result->version, "why",
				out_json_text(result->why)));
	}
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:b, s:o}", "grafana", out_json_text(job->grafana.url), "dry_run",
			job->args->is_dry_run, "dashboards", list));
}

static int report(const struct import_job *job)
{
	int status = 0;
	for (size_t i = 0; i < job->count; i++) {
		if (job->results[i].status && status != 1)
			status = job->results[i].status;
	}
	if (job->ctx->is_json)
		print_json(job);
	else
		print_text(job);
	return status;
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
	}
	free(job->sources);
	free(job->results);
	json_decref(job->datasources);
	free(job->folder_uid);
	free(job->url);
	secret_free(job->secret);
	own_grafana_clear(&job->own);
	loaded_clear(&job->stack);
}

static int import_run(struct context *ctx, const void *raw, struct error *err)
{
	struct import_job job = { .ctx = ctx, .args = raw };
	int status = -1;
	if (gather(&job, err) && connect(&job, err)) {
		import_all(&job);
		status = report(&job);
	}
	clear(&job);
	return status;
}
