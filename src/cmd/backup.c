/* cctm backup: one archive of everything that a stack would miss, written whole or not at all, and looked after.
 *
 * An archive gets its name only after it was read back. What is deleted, by prune or --keep-*, is this stack's own archives in
 * its own store, and never the newest whole one.
 */
#include <stdlib.h>
#include <string.h>

#include "backup/restore.h"
#include "cmd/backup_internal.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "render/plan.h"

static const char *const actions[] = { "create", "list", "verify", "prune", "schedule", NULL };
static const char *const compressions[] = { "zstd", "gzip", NULL };

#define KEEP_MAX 10000

static const struct opt backup_options[] = {
	OPT(struct backup_args, output, 'o', "output", "FILE",
		"create: the archive's name, '-' for standard output (default: a new one in "
		"backups/)"),
	OPT(struct backup_args, included, 0, "include", "PART",
		"create: this part only; may be repeated"),
	OPT(struct backup_args, excluded, 0, "exclude", "PART",
		"create: without this part; may be repeated"),
	OPT_NEGATABLE(struct backup_args, has_secrets, 0, "secrets", "on",
		"create, schedule: save .env and other files with secrets"),
	OPT_CHOICE(struct backup_args, compression, 0, "compression", "KIND", compressions, "zstd",
		"create: how it is compressed"),
	OPT_INT(struct backup_args, keep_last, 0, "keep-last", "N", 0, KEEP_MAX, "0",
		"create, prune, schedule: keep the newest N"),
	OPT_INT(struct backup_args, keep_daily, 0, "keep-daily", "N", 0, KEEP_MAX, "0",
		"the same: keep the newest of each of the last N days that have one"),
	OPT_INT(struct backup_args, keep_weekly, 0, "keep-weekly", "N", 0, KEEP_MAX, "0",
		"create, prune: the same of weeks"),
	OPT_INT(struct backup_args, keep_monthly, 0, "keep-monthly", "N", 0, KEEP_MAX, "0",
		"create, prune: the same of months"),
	OPT(struct backup_args, is_daily, 0, "daily", NULL,
		"schedule: once a day at 03:00 (this is the default)"),
	OPT(struct backup_args, at, 0, "at", "HH:MM", "schedule: once a day at this time"),
	OPT(struct backup_args, is_removed, 0, "remove", NULL,
		"schedule: make none by itself any more"),
	OPT(struct backup_args, is_dry_run, 'n', "dry-run", NULL,
		"create, prune: say what would be done, and do nothing"),
	OPT_END,
};

static const struct opt_argument backup_arguments[] = {
	{ .offset = offsetof(struct backup_args, action),
		.name = "ACTION",
		.is_optional = true,
		.choices = actions,
		.help = "create: write an archive (this is the default); list: those in backups/; "
			"verify: read one whole and check it; prune: delete old ones; schedule: "
			"make one every day" },
	{ .offset = offsetof(struct backup_args, file),
		.name = "FILE",
		.is_optional = true,
		.help = "the archive, for verify" },
	OPT_ARGUMENT_END,
};

static const struct example backup_examples[] = {
	{ "cctm backup", "everything, into backups/" },
	{ "cctm backup -o /mnt/cctm.tar.zst --no-secrets", "elsewhere, without passwords" },
	{ "cctm backup --keep-daily 7 --keep-weekly 4", "and delete what is older than that" },
	{ "cctm backup schedule --at 02:30", "every night" },
	{ "cctm backup -o - | ssh nas 'cat > cctm.tar.zst'", "to another machine" },
	{ "cctm backup verify backups/cctm-….tar.zst", "is it whole?" },
	{ NULL, NULL },
};

static int backup_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_backup = {
	.name = "backup",
	.group = GROUP_STACK,
	.summary = "save the stack into one archive",
	.effect = EFFECT_CHANGES,
	.args_size = sizeof(struct backup_args),
	.options = backup_options,
	.arguments = backup_arguments,
	.examples = backup_examples,
	.text = "Writes one archive (tar, compressed; mode 0600) of the stack: configuration "
		"(cctm.yaml, what was made of it, config/ and templates/), secrets (.env and files "
		"that cctm.yaml names) and the bridge's ledger with its journal, a pair that "
		"belongs together also while the bridge runs. It is written under a temporary "
		"name, read back, and only then gets its name.\n\n"
		"Of a stack in containers configuration and secrets can be saved, with --include; "
		"what Prometheus and Grafana keep cannot yet.\n\n"
		"A part that cannot be read is named and left out; the archive says that it is "
		"partial, and the exit status is 1. The archive is not encrypted: whoever reads it "
		"has the secrets, unless --no-secrets was given.\n\n"
		"prune and --keep-* delete archives of this project in backups/ alone. The newest "
		"whole one always stays; one that cannot be read is named and stays.\n\n"
		"schedule makes a backup every day, by a timer of your own systemd, else by a line "
		"in your crontab. It keeps 7 days, 4 weeks and 6 months unless --keep-* say "
		"otherwise. It runs as you, and with systemd only while you are logged in unless "
		"'loginctl enable-linger' was said.",
	.run = backup_run,
};

