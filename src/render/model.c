#include "render/model.h"

#include <string.h>

#include "claude/wanted.h"
#include "core/buf.h"
#include "core/mem.h"
#include "core/str.h"
#include "render/model_internal.h"

bool model_says(const struct config *config, const char *key, const char *text)
{
	return strcmp(config_text(config, key), text) == 0;
}

char *model_go_duration(int64_t ms)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = { { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 } };
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (ms / units[i].ms)
			buf_addf(&text, "%lld%s", (long long)(ms / units[i].ms), units[i].name);
		ms %= units[i].ms;
	}
	return text.len ? buf_detach(&text) : mem_strdup("0s");
}

char *model_size(int64_t bytes, const char *const units[4])
{
	int unit = 0;
	while (unit < 3 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	return mem_printf("%lld%s", (long long)bytes, units[unit]);
}

struct data *model_take(char *text)
{
	struct data *data = data_text(text ? text : "");
	free(text);
	return data;
}

struct data *model_list(const struct config *config, const char *key)
{
	const struct value *value = &config_setting(config, key)->value;
	struct data *list = data_list();
	for (size_t i = 0; i < value->count; i++)
		data_append(list, data_text(value->items[i]));
	return list;
}

/* ---- addresses ---- */

static bool is_wildcard(const char *address)
{
	return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

/* How an address is written in a URL; `loopback` stands for every address of this machine. */
static char *url_host(const char *address, const char *loopback)
{
	if (is_wildcard(address) || strcmp(address, "127.0.0.1") == 0)
		return mem_strdup(loopback);
	return mem_printf(strchr(address, ':') ? "[%s]" : "%s", address);
}

static char *proxy_url(const struct config *config, const char *path)
{
	const char *host = config_text(config, "proxy.host");
	int64_t port = config_number(config, "ports.proxy");
	if (port == 443)
		return mem_printf("https://%s%s", host, path);
	return mem_printf("https://%s:%lld%s", host, (long long)port, path);
}

char *model_url(const struct config *config, const char *port_key, const char *path)
{
	AUTO(str)
	char *host =
		url_host(service_port_address(config, service_port_find(port_key)), "localhost");
	return mem_printf(
		"http://%s:%lld%s", host, (long long)config_number(config, port_key), path);
}

char *model_otlp_endpoint(const struct config *config, bool is_grpc)
{
	if (!config_is_null(config, "proxy.host"))
		return proxy_url(config, "");
	const char *scheme = config_is_null(config, "otlp.tls_cert_file") ? "http" : "https";
	AUTO(str) char *host = url_host(config_text(config, "bind"), "127.0.0.1");
	return mem_printf("%s://%s:%lld", scheme, host,
		(long long)config_number(config, is_grpc ? "ports.otlp_grpc" : "ports.otlp_http"));
}

static char *grafana_url(const struct config *config)
{
	if (!config_is_null(config, "grafana.root_url"))
		return mem_strdup(config_text(config, "grafana.root_url"));
	return config_is_null(config, "proxy.host") ? model_url(config, "ports.grafana", "/")
						    : proxy_url(config, "/");
}

/* ---- where data lie ---- */

char *model_data_source(const struct config *config, enum service service, bool *is_directory)
{
	AUTO(str) char *key = mem_printf("data.%s", service_rows[service].key);
	const char *chosen = config_text(config, key);
	*is_directory =
		*chosen ? *chosen == '/' || *chosen == '.' : model_says(config, "storage", "bind");
	if (*chosen && *is_directory)
		return mem_strdup(chosen);
	return mem_printf(*is_directory ? "./data/%s" : "%s-data", service_rows[service].key);
}

static void add_data(struct data *root, const struct config *config)
{
	struct data *list = data_list();
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		bool is_directory;
		if (!service_is_used(config, s) || !service_rows[s].data_path)
			continue;
		struct data *item = data_map();
		data_set(item, "title", data_text(service_rows[s].title));
		data_set(item, "source", model_take(model_data_source(config, s, &is_directory)));
		data_set(item, "is_directory", data_bool(is_directory));
		data_append(list, item);
	}
	data_set(root, "data", list);
}

/* ---- for README.md ---- */

static void add_address(struct data *list, const char *what, char *url)
{
	struct data *item = data_map();
	data_set(item, "what", data_text(what));
	data_set(item, "url", model_take(url));
	data_append(list, item);
}

static void add_addresses(struct data *root, const struct config *config)
{
	struct data *list = data_list();
	add_address(list, "Grafana", grafana_url(config));
	add_address(list, "OTLP over HTTP (where Claude Code sends)",
		model_otlp_endpoint(config, false));
	add_address(list, "OTLP over gRPC", model_otlp_endpoint(config, true));
	add_address(list, "Prometheus", model_url(config, "ports.prometheus", "/"));
	if (service_is_used(config, SERVICE_ALERTMANAGER))
		add_address(list, "Alertmanager", model_url(config, "ports.alertmanager", "/"));
	add_address(list, "the receiver's health", model_url(config, "ports.health", "/"));
	data_set(root, "addresses", list);
}

/* ---- Claude Code's environment ---- */

static void add_variables(struct data *root, const struct config *config)
{
	AUTO(str) char *endpoint = model_otlp_endpoint(config, false);
	const struct wanted_request request = { .endpoint = endpoint };
	AUTO(wanted) struct wanted wanted = { 0 };
	struct data *list = data_list();
	wanted_init(&wanted, &request);
	for (size_t i = 0; i < wanted.count; i++) {
		struct data *item = data_map();
		data_set(item, "name", data_text(wanted.settings[i].name));
		data_set(item, "value", data_text(wanted.settings[i].value));
		data_set(item, "comment", data_text(wanted.comments[i]));
		data_set(item, "is_last", data_bool(i + 1 == wanted.count));
		data_append(list, item);
	}
	data_set(root, "variables", list);
}

static void add_headers_helper(
	struct data *root, const struct config *config, const struct surroundings *around)
{
	bool is_bearer = model_says(config, "otlp.auth", "bearer");
	data_set(root, "is_bearer", data_bool(is_bearer));
	data_set(root, "headers_helper",
		is_bearer ? model_take(mem_printf("%s/claude-code-headers.sh", around->dir))
			  : data_text(""));
	data_set(root, "env_file", model_take(mem_printf("%s/.env", around->dir)));
}

struct data *model_new(const struct config *config, const struct surroundings *around)
{
	struct data *root = data_map();
	enum service receiver = service_receiver(config);
	data_set(root, "project", data_text(config_text(config, "project")));
	data_set(root, "receiver", data_text(service_rows[receiver].name));
	data_set(root, "is_collector", data_bool(receiver == SERVICE_COLLECTOR));
	data_set(root, "is_bridge", data_bool(receiver == SERVICE_BRIDGE));
	data_set(root, "has_loki", data_bool(service_is_used(config, SERVICE_LOKI)));
	data_set(
		root, "has_alertmanager", data_bool(service_is_used(config, SERVICE_ALERTMANAGER)));
	data_set(root, "grafana_url", model_take(grafana_url(config)));
	add_headers_helper(root, config, around);
	add_variables(root, config);
	add_addresses(root, config);
	add_data(root, config);
	model_add_services(root, config, around);
	model_add_collector(root, config);
	model_add_prometheus(root, config);
	model_add_counting(root, config);
	model_add_rules(root, config);
	model_add_alerts(root, config);
	model_add_others(root, config);
	return root;
}
