/* A report from the bridge's ledger.
 *
 * Totals come from the minutes, which hold everything; groups by session from the hours by session, over a
 * range widened to whole hours, so that both add up the same data. What a series means (its figure and its
 * key) is found once and remembered; the key of a time once a minute. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/ledger/history.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"
#include "report/grouping.h"
#include "report/report.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS	  INT64_C(3600000)

/* What is known of a series. */
struct meaning {
	const struct history_series *series; /* NULL: not asked yet */
	enum figure figure;
	bool is_event;
	struct report_group *group; /* of its labels */
};

struct work {
	struct history *history;
	struct report *out;
	struct grouping grouping;
	struct meaning *meanings; /* a hash table by series id */
	size_t meaning_count, meaning_room;
	int64_t at_ms; /* whose group `time_group` is */
	struct report_group *time_group;
	/* sessions seen, each once, and what is known of their loss */
	struct grouping sessions;
	struct figures sessionless; /* BY_SESSION: what the minutes hold and no session has */
};

struct label_source {
	const struct history *history;
	const struct history_series *series;
};

static const char *label_of(const void *ctx, const char *name)
{
	const struct label_source *source = ctx;
	return history_label(source->history, source->series, name);
}

/* ---- keys ---- */

/* The labels that say it, the best first. */
static const char *const user_labels[] = { "user_email", "user_account_uuid", "enduser_id",
	"user_id", NULL };
static const char *const team_labels[] = { "team_id", "team", "department", NULL };
static const char *const terminal_labels[] = { "terminal_type", NULL };
static const char *const project_labels[] = { "project", "project_name", "project_id",
	"service_namespace", NULL };
static const char *const model_labels[] = { "model", NULL };
static const char *const type_labels[] = { "type", NULL };

static const char *const *const key_labels[BY_COUNT] = {
	[BY_MODEL] = model_labels,
	[BY_TYPE] = type_labels,
	[BY_USER] = user_labels,
	[BY_TEAM] = team_labels,
	[BY_TERMINAL] = terminal_labels,
	[BY_PROJECT] = project_labels,
};

/* `type` is a token type here; lines and active time have types of their own. */
static bool is_token_figure(enum figure figure)
{
	return figure >= FIGURE_INPUT && figure <= FIGURE_OTHER_TOKENS;
}

/* The label `job` is namespace/name where the resource had a service.namespace. */
static char *namespace_of(const struct label_source *source)
{
	const char *job = label_of(source, "job");
	const char *slash = job ? strchr(job, '/') : NULL;
	return slash ? mem_strndup(job, (size_t)(slash - job)) : mem_strdup("");
}

/* Yours. */
static char *series_key(enum report_by by, enum figure figure, const struct label_source *source)
{
	if (by == BY_TYPE && !is_token_figure(figure))
		return mem_strdup("");
	for (const char *const *name = key_labels[by]; *name; name++) {
		const char *value = label_of(source, *name);
		if (value && *value)
			return mem_strdup(value);
	}
	return by == BY_PROJECT ? namespace_of(source) : mem_strdup("");
}

/* ---- what a series means ---- */

static struct meaning *meaning_slot(
	struct meaning *meanings, size_t room, const struct history_series *series)
{
	size_t slot = (size_t)(series->id * UINT32_C(0x9e3779b1)) & (room - 1);
	while (meanings[slot].series && meanings[slot].series->id != series->id)
		slot = (slot + 1) & (room - 1);
	return &meanings[slot];
}

static void grow_meanings(struct work *w)
{
	size_t room = w->meaning_room ? w->meaning_room * 2 : 256;
	struct meaning *meanings = mem_calloc(room, sizeof *meanings);
	for (size_t i = 0; i < w->meaning_room; i++) {
		if (w->meanings[i].series)
			*meaning_slot(meanings, room, w->meanings[i].series) = w->meanings[i];
	}
	free(w->meanings);
	w->meanings = meanings;
	w->meaning_room = room;
}

static const struct meaning *meaning_of(struct work *w, const struct history_series *series)
{
	if (w->meaning_count * 2 >= w->meaning_room)
		grow_meanings(w);
	struct meaning *m = meaning_slot(w->meanings, w->meaning_room, series);
	if (m->series)
		return m;
	w->meaning_count++;
	struct label_source source = { w->history, series };
	m->series = series;
	m->figure = figure_of(series->metric, label_of, &source);
	m->is_event = str_has_prefix(series->metric, "cctm.");
	if (key_labels[w->out->by] && m->figure != FIGURE_NONE) {
		AUTO(str) char *key = series_key(w->out->by, m->figure, &source);
		m->group = grouping_get(&w->grouping, key);
	}
	return m;
}

/* ---- rows ---- */

static struct report_group *time_group(struct work *w, int64_t at_ms)
{
	if (!w->time_group || w->at_ms != at_ms) {
		char key[ZONE_TEXT_MAX];
		grouping_time_key(w->out->by, at_ms, key);
		w->time_group = grouping_get(&w->grouping, key);
		w->at_ms = at_ms;
	}
	return w->time_group;
}

