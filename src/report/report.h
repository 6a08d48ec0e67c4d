/* What a report asks and what it answers, whatever it was read from.
 *
 * A source fills a struct report from a query (today the ledger; from_ledger below); the printers of print.h
 * show it. Nothing here prints.
 */
#ifndef CCTM_REPORT_REPORT_H
#define CCTM_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "report/figures.h"

struct error;

/* how, what the option and the JSON key say */
#define REPORT_BY(X)               \
	X(BY_HOUR, "hour")         \
	X(BY_DAY, "day")           \
	X(BY_WEEK, "week")         \
	X(BY_MONTH, "month")       \
	X(BY_MODEL, "model")       \
	X(BY_TYPE, "type")         \
	X(BY_SESSION, "session")   \
	X(BY_USER, "user")         \
	X(BY_TEAM, "team")         \
	X(BY_TERMINAL, "terminal") \
	X(BY_PROJECT, "project")

enum report_by {

#define X(by, name) by,
	REPORT_BY(X)
#undef X
		BY_COUNT
};

extern const char *const report_by_names[BY_COUNT + 1]; /* ends with NULL */
bool report_by_is_time(enum report_by by);
enum report_by report_by_parse(const char *name); /* BY_COUNT: none of them */

struct report_query {
	int64_t since_ms, until_ms; /* until is not in it */
	enum report_by by;
};

struct report_group {
	char *key;     /* 2026-11-25, a model, a session …; "": data that does not say */
	int64_t at_ms; /* the earliest data of it */
	struct figures figures;
	/* BY_SESSION only; of the group "" nothing but the figures is known */
	char *user;
	int64_t start_ms, end_ms, lost_events;
	bool is_unknown; /* several processes shared the session: loss cannot be told */
};

struct report {
	const char *source; /* "ledger" */
	bool has_source;    /* false: there is none yet, and all figures are 0 */
	int64_t since_ms,
		until_ms; /* the range that was added up; BY_SESSION widens it to whole hours */
	enum report_by by;
	bool has_data;		/* in the range */
	bool has_events;	/* false with has_data: figures that only events tell are unknown */
	int64_t last_sample_ms; /* of all data, minute; 0: none ever */
	int64_t incomplete_sessions, unknown_sessions; /* of those with data in the range */
	struct figures totals;
	struct report_group **groups; /* by time, or the most expensive first */
	size_t group_count;
};

void report_clear(struct report *r);

/* From the bridge's state directory, also while a bridge writes there. */
bool report_from_ledger(const char *dir, const struct report_query *query, struct report *out,
	struct error *err) MUST_CHECK;

/* False: the figure cannot be told from what arrived (design: shown as a dash or null, never as 0). */
bool report_knows(const struct report *r, enum figure figure);

static inline void auto_report(struct report *r)
{
	report_clear(r);
}

#endif
