/* What Claude Code reads and sends about its telemetry: every variable, metric, attribute, event and span that is known, in
 * one table from which commands, manual pages and descriptions take their words. Sources: Anthropic's documentation of
 * mid-2026, and recordings of the real program (versions 2.1.328 and 2.1.331).
 */
#ifndef CCTM_CLAUDE_CATALOGUE_H
#define CCTM_CLAUDE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

enum catalogue_kind {
	CATALOGUE_VARIABLE, /* of the environment */
	CATALOGUE_METRIC, /* OTLP name; Prometheus writes dots as underscores and adds unit and _total */
	CATALOGUE_ATTRIBUTE, /* of data points, events and spans */
	CATALOGUE_EVENT,     /* a log record of this name behind "claude_code." */
	CATALOGUE_SPAN,
	CATALOGUE_KIND_COUNT,
};

extern const char
	*const catalogue_kind_names[CATALOGUE_KIND_COUNT + 1]; /* "variable"; ends with NULL */

enum privacy {
	PRIVACY_NONE,
	PRIVACY_ID,	 /* tells two people apart, without saying who they are */
	PRIVACY_PERSON,	 /* says who somebody is */
	PRIVACY_CONTENT, /* what somebody wrote, or what their files say */
	PRIVACY_SECRET,	 /* lets somebody in */
};

const char *privacy_name(enum privacy privacy); /* "none", "id" */

/* Attributes of events that become labels of the metrics that are made of them. */
enum event_label {
	EVENT_LABEL_NONE,
	EVENT_LABEL_OWNER, /* says whose event it is */
	EVENT_LABEL_TEXT,  /* a name that somebody may have chosen; cut where it is long */
	EVENT_LABEL_WORD,  /* one of a few words; whatever is none becomes "other" */
};

const char *catalogue_label_name(enum event_label label); /* "owner", "text", "word"; NULL: none */

struct catalogue_row {
	enum catalogue_kind kind;
	const char *name, *meaning;
	const char *unit;     /* "USD"; NULL: a number, or no number at all */
	const char *fallback; /* of a variable that is not set; NULL: nothing */
	const char *since;    /* the first version known to have it; NULL: unknown */
	const char *seen;     /* the first version it was recorded from; NULL: documented only */
	enum privacy privacy;
	bool is_own;	 /* of an attribute: the client sets it itself, so nobody else may */
	bool is_counted; /* of an attribute: a label of what the recording rules count */
	bool is_of_events; /* of a metric: the receiver counts it from events, the client does not send it */
	bool is_histogram;	/* of a metric: <series>_bucket, _count and _sum, and no _total */
	enum event_label label; /* of an attribute */
};

extern const struct catalogue_row catalogue[];
extern const size_t catalogue_count;

/* What a Collector's exporter for Prometheus makes of a metric, without _total (or _bucket, _count and _sum):
 * "claude_code_cost_usage_USD" (dots become underscores, the unit is added, s as seconds). Yours. */
char *catalogue_series(const struct catalogue_row *metric);

/* The name of an attribute as a label of Prometheus: "team_id". Yours. */
char *catalogue_label(const char *attribute);

/* NULL: not known. */
const struct catalogue_row *catalogue_find(enum catalogue_kind kind, const char *name);

#endif
