/* Shared between the files of this room: doctor.c runs the checks, checks.c is the table, one file a group has what they do,
 * facts.c what several of them look at. */
#ifndef CCTM_DOCTOR_DOCTOR_INTERNAL_H
#define CCTM_DOCTOR_DOCTOR_INTERNAL_H

#include <stdarg.h>

#include <jansson.h>

#include "adopt/adopt.h"
#include "config/problems.h"
#include "doctor/doctor.h"
#include "loaded/loaded.h"
#include "prometheus/prometheus.h"
#include "render/provision.h"
#include "stack/compose.h"
#include "stack/containers.h"
#include "stack/preflight.h"

/* Who is asked; the checks of a lane run in one process, and what they find out is kept there. */
enum lane {
	LANE_MACHINE,
	LANE_ENGINE,
	LANE_FILES,
	LANE_CLAUDE,
	LANE_RECEIVER,
	LANE_PROMETHEUS,
	LANE_GRAFANA,
	LANE_TOTALS,
	LANE_COUNT,
};

/* Where a check means anything. */
enum scope {
	SCOPE_ANY,
	SCOPE_STACK, /* settings are known: of cctm.yaml, or of a stack made by hand */
	SCOPE_OWN,   /* there is a cctm.yaml */
	SCOPE_OWN_DOCKER,
	SCOPE_COMPOSE, /* there is a Compose file */
	SCOPE_DOCKER,  /* it runs in containers */
	SCOPE_EMBEDDED,
	SCOPE_COLLECTOR,
	SCOPE_BRIDGE, /* the bridge receives, in a container or not */
};

struct check_outcome {
	enum check_result result;
	char *evidence, *advice;
	char *words[FIX_WORDS_MAX + 1];
	size_t word_count;
	bool is_safe, is_blocked; /* blocked: it was not done, for it waits for another */
	int64_t last_sample_ms;
};

struct check;
struct doctor;
typedef void check_function(struct doctor *d, const struct check *check, struct check_outcome *out);

#define CHECK_NEEDS_MAX 5

struct check {
	struct check_about about;
	enum lane lane;
	enum scope scope;
	check_function *run;
	const char *word; /* what the function is told: a variable's name, a metric's */
	int number;	  /* the same: an enum fault, an enum finding_kind */
	/* Ids of checks that stand above: where one of them fails, this one would say the same in other words. */
	const char *needs[CHECK_NEEDS_MAX];
};

extern const struct check checks[];
extern const size_t check_count;

/* The stack that is looked at, and what was found out about it; the latter is private to facts.c and lives as long as the
 * process of the lane. */
struct doctor {
	const char *given;
	char *dir;	/* absolute; of what is there, or where it was looked for */
	bool is_loaded; /* `stack` has settings that can be used */
	bool is_own;	/* there is a cctm.yaml */
	bool is_hand_made;
	bool is_adopted; /* `adoption` was read */
	struct loaded stack;
	struct adoption adoption;
	char *adopt_fault; /* why the Compose file cannot be understood; NULL: it can, or there is none */
	char *config_fault, *config_hint;

	bool has_findings, has_provision, has_services, has_environment;
	struct findings findings;
	struct provision provision;
	struct compose compose;
	struct compose_services services;
	struct containers containers;
	json_t *environment;
	char *services_fault, *provision_fault, *environment_fault;
	char *exposition, *prometheus_metrics;
	json_t *targets;
	bool has_exposition, has_prometheus_metrics;
};

/* ---- what a check says ---- */

/* Sets the result and what was seen. */
void outcome_say(struct check_outcome *out, enum check_result result, const char *fmt, ...)
	PRINTF(3, 4);
void outcome_advise(struct check_outcome *out, const char *fmt, ...) PRINTF(2, 3);

enum safety { FIX_TO_LOOK_AT, FIX_SAFE };

