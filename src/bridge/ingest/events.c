/* Events (log records): counted by name, and the figures of the ledger that only events carry.
 *
 * Of a record's attributes only those in the rows below and its owner's identity are read; no prompt,
 * response or tool input can get further than this file. Numbers may come as strings (tool_result) or as
 * numbers (api_request): both are taken. */
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "bridge/ingest/ingest_internal.h"
#include "bridge/ingest/names.h"
#include "core/mem.h"

#define EVENT_NAMES_MAX 200u
#define EVENT_NAME_MAX	64u
#define OTHER_EVENT	"other"
#define EVENT_PREFIX	"claude_code."
#define EVENTS_FAMILY	"cctm_events_total" /* of cctm.events */
#define DURATION_MAX_MS 1e12		    /* 31 years: no duration, but infinity or an error */

/* Whose event it is; what OTEL_RESOURCE_ATTRIBUTES adds comes from the resource. */
#define OWNER_KEYS                                                                     \
	"user.email", "user.account_uuid", "user.account_id", "user.id", "enduser.id", \
		"organization.id", "terminal.type", "app.version"

struct event_metric {
	const char *event;
	const char *metric, *unit, *help;
	const char *duration;	   /* attribute in milliseconds: a histogram of it; NULL: a count */
	const char *const *labels; /* attributes that become labels, with the owner's */
};

static const char *const labels_api_request[] = { OWNER_KEYS, "model", "query_source", NULL };
static const char *const labels_api_error[] = { OWNER_KEYS, "model", "status_code", NULL };
static const char *const labels_tool_result[] = { OWNER_KEYS, "tool_name", "success", NULL };
static const char *const labels_tool_decision[] = { OWNER_KEYS, "tool_name", "decision", "source",
	NULL };
static const char *const labels_model[] = { OWNER_KEYS, "model", NULL };
static const char *const labels_tool[] = { OWNER_KEYS, "tool_name", NULL };
static const char *const labels_owner[] = { OWNER_KEYS, NULL };
static const char *const labels_none[] = { NULL };

static const struct event_metric event_metrics[] = {
	{ "api_request", "cctm.api_requests", "", "API requests that were answered", NULL,
		labels_api_request },
	{ "api_request", "cctm.api_request.duration", "s", "Duration of API requests",
		"duration_ms", labels_model },
	{ "api_error", "cctm.api_errors", "", "API requests that failed after the last retry", NULL,
		labels_api_error },
	{ "tool_result", "cctm.tool_results", "", "Tool runs, by tool and success", NULL,
		labels_tool_result },
	{ "tool_result", "cctm.tool.duration", "s", "Duration of tool runs", "duration_ms",
		labels_tool },
	{ "tool_decision", "cctm.tool_decisions", "", "Decisions to allow or refuse a tool", NULL,
		labels_tool_decision },
	{ "user_prompt", "cctm.user_prompts", "", "Prompts that a user sent", NULL, labels_owner },
};

static const double duration_bounds_s[] = { 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300 };

#define DURATION_BOUNDS (sizeof duration_bounds_s / sizeof *duration_bounds_s)

/* What a record says of itself, read in one pass over its attributes. */
struct event {
	struct buf *name;
	double duration_ms;
	bool has_duration;
	uint64_t sequence;
	bool has_sequence;
};

static enum reason on_resource(void *ctx, const struct otlp_resource *resource)
{
	struct staged *st = &((struct ingest *)ctx)->staged;
	st->resource = resource->attrs;
	st->is_resource_read = false;
	return REASON_OK;
}

static void set_name(struct event *e, struct slice name)
{
	size_t prefix = strlen(EVENT_PREFIX);
	if (name.len > prefix && memcmp(name.ptr, EVENT_PREFIX, prefix) == 0)
		name = slice_of(name.ptr + prefix, name.len - prefix);
	e->name->len = 0;
	names_clean_utf8(name, EVENT_NAME_MAX, e->name);
}

static void read_event(struct ingest *ing, const struct otlp_log *log, struct event *e)
{
	struct otlp_attr_iter it;
	struct otlp_attr attr;
	double number;
	if (log->event_name.len)
		set_name(e, log->event_name);
	otlp_attr_iter_init(&it, ing->decoder, &log->attrs);
	while (otlp_attr_next(&it, &attr)) {
		if (slice_eq_str(attr.key, "event.name") && attr.value.kind == OTLP_STRING) {
			set_name(e, attr.value.bytes);
		} else if (slice_eq_str(attr.key, "duration_ms")) {
			e->has_duration = otlp_value_number(&attr.value, &e->duration_ms) &&
					  e->duration_ms >= 0 && e->duration_ms < DURATION_MAX_MS;
		} else if (slice_eq_str(attr.key, "event.sequence") &&
			   otlp_value_number(&attr.value, &number)) {
			e->has_sequence = number >= 0 && number < 9e15;
			e->sequence = e->has_sequence ? (uint64_t)number : 0;
		}
	}
	if (e->name->len == 0 && log->body.kind == OTLP_STRING && log->body.bytes.len > 0 &&
		memmem(log->body.bytes.ptr, log->body.bytes.len, " ", 1) == NULL &&
		log->body.bytes.len <= EVENT_NAME_MAX)
		set_name(e, log->body.bytes);
	if (e->name->len == 0)
		buf_adds(e->name, "unnamed");
}

