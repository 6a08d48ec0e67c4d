#include "bridge/alerts/message.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash128.h"
#include "core/mem.h"
#include "core/str.h"
#include "core/text.h"
#include "core/zone.h"

#define TEST_NAME	   "Test"
#define FINGERPRINT_DIGITS 16
/* What Alertmanager writes where there is no end: the zero of Go's times. */
#define NO_END "0001-01-01T00:00:00Z"
/* So that nobody has to end a test. */
#define TEST_MS INT64_C(300000)

/* ---- words ---- */

static const char *name_of(const struct alert *alert)
{
	return alert ? alert_kind_name(alert->kind) : TEST_NAME;
}

static const char *severity_of(const struct alert *alert)
{
	if (!alert)
		return "info";
	if (alert->kind == ALERT_NO_DATA)
		return "warning";
	return alert->percent >= 100 ? "critical" : alert->percent >= 80 ? "warning" : "info";
}

static const char *adjective(enum budget_period period)
{
	static const char *const words[PERIOD_COUNT] = { "daily", "weekly", "monthly" };
	return words[period];
}

static char *budget_summary(const struct alert *alert)
{
	const char *word = adjective(alert->period);
	switch (alert->scope) {
	case SCOPE_USER:
		return mem_printf("%s has spent %d %% of a user's %s budget", alert->subject,
			alert->percent, word);
	case SCOPE_TEAM:
		return mem_printf("team %s has spent %d %% of a team's %s budget", alert->subject,
			alert->percent, word);
	case SCOPE_MODEL:
		return mem_printf("%s has cost %d %% of a model's %s budget", alert->subject,
			alert->percent, word);
	case SCOPE_ALL:
	case SCOPE_COUNT:
		break;
	}
	return mem_printf("%d %% of the %s budget is spent", alert->percent, word);
}

static char *summary_of(const struct alert *alert, const struct message_facts *facts)
{
	if (!alert)
		return mem_strdup("a test of cctm's notifications");
	if (alert->kind == ALERT_BUDGET_REACHED)
		return budget_summary(alert);
	AUTO(str) char *span = str_duration(facts->no_data_after_ms);
	return mem_printf("no data from Claude Code for %s", span);
}

static char *silence_description(const struct alert *alert)
{
	char last[ZONE_TEXT_MAX] = "";
	if (alert->last_sample_ms)
		zone_rfc3339(alert->last_sample_ms, last);
	return mem_printf(
		"The last sample came %s%s; on this weekday there were samples in the last "
		"four weeks. 'cctm env --check' compares what Claude Code is told to do "
		"with what runs.",
		*last ? "at " : "", *last ? last : "before the oldest that is kept");
}

static char *description_of(const struct alert *alert)
{
	if (!alert)
		return mem_strdup(
			"Nothing is wrong: somebody asked whether a notification arrives.");
	if (alert->kind == ALERT_NO_DATA)
		return silence_description(alert);
	char since[ZONE_TEXT_MAX];
	zone_rfc3339(alert->begins_ms, since);
	return mem_printf("$%.2f of $%.2f since %s.", alert->value_usd, alert->limit_usd, since);
}

static void starts_at(
	const struct alert *alert, const struct message_facts *facts, char out[ZONE_TEXT_MAX])
{
	zone_rfc3339(alert ? alert->since_ms : facts->now_ms, out);
}

static void ends_at(
	const struct alert *alert, const struct message_facts *facts, char out[ZONE_TEXT_MAX])
{
	int64_t ends_ms = alert ? alert->ends_ms : facts->now_ms + TEST_MS;
	if (ends_ms)
		zone_rfc3339(ends_ms, out);
	else
		snprintf(out, ZONE_TEXT_MAX, "%s", NO_END);
}

/* ---- JSON ---- */

static json_t *labels_json(const struct alert *alert)
{
	json_t *labels = json_pack(
		"{s:s, s:s}", "alertname", name_of(alert), "severity", severity_of(alert));
	if (!alert || alert->kind != ALERT_BUDGET_REACHED)
		return labels;
	AUTO(str) char *percent = mem_printf("%d", alert->percent);
	json_object_set_new(labels, "period", json_string(budget_period_name(alert->period)));
	json_object_set_new(labels, "scope", json_string(budget_scope_name(alert->scope)));
	json_object_set_new(labels, "subject", json_string(alert->subject));
	json_object_set_new(labels, "percent", json_string(percent));
	return labels;
}

