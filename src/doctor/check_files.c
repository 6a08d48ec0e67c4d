/* The files of a stack: cctm.yaml, .env, and what is made from them; and what is wrong with a Compose file, whoever wrote it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/secret.h"
#include "doctor/doctor_internal.h"
#include "loaded/current.h"
#include "render/check.h"
#include "render/env_file.h"
#include "render/own_files.h"

#define PASSWORD_MIN 8
#define FILE_MAX     (4 << 20)

/* ---- is there a stack, and can its settings be used ---- */

void check_stack(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	(void)check;
	if (d->is_own) {
		outcome_say(out, CHECK_OK, "%s", d->dir);
	} else if (d->is_hand_made) {
		outcome_say(out, CHECK_NOTE, "a stack made by hand in %s", d->dir);
		outcome_command(
			out, FIX_TO_LOOK_AT, "cctm", "-C", d->dir, "init", "--adopt", d->dir, NULL);
	} else {
		outcome_say(out, CHECK_FAILURE, "%s",
			d->config_fault ? d->config_fault : "there is none here");
		outcome_command(out, FIX_TO_LOOK_AT, "cctm", "init", NULL);
	}
}

void check_config(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	(void)check;
	if (!d->is_own)
		outcome_say(out, CHECK_SKIPPED, "there is no cctm.yaml");
	if (d->is_loaded || !d->is_own)
		return;
	outcome_say(out, CHECK_FAILURE, "%s", d->config_fault);
	outcome_advise(out, "%s", d->config_hint ? d->config_hint : "mend the line it names");
}

/* ---- secrets ---- */

static bool read_env(const struct doctor *d, struct env_file *out, struct error *err)
{
	AUTO(str) char *path = path_join(d->dir, ENV_PATH);
	AUTO(buf) struct buf text = BUF_INIT(ENV_FILE_MAX);
	int got = file_read(path, &text, err);
	if (got == 0)
		return error_set(err, ERR_IO, "%s is not there", path);
	return got > 0 && env_file_parse(buf_slice(&text), out, err);
}

void check_env_file(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(env_file) struct env_file file = { 0 };
	(void)check;
	if (read_env(d, &file, &err))
		return;
	outcome_say(out, CHECK_FAILURE, "%s", err.message);
	if (strstr(err.message, "is not there"))
		outcome_cctm(out, d, FIX_SAFE, "init", d->dir, NULL);
	else
		outcome_advise(out, "mend that line: NAME=value");
}

void check_env_mode(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(str) char *path = path_join(d->dir, ENV_PATH);
	struct stat st;
	(void)check;
	if (stat(path, &st) < 0 || !(st.st_mode & 077))
		return;
	outcome_say(out, CHECK_FAILURE, "%s has mode %04o: others can read its secrets", path,
		st.st_mode & 07777);
	outcome_command(out, FIX_SAFE, "chmod", "600", path, NULL);
}

static bool is_weak(const char *password)
{
	static const char *const words[] = { "password", "changeme", "change-me", "grafana1",
		"admin123", "12345678", "123456789", "secret123", "administrator" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(password, words[i]) == 0)
			return true;
	}
	return strlen(password) < PASSWORD_MIN;
}

void check_password(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(env_file) struct env_file file = { 0 };
	(void)check;
	const struct env_variable *found =
		read_env(d, &file, &ignored) ? env_file_find(&file, GRAFANA_PASSWORD) : NULL;
	if (found && *found->value && !is_weak(found->value))
		return;
	if (found && *found->value) {
		outcome_say(out, CHECK_FAILURE,
			"the password of Grafana's administrator is short or a word everybody "
			"tries");
		outcome_cctm(out, d, FIX_TO_LOOK_AT, "password", "grafana", "--rotate", NULL);
	} else {
		outcome_say(out, CHECK_FAILURE, "%s is not set in .env", GRAFANA_PASSWORD);
		outcome_cctm(out, d, FIX_SAFE, "init", d->dir, NULL);
	}
}

void check_token(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(env_file) struct env_file file = { 0 };
	const struct config *config = &d->stack.config;
	(void)check;
	if (strcmp(config_text(config, "otlp.auth"), "bearer") != 0 ||
		!config_is_null(config, "otlp.token_file"))
		return;
	const struct env_variable *found =
		read_env(d, &file, &ignored) ? env_file_find(&file, OTLP_TOKEN) : NULL;
	if (found && *found->value)
		return;
	outcome_say(out, CHECK_FAILURE, "senders need a token, and .env has no %s", OTLP_TOKEN);
	outcome_cctm(out, d, FIX_SAFE, "init", d->dir, NULL);
}

