/* The compose file: a map a service, false where the stack has none. */
#include <string.h>

#include "core/mem.h"
#include "core/str.h"
#include "render/model_internal.h"

/* As Compose reads it: host address, host port, container port. */
static char *published(const struct config *config, const struct service_port *port)
{
	const char *address = service_port_address(config, port);
	return mem_printf(strchr(address, ':') ? "[%s]:%lld:%lld" : "%s:%lld:%lld", address,
		(long long)config_number(config, port->key), (long long)port->container_port);
}

static void add_ports(struct data *service_map, const struct config *config, enum service service)
{
	struct data *ports = data_map();
	bool is_receiver = service == service_receiver(config);
	for (size_t i = 0; i < service_port_count; i++) {
		const struct service_port *port = &service_ports[i];
		bool is_its = port->service == (is_receiver ? SERVICE_COLLECTOR : service);
		if (!is_its)
			continue;
		char *text = service_port_is_used(config, port) ? published(config, port) : NULL;
		if (is_receiver)
			data_set(ports, port->key + strlen("ports."), model_take(text));
		else
			data_set(service_map, "port", model_take(text));
	}
	data_set(service_map, "ports", ports);
}

static void add_limits(struct data *service_map, const struct config *config, const char *key)
{
	static const char *const units[] = { "b", "k", "m", "g" };
	AUTO(str) char *cpus_key = mem_printf("limits.%s.cpus", key);
	AUTO(str) char *memory_key = mem_printf("limits.%s.memory", key);
	bool has_cpus = !config_is_null(config, cpus_key);
	bool has_memory = !config_is_null(config, memory_key);
	struct data *limits = data_map();
	data_set(limits, "is_set", data_bool(has_cpus || has_memory));
	data_set(limits, "is_both", data_bool(has_cpus && has_memory));
	data_set(limits, "cpus", data_text(config_text(config, cpus_key)));
	data_set(limits, "memory",
		model_take(
			has_memory ? model_size(config_number(config, memory_key), units) : NULL));
	data_set(service_map, "limits", limits);
}

static void add_storage(struct data *service_map, const struct config *config, enum service service)
{
	bool is_directory;
	char *source = model_data_source(config, service, &is_directory);
	struct data *data = data_map();
	data_set(data, "type", data_text(is_directory ? "bind" : "volume"));
	data_set(data, "source", model_take(source));
	data_set(service_map, "data", data);
}

static void add_file(
	struct data *files, const struct config *config, const char *key, const char *target)
{
	if (config_is_null(config, key))
		return;
	const char *path = config_text(config, key);
	struct data *file = data_map();
	/* Compose takes what does not begin with / or . for the name of a volume. */
	data_set(file, "source", model_take(mem_printf(*path == '/' ? "%s" : "./%s", path)));
	data_set(file, "target", data_text(target));
	data_append(files, file);
}

/* Files of the user's that containers read: where they come from and where the configurations expect them. */
static const struct {
	enum service service;
	const char *key, *target;
} user_files[] = {
	{ SERVICE_COLLECTOR, "otlp.token_file", "/run/cctm/otlp-tokens" },
	{ SERVICE_COLLECTOR, "otlp.tls_cert_file", "/run/cctm/otlp.crt" },
	{ SERVICE_COLLECTOR, "otlp.tls_key_file", "/run/cctm/otlp.key" },
	{ SERVICE_COLLECTOR, "otlp.tls_client_ca_file", "/run/cctm/otlp-clients.crt" },
	{ SERVICE_ALERTMANAGER, "alerts.webhook_url_file", "/run/cctm/webhook_url" },
	{ SERVICE_ALERTMANAGER, "alerts.slack_url_file", "/run/cctm/slack_url" },
	{ SERVICE_PROXY, "proxy.tls_cert_file", "/run/cctm/proxy.crt" },
	{ SERVICE_PROXY, "proxy.tls_key_file", "/run/cctm/proxy.key" },
};

static void add_files(struct data *service_map, const struct config *config, enum service service)
{
	struct data *files = data_list();
	enum service as = service == SERVICE_BRIDGE ? SERVICE_COLLECTOR : service;
	for (size_t i = 0; i < sizeof user_files / sizeof *user_files; i++) {
		if (user_files[i].service == as)
			add_file(files, config, user_files[i].key, user_files[i].target);
	}
	data_set(service_map, "files", files);
}

static char *user_text(const struct owner *owner)
{
	return owner->uid < 0
		       ? NULL
		       : mem_printf("%lld:%lld", (long long)owner->uid, (long long)owner->gid);
}

