/* The metrics that are made of events, and what of an event becomes a label. Of a record's attributes only those
 * named here are read; a prompt, a response or the input of a tool is not among them.
 */
#ifndef CCTM_BRIDGE_INGEST_EVENT_ROWS_H
#define CCTM_BRIDGE_INGEST_EVENT_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "bridge/ingest/labels.h"

enum event_figure { EVENT_COUNT, EVENT_DURATION, EVENT_TTFT, EVENT_FIGURE_COUNT };

struct event_row {
	const char *event;	/* NULL: every one */
	bool is_of_claude;	/* only of Claude Code's own scope */
	const char *name_label; /* that says the event's name; NULL: none */
	const char *metric, *unit, *help;
	enum event_figure
		figure; /* what is added up; all but EVENT_COUNT in seconds, as a histogram */
	const struct label_rule *rules; /* NULL: those of the event, event_rules */
};

/* cctm.* are the bridge's own; the report and its page go by them. */
extern const struct event_row event_rows[];
extern const size_t event_row_count; /* at most EVENT_SERIES_MAX; the first counts every event */

extern const double event_bounds_s[];
extern const size_t event_bound_count;

/* What of an event of Claude Code becomes a label. EVENT_OTHER is the name of those that have no name. */
#define EVENT_OTHER "other"
const struct label_rule *event_rules(const char *name);

/* Whether a key may become a label of some event, other than session.id. */
bool event_is_label(struct slice key);

#endif