/* The first generated file that holds a secret of .env; NULL: none does. */
static const char *file_with_secret(struct doctor *d, const struct env_file *env)
{
	static const char *const names[] = { GRAFANA_PASSWORD, OTLP_TOKEN };
	const struct provision *provision = doctor_provision(d);
	for (size_t i = 0; provision && i < provision->files.count; i++) {
		AUTO(error) struct error ignored = ERROR_INIT;
		AUTO(buf) struct buf text = BUF_INIT(FILE_MAX);
		AUTO(str) char *path = path_join(d->dir, provision->files.items[i].path);
		if (file_read(path, &text, &ignored) <= 0)
			continue;
		for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
			const struct env_variable *found = env_file_find(env, names[k]);
			if (found && !is_weak(found->value) && strstr(buf_str(&text), found->value))
				return provision->files.items[i].path;
		}
	}
	return NULL;
}

void check_secrets(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(env_file) struct env_file file = { 0 };
	(void)check;
	if (!read_env(d, &file, &ignored))
		return;
	const char *path = file_with_secret(d, &file);
	if (!path)
		return;
	outcome_say(out, CHECK_FAILURE, "%s holds a secret of .env", path);
	outcome_cctm(out, d, FIX_TO_LOOK_AT, "init", "--force", d->dir, NULL);
}

void check_gitignore(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(str) char *path = path_join(d->dir, GITIGNORE_PATH);
	AUTO(buf) struct buf text = BUF_INIT(FILE_MAX);
	(void)check;
	if (!provision_is_under_git(d->dir))
		return;
	if (file_read(path, &text, &ignored) > 0 && strstr(buf_str(&text), ENV_PATH))
		return;
	outcome_say(out, CHECK_WARNING, "%s is under git, and .gitignore does not keep .env out",
		d->dir);
	outcome_cctm(out, d, FIX_SAFE, "init", d->dir, NULL);
}

/* ---- generated files ---- */

/* The paths that init would treat so; "" none; yours. Files that are the user's own are not meant. */
static char *paths_with(struct doctor *d, enum plan_action action, bool is_new_laid_down)
{
	AUTO(buf) struct buf all = BUF_INIT(BUF_UNLIMITED);
	const struct provision *provision = doctor_provision(d);
	for (size_t i = 0; provision && i < provision->plan.count; i++) {
		const struct plan_item *item = &provision->plan.items[i];
		if (item->action == action && item->is_generated &&
			(!is_new_laid_down || item->lays_new))
			buf_addf(&all, "%s%s", all.len ? ", " : "", item->path);
	}
	return mem_strdup(buf_str(&all));
}

static bool say_unknown(struct doctor *d, struct check_outcome *out)
{
	if (doctor_provision(d))
		return false;
	outcome_say(out, CHECK_FAILURE, "%s", d->provision_fault);
	outcome_advise(out, "'cctm init' says the same; mend what it names");
	return true;
}

void check_files_missing(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	(void)check;
	if (say_unknown(d, out))
		return;
	AUTO(str) char *paths = paths_with(d, PLAN_CREATE, false);
	if (!*paths)
		return;
	outcome_say(out, CHECK_FAILURE, "missing: %s", paths);
	outcome_cctm(out, d, FIX_SAFE, "init", d->dir, NULL);
}

/* A port that the files were written with and cctm.yaml has no more; NULL: none. Yours. */
static char *moved_port(const struct doctor *d)
{
	for (size_t i = 0; i < service_port_count; i++) {
		int64_t then = manifest_port(&d->stack.last, service_ports[i].key);
		int64_t now = config_number(&d->stack.config, service_ports[i].key);
		if (then && then != now)
			return mem_printf("%s (%lld, and in the files %lld)", service_ports[i].key,
				(long long)now, (long long)then);
	}
	return NULL;
}

void check_files_stale(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	(void)check;
	AUTO(str) char *updated = paths_with(d, PLAN_UPDATE, false);
	AUTO(str) char *merged = paths_with(d, PLAN_MERGE, false);
	AUTO(str) char *port = moved_port(d);
	if (!*updated && !*merged && !port)
		return;
	outcome_say(out, CHECK_WARNING, "not as cctm.yaml says: %s%s%s%s%s", updated,
		*updated && *merged ? ", " : "", merged, (*updated || *merged) && port ? ", " : "",
		port ? port : "");
	outcome_cctm(out, d, FIX_SAFE, "init", d->dir, NULL);
}

void check_files_conflict(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	(void)check;
	AUTO(str) char *paths = paths_with(d, PLAN_CONFLICT, false);
	if (!*paths)
		return;
	outcome_say(out, CHECK_WARNING,
		"edited where cctm has something newer to say, and not merged: %s", paths);
	outcome_cctm(out, d, FIX_TO_LOOK_AT, "init", "--force", d->dir, NULL);
}

