/* The parts of cctm config: showing (config_show.c), editing (config_edit.c) and the manual's list of keys
 * (config_man.c). */
#ifndef CCTM_CMD_CONFIG_INTERNAL_H
#define CCTM_CMD_CONFIG_INTERNAL_H

#include "command.h"
#include "config/stack_dir.h"

struct error;

/* What the command line asks for, with the stack it is about. */
struct config_job {
	struct context *ctx;
	struct stack_dir where;
	const char *key, *value; /* NULL: not given */
	bool is_dry_run;
};

/* Each returns the exit status, or -1 with err set. */
int config_show(const struct config_job *job, struct error *err); /* all keys, a group or one */
int config_get(const struct config_job *job, struct error *err);  /* the bare value */
int config_print_check(const struct config_job *job, struct error *err);
int config_set(const struct config_job *job, struct error *err);
int config_unset(const struct config_job *job, struct error *err);

/* The KEYS part of cctm.yaml(5). */
void config_print_man(struct context *ctx);

/* ERR_USAGE that names the nearest key. Always -1. */
int config_unknown_key(const char *path, struct error *err);

#endif
