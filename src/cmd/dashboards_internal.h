/* Shared between the files of cctm dashboards: dashboards.c is the command and what concerns one, dashboards_list.c the list,
 * dashboards_lint.c what is wrong with one. */
#ifndef CCTM_CMD_DASHBOARDS_INTERNAL_H
#define CCTM_CMD_DASHBOARDS_INTERNAL_H

#include "cmd/cmd.h"

struct dashboards_args {
	const char *action, *output;
	struct opt_rest names;
	bool is_yes, is_strict;
};

/* The exit status, or -1 with err set. */
int dashboards_list(struct context *ctx, struct error *err);
int dashboards_lint(struct context *ctx, const struct dashboards_args *args, struct error *err);

#endif
