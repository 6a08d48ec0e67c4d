/* Writing the settings where Claude Code or a shell reads them, and taking them out again. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "claude/apply.h"
#include "claude/places.h"
#include "cmd/env_internal.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"

/* A scope of the command line: which file that is, and what may stand in it. */
struct scope {
	const char *name;
	enum layer layer;
	mode_t mode;	 /* of a new file */
	bool is_private; /* nobody else reads it by its purpose: a token may stand there */
	bool is_shared;	 /* goes to other people's machines: nothing of this machine may */
};

static const struct scope scope_rows[] = {
	{ "user", LAYER_USER, 0600, true, false },
	{ "project", LAYER_PROJECT, 0644, false, true },
	{ "local", LAYER_LOCAL, 0600, true, false },
	{ "managed", LAYER_MANAGED, 0644, false, false },
	{ "shell", LAYER_SHELL, 0644, false, false },
};

static const struct scope *find_scope(const struct env_job *job)
{
	const char *name = job->args->is_managed ? "managed" : job->args->scope;
	size_t i = 0;
	while (strcmp(scope_rows[i].name, name) != 0)
		i++;
	return &scope_rows[i];
}

static enum shell shell_of(const struct env_job *job)
{
	return shell_find(job->args->shell ? job->args->shell : getenv("SHELL"), SHELL_BASH);
}

static char *path_of(const struct env_job *job, const struct scope *scope, struct error *err)
{
	AUTO(str) char *here = getcwd(NULL, 0);
	char *path = scope->layer == LAYER_SHELL ? place_shell_start(shell_of(job))
						 : place_settings(scope->layer, here, NULL);
	if (path)
		return path;
	error_set(err, ERR_FAILED, "it is not known where the file of scope %s is", scope->name);
	error_hint(err, "set HOME, or choose another --scope or --shell");
	return NULL;
}

/* ---- what is said ---- */

static bool is_hidden(const struct apply_change *change)
{
	return change->is_secret || (change->theirs && strchr(change->theirs, '@'));
}

static const char *shown(const struct apply_change *change, const char *value)
{
	return !value ? "nothing" : is_hidden(change) ? "(not shown)" : value;
}

static bool refuse(const struct apply *apply, struct error *err)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	for (size_t i = 0; i < apply->count; i++) {
		const struct apply_change *change = &apply->changes[i];
		if (change->action == APPLY_CONFLICT)
			buf_addf(&text, "%s %s is %s and would be %s", text.len ? ";" : "",
				change->name, shown(change, change->theirs),
				shown(change, change->ours));
	}
	error_set(err, ERR_REFUSED, "%s has values of yours:%s", apply->file.path, buf_str(&text));
	return error_hint(err, "'--force' puts the stack's in their place, and 'cctm env --remove' "
			       "gives yours back");
}

static json_t *changes_json(const struct apply *apply)
{
	json_t *changes = json_array();
	for (size_t i = 0; i < apply->count; i++) {
		const struct apply_change *change = &apply->changes[i];
		json_array_append_new(changes,
			json_pack("{s:s, s:s, s:o, s:o}", "name", change->name, "action",
				apply_action_name(change->action), "value",
				is_hidden(change) ? json_null() : out_json_text(change->ours),
				"former",
				is_hidden(change) ? json_null() : out_json_text(change->theirs)));
	}
	return changes;
}

static void print_json(const struct env_job *job, const struct apply *apply, const char *scope)
{
	AUTO(str) char *backup = applied_backup(apply->file.path);
	bool has_backup =
		apply->count && apply->file.is_there && apply->is_changed && !job->args->is_dry_run;
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:s, s:b, s:b, s:o, s:o}", "path", out_json_text(apply->file.path),
			"scope", scope, "changed", apply->is_changed, "dry_run",
			job->args->is_dry_run, "backup",
			has_backup ? out_json_text(backup) : json_null(), "variables",
			changes_json(apply)));
}

