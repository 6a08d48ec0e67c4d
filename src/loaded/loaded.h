/* A stack that is there, as a command finds it: its directory, its settings, and where it runs. What commands that work on
 * a whole stack begin with; it reads and changes nothing.
 */
#ifndef CCTM_LOADED_LOADED_H
#define CCTM_LOADED_LOADED_H

#include <stdbool.h>

#include "config/config.h"
#include "core/cleanup.h"
#include "render/manifest.h"
#include "stack/hops.h"
#include "stack/probes.h"
#include "stack/runtime.h"

struct error;

struct loaded {
	char *dir; /* absolute */
	struct config config;
	struct manifest last; /* what init made there */
	struct runtime_choice choice;
	enum runtime runtime; /* of the choice */
};

/* `given` as -C gives it; NULL: where the stack is looked for. A directory without cctm.yaml is an error that names
 * 'cctm init'. */
bool loaded_read(const char *given, struct loaded *out, struct error *err) MUST_CHECK;

/* The probes of it, with the secrets of its .env. `sends_sample`: they write one sample into it and look for it, and do
 * not only look. */
bool loaded_probes(const struct loaded *stack, bool sends_sample, struct probes *out,
	struct error *err) MUST_CHECK;

/* The ways of a marked sample through it, with the secrets of its .env; `only` as ways_init takes it. */
bool loaded_ways(const struct loaded *stack, const char *only, struct ways *out, struct error *err)
	MUST_CHECK;

/* A secret of its .env, yours for secret_free; NULL: it has none of that name. */
bool loaded_secret(const struct loaded *stack, const char *name, char **out, struct error *err)
	MUST_CHECK;

/* From here on, days begin as its time_zone says, else as the system's. */
bool loaded_use_zone(const struct loaded *stack, struct error *err) MUST_CHECK;

void loaded_clear(struct loaded *stack);

static inline void auto_loaded(struct loaded *stack)
{
	loaded_clear(stack);
}

#endif
