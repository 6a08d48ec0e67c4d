#include <stdlib.h>
#include <string.h>

#include "cmd/init_internal.h"
#include "core/error.h"
#include "core/mem.h"
#include "stack/ports.h"

static bool is_used(const struct init_job *job, const struct service_port *port)
{
	if (job->runtime.runtime == RUNTIME_EMBEDDED)
		return port->service == SERVICE_COLLECTOR;
	return service_port_is_used(&job->config, port);
}

/* Two of ours may not meet, whether the other is in use or not: the configuration forbids it. */
static bool is_ours(void *ctx, int64_t number)
{
	const struct init_job *job = ctx;
	for (size_t i = 0; i < service_port_count; i++) {
		if (config_number(&job->config, service_ports[i].key) == number)
			return true;
	}
	return false;
}

static struct taken_port *add_taken(struct init_job *job, const char *key, int64_t port, char *who)
{
	job->taken = mem_realloc(job->taken, job->taken_count + 1, sizeof *job->taken);
	struct taken_port *taken = &job->taken[job->taken_count++];
	*taken = (struct taken_port){ .key = key, .port = port, .who = who };
	return taken;
}

static bool move_port(struct init_job *job, const struct listeners *ports, struct taken_port *taken,
	const char *address, struct error *err)
{
	taken->moved_to = listeners_free_above(ports, address, taken->port, is_ours, job);
	if (!taken->moved_to)
		return error_set(err, ERR_PORT_TAKEN, "there is no free port near %lld for %s",
			(long long)taken->port, taken->key);
	AUTO(str) char *text = mem_printf("%lld", (long long)taken->moved_to);
	return init_settings_set(job, taken->key, text, err) && init_settings_load(job, err);
}

static bool check_port(struct init_job *job, const struct listeners *ports,
	const struct service_port *port, struct error *err)
{
	int64_t number = config_number(&job->config, port->key);
	AUTO(str) char *address = mem_strdup(service_port_address(&job->config, port));
	AUTO(port_holder) struct port_holder holder = { 0 };
	/* What is in the files already may well be held by the stack itself. */
	if (manifest_port(&job->last, port->key) == number)
		return true;
	listeners_holder(ports, address, number, &holder);
	if (!holder.is_taken)
		return true;
	struct taken_port *taken = add_taken(job, port->key, number, TAKE(holder.who));
	return !job->args->is_auto_ports || move_port(job, ports, taken, address, err);
}

bool init_ports_check(struct init_job *job, struct error *err)
{
	AUTO(listeners) struct listeners *ports = listeners_read();
	for (size_t i = 0; i < service_port_count; i++) {
		const struct service_port *port = &service_ports[i];
		if (is_used(job, port) && !check_port(job, ports, port, err))
			return false;
	}
	return true;
}
