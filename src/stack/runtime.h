/* Where a stack runs: in containers or as one process, and why. */
#ifndef CCTM_STACK_RUNTIME_H
#define CCTM_STACK_RUNTIME_H

#include "config/services.h"
#include "core/cleanup.h"

struct runtime_choice {
	enum runtime runtime;
	char *why;  /* "docker 24.0.5 answers", "cctm.yaml says so" */
	char *hint; /* NULL: none */
};

/* As the configuration says; where it says auto, as `last` was decided, and the first time by whether an engine answers
 * that can run it. */
void runtime_choose(const struct config *config, enum runtime last, struct runtime_choice *out);
void runtime_choice_clear(struct runtime_choice *choice);

const char *runtime_name(enum runtime runtime);

static inline void auto_runtime_choice(struct runtime_choice *choice)
{
	runtime_choice_clear(choice);
}

#endif
