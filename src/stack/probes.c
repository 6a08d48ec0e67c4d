#include "stack/probes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/secret.h"
#include "core/str.h"
#include "core/text.h"
#include "http/http.h"
#include "stack/probes_internal.h"
#include "stack/sample.h"

#define SAID_MAX 160
#define QUERY	 "/api/v1/query?query=" PROBE_METRIC

enum where { ANYWHERE, IN_CONTAINERS, OF_COLLECTOR, OF_BRIDGE };

/* Which probes there are, in the order in which a part needs another; the path stands behind the port's address. */
static const struct {
	enum probe_kind kind;
	enum service service; /* the Collector's stand for the bridge too */
	const char *port_key, *path, *what;
	enum where where;
} rows[] = {
	{ PROBE_EXPORT, SERVICE_COLLECTOR, "ports.otlp_http", "/v1/metrics", "OTLP over HTTP",
		ANYWHERE },
	{ PROBE_GRPC, SERVICE_COLLECTOR, "ports.otlp_grpc", PROBE_EXPORT_METRICS, "OTLP over gRPC",
		ANYWHERE },
	{ PROBE_OK, SERVICE_COLLECTOR, "ports.exporter", "/metrics", "metrics for Prometheus",
		ANYWHERE },
	{ PROBE_OK, SERVICE_COLLECTOR, "ports.health", "/", "the receiver's health", ANYWHERE },
	{ PROBE_OK, SERVICE_COLLECTOR, "ports.zpages", "/debug/servicez",
		"the Collector's pages about itself", OF_COLLECTOR },
	{ PROBE_OK, SERVICE_COLLECTOR, "ports.zpages", "/", "the bridge's status page", OF_BRIDGE },
	{ PROBE_SHOWN, SERVICE_COLLECTOR, "ports.exporter", "/metrics",
		"a sample, read back from the receiver", ANYWHERE },
	{ PROBE_OK, SERVICE_PROMETHEUS, "ports.prometheus", "/-/ready", "Prometheus",
		IN_CONTAINERS },
	{ PROBE_TARGETS, SERVICE_PROMETHEUS, "ports.prometheus", "/api/v1/targets?state=active",
		"Prometheus' targets", IN_CONTAINERS },
	{ PROBE_STORED, SERVICE_PROMETHEUS, "ports.prometheus", QUERY, "the sample in Prometheus",
		IN_CONTAINERS },
	{ PROBE_OK, SERVICE_LOKI, "ports.loki", "/ready", "Loki", IN_CONTAINERS },
	{ PROBE_OK, SERVICE_ALERTMANAGER, "ports.alertmanager", "/-/ready", "Alertmanager",
		IN_CONTAINERS },
	{ PROBE_GRAFANA, SERVICE_GRAFANA, "ports.grafana", "/api/health", "Grafana",
		IN_CONTAINERS },
	{ PROBE_LOGIN, SERVICE_GRAFANA, "ports.grafana", "/api/user", "Grafana's login",
		IN_CONTAINERS },
	{ PROBE_DATASOURCE, SERVICE_GRAFANA, "ports.grafana",
		"/api/datasources/uid/" PROBE_DATASOURCE_UID "/health", "Grafana's datasource",
		IN_CONTAINERS },
	{ PROBE_STORED, SERVICE_GRAFANA, "ports.grafana", PROBE_PROXY QUERY,
		"the sample in Grafana", IN_CONTAINERS },
};

char *probe_url(const struct config *config, const struct service_port *port, const char *path)
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
	bool is_embedded = runtime == RUNTIME_EMBEDDED;
	bool is_bridge = is_embedded || service_receiver(config) == SERVICE_BRIDGE;
	if ((rows[row].where == OF_COLLECTOR && is_bridge) ||
		(rows[row].where == OF_BRIDGE && !is_bridge))
		return false;
	if (is_embedded)
		return rows[row].where != IN_CONTAINERS;
	return service_port_is_used(config, port) &&
	       (rows[row].service == SERVICE_COLLECTOR ||
		       service_is_used(config, rows[row].service));
}

static bool needs_sample(enum probe_kind kind)
{
	return kind == PROBE_SHOWN || kind == PROBE_STORED;
}

