/* Prometheus' HTTP API, as far as it is asked: queries, and whom it sends alerts to. The rules are in rules.h, Alertmanager
 * in alertmanager.h.
 *
 *     const struct prometheus prometheus = { .url = url };
 *     AUTO(prometheus_vector) struct prometheus_vector spent = { 0 };
 *     if (!prometheus_query(&prometheus, "sum(claude_code_cost_usage_USD:today)", &spent, err)) …
 */
#ifndef CCTM_PROMETHEUS_PROMETHEUS_H
#define CCTM_PROMETHEUS_PROMETHEUS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct error;

struct prometheus {
	const char *url; /* borrowed; without a slash at the end */
};

struct prometheus_sample {
	const json_t *labels; /* an object of texts; borrowed from the vector */
	double value;
};

struct prometheus_vector {
	struct prometheus_sample *items;
	size_t count;
	json_t *root; /* private */
};

/* An instant query, now. */
bool prometheus_query(const struct prometheus *prometheus, const char *expression,
	struct prometheus_vector *out, struct error *err) MUST_CHECK;
void prometheus_vector_clear(struct prometheus_vector *vector);

/* From the answer's JSON, which it takes; false: it is no vector. */
bool prometheus_vector_take(json_t *root, struct prometheus_vector *out) MUST_CHECK;

/* A label's value; "" when it has none. Borrowed. */
const char *prometheus_label(const struct prometheus_sample *sample, const char *name);

/* How many Alertmanagers it sends alerts to. */
bool prometheus_alertmanagers(const struct prometheus *prometheus, size_t *out, struct error *err)
	MUST_CHECK;

static inline void auto_prometheus_vector(struct prometheus_vector *vector)
{
	prometheus_vector_clear(vector);
}

#endif
