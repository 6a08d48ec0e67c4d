#include "stack/docker_cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"

/* In the order of docker's own list (cli-plugins/manager); the user's folder comes before them. */
static const char *const plugin_folders[] = {
	"/usr/local/lib/docker/cli-plugins",
	"/usr/local/libexec/docker/cli-plugins",
	"/usr/lib/docker/cli-plugins",
	"/usr/libexec/docker/cli-plugins",
};

char *docker_cli_folder(void)
{
	const char *home = getenv("HOME"), *dir = getenv("DOCKER_CONFIG");
	return dir && *dir ? mem_strdup(dir) : path_join(home ? home : "/", ".docker");
}

static bool may_run(const char *folder, const char *name)
{
	AUTO(str) char *path = path_join(folder, name);
	return access(path, X_OK) == 0;
}

bool docker_cli_has_plugin(const char *name)
{
	AUTO(str) char *settings = docker_cli_folder();
	AUTO(str) char *folder = path_join(settings, "cli-plugins");
	bool is_found = may_run(folder, name);
	for (size_t i = 0; i < sizeof plugin_folders / sizeof *plugin_folders && !is_found; i++)
		is_found = may_run(plugin_folders[i], name);
	return is_found;
}

bool docker_cli_is_before(const char *version, unsigned major, unsigned minor)
{
	unsigned has_major, has_minor;
	if (sscanf(version + (*version == 'v'), "%5u.%5u", &has_major, &has_minor) != 2)
		return false;
	return has_major < major || (has_major == major && has_minor < minor);
}
