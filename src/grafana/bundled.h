/* The dashboards inside the program, as they lie under dashboards/: made from there by render/assets.cmake.
 */
#ifndef CCTM_GRAFANA_BUNDLED_H
#define CCTM_GRAFANA_BUNDLED_H

#include <stddef.h>

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

#endif
