/* The Collector's configuration. A component is named "type" or "type/name". */
#include <stdlib.h>
#include <string.h>

#include "adopt/adopt_internal.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

#define BATCH_MAX_MS 1000
#define EXPIRATION_MIN_MS \
	(61 * 60 * 1000) /* the delta processor's memory of an hour, and its sweep */

static bool is_type(const char *id, const char *type)
{
	size_t len = strlen(type);
	return strncmp(id, type, len) == 0 && (!id[len] || id[len] == '/');
}

/* ---- pipelines ---- */

/* The node of the first item of that type in a pipeline's list. */
static const struct node *item_of(const struct source *source, const struct node *pipeline,
	const char *list_name, const char *type)
{
	const struct node *list = node_list(source, pipeline, list_name);
	for (size_t i = 0; list && i < list->count; i++) {
		const struct node *item = list->children[i];
		if (item->kind == NODE_SCALAR && is_type(item->text, type))
			return item;
	}
	return NULL;
}

static const struct node *pipelines_of(const struct source *source)
{
	const struct node *service = node_map(source, source->tree.root, "service");
	return node_map(source, service, "pipelines");
}

/* The first pipeline of a signal that takes OTLP. */
static const struct node *pipeline_of(const struct source *source, const char *signal)
{
	const struct node *pipelines = pipelines_of(source);
	for (size_t i = 0; pipelines && i + 1 < pipelines->count; i += 2) {
		const char *id = pipelines->children[i]->text;
		const struct node *pipeline = node_map(source, pipelines, id);
		if (is_type(id, signal) && item_of(source, pipeline, "receivers", "otlp"))
			return pipeline;
	}
	return NULL;
}

/* The configuration of the component of that type which a pipeline uses; NULL: none, or nothing is configured.
 * *item is where the pipeline names it. */
static const struct node *used(const struct source *source, const struct node *pipeline,
	const char *section, const char *type, const struct node **item)
{
	*item = item_of(source, pipeline, section, type);
	if (!*item)
		return NULL;
	return node_map(source, node_map(source, source->tree.root, section), (*item)->text);
}

static void check_pipelines(const struct source *source, const struct node *metrics)
{
	const struct node *pipelines = pipelines_of(source);
	if (!pipeline_of(source, "logs"))
		add_fault(source, pipelines, FAULT_NO_LOGS,
			"there is no pipeline for logs, so Claude Code's events are answered 404 "
			"and "
			"lost");
	bool adds = item_of(source, metrics, "processors", "deltatocumulative");
	bool labels = item_of(source, metrics, "processors", "transform");
	if (!adds)
		add_fault(source, metrics ? metrics : pipelines, FAULT_TOTALS,
			"nothing adds up the deltas that Claude Code sends: the exporter shows the "
			"last one instead of their sum, so cost and tokens come out too low");
	else if (!labels)
		add_fault(source, metrics, FAULT_TOTALS,
			"streams have no label with their start: one that is forgotten and comes "
			"back looks like a counter that was reset");
}

/* ---- receiver ---- */

static bool is_local(const char *endpoint)
{
	return str_has_prefix(endpoint, "localhost:") || str_has_prefix(endpoint, "127.") ||
	       str_has_prefix(endpoint, "[::1]:");
}

static void read_endpoint(const struct source *source, const struct node *parent, const char *key)
{
	const struct node *endpoint = node_text(source, parent, "endpoint");
	if (!endpoint)
		return;
	set_container_port(source, endpoint, key);
	if (is_local(endpoint->text))
		add_fault(source, endpoint, FAULT_RECEIVER_LOCAL,
			"it listens on %.80s of its container, where nothing from outside arrives",
			endpoint->text);
}

