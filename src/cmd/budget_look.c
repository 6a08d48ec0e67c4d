/* What was spent of each budget: asked of Prometheus' recorded series, or added up from the ledger. */
#include <stdlib.h>
#include <string.h>

#include "cmd/budget_internal.h"
#include "config/bridge_dir.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "prometheus/prometheus.h"
#include "render/model.h"
#include "report/period.h"
#include "report/report.h"

#define HOUR INT64_C(3600000)

const char *const budget_period_names[BUDGET_PERIODS] = { "day", "week", "month" };
const char *const budget_scope_names[BUDGET_SCOPES] = { "all", "user", "team", "model" };

/* Where each period begins and a time that surely lies in the next one; its key and its recorded series. */
static const struct {
	const char *key, *series;
	int64_t (*begin)(int64_t ms);
	int64_t beyond_ms;
} periods[BUDGET_PERIODS] = {
	{ "daily_usd", "claude_code_cost_usage_USD:today", period_day, 36 * HOUR },
	{ "weekly_usd", "claude_code_cost_usage_USD:week", period_week, 8 * 24 * HOUR },
	{ "monthly_usd", "claude_code_cost_usage_USD:month", period_month, 35 * 24 * HOUR },
};

static const struct {
	const char *key, *label;
	enum report_by by;
} scopes[BUDGET_SCOPES] = {
	{ "", NULL, BY_DAY },
	{ "per_user.", "user", BY_USER },
	{ "per_team.", "team_id", BY_TEAM },
	{ "per_model.", "model", BY_MODEL },
};

char *budget_key(enum budget_period period, enum budget_scope scope)
{
	return mem_printf("budgets.%s%s", scopes[scope].key, periods[period].key);
}

static double limit_of(
	const struct config *config, enum budget_period period, enum budget_scope scope)
{
	AUTO(str) char *key = budget_key(period, scope);
	return config_is_null(config, key) ? 0 : (double)config_number(config, key) / 1000;
}

void budget_listing_clear(struct budget_listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		free(listing->rows[i].subject);
	free(listing->rows);
	free(listing->why);
	*listing = (struct budget_listing){ 0 };
}

static struct budget_row *add_row(
	struct budget_listing *out, const struct budget_row *budget, const char *subject)
{
	out->rows = mem_grow(out->rows, &out->room, out->count + 1, sizeof *out->rows);
	struct budget_row *row = &out->rows[out->count++];
	*row = *budget;
	row->subject = subject ? mem_strdup(subject) : NULL;
	return row;
}

/* Who spent most first. */
static int compare(const void *a, const void *b)
{
	const struct budget_row *left = a, *right = b;
	int order = (left->spent_usd < right->spent_usd) - (left->spent_usd > right->spent_usd);
	return order ? order : strcmp(left->subject, right->subject);
}

/* One that nobody spent anything of is listed too. */
static void finish_rows(struct budget_listing *out, size_t first, const struct budget_row *budget)
{
	if (out->count == first)
		add_row(out, budget, NULL);
	else if (budget->scope != BUDGET_ALL)
		qsort(out->rows + first, out->count - first, sizeof *out->rows, compare);
}

/* The first reason is the one that is told. */
static void give_up(struct budget_listing *out, const char *why)
{
	out->is_known = false;
	if (!out->why)
		out->why = mem_strdup(why);
}

/* ---- Prometheus ---- */

static void add_vector(struct budget_listing *out, const struct budget_row *budget,
	const struct prometheus_vector *spent)
{
	size_t first = out->count;
	const char *label = scopes[budget->scope].label;
	for (size_t i = 0; i < spent->count; i++) {
		const char *subject = label ? prometheus_label(&spent->items[i], label) : NULL;
		add_row(out, budget, subject)->spent_usd = spent->items[i].value;
	}
	finish_rows(out, first, budget);
}

static void ask_prometheus(const struct prometheus *prometheus, const struct budget_row *budget,
	struct budget_listing *out)
{
	AUTO(error) struct error why = ERROR_INIT;
	AUTO(prometheus_vector) struct prometheus_vector spent = { 0 };
	const char *label = scopes[budget->scope].label, *series = periods[budget->period].series;
	AUTO(str)
	char *query = label ? mem_printf("sum by (%s) (%s{%s!=\"\"})", label, series, label)
			    : mem_printf("sum(%s)", series);
	if (out->is_known && !prometheus_query(prometheus, query, &spent, &why))
		give_up(out, why.message);
	add_vector(out, budget, &spent);
}

static enum budget_period period_of(const struct prometheus_sample *sample)
{
	enum budget_period period = 0;
	const char *name = prometheus_label(sample, "period");
	while (period < BUDGET_PERIODS && strcmp(budget_period_names[period], name) != 0)
		period++;
	return period;
}

/* What was not counted in a period has no series. Only where its clock is recorded, that is a zero. */
static void read_passed(const struct prometheus *prometheus, struct budget_listing *out)
{
	AUTO(error) struct error why = ERROR_INIT;
	AUTO(prometheus_vector) struct prometheus_vector passed = { 0 };
	out->is_known = true;
	if (!prometheus_query(prometheus, "claude_code:passed", &passed, &why)) {
		give_up(out, why.message);
		return;
	}
	if (passed.count == 0)
		give_up(out, "Prometheus has recorded no totals yet");
	for (size_t i = 0; i < passed.count; i++) {
		enum budget_period period = period_of(&passed.items[i]);
		if (period < BUDGET_PERIODS)
			out->passed[period] = passed.items[i].value;
	}
}

