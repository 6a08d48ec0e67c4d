/* cctm up with containers: what Compose is asked to do, and what happens when a part does not get there. */
#include <stdlib.h>
#include <string.h>

#include "cmd/up_internal.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/text.h"
#include "http/http.h"
#include "loaded/loaded.h"
#include "loaded/own_dashboards.h"
#include "loaded/own_grafana.h"
#include "render/model.h"
#include "stack/bridge_image.h"
#include "stack/containers.h"
#include "stack/engine.h"

#define PULL_MS	   (30 * INT64_C(60000))
#define RESTART_MS 180000
#define RELOAD_MS  30000
#define ANSWER_MAX 65536
#define SAID_MAX   300
/* A part that has ended so often since it was started does not get better by waiting. */
#define CRASHES_MAX 5

/* ---- before ---- */

/* Why Compose could not list the containers: the engine is looked into only then, for asking it costs time. */
static bool explain_engine(const struct up_job *job, struct error *err)
{
	AUTO(engine) struct engine engine = { 0 };
	engine_find(&engine);
	if (engine.is_usable)
		return false;
	error_clear(err);
	error_set(err, ERR_FAILED, "containers cannot be started: %s", engine.why);
	return error_hint(err, "%s; without containers: 'cctm init --runtime embedded -C %s'",
		engine.hint ? engine.hint : "start the engine", job->stack.dir);
}

static bool runs_any(const struct compose_services *services)
{
	for (size_t i = 0; i < services->count; i++) {
		if (strcmp(services->items[i].state, "running") == 0)
			return true;
	}
	return false;
}

/* Made before the first request: what is loaded for that is none of the bridge's. */
static bool make_bridge_image(const struct up_job *job, struct error *err)
{
	const char *image = config_text(&job->stack.config, "images.bridge");
	bool is_made;
	if (service_receiver(&job->stack.config) != SERVICE_BRIDGE)
		return true;
	out_status(job->ctx->out, "looking for the bridge's image");
	if (!bridge_image_ensure(&job->compose, image, &is_made, err))
		return false;
	if (is_made)
		out_note(job->ctx->out, "the image %s is made of this program", image);
	return true;
}

static bool prepare(struct up_job *job, struct error *err)
{
	AUTO(findings) struct findings findings = { 0 };
	if (!compose_open(job->stack.dir, &job->compose, err) ||
		!compose_list(&job->compose, &job->before, err))
		return explain_engine(job, err);
	job->ran_before = runs_any(&job->before);
	preflight_containers(&job->stack.config, job->stack.dir, &job->before, &findings);
	return up_judge(job, &findings, err) && make_bridge_image(job, err);
}

static bool fetch_images(const struct up_job *job, struct error *err)
{
	const char *policy = strcmp(job->args->pull, "missing") == 0 ? "--policy=missing" : "--";
	const char *const words[] = { "pull", policy, NULL };
	AUTO(proc_result) struct proc_result result = { 0 };
	return strcmp(job->args->pull, "never") == 0 ||
	       compose_run(&job->compose, words, up_is_shown(job), PULL_MS, &result, err);
}

/* ---- starting ---- */

static bool start(struct up_job *job, struct error *err)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	const char *const words[] = { "up", "--detach", "--remove-orphans", "--pull",
		job->args->pull, NULL };
	AUTO(proc_result) struct proc_result result = { 0 };
	if (compose_run(&job->compose, words, up_is_shown(job), PULL_MS, &result, err))
		return compose_list(&job->compose, &job->after, err);
	/* What is there of a start that failed says why. */
	bool is_listed = compose_list(&job->compose, &job->after, &ignored);
	return is_listed && false;
}

/* ---- what changed under containers that stay ---- */

static bool reload_prometheus(const struct up_job *job, struct error *err)
{
	AUTO(http_answer) struct http_answer answer = { 0 };
	AUTO(str) char *url = model_url(&job->stack.config, "ports.prometheus", "/-/reload");
	const struct http_request request = {
		.method = "POST", .url = url, .deadline_ms = RELOAD_MS, .answer_max = ANSWER_MAX
	};
	bool is_sent = http_send(&request, &answer, err);
	if (is_sent && answer.status == 200)
		return true;
	if (is_sent) {
		AUTO(str) char *said = text_first_line(buf_str(&answer.body), SAID_MAX);
		error_set(err, ERR_FAILED, "it answered %ld %s", answer.status, said);
	}
	error_wrap(err, "Prometheus does not take its changed configuration and goes on with the "
			"former one");
	return error_hint(err, "mend config/prometheus.yml or config/rules/, then 'cctm up'");
}

