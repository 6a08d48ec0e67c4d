/* cctm restore: a stack as an archive has it, in an empty directory or in place of what is there.
 *
 * The archive is read and checked whole before anything is asked or changed. What is there is saved first; the bridge stops
 * before that, so that nothing is received that is in neither. Killed at any moment, the stack is the former one, or the next
 * 'cctm up' or 'cctm restore' completes it.
 */
#include "backup/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/create.h"
#include "cmd/cmd.h"
#include "config/bridge_dir.h"
#include "config/stack_dir.h"
#include "core/ask.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/proc.h"
#include "render/own_files.h"
#include "render/plan.h"
#include "stack/embedded.h"

struct restore_args {
	const char *file, *to;
	struct opt_rest only;
	bool is_dry_run, is_yes, has_safety, starts;
};

static const struct opt restore_options[] = {
	OPT(struct restore_args, to, 0, "to", "DIR",
		"where: a stack's directory, an empty one, or one to be made (default: the "
		"stack's)"),
	OPT(struct restore_args, only, 0, "only", "PART",
		"this part only; may be repeated: configuration, secrets, ledger"),
	OPT(struct restore_args, is_dry_run, 'n', "dry-run", NULL,
		"check the archive, say what would change, and change nothing"),
	OPT(struct restore_args, is_yes, 'y', "yes", NULL, "answer yes to what would be asked"),
	OPT_NEGATABLE(struct restore_args, has_safety, 0, "safety-backup", "on",
		"save what is there first, into backups/"),
	OPT_NEGATABLE(struct restore_args, starts, 0, "start", "on",
		"start the stack afterwards, if it ran before or is new, and verify it"),
	OPT_END,
};

static const struct opt_argument restore_arguments[] = {
	{ .offset = offsetof(struct restore_args, file),
		.name = "FILE",
		.help = "the archive, '-' for standard input" },
	OPT_ARGUMENT_END,
};

static const struct example restore_examples[] = {
	{ "cctm restore backups/cctm-….tar.zst --dry-run", "is it whole, and what would change?" },
	{ "cctm restore cctm.tar.zst --to ~/stack", "on a new machine" },
	{ "cctm restore cctm.tar.zst --only ledger", "the history alone" },
	{ NULL, NULL },
};

static int restore_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_restore = {
	.name = "restore",
	.group = GROUP_STACK,
	.summary = "bring a stack back from an archive",
	.effect = EFFECT_DESTROYS,
	.args_size = sizeof(struct restore_args),
	.options = restore_options,
	.arguments = restore_arguments,
	.examples = restore_examples,
	.text = "Reads the archive whole and checks every byte of it, shows what would change, and "
		"asks where a stack is there. Then it stops the bridge, saves what is there into "
		"backups/, and puts configuration, secrets and ledger in place, all or nothing; a "
		"restore that was interrupted is completed by the next 'cctm up' or 'cctm "
		"restore'. At last it starts the stack as 'cctm up' does, which verifies it.\n\n"
		"A restored ledger replaces the one that is there. Its counters begin a new epoch "
		"on /metrics, so that no total is counted twice.\n\n"
		"An archive that names files where none of a stack belong, or is not what its "
		"manifest says, is refused, and nothing is written.",
	.run = restore_run,
};

#define UP_MS	600000
#define STOP_MS 20000
#define CHUNK	65536

struct restore_job {
	struct context *ctx;
	const struct restore_args *args;
	char *archive; /* on disk */
	char *spool;   /* of standard input; NULL: none */
	char *dir;
	bool ran_before;
	struct restore restore;
	struct created safety;
	char *started; /* NULL: not asked for; "": it answers; else why not */
};

/* ---- the archive ---- */

