/* cctm password: shows a secret of the stack, or puts a new one in its place everywhere at once.
 *
 * Grafana keeps its password itself and .env says what it is: a new one has to come into both or into neither. It is first
 * noted in .cctm/password-rotation (0600), then given to Grafana, then written into .env; when .env cannot be written,
 * Grafana gets the former one back. What an interrupted run left is settled by the next one, by asking Grafana.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "config/bridge_dir.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/secret.h"
#include "grafana/grafana.h"
#include "loaded/loaded.h"
#include "render/env_file.h"
#include "render/model.h"
#include "render/own_files.h"
#include "render/plan.h"
#include "stack/compose.h"
#include "stack/embedded.h"

struct password_args {
	const char *which;
	bool is_rotated;
};

static const char *const secrets[] = { "grafana", "otlp", NULL };

static const struct opt password_options[] = {
	OPT(struct password_args, is_rotated, 0, "rotate", NULL,
		"put a new one, made at random, in its place"),
	OPT_END,
};

static const struct opt_argument password_arguments[] = {
	{ .offset = offsetof(struct password_args, which),
		.name = "SECRET",
		.is_optional = true,
		.choices = secrets,
		.help = "grafana: of its administrator (this is the default); otlp: the token "
			"that clients send" },
	OPT_ARGUMENT_END,
};

static const struct example password_examples[] = {
	{ "cctm password", "show the password for Grafana" },
	{ "cctm password grafana --rotate", "change it, in Grafana and in .env" },
	{ "cctm password otlp", "show the token that Claude Code has to send" },
	{ NULL, NULL },
};

static int password_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_password = {
	.name = "password",
	.group = GROUP_STACK,
	.summary = "show or rotate a secret of the stack",
	.effect = EFFECT_CHANGES,
	.args_size = sizeof(struct password_args),
	.options = password_options,
	.arguments = password_arguments,
	.examples = password_examples,
	.text = "Prints the secret and nothing else, so that it can be handed on. It stands in the "
		"stack's .env, which you alone can read.\n\n"
		"With --rotate Grafana, which has to run, gets a new password through its API and "
		".env says so: both, or neither when one of them fails. A new OTLP token makes "
		"the receiver start again with it; a Claude Code that brings it by the stack's "
		"script has it after 29 minutes or its next start, others after 'cctm env "
		"--apply'.",
	.run = password_run,
};

#define PENDING_PATH ".cctm/password-rotation"
#define PENDING_MAX  4096
#define RECREATE_MS  180000
#define STOP_MS	     20000

struct password_job {
	struct context *ctx;
	const struct password_args *args;
	struct loaded stack;
	const char *name; /* of the variable in .env */
	char *url;	  /* Grafana's */
	char *current;	  /* as .env has it; NULL: none */
};

/* ---- .env ---- */

static bool write_env(const struct password_job *job, const char *value, struct error *err)
{
	AUTO(str) char *path = path_join(job->stack.dir, ENV_PATH);
	AUTO(buf) struct buf before = BUF_INIT(ENV_FILE_MAX);
	AUTO(buf) struct buf after = BUF_INIT(BUF_UNLIMITED);
	return file_read(path, &before, err) >= 0 &&
	       env_file_set(buf_slice(&before), job->name, value, &after, err) &&
	       file_write_atomic(path, after.data, after.len, 0600, err);
}

/* ---- Grafana ---- */

static struct grafana grafana_with(const struct password_job *job, const char *password)
{
	return (struct grafana){ .url = job->url,
		.user = config_text(&job->stack.config, "grafana.admin_user"),
		.password = password };
}

static char *pending_path(const struct password_job *job)
{
	return path_join(job->stack.dir, PENDING_PATH);
}

static bool note_pending(const struct password_job *job, const char *password, struct error *err)
{
	AUTO(str) char *path = pending_path(job);
	return file_write_atomic(path, password, strlen(password), 0600, err);
}

static void forget_pending(const struct password_job *job)
{
	AUTO(str) char *path = pending_path(job);
	unlink(path);
}