static json_t *annotations_json(const struct alert *alert, const struct message_facts *facts)
{
	AUTO(str) char *summary = summary_of(alert, facts);
	AUTO(str) char *description = description_of(alert);
	return json_pack("{s:s, s:s}", "summary", summary, "description", description);
}

/* By it a receiver knows an alert again. */
static json_t *fingerprint_json(const json_t *labels)
{
	char digits[HASH128_DIGITS + 1];
	char *text = json_dumps(labels, JSON_COMPACT | JSON_SORT_KEYS);
	hash128_hex(text ? text : "", text ? strlen(text) : 0, digits);
	free(text);
	return json_stringn(digits, FINGERPRINT_DIGITS);
}

static const char *status_of(bool is_firing)
{
	return is_firing ? "firing" : "resolved";
}

static json_t *alert_json(
	const struct alert *alert, bool is_firing, const struct message_facts *facts)
{
	char starts[ZONE_TEXT_MAX], ends[ZONE_TEXT_MAX];
	starts_at(alert, facts, starts);
	ends_at(alert, facts, ends);
	json_t *labels = labels_json(alert);
	json_t *fingerprint = fingerprint_json(labels);
	return json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:o}", "status", status_of(is_firing),
		"labels", labels, "annotations", annotations_json(alert, facts), "startsAt", starts,
		"endsAt", is_firing && alert ? NO_END : ends, "generatorURL", facts->url,
		"fingerprint", fingerprint);
}

/* What all of them say alike. */
static json_t *common(const json_t *alerts, const char *member)
{
	json_t *same = json_deep_copy(json_object_get(json_array_get(alerts, 0), member));
	for (size_t i = 1; i < json_array_size(alerts); i++) {
		const json_t *other = json_object_get(json_array_get(alerts, i), member);
		const char *key;
		json_t *value;
		void *next;
		json_object_foreach_safe(same, next, key, value)
		{
			if (!json_equal(value, json_object_get(other, key)))
				json_object_del(same, key);
		}
	}
	return same;
}

static void add_json(struct buf *out, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
	buf_adds(out, text ? text : "{}");
	buf_addc(out, '\n');
	free(text);
	json_decref(json);
}

void message_webhook(struct buf *out, const struct alert *const *alerts, size_t count,
	bool is_firing, const struct message_facts *facts)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, alert_json(alerts[i], is_firing, facts));
	const char *name = name_of(alerts[0]);
	AUTO(str) char *group = mem_printf("{}:{alertname=\"%s\"}", name);
	json_t *labels = common(list, "labels"), *annotations = common(list, "annotations");
	add_json(out, json_pack("{s:s, s:s, s:i, s:s, s:s, s:{s:s}, s:o, s:o, s:s, s:o}", "version",
			      "4", "groupKey", group, "truncatedAlerts", 0, "status",
			      status_of(is_firing), "receiver", "cctm", "groupLabels", "alertname",
			      name, "commonLabels", labels, "commonAnnotations", annotations,
			      "externalURL", facts->url, "alerts", list));
}

/* To a billionth: what a sum of decimal fractions misses is not shown. */
static json_t *usd_json(double value)
{
	return json_real(isfinite(value) ? round(value * 1e9) / 1e9 : 0);
}

void message_command(struct buf *out, const struct alert *alert, bool is_firing,
	const struct message_facts *facts)
{
	json_t *json = alert_json(alert, is_firing, facts);
	if (alert && alert->kind == ALERT_BUDGET_REACHED) {
		json_object_set_new(json, "value_usd", usd_json(alert->value_usd));
		json_object_set_new(json, "limit_usd", usd_json(alert->limit_usd));
	}
	add_json(out, json);
}

