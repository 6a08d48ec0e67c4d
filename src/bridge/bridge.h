/* The embedded OTLP bridge: OTLP in, exact totals kept, Prometheus exposition out, in one process and one
 * event loop. With ledger/history.h the only header of the bridge that other rooms see.
 *
 * It takes plain options, never a configuration file, and can be built and tested alone.
 */
#ifndef CCTM_BRIDGE_BRIDGE_H
#define CCTM_BRIDGE_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bridge/alerts/budget.h"
#include "core/cleanup.h"

struct error;

enum bridge_durability {
	BRIDGE_DURABILITY_OS,	/* an answer outlives the process */
	BRIDGE_DURABILITY_DISK, /* an answer outlives the power */
};

struct bridge_options {
	const char *state_dir; /* made when absent, 0700 */
	const char *bind;      /* an address: 127.0.0.1, ::1, 0.0.0.0 */
	uint16_t otlp_http_port, otlp_grpc_port, exporter_port, health_port,
		zpages_port; /* 0: a free one */
	enum bridge_durability durability;
	int64_t series_max, streams_max;
	int64_t max_body;     /* bytes, as received and inflated */
	int64_t zero_hold_ms; /* how long a new series is shown as 0; 0: not at all */
	int64_t retention_ms; /* of the ledger's history and of streams; at least three days */
	bool has_session_label;
	const char *cors_origins; /* comma-separated, or "*"; NULL: none */

	/* What is watched, and who is told. Days begin in the zone of the process (core/zone.h). Without any of these
	 * nothing is kept and no thread is made for it. */
	struct budgets budgets;
	int64_t no_data_after_ms; /* 0: silence is no alert */
	/* Programs by argument list, NULL: none. `command` reads an alert; `webhook` reads a document and delivers it,
	 * and says on standard error why it could not (see alerts/courier.h for why it is a program). */
	const char *const *command, *const *webhook;
};

/* What runs, once every door is open. Written to STATE/bridge.json while it does. */
struct bridge_running {
	pid_t pid;
	const char *state_dir;
	const char *instance; /* random; the health page says it too */
	uint16_t otlp_http_port, otlp_grpc_port, exporter_port, health_port, zpages_port;
};

/* Runs until SIGTERM or SIGINT, then finishes what was accepted, writes a checkpoint and returns true.
 * `on_ready` is called once. ERR_LOCKED when another bridge has the directory, with its pid. */
bool bridge_run(const struct bridge_options *options,
	void (*on_ready)(void *ctx, const struct bridge_running *running), void *ctx,
	struct error *err) MUST_CHECK;

#endif
