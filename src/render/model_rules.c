/* config/rules/claude-code.yml: what is counted, by which labels, and when days begin. */
#include <stdlib.h>
#include <string.h>

#include "claude/catalogue.h"
#include "core/buf.h"
#include "core/mem.h"
#include "core/str.h"
#include "core/zone.h"
#include "render/model_internal.h"

#define INTERVAL_MS 60000
#define ZONE_FROM   INT64_C(1767225600000) /* 2026-01-01, before the first release */
#define ZONE_UNTIL  INT64_C(2145916800000) /* 2038-01-01 */
#define CHANGES_MAX 64

/* ---- labels ---- */

static bool is_listed(const struct config *config, const char *key, const char *attribute)
{
	const struct value *value = &config_setting(config, key)->value;
	for (size_t i = 0; i < value->count; i++) {
		if (strcmp(value->items[i], attribute) == 0)
			return true;
	}
	return false;
}

static void add_label(struct buf *labels, const struct config *config, const char *attribute)
{
	if (is_listed(config, "labels.drop", attribute))
		return;
	AUTO(str) char *label = catalogue_label(attribute);
	buf_addf(labels, "%s%s", labels->len ? ", " : "", label);
}

static void add_chosen(struct buf *labels, const struct config *config, const char *key)
{
	const struct value *value = &config_setting(config, key)->value;
	for (size_t i = 0; i < value->count; i++) {
		const struct catalogue_row *row =
			catalogue_find(CATALOGUE_ATTRIBUTE, value->items[i]);
		if (!row || !row->is_counted)
			add_label(labels, config, value->items[i]);
	}
}

/* "model, type, team_id": the labels of what is counted, besides who it was. */
static char *counted_labels(const struct config *config)
{
	AUTO(buf) struct buf labels = BUF_INIT(BUF_UNLIMITED);
	for (size_t i = 0; i < catalogue_count; i++) {
		if (catalogue[i].kind == CATALOGUE_ATTRIBUTE && catalogue[i].is_counted)
			add_label(&labels, config, catalogue[i].name);
	}
	add_chosen(&labels, config, "labels.keep");
	add_chosen(&labels, config, "labels.promote");
	return buf_detach(&labels);
}

/* ---- days, weeks, months ---- */

static const struct {
	const char *name, *period;
	const char *number; /* tells one period from the next; of the vector `local` */
	const char *passed; /* the part of it that is over */
	const char *reach;  /* an hour longer than it ever lasts */
} periods[] = {
	{ "today", "day", "floor(claude_code:local_time / 86400)",
		"(claude_code:local_time % 86400) / 86400", "25h" },
	/* The epoch was a Thursday, and weeks begin on Mondays. */
	{ "week", "week", "floor((claude_code:local_time + 3 * 86400) / 604800)",
		"((claude_code:local_time + 3 * 86400) % 604800) / 604800", "169h" },
	{ "month", "month", "12 * year(claude_code:local_time) + month(claude_code:local_time)",
		"(day_of_month(claude_code:local_time) - 1 + (claude_code:local_time % 86400) / "
		"86400) / days_in_month(claude_code:local_time)",
		"745h" },
};

static void add_periods(struct data *root)
{
	struct data *list = data_list();
	for (size_t i = 0; i < sizeof periods / sizeof *periods; i++) {
		struct data *item = data_map();
		data_set(item, "name", data_text(periods[i].name));
		data_set(item, "period", data_text(periods[i].period));
		data_set(item, "number", data_text(periods[i].number));
		data_set(item, "passed", data_text(periods[i].passed));
		data_set(item, "reach", data_text(periods[i].reach));
		data_append(list, item);
	}
	data_set(root, "periods", list);
}

/* PromQL knows no time zones, so the rules hold every change of the clocks until 2038. */
static void add_zone(struct data *root)
{
	struct zone_change changes[CHANGES_MAX];
	size_t count = zone_changes(ZONE_FROM, ZONE_UNTIL, changes, CHANGES_MAX);
	char name[ZONE_TEXT_MAX];
	struct data *list = data_list();
	for (size_t i = 1; i < count; i++) {
		struct data *item = data_map();
		long by = changes[i].seconds - changes[i - 1].seconds;
		data_set(item, "sign", data_text(by < 0 ? "-" : "+"));
		data_set(item, "seconds", data_int(labs(by)));
		data_set(item, "at", data_int(changes[i].at_ms / 1000));
		data_append(list, item);
	}
	zone_name(ZONE_FROM, name);
	data_set(root, "zone", data_text(name));
	data_set(root, "zone_offset", data_int(changes[0].seconds));
	data_set(root, "zone_changes", list);
}

/* ---- what is counted ---- */

static void add_metrics(struct data *root)
{
	struct data *list = data_list();
	for (size_t i = 0; i < catalogue_count; i++) {
		if (catalogue[i].kind != CATALOGUE_METRIC)
			continue;
		struct data *item = data_map();
		AUTO(str) char *series = catalogue_series(&catalogue[i]);
		data_set(item, "counter", model_take(mem_printf("%s_total", series)));
		data_set(item, "seen", model_take(mem_printf("%s:seen", series)));
		data_set(item, "counted", model_take(mem_printf("%s:counted", series)));
		data_append(list, item);
	}
	data_set(root, "metrics", list);
}

/* Cost and tokens are added up by day, week and month as well. */
static void add_running(struct data *root)
{
	static const struct {
		const char *metric, *by;
	} rows[] = { { "claude_code.cost.usage", "user, team_id, model" },
		{ "claude_code.token.usage", "user, team_id, type" } };
	struct data *list = data_list();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct data *item = data_map();
		data_set(item, "series",
			model_take(catalogue_series(
				catalogue_find(CATALOGUE_METRIC, rows[i].metric))));
		data_set(item, "by", data_text(rows[i].by));
		data_append(list, item);
	}
	data_set(root, "running", list);
}

/* As str_duration, but whole days stay days: 14d and not 2w. */
static char *days_or_less(int64_t ms)
{
	const int64_t day = 24 * INT64_C(3600000);
	return ms % day == 0 ? mem_printf("%lldd", (long long)(ms / day)) : str_duration(ms);
}

void model_add_counting(struct data *root, const struct config *config)
{
	AUTO(str) char *lookback = days_or_less(config_number(config, "prometheus.lookback"));
	add_metrics(root);
	add_running(root);
	add_periods(root);
	add_zone(root);
	data_set(root, "labels", model_take(counted_labels(config)));
	data_set(root, "interval", model_take(str_duration(INTERVAL_MS)));
	/* Half an interval, or a missed evaluation would make a minute count twice. */
	data_set(root, "offset", model_take(str_duration(INTERVAL_MS / 2)));
	data_set(root, "lookback", data_text(lookback));
}
