#include "stack/probes.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/secret.h"
#include "core/text.h"
#include "http/http.h"

#define ANSWER_MAX     (8 << 20)
#define SAID_MAX       160
#define DATASOURCE_UID "prometheus_claude_metrics"
#define EXPORT_PATH    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"

/* Which probes there are, by service; the path stands behind the port's address. */
static const struct {
	enum probe_kind kind;
	enum service service; /* the Collector's stand for the bridge too */
	const char *port_key, *path, *what;
	bool needs_containers;
} rows[] = {
	{ PROBE_EXPORT, SERVICE_COLLECTOR, "ports.otlp_http", "/v1/metrics", "OTLP over HTTP",
		false },
	{ PROBE_GRPC, SERVICE_COLLECTOR, "ports.otlp_grpc", EXPORT_PATH, "OTLP over gRPC", true },
	{ PROBE_OK, SERVICE_COLLECTOR, "ports.exporter", "/metrics", "metrics for Prometheus",
		false },
	{ PROBE_OK, SERVICE_COLLECTOR, "ports.health", "/", "the receiver's health", false },
	{ PROBE_OK, SERVICE_PROMETHEUS, "ports.prometheus", "/-/ready", "Prometheus", true },
	{ PROBE_TARGETS, SERVICE_PROMETHEUS, "ports.prometheus", "/api/v1/targets?state=active",
		"Prometheus' targets", true },
	{ PROBE_GRAFANA, SERVICE_GRAFANA, "ports.grafana", "/api/health", "Grafana", true },
	{ PROBE_LOGIN, SERVICE_GRAFANA, "ports.grafana", "/api/user", "Grafana's login", true },
	{ PROBE_DATASOURCE, SERVICE_GRAFANA, "ports.grafana",
		"/api/datasources/uid/" DATASOURCE_UID "/health", "Grafana's datasource", true },
	{ PROBE_OK, SERVICE_LOKI, "ports.loki", "/ready", "Loki", true },
	{ PROBE_OK, SERVICE_ALERTMANAGER, "ports.alertmanager", "/-/ready", "Alertmanager", true },
};

/* An address for a client on this machine: what is opened on all is asked on loopback. */
static char *url_of(const struct config *config, const struct service_port *port, const char *path)
{
	const char *address = service_port_address(config, port);
	const char *scheme = port->service == SERVICE_COLLECTOR &&
					     strncmp(port->key, "ports.otlp_", 11) == 0 &&
					     !config_is_null(config, "otlp.tls_cert_file")
				     ? "https"
				     : "http";
	if (strcmp(address, "0.0.0.0") == 0)
		address = "127.0.0.1";
	if (strcmp(address, "::") == 0)
		address = "::1";
	return mem_printf(strchr(address, ':') ? "%s://[%s]:%lld%s" : "%s://%s:%lld%s", scheme,
		address, (long long)config_number(config, port->key), path);
}

static bool is_used(const struct config *config, enum runtime runtime, size_t row)
{
	const struct service_port *port = service_port_find(rows[row].port_key);
	if (runtime == RUNTIME_EMBEDDED)
		return !rows[row].needs_containers;
	return service_port_is_used(config, port) &&
	       (rows[row].service == SERVICE_COLLECTOR ||
		       service_is_used(config, rows[row].service));
}

