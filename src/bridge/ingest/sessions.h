/* The sessions of late: who they belong to, and whether the present journal segment defines them. A cache; it may
 * be emptied between two requests. */
#ifndef CCTM_BRIDGE_INGEST_SESSIONS_H
#define CCTM_BRIDGE_INGEST_SESSIONS_H

#include <stddef.h>
#include <stdint.h>

#include "core/slice.h"

struct sessions;

struct session {
	uint64_t hash; /* record_session_hash of its id; 0: an empty slot */
	char *text, *user, *terminal, *version; /* NULL when unknown; text never is */
	uint32_t segment;			/* journal segment that holds its definition last */
	int64_t last_ms;			/* arrival of its last request */
};

struct sessions *sessions_new(void);
void sessions_free(struct sessions *s);

struct session *sessions_find(struct sessions *s, uint64_t hash); /* NULL: not of late */

/* Finds or makes it; learns what it did not know yet (which makes its definition due again). The pointer is
 * good until the next sessions_learn or sessions_expire. */
struct session *sessions_learn(struct sessions *s, struct slice text, struct slice user,
	struct slice terminal, struct slice version);

void sessions_expire(struct sessions *s, int64_t before_ms);
size_t sessions_count(const struct sessions *s);

#endif
