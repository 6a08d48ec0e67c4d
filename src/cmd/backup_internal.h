/* Shared between the files of cctm backup: backup.c is the command, one file an action. */
#ifndef CCTM_CMD_BACKUP_INTERNAL_H
#define CCTM_CMD_BACKUP_INTERNAL_H

#include <jansson.h>

#include "backup/create.h"
#include "backup/store.h"
#include "cmd/cmd.h"
#include "loaded/loaded.h"

struct error;

struct backup_args {
	const char *action, *file, *output, *compression, *at;
	struct opt_rest included, excluded;
	bool has_secrets, is_dry_run, is_daily, is_removed;
	int64_t keep_last, keep_daily, keep_weekly, keep_monthly;
};

struct backup_job {
	struct context *ctx;
	const struct backup_args *args;
	struct loaded stack;
};

static inline struct keep_rules backup_rules(const struct backup_args *args)
{
	return (struct keep_rules){ .last = args->keep_last,
		.daily = args->keep_daily,
		.weekly = args->keep_weekly,
		.monthly = args->keep_monthly };
}

static inline bool backup_has_rules(const struct backup_args *args)
{
	return args->keep_last || args->keep_daily || args->keep_weekly || args->keep_monthly;
}

/* Each returns the exit status, or -1 with err set. */
int backup_make(struct backup_job *job, struct error *err);
int backup_list(struct backup_job *job, struct error *err);
int backup_prune(struct backup_job *job, struct error *err);
int backup_schedule(struct backup_job *job, struct error *err);
int backup_verify(struct context *ctx, const char *path, struct error *err);

/* The stack's lock, -1: error. What an interrupted command had decided is done then, and the stack read again. */
int backup_lock(struct backup_job *job, struct error *err) MUST_CHECK;

/* Deletes what the rules do not keep; what goes is listed. The caller holds the lock. */
bool backup_prune_by_rules(struct backup_job *job, json_t **goes, struct error *err) MUST_CHECK;

/* "  ledger          2 files, 1.2 MiB", a line each part that is there, notes below it; and the same as JSON. */
void backup_print_parts(struct out *out, const struct inventory *inventory);
json_t *backup_parts_json(const struct inventory *inventory);

/* "1.2 MiB"; yours. */
char *backup_size(int64_t bytes);

#endif
