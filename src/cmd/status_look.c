/* What the parts of a stack are and whether they are well. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cmd/status_internal.h"
#include "config/bridge_dir.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/procfs.h"
#include "core/str.h"
#include "http/http.h"
#include "loaded/received.h"
#include "render/model.h"
#include "stack/compose.h"
#include "stack/containers.h"
#include "stack/embedded.h"

#define ASK_MS	   3000
#define ANSWER_MAX (1 << 20)

/* The port by which people know each part. */
static const char *const port_keys[SERVICE_COUNT] = {
	[SERVICE_COLLECTOR] = "ports.otlp_http",
	[SERVICE_BRIDGE] = "ports.otlp_http",
	[SERVICE_PROMETHEUS] = "ports.prometheus",
	[SERVICE_GRAFANA] = "ports.grafana",
	[SERVICE_LOKI] = "ports.loki",
	[SERVICE_ALERTMANAGER] = "ports.alertmanager",
	[SERVICE_PROXY] = "ports.proxy",
};

static struct part *add_part(struct status_job *job, enum service service, char *state, bool runs)
{
	struct part *part = &job->parts[job->part_count++];
	*part = (struct part){ .service = service,
		.state = state,
		.is_well = runs,
		.address = model_url(&job->stack.config, port_keys[service], ""),
		.cpu_percent = -1,
		.memory = -1,
		.restarts = -1,
		.is_receiver = service == SERVICE_BRIDGE || service == SERVICE_COLLECTOR };
	for (size_t i = 0; runs && i < job->probes.count; i++) {
		struct probe *probe = &job->probes.items[i];
		if (probe->service != service)
			continue;
		probe_ask(&job->probes, probe, ASK_MS);
		if (probe->is_passed || part->failed)
			continue;
		part->is_well = false;
		part->failed = probe->what;
		part->why = probe->why;
	}
	return part;
}

/* ---- what the receiver says of itself ---- */

/* The bridge's health page; NULL: it does not answer. To be given back with json_decref. */
static json_t *ask_health(const struct status_job *job)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(http_answer) struct http_answer answer = { 0 };
	AUTO(str) char *url = model_url(&job->stack.config, "ports.health", "/");
	const struct http_request request = {
		.url = url, .deadline_ms = ASK_MS, .answer_max = ANSWER_MAX
	};
	return http_send(&request, &answer, &ignored)
		       ? json_loadb(buf_str(&answer.body), answer.body.len, 0, NULL)
		       : NULL;
}

static void take_health(struct part *part, const json_t *health, const char *instance)
{
	const char *version = json_string_value(json_object_get(health, "version"));
	const char *said = json_string_value(json_object_get(health, "instance"));
	if (instance && health && (!said || strcmp(said, instance) != 0)) {
		part->is_well = false;
		part->failed = "the receiver's health";
		part->why = "another program answers on its port";
		return;
	}
	if (version) {
		free(part->version);
		part->version = mem_strdup(version);
	}
	part->last_sample_ms = json_integer_value(json_object_get(health, "last_sample_ms"));
}

/* ---- containers ---- */

static char *state_of(const struct compose_service *service, bool *runs)
{
	if (!service)
		return mem_strdup("absent");
	*runs = strcmp(service->state, "running") == 0;
	if (*runs)
		return mem_strdup(*service->health ? service->health : "running");
	return mem_printf("%s (%lld)", service->state, (long long)service->exit_code);
}

/* "12.3.0" of "grafana/grafana:12.3.0@sha256:…"; NULL: the name says none. */
static char *version_of(const char *image)
{
	AUTO(str) char *name = mem_strndup(image, strcspn(image, "@"));
	const char *slash = strrchr(name, '/');
	const char *colon = strrchr(slash ? slash : name, ':');
	if (!colon)
		return NULL;
	colon += colon[1] == 'v' ? 2 : 1;
	return mem_strdup(colon);
}

static void take_container(struct part *part, const struct container *container)
{
	int64_t started_ms;
	part->version = version_of(container->image);
	part->restarts = container->restarts;
	part->cpu_percent = container->cpu_percent;
	part->memory = container->memory;
	if (part->is_well && clock_parse(container->started_at, &started_ms))
		part->started_ms = started_ms;
}

static bool read_containers(const struct status_job *job, const struct compose *compose,
	const struct compose_services *services, struct containers *out)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	if (!containers_read(compose, services, out, &ignored))
		return false;
	return !job->args->has_usage || containers_add_usage(compose, out, &ignored);
}

static void look_at_receiver(struct status_job *job)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	struct part *part = &job->parts[0];
	if (part->service == SERVICE_BRIDGE) {
		json_t *health = ask_health(job);
		take_health(part, health, NULL);
		json_decref(health);
	} else if (!received_last_ms(&job->stack, &part->last_sample_ms, &ignored)) {
		part->last_sample_ms = 0;
	}
}

static bool look_at_containers(struct status_job *job, struct error *err)
{
	struct compose compose;
	AUTO(compose_services) struct compose_services services = { 0 };
	AUTO(containers) struct containers containers = { 0 };
	if (!compose_open(job->stack.dir, &compose, err) ||
		!compose_list(&compose, &services, err)) {
		err->code = ERR_UNHEALTHY;
		return false;
	}
	bool is_known = read_containers(job, &compose, &services, &containers);
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		bool runs = false;
		if (!service_is_used(&job->stack.config, s))
			continue;
		const struct compose_service *service =
			compose_service_find(&services, service_rows[s].name);
		char *state = state_of(service, &runs);
		struct part *part = add_part(job, s, state, runs);
		const struct container *container =
			service ? container_find(&containers, service->id) : NULL;
		if (container && (is_known || containers.count))
			take_container(part, container);
	}
	look_at_receiver(job);
	return true;
}

/* ---- the bridge alone ---- */

static void look_at_bridge(struct status_job *job)
{
	AUTO(str) char *state = bridge_dir(job->stack.dir, &job->stack.config);
	pid_t pid = embedded_find(state);
	struct part *part = add_part(job, SERVICE_BRIDGE,
		pid ? mem_printf("process %ld", (long)pid) : mem_strdup("does not run"), pid != 0);
	if (!pid)
		return;
	AUTO(str) char *instance = embedded_instance(state);
	json_t *health = ask_health(job);
	struct procfs_stat stat;
	part->pid = pid;
	if (procfs_read_stat(pid, &stat)) {
		part->started_ms = stat.started_ms;
		part->memory = stat.memory;
		/* On average, for a single look does not tell what it takes now. */
		if (stat.age_ms > 0)
			part->cpu_percent = (double)stat.cpu_ms * 100 / (double)stat.age_ms;
	}
	take_health(part, health, instance ? instance : "");
	json_decref(health);
}

bool status_look(struct status_job *job, struct error *err)
{
	if (!loaded_read(job->ctx->dir, &job->stack, err) ||
		!loaded_probes(&job->stack, false, &job->probes, err))
		return false;
	if (job->stack.runtime != RUNTIME_DOCKER)
		look_at_bridge(job);
	else if (!look_at_containers(job, err))
		return false;
	job->is_well = job->part_count > 0;
	for (size_t i = 0; i < job->part_count; i++)
		job->is_well = job->is_well && job->parts[i].is_well;
	return true;
}

void status_clear(struct status_job *job)
{
	for (size_t i = 0; i < job->part_count; i++) {
		free(job->parts[i].state);
		free(job->parts[i].address);
		free(job->parts[i].version);
	}
	probes_clear(&job->probes);
	loaded_clear(&job->stack);
}
