#include "prometheus/prometheus.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"
#include "prometheus/call.h"

static json_t *ask(const struct prometheus *prometheus, const char *path, struct error *err)
{
	const struct prometheus_call call = { "Prometheus", prometheus->url, "GET", path, NULL };
	return prometheus_json(&call, err);
}

/* RFC 3986: what is not unreserved is percent-encoded. */
static void add_encoded(struct buf *out, const char *text)
{
	for (const char *at = text; *at; at++) {
		unsigned char c = (unsigned char)*at;
		if (isalnum(c) || strchr("-._~", c))
			buf_addc(out, *at);
		else
			buf_addf(out, "%%%02X", c);
	}
}

/* [time, "value"]; "NaN" and "+Inf" are no numbers to us. */
static bool read_value(const json_t *pair, double *out)
{
	const char *text = json_string_value(json_array_get(pair, 1));
	return text && str_double(slice_of(text, strlen(text)), out);
}

bool prometheus_vector_take(json_t *root, struct prometheus_vector *out)
{
	const json_t *data = json_object_get(root, "data");
	const json_t *result = json_object_get(data, "result");
	size_t count = json_array_size(result);
	*out = (struct prometheus_vector){ .root = root };
	if (!json_is_array(result) || strcmp(prometheus_text(data, "resultType"), "vector") != 0) {
		prometheus_vector_clear(out);
		return false;
	}
	out->items = mem_calloc(count, sizeof *out->items);
	for (size_t i = 0; i < count; i++) {
		const json_t *one = json_array_get(result, i);
		struct prometheus_sample *sample = &out->items[out->count];
		sample->labels = json_object_get(one, "metric");
		out->count += read_value(json_object_get(one, "value"), &sample->value);
	}
	return true;
}

bool prometheus_query(const struct prometheus *prometheus, const char *expression,
	struct prometheus_vector *out, struct error *err)
{
	AUTO(buf) struct buf path = BUF_INIT(BUF_UNLIMITED);
	*out = (struct prometheus_vector){ 0 };
	buf_adds(&path, "/api/v1/query?query=");
	add_encoded(&path, expression);
	json_t *root = ask(prometheus, buf_str(&path), err);
	if (!root)
		return false;
	return prometheus_vector_take(root, out) ||
	       error_set(err, ERR_FAILED, "Prometheus' answer to a query is no vector");
}

void prometheus_vector_clear(struct prometheus_vector *vector)
{
	free(vector->items);
	json_decref(vector->root);
	*vector = (struct prometheus_vector){ 0 };
}

const char *prometheus_label(const struct prometheus_sample *sample, const char *name)
{
	return prometheus_text(sample->labels, name);
}

bool prometheus_alertmanagers(const struct prometheus *prometheus, size_t *out, struct error *err)
{
	json_t *root = ask(prometheus, "/api/v1/alertmanagers", err);
	if (!root)
		return false;
	const json_t *active =
		json_object_get(json_object_get(root, "data"), "activeAlertmanagers");
	*out = json_array_size(active);
	json_decref(root);
	return true;
}
