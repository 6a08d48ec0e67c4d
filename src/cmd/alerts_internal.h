/* The parts of cctm alerts: the list (alerts_list.c, printed by alerts_print.c), the test (alerts_try.c), silences
 * (alerts_silence.c), and what the bridge of an embedded stack says (alerts_bridge.c). */
#ifndef CCTM_CMD_ALERTS_INTERNAL_H
#define CCTM_CMD_ALERTS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "command.h"
#include "core/cleanup.h"
#include "loaded/loaded.h"
#include "prometheus/alertmanager.h"
#include "prometheus/prometheus.h"
#include "prometheus/rules.h"

struct error;

struct alerts_args {
	const char *action, *name, *comment;
	int64_t for_ms, timeout_ms;
	bool is_removed, is_dry_run;
};

struct alerts_job {
	struct context *ctx;
	const struct alerts_args *args;
	struct loaded stack;
	char *prometheus_url, *manager_url;
	struct prometheus prometheus;
	struct alertmanager manager;
	bool is_embedded, has_manager;
	int64_t now_ms;
};

/* ---- what a list shows ---- */

enum alerts_state { ALERTS_FIRING, ALERTS_PENDING, ALERTS_FAILING, ALERTS_INACTIVE };

/* A rule without an alert, or one alert of a rule. */
struct alerts_row {
	char *name, *summary, *description, *runbook, *error; /* "" where there is none */
	char *group;
	json_t *labels;
	enum alerts_state state;
	bool has_value, is_silenced;
	double value;
	int64_t since_ms; /* 0: unknown, or inactive */
};

struct alerts_listing {
	struct alerts_row *rows;
	size_t count, room;
	struct alertmanager_silences silences;
	const char *source;	   /* "prometheus", "bridge" */
	json_t *last_notification; /* of the bridge; NULL: none, or another source */
};

struct alerts_row *alerts_listing_add(struct alerts_listing *listing);
void alerts_listing_clear(struct alerts_listing *listing);

static inline void auto_alerts_listing(struct alerts_listing *listing)
{
	alerts_listing_clear(listing);
}

/* ---- what a test went through ---- */

struct alerts_step {
	char *what, *why; /* why: it stopped there; NULL: it did not */
};

struct alerts_trial {
	struct alerts_step *steps;
	size_t count, room;
	bool has_stopped;
};

/* Takes `why`. */
void alerts_trial_add(struct alerts_trial *trial, char *why, const char *what, ...) PRINTF(3, 4);

/* ---- the actions: the exit status, or -1 with err set ---- */

int alerts_list(struct alerts_job *job, struct error *err);
int alerts_try(struct alerts_job *job, struct error *err);
int alerts_silence(struct alerts_job *job, struct error *err);

/* ---- shared ---- */

/* A template without what is filled in: "… is spent". Yours. */
char *alerts_plain(const char *template);

/* Refused when the rules can be read and none has that name. `rules` may have been left empty. */
bool alerts_check_name(struct alerts_job *job, struct prometheus_rules *rules, struct error *err)
	MUST_CHECK;

bool alerts_bridge_list(const struct alerts_job *job, struct alerts_listing *out, struct error *err)
	MUST_CHECK;
bool alerts_bridge_try(const struct alerts_job *job, struct alerts_trial *out, struct error *err)
	MUST_CHECK;

void alerts_print_listing(const struct alerts_job *job, const struct alerts_listing *listing);

#endif
