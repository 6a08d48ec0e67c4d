/* What can be wrong with a stack made by hand: one row a fault. Its id is a promise to programs that read
 * `cctm init --adopt --json`. What exactly was found stands in the finding. */
#ifndef CCTM_ADOPT_FAULTS_H
#define CCTM_ADOPT_FAULTS_H

#include <stdbool.h>

enum fault_mend {
	MENDED_BY_RENDER, /* the new files are right */
	MENDED_BY_USER,	  /* the user has to do or decide something */
};

/* fault, its id, who mends it, how */
#define FAULTS(X)                                                                                  \
	X(FAULT_COMPOSE_NAME, "compose-file-name", MENDED_BY_RENDER,                               \
		"it goes into the backup, for Compose would take it instead of the new "           \
		"docker-compose.yml")                                                              \
	X(FAULT_VERSION_KEY, "version-key", MENDED_BY_RENDER, "the key is left out")               \
	X(FAULT_SERVICE_MISSING, "service-missing", MENDED_BY_RENDER, "the new stack has it")      \
	X(FAULT_SERVICE_RENAMED, "service-renamed", MENDED_BY_USER,                                \
		"use the new name in files of your own; 'docker compose up -d --remove-orphans' "  \
		"removes the old container")                                                       \
	X(FAULT_CONTAINER_NAME, "fixed-container-name", MENDED_BY_RENDER,                          \
		"Compose makes the names, with the project in front")                              \
	X(FAULT_NO_HEALTH_CHECK, "no-health-check", MENDED_BY_RENDER,                              \
		"it is waited for until it is started; cctm asks its health port from outside")    \
	X(FAULT_HEALTH_CHECK, "health-check-cannot-run", MENDED_BY_RENDER,                         \
		"there is none; cctm asks its health port from outside")                           \
	X(FAULT_PORTS_OPEN, "ports-on-all-interfaces", MENDED_BY_RENDER,                           \
		"they are opened on 127.0.0.1; the key bind changes that")                         \
	X(FAULT_PORTS_MIXED, "ports-on-several-addresses", MENDED_BY_RENDER,                       \
		"all are opened on 127.0.0.1; the key bind names another address for all")         \
	X(FAULT_PORTS_NETWORK, "ports-on-network", MENDED_BY_USER,                                 \
		"it stays so, but for Prometheus, whose port is on 127.0.0.1 while "               \
		"prometheus.admin_api is true; 'cctm config unset bind' closes all, otlp.auth: "   \
		"bearer asks senders for a token")                                                 \
	X(FAULT_PORT_RANDOM, "port-not-fixed", MENDED_BY_RENDER, "it gets its usual number")       \
	X(FAULT_PORT_TWICE, "port-twice", MENDED_BY_RENDER, "the first stays")                     \
	X(FAULT_HOST_NETWORK, "host-network", MENDED_BY_RENDER,                                    \
		"it gets a network of the stack and opens its ports on 127.0.0.1")                 \
	X(FAULT_IMAGE_CORE, "core-distribution", MENDED_BY_RENDER,                                 \
		"the contrib distribution takes its place")                                        \
	X(FAULT_IMAGE_OLD, "image-too-old", MENDED_BY_RENDER, "the version that cctm knows")       \
	X(FAULT_IMAGE_UNKNOWN, "image-unknown", MENDED_BY_RENDER,                                  \
		"the image that cctm knows; set the key to have another")                          \
	X(FAULT_IMAGE_FLOATS, "image-not-pinned", MENDED_BY_USER,                                  \
		"it stays so, for the data may be of a newer version than cctm's; set the key to " \
		"the version that runs")                                                           \
	X(FAULT_WEAK_PASSWORD, "weak-password", MENDED_BY_USER,                                    \
		"Grafana keeps the password of its first start, so .env keeps it too; change "     \
		"both: "                                                                           \
		"run 'docker compose exec -T grafana grafana cli admin reset-admin-password "      \
		"--password-from-stdin', type a new one, and write it into .env")                  \
	X(FAULT_WEAK_PASSWORD_UNUSED, "weak-password-unused", MENDED_BY_RENDER,                    \
		"Grafana has not been started with it yet, so .env gets one made at random")       \
	X(FAULT_PASSWORD_IN_FILE, "password-in-file", MENDED_BY_RENDER,                            \
		"it goes into .env, which only you can read; the backup of the old file holds it " \
		"still")                                                                           \
	X(FAULT_PASSWORD_UNKNOWN, "password-unknown", MENDED_BY_USER,                              \
		"write the password that Grafana has now into .env as GRAFANA_ADMIN_PASSWORD")     \
	X(FAULT_SIGN_UP, "sign-up-open", MENDED_BY_RENDER, "signing up is off")                    \
	X(FAULT_ANONYMOUS_ROLE, "anonymous-can-edit", MENDED_BY_RENDER,                            \
		"without a login one can look and not change")                                     \
	X(FAULT_ANGULAR, "angular-plugin", MENDED_BY_RENDER, "it is left out")                     \
	X(FAULT_PLUGIN_VARIABLE, "plugin-variable-deprecated", MENDED_BY_RENDER,                   \
		"GF_PLUGINS_PREINSTALL takes its place")                                           \
	X(FAULT_DATASOURCE_UID, "datasource-uid", MENDED_BY_USER,                                  \
		"the new one is prometheus_claude_metrics; give the old one a name of its own in " \
		"config/grafana/provisioning, or let the dashboards choose the new one")           \
	X(FAULT_NO_LOGS, "no-logs-pipeline", MENDED_BY_RENDER,                                     \
		"there are pipelines for metrics, logs and traces")                                \
	X(FAULT_TOTALS, "totals-wrong", MENDED_BY_RENDER,                                          \
		"deltatocumulative adds them, and the start of each stream is a label")            \
	X(FAULT_BATCH, "batch-waits", MENDED_BY_RENDER, "a batch waits for a second at most")      \
	X(FAULT_DEBUG, "debug-detailed", MENDED_BY_RENDER,                                         \
		"the log gets one line a batch; the key collector.debug changes that")             \
	X(FAULT_CORS, "cors-any-origin", MENDED_BY_RENDER,                                         \
		"no web page may send; list those that shall in otlp.cors_origins")                \
	X(FAULT_RECEIVER_LOCAL, "receiver-on-localhost", MENDED_BY_RENDER,                         \
		"it listens on all addresses of the container")                                    \
	X(FAULT_EXPIRY, "metric-expiry", MENDED_BY_RENDER,                                         \
		"they are shown for longer than a stream is remembered")                           \
	X(FAULT_NAMESPACE, "metric-namespace", MENDED_BY_USER,                                     \
		"the names are those of the exporter without one; change own queries, or add the " \
		"namespace to the new file")                                                       \
	X(FAULT_NO_RULES, "no-rule-files", MENDED_BY_RENDER,                                       \
		"recording rules make exact totals, alerting rules watch the stack")               \
	X(FAULT_RETENTION_SHORT, "retention-short", MENDED_BY_RENDER,                              \
		"prometheus.lookback is lowered to it")                                            \
	X(FAULT_DATA_LOST, "data-not-kept", MENDED_BY_USER,                                        \
		"copy it out before the container is removed, if it is wanted: 'docker cp'")       \
	X(FAULT_WORLD_WRITABLE, "world-writable-data", MENDED_BY_USER, "")                         \
	X(FAULT_FILE_MISSING, "config-not-found", MENDED_BY_USER,                                  \
		"nothing of it is taken over; cctm's defaults stand in its place")                 \
	X(FAULT_UNSET, "variable-unset", MENDED_BY_USER, "set it in .env, or leave it so")         \
	X(FAULT_VALUE, "value-not-allowed", MENDED_BY_USER, "")

enum fault {

#define X(fault, id, mend, remedy) fault,
	FAULTS(X)
#undef X
};

struct fault_row {
	const char *id; /* "no-health-check" */
	enum fault_mend mend;
	const char *remedy; /* "" where it depends on what was found */
};

extern const struct fault_row fault_rows[]; /* by enum fault */

#endif
