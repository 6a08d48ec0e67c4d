#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/zone.h"
#include "prometheus/alertmanager.h"
#include "prometheus/call.h"

#define PATH "/api/v2/silences"

static bool is_plain(const json_t *matcher)
{
	const json_t *is_equal = json_object_get(matcher, "isEqual");
	return !json_is_true(json_object_get(matcher, "isRegex")) &&
	       (!is_equal || json_is_true(is_equal));
}

static const char *alertname_of(const json_t *matchers)
{
	const json_t *only = json_array_get(matchers, 0);
	bool is_name = json_array_size(matchers) == 1 && is_plain(only) &&
		       strcmp(prometheus_text(only, "name"), "alertname") == 0;
	return is_name ? prometheus_text(only, "value") : NULL;
}

static int64_t time_of(const json_t *object, const char *name)
{
	int64_t ms;
	return clock_parse(prometheus_text(object, name), &ms) ? ms : 0;
}

void alertmanager_silences_take(json_t *root, struct alertmanager_silences *out)
{
	size_t count = json_array_size(root);
	*out = (struct alertmanager_silences){ .root = root,
		.items = mem_calloc(count, sizeof *out->items) };
	for (size_t i = 0; i < count; i++) {
		const json_t *from = json_array_get(root, i);
		const json_t *matchers = json_object_get(from, "matchers");
		if (strcmp(prometheus_text(json_object_get(from, "status"), "state"), "expired") ==
			0)
			continue;
		out->items[out->count++] =
			(struct alertmanager_silence){ .id = prometheus_text(from, "id"),
				.comment = prometheus_text(from, "comment"),
				.by = prometheus_text(from, "createdBy"),
				.alertname = alertname_of(matchers),
				.matchers = matchers,
				.starts_ms = time_of(from, "startsAt"),
				.ends_ms = time_of(from, "endsAt") };
	}
}

bool alertmanager_silences_read(
	const struct alertmanager *manager, struct alertmanager_silences *out, struct error *err)
{
	const struct prometheus_call call = { "Alertmanager", manager->url, "GET", PATH, NULL };
	json_t *root = prometheus_json(&call, err);
	*out = (struct alertmanager_silences){ 0 };
	if (root)
		alertmanager_silences_take(root, out);
	return root != NULL;
}

void alertmanager_silences_clear(struct alertmanager_silences *silences)
{
	free(silences->items);
	json_decref(silences->root);
	*silences = (struct alertmanager_silences){ 0 };
}

static bool matches(const json_t *matchers, const json_t *labels)
{
	for (size_t i = 0; i < json_array_size(matchers); i++) {
		const json_t *one = json_array_get(matchers, i);
		const char *value = prometheus_text(labels, prometheus_text(one, "name"));
		if (!is_plain(one) || strcmp(prometheus_text(one, "value"), value) != 0)
			return false;
	}
	return true;
}

bool alertmanager_is_silenced(
	const struct alertmanager_silences *silences, const json_t *labels, int64_t now_ms)
{
	for (size_t i = 0; i < silences->count; i++) {
		const struct alertmanager_silence *silence = &silences->items[i];
		if (silence->starts_ms <= now_ms && now_ms < silence->ends_ms &&
			matches(silence->matchers, labels))
			return true;
	}
	return false;
}

char *alertmanager_silence_set(const struct alertmanager *manager, const char *id,
	const struct alertmanager_silence *silence, struct error *err)
{
	char starts[ZONE_TEXT_MAX], ends[ZONE_TEXT_MAX];
	zone_rfc3339(silence->starts_ms, starts);
	zone_rfc3339(silence->ends_ms, ends);
	json_t *body = json_pack("{s:[{s:s, s:s, s:b, s:b}], s:s, s:s, s:s, s:s, s:s*}", "matchers",
		"name", "alertname", "value", silence->alertname, "isRegex", 0, "isEqual", 1,
		"startsAt", starts, "endsAt", ends, "createdBy", silence->by, "comment",
		silence->comment, "id", id);
	AUTO(str) char *text = body ? json_dumps(body, 0) : NULL;
	json_decref(body);
	if (!text) {
		error_set(err, ERR_USAGE, "the comment is not Unicode");
		return NULL;
	}
	const struct prometheus_call call = { "Alertmanager", manager->url, "POST", PATH, text };
	json_t *root = prometheus_json(&call, err);
	if (!root)
		return NULL;
	char *given = mem_strdup(prometheus_text(root, "silenceID"));
	json_decref(root);
	return given;
}

bool alertmanager_silence_end(const struct alertmanager *manager, const char *id, struct error *err)
{
	AUTO(http_answer) struct http_answer answer = { 0 };
	AUTO(str) char *path = mem_printf("/api/v2/silence/%s", id);
	const struct prometheus_call call = { "Alertmanager", manager->url, "DELETE", path, NULL };
	return prometheus_send(&call, &answer, err);
}