static size_t count_budgets(const struct config *config)
{
	size_t count = 0;
	for (enum budget_period p = 0; p < BUDGET_PERIODS; p++) {
		for (enum budget_scope s = 0; s < BUDGET_SCOPES; s++)
			count += limit_of(config, p, s) > 0;
	}
	return count;
}

/* The budgets that its alerts go by. */
static bool goes_by_others(const struct prometheus *prometheus, const struct config *config)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(prometheus_vector) struct prometheus_vector loaded = { 0 };
	size_t wanted = count_budgets(config), equal = 0;
	if (!prometheus_query(prometheus, "claude_code:budget_usd", &loaded, &ignored))
		return false;
	for (size_t i = 0; i < loaded.count; i++) {
		enum budget_period period = period_of(&loaded.items[i]);
		enum budget_scope scope = 0;
		const char *name = prometheus_label(&loaded.items[i], "scope");
		while (scope < BUDGET_SCOPES && strcmp(budget_scope_names[scope], name) != 0)
			scope++;
		double limit = period < BUDGET_PERIODS && scope < BUDGET_SCOPES
				       ? limit_of(config, period, scope)
				       : 0;
		equal += limit > 0 && limit - loaded.items[i].value < 0.0005 &&
			 loaded.items[i].value - limit < 0.0005;
	}
	return equal != wanted || loaded.count != wanted;
}

/* ---- the ledger ---- */

#define USER_ID_DIGITS 64
#define USER_ID_SHOWN  8

/* Who has nothing but a user.id is called by its first digits, as in the recording rules and the bridge's alerts. */
static int subject_len(enum budget_scope scope, const char *key)
{
	size_t len = strlen(key);
	bool is_id = scope == BUDGET_USER && len == USER_ID_DIGITS &&
		     strspn(key, "0123456789abcdef") == len;
	return is_id ? USER_ID_SHOWN : (int)len;
}

static void add_report(
	struct budget_listing *out, const struct budget_row *budget, const struct report *report)
{
	size_t first = out->count;
	if (budget->scope == BUDGET_ALL && report->has_source)
		add_row(out, budget, NULL)->spent_usd = figures_value(&report->totals, FIGURE_COST);
	for (size_t i = 0; budget->scope != BUDGET_ALL && i < report->group_count; i++) {
		const struct report_group *group = report->groups[i];
		double spent = figures_value(&group->figures, FIGURE_COST);
		AUTO(str)
		char *subject =
			mem_printf("%.*s", subject_len(budget->scope, group->key), group->key);
		if (*subject && spent > 0)
			add_row(out, budget, subject)->spent_usd = spent;
	}
	finish_rows(out, first, budget);
}

static void read_ledger(const char *dir, const struct budget_row *budget, int64_t now_ms,
	struct budget_listing *out)
{
	AUTO(error) struct error why = ERROR_INIT;
	AUTO(report) struct report report = { 0 };
	int64_t begin_ms = periods[budget->period].begin(now_ms);
	int64_t end_ms =
		periods[budget->period].begin(begin_ms + periods[budget->period].beyond_ms);
	const struct report_query query = {
		.since_ms = begin_ms, .until_ms = now_ms + 1, .by = scopes[budget->scope].by
	};
	out->passed[budget->period] = (double)(now_ms - begin_ms) / (double)(end_ms - begin_ms);
	if (!report_from_ledger(dir, &query, &report, &why))
		give_up(out, why.message);
	else if (!report.has_source)
		give_up(out, "the bridge has kept nothing yet");
	add_report(out, budget, &report);
}

/* ---- both ---- */

void budget_look(const struct loaded *stack, struct budget_listing *out)
{
	bool is_embedded = stack->runtime == RUNTIME_EMBEDDED;
	AUTO(str) char *url = model_url(&stack->config, "ports.prometheus", "");
	AUTO(str) char *dir = bridge_dir(stack->dir, &stack->config);
	const struct prometheus prometheus = { .url = url };
	int64_t now_ms = clock_wall_ms();
	out->source = is_embedded ? "ledger" : "prometheus";
	out->is_known = true;
	if (!count_budgets(&stack->config))
		return;
	if (!is_embedded)
		read_passed(&prometheus, out);
	for (enum budget_period p = 0; p < BUDGET_PERIODS; p++) {
		for (enum budget_scope s = 0; s < BUDGET_SCOPES; s++) {
			const struct budget_row budget = {
				.period = p, .scope = s, .limit_usd = limit_of(&stack->config, p, s)
			};
			if (budget.limit_usd > 0 && is_embedded)
				read_ledger(dir, &budget, now_ms, out);
			else if (budget.limit_usd > 0)
				ask_prometheus(&prometheus, &budget, out);
		}
	}
	out->is_stale =
		!is_embedded && out->is_known && goes_by_others(&prometheus, &stack->config);
}