static char *copy(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

void probes_init(struct probes *out, const struct config *config, enum runtime runtime,
	const char *grafana_password, const char *token, bool sends_sample)
{
	const size_t row_count = sizeof rows / sizeof *rows;
	bool needs_token = strcmp(config_text(config, "otlp.auth"), "bearer") == 0;
	*out = (struct probes){ .items = mem_calloc(row_count, sizeof *out->items),
		.grafana_user = mem_strdup(config_text(config, "grafana.admin_user")),
		.grafana_password = copy(grafana_password),
		.token = needs_token ? copy(token) : NULL,
		.sample = sends_sample ? (double)clock_wall_ms() / 1000 : 0 };
	for (size_t i = 0; i < row_count; i++) {
		if (!is_used(config, runtime, i) || (needs_sample(rows[i].kind) && !sends_sample))
			continue;
		enum service service = rows[i].service == SERVICE_COLLECTOR
					       ? runtime == RUNTIME_EMBEDDED
							 ? SERVICE_BRIDGE
							 : service_receiver(config)
					       : rows[i].service;
		out->items[out->count++] = (struct probe){ .kind = rows[i].kind,
			.service = service,
			.what = rows[i].what,
			.url = probe_url(
				config, service_port_find(rows[i].port_key), rows[i].path) };
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

static void set_export(struct http_request *request, const struct probes *probes, const char *text)
{
	request->content_type = "application/json";
	request->body = text;
	request->body_len = strlen(text);
	request->bearer = probes->token;
}

static void set_grpc(
	struct http_request *request, const struct probes *probes, const struct probe *probe)
{
	static const unsigned char empty[5]; /* not compressed, no bytes: an empty request */
	request->content_type = "application/grpc";
	request->body = empty;
	request->body_len = sizeof empty;
	request->is_grpc = strncmp(probe->url, "https:", 6) != 0;
	request->bearer = probes->token;
}

/* `text` is the export's, for as long as the request lives. */
static struct http_request request_of(
	const struct probes *probes, const struct probe *probe, const char *text)
{
	struct http_request request = { .url = probe->url, .answer_max = PROBE_ANSWER_MAX };
	bool is_login = probe->kind == PROBE_LOGIN || probe->kind == PROBE_DATASOURCE ||
			(probe->kind == PROBE_STORED && probe->service == SERVICE_GRAFANA);
	if (probe->kind == PROBE_EXPORT)
		set_export(&request, probes, text);
	if (probe->kind == PROBE_GRPC)
		set_grpc(&request, probes, probe);
	if (is_login) {
		request.user = probes->grafana_user;
		request.password = probes->grafana_password;
	}
	return request;
}

char *probe_said(const struct http_answer *answer)
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

static bool is_value(struct slice text, double value)
{
	double found;
	return str_double(text, &found) && fabs(found - value) < 0.0005;
}

/* Does `{…,protocol="grpc",…}` name it? */
static bool has_protocol(struct slice labels, const char *protocol)
{
	AUTO(str) char *wanted = mem_printf("protocol=\"%s\"", protocol);
	return memmem(labels.ptr, labels.len, wanted, strlen(wanted)) != NULL;
}

/* Lines are "name{labels} value"; labels may hold anything but a newline. */
bool probe_is_shown(const char *exposition, const char *metric, const char *protocol, double value)
{
	for (const char *line = exposition; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		size_t len = strcspn(line, "\n");
		if (!str_has_prefix(line, metric))
			continue;
		const char *labels = line + strlen(metric);
		const char *brace = memrchr(line, '}', len);
		const char *text = brace ? brace + 1 : labels;
		text += strspn(text, " ");
		struct slice inside = slice_of(labels, (size_t)(text - labels));
		if (is_value(slice_of(text, strcspn(text, " \n")), value) &&
			(!protocol || has_protocol(inside, protocol)))
			return true;
	}
	return false;
}

bool probe_is_stored(const struct http_answer *answer, const char *protocol, double value)
{
	json_t *root = json_loadb(buf_str(&answer->body), answer->body.len, 0, NULL);
	const json_t *result = json_object_get(json_object_get(root, "data"), "result");
	bool is_found = false;
	for (size_t i = 0; !is_found && i < json_array_size(result); i++) {
		const json_t *series = json_array_get(result, i);
		const char *text =
			json_string_value(json_array_get(json_object_get(series, "value"), 1));
		const char *said = json_string_value(
			json_object_get(json_object_get(series, "metric"), "protocol"));
		is_found = text && is_value(slice_of(text, strlen(text)), value) &&
			   (!protocol || (said && strcmp(said, protocol) == 0));
	}
	json_decref(root);
	return is_found;
}

/* NULL: it is there. Yours. */
static char *unless(bool is_there, const char *why)
{
	return is_there ? NULL : mem_strdup(why);
}

/* NULL: it passed. Yours. */
static char *judge(
	const struct probes *probes, const struct probe *probe, const struct http_answer *answer)
{
	if (answer->status != 200)
		return probe_said(answer);
	switch (probe->kind) {
	case PROBE_TARGETS:
		return target_down(answer);
	case PROBE_GRAFANA:
		return says(answer, "database", "ok") ? NULL : probe_said(answer);
	case PROBE_DATASOURCE:
		return says(answer, "status", "OK") ? NULL : probe_said(answer);
	case PROBE_SHOWN:
		return unless(
			probe_is_shown(buf_str(&answer->body), PROBE_METRIC, NULL, probes->sample),
			"the sample that was sent is not shown");
	case PROBE_STORED:
		return unless(probe_is_stored(answer, NULL, probes->sample),
			"the sample that was sent has not come there");
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
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	if (probes->sample > 0)
		sample_json(&(struct sample){ .metric = "stack.verified.timestamp",
				    .unit = "s",
				    .description = "When cctm last sent a sample to see that the "
						   "stack works.",
				    .seconds = probes->sample },
			&text);
	else
		buf_adds(&text, "{}");
	struct http_request request = request_of(probes, probe, buf_str(&text));
	request.deadline_ms = deadline_ms;
	free(probe->why);
	probe->why = NULL;
	if (!http_send(&request, &answer, &err)) {
		probe->why = mem_strdup(err.message);
		return;
	}
	probe->why = judge(probes, probe, &answer);
	probe->is_passed = !probe->why;
	/* A password is tried once: five wrong ones lock the account out. */
	probe->is_final = request.user && answer.status == 401;
}
