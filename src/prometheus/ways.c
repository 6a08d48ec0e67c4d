/* By which ways Alertmanager tells people, and what became of what it sent by them. Its answer to an alert does not say:
 * the counters do. */
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"
#include "prometheus/alertmanager.h"
#include "prometheus/call.h"

#define WAYS_MAX 64

static bool is_named(const char *text, struct slice name)
{
	return text && slice_eq_str(name, text);
}

static void add_way(struct alertmanager_ways *ways, struct slice name)
{
	for (size_t i = 0; i < ways->count; i++) {
		if (is_named(ways->items[i].integration, name))
			return;
	}
	if (ways->count == WAYS_MAX)
		return;
	ways->items = mem_realloc(ways->items, ways->count + 1, sizeof *ways->items);
	ways->items[ways->count++] =
		(struct alertmanager_way){ .integration =
						   mem_strndup((const char *)name.ptr, name.len) };
}

static bool holds(const json_t *names, struct slice name)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		if (is_named(json_string_value(json_array_get(names, i)), name))
			return true;
	}
	return false;
}

/* A name as YAML has it, without its quotes. Names that need escapes are not found. */
static struct slice scalar(const char *text, size_t len)
{
	if (len >= 2 && (*text == '"' || *text == '\'') && text[len - 1] == *text)
		return slice_of(text + 1, len - 2);
	return slice_of(text, len);
}

/* "  KIND_configs:" is KIND; empty: it is another line. */
static struct slice kind_of(const char *line, size_t len)
{
	static const char tail[] = "_configs:";
	const size_t tail_len = sizeof tail - 1;
	bool is_kind = len > 2 + tail_len && memcmp(line, "  ", 2) == 0 && line[2] != ' ' &&
		       memcmp(line + len - tail_len, tail, tail_len) == 0;
	return is_kind ? slice_of(line + 2, len - 2 - tail_len) : slice_of(line, 0);
}

/* Alertmanager writes its configuration in one form: "receivers:" at the margin, "- name: NAME" for each, and
 * "  KIND_configs:" of it. */
void alertmanager_ways_take(
	const char *configuration, const json_t *receivers, struct alertmanager_ways *out)
{
	static const char head[] = "- name: ";
	const size_t head_len = sizeof head - 1;
	bool is_inside = false, is_its = false;
	*out = (struct alertmanager_ways){ 0 };
	for (const char *line = configuration; *line;) {
		size_t len = strcspn(line, "\n");
		if (len && *line != ' ' && *line != '-')
			is_inside = slice_eq_str(slice_of(line, len), "receivers:");
		if (is_inside && len > head_len && memcmp(line, head, head_len) == 0)
			is_its = holds(receivers, scalar(line + head_len, len - head_len));
		struct slice kind = kind_of(line, len);
		if (is_inside && is_its && kind.len)
			add_way(out, kind);
		line += len + (line[len] == '\n');
	}
}

bool alertmanager_ways_read(const struct alertmanager *manager, const json_t *receivers,
	struct alertmanager_ways *out, struct error *err)
{
	const struct prometheus_call call = { "Alertmanager", manager->url, "GET", "/api/v2/status",
		NULL };
	*out = (struct alertmanager_ways){ 0 };
	json_t *root = prometheus_json(&call, err);
	if (!root)
		return false;
	alertmanager_ways_take(
		prometheus_text(json_object_get(root, "config"), "original"), receivers, out);
	json_decref(root);
	return true;
}

/* ---- counters ---- */

/* The value behind 'NAME{…integration="KIND"…} '; series of one kind that differ in other labels are added up. */
static double counter(const char *exposition, const char *name, const char *integration)
{
	AUTO(str) char *label = mem_printf("integration=\"%s\"", integration);
	size_t name_len = strlen(name);
	double sum = 0, value;
	for (const char *line = exposition; *line;) {
		size_t len = strcspn(line, "\n");
		const char *end = memrchr(line, '}', len);
		const char *at =
			end ? memmem(line, (size_t)(end - line), label, strlen(label)) : NULL;
		if (at && strncmp(line, name, name_len) == 0 && line[name_len] == '{' &&
			end + 2 < line + len &&
			str_double(slice_of(end + 2, (size_t)(line + len - end - 2)), &value))
			sum += value;
		line += len + (line[len] == '\n');
	}
	return sum;
}

void alertmanager_ways_count(const char *metrics, struct alertmanager_ways *ways)
{
	for (size_t i = 0; i < ways->count; i++) {
		struct alertmanager_way *way = &ways->items[i];
		way->requests = counter(
			metrics, "alertmanager_notification_requests_total", way->integration);
		way->failed = counter(metrics, "alertmanager_notification_requests_failed_total",
			way->integration);
	}
}

char *alertmanager_metrics(const struct alertmanager *manager, struct error *err)
{
	const struct prometheus_call call = { "Alertmanager", manager->url, "GET", "/metrics",
		NULL };
	AUTO(http_answer) struct http_answer answer = { 0 };
	return prometheus_send(&call, &answer, err) ? buf_detach(&answer.body) : NULL;
}

void alertmanager_ways_clear(struct alertmanager_ways *ways)
{
	for (size_t i = 0; i < ways->count; i++)
		free(ways->items[i].integration);
	free(ways->items);
	*ways = (struct alertmanager_ways){ 0 };
}
