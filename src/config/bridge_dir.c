#include "config/bridge_dir.h"

#include "config/config.h"
#include "core/file.h"
#include "core/mem.h"

char *bridge_dir(const char *stack_dir, const struct config *config)
{
	AUTO(str) char *home = data_home();
	const char *base = stack_dir ? stack_dir : home;
	const char *chosen = config ? config_text(config, "data.bridge") : "";
	if (*chosen == '/')
		return mem_strdup(chosen);
	return path_join(base, *chosen == '.' ? chosen : "bridge");
}
