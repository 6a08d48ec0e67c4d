/* Alertmanager's HTTP API (version 2): alerts put in and seen, silences, and what it delivered. As a real 0.33 answers. */
#ifndef CCTM_PROMETHEUS_ALERTMANAGER_H
#define CCTM_PROMETHEUS_ALERTMANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct error;

struct alertmanager {
	const char *url; /* borrowed; without a slash at the end */
};

/* ---- alerts ---- */

/* Times are wall time in milliseconds. */
bool alertmanager_put(const struct alertmanager *manager, const json_t *labels,
	const json_t *annotations, int64_t starts_ms, int64_t ends_ms, struct error *err)
	MUST_CHECK;

/* An alert as Alertmanager has it. */
struct alertmanager_seen {
	bool is_silenced, is_inhibited, is_muted; /* told to nobody, for that reason */
	json_t *receivers;			  /* names, an array of texts */
};

/* The alert whose label `name` is `value` (letters and digits). 1: there it is; 0: it is not there; -1: error. */
int alertmanager_find(const struct alertmanager *manager, const char *name, const char *value,
	struct alertmanager_seen *out, struct error *err) MUST_CHECK;
void alertmanager_seen_clear(struct alertmanager_seen *seen);

/* ---- deliveries ---- */

/* A way out of a receiver, with what was tried by it since Alertmanager started, in all receivers together. */
struct alertmanager_way {
	char *integration; /* "webhook" */
	double requests, failed;
};

struct alertmanager_ways {
	struct alertmanager_way *items;
	size_t count;
};

/* Those by which these receivers tell people, as the configuration it runs with says. */
bool alertmanager_ways_read(const struct alertmanager *manager, const json_t *receivers,
	struct alertmanager_ways *out, struct error *err) MUST_CHECK;

/* The same from the configuration as Alertmanager writes it. */
void alertmanager_ways_take(
	const char *configuration, const json_t *receivers, struct alertmanager_ways *out);

/* Its own metrics as text, yours; NULL: error. */
char *alertmanager_metrics(const struct alertmanager *manager, struct error *err) MUST_CHECK;

/* Sets what that text counts by each way. */
void alertmanager_ways_count(const char *metrics, struct alertmanager_ways *ways);
void alertmanager_ways_clear(struct alertmanager_ways *ways);

/* ---- silences ---- */

struct alertmanager_silence {
	const char *id, *comment, *by;
	const char *alertname; /* NULL: it is for something else, or for more */
	const json_t *matchers;
	int64_t starts_ms, ends_ms;
};

/* Those that hold or will. */
struct alertmanager_silences {
	struct alertmanager_silence *items;
	size_t count;
	json_t *root; /* private */
};

bool alertmanager_silences_read(const struct alertmanager *manager,
	struct alertmanager_silences *out, struct error *err) MUST_CHECK;
void alertmanager_silences_take(json_t *root, struct alertmanager_silences *out);
void alertmanager_silences_clear(struct alertmanager_silences *silences);

/* Does a silence hold now for an alert with these labels? Regular expressions are not followed: false. */
bool alertmanager_is_silenced(
	const struct alertmanager_silences *silences, const json_t *labels, int64_t now_ms);

/* For all alerts of that name, from now on; the id is yours. `id` names one to be changed, or is NULL. */
char *alertmanager_silence_set(const struct alertmanager *manager, const char *id,
	const struct alertmanager_silence *silence, struct error *err) MUST_CHECK;
bool alertmanager_silence_end(const struct alertmanager *manager, const char *id, struct error *err)
	MUST_CHECK;

static inline void auto_alertmanager_seen(struct alertmanager_seen *seen)
{
	alertmanager_seen_clear(seen);
}

static inline void auto_alertmanager_ways(struct alertmanager_ways *ways)
{
	alertmanager_ways_clear(ways);
}

static inline void auto_alertmanager_silences(struct alertmanager_silences *silences)
{
	alertmanager_silences_clear(silences);
}

#endif