/* The command of cctm that mends it, for this stack: words behind "cctm -C DIR", ending with NULL. */
void outcome_cctm(struct check_outcome *out, const struct doctor *d, enum safety safety, ...);
/* Another program's. */
void outcome_command(struct check_outcome *out, enum safety safety, ...);
/* It waits for the check `needed`. */
void outcome_block(struct check_outcome *out, const char *needed);
void outcome_clear(struct check_outcome *out);
/* One more word of the command. */
void outcome_word(struct check_outcome *out, const char *word);

/* ---- facts ---- */

void doctor_open(struct doctor *d, const char *given);
void doctor_close(struct doctor *d);

bool doctor_has_docker(const struct doctor *d);
bool doctor_is_bridge(const struct doctor *d);
/* Of the receiver's service: "otel-collector" or "bridge". */
const char *doctor_receiver(const struct doctor *d);

/* Ports, disk, memory. */
const struct findings *doctor_findings(struct doctor *d);
/* What init would do; NULL: it could not be made (provision_fault). */
const struct provision *doctor_provision(struct doctor *d);
/* The containers; NULL: the engine did not say (services_fault). */
const struct compose_services *doctor_services(struct doctor *d);
/* What `cctm env --check --json` says; NULL: it did not (environment_fault). Borrowed. */
const json_t *doctor_environment(struct doctor *d);
/* The receiver's /metrics, and Prometheus' own; NULL: no answer. Borrowed. */
const char *doctor_exposition(struct doctor *d);
const char *doctor_prometheus_metrics(struct doctor *d);
/* Prometheus' targets: the list of active ones; NULL: no answer. Borrowed. */
const json_t *doctor_targets(struct doctor *d);

/* A secret of the stack, yours for secret_free; NULL: it has none of that name. */
char *doctor_secret(const struct doctor *d, const char *name);

/* GET of a port's path; the body, yours; NULL: no answer of status 200, and *why (yours) says so. */
char *doctor_get(const struct doctor *d, const char *port_key, const char *path, char **why);
/* The same as JSON, to be given back with json_decref. */
json_t *doctor_get_json(const struct doctor *d, const char *port_key, const char *path, char **why);

/* Calls `take` for each sample of that name in an exposition. */
void exposition_each(const char *text, const char *name,
	void (*take)(void *ctx, const char *labels, size_t labels_len, double value), void *ctx);
double exposition_sum(const char *text, const char *name); /* 0: there is none */

/* ---- the checks, by file ---- */

/* check_machine.c */
check_function check_engine;
check_function check_finding;
check_function check_other_stack;

/* check_files.c */
check_function check_stack;
check_function check_config;
check_function check_env_file;
check_function check_env_mode;
check_function check_password;
check_function check_token;
check_function check_secrets;
check_function check_gitignore;
check_function check_files_missing;
check_function check_files_stale;
check_function check_files_conflict;
check_function check_files_parse;
check_function check_files_loaded;
check_function check_open;
check_function check_hand_made;
check_function check_compose_readable;
check_function check_fault;

/* check_claude.c */
check_function check_claude_program;
check_function check_claude_version;
check_function check_claude_settings;
check_function check_claude_block;
check_function check_claude_variable;
check_function check_claude_in_the_way;
check_function check_claude_attributes;
check_function check_claude_temporality;
check_function check_claude_running;

/* check_receiver.c */
check_function check_running;
check_function check_restarting;
check_function check_memory_kill;
check_function check_is_ours;
check_function check_probe;
check_function check_logs_path;
check_function check_refused;
check_function check_rejected;
check_function check_protocol;
check_function check_lost;
check_function check_noted;
check_function check_damage;
check_function check_last_sample;

/* check_prometheus.c */
check_function check_job;
check_function check_targets;
check_function check_reload;
check_function check_rules;
check_function check_rule_errors;
check_function check_retention;
check_function check_clock;
check_function check_series;
check_function check_arrived;

/* check_grafana.c */
check_function check_datasource;
check_function check_datasource_url;
check_function check_datasource_name;
check_function check_dashboards;
check_function check_dashboards_old;
check_function check_queries;

/* check_totals.c */
check_function check_ledger;
check_function check_counted;

#endif