/* NULL: there is no room for another one. */
static const char *keep_name(struct ingest *ing, struct slice name)
{
	for (size_t i = 0; i < ing->event_count; i++) {
		if (slice_eq_str(name, ing->event_names[i]))
			return ing->event_names[i];
	}
	if (ing->event_count == EVENT_NAMES_MAX)
		return NULL;
	ing->event_names =
		mem_grow(ing->event_names, &ing->event_room, ing->event_count + 1, sizeof(char *));
	ing->event_names[ing->event_count] = mem_strndup((const char *)name.ptr, name.len);
	return ing->event_names[ing->event_count++];
}

/* The name itself while there is room for it, then "other". */
static const char *bounded_name(struct ingest *ing, const struct event *e)
{
	const char *name = keep_name(ing, buf_slice(e->name));
	if (name)
		return name;
	stage_note(ing, REASON_EVENT_OVERFLOW);
	return OTHER_EVENT;
}

void events_learn_series(struct ingest *ing, const struct op_series *series)
{
	if (!slice_eq_str(series->family, EVENTS_FAMILY))
		return;
	for (size_t i = 0; i < series->label_count; i++) {
		const struct op_label *label = &series->labels[i];
		if (slice_eq_str(label->name, "event") && !slice_eq_str(label->value, OTHER_EVENT))
			keep_name(ing, label->value);
	}
}

/* The session of the record, and its owner as a hash. `set` is that of the last series resolved. */
static void note_sequence(struct ingest *ing, const struct event *e, uint64_t session)
{
	struct op_seen *run = &ing->staged.seen;
	uint64_t user = XXH3_64bits(ing->set.user.ptr, ing->set.user.len);
	bool goes_on = run->first <= run->last && run->session == session && run->user == user &&
		       e->sequence == run->last + 1;
	if (goes_on) {
		run->last = e->sequence;
		return;
	}
	events_finish(ing);
	*run = (struct op_seen){ session, user, e->sequence, e->sequence };
}

void events_finish(struct ingest *ing)
{
	struct op_seen *run = &ing->staged.seen;
	if (run->first <= run->last) {
		struct op *op = &ing->op;
		op->kind = OP_SEEN;
		op->u.seen = *run;
		record_put(&ing->record, op);
	}
	*run = (struct op_seen){ .first = 1, .last = 0 };
}

static enum reason count_event(
	struct ingest *ing, const struct otlp_log *log, const char *name, uint64_t *session)
{
	struct op_label label = { SLICE_LIT("event"), slice_str(name) };
	struct series_request request = {
		.metric = SLICE_LIT("cctm.events"),
		.help = SLICE_LIT("Events received, by name"),
		.kind = OTLP_SUM,
		.is_monotonic = true,
		.is_own = true,
		.only = labels_none,
		.extra = &label,
		.extra_count = 1,
	};
	struct series *series;
	enum reason why = resolve_series(ing, &log->attrs, &request, &series, session);
	if (why != REASON_OK)
		return why;
	uint64_t time_ns = log->time_ns ? log->time_ns : log->observed_ns;
	stage_context(ing, *session, stage_minute(ing, time_ns));
	stage_add(ing, series, 0, 1);
	return REASON_OK;
}

static void observe(struct ingest *ing, struct series *series, double seconds)
{
	uint32_t bucket = 0;
	while (bucket < series->bound_count && seconds > series->bounds[bucket])
		bucket++;
	stage_add(ing, series, 1, 1);
	stage_add(ing, series, 0, seconds);
	stage_add(ing, series, bucket + 2, 1);
}

static enum reason take_metric(struct ingest *ing, const struct otlp_log *log,
	const struct event_metric *row, const struct event *e)
{
	struct series_request request = {
		.metric = slice_str(row->metric),
		.unit = slice_str(row->unit),
		.help = slice_str(row->help),
		.kind = row->duration ? OTLP_HISTOGRAM : OTLP_SUM,
		.is_monotonic = true,
		.is_own = true,
		.only = row->labels,
		.bounds = row->duration ? duration_bounds_s : NULL,
		.bound_count = row->duration ? DURATION_BOUNDS : 0,
	};
	struct series *series;
	uint64_t session;
	enum reason why = resolve_series(ing, &log->attrs, &request, &series, &session);
	if (why != REASON_OK)
		return why;
	if (row->duration)
		observe(ing, series, e->duration_ms / 1000);
	else
		stage_add(ing, series, 0, 1);
	return REASON_OK;
}

static enum reason take_event(struct ingest *ing, const struct otlp_log *log, const struct event *e)
{
	uint64_t session;
	const char *name = bounded_name(ing, e);
	enum reason why = count_event(ing, log, name, &session);
	if (why != REASON_OK)
		return why;
	if (e->has_sequence)
		note_sequence(ing, e, session);
	for (size_t i = 0; i < sizeof event_metrics / sizeof *event_metrics; i++) {
		const struct event_metric *row = &event_metrics[i];
		if (strcmp(row->event, name) != 0 || (row->duration && !e->has_duration))
			continue;
		why = take_metric(ing, log, row, e);
		if (why != REASON_OK)
			return why;
	}
	return REASON_OK;
}

static enum reason on_log(void *ctx, const struct otlp_log *log)
{
	struct ingest *ing = ctx;
	if (++ing->staged.log_records > POINTS_MAX || stage_is_full(ing))
		return REASON_TOO_MANY_POINTS;
	AUTO(buf) struct buf name = BUF_INIT(BUF_UNLIMITED);
	struct event e = { .name = &name };
	read_event(ing, log, &e);
	enum reason why = take_event(ing, log, &e);
	if (why != REASON_OK)
		stage_reject(ing, why, 1);
	return REASON_OK;
}

const struct otlp_sink events_sink = {
	.resource = on_resource,
	.log = on_log,
};
