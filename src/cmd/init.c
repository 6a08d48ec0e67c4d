/* cctm init: writes a stack's files, and brings them up to date when it is run again.
 *
 * It reads cctm.yaml (or begins one), decides where the stack runs, renders every file, compares with what is there and
 * with what it made last, and writes all of it or nothing. An edit by the user is never lost: it is merged, or the new
 * text comes beside it. Nothing is started and nothing outside of the directory is touched.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/init_internal.h"
#include "config/stack_dir.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/proc.h"
#include "stack/compose.h"

static const char *const runtimes[] = { "docker", "embedded", "auto", NULL };
static const char *const profiles[] = { "local", "team", NULL };

static const struct opt init_options[] = {
	OPT_CHOICE(struct init_args, runtime, 0, "runtime", "WHERE", runtimes, NULL,
		"where the stack runs: in containers, or the bridge alone as a process; auto takes "
		"Docker where it answers"),
	OPT_CHOICE(struct init_args, profile, 0, "profile", "WHO", profiles, NULL,
		"for one person or for a team; other defaults follow from it"),
	OPT(struct init_args, set, 0, "set", "KEY=VALUE",
		"set a key of cctm.yaml; may be repeated"),
	OPT(struct init_args, templates, 0, "templates", "DIR",
		"take templates from there first; the stack's own templates/ comes next"),
	OPT(struct init_args, is_auto_ports, 0, "auto-ports", NULL,
		"take the next free port where one is in use"),
	OPT(struct init_args, is_dry_run, 'n', "dry-run", NULL,
		"say what would be done and write nothing"),
	OPT(struct init_args, is_forced, 0, "force", NULL,
		"put new texts in place of edited ones, which are kept as FILE.bak"),
	OPT(struct init_args, adopt, 0, "adopt", "DIR",
		"take over a stack that was made by hand: its ports, images, password and data"),
	OPT(struct init_args, is_yes, 'y', "yes", NULL, "answer yes to what would be asked"),
	OPT_END,
};

static const struct opt_argument init_arguments[] = {
	{ .offset = offsetof(struct init_args, dir),
		.name = "DIR",
		.is_optional = true,
		.help = "the stack's directory, made when it is not there (default as with -C)" },
	OPT_ARGUMENT_END,
};

static const struct example init_examples[] = {
	{ "cctm init", "write a stack, or bring it up to date" },
	{ "cctm init ~/metrics --profile team --set otlp.auth=bearer",
		"one for a team, with a token" },
	{ "cctm init --runtime embedded", "without containers" },
	{ "cctm init --auto-ports", "on a machine where ports are taken" },
	{ "cctm init --dry-run", "what would change" },
	{ "cctm init --adopt ~/claude-code-metrics-stack --dry-run",
		"what is wrong with a stack made by hand" },
	{ NULL, NULL },
};

static int init_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_init = {
	.name = "init",
	.group = GROUP_STACK,
	.summary = "write a stack's files, or bring them up to date",
	.effect = EFFECT_CHANGES,
	.args_size = sizeof(struct init_args),
	.options = init_options,
	.arguments = init_arguments,
	.examples = init_examples,
	.text = "Writes what a stack needs into its directory: cctm.yaml (the settings, with every "
		"key explained), .env "
		"(secrets, readable by you alone, made at random) and, for containers, the compose "
		"file and the "
		"configurations of the Collector, Prometheus and Grafana. Nothing is started.\n\n"
		"Every file may be edited. Run again, after an edit, a change of cctm.yaml or an "
		"update of cctm, init "
		"brings the files up to date and keeps your edits: they are merged with what is "
		"new. Where both changed "
		"the same lines, your file stays as it is, the new one lies beside it as FILE.new, "
		"and the exit status "
		"is 4: take over what you want, then delete FILE.new. Secrets are never made "
		"anew.\n\n"
		"With --adopt a stack that was made by hand becomes one of cctm's: ports, "
		"retention, images, password and the "
		"places of data are read out of it, every fault that is found is listed, and the "
		"replaced files go to "
		".cctm/adopted/. Its data stay where they are.\n\n"
		"All of it is written or nothing, also when the disk fills up or the program is "
		"killed.",
	.run = init_run,
};

/* ---- which directory ---- */

static char *absolute(const char *path)
{
	AUTO(str) char *real = realpath(path, NULL);
	if (real)
		return TAKE(real);
	if (*path == '/')
		return mem_strdup(path);
	AUTO(str) char *here = getcwd(NULL, 0);
	return path_join(here ? here : ".", path);
}

static bool find_dir(struct init_job *job, struct error *err)
{
	AUTO(stack_dir) struct stack_dir where = { 0 };
	const char *given = job->args->adopt ? job->args->adopt
			    : job->args->dir ? job->args->dir
					     : job->ctx->dir;
	struct stat st;
	if (given && stat(given, &st) < 0 && errno == ENOENT) {
		job->dir = absolute(given);
	} else {
		if (!stack_dir_find(given, &where, err))
			return false;
		job->dir = absolute(where.dir);
	}
	job->file = path_join(job->dir, CONFIG_FILE);
	return true;
}

/* ---- deciding ---- */

