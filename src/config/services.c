#include "config/services.h"

#include <assert.h>
#include <string.h>

#include "core/str.h"

/* Users as the images of the table in keys.c have them. */
const struct service_row service_rows[SERVICE_COUNT] = {
	[SERVICE_COLLECTOR] = { "collector", "otel-collector", "the Collector", NULL, 10001,
		10001 },
	[SERVICE_BRIDGE] = { "bridge", "bridge", "the bridge", "/var/lib/cctm", 65534, 65534 },
	[SERVICE_PROMETHEUS] = { "prometheus", "prometheus", "Prometheus", "/prometheus", 65534,
		65534 },
	[SERVICE_GRAFANA] = { "grafana", "grafana", "Grafana", "/var/lib/grafana", 472, 0 },
	[SERVICE_LOKI] = { "loki", "loki", "Loki", "/loki", 10001, 10001 },
	[SERVICE_ALERTMANAGER] = { "alertmanager", "alertmanager", "Alertmanager", "/alertmanager",
		65534, 65534 },
	[SERVICE_PROXY] = { "proxy", "proxy", "the TLS proxy", "/data", 0, 0 },
};

const struct service_port service_ports[] = {
	{ SERVICE_COLLECTOR, "ports.otlp_grpc", 4317, "OTLP over gRPC" },
	{ SERVICE_COLLECTOR, "ports.otlp_http", 4318, "OTLP over HTTP" },
	{ SERVICE_COLLECTOR, "ports.exporter", 8889, "metrics for Prometheus" },
	{ SERVICE_COLLECTOR, "ports.health", 13133, "the receiver's health" },
	{ SERVICE_COLLECTOR, "ports.zpages", 55679, "the receiver's pages about itself" },
	{ SERVICE_PROMETHEUS, "ports.prometheus", 9090, "Prometheus" },
	{ SERVICE_GRAFANA, "ports.grafana", 3000, "Grafana" },
	{ SERVICE_LOKI, "ports.loki", 3100, "Loki" },
	{ SERVICE_ALERTMANAGER, "ports.alertmanager", 9093, "Alertmanager" },
	{ SERVICE_PROXY, "ports.proxy", 443, "TLS for Grafana and OTLP" },
};

const size_t service_port_count = sizeof service_ports / sizeof *service_ports;

const struct service_port *service_port_find(const char *key)
{
	size_t i = 0;
	while (i + 1 < service_port_count && strcmp(service_ports[i].key, key) != 0)
		i++;
	assert(strcmp(service_ports[i].key, key) == 0);
	return &service_ports[i];
}

static bool says(const struct config *config, const char *key, const char *text)
{
	return strcmp(config_text(config, key), text) == 0;
}

enum service service_receiver(const struct config *config)
{
	return says(config, "ingest", "bridge") ? SERVICE_BRIDGE : SERVICE_COLLECTOR;
}

bool service_is_used(const struct config *config, enum service service)
{
	switch (service) {
	case SERVICE_COLLECTOR:
	case SERVICE_BRIDGE:
		return service == service_receiver(config);
	case SERVICE_LOKI:
		return says(config, "events.store", "loki");
	case SERVICE_ALERTMANAGER:
		return config_is(config, "alerts.alertmanager");
	case SERVICE_PROXY:
		return !config_is_null(config, "proxy.host");
	case SERVICE_PROMETHEUS:
	case SERVICE_GRAFANA:
	case SERVICE_COUNT:
		break;
	}
	return service != SERVICE_COUNT;
}

bool service_port_is_used(const struct config *config, const struct service_port *port)
{
	/* What pushes to Prometheus has nothing to scrape. */
	if (strcmp(port->key, "ports.exporter") == 0)
		return service_receiver(config) == SERVICE_BRIDGE ||
		       says(config, "collector.export", "scrape");
	return port->service == SERVICE_COLLECTOR || service_is_used(config, port->service);
}

bool address_is_loopback(const char *address)
{
	return str_has_prefix(address, "127.") || strcmp(address, "::1") == 0;
}

const char *service_port_address(const struct config *config, const struct service_port *port)
{
	const char *bind = config_text(config, "bind");
	if (port->service == SERVICE_PROXY && !config_is_null(config, "proxy.bind"))
		return config_text(config, "proxy.bind");
	if (port->service == SERVICE_PROMETHEUS && config_is(config, "prometheus.admin_api") &&
		!address_is_loopback(bind))
		return strchr(bind, ':') ? "::1" : "127.0.0.1";
	return bind;
}
