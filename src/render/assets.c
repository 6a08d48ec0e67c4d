#include "render/assets.h"

#include <string.h>

const struct asset *asset_find(const char *path)
{
	for (size_t i = 0; i < render_assets_count; i++) {
		if (strcmp(render_assets[i].path, path) == 0)
			return &render_assets[i];
	}
	return NULL;
}
