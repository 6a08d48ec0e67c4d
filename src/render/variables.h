/* What Claude Code must find in its environment to send telemetry to a stack. */
#ifndef CCTM_RENDER_VARIABLES_H
#define CCTM_RENDER_VARIABLES_H

#include <stddef.h>

#include "config/config.h"

struct stack_variable {
	const char *name, *comment;
	char *value;
};

#define STACK_VARIABLES 6

/* Without the bearer token, which has no place in files that others may read. */
void variables_init(struct stack_variable out[STACK_VARIABLES], const struct config *config);
void variables_clear(struct stack_variable variables[STACK_VARIABLES]);

#endif