char **message_environment(
	const struct alert *alert, bool is_firing, const struct message_facts *facts)
{
	bool is_budget = alert && alert->kind == ALERT_BUDGET_REACHED;
	char starts[ZONE_TEXT_MAX];
	starts_at(alert, facts, starts);
	AUTO(str) char *summary = summary_of(alert, facts);
	AUTO(str) char *description = description_of(alert);
	AUTO(str) char *percent = mem_printf("%d", is_budget ? alert->percent : 0);
	AUTO(str) char *value = mem_printf("%.6f", is_budget ? alert->value_usd : 0);
	AUTO(str) char *limit = mem_printf("%.6f", is_budget ? alert->limit_usd : 0);

	const struct {
		const char *name, *value;
		bool is_of_budget;
	} rows[] = {
		{ "NAME", name_of(alert), false },
		{ "STATUS", status_of(is_firing), false },
		{ "SEVERITY", severity_of(alert), false },
		{ "SUMMARY", summary, false },
		{ "DESCRIPTION", description, false },
		{ "STARTS_AT", starts, false },
		{ "PERIOD", is_budget ? budget_period_name(alert->period) : "", true },
		{ "SCOPE", is_budget ? budget_scope_name(alert->scope) : "", true },
		{ "SUBJECT", is_budget ? alert->subject : "", true },
		{ "PERCENT", percent, true },
		{ "VALUE_USD", value, true },
		{ "LIMIT_USD", limit, true },
	};

	size_t count = sizeof rows / sizeof *rows, used = 0;
	char **environment = mem_calloc(count + 1, sizeof *environment);
	/* All are set, or one of the bridge's own environment would be taken for the alert's. */
	for (size_t i = 0; i < count; i++)
		environment[used++] = mem_printf("CCTM_ALERT_%s=%s", rows[i].name,
			rows[i].is_of_budget && !is_budget ? "" : rows[i].value);
	return environment;
}

void message_free_environment(char **environment)
{
	for (size_t i = 0; environment && environment[i]; i++)
		free(environment[i]);
	free(environment);
}

/* ---- the list ---- */

static json_t *since_json(const struct alert *alert)
{
	char since[ZONE_TEXT_MAX];
	if (!alert)
		return json_null();
	zone_rfc3339(alert->since_ms, since);
	return json_string(since);
}

/* Silence has no amounts: 0 would be one. */
static json_t *row_json(enum alert_kind kind, const char *period, const char *scope,
	const char *subject, const struct alert *firing, double value_usd, double limit_usd)
{
	bool is_budget = kind == ALERT_BUDGET_REACHED;
	int percent = firing ? firing->percent : BUDGET_FIRST_STEP;
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o}", "name",
		alert_kind_name(kind), "period", period, "scope", scope, "subject", subject,
		"percent", is_budget ? json_integer(percent) : json_null(), "state",
		firing ? "firing" : "inactive", "value_usd",
		is_budget ? usd_json(value_usd) : json_null(), "limit_usd",
		is_budget ? usd_json(limit_usd) : json_null(), "since", since_json(firing));
}

static void list_budget(json_t *list, const struct alerts *alerts, const struct spending *spending,
	enum budget_period period, size_t subject, double limit_usd)
{
	enum budget_scope scope = spending_scope(spending, subject);
	const char *text = spending_subject(spending, subject);
	double value_usd = spending_of(spending, period, subject);
	if (limit_usd <= 0 || (scope != SCOPE_ALL && value_usd <= 0))
		return;
	json_array_append_new(list,
		row_json(ALERT_BUDGET_REACHED, budget_period_name(period), budget_scope_name(scope),
			text, alerts_step(alerts, period, scope, text), value_usd, limit_usd));
}

json_t *message_list(const struct alerts *alerts, const struct alerts_options *options,
	const struct spending *spending)
{
	json_t *list = json_array();
	for (unsigned p = 0; p < PERIOD_COUNT; p++) {
		for (size_t i = 0; spending && i < spending_count(spending); i++)
			list_budget(list, alerts, spending, (enum budget_period)p, i,
				options->budgets.limit_usd[p][spending_scope(spending, i)]);
	}
	if (options->no_data_after_ms > 0)
		json_array_append_new(
			list, row_json(ALERT_NO_DATA, "", "", "", alerts_no_data(alerts), 0, 0));
	return list;
}
