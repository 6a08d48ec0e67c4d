/* The containers of a stack, moved to other images one after the other, and back when one does not get healthy. */
#include <stdlib.h>
#include <string.h>

#include "cmd/upgrade_internal.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/proc.h"
#include "loaded/wait.h"
#include "stack/bridge_image.h"

#define PULL_MS	    (30 * INT64_C(60000))
#define RECREATE_MS 180000
#define TAG_MS	    10000
#define BACK_MS	    120000

/* Who needs others comes after them; the receiver last, so that clients wait for it the shortest. */
static const enum service order[] = { SERVICE_LOKI, SERVICE_ALERTMANAGER, SERVICE_PROMETHEUS,
	SERVICE_GRAFANA, SERVICE_PROXY, SERVICE_COLLECTOR, SERVICE_BRIDGE };

/* ---- looking ---- */

static const char *image_key(enum service service, char out[40])
{
	snprintf(out, 40, "images.%s", service_rows[service].key);
	return out;
}

static void compare_images(struct upgrade_job *job)
{
	const struct config *config = &job->stack.config;
	char key[40];
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		if (!service_is_used(config, s))
			continue;
		job->wanted[s] = config_text(config, image_key(s, key));
		const char *ours = key_fallback(key_find(key), PROFILE_LOCAL);
		if (strcmp(ours, job->wanted[s]) != 0)
			job->known[s] = ours;
	}
}

bool upgrade_look_at_containers(struct upgrade_job *job, struct error *err)
{
	if (!compose_open(job->stack.dir, &job->compose, err) ||
		!compose_images(&job->compose, job->images, err) ||
		!compose_list(&job->compose, &job->services, err))
		return false;
	for (size_t i = 0; i < job->services.count; i++)
		job->runs = job->runs || strcmp(job->services.items[i].state, "running") == 0;
	compare_images(job);
	return containers_read(&job->compose, &job->services, &job->containers, err);
}

bool upgrade_changes_image(const struct upgrade_job *job, enum service service)
{
	return job->wanted[service] &&
	       (!job->images[service] || strcmp(job->images[service], job->wanted[service]) != 0);
}

/* ---- doing ---- */

static bool compose(const struct upgrade_job *job, const char *const *words, int64_t deadline_ms,
	struct error *err)
{
	AUTO(proc_result) struct proc_result result = { 0 };
	return compose_run(&job->compose, words, upgrade_is_shown(job), deadline_ms, &result, err);
}

static bool pull(const struct upgrade_job *job, enum service service, struct error *err)
{
	const char *policy = strcmp(job->args->pull, "missing") == 0 ? "--policy=missing" : "--";
	const char *const words[] = { "pull", policy, service_rows[service].name, NULL };
	bool is_made;
	if (service == SERVICE_BRIDGE)
		return bridge_image_ensure(&job->compose, job->wanted[service], &is_made, err);
	return strcmp(job->args->pull, "never") == 0 || compose(job, words, PULL_MS, err);
}

static bool pull_all(const struct upgrade_job *job, struct error *err)
{
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		if (upgrade_changes_image(job, order[i]) && !pull(job, order[i], err))
			return false;
	}
	return true;
}

static bool verify(
	const struct upgrade_job *job, enum service service, int64_t timeout_ms, struct error *err)
{
	AUTO(probes) struct probes all = { 0 };
	const struct wait_request request = { .timeout_ms = timeout_ms };
	if (!loaded_probes(&job->stack, service == SERVICE_COUNT, &all, err))
		return false;
	/* One service alone: the probes of others do not count yet, nor do Prometheus' targets. */
	for (size_t i = 0; i < all.count && service != SERVICE_COUNT; i++)
		all.items[i].is_passed =
			all.items[i].service != service || all.items[i].kind == PROBE_TARGETS;
	return wait_for_probes(&all, &request, err);
}

static bool move(const struct upgrade_job *job, enum service service, struct error *err)
{
	const char *const words[] = { "up", "--detach", "--no-deps", "--pull", "never",
		service_rows[service].name, NULL };
	out_note(job->ctx->out, "  %s: %s", service_rows[service].name, job->wanted[service]);
	return (compose(job, words, RECREATE_MS, err) &&
		       verify(job, service, job->args->timeout_ms, err)) ||
	       error_wrap(err, "%s with the image %s", service_rows[service].title,
		       job->wanted[service]);
}

static bool move_all(const struct upgrade_job *job, struct error *err)
{
	static const char *const words[] = { "up", "--detach", "--remove-orphans", "--pull",
		"never", NULL };
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		if (upgrade_changes_image(job, order[i]) && !move(job, order[i], err))
			return false;
	}
	/* What else the new files say, and then the whole. */
	return compose(job, words, RECREATE_MS, err) &&
	       verify(job, SERVICE_COUNT, job->args->timeout_ms, err);
}

/* ---- back ---- */

/* A name that was pulled anew means another image now; what ran keeps its own id. */
static bool tag_back(
	const struct upgrade_job *job, const struct container *container, struct error *err)
{
	const char *const argv[] = { compose_engine(&job->compose), "tag", container->image_id,
		container->image, NULL };
	const struct proc_request request = {
		.argv = argv, .deadline_ms = TAG_MS, .output_max = 4096
	};
	AUTO(proc_result) struct proc_result result = { 0 };
	return proc_ask(&request, &result, err);
}

static bool go_back(const struct upgrade_job *job, struct error *err)
{
	static const char *const words[] = { "up", "--detach", "--remove-orphans", "--pull",
		"never", NULL };
	/* The way back is not to fail for an impatient --timeout. */
	int64_t timeout_ms = job->args->timeout_ms > BACK_MS ? job->args->timeout_ms : BACK_MS;
	if (!snapshot_restore(&job->before, err))
		return false;
	if (!job->runs)
		return true;
	for (size_t i = 0; i < job->containers.count; i++) {
		if (!tag_back(job, &job->containers.items[i], err))
			return false;
	}
	return compose(job, words, RECREATE_MS, err) && verify(job, SERVICE_COUNT, timeout_ms, err);
}

static bool roll_back(const struct upgrade_job *job, struct error *err)
{
	AUTO(error) struct error why = ERROR_INIT;
	out_note(job->ctx->out, "that failed (%s): going back to what ran before", err->message);
	if (go_back(job, &why)) {
		error_wrap(err, "the upgrade failed, and the former images and files are back");
		return error_hint(err, "'cctm upgrade --check' lists what it would move to");
	}
	error_wrap(err, "the upgrade failed, and so did the way back (%s)", why.message);
	return error_hint(err, "'cctm status' shows what runs, 'cctm up' starts the rest");
}

bool upgrade_containers(struct upgrade_job *job, struct error *err)
{
	const struct provision_request request = { .dir = job->stack.dir,
		.config = &job->stack.config,
		.last = &job->stack.last,
		.runtime = job->stack.runtime };
	if (!snapshot_take(&job->provision.plan, &job->before, err) ||
		!provision_apply(&request, &job->provision, err))
		return false;
	if (pull_all(job, err) && (!job->runs || move_all(job, err)))
		return true;
	return roll_back(job, err);
}
