#include "prometheus/rules.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"
#include "prometheus/call.h"

static void take_alert(const json_t *from, struct prometheus_alert *out)
{
	const char *value = prometheus_text(from, "value");
	out->labels = json_object_get(from, "labels");
	out->annotations = json_object_get(from, "annotations");
	out->is_firing = strcmp(prometheus_text(from, "state"), "firing") == 0;
	if (!clock_parse(prometheus_text(from, "activeAt"), &out->since_ms))
		out->since_ms = 0;
	if (!str_double(slice_of(value, strlen(value)), &out->value))
		out->value = 0;
}

static void take_rule(const json_t *from, const char *group, struct prometheus_rule *out)
{
	const json_t *alerts = json_object_get(from, "alerts");
	size_t count = json_array_size(alerts);
	out->group = group;
	out->name = prometheus_text(from, "name");
	out->labels = json_object_get(from, "labels");
	out->annotations = json_object_get(from, "annotations");
	out->error = prometheus_text(from, "lastError");
	out->alerts = mem_calloc(count, sizeof *out->alerts);
	for (; out->alert_count < count; out->alert_count++)
		take_alert(
			json_array_get(alerts, out->alert_count), &out->alerts[out->alert_count]);
}

/* Also where a server does not know ?type=alert and tells of recording rules. */
static void take_group(const json_t *group, struct prometheus_rules *out)
{
	const json_t *rules = json_object_get(group, "rules");
	size_t room = out->count + json_array_size(rules);
	out->items = mem_realloc(out->items, room, sizeof *out->items);
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *rule = json_array_get(rules, i);
		if (strcmp(prometheus_text(rule, "type"), "alerting") != 0)
			continue;
		out->items[out->count] = (struct prometheus_rule){ 0 };
		take_rule(rule, prometheus_text(group, "name"), &out->items[out->count++]);
	}
}

void prometheus_rules_take(json_t *root, struct prometheus_rules *out)
{
	const json_t *groups = json_object_get(json_object_get(root, "data"), "groups");
	*out = (struct prometheus_rules){ .root = root };
	for (size_t i = 0; i < json_array_size(groups); i++)
		take_group(json_array_get(groups, i), out);
}

bool prometheus_rules_read(
	const struct prometheus *prometheus, struct prometheus_rules *out, struct error *err)
{
	const struct prometheus_call call = { "Prometheus", prometheus->url, "GET",
		"/api/v1/rules?type=alert", NULL };
	json_t *root = prometheus_json(&call, err);
	*out = (struct prometheus_rules){ 0 };
	if (root)
		prometheus_rules_take(root, out);
	return root != NULL;
}

void prometheus_rules_clear(struct prometheus_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		free(rules->items[i].alerts);
	free(rules->items);
	json_decref(rules->root);
	*rules = (struct prometheus_rules){ 0 };
}

const struct prometheus_rule *prometheus_rules_find(
	const struct prometheus_rules *rules, const char *name)
{
	const struct prometheus_rule *found = NULL;
	for (size_t i = 0; i < rules->count; i++) {
		const struct prometheus_rule *rule = &rules->items[i];
		if (strcmp(rule->name, name) == 0 && (!found || !found->alert_count))
			found = rule;
	}
	return found;
}
