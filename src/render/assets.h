/* The templates inside the program, as they lie under templates/: made from there by assets.cmake. */
#ifndef CCTM_RENDER_ASSETS_H
#define CCTM_RENDER_ASSETS_H

#include <stddef.h>

#include "core/slice.h"

struct asset {
	const char *path; /* relative to templates/ */
	const unsigned char *bytes;
	size_t len;
};

extern const struct asset render_assets[];
extern const size_t render_assets_count;

/* NULL: there is none of that path. */
const struct asset *asset_find(const char *path);

#endif
