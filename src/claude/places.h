/* Where the files are that Claude Code and shells read when they start. */
#ifndef CCTM_CLAUDE_PLACES_H
#define CCTM_CLAUDE_PLACES_H

#include "claude/effective.h"
#include "claude/shell.h"
#include "core/buf.h"

#define MANAGED_SETTINGS_PATH "/etc/claude-code/managed-settings.json"

/* The settings file of a layer, for a Claude Code that works in `directory` whose environment is `variables` (as
 * environ_find takes them; NULL: our own). Yours; NULL: the layer has no file, or there is no home. */
char *place_settings(enum layer layer, const char *directory, const struct buf *variables);

/* What an interactive shell reads. Yours; NULL: there is no home, or the shell reads none. */
char *place_shell_start(enum shell shell);

/* $XDG_STATE_HOME/cctm, where it is noted what was changed outside of a stack. Yours; NULL: there is no home. */
char *place_state(void);

#endif
