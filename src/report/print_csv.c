/* RFC 4180: lines end with CR LF, fields that need it are quoted, unknown figures are empty. */
#include <string.h>

#include "core/out.h"
#include "core/zone.h"
#include "report/print.h"

static void field(struct out *o, const char *text)
{
	if (!strpbrk(text, "\",\r\n")) {
		out_printf(o, "%s", text);
		return;
	}
	out_printf(o, "\"");
	for (const char *at = text; *at; at++) {
		if (*at == '"')
			out_printf(o, "\"");
		out_write(o, at, 1);
	}
	out_printf(o, "\"");
}

static bool is_shown(const struct report *r, enum figure figure)
{
	return figure != FIGURE_OTHER_TOKENS || figures_value(&r->totals, figure) > 0;
}

static void header(struct out *o, const struct report *r)
{
	out_printf(o, "%s", report_by_names[r->by]);
	if (r->by == BY_SESSION)
		out_printf(o, ",user,start,end,complete,lost_events");
	for (enum figure i = 0; i < FIGURE_COUNT; i++) {
		const struct figure_row *row = &figure_rows[i];
		if (is_shown(r, i))
			out_printf(o, ",%s%s%s", row->object, *row->object ? "_" : "", row->name);
	}
	out_printf(o, "\r\n");
}

static void session_fields(struct out *o, const struct report_group *group)
{
	char start[ZONE_TEXT_MAX], end[ZONE_TEXT_MAX];
	if (!*group->key) {
		out_printf(o, ",,,,,");
		return;
	}
	zone_rfc3339(group->start_ms, start);
	zone_rfc3339(group->end_ms, end);
	out_printf(o, ",");
	field(o, group->user);
	out_printf(o, ",%s,%s,%s,%lld", start, end,
		group->is_unknown	  ? ""
		: group->lost_events <= 0 ? "true"
					  : "false",
		(long long)group->lost_events);
}

void report_print_csv(struct out *o, const struct report *r)
{
	header(o, r);
	for (size_t g = 0; g < r->group_count; g++) {
		const struct report_group *group = r->groups[g];
		field(o, group->key);
		if (r->by == BY_SESSION)
			session_fields(o, group);
		for (enum figure i = 0; i < FIGURE_COUNT; i++) {
			if (!is_shown(r, i))
				continue;
			if (report_knows(r, i))
				out_printf(o, ",%.15g", figures_value(&group->figures, i));
			else
				out_printf(o, ",");
		}
		out_printf(o, "\r\n");
	}
}
