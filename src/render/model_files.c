/* The files under config/: the Collector, Prometheus and its rules, Loki, Alertmanager, the proxy. */
#include <string.h>

#include "claude/catalogue.h"
#include "core/buf.h"
#include "core/mem.h"
#include "core/str.h"
#include "render/model_internal.h"

#define MIB (INT64_C(1024) * 1024)
#define UNLIMITED_RECEIVER \
	(512 * MIB) /* what memory alerts and the limiter go by without a limit */
#define UNLIMITED_PROMETHEUS (4096 * MIB)
#define SCRAPE_TIMEOUT_MS    5000

static int64_t memory_limit(const struct config *config, const char *key, int64_t otherwise)
{
	return config_is_null(config, key) ? otherwise : config_number(config, key);
}

static int64_t scrape_timeout_ms(const struct config *config)
{
	int64_t interval = config_number(config, "prometheus.scrape_interval");
	return interval < SCRAPE_TIMEOUT_MS ? interval : SCRAPE_TIMEOUT_MS;
}

static void set_go_duration(
	struct data *root, const char *name, const struct config *config, const char *key)
{
	data_set(root, name, model_take(model_go_duration(config_number(config, key))));
}

static void add_debug(struct data *root, const struct config *config)
{
	const char *debug = config_text(config, "collector.debug");
	data_set(root, "debug", data_text(strcmp(debug, "off") == 0 ? "" : debug));
	data_set(root, "is_detailed", data_bool(strcmp(debug, "detailed") == 0));
}

/* The attributes of events that become labels; the Collector's configuration names each. */
static void add_event_labels(struct data *root)
{
	struct data *owners = data_list(), *others = data_list();
	for (size_t i = 0; i < catalogue_count; i++) {
		const struct catalogue_row *row = &catalogue[i];
		if (row->kind != CATALOGUE_ATTRIBUTE || row->label == EVENT_LABEL_NONE)
			continue;
		struct data *item = data_map();
		data_set(item, "key", data_text(row->name));
		data_set(item, "is_word", data_bool(row->label == EVENT_LABEL_WORD));
		data_append(row->label == EVENT_LABEL_OWNER ? owners : others, item);
	}
	data_set(root, "owner_labels", owners);
	data_set(root, "event_labels", others);
}

void model_add_collector(struct data *root, const struct config *config)
{
	int64_t max_body = config_number(config, "otlp.max_body");
	int64_t memory = memory_limit(config, "limits.collector.memory", UNLIMITED_RECEIVER);
	data_set(root, "max_body", data_int(max_body));
	data_set(root, "max_body_mib", data_int((max_body + MIB - 1) / MIB));
	/* Soft and hard limit lie below the container's, so that it refuses before it is killed. */
	data_set(root, "memory_limit_mib", data_int(memory * 8 / 10 / MIB));
	data_set(root, "has_cors",
		data_bool(config_setting(config, "otlp.cors_origins")->value.count > 0));
	data_set(root, "cors_origins", model_list(config, "otlp.cors_origins"));
	data_set(root, "has_tls", data_bool(!config_is_null(config, "otlp.tls_cert_file")));
	data_set(root, "has_client_ca",
		data_bool(!config_is_null(config, "otlp.tls_client_ca_file")));
	data_set(root, "token_file",
		data_text(
			config_is_null(config, "otlp.token_file") ? "" : "/run/cctm/otlp-tokens"));
	set_go_duration(root, "max_stale", config, "collector.max_stale");
	set_go_duration(root, "expiration", config, "collector.expiration");
	set_go_duration(root, "batch_timeout", config, "collector.batch_timeout");
	data_set(root, "batch_size", data_int(config_number(config, "collector.batch_size")));
	add_debug(root, config);
	add_event_labels(root);
}

