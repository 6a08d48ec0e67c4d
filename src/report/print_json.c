#include <math.h>

#include "core/out.h"
#include "core/zone.h"
#include "report/print.h"

#define WHOLE_MAX 9007199254740992.0 /* 2^53: beyond it doubles are not exact either */

/* Whole numbers as integers; others as reals, which core/out prints with 15 digits. */
static json_t *number(double value)
{
	if (!isfinite(value))
		return json_null();
	bool is_whole = floor(value) == value && fabs(value) <= WHOLE_MAX;
	return is_whole ? json_integer((json_int_t)value) : json_real(value);
}

/* Sums of counts are whole up to the last bits of a double. */
static double tidy(enum figure figure, double value)
{
	bool is_amount = figure == FIGURE_COST || figure == FIGURE_ACTIVE_CLI ||
			 figure == FIGURE_ACTIVE_USER;
	double whole = round(value);
	return !is_amount && fabs(value - whole) < 1e-6 ? whole : value;
}

static json_t *figure_json(
	const struct report *r, const struct figures *figures, enum figure figure)
{
	if (!report_knows(r, figure))
		return json_null();
	double value = tidy(figure, figures_value(figures, figure));
	return figure == FIGURE_COST && isfinite(value) ? json_real(value) : number(value);
}

/* Adds the figures to `to`, in the order of their rows; those of one object lie together. */
static void add_figures(json_t *to, const struct report *r, const struct figures *figures)
{
	for (enum figure i = 0; i < FIGURE_COUNT; i++) {
		const struct figure_row *row = &figure_rows[i];
		if (i == FIGURE_OTHER_TOKENS && !(figures_value(&r->totals, i) > 0))
			continue;
		json_t *object = to;
		if (*row->object) {
			object = json_object_get(to, row->object);
			if (!object) {
				object = json_object();
				json_object_set_new(to, row->object, object);
			}
		}
		json_object_set_new(object, row->name, figure_json(r, figures, i));
	}
}

static json_t *time_json(int64_t ms)
{
	char text[ZONE_TEXT_MAX];
	zone_rfc3339(ms, text);
	return json_string(text);
}

static json_t *complete_json(const struct report_group *group)
{
	return group->is_unknown ? json_null() : json_boolean(group->lost_events <= 0);
}

static json_t *group_json(const struct report *r, const struct report_group *group)
{
	json_t *json = json_object(), *key = json_object();
	json_object_set_new(key, report_by_names[r->by], out_json_text(group->key));
	json_object_set_new(json, "key", key);
	if (r->by == BY_SESSION) {
		json_object_set_new(json, "session", out_json_text(group->key));
		bool is_known = *group->key;
		json_object_set_new(json, "user", out_json_text(group->user));
		json_object_set_new(
			json, "start", is_known ? time_json(group->start_ms) : json_null());
		json_object_set_new(json, "end", is_known ? time_json(group->end_ms) : json_null());
		json_object_set_new(
			json, "complete", is_known ? complete_json(group) : json_null());
		json_object_set_new(json, "lost_events",
			is_known ? json_integer(group->lost_events) : json_null());
	}
	add_figures(json, r, &group->figures);
	return json;
}

json_t *report_print_json(const struct report *r)
{
	json_t *json = json_object(), *totals = json_object(), *groups = json_array();
	json_object_set_new(json, "source", json_string(r->source));
	json_object_set_new(json, "since", time_json(r->since_ms));
	json_object_set_new(json, "until", time_json(r->until_ms));
	json_object_set_new(json, "last_sample",
		r->last_sample_ms ? time_json(r->last_sample_ms) : json_null());
	add_figures(totals, r, &r->totals);
	json_object_set_new(json, "totals", totals);
	for (size_t i = 0; i < r->group_count; i++)
		json_array_append_new(groups, group_json(r, r->groups[i]));
	json_object_set_new(json, "groups", groups);
	json_object_set_new(json, "incomplete_sessions", json_integer(r->incomplete_sessions));
	json_object_set_new(json, "unknown_sessions", json_integer(r->unknown_sessions));
	return json;
}