/* A new cctm.yaml says which runtime was chosen, so that a stopped engine does not turn the stack into another. */
static bool settle_runtime(struct init_job *job, struct error *err)
{
	runtime_choose(&job->config, job->last.runtime, &job->runtime);
	bool is_open = strcmp(config_text(&job->config, "runtime"), "auto") == 0;
	if (!job->is_new || !is_open || job->args->runtime)
		return true;
	return init_settings_set(job, "runtime", runtime_name(job->runtime.runtime), err) &&
	       init_settings_load(job, err);
}

static struct provision_request request_of(const struct init_job *job)
{
	return (struct provision_request){
		.dir = job->dir,
		.config = &job->config,
		.last = &job->last,
		.runtime = job->runtime.runtime,
		.template_dir = job->args->templates,
		.options = { .is_forced = job->args->is_forced || job->args->adopt,
			.backup_dir = job->args->adopt ? ADOPTED_DIR : NULL },
		.secrets = job->secrets,
	};
}

static bool check_profile(const struct init_job *job, struct error *err)
{
	if (strcmp(config_text(&job->config, "profile"), "cluster") != 0)
		return true;
	error_set(err, ERR_CONFIG,
		"profile cluster is more than one machine, and init writes a stack for one");
	return error_hint(err, "use 'cctm init --profile team'");
}

/* The files by which running containers are known may not go away under them. */
static bool check_switch(const struct init_job *job, struct error *err)
{
	struct compose compose;
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(compose_services) struct compose_services services = { 0 };
	if (job->last.runtime != RUNTIME_DOCKER || job->runtime.runtime != RUNTIME_EMBEDDED ||
		!compose_open(job->dir, &compose, &ignored) ||
		!compose_list(&compose, &services, &ignored) || services.count == 0)
		return true;
	error_set(err, ERR_REFUSED,
		"the stack has containers, and without its compose file they could not be stopped");
	return error_hint(err, "run 'cctm down -C %s' first", job->dir);
}

static bool decide(struct init_job *job, struct error *err)
{
	if (!manifest_read(job->dir, &job->last, err) ||
		(job->args->adopt && !init_adopt_read(job, err)) || !init_settings_read(job, err) ||
		!check_profile(job, err) || !settle_runtime(job, err) || !check_switch(job, err) ||
		!init_ports_check(job, err))
		return false;
	const struct provision_request request = request_of(job);
	return provision_make(&request, &job->provision, err) && init_adopt_move_away(job, err) &&
	       plan_add(&job->provision.plan, CONFIG_FILE, buf_slice(&job->settings), 0644, err);
}

/* ---- doing ---- */

static void clear(struct init_job *job)
{
	for (size_t i = 0; i < job->taken_count; i++)
		free(job->taken[i].who);
	free(job->taken);
	free(job->secrets);
	adoption_clear(&job->adoption);
	free(job->dir);
	free(job->file);
	manifest_clear(&job->last);
	buf_clear(&job->settings);
	config_clear(&job->config);
	runtime_choice_clear(&job->runtime);
	provision_clear(&job->provision);
}

/* What is wrong with the command line or the settings is said before a directory is made. */
static bool try_first(const struct init_job *job, struct error *err)
{
	struct stat st;
	struct init_job trial = { .ctx = job->ctx,
		.args = job->args,
		.dir = mem_strdup(job->dir),
		.file = mem_strdup(job->file) };
	bool is_right = stat(job->dir, &st) == 0 || decide(&trial, err);
	clear(&trial);
	return is_right;
}

static bool write_all(struct init_job *job, struct error *err)
{
	if (!try_first(job, err) || !dir_make(job->dir, 0755, err))
		return false;
	AUTO(fd) int lock = plan_lock(job->dir, err);
	if (lock < 0 || !decide(job, err))
		return false;
	const struct provision_request request = request_of(job);
	return init_adopt_confirm(job, err) && provision_apply(&request, &job->provision, err) &&
	       (!job->args->adopt || provision_close_directories(&request, err));
}

/* A secret that is in the history of a repository is none any more. */
static void warn_of_tracked_secrets(const struct init_job *job)
{
	const char *const argv[] = { "git", "ls-files", "--error-unmatch", ".env", NULL };
	const struct proc_request request = {
		.argv = argv, .dir = job->dir, .deadline_ms = 2000, .output_max = 1024
	};
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	if (job->args->is_dry_run || !provision_is_under_git(job->dir) ||
		!proc_run(&request, &result, &ignored))
		return;
	if (result.end == PROC_EXITED && result.status == 0)
		out_note(job->ctx->out, "git keeps .env: 'git rm --cached .env' ends that, and "
					"what is in its history needs new secrets");
}

static int init_run(struct context *ctx, const void *raw, struct error *err)
{
	struct init_job job = { .ctx = ctx, .args = raw };
	int status = -1;
	bool is_done = find_dir(&job, err) &&
		       (job.args->is_dry_run ? decide(&job, err) : write_all(&job, err));
	if (is_done) {
		init_print(&job);
		warn_of_tracked_secrets(&job);
		status = plan_count(&job.provision.plan, PLAN_CONFLICT) ? 4 : 0;
	}
	clear(&job);
	return status;
}
