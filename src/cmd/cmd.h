/* Every command's entry, one a file: cmd_<name> is in cmd/<name>.c. */
#ifndef CCTM_CMD_CMD_H
#define CCTM_CMD_CMD_H

#include "command.h"

extern const struct command cmd_alerts;
extern const struct command cmd_backup;
extern const struct command cmd_bridge;
extern const struct command cmd_budget;
extern const struct command cmd_completion;
extern const struct command cmd_config;
extern const struct command cmd_env;
extern const struct command cmd_help;
extern const struct command cmd_doctor;
extern const struct command cmd_down;
extern const struct command cmd_init;
extern const struct command cmd_open;
extern const struct command cmd_password;
extern const struct command cmd_dashboards;
extern const struct command cmd_import_dashboard;
extern const struct command cmd_upgrade;
extern const struct command cmd_catalogue;
extern const struct command cmd_render;
extern const struct command cmd_restart;
extern const struct command cmd_logs;
extern const struct command cmd_report;
extern const struct command cmd_restore;
extern const struct command cmd_status;
extern const struct command cmd_probe;
extern const struct command cmd_up;
extern const struct command cmd_version;

struct error;

/* The row of that name (in cmd/help.c); NULL with a usage error that names the nearest one. */
const struct command *command_find(
	const struct command *const *commands, const char *name, struct error *err) MUST_CHECK;

#endif
