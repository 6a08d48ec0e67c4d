/* What is shown of budgets and alerts: GET /alerts, /metrics, the status page. */
#include <inttypes.h>
#include <stdlib.h>

#include <jansson.h>

#include "bridge/alarm_internal.h"
#include "bridge/alerts/message.h"
#include "bridge/expose/text.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/zone.h"

static json_t *last_json(const struct alarm *a)
{
	char at[ZONE_TEXT_MAX];
	if (!a || !a->last.at_ms)
		return json_null();
	zone_rfc3339(a->last.at_ms, at);
	json_t *error = a->last.error ? json_string(a->last.error) : NULL;
	return json_pack("{s:s, s:s, s:b, s:o}", "at", at, "channel",
		alert_channel_name(a->last.channel), "ok", a->last.is_ok, "error",
		error ? error : json_null());
}

void daemon_alerts_page(struct daemon *d, struct serve_page *page)
{
	struct alarm *a = d->alarm;
	if (a)
		alarm_look(d, clock_mono_ms());
	json_t *list = a ? message_list(a->alerts, &a->options, a->spending) : json_array();
	json_t *json = json_pack("{s:i, s:o, s:o}", "schema_version", 1, "alerts", list,
		"last_notification", last_json(a));
	char *text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	json_decref(json);
	page->content_type = "application/json";
	buf_adds(&page->body, text ? text : "{}");
	buf_addc(&page->body, '\n');
	free(text);
}

static void put_spent(const struct alarm *a, struct buf *out)
{
	expose_family(out, "cctm_budget_spent_usd", "gauge",
		"What was spent since the running day, week and month began in the bridge's time "
		"zone");
	for (unsigned p = 0; p < PERIOD_COUNT; p++) {
		AUTO(str)
		char *labels = mem_printf(
			"period=\"%s\",scope=\"all\"", budget_period_name((enum budget_period)p));
		expose_labelled(out, "cctm_budget_spent_usd", labels,
			spending_of(a->spending, (enum budget_period)p, SPENDING_ALL));
	}
}

static void put_limits(const struct alarm *a, struct buf *out)
{
	expose_family(out, "cctm_budget_limit_usd", "gauge",
		"What may be spent: by all together, or by each user, team or model");
	for (unsigned i = 0; i < PERIOD_COUNT * SCOPE_COUNT; i++) {
		enum budget_period period = (enum budget_period)(i / SCOPE_COUNT);
		enum budget_scope scope = (enum budget_scope)(i % SCOPE_COUNT);
		double limit_usd = a->options.budgets.limit_usd[period][scope];
		AUTO(str)
		char *labels = mem_printf("period=\"%s\",scope=\"%s\"", budget_period_name(period),
			budget_scope_name(scope));
		if (limit_usd > 0)
			expose_labelled(out, "cctm_budget_limit_usd", labels, limit_usd);
	}
	expose_family(out, "cctm_budget_unheld_points_total", "counter",
		"Points of users, teams and models beyond those that are held against a budget of "
		"their own");
	expose_value(out, "cctm_budget_unheld_points_total", NULL, NULL,
		(double)spending_unheld(a->spending));
}

static void put_notifications(const struct alarm *a, struct buf *out)
{
	static const char *const outcomes[OUTCOME_COUNT] = { "ok", "failed", "given_up" };
	expose_family(out, "cctm_notifications_total", "counter",
		"Notifications of alerts since the start: told, failed and tried again, given up");
	for (unsigned i = 0; i < CHANNEL_COUNT * OUTCOME_COUNT; i++) {
		unsigned channel = i / OUTCOME_COUNT, outcome = i % OUTCOME_COUNT;
		AUTO(str)
		char *labels = mem_printf("channel=\"%s\",outcome=\"%s\"",
			alert_channel_name((enum alert_channel)channel), outcomes[outcome]);
		if (a->argv[channel])
			expose_labelled(out, "cctm_notifications_total", labels,
				(double)a->outcomes[channel][outcome]);
	}
}