/* A run that was interrupted may have given Grafana the password that it had noted. */
static bool settle(struct password_job *job, struct error *err)
{
	AUTO(str) char *path = pending_path(job);
	AUTO(buf) struct buf noted = BUF_INIT(PENDING_MAX);
	if (access(path, F_OK) < 0)
		return true;
	/* While another one is at it, it is not interrupted. */
	AUTO(fd) int lock = plan_lock(job->stack.dir, err);
	int found = lock >= 0 ? file_read(path, &noted, err) : -1;
	if (found <= 0)
		return found == 0;
	AUTO(secret) char *password = mem_strdup(buf_str(&noted));
	const struct grafana grafana = grafana_with(job, password);
	enum grafana_login login = !job->current || strcmp(password, job->current) != 0
					   ? grafana_login(&grafana, err)
					   : GRAFANA_LOGIN_WRONG;
	if (login == GRAFANA_LOGIN_UNKNOWN) {
		error_wrap(err, "the password was being changed when that was interrupted, and "
				"which one Grafana has cannot be asked");
		return error_hint(err, "start it ('cctm up'), then run this again");
	}
	if (login == GRAFANA_LOGIN_RIGHT) {
		if (!write_env(job, password, err))
			return false;
		secret_free(job->current);
		job->current = mem_strdup(password);
		out_note(job->ctx->out,
			"a change of the password that was interrupted is completed");
	}
	forget_pending(job);
	return true;
}

static bool check_login(const struct password_job *job, struct error *err)
{
	const struct grafana grafana = grafana_with(job, job->current);
	switch (grafana_login(&grafana, err)) {
	case GRAFANA_LOGIN_RIGHT:
		return true;
	case GRAFANA_LOGIN_WRONG:
		error_set(err, ERR_FAILED,
			"Grafana does not take the password of .env, so it cannot be changed by "
			"it");
		return error_hint(err, "put the right one into .env; after five wrong tries "
				       "Grafana refuses every one for five minutes");
	case GRAFANA_LOGIN_UNKNOWN:
		break;
	}
	error_wrap(err, "Grafana has to run for its password to be changed");
	return error_hint(err, "'cctm up' starts it");
}

/* Did it take the new one? Its answer may have been lost on the way. */
static bool change(const struct password_job *job, const char *password, struct error *err)
{
	AUTO(error) struct error why = ERROR_INIT;
	const struct grafana with_old = grafana_with(job, job->current);
	const struct grafana with_new = grafana_with(job, password);
	if (grafana_change_password(&with_old, password, &why))
		return true;
	if (why.code == ERR_NETWORK) {
		AUTO(error) struct error ignored = ERROR_INIT;
		enum grafana_login login = grafana_login(&with_new, &ignored);
		if (login == GRAFANA_LOGIN_RIGHT)
			return true;
		if (login == GRAFANA_LOGIN_UNKNOWN) {
			error_set(err, ERR_FAILED,
				"it is not known whether Grafana has the new password: %s",
				why.message);
			return error_hint(err, "'cctm password' settles it once Grafana answers");
		}
	}
	forget_pending(job);
	return error_set(err, ERR_FAILED, "the password stays as it was: %s", why.message);
}

static bool put_back(const struct password_job *job, const char *password, struct error *err)
{
	AUTO(error) struct error why = ERROR_INIT;
	const struct grafana with_new = grafana_with(job, password);
	if (grafana_change_password(&with_new, job->current, &why)) {
		forget_pending(job);
		return error_wrap(err, "the password stays as it was");
	}
	error_wrap(err, "Grafana has a new password, .env has not, and it cannot be put back (%s)",
		why.message);
	return error_hint(err, "mend what is wrong with .env, then 'cctm password' completes it");
}

static bool rotate_grafana(struct password_job *job, struct error *err)
{
	AUTO(secret) char *password = secret_new(err);
	if (!password || !check_login(job, err) || !note_pending(job, password, err) ||
		!change(job, password, err))
		return false;
	if (!write_env(job, password, err))
		return put_back(job, password, err);
	forget_pending(job);
	return true;
}

/* ---- the token ---- */

static bool runs(const struct compose_services *services, enum service service)
{
	const struct compose_service *found =
		compose_service_find(services, service_rows[service].name);
	return found && strcmp(found->state, "running") == 0;
}

/* The container gets the token when it is made. */
static bool recreate_receiver(const struct password_job *job, struct error *err)
{
	enum service service = service_receiver(&job->stack.config);
	const char *const words[] = { "up", "--detach", "--no-deps", service_rows[service].name,
		NULL };
	struct compose compose;
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(compose_services) struct compose_services services = { 0 };
	AUTO(proc_result) struct proc_result result = { 0 };
	if (!compose_open(job->stack.dir, &compose, &ignored) ||
		!compose_list(&compose, &services, &ignored) || !runs(&services, service))
		return true;
	return compose_run(&compose, words, false, RECREATE_MS, &result, err);
}