static void print_changes(const struct env_job *job, const struct apply *apply)
{
	for (size_t i = 0; i < apply->count; i++) {
		const struct apply_change *change = &apply->changes[i];
		out_printf(job->ctx->out, "  %-8s %s=%s\n", apply_action_name(change->action),
			change->name, shown(change, change->ours ? change->ours : ""));
	}
}

static void note_next(const struct env_job *job, const struct apply *apply)
{
	AUTO(str) char *backup = applied_backup(apply->file.path);
	if (apply->is_changed && apply->file.is_there)
		out_note(job->ctx->out, "the former file is kept as %s", backup);
	if (apply->mode != apply->file.mode && apply->file.is_there)
		out_note(job->ctx->out, "its mode is %04o now, for it holds the token",
			(unsigned)apply->mode);
	if (job->helper && apply->is_changed)
		out_note(job->ctx->out,
			"the token comes from %s, which Claude Code runs again "
			"every 29 minutes",
			job->helper);
	env_note_processes(job);
	if (!job->args->wait_ms)
		out_note(job->ctx->out,
			"next: start Claude Code (it reads this once); 'cctm env --wait' waits for "
			"its first data, '--remove' takes all of it out again");
}

static void print_applied(const struct env_job *job, const struct apply *apply)
{
	out_printf(job->ctx->out, "%s%s\n", apply->file.path,
		job->args->is_dry_run ? " would get"
		: apply->is_changed   ? ""
				      : " has all of it already");
	print_changes(job, apply);
	if (!job->args->is_dry_run)
		note_next(job, apply);
}

/* ---- the two ways ---- */

/* In a file that others read no token may stand, and the script of this machine is of no use on theirs. */
static void note_left_out(const struct env_job *job, const struct scope *scope, bool has_helper)
{
	if (job->token && !has_helper && !scope->is_private && scope->layer != LAYER_SHELL)
		out_note(job->ctx->out, "the token is left out, for others read that file: each "
					"user runs 'cctm env --apply' besides");
}

static bool write_all(const struct env_job *job, const struct scope *scope, const char *path,
	struct apply *apply, struct error *err)
{
	const char *const words[] = { "cctm", "-q", "-C", job->stack.dir, "password", "otlp",
		NULL };
	bool is_shell = scope->layer == LAYER_SHELL;
	const char *helper = is_shell || scope->is_shared ? NULL : job->helper;
	const struct apply_request request = {
		.path = path,
		.is_shell = is_shell,
		.shell = shell_of(job),
		.wanted = &job->wanted,
		.token_words = words,
		.helper = helper,
		.is_secret_written = scope->is_private && !helper,
		.is_forced = job->args->is_forced,
		.mode = scope->mode,
	};
	if (!apply_plan(&request, apply, err))
		return false;
	if (apply_conflicts(apply))
		return refuse(apply, err);
	note_left_out(job, scope, helper != NULL);
	return job->args->is_dry_run || apply_write(apply, err);
}

static void print_removed(const struct env_job *job, const struct apply *apply)
{
	const char *what = !apply->is_changed ? "has nothing that cctm added"
			   : apply->deletes   ? "goes: it was not there before"
					      : "is as it was before";
	out_note(job->ctx->out, "%s %s", apply->file.path, what);
	if (apply->is_changed && !job->args->is_dry_run)
		out_note(job->ctx->out,
			"a Claude Code that runs keeps what it read when it started");
}

int env_apply(const struct env_job *job, struct error *err)
{
	const struct scope *scope = find_scope(job);
	AUTO(apply) struct apply apply = { 0 };
	AUTO(str) char *path = path_of(job, scope, err);
	if (!path)
		return -1;
	bool is_removal = job->args->is_removed;
	bool is_done = is_removal ? apply_plan_removal(path, &apply, err) &&
					    (job->args->is_dry_run || apply_write(&apply, err))
				  : write_all(job, scope, path, &apply, err);
	if (!is_done)
		return -1;
	if (job->ctx->is_json && !job->args->wait_ms)
		print_json(job, &apply, scope->name);
	else if (is_removal)
		print_removed(job, &apply);
	else
		print_applied(job, &apply);
	return 0;
}
