/* What is wrong with a configuration: every fault with its place, so that all can be mended at once. */
#ifndef CCTM_CONFIG_PROBLEMS_H
#define CCTM_CONFIG_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/origin.h"
#include "core/error.h"

#define PROBLEMS_MAX 50 /* what comes later is not kept */

struct problem {
	struct origin where; /* its name is owned */
	char *key;	     /* NULL: of no key */
	struct error error;
};

struct problems {
	struct problem *items;
	size_t count;
};

/* Takes what is in `error` and leaves it empty. `key` may be NULL. */
void problems_add(struct problems *problems, const struct origin *where, const char *key,
	struct error *error);
void problems_clear(struct problems *problems);

/* "cctm.yaml:3:5: ports.grafana: …" Yours. */
char *problem_text(const struct problem *problem);

/* The first problem as an error; the hint says where to see the others. Always false. */
bool problems_error(const struct problems *problems, struct error *err);

static inline void auto_problems(struct problems *problems)
{
	problems_clear(problems);
}

#endif
