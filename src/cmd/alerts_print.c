/* The list of alerts, for people and for programs. */
#include <string.h>

#include "cmd/alerts_internal.h"
#include "core/buf.h"
#include "core/out.h"
#include "core/table.h"
#include "core/text.h"
#include "core/zone.h"
#include "report/words.h"

static const struct {
	const char *name;
	enum style style;
} states[] = {
	[ALERTS_FIRING] = { "firing", STYLE_RED },
	[ALERTS_PENDING] = { "pending", STYLE_YELLOW },
	[ALERTS_FAILING] = { "fails", STYLE_RED },
	[ALERTS_INACTIVE] = { "inactive", STYLE_DIM },
};

static const char *label(const struct alerts_row *row, const char *name)
{
	const char *value = json_string_value(json_object_get(row->labels, name));
	return value ? value : "";
}

static void add_visible(struct table *table, enum style style, const char *text)
{
	AUTO(buf) struct buf visible = BUF_INIT(BUF_UNLIMITED);
	text_visible(&visible, text);
	table_add(table, style, "%s", buf_str(&visible));
}

static void add_row(struct table *table, const struct alerts_row *row, int64_t now_ms)
{
	AUTO(buf) struct buf since = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf value = BUF_INIT(BUF_UNLIMITED);
	if (row->since_ms)
		words_age(&since, now_ms - row->since_ms);
	if (row->has_value)
		buf_addf(&value, "%.6g", row->value);
	add_visible(table, STYLE_BOLD, row->name);
	table_add(table, states[row->state].style, "%s%s", states[row->state].name,
		row->is_silenced ? ", silenced" : "");
	add_visible(table, STYLE_PLAIN, label(row, "severity"));
	table_add(table, STYLE_PLAIN, "%s", buf_str(&since));
	table_add(table, STYLE_PLAIN, "%s", buf_str(&value));
	add_visible(table, row->state == ALERTS_INACTIVE ? STYLE_DIM : STYLE_PLAIN,
		row->state == ALERTS_FAILING ? row->error : row->summary);
}

static void print_silence(struct out *out, const struct alertmanager_silence *silence)
{
	AUTO(buf) struct buf line = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf until = BUF_INIT(BUF_UNLIMITED);
	words_moment(&until, silence->ends_ms);
	text_visible(&line, silence->alertname ? silence->alertname : "other alerts");
	buf_addf(&line, " silenced until %s by ", buf_str(&until));
	text_visible(&line, silence->by);
	if (*silence->comment)
		buf_adds(&line, ": ");
	text_visible(&line, silence->comment);
	out_printf(out, "%s\n", buf_str(&line));
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static void print_last(struct out *out, const json_t *last)
{
	AUTO(buf) struct buf line = BUF_INIT(BUF_UNLIMITED);
	bool is_ok = json_is_true(json_object_get(last, "ok"));
	if (!last)
		return;
	buf_adds(&line, is_ok ? "told by " : "could not tell by ");
	text_visible(&line, text_of(last, "channel"));
	buf_adds(&line, ", at ");
	text_visible(&line, text_of(last, "at"));
	if (!is_ok)
		buf_adds(&line, ": ");
	text_visible(&line, is_ok ? "" : text_of(last, "error"));
	out_printf(out, "%s\n", buf_str(&line));
}

static void print_text(const struct alerts_job *job, const struct alerts_listing *listing)
{
	static const struct table_column columns[] = { { "alert", TABLE_LEFT },
		{ "state", TABLE_LEFT }, { "severity", TABLE_LEFT }, { "since", TABLE_LEFT },
		{ "value", TABLE_RIGHT }, { "summary", TABLE_LEFT } };
	struct out *out = job->ctx->out;
	AUTO(table) struct table *table = table_new(columns, 6);
	for (size_t i = 0; i < listing->count; i++)
		add_row(table, &listing->rows[i], job->now_ms);
	if (listing->count)
		table_print(table, out);
	else
		out_note(out, "there are no alert rules");
	if (listing->silences.count || listing->last_notification)
		out_printf(out, "\n");
	for (size_t i = 0; i < listing->silences.count; i++)
		print_silence(out, &listing->silences.items[i]);
	print_last(out, listing->last_notification);
}

static json_t *moment(int64_t ms)
{
	char text[ZONE_TEXT_MAX];
	if (!ms)
		return json_null();
	zone_rfc3339(ms, text);
	return json_string(text);
}

static json_t *row_json(const struct alerts_row *row)
{
	return json_pack("{s:o, s:o, s:s, s:O, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "name",
		out_json_text(row->name), "group", out_json_text(row->group), "state",
		states[row->state].name, "labels", row->labels, "since", moment(row->since_ms),
		"value", row->has_value ? json_real(row->value) : json_null(), "summary",
		out_json_text(row->summary), "description", out_json_text(row->description),
		"runbook", out_json_text(row->runbook), "silenced", row->is_silenced, "error",
		*row->error ? out_json_text(row->error) : json_null());
}

static json_t *silence_json(const struct alertmanager_silence *silence)
{
	return json_pack("{s:o, s:o, s:O, s:o, s:o, s:o, s:o}", "id", out_json_text(silence->id),
		"alert", out_json_text(silence->alertname), "matchers", silence->matchers, "from",
		moment(silence->starts_ms), "until", moment(silence->ends_ms), "by",
		out_json_text(silence->by), "comment", out_json_text(silence->comment));
}

static void print_json(const struct alerts_job *job, const struct alerts_listing *listing)
{
	json_t *rows = json_array(), *silences = json_array();
	for (size_t i = 0; i < listing->count; i++)
		json_array_append_new(rows, row_json(&listing->rows[i]));
	for (size_t i = 0; i < listing->silences.count; i++)
		json_array_append_new(silences, silence_json(&listing->silences.items[i]));
	json_t *last = listing->last_notification;
	out_json(job->ctx->out, 1,
		json_pack("{s:s, s:o, s:o, s:o}", "source", listing->source, "alerts", rows,
			"silences", silences, "last_notification",
			last ? json_incref(last) : json_null()));
}

void alerts_print_listing(const struct alerts_job *job, const struct alerts_listing *listing)
{
	if (job->ctx->is_json)
		print_json(job, listing);
	else
		print_text(job, listing);
}