static bool spool_input(int fd, struct error *err)
{
	char chunk[CHUNK];
	int64_t all = 0;
	size_t written;
	ssize_t n;
	while ((n = read(STDIN_FILENO, chunk, sizeof chunk)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_errno(err, ERR_IO, errno, "cannot read standard input");
		all += n;
		if (all > INVENTORY_BYTES_MAX)
			return error_set(err, ERR_REFUSED, "standard input does not end");
		if (!fd_write_all(fd, chunk, (size_t)n, &written))
			return error_set_errno(err, ERR_IO, errno, "cannot keep standard input");
	}
	return true;
}

static bool find_archive(struct restore_job *job, struct error *err)
{
	if (strcmp(job->args->file, "-") != 0) {
		job->archive = mem_strdup(job->args->file);
		return true;
	}
	const char *above = getenv("TMPDIR");
	AUTO(str)
	char *path = path_join(above && *above ? above : "/var/tmp", "cctm-restore-XXXXXX");
	AUTO(fd) int fd = mkstemp(path);
	if (fd < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot make %s", path);
	job->spool = mem_strdup(path);
	job->archive = mem_strdup(path);
	return spool_input(fd, err);
}

static void on_progress(void *ctx, int64_t done, int64_t all)
{
	struct out *out = ctx;
	if (all > 0)
		out_status(out, "checking the archive: %d %%", (int)(done * 100 / all));
}

static bool open_archive(struct restore_job *job, struct error *err)
{
	bool is_open = find_archive(job, err) &&
		       restore_open(job->archive, on_progress, job->ctx->out, &job->restore, err);
	out_end_status(job->ctx->out);
	return is_open;
}

/* ---- where to ---- */

static bool find_target(struct restore_job *job, struct error *err)
{
	if (job->args->to) {
		AUTO(str) char *here = getcwd(NULL, 0);
		job->dir = *job->args->to == '/' ? mem_strdup(job->args->to)
						 : path_join(here ? here : ".", job->args->to);
		return true;
	}
	AUTO(stack_dir) struct stack_dir where = { 0 };
	if (!stack_dir_find(job->ctx->dir, &where, err))
		return false;
	job->dir = TAKE(where.dir);
	return true;
}

/* What an earlier restore left undone is done before anything is compared with it. -1: error; *lock stays -1 where nothing
 * is there yet. */
static bool take_lock(const struct restore_job *job, int *lock, struct error *err)
{
	AUTO(str) char *state = path_join(job->dir, STATE_DIR);
	AUTO(str) char *file = path_join(job->dir, CONFIG_FILE);
	AUTO(loaded) struct loaded stack = { 0 };
	*lock = -1;
	if (job->args->is_dry_run || (access(state, F_OK) < 0 && access(file, F_OK) < 0))
		return true;
	*lock = plan_lock(job->dir, err);
	if (*lock < 0)
		return false;
	return access(file, F_OK) < 0 ||
	       (loaded_read(job->dir, &stack, err) && restore_settle(&stack, err));
}

static bool choose_parts(
	const struct restore_args *args, bool only[BACKUP_PARTS], struct error *err)
{
	for (size_t i = 0; i < args->only.count; i++) {
		int part = inventory_part_of(args->only.items[i]);
		if (part < 0)
			return error_set(
				err, ERR_USAGE, "there is no part %.100s", args->only.items[i]);
		only[part] = true;
	}
	return true;
}

static bool aim(struct restore_job *job, struct error *err)
{
	bool only[BACKUP_PARTS] = { false };
	return choose_parts(job->args, only, err) &&
	       restore_aim(&job->restore, job->dir, job->args->only.count ? only : NULL, err);
}

/* ---- what is said ---- */

static size_t count_changes(const struct restore *restore, enum restore_action action)
{
	size_t count = 0;
	for (size_t i = 0; i < restore->count; i++)
		count += restore->changes[i].action == action;
	return count;
}

static void print_plan(const struct restore_job *job)
{
	const struct restore *restore = &job->restore;
	const struct inventory *inventory = &restore->contents.inventory;
	struct out *out = job->ctx->out;
	out_printf(out, "%s: of %s, made %s by cctm %s%s\n", job->args->file, inventory->project,
		inventory->made_at, inventory->cctm, inventory->is_partial ? ", PARTIAL" : "");
	out_printf(out, "into %s, %s\n", restore->dir,
		restore->is_fresh ? "where no stack is" : "where a stack is");
	for (size_t i = 0; i < restore->count; i++) {
		const struct restore_change *change = &restore->changes[i];
		if (change->action != RESTORE_SAME)
			out_printf(out, "%-8s %s\n", restore_action_name(change->action),
				change->path);
	}
	if (count_changes(restore, RESTORE_SAME))
		out_printf(out, "%-8s %zu files\n", restore_action_name(RESTORE_SAME),
			count_changes(restore, RESTORE_SAME));
	if (restore->state_dir)
		out_printf(out, "%-8s %s (ledger and journal)\n",
			restore->replaces_ledger ? "replace" : "create", restore->state_dir);
}

static json_t *changes_json(const struct restore *restore)
{
	json_t *changes = json_array();
	for (size_t i = 0; i < restore->count; i++)
		json_array_append_new(changes,
			json_pack("{s:o, s:s}", "path", out_json_text(restore->changes[i].path),
				"action", restore_action_name(restore->changes[i].action)));
	return changes;
}

static void print_json(const struct restore_job *job, bool is_done)
{
	const struct restore *restore = &job->restore;
	const struct inventory *inventory = &restore->contents.inventory;
	bool is_started = job->started && !*job->started;
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:o, s:s, s:s, s:b, s:b, s:b, s:o, s:o, s:o, s:b, s:o}", "archive",
			out_json_text(job->args->file), "directory", out_json_text(restore->dir),
			"made_at", inventory->made_at, "cctm", inventory->cctm, "partial",
			inventory->is_partial, "fresh", restore->is_fresh, "done", is_done,
			"changes", changes_json(restore), "ledger",
			out_json_text(restore->state_dir), "safety_backup",
			out_json_text(job->safety.path), "started", is_started, "start_failed",
			out_json_text(job->started && !is_started ? job->started : NULL)));
}