static void read_cors(const struct source *source, const struct node *http)
{
	const struct node *cors = node_map(source, http, "cors");
	const struct node *origins = node_list(source, cors, "allowed_origins");
	char *items[64];
	size_t count = 0;
	for (size_t i = 0; origins && i < origins->count; i++) {
		const struct node *item = origins->children[i];
		if (node_says(item, "*"))
			add_fault(source, item, FAULT_CORS,
				"every web page that is open in a browser on this machine may send "
				"data here");
		else if (item->kind == NODE_SCALAR && count < sizeof items / sizeof *items)
			items[count++] = item->text;
		else
			source_fail(source, item, "this is no list of origins");
	}
	add_list_setting(source, origins, "otlp.cors_origins", items, count);
}

/* "${env:NAME}" and "${NAME}" are variables of the container. NULL: the token cannot be read. Yours. */
static char *token_text(const struct source *source, const char *text)
{
	struct reader *reader = source->reader;
	const struct node *ignored;
	if (!strchr(text, '$'))
		return mem_strdup(text);
	size_t len = strlen(text), skip = str_has_prefix(text, "${env:") ? 6 : 2;
	if (text[0] != '$' || text[1] != '{' || len <= skip || text[len - 1] != '}')
		return NULL;
	AUTO(str) char *name = mem_strndup(text + skip, len - skip - 1);
	return environment_value(reader, &reader->parts[SERVICE_COLLECTOR], name, &ignored);
}

/* A stack that asked its senders for something is not opened. */
static void read_auth(const struct source *source, const struct node *protocol)
{
	const struct node *auth = node_map(source, protocol, "auth");
	const struct node *by = node_text(source, auth, "authenticator");
	if (!by || find_setting(source->reader, "otlp.auth"))
		return;
	const struct node *extensions = node_map(source, source->tree.root, "extensions");
	const struct node *extension = node_map(source, extensions, by->text);
	const struct node *token =
		is_type(by->text, "bearertokenauth") ? node_text(source, extension, "token") : NULL;
	AUTO(str) char *text = token ? token_text(source, token->text) : NULL;
	add_setting(source, by, "otlp.auth", "bearer");
	if (text && *text) {
		add_secret(source, token, "OTLP_BEARER_TOKEN", text, false);
		return;
	}
	add_fault(source, by, FAULT_VALUE,
		"senders have to log in by %.80s, which cannot be taken over", by->text);
	set_remedy(source->reader, "the new stack asks for a bearer token; put yours into .env as "
				   "OTLP_BEARER_TOKEN, or "
				   "give the new one to the senders");
}

static void read_protocol(
	const struct source *source, const struct node *protocol, const char *port_key)
{
	static const char *const known[] = { "endpoint", "cors", "auth", "tls", NULL };
	const struct others others = {
		.known = known, .owner = "the otlp receiver", .advice = advice_edit
	};
	read_endpoint(source, protocol, port_key);
	read_auth(source, protocol);
	list_others(source, protocol, &others);
	const struct node *tls = node_map(source, protocol, "tls");
	if (!tls)
		return;
	add_fault(source, tls, FAULT_VALUE, "the receiver uses TLS with files of its own");
	set_remedy(source->reader,
		"name them in otlp.tls_cert_file and otlp.tls_key_file; until then it is without");
}

static void read_receiver(const struct source *source, const struct node *metrics)
{
	const struct node *item;
	const struct node *otlp = used(source, metrics, "receivers", "otlp", &item);
	const struct node *protocols = node_map(source, otlp, "protocols");
	const struct node *http = node_map(source, protocols, "http");
	read_protocol(source, node_map(source, protocols, "grpc"), "ports.otlp_grpc");
	read_protocol(source, http, "ports.otlp_http");
	read_cors(source, http);
}

/* ---- processors and exporters ---- */

/* -1: it cannot be read. */
static int64_t duration_ms(const struct node *node)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	int64_t ms;
	return str_parse_duration(node->text, &ms, &ignored) ? ms : -1;
}

