/* A stack that somebody made by hand, read: what of it belongs into cctm.yaml and .env, where its data lie, what is
 * wrong with it, and what of the user's own cctm's templates have no place for.
 *
 *     AUTO(adoption) struct adoption stack = { 0 };
 *     const struct adopt_request request = { .dir = dir, .variable = config_getenv };
 *     if (!adopt_read(&request, &stack, err))
 *             return false;
 *
 * It only reads: nothing is written, started or asked of Docker. What is read is the Compose file as Compose finds
 * and interpolates it, .env, and the configurations of the Collector, Prometheus and Grafana that the file mounts.
 * Texts in the result are from those files: they may hold anything, and are shown through text_visible.
 *
 * Nothing is assumed. A file that cannot be understood is an error with its place ("docker-compose.yml:7:3: …");
 * a value that cctm.yaml does not allow is a fault and no setting; what is not taken over is listed.
 */
#ifndef CCTM_ADOPT_ADOPT_H
#define CCTM_ADOPT_ADOPT_H

#include <stdbool.h>
#include <stddef.h>

#include "adopt/faults.h"
#include "config/services.h"
#include "core/cleanup.h"

struct error;

#define ADOPT_FINDINGS_MAX 500 /* of each list; more is an error */

struct adopt_request {
	const char *dir; /* in which the Compose file lies */
	/* What the shell of `docker compose` would have set, which wins over .env; NULL: nothing. */
	const char *(*variable)(const char *name);
	/* The Compose file is one of cctm's making: its one anchor, of what all services share, is passed over. */
	bool is_own;
};

/* Differs from cctm's default and is allowed: `text` goes through value_parse_words, and all settings together pass
 * config_check. No key comes twice. */
struct adopt_setting {
	char *key;   /* "ports.grafana" */
	char *text;  /* "3001", "[a, b]" */
	char *where; /* "docker-compose.yml:12" */
};

/* For .env. Never printed. */
struct adopt_secret {
	const char *name; /* "GRAFANA_ADMIN_PASSWORD", "OTLP_BEARER_TOKEN" */
	char *value;
	char *where;
	bool is_weak; /* a well-known word or shorter than 8 characters; then there is a fault too */
};

enum adopt_place { ADOPT_DIRECTORY, ADOPT_VOLUME, ADOPT_NOWHERE };

/* Where a service has its data now. What is not cctm's default place is also a setting (data.prometheus). */
struct adopt_data {
	enum service service;
	enum adopt_place place;
	/* A directory as the Compose file names it ("./data/grafana"), or the volume's name as Docker knows it,
	 * with the project in front; "" of nowhere: it dies with the container. */
	char *source;
	char *where;
	bool exists;		/* of a directory */
	bool is_world_writable; /* of a directory */
};

struct adopt_fault {
	enum fault fault; /* fault_rows has its id, who mends it */
	char *where;
	char *what;   /* what is wrong and what comes of it */
	char *remedy; /* what the new stack does instead, or what the user has to do */
};

/* The user's own, with no place in cctm's templates: it stays in the backup of the replaced files. */
struct adopt_kept {
	char *where;
	char *what;   /* "service node-exporter" */
	char *advice; /* what to do to have it again */
};

struct adoption {
	char *compose_file; /* "compose.yml": the one that Compose takes in this directory */
	struct adopt_setting *settings;
	struct adopt_secret *secrets;
	struct adopt_data *data;
	struct adopt_fault *faults;
	struct adopt_kept *kept;
	/* The YAML files that were read, the Compose file first, as it names them; relative to the directory where
	 * they lie in it. To be moved into the backup: what stays would be read beside the new files, by Compose or
	 * by Grafana, which does not start with two default datasources. */
	char **files;
	size_t setting_count, secret_count, data_count, fault_count, kept_count, file_count;
};

/* ERR_REFUSED: there is no Compose file, or none of its services is one of ours. ERR_CONFIG: a file cannot be
 * understood. */
bool adopt_read(const struct adopt_request *request, struct adoption *out, struct error *err)
	MUST_CHECK;
void adoption_clear(struct adoption *adoption); /* wipes the secrets */

static inline void auto_adoption(struct adoption *adoption)
{
	adoption_clear(adoption);
}

#endif
