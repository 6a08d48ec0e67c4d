/* The options of cctm bridge, and how cctm.yaml fills those that the command line left open. */
#ifndef CCTM_CMD_BRIDGE_INTERNAL_H
#define CCTM_CMD_BRIDGE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/bridge.h"
#include "command.h"
#include "config/config.h"
#include "core/cleanup.h"

struct error;

struct bridge_args {
	const char *state;
	const char *bind;
	int64_t otlp_http_port, otlp_grpc_port, exporter_port, health_port, zpages_port;
	const char *durability;
	int64_t series_max, streams_max;
	int64_t max_body;
	int64_t zero_hold_ms;
	int64_t retention_ms;
	bool session_label;
	const char *cors_origins;
	const char *post_alert; /* see bridge_webhook.c; NULL: run a bridge */
};

/* What args borrow from when they were filled from a file. */
struct bridge_file {
	struct config config;
	char *cors_origins;
	char *state; /* the directory, when no option names one */

	struct budgets budgets;
	int64_t no_data_after_ms;
	const char **command; /* argument list, NULL: none; its words are the config's */
	const char *webhook[4];
	char *command_path, *program, *post_alert; /* words of them */
};

/* Fills what `options` were not given from the cctm.yaml in ctx->dir (-C or CCTM_DIR); nothing happens when
 * no directory was named or it holds none. ERR_REFUSED when the file asks for protection of the ports that
 * this version cannot give. */
bool bridge_take_file(const struct context *ctx, const struct opt *options,
	struct bridge_args *args, struct bridge_file *file, struct error *err) MUST_CHECK;
void bridge_file_clear(struct bridge_file *file);

/* bridge_alerts.c: what is watched and who is told. */
bool bridge_take_alerts(struct bridge_file *file, const char *dir, struct error *err) MUST_CHECK;
/* Is history kept as long as that needs? */
bool bridge_check_kept(const struct bridge_args *args, const struct bridge_file *file,
	struct error *err) MUST_CHECK;

/* bridge_webhook.c: posts standard input to the address in the file. */
bool bridge_post_alert(const char *path, struct error *err) MUST_CHECK;
/* Warns when it could not. */
void bridge_check_webhook(const char *path);

#endif
