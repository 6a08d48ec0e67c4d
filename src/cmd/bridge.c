/* cctm bridge: runs the embedded OTLP bridge in the foreground, for a terminal, systemd or a container.
 *
 * It takes what Claude Code exports, keeps exact totals in its state directory and shows them to
 * Prometheus and to `cctm report`. It must never lose what it acknowledged, and never listens beyond this
 * machine unless told to.
 */
#include "bridge/bridge.h"

#include <arpa/inet.h>
#include <string.h>

#include "cmd/bridge_internal.h"
#include "cmd/cmd.h"
#include "core/error.h"
#include "core/file.h"
#include "core/log.h"
#include "core/out.h"
#include "core/str.h"

static const char *const durabilities[] = { "os", "disk", NULL };

#define DAY_MS INT64_C(86400000)
/* Streams are forgotten with it, and one that goes on is noted anew once a day, at a time that may be a day old. */
#define RETENTION_MIN_MS (3 * DAY_MS)
#define PORT(f, n, d, h) OPT_INT(struct bridge_args, f, 0, n, "PORT", 0, 65535, d, h)

static const struct opt bridge_options[] = {
	OPT(struct bridge_args, state, 0, "state", "DIR",
		"where journal and ledger are kept (default: bridge/ in the directory of -C when "
		"that holds a cctm.yaml, "
		"else in cctm's data directory)"),
	OPT_TEXT(struct bridge_args, bind, 0, "bind", "ADDRESS", "127.0.0.1",
		"address to listen on"),
	PORT(otlp_http_port, "otlp-http-port", "4318", "OTLP over HTTP; 0 takes a free port"),
	PORT(otlp_grpc_port, "otlp-grpc-port", "4317",
		"OTLP over gRPC; either protocol is served at either port"),
	PORT(exporter_port, "exporter-port", "8889", "Prometheus exposition at /metrics"),
	PORT(health_port, "health-port", "13133", "health as JSON"),
	PORT(zpages_port, "zpages-port", "55679", "a status page for people"),
	OPT_CHOICE(struct bridge_args, durability, 0, "durability", "WHAT", durabilities, "os",
		"what an acknowledged request outlives: os, the death of the process; disk, the "
		"loss of power"),
	OPT_INT(struct bridge_args, series_max, 0, "series-max", "NUMBER", 100, 10000000, "200000",
		"series kept apart; once there are so many, a metric's new ones are added up in "
		"one"),
	OPT_INT(struct bridge_args, streams_max, 0, "streams-max", "NUMBER", 100, 100000000,
		"1000000", "cumulative streams remembered"),
	OPT_SIZE(struct bridge_args, max_body, 0, "max-body", 1024, INT64_C(1) << 30, "64MiB",
		"largest request body, as received and inflated"),
	OPT_DURATION(struct bridge_args, zero_hold_ms, 0, "zero-hold", 0, 3600000, "15s",
		"how long a new series is shown as 0, so that increase() counts it whole; at least "
		"the scrape interval, 0 turns it off"),
	OPT(struct bridge_args, session_label, 0, "session-label", NULL,
		"give every series the label session_id"),
	OPT_DURATION(struct bridge_args, retention_ms, 0, "retention", RETENTION_MIN_MS,
		36500 * DAY_MS, "400d", "how long history is kept"),
	OPT(struct bridge_args, cors_origins, 0, "cors-origins", "ORIGINS",
		"web origins that may send, separated by commas; * for any (default: none)"),
	OPT(struct bridge_args, post_alert, 0, "post-alert", "FILE", NULL),
	OPT_END,
};

static const struct example bridge_examples[] = {
	{ "cctm bridge", "listen on 127.0.0.1 and the standard ports until Ctrl-C" },
	{ "cctm bridge --otlp-http-port 0 --json", "take free ports and print them as one line" },
	{ "cctm bridge --durability disk --state /srv/cctm",
		"survive power loss, keep data there" },
	{ "cctm bridge -C /srv/stack", "as the cctm.yaml in that directory says" },
	{ NULL, NULL },
};

static int bridge_command(struct context *ctx, const void *args, struct error *err);

const struct command cmd_bridge = {
	.name = "bridge",
	.group = GROUP_BRIDGE,
	.summary = "run the embedded OTLP bridge in the foreground",
	.effect = EFFECT_CHANGES,
	.args_size = sizeof(struct bridge_args),
	.options = bridge_options,
	.examples = bridge_examples,
	.text = "Receives OTLP over HTTP (protobuf and JSON, gzip and deflate) and over gRPC from "
		"Claude Code "
		"and keeps exact totals: every request is in the journal before it is "
		"acknowledged, a repeated one counts once, and killing the bridge at any moment "
		"loses nothing that was acknowledged.\n"
		"\n"
		"Both OTLP ports take every protocol: HTTP/1.1, HTTP/2 and gRPC. What comes to the "
		"port of the other is served, counted, and named on the status page. The state of "
		"the bridge can be asked for as grpc.health.v1 too.\n"
		"\n"
		"The totals are at /metrics of the exporter port for Prometheus, and in the ledger "
		"for cctm report, also while no bridge runs. Events become metrics too, "
		"by name and as histograms of durations (claude-code-telemetry(7)). Prompts, "
		"responses and tool inputs are never stored or logged and never become labels.\n"
		"\n"
		"With -C or CCTM_DIR, and a cctm.yaml in that directory, what is not said by an "
		"option is taken from there: bind, the ports, otlp.max_body, otlp.cors_origins, "
		"the keys of bridge and data.bridge. What the file asks for and this version "
		"cannot do to protect "
		"the ports (a token, TLS) is refused.\n"
		"\n"
		"It holds what is spent against the budgets of that file (budgets.*), by local "
		"days, "
		"weeks and months of time_zone, and notices when no data comes any more "
		"(alerts.no_data_after). At 50, 80 and 100 % of a budget it calls "
		"alerts.webhook_url_file with a document as Alertmanager sends it and runs "
		"alerts.command, once for each step; a webhook that fails is called again for an "
		"hour. The health port shows the alerts at /alerts, and POST /alerts/test sends "
		"one "
		"to try.\n"
		"\n"
		"SIGTERM or Ctrl-C ends it within five seconds: it finishes what it accepted and "
		"writes a checkpoint. Under systemd with Type=notify it says when it is ready.",
	.run = bridge_command,
};