static struct data *service_map(
	const struct config *config, enum service service, const struct surroundings *around)
{
	const struct service_row *row = &service_rows[service];
	AUTO(str) char *image_key = mem_printf("images.%s", row->key);
	struct data *map = data_map();
	data_set(map, "image", data_text(config_text(config, image_key)));
	data_set(map, "user", model_take(user_text(&around->owners[service])));
	add_ports(map, config, service);
	add_limits(map, config, row->key);
	add_files(map, config, service);
	if (row->data_path)
		add_storage(map, config, service);
	return map;
}

/* ---- what one service has and no other ---- */

static void add_receiver(struct data *map, const struct config *config)
{
	bool needs_token = model_says(config, "otlp.auth", "bearer") &&
			   config_is_null(config, "otlp.token_file");
	data_set(map, "environment", data_bool(needs_token));
}

static void add_flag(struct data *flags, const char *name, char *value)
{
	data_append(flags, model_take(mem_printf(value ? "--%s=%s" : "--%s", name, value)));
	free(value);
}

static void add_prometheus(struct data *map, const struct config *config)
{
	static const char *const units[] = { "B", "KB", "MB", "GB" };
	struct data *flags = data_list();
	add_flag(flags, "config.file", mem_strdup("/etc/cctm/prometheus.yml"));
	add_flag(flags, "storage.tsdb.path", mem_strdup("/prometheus"));
	add_flag(flags, "storage.tsdb.retention.time",
		str_duration(config_number(config, "prometheus.retention_time")));
	if (!config_is_null(config, "prometheus.retention_size"))
		add_flag(flags, "storage.tsdb.retention.size",
			model_size(config_number(config, "prometheus.retention_size"), units));
	add_flag(flags, "query.timeout",
		str_duration(config_number(config, "prometheus.query_timeout")));
	add_flag(flags, "query.max-concurrency",
		mem_printf(
			"%lld", (long long)config_number(config, "prometheus.query_concurrency")));
	add_flag(flags, "web.enable-lifecycle", NULL);
	add_flag(flags, "web.enable-remote-write-receiver", NULL);
	if (config_is(config, "prometheus.admin_api"))
		add_flag(flags, "web.enable-admin-api", NULL);
	data_set(map, "flags", flags);
	data_set(map, "admin_api", data_bool(config_is(config, "prometheus.admin_api")));
}

static char *joined(const struct config *config, const char *key)
{
	const struct value *value = &config_setting(config, key)->value;
	char *text = NULL;
	for (size_t i = 0; i < value->count; i++) {
		char *longer = text ? mem_printf("%s,%s", text, value->items[i])
				    : mem_strdup(value->items[i]);
		free(text);
		text = longer;
	}
	return text;
}

static void add_grafana(struct data *map, const struct config *config, const struct data *root)
{
	const struct data *url = data_get(root, SLICE_LIT("grafana_url"));
	struct slice bytes = data_bytes(url);
	data_set(map, "admin_user", data_text(config_text(config, "grafana.admin_user")));
	data_set(map, "root_url", data_text_slice(bytes));
	data_set(map, "is_https", data_bool(bytes.len > 8 && !memcmp(bytes.ptr, "https://", 8)));
	data_set(map, "anonymous", data_bool(config_is(config, "grafana.anonymous")));
	data_set(map, "plugins", model_take(joined(config, "grafana.plugins")));
}

/* ---- named volumes ---- */

static void add_volume(struct data *list, const struct config *config, enum service service)
{
	bool is_directory;
	AUTO(str) char *key = mem_printf("data.%s", service_rows[service].key);
	AUTO(str) char *source = model_data_source(config, service, &is_directory);
	if (is_directory)
		return;
	struct data *volume = data_map();
	data_set(volume, "name", data_text(source));
	data_set(volume, "external_name", data_text(config_text(config, key)));
	data_append(list, volume);
}

void model_add_services(
	struct data *root, const struct config *config, const struct surroundings *around)
{
	struct data *volumes = data_list();
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		if (!service_is_used(config, s)) {
			data_set(root, service_rows[s].key, data_bool(false));
			continue;
		}
		struct data *map = service_map(config, s, around);
		if (s == service_receiver(config))
			add_receiver(map, config);
		if (s == SERVICE_PROMETHEUS)
			add_prometheus(map, config);
		if (s == SERVICE_GRAFANA)
			add_grafana(map, config, root);
		data_set(root, service_rows[s].key, map);
		if (service_rows[s].data_path)
			add_volume(volumes, config, s);
	}
	data_set(root, "has_volumes", data_bool(data_count(volumes) > 0));
	data_set(root, "volumes", volumes);
}
