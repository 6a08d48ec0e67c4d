#include "grafana/bundled.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

char *bundled_name(const struct bundled_file *file)
{
	return mem_strndup(file->path, strcspn(file->path, "."));
}

const struct bundled_file *bundled_find(const char *name)
{
	for (size_t i = 0; i < grafana_bundled_count; i++) {
		AUTO(str) char *its_name = bundled_name(&grafana_bundled[i]);
		if (strcmp(its_name, name) == 0)
			return &grafana_bundled[i];
	}
	return NULL;
}
