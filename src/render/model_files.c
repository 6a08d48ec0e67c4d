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
#define RULES_INTERVAL_MS    60000
#define SLOW_INTERVAL_MS     240000 /* less than the five minutes for which Prometheus takes a sample */
#define SCRAPE_TIMEOUT_MS    5000
#define WEEK_MS		     (7 * 24 * INT64_C(3600000))

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

static void add_counters(struct data *root)
{
	struct data *list = data_list();
	for (size_t i = 0; i < catalogue_count; i++) {
		if (catalogue[i].kind != CATALOGUE_METRIC)
			continue;
		struct data *item = data_map();
		AUTO(str) char *series = catalogue_series(&catalogue[i]);
		data_set(item, "counter", model_take(mem_printf("%s_total", series)));
		data_set(item, "seen", model_take(mem_printf("%s:seen", series)));
		data_set(item, "counted", model_take(mem_printf("%s:counted", series)));
		data_append(list, item);
	}
	data_set(root, "metrics", list);
}

/* Seconds of milliseconds, dollars of thousandths: for an expression of PromQL. */
static struct data *decimal(int64_t thousandths)
{
	return model_take(mem_printf(
		"%lld.%03lld", (long long)(thousandths / 1000), (long long)(thousandths % 1000)));
}

/* As str_duration, but whole days stay days: 14d and not 2w. */
static char *days_or_less(int64_t ms)
{
	const int64_t day = 24 * INT64_C(3600000);
	return ms % day == 0 ? mem_printf("%lldd", (long long)(ms / day)) : str_duration(ms);
}

/* What is recorded of the cost in each period, by the label that tells whose it was. */
static const struct {
	const char *key, *period, *recorded;
} periods[] = { { "daily_usd", "day", "today" }, { "weekly_usd", "week", "week" },
	{ "monthly_usd", "month", "month" } };

static const struct {
	const char *key, *scope, *label;
} scopes[] = { { "", "all", "" }, { "per_user.", "user", "user" },
	{ "per_team.", "team", "team_id" }, { "per_model.", "model", "model" } };

static struct data *budget(size_t scope, size_t period, int64_t thousandths)
{
	struct data *item = data_map();
	data_set(item, "period", data_text(periods[period].period));
	data_set(item, "scope", data_text(scopes[scope].scope));
	data_set(item, "label", data_text(scopes[scope].label));
	data_set(item, "spent",
		model_take(mem_printf("claude_code_cost_usage_USD:%s", periods[period].recorded)));
	data_set(item, "usd", decimal(thousandths));
	return item;
}

static void add_budgets(struct data *root, const struct config *config)
{
	struct data *list = data_list();
	for (size_t s = 0; s < sizeof scopes / sizeof *scopes; s++) {
		for (size_t p = 0; p < sizeof periods / sizeof *periods; p++) {
			AUTO(str)
			char *key = mem_printf("budgets.%s%s", scopes[s].key, periods[p].key);
			if (!config_is_null(config, key))
				data_append(list, budget(s, p, config_number(config, key)));
		}
	}
	data_set(root, "has_budgets", data_bool(data_count(list) > 0));
	data_set(root, "budgets", list);
}

static void add_steps(struct data *root)
{
	static const struct {
		const char *share, *percent, *severity;
	} steps[] = { { "0.5", "50", "info" }, { "0.8", "80", "warning" },
		{ "1", "100", "critical" } };
	struct data *list = data_list();
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct data *item = data_map();
		data_set(item, "share", data_text(steps[i].share));
		data_set(item, "percent", data_text(steps[i].percent));
		data_set(item, "severity", data_text(steps[i].severity));
		data_append(list, item);
	}
	data_set(root, "steps", list);
}

/* The weeks with which an hour is compared; `half_ms` is half of the time without data that is told of. */
static void add_weeks(struct data *root, int64_t half_ms)
{
	struct data *list = data_list();
	for (int64_t week = 1; week <= 4; week++) {
		struct data *item = data_map();
		data_set(item, "number", data_int(week));
		data_set(item, "ago", model_take(days_or_less(week * WEEK_MS)));
		data_set(item, "ago_and_half", model_take(days_or_less(week * WEEK_MS + half_ms)));
		data_set(item, "or", data_bool(week > 1));
		data_append(list, item);
	}
	data_set(root, "weeks", list);
}

static void add_alerts(struct data *root, const struct config *config, bool is_bridge)
{
	bool is_told = !config_is_null(config, "alerts.no_data_after");
	int64_t after_ms = is_told ? config_number(config, "alerts.no_data_after") : 0;
	add_budgets(root, config);
	add_steps(root);
	add_weeks(root, after_ms / 2);
	data_set(root, "slow_interval", model_take(str_duration(SLOW_INTERVAL_MS)));
	data_set(root, "has_ingest_alerts", data_bool(is_told || is_bridge));
	data_set(root, "no_data_after", model_take(is_told ? days_or_less(after_ms) : NULL));
	data_set(root, "no_data_half", model_take(days_or_less(after_ms / 2)));
	/* Longer than from one evaluation to the next, shorter than a silence that is told of. */
	data_set(root, "no_data_latch",
		model_take(
			days_or_less(after_ms / 2 > 2 * SLOW_INTERVAL_MS ? after_ms / 2
									 : 2 * SLOW_INTERVAL_MS)));
	data_set(root, "is_within_week", data_bool(after_ms <= WEEK_MS));
}

void model_add_rules(struct data *root, const struct config *config)
{
	bool is_bridge = service_receiver(config) == SERVICE_BRIDGE;
	bool is_scraped = is_bridge || model_says(config, "collector.export", "scrape");
	const char *receiver_limit = is_bridge ? "limits.bridge.memory" : "limits.collector.memory";
	int64_t prometheus_memory =
		memory_limit(config, "limits.prometheus.memory", UNLIMITED_PROMETHEUS);
	add_counters(root);
	data_set(root, "interval", model_take(str_duration(RULES_INTERVAL_MS)));
	/* Half an interval, or a missed evaluation would make a minute count twice. */
	data_set(root, "offset", model_take(str_duration(RULES_INTERVAL_MS / 2)));
	data_set(root, "lookback",
		model_take(days_or_less(config_number(config, "prometheus.lookback"))));
	data_set(root, "receiver_job",
		data_text(is_bridge    ? "bridge"
			  : is_scraped ? "otel-collector"
				       : "otel-collector-internal"));
	data_set(root, "scrape_slow_s", decimal(scrape_timeout_ms(config) * 8 / 10));
	data_set(root, "retention_bytes",
		config_is_null(config, "prometheus.retention_size")
			? data_text("")
			: data_int(config_number(config, "prometheus.retention_size")));
	data_set(root, "prometheus_memory_bytes", data_int(prometheus_memory / 100 * 85));
	data_set(root, "receiver_memory_bytes",
		data_int(memory_limit(config, receiver_limit, UNLIMITED_RECEIVER) / 100 * 75));
	data_set(root, "series_max", data_int(config_number(config, "bridge.series_max")));
	add_alerts(root, config, is_bridge);
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
