#include "stack/hops.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/secret.h"
#include "core/str.h"
#include "http/http.h"
#include "stack/probes_internal.h"
#include "stack/sample.h"

#define METRIC	   "cctm_probe"
#define QUERY	   "/api/v1/query?query=" METRIC
#define GRPC_FRAME 5

/* {service_name="cctm"} |= "cctm.probe" of the last hour, which is what Loki looks at unless told. */
#define LOKI_QUERY \
	"/loki/api/v1/query_range?query=%7Bservice_name%3D%22cctm%22%7D%7C%3D%22cctm.probe%22"

const char *const way_names[WAY_COUNT + 1] = { "http/protobuf", "http/json", "grpc", "events",
	NULL };

/* Which hops there are, in the order in which a sample meets them. */
static const struct {
	enum hop_kind kind;
	enum service service; /* the Collector's stand for the bridge too */
	const char *port_key, *path, *what;
	bool of_events, of_grpc, of_http; /* which ways have it */
} rows[] = {
	{ HOP_TAKEN, SERVICE_COLLECTOR, "ports.otlp_http", "/v1/metrics", "taken by the receiver",
		false, false, true },
	{ HOP_TAKEN, SERVICE_COLLECTOR, "ports.otlp_grpc", PROBE_EXPORT_METRICS,
		"taken by the receiver", false, true, false },
	{ HOP_TAKEN, SERVICE_COLLECTOR, "ports.otlp_http", "/v1/logs", "taken by the receiver",
		true, false, false },
	{ HOP_SHOWN, SERVICE_COLLECTOR, "ports.exporter", "/metrics", "shown for Prometheus", false,
		true, true },
	{ HOP_STORED, SERVICE_PROMETHEUS, "ports.prometheus", QUERY, "in Prometheus", false, true,
		true },
	{ HOP_STORED, SERVICE_LOKI, "ports.loki", LOKI_QUERY, "in Loki", true, false, false },
	{ HOP_SEEN, SERVICE_GRAFANA, "ports.grafana", PROBE_PROXY QUERY, "seen through Grafana",
		false, true, true },
};

static bool has_row(enum way_protocol protocol, size_t row)
{
	return protocol == WAY_EVENTS ? rows[row].of_events
	       : protocol == WAY_GRPC ? rows[row].of_grpc
				      : rows[row].of_http;
}

static bool is_used(const struct config *config, enum runtime runtime, size_t row)
{
	const struct service_port *port = service_port_find(rows[row].port_key);
	if (runtime == RUNTIME_EMBEDDED)
		return rows[row].service == SERVICE_COLLECTOR;
	return service_port_is_used(config, port) &&
	       (rows[row].service == SERVICE_COLLECTOR ||
		       service_is_used(config, rows[row].service));
}

static enum service service_of(const struct config *config, enum runtime runtime, size_t row)
{
	if (rows[row].service != SERVICE_COLLECTOR)
		return rows[row].service;
	return runtime == RUNTIME_EMBEDDED ? SERVICE_BRIDGE : service_receiver(config);
}

static void add_way(struct ways *out, const struct config *config, enum runtime runtime,
	enum way_protocol protocol)
{
	struct way *way = &out->items[out->count++];
	way->protocol = protocol;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!has_row(protocol, i) || !is_used(config, runtime, i))
			continue;
		way->hops[way->count++] = (struct hop){ .kind = rows[i].kind,
			.service = service_of(config, runtime, i),
			.what = rows[i].what,
			.url = probe_url(
				config, service_port_find(rows[i].port_key), rows[i].path) };
	}
}

