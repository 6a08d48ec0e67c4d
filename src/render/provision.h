/* From a configuration to a plan: the whole of a stack's files against what is on disk. What `cctm init` does and
 * `cctm render` shows.
 */
#ifndef CCTM_RENDER_PROVISION_H
#define CCTM_RENDER_PROVISION_H

#include <stdbool.h>

#include "core/cleanup.h"
#include "render/owners.h"
#include "render/plan.h"

struct error;

struct provision_secret {
	const char *name, *value;
};

struct provision_request {
	const char *dir; /* absolute; need not be there */
	const struct config *config;
	const struct manifest *last; /* what was made there before */
	enum runtime runtime;	     /* decided */
	const char *template_dir;    /* NULL: none */
	struct plan_options options;
	/* Values that .env is to get, from a stack that is taken over; ends with a NULL name. NULL: none. */
	const struct provision_secret *secrets;
};

struct provision {
	struct stack_files files;
	struct plan plan;
	struct owner owners[SERVICE_COUNT];
};

bool provision_make(const struct provision_request *request, struct provision *out,
	struct error *err) MUST_CHECK;

/* The plan, and the directories for data. The caller holds the lock. */
bool provision_apply(const struct provision_request *request, const struct provision *provision,
	struct error *err) MUST_CHECK;

/* Directories for data that everybody may write to are closed to all but the container's user; for root only, who alone
 * can give them away. */
bool provision_close_directories(const struct provision_request *request, struct error *err)
	MUST_CHECK;

/* Is the directory under version control with git? */
bool provision_is_under_git(const char *dir);

void provision_clear(struct provision *provision);

static inline void auto_provision(struct provision *provision)
{
	provision_clear(provision);
}

#endif