static bool restart_bridge(const struct password_job *job, struct error *err)
{
	AUTO(str) char *state = bridge_dir(job->stack.dir, &job->stack.config);
	return !embedded_find(state) ||
	       (embedded_stop(state, STOP_MS, err) &&
		       embedded_start(job->stack.dir, state, STOP_MS, err));
}

static bool take_over(const struct password_job *job, struct error *err)
{
	return job->stack.runtime == RUNTIME_DOCKER ? recreate_receiver(job, err)
						    : restart_bridge(job, err);
}

static bool rotate_token(const struct password_job *job, struct error *err)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(secret) char *token = secret_new(err);
	if (!token || !write_env(job, token, err))
		return false;
	if (take_over(job, err))
		return true;
	if (!job->current || !write_env(job, job->current, &ignored) || !take_over(job, &ignored))
		return error_wrap(err, "the receiver could not be started with the new token");
	return error_wrap(err, "the token stays as it was");
}

/* ---- the whole ---- */

static bool is_grafana(const struct password_job *job)
{
	return strcmp(job->name, GRAFANA_PASSWORD) == 0;
}

static bool check_secret(const struct password_job *job, struct error *err)
{
	const struct config *config = &job->stack.config;
	if (is_grafana(job) && job->stack.runtime == RUNTIME_EMBEDDED) {
		error_set(err, ERR_USAGE, "an embedded stack has no Grafana");
		return error_hint(err, "'cctm password otlp' shows the token of clients");
	}
	if (!is_grafana(job) && !config_is_null(config, "otlp.token_file"))
		return error_set(err, ERR_USAGE, "the tokens are in a file of yours: %s",
			config_text(config, "otlp.token_file"));
	if (!is_grafana(job) && strcmp(config_text(config, "otlp.auth"), "bearer") != 0) {
		error_set(err, ERR_USAGE, "the stack asks for no token (otlp.auth: none)");
		return error_hint(err, "'cctm init --set otlp.auth=bearer' makes it ask for one");
	}
	return true;
}

static bool read_current(struct password_job *job, struct error *err)
{
	job->name = job->args->which && strcmp(job->args->which, "otlp") == 0 ? OTLP_TOKEN
									      : GRAFANA_PASSWORD;
	job->url = model_url(&job->stack.config, "ports.grafana", "");
	if (!check_secret(job, err) || !loaded_secret(&job->stack, job->name, &job->current, err) ||
		(is_grafana(job) && !settle(job, err)))
		return false;
	if (job->current && *job->current)
		return true;
	error_set(err, ERR_FAILED, "%s/.env has no %s", job->stack.dir, job->name);
	return error_hint(err, "'cctm init' makes one");
}

static void print(const struct password_job *job)
{
	struct out *out = job->ctx->out;
	const char *what = is_grafana(job) ? "grafana" : "otlp";
	if (job->ctx->is_json && job->args->is_rotated)
		out_json(out, 1, json_pack("{s:s, s:b}", "secret", what, "rotated", true));
	else if (job->ctx->is_json)
		out_json(out, 1,
			json_pack("{s:s, s:o}", "secret", what, "value",
				out_json_text(job->current)));
	else if (!job->args->is_rotated)
		out_printf(out, "%s\n", job->current);
	else if (is_grafana(job))
		out_note(out,
			"Grafana has a new password; 'cctm password' shows it. The next 'cctm "
			"up' makes its container anew, which names it");
	else
		out_note(out, "the receiver has a new token; 'cctm env --apply' gives it to a "
			      "Claude Code that has it in its settings");
}

static bool rotate(struct password_job *job, struct error *err)
{
	AUTO(fd) int lock = plan_lock(job->stack.dir, err);
	return lock >= 0 && (is_grafana(job) ? rotate_grafana(job, err) : rotate_token(job, err));
}

static int password_run(struct context *ctx, const void *raw, struct error *err)
{
	struct password_job job = { .ctx = ctx, .args = raw };
	bool is_done = loaded_read(ctx->dir, &job.stack, err) && read_current(&job, err) &&
		       (!job.args->is_rotated || rotate(&job, err));
	if (is_done)
		print(&job);
	secret_free(job.current);
	free(job.url);
	loaded_clear(&job.stack);
	return is_done ? 0 : -1;
}