static char *copy(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

void probes_init(struct probes *out, const struct config *config, enum runtime runtime,
	const char *grafana_password, const char *token)
{
	const size_t row_count = sizeof rows / sizeof *rows;
	bool needs_token = strcmp(config_text(config, "otlp.auth"), "bearer") == 0;
	*out = (struct probes){ .items = mem_calloc(row_count, sizeof *out->items),
		.grafana_user = mem_strdup(config_text(config, "grafana.admin_user")),
		.grafana_password = copy(grafana_password),
		.token = needs_token ? copy(token) : NULL };
	for (size_t i = 0; i < row_count; i++) {
		if (!is_used(config, runtime, i))
			continue;
		enum service service = rows[i].service == SERVICE_COLLECTOR
					       ? runtime == RUNTIME_EMBEDDED
							 ? SERVICE_BRIDGE
							 : service_receiver(config)
					       : rows[i].service;
		out->items[out->count++] = (struct probe){ .kind = rows[i].kind,
			.service = service,
			.what = rows[i].what,
			.url = url_of(config, service_port_find(rows[i].port_key), rows[i].path) };
	}
}

void probes_clear(struct probes *probes)
{
	for (size_t i = 0; i < probes->count; i++) {
		free(probes->items[i].url);
		free(probes->items[i].why);
	}
	free(probes->items);
	free(probes->grafana_user);
	secret_free(probes->grafana_password);
	secret_free(probes->token);
	*probes = (struct probes){ 0 };
}

/* ---- asking ---- */

static struct http_request request_of(const struct probes *probes, const struct probe *probe)
{
	static const unsigned char empty_grpc[5]; /* not compressed, no bytes: an empty request */
	struct http_request request = { .url = probe->url, .answer_max = ANSWER_MAX };
	if (probe->kind == PROBE_EXPORT || probe->kind == PROBE_GRPC) {
		bool is_grpc = probe->kind == PROBE_GRPC;
		request.content_type = is_grpc ? "application/grpc" : "application/json";
		request.body = is_grpc ? (const void *)empty_grpc : (const void *)"{}";
		request.body_len = is_grpc ? sizeof empty_grpc : 2;
		request.is_grpc = is_grpc && strncmp(probe->url, "https:", 6) != 0;
		request.bearer = probes->token;
	}
	if (probe->kind == PROBE_LOGIN || probe->kind == PROBE_DATASOURCE) {
		request.user = probes->grafana_user;
		request.password = probes->grafana_password;
	}
	return request;
}

/* What a part says of itself, in short. */
static char *said(const struct http_answer *answer)
{
	AUTO(str) char *line = text_first_line(buf_str(&answer->body), SAID_MAX);
	return mem_printf("it answered %ld %s", answer->status, line);
}

/* The first target that is not up: "otel-collector: connection refused"; NULL: all are. */
static char *target_down(const struct http_answer *answer)
{
	json_t *root = json_loadb(buf_str(&answer->body), answer->body.len, 0, NULL);
	const json_t *targets = json_object_get(json_object_get(root, "data"), "activeTargets");
	char *why = json_array_size(targets) ? NULL : mem_strdup("it has no targets");
	for (size_t i = 0; !why && i < json_array_size(targets); i++) {
		const json_t *target = json_array_get(targets, i);
		const char *health = json_string_value(json_object_get(target, "health"));
		const char *pool = json_string_value(json_object_get(target, "scrapePool"));
		const char *last = json_string_value(json_object_get(target, "lastError"));
		if (!health || strcmp(health, "up") != 0)
			why = mem_printf("%s is %s %s", pool ? pool : "a target",
				health ? health : "unknown", last ? last : "");
	}
	json_decref(root);
	return why;
}

static bool says(const struct http_answer *answer, const char *name, const char *value)
{
	json_t *root = json_loadb(buf_str(&answer->body), answer->body.len, 0, NULL);
	const char *text = json_string_value(json_object_get(root, name));
	bool is_so = text && strcmp(text, value) == 0;
	json_decref(root);
	return is_so;
}

/* NULL: it passed. Yours. */
static char *judge(const struct probe *probe, const struct http_answer *answer)
{
	if (answer->status != 200)
		return said(answer);
	switch (probe->kind) {
	case PROBE_TARGETS:
		return target_down(answer);
	case PROBE_GRAFANA:
		return says(answer, "database", "ok") ? NULL : said(answer);
	case PROBE_DATASOURCE:
		return says(answer, "status", "OK") ? NULL : said(answer);
	case PROBE_OK:
	case PROBE_EXPORT:
	case PROBE_GRPC:
	case PROBE_LOGIN:
		break;
	}
	return NULL;
}

void probe_ask(const struct probes *probes, struct probe *probe, int64_t deadline_ms)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	struct http_request request = request_of(probes, probe);
	request.deadline_ms = deadline_ms;
	free(probe->why);
	probe->why = NULL;
	if (!http_send(&request, &answer, &err)) {
		probe->why = mem_strdup(err.message);
		return;
	}
	probe->why = judge(probe, &answer);
	probe->is_passed = !probe->why;
	/* A password is tried once: five wrong ones lock the account out. */
	probe->is_final = probe->kind == PROBE_LOGIN && answer.status == 401;
}