/* ---- doing it ---- */

static bool confirm(const struct restore_job *job, struct error *err)
{
	AUTO(str)
	char *question = mem_printf("Replace what is in %s?", job->restore.dir);
	return job->restore.is_fresh || job->args->is_yes || ask_yes(question, "--yes", err);
}

static bool stop(struct restore_job *job, struct error *err)
{
	const struct restore *restore = &job->restore;
	if (restore->is_fresh)
		return true;
	AUTO(str) char *state = bridge_dir(restore->now.dir, &restore->now.config);
	job->ran_before = embedded_find(state) != 0;
	return embedded_stop(state, STOP_MS, err);
}

static bool save_present(struct restore_job *job, struct error *err)
{
	struct create_request request = { .stack = &job->restore.now, .compression = PACK_ZSTD };
	if (job->restore.is_fresh || !job->args->has_safety)
		return true;
	create_want_all(&job->restore.now, request.wants);
	bool is_made = backup_create(&request, &job->safety, err);
	if (is_made && job->safety.inventory.is_partial)
		is_made = error_set(err, ERR_FAILED, "not all of what is there could be saved");
	if (is_made)
		return true;
	error_wrap(err, "nothing was restored: the backup of what is there");
	return error_hint(err, "--no-safety-backup goes without it");
}

/* As init would: secrets that the archive left out. */
static bool fill_in(const struct restore_job *job, struct error *err)
{
	AUTO(str) char *env = path_join(job->restore.dir, ENV_PATH);
	const char *const words[] = { "-q", "init", job->restore.dir, NULL };
	return access(env, F_OK) == 0 || proc_run_self(words, UP_MS, err) ||
	       error_wrap(err, "'cctm init' could not make the secrets that the archive lacks");
}

static void start(struct restore_job *job)
{
	AUTO(error) struct error err = ERROR_INIT;
	const char *const words[] = { "-q", "-C", job->restore.dir, "up", NULL };
	if (!job->args->starts || (!job->restore.is_fresh && !job->ran_before))
		return;
	bool is_up = proc_run_self(words, UP_MS, &err);
	job->started = mem_strdup(is_up ? "" : err.message);
}

static bool apply(struct restore_job *job, struct error *err)
{
	if (save_present(job, err) && restore_apply(&job->restore, err))
		return true;
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(str)
	char *state = job->restore.is_fresh
			      ? NULL
			      : bridge_dir(job->restore.now.dir, &job->restore.now.config);
	if (job->ran_before && !embedded_start(job->restore.now.dir, state, STOP_MS, &ignored))
		out_note(job->ctx->out, "the bridge could not be started again: %s",
			ignored.message);
	return false;
}

static bool change(struct restore_job *job, int *lock, struct error *err)
{
	if (*lock < 0) {
		if (!dir_make(job->restore.dir, 0755, err))
			return false;
		*lock = plan_lock(job->restore.dir, err);
	}
	if (*lock < 0 || !stop(job, err) || !apply(job, err))
		return false;
	close(TAKE_FD(*lock)); /* what is started takes it */
	if (!fill_in(job, err))
		return false;
	start(job);
	return true;
}

static int say_end(const struct restore_job *job, struct error *err)
{
	struct out *out = job->ctx->out;
	if (job->safety.path)
		out_note(out, "what was there before is in %s", job->safety.path);
	if (job->ctx->is_json)
		print_json(job, true);
	if (job->started && *job->started) {
		error_set(err, ERR_FAILED, "%s", job->started);
		error_wrap(err, "all is restored, but 'cctm up' failed");
		return error_hint(err, "mend what it says, then 'cctm up'") - 1;
	}
	out_note(out, "restored; %s",
		job->started ? "every part answers" : "'cctm up' starts the stack");
	return 0;
}

static int act(struct restore_job *job, struct error *err)
{
	AUTO(fd) int lock = -1;
	if (!open_archive(job, err) || !find_target(job, err) || !take_lock(job, &lock, err) ||
		!aim(job, err))
		return -1;
	if (!job->ctx->is_json)
		print_plan(job);
	if (job->args->is_dry_run) {
		if (job->ctx->is_json)
			print_json(job, false);
		return 0;
	}
	if (!confirm(job, err) || !change(job, &lock, err))
		return -1;
	return say_end(job, err);
}

static int restore_run(struct context *ctx, const void *raw, struct error *err)
{
	struct restore_job job = { .ctx = ctx, .args = raw };
	int status = act(&job, err);
	if (job.spool)
		unlink(job.spool);
	free(job.spool);
	free(job.archive);
	free(job.dir);
	free(job.started);
	created_clear(&job.safety);
	restore_clear(&job.restore);
	return status;
}
