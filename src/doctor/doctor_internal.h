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

#define CHECK_FUNCTIONS(X)                                                                        \
	/* check_machine.c */                                                                     \
	X(check_engine)                                                                           \
	X(check_finding) X(check_other_stack) /* check_files.c */                                 \
		X(check_stack) X(check_config) X(check_env_file) X(check_env_mode)                \
			X(check_password) X(check_token) X(check_secrets) X(check_gitignore) X(   \
				check_files_missing) X(check_files_stale) X(check_files_conflict) \
				X(check_files_parse) X(check_files_loaded) X(check_open)          \
					X(check_hand_made) X(check_compose_readable)              \
						X(check_fault) /* check_claude.c */               \
		X(check_claude_program) X(check_claude_version) X(check_claude_settings)          \
			X(check_claude_block) X(check_claude_variable) X(check_claude_in_the_way) \
				X(check_claude_attributes) X(check_claude_temporality)            \
					X(check_claude_running) /* check_receiver.c */            \
		X(check_running) X(check_restarting) X(check_memory_kill) X(check_is_ours)        \
			X(check_probe) X(check_logs_path) X(check_rejected) X(check_protocol)     \
				X(check_lost) X(check_noted) X(check_damage)                      \
					X(check_last_sample) /* check_prometheus.c */             \
		X(check_job) X(check_targets) X(check_reload) X(check_rules) X(check_rule_errors) \
			X(check_retention) X(check_clock) X(check_series)                         \
				X(check_arrived) /* check_grafana.c */                            \
		X(check_datasource) X(check_datasource_url) X(check_datasource_name)              \
			X(check_dashboards) X(check_dashboards_old)                               \
				X(check_queries) /* check_totals.c */                             \
		X(check_ledger) X(check_counted)

#define X(name) check_function name;
CHECK_FUNCTIONS(X)
#undef X

#endif
