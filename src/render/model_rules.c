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
#define SLOWER_MS   300000		   /* of distributions */
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

/* Is it in "model, type, team_id"? */
static bool has_label(const char *labels, const char *label)
{
	size_t len = strlen(label);
	for (const char *at = strstr(labels, label); at; at = strstr(at + 1, label)) {
		if ((at == labels || at[-1] == ' ') && (at[len] == ',' || !at[len]))
			return true;
	}
	return false;
}

/* Two attributes may be the same label: mcp_server.name, mcp_server_name. */
static void add_label(struct buf *labels, const struct config *config, const char *attribute)
{
	AUTO(str) char *label = catalogue_label(attribute);
	if (!is_listed(config, "labels.drop", attribute) && !has_label(buf_str(labels), label))
		buf_addf(labels, "%s%s", labels->len ? ", " : "", label);
}

static void add_chosen(struct buf *labels, const struct config *config, const char *key)
{
	const struct value *value = &config_setting(config, key)->value;
	for (size_t i = 0; i < value->count; i++)
		add_label(labels, config, value->items[i]);
}

/* "model, type, team_id": the labels of what is counted, besides who it was; of events, what is known of them too. */
static char *counted_labels(const struct config *config, bool is_of_events)
{
	AUTO(buf) struct buf labels = BUF_INIT(BUF_UNLIMITED);
	if (is_of_events)
		add_label(&labels, config, "event.name");
	for (size_t i = 0; i < catalogue_count; i++) {
		const struct catalogue_row *row = &catalogue[i];
		bool is_event_label =
			row->label == EVENT_LABEL_TEXT || row->label == EVENT_LABEL_WORD;
		if (row->kind == CATALOGUE_ATTRIBUTE &&
			(row->is_counted || (is_of_events && is_event_label)))
			add_label(&labels, config, row->name);
	}
	add_chosen(&labels, config, "labels.keep");
	add_chosen(&labels, config, "labels.promote");
	return buf_detach(&labels);
}

/* By what somebody is known, the best last; what labels.drop names is not used. */
static void add_identities(struct data *root, const struct config *config)
{
	static const struct {
		const char *label, *attribute, *pattern;
	} rows[] = { { "installation", "user.id", "(.{1,8}).*" },
		{ "user", "user.id", "(.{1,8}).*" }, { "user", "enduser.id", "(.+)" },
		{ "user", "user.account_uuid", "(.+)" }, { "user", "user.email", "(.+)" } };
	struct data *list = data_list();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (is_listed(config, "labels.drop", rows[i].attribute))
			continue;
		struct data *item = data_map();
		data_set(item, "label", data_text(rows[i].label));
		data_set(item, "from", model_take(catalogue_label(rows[i].attribute)));
		data_set(item, "pattern", data_text(rows[i].pattern));
		data_append(list, item);
	}
	data_set(root, "identities", list);
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

/* Of distributions, which have many series: enough to compare models and tools, and who asked by the mean. */
#define TIME_LABELS   "model, query_source, tool_name"
#define BUCKET_LABELS "le, model, tool_name"

/* A counter and the two series that rules make of it. */
static struct data *counter_item(const char *counter, const char *name, const char *labels)
{
	struct data *item = data_map();
	data_set(item, "counter", data_text(counter));
	data_set(item, "seen", model_take(mem_printf("%s:seen", name)));
	data_set(item, "counted", model_take(mem_printf("%s:counted", name)));
	data_set(item, "labels", data_text(labels));
	return item;
}

static void add_histogram(struct data *distributions, struct data *buckets, const char *series)
{
	AUTO(str) char *count = mem_printf("%s_count", series);
	AUTO(str) char *sum = mem_printf("%s_sum", series);
	AUTO(str) char *bucket = mem_printf("%s_bucket", series);
	data_append(distributions, counter_item(count, count, TIME_LABELS));
	data_append(distributions, counter_item(sum, sum, TIME_LABELS));
	struct data *item = counter_item(bucket, bucket, BUCKET_LABELS);
	data_set(item, "count_seen", model_take(mem_printf("%s:seen", count)));
	data_append(buckets, item);
}

static void add_metrics(struct data *root, const struct config *config)
{
	AUTO(str) char *labels = counted_labels(config, false);
	AUTO(str) char *event_labels = counted_labels(config, true);
	struct data *metrics = data_list();
	struct data *distributions = data_list(), *buckets = data_list();
	for (size_t i = 0; i < catalogue_count; i++) {
		if (catalogue[i].kind != CATALOGUE_METRIC)
			continue;
		AUTO(str) char *series = catalogue_series(&catalogue[i]);
		AUTO(str) char *counter = mem_printf("%s_total", series);
		if (catalogue[i].is_histogram)
			add_histogram(distributions, buckets, series);
		else
			data_append(metrics,
				counter_item(counter, series,
					catalogue[i].is_of_events ? event_labels : labels));
	}
	data_set(root, "metrics", metrics);
	data_set(root, "distributions", distributions);
	data_set(root, "buckets", buckets);
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

char *model_days(int64_t ms)
{
	const int64_t day = 24 * INT64_C(3600000);
	return ms % day == 0 ? mem_printf("%lldd", (long long)(ms / day)) : str_duration(ms);
}

/* How old a point may be that is new to the rules. What is pushed comes with its own time, after an outage as late as
 * Prometheus takes it. */
static struct data *window(const struct config *config, const char *scraped)
{
	bool is_pushed = service_receiver(config) == SERVICE_COLLECTOR &&
			 model_says(config, "collector.export", "remote_write");
	return data_text(is_pushed ? "70m" : scraped);
}

void model_add_counting(struct data *root, const struct config *config)
{
	AUTO(str) char *lookback = model_days(config_number(config, "prometheus.lookback"));
	add_metrics(root, config);
	add_identities(root, config);
	add_running(root);
	add_periods(root);
	add_zone(root);
	data_set(root, "interval", model_take(str_duration(INTERVAL_MS)));
	/* Half an interval, or a missed evaluation would make a minute count twice. */
	data_set(root, "offset", model_take(str_duration(INTERVAL_MS / 2)));
	data_set(root, "slower_interval", model_take(str_duration(SLOWER_MS)));
	data_set(root, "slower_offset", model_take(str_duration(SLOWER_MS / 2)));
	data_set(root, "window", window(config, "10m"));
	data_set(root, "slower_window", window(config, "15m"));
	data_set(root, "lookback", data_text(lookback));
}
