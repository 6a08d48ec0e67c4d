/* The list as text and back: JSON, for it is read when something went wrong, and small.
 *
 * Names are written out rather than numbers, so that a list that grows reads an older text rightly. What a newer cctm
 * wrote and this one does not know is passed over: an alert may then be told of again. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "bridge/alerts/alerts_internal.h"

static const char *const told_names[] = { "nothing", "firing", "all" };

static json_t *alert_json(const struct alert *alert)
{
	json_t *told = json_object();
	for (unsigned c = 0; c < CHANNEL_COUNT; c++)
		json_object_set_new(told, alert_channel_name((enum alert_channel)c),
			json_string(told_names[alert->told[c]]));
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:I, s:f, s:f, s:I, s:I, s:I, s:o}", "name",
		alert_kind_name(alert->kind), "period", budget_period_name(alert->period), "scope",
		budget_scope_name(alert->scope), "subject", alert->subject, "percent",
		alert->percent, "begins_ms", (json_int_t)alert->begins_ms, "value_usd",
		isfinite(alert->value_usd) ? alert->value_usd : 0, "limit_usd", alert->limit_usd,
		"since_ms", (json_int_t)alert->since_ms, "ends_ms", (json_int_t)alert->ends_ms,
		"last_sample_ms", (json_int_t)alert->last_sample_ms, "told", told);
}

void alerts_save(const struct alerts *a, struct buf *out)
{
	json_t *list = json_array();
	for (size_t i = 0; i < a->count; i++)
		json_array_append_new(list, alert_json(&a->items[i]));
	char *text = json_dumps(list, JSON_COMPACT | JSON_REAL_PRECISION(17));
	buf_adds(out, text ? text : "[]");
	free(text);
	json_decref(list);
}

void alerts_kept(struct alerts *a)
{
	a->has_changed = false;
}

/* The place of `name` among `count` names, or `count`. */
static unsigned named(const char *(*name_of)(unsigned i), unsigned count, const char *name)
{
	unsigned i = 0;
	while (i < count && (!name || strcmp(name_of(i), name) != 0))
		i++;
	return i;
}

static const char *kind_of(unsigned i)
{
	return alert_kind_name((enum alert_kind)i);
}

static const char *period_of(unsigned i)
{
	return budget_period_name((enum budget_period)i);
}

static const char *scope_of(unsigned i)
{
	return budget_scope_name((enum budget_scope)i);
}

static const char *told_of(unsigned i)
{
	return told_names[i];
}

static void read_told(const json_t *told, struct alert *alert)
{
	for (unsigned c = 0; c < CHANNEL_COUNT; c++) {
		const char *text = json_string_value(
			json_object_get(told, alert_channel_name((enum alert_channel)c)));
		unsigned found = named(told_of, TOLD_ALL + 1, text);
		alert->told[c] = found > TOLD_ALL ? TOLD_NOTHING : (enum alert_told)found;
	}
}

static void restore_one(struct alerts *a, json_t *json)
{
	const char *name, *period, *scope, *subject;
	json_int_t begins_ms, since_ms, ends_ms, last_sample_ms;
	struct alert alert = { .id = 0 };
	json_t *told;
	if (json_unpack(json, "{s:s, s:s, s:s, s:s, s:i, s:I, s:F, s:F, s:I, s:I, s:I, s:o}",
		    "name", &name, "period", &period, "scope", &scope, "subject", &subject,
		    "percent", &alert.percent, "begins_ms", &begins_ms, "value_usd",
		    &alert.value_usd, "limit_usd", &alert.limit_usd, "since_ms", &since_ms,
		    "ends_ms", &ends_ms, "last_sample_ms", &last_sample_ms, "told", &told) != 0)
		return;
	alert.kind = (enum alert_kind)named(kind_of, ALERT_KINDS, name);
	alert.period = (enum budget_period)named(period_of, PERIOD_COUNT, period);
	alert.scope = (enum budget_scope)named(scope_of, SCOPE_COUNT, scope);
	if (alert.kind == ALERT_KINDS || alert.period == PERIOD_COUNT ||
		alert.scope == SCOPE_COUNT || alert.percent < 0 || alert.percent > 100)
		return;
	alert.begins_ms = begins_ms;
	alert.since_ms = since_ms;
	alert.ends_ms = ends_ms;
	alert.last_sample_ms = last_sample_ms;
	read_told(told, &alert);
	alerts_add(a, &alert, subject);
}

void alerts_restore(struct alerts *a, struct slice saved)
{
	json_t *list = json_loadb((const char *)saved.ptr, saved.len, 0, NULL);
	for (size_t i = 0; i < json_array_size(list); i++)
		restore_one(a, json_array_get(list, i));
	json_decref(list);
	a->has_changed = false;
}
