#include "loaded/received.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"
#include "http/http.h"
#include "render/model.h"

#define ASK_MS	   3000
#define ANSWER_MAX (64 << 20)

/* Newer Collectors write the name with _total. */
#define POINTS "%7B__name__%3D~%22otelcol_receiver_accepted_metric_points%28_total%29%3F%22%7D"
#define ASK    "/api/v1/query?query="
/* sum(POINTS) */
#define TAKEN ASK "sum%28" POINTS "%29"
/* max(max_over_time(timestamp(increase(POINTS[2m]) > 0)[1d:1m])) */
#define LAST                                                       \
	ASK "max%28max_over_time%28timestamp%28increase%28" POINTS \
	    "%5B2m%5D%29%20%3E%200%29%5B1d%3A1m%5D%29%29"

static bool ask(const char *url, struct http_answer *answer, struct error *err)
{
	const struct http_request request = {
		.url = url, .deadline_ms = ASK_MS, .answer_max = ANSWER_MAX
	};
	if (!http_send(&request, answer, err))
		return false;
	return answer->status == 200 ||
	       error_set(err, ERR_NETWORK, "GET %s: it answered %ld", url, answer->status);
}

/* The line "NAME VALUE" of an exposition. */
static bool read_sample(const char *text, const char *name, double *out)
{
	size_t len = strlen(name);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			return str_double(
				slice_of(line + len + 1, strcspn(line + len + 1, " \n")), out);
	}
	return false;
}

static bool ask_bridge(const struct loaded *stack, double *out, struct error *err)
{
	AUTO(http_answer) struct http_answer answer = { 0 };
	AUTO(str) char *url = model_url(&stack->config, "ports.exporter", "/metrics");
	if (!ask(url, &answer, err))
		return false;
	return read_sample(buf_str(&answer.body), "cctm_points_total", out) ||
	       error_set(err, ERR_FAILED, "%s is not a bridge's", url);
}

/* [time, "value"] of the first series; none yet is 0. */
static double value_of(const json_t *root)
{
	const json_t *result = json_object_get(json_object_get(root, "data"), "result");
	const json_t *pair = json_object_get(json_array_get(result, 0), "value");
	const char *text = json_string_value(json_array_get(pair, 1));
	double value = 0;
	return text && str_double(slice_of(text, strlen(text)), &value) ? value : 0;
}

static bool ask_prometheus(
	const struct loaded *stack, const char *query, double *out, struct error *err)
{
	AUTO(http_answer) struct http_answer answer = { 0 };
	AUTO(str) char *url = model_url(&stack->config, "ports.prometheus", query);
	if (!ask(url, &answer, err))
		return false;
	json_t *root = json_loadb(buf_str(&answer.body), answer.body.len, 0, NULL);
	*out = value_of(root);
	bool is_read = root != NULL;
	json_decref(root);
	return is_read || error_set(err, ERR_FAILED, "Prometheus' answer is no JSON");
}

bool received_points(const struct loaded *stack, double *out, struct error *err)
{
	bool is_bridge = stack->runtime == RUNTIME_EMBEDDED ||
			 service_receiver(&stack->config) == SERVICE_BRIDGE;
	return is_bridge ? ask_bridge(stack, out, err) : ask_prometheus(stack, TAKEN, out, err);
}

bool received_last_ms(const struct loaded *stack, int64_t *out, struct error *err)
{
	double seconds = 0;
	if (!ask_prometheus(stack, LAST, &seconds, err))
		return false;
	*out = (int64_t)(seconds * 1000);
	return true;
}