void daemon_alerts_metrics(struct daemon *d, struct buf *out)
{
	const struct alarm *a = d->alarm;
	if (!a)
		return;
	alarm_look(d, clock_mono_ms());
	if (a->spending) {
		put_spent(a, out);
		put_limits(a, out);
	}
	expose_family(out, "cctm_alerts_firing", "gauge", "Alerts of the bridge that fire now");
	for (unsigned k = 0; k < ALERT_KINDS; k++)
		expose_value(out, "cctm_alerts_firing", "name", alert_kind_name((enum alert_kind)k),
			(double)alerts_firing(a->alerts, (enum alert_kind)k));
	if (a->argv[CHANNEL_WEBHOOK] || a->argv[CHANNEL_COMMAND])
		put_notifications(a, out);
}

/* ---- the status page ---- */

static const char *phrase(enum budget_period period)
{
	static const char *const words[PERIOD_COUNT] = { "today", "this week", "this month" };
	return words[period];
}

/* How many of a scope have come how far. */
static void status_each(const struct alarm *a, enum budget_period period, enum budget_scope scope,
	double limit_usd, struct buf *out)
{
	size_t over = 0, near = 0, all = 0;
	for (size_t i = 0; i < spending_count(a->spending); i++) {
		double value_usd = spending_of(a->spending, period, i);
		if (spending_scope(a->spending, i) != scope || value_usd <= 0)
			continue;
		int step = budget_step(value_usd, limit_usd);
		all++;
		over += step >= 100;
		near += step >= 80 && step < 100;
	}
	status_row(out, phrase(period),
		"$%.2f for each %s: %zu of %zu have reached it, %zu more 80 %% of it", limit_usd,
		budget_scope_name(scope), over, all, near);
}

static void status_budgets(const struct alarm *a, struct buf *out)
{
	buf_adds(out, "\nBudgets\n");
	for (unsigned i = 0; i < PERIOD_COUNT * SCOPE_COUNT; i++) {
		enum budget_period period = (enum budget_period)(i / SCOPE_COUNT);
		enum budget_scope scope = (enum budget_scope)(i % SCOPE_COUNT);
		double limit_usd = a->options.budgets.limit_usd[period][scope];
		if (limit_usd <= 0)
			continue;
		if (scope != SCOPE_ALL) {
			status_each(a, period, scope, limit_usd, out);
			continue;
		}
		double value_usd = spending_of(a->spending, period, SPENDING_ALL);
		status_row(out, phrase(period), "$%.2f of $%.2f, %.0f %%", value_usd, limit_usd,
			100 * value_usd / limit_usd);
	}
	if (spending_unheld(a->spending))
		status_row(out, "beyond the bound",
			"%" PRIu64 " points of users, teams and models that are not told apart",
			spending_unheld(a->spending));
}

static void status_channel(const struct alarm *a, enum alert_channel channel, struct buf *out)
{
	const uint64_t *outcomes = a->outcomes[channel];
	status_row(out, alert_channel_name(channel),
		"%" PRIu64 " told, %" PRIu64 " failed and tried again, %" PRIu64 " given up",
		outcomes[OUTCOME_OK], outcomes[OUTCOME_FAILED], outcomes[OUTCOME_GIVEN_UP]);
}

void daemon_alerts_status(struct daemon *d, struct buf *out)
{
	const struct alarm *a = d->alarm;
	if (!a)
		return;
	alarm_look(d, clock_mono_ms());
	if (a->spending)
		status_budgets(a, out);
	buf_adds(out, "\nAlerts\n");
	status_row(out, "firing", "%zu of budgets%s",
		alerts_firing(a->alerts, ALERT_BUDGET_REACHED),
		alerts_no_data(a->alerts) ? "; no data comes" : "");
	for (unsigned c = 0; c < CHANNEL_COUNT; c++) {
		if (a->argv[c])
			status_channel(a, (enum alert_channel)c, out);
	}
	if (a->last.at_ms) {
		char at[ZONE_TEXT_MAX];
		zone_rfc3339(a->last.at_ms, at);
		status_row(out, "last notification", "%s, %s%s%s", at,
			a->last.is_ok ? "told" : "failed", a->last.error ? ": " : "",
			a->last.error ? a->last.error : "");
	}
}