static bool check_bind(const char *bind, struct error *err)
{
	unsigned char address[sizeof(struct in6_addr)];
	if (inet_pton(AF_INET, bind, address) == 1 || inet_pton(AF_INET6, bind, address) == 1)
		return true;
	error_set(err, ERR_USAGE, "--bind: \"%s\" is not an address", bind);
	return error_hint(err, "write for example 127.0.0.1, ::1 or 0.0.0.0");
}

/* There is no login yet, so whoever reaches these ports can send figures and read them. */
static void warn_if_open(const char *bind)
{
	bool is_local = str_has_prefix(bind, "127.") || strcmp(bind, "::1") == 0;
	if (!is_local)
		log_warning("%s is reachable from other machines, without a login; keep it "
			    "behind a firewall",
			bind);
}

static void print_text(
	struct out *out, const struct bridge_args *args, const struct bridge_running *r)
{
	bool is_v6 = strchr(args->bind, ':') != NULL;
	const char *open = is_v6 ? "[" : "", *close = is_v6 ? "]" : "";
	out_printf(out, "cctm bridge is ready (process %ld)\n", (long)r->pid);
	out_printf(
		out, "  OTLP/HTTP  http://%s%s%s:%u\n", open, args->bind, close, r->otlp_http_port);
	out_printf(
		out, "  OTLP/gRPC  http://%s%s%s:%u\n", open, args->bind, close, r->otlp_grpc_port);
	out_printf(out, "  metrics    http://%s%s%s:%u/metrics\n", open, args->bind, close,
		r->exporter_port);
	out_printf(out, "  health     http://%s%s%s:%u\n", open, args->bind, close, r->health_port);
	out_printf(out, "  status     http://%s%s%s:%u\n", open, args->bind, close, r->zpages_port);
	out_printf(out, "  state      %s\n", r->state_dir);
}

static void print_json(struct out *out, const struct bridge_running *r)
{
	out_json_line(out, 1,
		json_pack("{s:I, s:i, s:i, s:i, s:i, s:i, s:s}", "pid", (json_int_t)r->pid,
			"otlp_http_port", r->otlp_http_port, "otlp_grpc_port", r->otlp_grpc_port,
			"exporter_port", r->exporter_port, "health_port", r->health_port,
			"zpages_port", r->zpages_port, "state", r->state_dir));
}

struct ready {
	struct context *ctx;
	const struct bridge_args *args;
};

static void on_ready(void *ctx, const struct bridge_running *running)
{
	const struct ready *ready = ctx;
	if (ready->ctx->is_json)
		print_json(ready->ctx->out, running);
	else
		print_text(ready->ctx->out, ready->args, running);
	/* Whoever started the bridge through a pipe waits for this; if they are gone, it runs on. */
	AUTO(error) struct error err = ERROR_INIT;
	if (!out_flush(ready->ctx->out, &err))
		return;
}

static int run_with(struct context *ctx, const struct bridge_args *given,
	const struct bridge_file *file, struct error *err)
{
	if (!check_bind(given->bind, err))
		return -1;
	if (given->state && !*given->state) {
		error_set(err, ERR_USAGE, "--state: the directory has no name");
		return -1;
	}
	warn_if_open(given->bind);
	struct bridge_options options = {
		.state_dir = given->state ? given->state : file->state,
		.bind = given->bind,
		.otlp_http_port = (uint16_t)given->otlp_http_port,
		.otlp_grpc_port = (uint16_t)given->otlp_grpc_port,
		.exporter_port = (uint16_t)given->exporter_port,
		.health_port = (uint16_t)given->health_port,
		.zpages_port = (uint16_t)given->zpages_port,
		.durability = strcmp(given->durability, "disk") == 0 ? BRIDGE_DURABILITY_DISK
								     : BRIDGE_DURABILITY_OS,
		.series_max = given->series_max,
		.streams_max = given->streams_max,
		.max_body = given->max_body,
		.zero_hold_ms = given->zero_hold_ms,
		.retention_ms = given->retention_ms,
		.has_session_label = given->session_label,
		.cors_origins = given->cors_origins,
		.budgets = file->budgets,
		.no_data_after_ms = file->no_data_after_ms,
		.command = file->command,
		.webhook = file->webhook[0] ? file->webhook : NULL,
	};
	struct ready ready = { ctx, given };
	return bridge_run(&options, on_ready, &ready, err) ? 0 : -1;
}

static int bridge_command(struct context *ctx, const void *raw, struct error *err)
{
	struct bridge_args args = *(const struct bridge_args *)raw;
	struct bridge_file file = { 0 };
	int status = -1;
	if (args.post_alert)
		return bridge_post_alert(args.post_alert, err) ? 0 : -1;
	if (bridge_take_file(ctx, bridge_options, &args, &file, err))
		status = run_with(ctx, &args, &file, err);
	bridge_file_clear(&file);
	return status;
}
