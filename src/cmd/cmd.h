/* Every command's entry, one a file: cmd_<name> is in cmd/<name>.c. Only main.c includes this. */
#ifndef CCTM_CMD_CMD_H
#define CCTM_CMD_CMD_H

#include "command.h"

extern const struct command cmd_bridge;
extern const struct command cmd_completion;
extern const struct command cmd_help;
extern const struct command cmd_report;
extern const struct command cmd_version;

#endif
