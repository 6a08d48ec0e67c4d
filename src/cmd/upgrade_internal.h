/* Shared between the files of cctm upgrade: upgrade.c is the story, upgrade_containers.c what is done with containers. */
#ifndef CCTM_CMD_UPGRADE_INTERNAL_H
#define CCTM_CMD_UPGRADE_INTERNAL_H

#include "cmd/cmd.h"
#include "loaded/loaded.h"
#include "loaded/own_dashboards.h"
#include "loaded/snapshot.h"
#include "render/provision.h"
#include "stack/compose.h"
#include "stack/containers.h"

struct upgrade_args {
	int64_t timeout_ms;
	bool is_checked, is_dry_run, has_backup;
	const char *pull;
};

struct upgrade_job {
	struct context *ctx;
	const struct upgrade_args *args;
	struct loaded stack;
	struct provision provision;
	struct compose compose;
	struct compose_services services;
	struct containers containers; /* as they run before */
	struct snapshot before;
	char *images[SERVICE_COUNT]; /* of the compose file as it lies there */
	const char
		*wanted[SERVICE_COUNT]; /* as the configuration has them; NULL: no such service */
	const char *known
		[SERVICE_COUNT]; /* what this cctm would take by itself, where cctm.yaml names another */
	char *bridge_version;	   /* of the embedded one that runs; NULL: none, or unknown */
	struct brought dashboards; /* what becomes of them in Grafana */
	bool runs;
};

/* Finds out what there is and what would be; changes nothing. */
bool upgrade_look_at_containers(struct upgrade_job *job, struct error *err) MUST_CHECK;

/* Files, images, one service after the other, verified; or everything as it was, and an error. */
bool upgrade_containers(struct upgrade_job *job, struct error *err) MUST_CHECK;

static inline bool upgrade_is_shown(const struct upgrade_job *job)
{
	return !job->ctx->is_quiet && !job->ctx->is_json;
}

/* Does this service get another image? */
bool upgrade_changes_image(const struct upgrade_job *job, enum service service);

#endif
