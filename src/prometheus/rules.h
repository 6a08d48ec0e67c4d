/* The alert rules of a Prometheus and what they say at the moment (GET /api/v1/rules). */
#ifndef CCTM_PROMETHEUS_RULES_H
#define CCTM_PROMETHEUS_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "core/cleanup.h"
#include "prometheus/prometheus.h"

/* What a rule found: its labels and annotations are filled in. All is borrowed from the rules. */
struct prometheus_alert {
	const json_t *labels, *annotations;
	bool is_firing;	  /* false: pending, for it has to last */
	int64_t since_ms; /* wall time; 0: not said */
	double value;	  /* 0: it is no number */
};

struct prometheus_rule {
	const char *group, *name;
	const json_t *labels, *annotations; /* as they stand in the file */
	const char *error;		    /* of its last evaluation; "": it was fine */
	struct prometheus_alert *alerts;    /* none: it is inactive */
	size_t alert_count;
};

struct prometheus_rules {
	struct prometheus_rule *items; /* in the order of the files */
	size_t count;
	json_t *root; /* private */
};

bool prometheus_rules_read(const struct prometheus *prometheus, struct prometheus_rules *out,
	struct error *err) MUST_CHECK;

/* From the answer's JSON, which it takes. */
void prometheus_rules_take(json_t *root, struct prometheus_rules *out);
void prometheus_rules_clear(struct prometheus_rules *rules);

/* The first of that name, preferably one with alerts; NULL: there is none. */
const struct prometheus_rule *prometheus_rules_find(
	const struct prometheus_rules *rules, const char *name);

static inline void auto_prometheus_rules(struct prometheus_rules *rules)
{
	prometheus_rules_clear(rules);
}

#endif