void model_add_prometheus(struct data *root, const struct config *config)
{
	bool is_scraped = service_receiver(config) == SERVICE_BRIDGE ||
			  model_says(config, "collector.export", "scrape");
	int64_t interval = config_number(config, "prometheus.scrape_interval");
	data_set(root, "is_scraped", data_bool(is_scraped));
	data_set(root, "is_pushed", data_bool(!is_scraped));
	data_set(root, "scrape_interval", model_take(str_duration(interval)));
	data_set(root, "scrape_timeout", model_take(str_duration(scrape_timeout_ms(config))));
	data_set(root, "has_remote_write",
		data_bool(config_setting(config, "prometheus.remote_write")->value.count > 0));
	data_set(root, "remote_write", model_list(config, "prometheus.remote_write"));
}

/* ---- rules ---- */

struct data *model_decimal(int64_t thousandths)
{
	return model_take(mem_printf(
		"%lld.%03lld", (long long)(thousandths / 1000), (long long)(thousandths % 1000)));
}

void model_add_rules(struct data *root, const struct config *config)
{
	bool is_bridge = service_receiver(config) == SERVICE_BRIDGE;
	bool is_scraped = is_bridge || model_says(config, "collector.export", "scrape");
	const char *receiver_limit = is_bridge ? "limits.bridge.memory" : "limits.collector.memory";
	int64_t prometheus_memory =
		memory_limit(config, "limits.prometheus.memory", UNLIMITED_PROMETHEUS);
	data_set(root, "receiver_job",
		data_text(is_bridge    ? "bridge"
			  : is_scraped ? "otel-collector"
				       : "otel-collector-internal"));
	data_set(root, "scrape_slow_s", model_decimal(scrape_timeout_ms(config) * 8 / 10));
	data_set(root, "retention_bytes",
		config_is_null(config, "prometheus.retention_size")
			? data_text("")
			: data_int(config_number(config, "prometheus.retention_size")));
	data_set(root, "prometheus_memory_bytes", data_int(prometheus_memory / 100 * 85));
	data_set(root, "receiver_memory_bytes",
		data_int(memory_limit(config, receiver_limit, UNLIMITED_RECEIVER) / 100 * 75));
	data_set(root, "series_max", data_int(config_number(config, "bridge.series_max")));
}

/* ---- Loki, Alertmanager, the proxy ---- */

/* Alertmanager expands Go templates in addresses: a "{{" is written as a template that yields one. */
static char *without_templates(const char *text)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	for (const char *at = text; *at;) {
		const char *open = strstr(at, "{{");
		if (!open) {
			buf_adds(&out, at);
			break;
		}
		buf_add(&out, at, (size_t)(open - at));
		buf_adds(&out, "{{\"{{\"}}");
		at = open + 2;
	}
	return buf_detach(&out);
}

static void add_email(struct data *root, const struct config *config)
{
	const struct value *to = &config_setting(config, "alerts.email_to")->value;
	bool has_host = !config_is_null(config, "alerts.smtp_host");
	struct data *list = data_list();
	for (size_t i = 0; i < to->count; i++)
		data_append(list, model_take(without_templates(to->items[i])));
	data_set(root, "has_email", data_bool(has_host && to->count));
	data_set(root, "email_to", list);
	data_set(root, "smtp_host", data_text(config_text(config, "alerts.smtp_host")));
	data_set(root, "email_from",
		model_take(without_templates(config_text(config, "alerts.email_from"))));
}

void model_add_others(struct data *root, const struct config *config)
{
	const char *host = config_text(config, "proxy.host");
	/* Loki keeps whole days, and at least one. */
	int64_t retention_h = config_number(config, "prometheus.retention_time") / 3600000;
	data_set(root, "retention_time",
		model_take(mem_printf("%lldh", (long long)(retention_h < 24 ? 24 : retention_h))));
	data_set(
		root, "has_webhook", data_bool(!config_is_null(config, "alerts.webhook_url_file")));
	data_set(root, "has_slack", data_bool(!config_is_null(config, "alerts.slack_url_file")));
	add_email(root, config);
	/* Inside the container it is always 443; the port outside is Compose's matter. */
	data_set(root, "site", data_text(host));
	data_set(
		root, "has_certificate", data_bool(!config_is_null(config, "proxy.tls_cert_file")));
}