static char *copy(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

void ways_init(struct ways *out, const struct config *config, enum runtime runtime,
	const char *only, const char *grafana_password, const char *token)
{
	bool needs_token = strcmp(config_text(config, "otlp.auth"), "bearer") == 0;
	*out = (struct ways){ .grafana_user = mem_strdup(config_text(config, "grafana.admin_user")),
		.grafana_password = copy(grafana_password),
		.token = needs_token ? copy(token) : NULL,
		.seconds = (double)clock_wall_ms() / 1000 };
	for (enum way_protocol i = 0; i < WAY_COUNT; i++) {
		if (!only || strcmp(only, way_names[i]) == 0)
			add_way(out, config, runtime, i);
	}
}

void ways_clear(struct ways *ways)
{
	for (size_t i = 0; i < ways->count; i++) {
		for (size_t j = 0; j < ways->items[i].count; j++) {
			free(ways->items[i].hops[j].url);
			free(ways->items[i].hops[j].why);
		}
	}
	free(ways->grafana_user);
	secret_free(ways->grafana_password);
	secret_free(ways->token);
	*ways = (struct ways){ 0 };
}

/* ---- asking ---- */

/* The length in front of a message of gRPC; one that is not compressed. */
static void frame(struct buf *message)
{
	size_t len = message->len - GRPC_FRAME;
	for (int i = 0; i < 4; i++)
		message->data[GRPC_FRAME - 1 - i] = (unsigned char)(len >> (8 * i));
}

static void make_export(const struct ways *ways, enum way_protocol protocol, struct buf *body)
{
	const struct sample sample = { .metric = "cctm.probe",
		.unit = "",
		.description = "When 'cctm probe' last sent a sample, by the protocol.",
		.protocol = way_names[protocol],
		.seconds = ways->seconds };
	switch (protocol) {
	case WAY_PROTOBUF:
		sample_protobuf(&sample, body);
		break;
	case WAY_JSON:
		sample_json(&sample, body);
		break;
	case WAY_GRPC:
		buf_add(body, "\0\0\0\0", GRPC_FRAME);
		sample_protobuf(&sample, body);
		frame(body);
		break;
	case WAY_EVENTS:
	case WAY_COUNT:
		sample_event_json(ways->seconds, body);
		break;
	}
}

static const char *content_type(enum way_protocol protocol)
{
	return protocol == WAY_PROTOBUF ? "application/x-protobuf"
	       : protocol == WAY_GRPC	? "application/grpc"
					: "application/json";
}

static bool is_in_loki(const struct ways *ways, const struct http_answer *answer)
{
	AUTO(str) char *text = mem_printf("cctm.probe %.3f", ways->seconds);
	return strstr(buf_str(&answer->body), text) != NULL;
}

static bool is_there(const struct ways *ways, const struct way *way, const struct hop *hop,
	const struct http_answer *answer)
{
	const char *protocol = way_names[way->protocol];
	switch (hop->kind) {
	case HOP_SHOWN:
		return probe_is_shown(buf_str(&answer->body), METRIC, protocol, ways->seconds);
	case HOP_STORED:
	case HOP_SEEN:
		return hop->service == SERVICE_LOKI
			       ? is_in_loki(ways, answer)
			       : probe_is_stored(answer, protocol, ways->seconds);
	case HOP_TAKEN:
		break;
	}
	return true;
}

void hop_ask(const struct ways *ways, const struct way *way, struct hop *hop, int64_t deadline_ms)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	AUTO(buf) struct buf body = BUF_INIT(BUF_UNLIMITED);
	struct http_request request = {
		.url = hop->url, .answer_max = PROBE_ANSWER_MAX, .deadline_ms = deadline_ms
	};
	free(hop->why);
	hop->why = NULL;
	if (hop->kind == HOP_TAKEN) {
		make_export(ways, way->protocol, &body);
		request.content_type = content_type(way->protocol);
		request.body = body.data;
		request.body_len = body.len;
		request.bearer = ways->token;
		request.is_grpc = way->protocol == WAY_GRPC && !str_has_prefix(hop->url, "https:");
	}
	if (hop->kind == HOP_SEEN) {
		request.user = ways->grafana_user;
		request.password = ways->grafana_password;
	}
	if (!http_send(&request, &answer, &err))
		hop->why = mem_strdup(err.message);
	else if (answer.status != 200)
		hop->why = probe_said(&answer);
	else if (request.is_grpc && answer.grpc_status != 0)
		hop->why = mem_printf("it answered gRPC status %d %s", answer.grpc_status,
			answer.grpc_message ? answer.grpc_message : "");
	else if (!is_there(ways, way, hop, &answer))
		hop->why = mem_strdup("it has not come there");
	hop->is_passed = !hop->why;
	/* What was not taken is not sent again, for it may have been; and a password is tried once. */
	hop->is_final = hop->why && (hop->kind == HOP_TAKEN || answer.status == 401);
}
