/* Variables that Claude Code is to find in its environment.
 */
#ifndef CCTM_CLAUDE_SETTINGS_H
#define CCTM_CLAUDE_SETTINGS_H

#include <stdbool.h>

/* A variable and what it is to be. */
struct env_setting {
	const char *name, *value;
	bool is_secret; /* its value is never shown */
	bool is_advice; /* data arrive and are right with another value too */
};

#endif
