#include "prometheus/alertmanager.h"

#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/zone.h"
#include "prometheus/call.h"

static struct prometheus_call call_of(
	const struct alertmanager *manager, const char *method, const char *path, const char *json)
{
	return (struct prometheus_call){ "Alertmanager", manager->url, method, path, json };
}

bool alertmanager_put(const struct alertmanager *manager, const json_t *labels,
	const json_t *annotations, int64_t starts_ms, int64_t ends_ms, struct error *err)
{
	char starts[ZONE_TEXT_MAX], ends[ZONE_TEXT_MAX];
	AUTO(http_answer) struct http_answer answer = { 0 };
	zone_rfc3339(starts_ms, starts);
	zone_rfc3339(ends_ms, ends);
	json_t *body = json_pack("[{s:O, s:O, s:s, s:s}]", "labels", labels, "annotations",
		annotations, "startsAt", starts, "endsAt", ends);
	AUTO(str) char *text = json_dumps(body, 0);
	json_decref(body);
	const struct prometheus_call call = call_of(manager, "POST", "/api/v2/alerts", text);
	return prometheus_send(&call, &answer, err);
}

static bool has_items(const json_t *status, const char *name)
{
	return json_array_size(json_object_get(status, name)) > 0;
}

static void take_seen(const json_t *alert, struct alertmanager_seen *out)
{
	const json_t *status = json_object_get(alert, "status");
	const json_t *receivers = json_object_get(alert, "receivers");
	out->is_silenced = has_items(status, "silencedBy");
	out->is_inhibited = has_items(status, "inhibitedBy");
	out->is_muted = has_items(status, "mutedBy");
	out->receivers = json_array();
	for (size_t i = 0; i < json_array_size(receivers); i++)
		json_array_append(
			out->receivers, json_object_get(json_array_get(receivers, i), "name"));
}

int alertmanager_find(const struct alertmanager *manager, const char *name, const char *value,
	struct alertmanager_seen *out, struct error *err)
{
	*out = (struct alertmanager_seen){ 0 };
	AUTO(str)
	char *path = mem_printf("/api/v2/alerts?filter=%s%%3D%%22%s%%22", name, value);
	const struct prometheus_call call = call_of(manager, "GET", path, NULL);
	json_t *root = prometheus_json(&call, err);
	if (!root)
		return -1;
	int found = json_array_size(root) > 0;
	if (found)
		take_seen(json_array_get(root, 0), out);
	json_decref(root);
	return found;
}

void alertmanager_seen_clear(struct alertmanager_seen *seen)
{
	json_decref(seen->receivers);
	*seen = (struct alertmanager_seen){ 0 };
}