static bool check_words(
	const struct context *ctx, const struct backup_args *args, struct error *err)
{
	static const struct {
		const char *option, *actions;
	} belongs[] = { { "output", "create" }, { "include", "create" }, { "exclude", "create" },
		{ "secrets", "create or schedule" }, { "compression", "create" },
		{ "keep-last", "create, prune or schedule" },
		{ "keep-daily", "create, prune or schedule" },
		{ "keep-weekly", "create, prune or schedule" },
		{ "keep-monthly", "create, prune or schedule" }, { "daily", "schedule" },
		{ "at", "schedule" }, { "remove", "schedule" }, { "dry-run", "create or prune" } };

	const char *action = args->action ? args->action : "create";
	for (size_t i = 0; i < sizeof belongs / sizeof *belongs; i++) {
		if (context_is_given(ctx, backup_options, belongs[i].option) &&
			!strstr(belongs[i].actions, action))
			return error_set(err, ERR_USAGE, "--%s goes with %s", belongs[i].option,
				belongs[i].actions);
	}
	if ((args->file != NULL) != (strcmp(action, "verify") == 0))
		return error_set(err, ERR_USAGE,
			args->file ? "%s takes no file" : "%s takes the name of an archive",
			action);
	if (args->is_daily && args->at)
		return error_set(err, ERR_USAGE, "--daily and --at exclude each other");
	if (strcmp(action, "prune") == 0 && !backup_has_rules(args)) {
		error_set(err, ERR_USAGE, "prune needs to know what to keep");
		return error_hint(err, "write --keep-last, --keep-daily, --keep-weekly or "
				       "--keep-monthly");
	}
	return true;
}

static int act(struct backup_job *job, struct error *err)
{
	const char *action = job->args->action ? job->args->action : "create";
	if (strcmp(action, "list") == 0)
		return backup_list(job, err);
	if (strcmp(action, "schedule") == 0)
		return backup_schedule(job, err);
	return strcmp(action, "prune") == 0 ? backup_prune(job, err) : backup_make(job, err);
}

static int backup_run(struct context *ctx, const void *raw, struct error *err)
{
	struct backup_job job = { .ctx = ctx, .args = raw };
	int status = -1;
	if (!check_words(ctx, job.args, err))
		return -1;
	if (job.args->file)
		return backup_verify(ctx, job.args->file, err);
	if (loaded_read(ctx->dir, &job.stack, err) && loaded_use_zone(&job.stack, err))
		status = act(&job, err);
	loaded_clear(&job.stack);
	return status;
}

/* ---- shared by the actions ---- */

int backup_lock(struct backup_job *job, struct error *err)
{
	AUTO(fd) int lock = plan_lock(job->stack.dir, err);
	AUTO(str) char *dir = mem_strdup(job->stack.dir);
	if (lock < 0 || !restore_settle(&job->stack, err))
		return -1;
	loaded_clear(&job->stack);
	return loaded_read(dir, &job->stack, err) ? TAKE_FD(lock) : -1;
}

char *backup_size(int64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	double size = (double)bytes;
	size_t unit = 0;
	for (; size >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++)
		size /= 1024;
	return mem_printf(unit ? "%.1f %s" : "%.0f %s", size, units[unit]);
}

void backup_print_parts(struct out *out, const struct inventory *inventory)
{
	for (enum backup_part i = 0; i < BACKUP_PARTS; i++) {
		const struct inventory_part *part = &inventory->parts[i];
		AUTO(str) char *size = backup_size(part->bytes);
		if (part->state == BACKUP_SAVED)
			out_printf(out, "%-14s %zu file%s, %s\n", backup_part_names[i], part->files,
				part->files == 1 ? "" : "s", size);
		else if (part->state == BACKUP_FAILED)
			out_printf(out, "%-14s NOT SAVED\n", backup_part_names[i]);
		for (size_t k = 0; k < part->note_count; k++)
			out_printf(out, "%-14s %s\n", "", part->notes[k]);
	}
}

json_t *backup_parts_json(const struct inventory *inventory)
{
	static const char *const states[] = { "absent", "saved", "failed" };
	json_t *parts = json_array();
	for (enum backup_part i = 0; i < BACKUP_PARTS; i++) {
		const struct inventory_part *part = &inventory->parts[i];
		json_t *notes = json_array();
		for (size_t k = 0; k < part->note_count; k++)
			json_array_append_new(notes, out_json_text(part->notes[k]));
		json_array_append_new(parts,
			json_pack("{s:s, s:s, s:I, s:I, s:o}", "name", backup_part_names[i],
				"state", states[part->state], "files", (json_int_t)part->files,
				"bytes", (json_int_t)part->bytes, "notes", notes));
	}
	return parts;
}
