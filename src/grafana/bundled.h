/* The dashboards inside the program, as they lie under dashboards/: made from there by render/assets.cmake.
 */
#ifndef CCTM_GRAFANA_BUNDLED_H
#define CCTM_GRAFANA_BUNDLED_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/cleanup.h"

struct bring_place;
struct error;
struct import;

struct bundled_file {
	const char *path; /* "overview.json" */
	const unsigned char *bytes;
	size_t len;
};

extern const struct bundled_file grafana_bundled[];
extern const size_t grafana_bundled_count;

/* "overview"; yours. */
char *bundled_name(const struct bundled_file *file);

/* By that name; NULL: there is none. */
const struct bundled_file *bundled_find(const char *name);

bool bundled_read(const struct bundled_file *file, struct import *out, struct error *err)
	MUST_CHECK;

/* The folder that they are put into. */
#define BUNDLED_FOLDER_UID   "claude-code"
#define BUNDLED_FOLDER_TITLE "Claude Code"

struct brought {
	size_t created, updated, merged;
	struct buf notes; /* what of edits is to be known, a line each */
};

/* All of them into Grafana: those that it has not are made; those of an older cctm are brought up to date, and edits of them
 * stay; all others are left alone, as are those that somebody deleted there. `is_look_only`: says what it would do. */
bool bundled_bring(const struct bring_place *place, bool is_look_only, struct brought *out,
	struct error *err) MUST_CHECK;
void brought_clear(struct brought *brought);

static inline void auto_brought(struct brought *brought)
{
	brought_clear(brought);
}

#endif
