#include "claude/places.h"

#include <stdlib.h>

#include "claude/processes.h"
#include "core/file.h"
#include "core/mem.h"

static const char *variable(const struct buf *variables, const char *name)
{
	const char *value = variables ? environ_find(variables, name) : getenv(name);
	return value && *value ? value : NULL;
}

static char *below_home(const struct buf *variables, const char *path)
{
	const char *home = variable(variables, "HOME");
	return home ? path_join(home, path) : NULL;
}

char *place_settings(enum layer layer, const char *directory, const struct buf *variables)
{
	const char *folder = variable(variables, "CLAUDE_CONFIG_DIR");
	switch (layer) {
	case LAYER_MANAGED:
		return mem_strdup(MANAGED_SETTINGS_PATH);
	case LAYER_LOCAL:
		return directory ? path_join(directory, ".claude/settings.local.json") : NULL;
	case LAYER_PROJECT:
		return directory ? path_join(directory, ".claude/settings.json") : NULL;
	case LAYER_USER:
		return folder ? path_join(folder, "settings.json")
			      : below_home(variables, ".claude/settings.json");
	case LAYER_COMMAND_LINE:
	case LAYER_SHELL:
	case LAYER_COUNT:
		break;
	}
	return NULL;
}

/* In a folder that a variable names, or else in its usual place below the home directory. */
static char *in_folder(const char *name, const char *in_it, const char *otherwise)
{
	const char *folder = variable(NULL, name);
	return folder ? path_join(folder, in_it) : below_home(NULL, otherwise);
}

char *place_shell_start(enum shell shell)
{
	switch (shell) {
	case SHELL_BASH:
		return below_home(NULL, ".bashrc");
	case SHELL_ZSH:
		return in_folder("ZDOTDIR", ".zshrc", ".zshrc");
	case SHELL_FISH:
		return in_folder("XDG_CONFIG_HOME", "fish/config.fish", ".config/fish/config.fish");
	case SHELL_POWERSHELL:
		return in_folder("XDG_CONFIG_HOME", "powershell/profile.ps1",
			".config/powershell/profile.ps1");
	case SHELL_DOTENV:
	case SHELL_COUNT:
		break;
	}
	return NULL;
}

char *place_state(void)
{
	return in_folder("XDG_STATE_HOME", "cctm", ".local/state/cctm");
}