void check_files_parse(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	const struct provision *provision = doctor_provision(d);
	(void)check;
	for (size_t i = 0; provision && i < provision->files.count; i++) {
		AUTO(error) struct error err = ERROR_INIT;
		AUTO(buf) struct buf text = BUF_INIT(FILE_MAX);
		const char *name = provision->files.items[i].path;
		AUTO(str) char *path = path_join(d->dir, name);
		int got = file_read(path, &text, &err);
		if (got == 0 || (got > 0 && check_text(name, buf_slice(&text), &err)))
			continue;
		outcome_say(out, CHECK_FAILURE, "%s", err.message);
		outcome_cctm(out, d, FIX_TO_LOOK_AT, "init", "--force", d->dir, NULL);
		return;
	}
}

void check_files_loaded(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(buf) struct buf all = BUF_INIT(BUF_UNLIMITED);
	struct current noted, files;
	(void)check;
	current_read_noted(&d->stack, &noted);
	if (!current_read_files(&d->stack, &files, &ignored))
		return;
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		if (*noted.hashes[s] && current_differs(&noted, &files, s))
			buf_addf(&all, "%s%s", all.len ? ", " : "", service_rows[s].name);
	}
	if (!all.len)
		return;
	outcome_say(out, CHECK_WARNING, "running with an older configuration: %s", buf_str(&all));
	outcome_cctm(out, d, FIX_SAFE, "up", NULL);
}

void check_open(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	const char *bind = config_text(&d->stack.config, "bind");
	(void)check;
	if (address_is_loopback(bind) ||
		strcmp(config_text(&d->stack.config, "otlp.auth"), "none") != 0)
		return;
	outcome_say(out, CHECK_WARNING,
		"ports are open on %s, and whoever reaches them can send data without a token",
		bind);
	outcome_cctm(out, d, FIX_TO_LOOK_AT, "config", "set", "otlp.auth", "bearer", NULL);
	outcome_advise(out, "'cctm config set otlp.auth bearer' asks for one, 'cctm config unset "
			    "bind' closes the ports; then 'cctm init' and 'cctm up'");
}

/* ---- what a Compose file and its configurations say ---- */

void check_hand_made(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	(void)check;
	if (!d->is_hand_made)
		outcome_say(out, CHECK_SKIPPED, "there is none");
	if (d->is_hand_made && d->is_adopted && d->adoption.fault_count)
		outcome_say(out, CHECK_NOTE, "%zu faults known by name are in it",
			d->adoption.fault_count);
	if (d->is_hand_made)
		outcome_command(
			out, FIX_TO_LOOK_AT, "cctm", "-C", d->dir, "init", "--adopt", d->dir, NULL);
}

void check_compose_readable(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	(void)check;
	if (!d->is_adopted && !d->adopt_fault)
		outcome_say(out, CHECK_SKIPPED, "there is no Compose file");
	if (!d->adopt_fault)
		return;
	outcome_say(out, CHECK_FAILURE, "%s", d->adopt_fault);
	if (d->is_own)
		outcome_cctm(out, d, FIX_TO_LOOK_AT, "init", "--force", d->dir, NULL);
	else
		outcome_advise(out, "mend the line it names");
}

/* What cctm.yaml asks for in so many words is what the user wants. */
static bool is_wanted(const struct doctor *d, enum fault fault)
{
	const struct config *config = &d->stack.config;
	if (!d->is_own)
		return false;
	switch ((int)fault) {
	case FAULT_PORTS_OPEN:
		return !address_is_loopback(config_text(config, "bind"));
	case FAULT_DEBUG:
		return strcmp(config_text(config, "collector.debug"), "detailed") == 0;
	case FAULT_BATCH:
		return config_is_set(config, "collector.batch_timeout");
	default:
		return false;
	}
}

void check_fault(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	AUTO(buf) struct buf all = BUF_INIT(BUF_UNLIMITED);
	const struct adopt_fault *first = NULL;
	for (size_t i = 0; i < d->adoption.fault_count; i++) {
		const struct adopt_fault *fault = &d->adoption.faults[i];
		if ((int)fault->fault != check->number)
			continue;
		first = first ? first : fault;
		buf_addf(&all, "%s%s: %s", all.len ? "; " : "", fault->where, fault->what);
	}
	if (!first)
		return;
	if (is_wanted(d, first->fault)) {
		outcome_say(out, CHECK_NOTE, "%s, as cctm.yaml asks for", buf_str(&all));
		return;
	}
	outcome_say(out, CHECK_FAILURE, "%s", buf_str(&all));
	if (!d->is_own)
		outcome_command(
			out, FIX_TO_LOOK_AT, "cctm", "-C", d->dir, "init", "--adopt", d->dir, NULL);
	else
		outcome_cctm(out, d, FIX_TO_LOOK_AT, "init", "--force", d->dir, NULL);
	outcome_advise(out, "%s", first->remedy);
}
