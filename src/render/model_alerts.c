/* config/rules/alerts.yml: budgets, their steps, and the weeks with which an hour is compared. */
#include "core/mem.h"
#include "core/str.h"
#include "render/model_internal.h"

#define SLOW_INTERVAL_MS 240000 /* less than the five minutes for which Prometheus takes a sample */
#define WEEK_MS		 (7 * 24 * INT64_C(3600000))

/* What is recorded of the cost in each period, by the label that tells whose it was. */
static const struct {
	const char *key, *period, *recorded;
} periods[] = { { "daily_usd", "day", "today" }, { "weekly_usd", "week", "week" },
	{ "monthly_usd", "month", "month" } };

static const struct {
	const char *key, *scope, *label;
} scopes[] = { { "", "all", "" }, { "per_user.", "user", "user" },
	{ "per_team.", "team", "team_id" }, { "per_model.", "model", "model" } };

static struct data *budget(size_t scope, size_t period, int64_t thousandths)
{
	struct data *item = data_map();
	data_set(item, "period", data_text(periods[period].period));
	data_set(item, "scope", data_text(scopes[scope].scope));
	data_set(item, "label", data_text(scopes[scope].label));
	data_set(item, "spent",
		model_take(mem_printf("claude_code_cost_usage_USD:%s", periods[period].recorded)));
	data_set(item, "usd", model_decimal(thousandths));
	return item;
}

static void add_budgets(struct data *root, const struct config *config)
{
	struct data *list = data_list();
	for (size_t s = 0; s < sizeof scopes / sizeof *scopes; s++) {
		for (size_t p = 0; p < sizeof periods / sizeof *periods; p++) {
			AUTO(str)
			char *key = mem_printf("budgets.%s%s", scopes[s].key, periods[p].key);
			if (!config_is_null(config, key))
				data_append(list, budget(s, p, config_number(config, key)));
		}
	}
	data_set(root, "has_budgets", data_bool(data_count(list) > 0));
	data_set(root, "budgets", list);
}

static void add_steps(struct data *root)
{
	static const struct {
		const char *share, *percent, *severity;
	} steps[] = { { "0.5", "50", "info" }, { "0.8", "80", "warning" },
		{ "1", "100", "critical" } };
	struct data *list = data_list();
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct data *item = data_map();
		data_set(item, "share", data_text(steps[i].share));
		data_set(item, "percent", data_text(steps[i].percent));
		data_set(item, "severity", data_text(steps[i].severity));
		data_append(list, item);
	}
	data_set(root, "steps", list);
}

/* The weeks with which an hour is compared; `half_ms` is half of the time without data that is told of. */
static void add_weeks(struct data *root, int64_t half_ms)
{
	struct data *list = data_list();
	for (int64_t week = 1; week <= 4; week++) {
		struct data *item = data_map();
		data_set(item, "number", data_int(week));
		data_set(item, "ago", model_take(model_days(week * WEEK_MS)));
		data_set(item, "ago_and_half", model_take(model_days(week * WEEK_MS + half_ms)));
		data_set(item, "or", data_bool(week > 1));
		data_append(list, item);
	}
	data_set(root, "weeks", list);
}

void model_add_alerts(struct data *root, const struct config *config)
{
	bool is_bridge = service_receiver(config) == SERVICE_BRIDGE;
	bool is_told = !config_is_null(config, "alerts.no_data_after");
	int64_t after_ms = is_told ? config_number(config, "alerts.no_data_after") : 0;
	add_budgets(root, config);
	add_steps(root);
	add_weeks(root, after_ms / 2);
	data_set(root, "slow_interval", model_take(str_duration(SLOW_INTERVAL_MS)));
	data_set(root, "has_ingest_alerts", data_bool(is_told || is_bridge));
	data_set(root, "no_data_after", model_take(is_told ? model_days(after_ms) : NULL));
	data_set(root, "no_data_half", model_take(model_days(after_ms / 2)));
	/* Longer than from one evaluation to the next, shorter than a silence that is told of. */
	data_set(root, "no_data_latch",
		model_take(model_days(after_ms / 2 > 2 * SLOW_INTERVAL_MS ? after_ms / 2
									  : 2 * SLOW_INTERVAL_MS)));
	data_set(root, "is_within_week", data_bool(after_ms <= WEEK_MS));
}