static bool reload_grafana(const struct up_job *job, struct error *err)
{
	AUTO(own_grafana) struct own_grafana own = { 0 };
	if (own_grafana_find(&job->stack, &own, err) && grafana_reload(&own.grafana, err))
		return true;
	error_wrap(err, "Grafana does not take its changed configuration");
	return error_hint(err, "'cctm logs grafana' says why; mend what it names under "
			       "config/grafana/, then 'cctm up'");
}

static bool restart_service(const struct up_job *job, enum service service, struct error *err)
{
	const char *const words[] = { "restart", service_rows[service].name, NULL };
	AUTO(proc_result) struct proc_result result = { 0 };
	return compose_run(&job->compose, words, up_is_shown(job), RESTART_MS, &result, err);
}

static bool is_same_container(const struct up_job *job, enum service service)
{
	const char *name = service_rows[service].name;
	const struct compose_service *before = compose_service_find(&job->before, name);
	const struct compose_service *after = compose_service_find(&job->after, name);
	return before && after && strcmp(before->id, after->id) == 0 &&
	       strcmp(before->state, "running") == 0;
}

bool up_reload_changed(const struct up_job *job, struct error *err)
{
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		bool is_done = true;
		if (!is_same_container(job, s) || !current_differs(&job->noted, &job->files, s))
			continue;
		bool is_told = s == SERVICE_PROMETHEUS || s == SERVICE_GRAFANA;
		out_note(job->ctx->out, "  %s: its configuration changed; it %s",
			service_rows[s].name, is_told ? "reads it again" : "is started again");
		if (s == SERVICE_PROMETHEUS)
			is_done = reload_prometheus(job, err);
		else if (s == SERVICE_GRAFANA)
			is_done = reload_grafana(job, err);
		else
			is_done = restart_service(job, s, err);
		if (!is_done)
			return false;
	}
	return true;
}

/* ---- waiting, and the end of it ---- */

static bool crashes(void *ctx)
{
	struct up_job *job = ctx;
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(containers) struct containers now = { 0 };
	if (!containers_read(&job->compose, &job->after, &now, &ignored))
		return false;
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		const struct compose_service *service =
			compose_service_find(&job->after, service_rows[s].name);
		const struct container *container =
			service ? container_find(&now, service->id) : NULL;
		if (container && container->restarts >= CRASHES_MAX)
			job->ill = s;
	}
	return job->ill != SERVICE_COUNT;
}

static void take_down(const struct up_job *job)
{
	static const char *const words[] = { "down", NULL };
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	if (job->ran_before || job->args->is_kept)
		return;
	out_status(job->ctx->out, "taking down what was started");
	if (!compose_run(&job->compose, words, false, UP_STOP_MS, &result, &ignored))
		out_note(job->ctx->out,
			"what was started could not be taken down (%s): 'cctm down' does it",
			ignored.message);
}

/* The stack works without them, so nothing is taken down for their sake. */
static bool bring_dashboards(struct up_job *job, struct error *err)
{
	AUTO(brought) struct brought brought = { 0 };
	if (!job->args->waits)
		return true;
	if (!own_dashboards_bring(&job->stack, false, &brought, err)) {
		error_wrap(err, "the stack runs, but its dashboards could not be put into Grafana");
		return error_hint(err, "'cctm import-dashboard --all' tries again");
	}
	AUTO(str) char *said = own_dashboards_said(&brought);
	if (*said)
		out_note(job->ctx->out, "  ok  %-38s %s", "dashboards", said);
	if (brought.notes.len)
		out_note(
			job->ctx->out, "%.*s", (int)brought.notes.len - 1, buf_str(&brought.notes));
	return true;
}

bool up_containers(struct up_job *job, struct error *err)
{
	if (!prepare(job, err))
		return false;
	if (job->args->is_build_only)
		return fetch_images(job, err);
	if (start(job, err) && up_reload_changed(job, err) && up_wait(job, crashes, err))
		return bring_dashboards(job, err);
	up_explain(job, err);
	take_down(job);
	return false;
}