static void add_to_group(struct report_group *group, enum figure figure, int64_t at, double amount)
{
	if (at < group->at_ms)
		group->at_ms = at;
	figures_add(&group->figures, figure, amount);
}

static void take_minute(void *ctx, const struct history_row *row)
{
	struct work *w = ctx;
	const struct meaning *m = meaning_of(w, row->series);
	w->out->has_data = true;
	w->out->has_events = w->out->has_events || m->is_event;
	if (m->figure == FIGURE_NONE || row->part != 0)
		return;
	figures_add(&w->out->totals, m->figure, row->amount);
	figures_add(&w->sessionless, m->figure, row->amount);
	struct report_group *group =
		report_by_is_time(w->out->by) ? time_group(w, row->at_ms) : m->group;
	if (group)
		add_to_group(group, m->figure, row->at_ms, row->amount);
}

/* A session without a text was named in a damaged record; its hash tells it apart. */
static struct report_group *session_group(struct grouping *g, const struct history_session *s)
{
	if (*s->text)
		return grouping_get(g, s->text);
	AUTO(str) char *key = mem_printf("%016llx", (unsigned long long)s->session);
	return grouping_get(g, key);
}

/* What is known of its loss, once a session. */
static void describe_session(
	struct report *out, struct report_group *group, const struct history_session *s)
{
	group->user = mem_strdup(s->user);
	group->start_ms = s->first_ms;
	group->end_ms = s->last_ms;
	group->lost_events = s->lost;
	group->is_unknown = s->is_unknown;
	out->incomplete_sessions += s->lost > 0 && !s->is_unknown;
	out->unknown_sessions += s->is_unknown;
}

static void take_session_hour(void *ctx, const struct history_row *row)
{
	struct work *w = ctx;
	const struct history_session *s = row->session;
	bool is_listed = w->out->by == BY_SESSION;
	bool is_outside = s->last_ms < w->out->since_ms || s->first_ms >= w->out->until_ms;
	if (!is_listed && is_outside)
		return; /* its part of the hour lies before or behind the range */
	struct report_group *group = session_group(is_listed ? &w->grouping : &w->sessions, s);
	if (!group->user)
		describe_session(w->out, group, s);
	if (!is_listed || row->part != 0)
		return;
	enum figure figure = meaning_of(w, row->series)->figure;
	if (figure == FIGURE_NONE)
		return;
	add_to_group(group, figure, row->at_ms, row->amount);
	figures_add(&w->sessionless, figure, -row->amount);
}

/* A client may be told to send no session ids; what it sent is a group too, or the rows would not add up. The
 * bound is above what is left of the rounding of two sums of one thing. */
static void list_sessionless(struct work *w)
{
	struct report_group *group = NULL;
	for (enum figure i = 0; i < FIGURE_COUNT; i++) {
		double rest = figures_value(&w->sessionless, i);
		if (rest <= 1e-9 * fmax(1, figures_value(&w->out->totals, i)))
			continue;
		group = group ? group : grouping_get(&w->grouping, "");
		add_to_group(group, i, w->out->until_ms, rest);
	}
	if (group && !group->user)
		group->user = mem_strdup("");
}

/* ---- the whole ---- */

static int64_t down_to(int64_t ms, int64_t unit)
{
	return ms - ms % unit;
}

static int64_t up_to(int64_t ms, int64_t unit)
{
	return down_to(ms + unit - 1, unit);
}

static bool read_history(struct work *w, struct error *err)
{
	struct report *out = w->out;
	int64_t since = down_to(out->since_ms, HOUR_MS), until = up_to(out->until_ms, HOUR_MS);
	if (out->by == BY_SESSION) {
		out->since_ms = since;
		out->until_ms = until;
	}
	out->last_sample_ms = history_last_ms(w->history);
	return history_minutes(w->history, out->since_ms, out->until_ms, take_minute, w, err) &&
	       history_session_hours(w->history, since, until, take_session_hour, w, err);
}

static void drop_sessions(struct work *w)
{
	struct report sessions = { .by = BY_SESSION };
	grouping_finish(&w->sessions, &sessions);
	report_clear(&sessions);
}

bool report_from_ledger(
	const char *dir, const struct report_query *query, struct report *out, struct error *err)
{
	*out = (struct report){
		.source = "ledger",
		.since_ms = down_to(query->since_ms, MINUTE_MS),
		.until_ms = query->until_ms,
		.by = query->by,
	};
	AUTO(history) struct history *history = NULL;
	int found = history_open(dir, &history, err);
	if (found <= 0)
		return found == 0;
	out->has_source = true;
	struct work w = { .history = history, .out = out };
	bool ok = read_history(&w, err);
	if (ok && out->by == BY_SESSION)
		list_sessionless(&w);
	grouping_finish(&w.grouping, out);
	drop_sessions(&w);
	free(w.meanings);
	if (!ok)
		report_clear(out);
	return ok;
}