static void read_batch(const struct source *source, const struct node *metrics)
{
	const struct node *item;
	const struct node *batch = used(source, metrics, "processors", "batch", &item);
	const struct node *timeout = node_text(source, batch, "timeout");
	const struct node *size = node_text(source, batch, "send_batch_size");
	static const char *const known[] = { "timeout", "send_batch_size", NULL };
	const struct others others = {
		.known = known, .owner = "the batch processor", .advice = advice_edit
	};
	list_others(source, batch, &others);
	if (timeout && duration_ms(timeout) > BATCH_MAX_MS)
		add_fault(source, timeout, FAULT_BATCH,
			"a batch waits for %.40s: what was taken and acknowledged in that time is "
			"lost when the Collector dies",
			timeout->text);
	else if (timeout)
		add_setting(source, timeout, "collector.batch_timeout", timeout->text);
	if (size)
		add_setting(source, size, "collector.batch_size", size->text);
}

static void list_exporter_keys(
	const struct source *source, const struct node *exporter, const struct node *labels)
{
	static const char *const known[] = { "endpoint", "namespace", "const_labels",
		"metric_expiration", "resource_to_telemetry_conversion", "without_scope_info",
		"send_timestamps", "enable_open_metrics", NULL };
	static const char *const known_labels[] = { "source", NULL };
	const struct others keys = {
		.known = known, .owner = "the prometheus exporter", .advice = advice_edit
	};
	const struct others constants = {
		.known = known_labels, .prefix = "constant label ", .advice = advice_edit
	};
	list_others(source, exporter, &keys);
	list_others(source, labels, &constants);
}

static void read_exporter(const struct source *source, const struct node *metrics)
{
	const struct node *item;
	const struct node *exporter = used(source, metrics, "exporters", "prometheus", &item);
	if (!item)
		return;
	read_endpoint(source, exporter, "ports.exporter");
	const struct node *expiry = node_text(source, exporter, "metric_expiration");
	const struct node *namespace = node_text(source, exporter, "namespace");
	const struct node *labels = node_map(source, exporter, "const_labels");
	if (!expiry || duration_ms(expiry) < EXPIRATION_MIN_MS)
		add_fault(source,
			expiry	   ? expiry
			: exporter ? exporter
				   : item,
			FAULT_EXPIRY,
			"a series that is not updated for %.40s is gone, and when its session goes "
			"on it is counted anew",
			expiry ? expiry->text : "5 minutes");
	else
		add_setting(source, expiry, "collector.expiration", expiry->text);
	if (namespace && *namespace->text)
		add_fault(source, namespace, FAULT_NAMESPACE,
			"all metrics have %.80s_ in front of their names, which own dashboards "
			"reckon with",
			namespace->text);
	list_exporter_keys(source, exporter, labels);
}

static void read_remote_write(const struct source *source, const struct node *metrics)
{
	const struct node *item, *ignored;
	const struct node *exporter =
		used(source, metrics, "exporters", "prometheusremotewrite", &item);
	const struct node *endpoint = node_text(source, exporter, "endpoint");
	const char *prometheus = source->reader->parts[SERVICE_PROMETHEUS].name;
	used(source, metrics, "exporters", "prometheus", &ignored);
	if (!item)
		return;
	AUTO(str) char *host = mem_printf("://%s:", prometheus ? prometheus : "");
	if (!ignored && prometheus && endpoint && strstr(endpoint->text, host))
		add_setting(source, item, "collector.export", "remote_write");
	else
		add_kept(source, item, advice_edit, "exporter %s", item->text);
}

static void read_debug(const struct source *source, const struct node *metrics)
{
	static const char *const types[] = { "debug", "logging" };
	const struct node *item = NULL, *exporter = NULL;
	for (size_t i = 0; !item && i < sizeof types / sizeof *types; i++)
		exporter = used(source, metrics, "exporters", types[i], &item);
	const struct node *verbosity = node_text(source, exporter, "verbosity");
	const struct node *level = node_text(source, exporter, "loglevel");
	if (node_says(verbosity, "detailed") || node_says(level, "debug"))
		add_fault(source, verbosity ? verbosity : level, FAULT_DEBUG,
			"everything that is received goes to the log in full, e-mail addresses and "
			"account ids too, and fills the disk");
	else if (metrics && !item)
		add_setting(source, node_any(metrics, "exporters"), "collector.debug", "off");
}

