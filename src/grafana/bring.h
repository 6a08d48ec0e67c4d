/* One of cctm's dashboards and what Grafana has of it: what it is there (as it came, edited, an older one), and bringing the
 * newer one so that edits stay.
 *
 * To merge, the text that was brought last has to be known. Grafana's history tells which it was: the message of a version
 * that cctm saved names the content, and a version that was saved as it came holds it. After a merge the version holds
 * something else, and Grafana keeps 20 versions only; so a copy of what was brought lies in a folder beside the stack.
 */
#ifndef CCTM_GRAFANA_BRING_H
#define CCTM_GRAFANA_BRING_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "core/cleanup.h"
#include "grafana/dashboard_merge.h"
#include "grafana/dashboards.h"
#include "grafana/import.h"

struct error;

struct bring_place {
	const struct grafana *grafana;
	const char *
		copies; /* the folder of the copies, made when it is needed; one for each Grafana */
};

/* state, word in JSON, what is said of it */
#define BRING_STATES(X)                                                               \
	X(BRING_ABSENT, "absent", "not there")                                        \
	X(BRING_DELETED, "deleted", "not there any more")                             \
	X(BRING_SAME, "same", "as it came")                                           \
	X(BRING_OLDER, "older", "as an older cctm brought it")                        \
	X(BRING_EDITED, "edited", "edited")                                           \
	X(BRING_EDITED_OLDER, "edited-older", "edited, and cctm has a newer one")     \
	X(BRING_UNKNOWN, "other", "another one, and not known from what it was made") \
	X(BRING_PROVISIONED, "provisioned", "provisioned from a file")

enum bring_state {

#define X(state, word, text) state,
	BRING_STATES(X)
#undef X
};

struct bring {
	enum bring_state state;
	struct grafana_dashboard there; /* model NULL: it is not */
	struct dashboard_merge merge;	/* of BRING_EDITED_OLDER */
};

const char *bring_word(enum bring_state state);
const char *bring_text(enum bring_state state);

/* Looks and changes nothing. */
bool bring_look(const struct bring_place *place, const struct import *ours, struct bring *out,
	struct error *err) MUST_CHECK;
void bring_clear(struct bring *bring);

enum bring_way {
	BRING_AS_IT_CAME, /* in the place of whatever is there */
	BRING_MERGED,	  /* BRING_EDITED_OLDER */
};

/* Saves it with a message that names the content, and keeps the copy. *version: as it is stored then. */
bool bring_save(const struct bring_place *place, const struct import *ours,
	const struct bring *bring, enum bring_way way, const char *folder_uid, int64_t *version,
	struct error *err) MUST_CHECK;

/* Keeps the copy of one that is there as it came, if it has none. */
bool bring_keep(const struct bring_place *place, const struct import *ours, struct error *err)
	MUST_CHECK;

static inline void auto_bring(struct bring *bring)
{
	bring_clear(bring);
}

#endif
