/* The dashboards inside the program, as they lie under dashboards/: made from there by render/assets.cmake.
 */
#ifndef CCTM_GRAFANA_BUNDLED_H
#define CCTM_GRAFANA_BUNDLED_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cleanup.h"

struct bundled_file {
	const char *path; /* "overview.json" */
	const unsigned char *bytes;
	size_t len;
};

extern const struct bundled_file grafana_bundled[];
extern const size_t grafana_bundled_count;

/* "overview"; yours. */
char *bundled_name(const struct bundled_file *file);

/* The folder that they are put into. */
#define BUNDLED_FOLDER_UID   "claude-code"
#define BUNDLED_FOLDER_TITLE "Claude Code"

struct grafana;
struct error;

/* Puts those into Grafana that it has not; one that is there, edited or not, is left alone. *created: how many. */
bool bundled_import_missing(const struct grafana *grafana, size_t *created, struct error *err)
	MUST_CHECK;

/* By that name; NULL: there is none. */
const struct bundled_file *bundled_find(const char *name);

#endif