/* ---- what the templates do not have ---- */

static const struct {
	const char *section, *title;
	const char *types[6];
} sections[] = {
	{ "receivers", "receiver", { "otlp" } },
	{ "processors", "processor", { "batch", "memory_limiter", "deltatocumulative" } },
	{ "exporters", "exporter",
		{ "prometheus", "debug", "logging", "nop", "prometheusremotewrite" } },
	{ "extensions", "extension", { "health_check", "zpages", "bearertokenauth" } },
	{ "connectors", "connector", { NULL } },
};

/* Of types that somebody may use for something else. */
static const char *const own_ids[] = { "transform/start", "transform/events", "transform/counted",
	"forward/events", "signaltometrics/events" };

static bool is_ours(size_t row, const char *id)
{
	for (size_t i = 0; i < 6 && sections[row].types[i]; i++) {
		if (is_type(id, sections[row].types[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof own_ids / sizeof *own_ids; i++) {
		if (strcmp(id, own_ids[i]) == 0)
			return true;
	}
	return false;
}

static void list_components(const struct source *source)
{
	for (size_t row = 0; row < sizeof sections / sizeof *sections; row++) {
		const struct node *map = node_map(source, source->tree.root, sections[row].section);
		for (size_t i = 0; map && i + 1 < map->count; i += 2) {
			const struct node *key = map->children[i];
			if (!is_ours(row, key->text))
				add_kept(source, key, advice_edit, "%s %s", sections[row].title,
					key->text);
		}
	}
}

static void read_extensions(const struct source *source)
{
	const struct node *extensions = node_map(source, source->tree.root, "extensions");
	for (size_t i = 0; extensions && i + 1 < extensions->count; i += 2) {
		const char *id = extensions->children[i]->text;
		const char *key = is_type(id, "health_check") ? "ports.health"
				  : is_type(id, "zpages")     ? "ports.zpages"
							      : NULL;
		if (key)
			read_endpoint(source, node_map(source, extensions, id), key);
	}
}

/* Where the image looks when it is told nothing. */
static const char *usual_path(const struct part *part)
{
	const struct node *image = node_any(part->node, "image");
	bool is_contrib =
		image && image->kind == NODE_SCALAR && strstr(image->text, "collector-contrib");
	return is_contrib ? "/etc/otelcol-contrib/config.yaml" : "/etc/otelcol/config.yaml";
}

static void list_further_configs(const struct source *source, const struct part *part)
{
	size_t count = 0;
	for (size_t i = 0; i < part->word_count; i++) {
		if (!str_has_prefix(part->words[i], "--config") || count++ == 0)
			continue;
		add_kept(source, part->word_nodes[i], advice_edit,
			"a second configuration of the Collector; the last one was read");
	}
}

void collector_read(struct reader *reader)
{
	struct part *part = &reader->parts[SERVICE_COLLECTOR];
	const struct node *ignored;
	struct source source = { 0 };
	if (!part->name)
		return;
	const char *path = command_flag(part, "--config", &ignored);
	if (path && str_has_prefix(path, "file:"))
		path += strlen("file:");
	list_further_configs(&reader->compose, part);
	if (mount_read(reader, part, path ? path : usual_path(part), &source)) {
		const struct node *metrics = pipeline_of(&source, "metrics");
		check_pipelines(&source, metrics);
		read_receiver(&source, metrics);
		read_extensions(&source);
		read_batch(&source, metrics);
		read_exporter(&source, metrics);
		read_remote_write(&source, metrics);
		read_debug(&source, metrics);
		list_components(&source);
	}
	source_clear(&source);
}
