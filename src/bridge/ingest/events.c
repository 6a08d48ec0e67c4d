/* Events (log records): counted by name, and the metrics that are made of them (bridge/ingest/event_rows.h).
 *
 * Numbers may come as strings (tool_result) or as numbers (api_request): both are taken. The hot path is an
 * event like one before: one pass over its attributes, one lookup in the cache of event targets. */
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "bridge/ingest/event_rows.h"
#include "bridge/ingest/ingest_internal.h"
#include "bridge/ingest/names.h"
#include "core/mem.h"

#define EVENT_NAMES_MAX 200u
#define EVENT_NAME_MAX	64u
#define EVENT_PREFIX	"claude_code."
#define EVENTS_FAMILY	"cctm_events_total" /* of cctm.events */
#define DURATION_MAX_MS 1e12		    /* 31 years: no duration, but infinity or an error */
#define CLAUDE_SCOPE	"com.anthropic.claude_code" /* the start of it */

/* What a record says of itself, read in one pass over its attributes. */
struct event {
	struct buf *name;
	bool is_plain;	   /* its name is one that Claude Code would give */
	const char *shown; /* what it is counted under as one of Claude Code's */
	bool is_of_claude;
	double seconds[EVENT_FIGURE_COUNT]; /* below 0: it does not say */
	uint64_t sequence;
	bool has_sequence;
	uint64_t session_hash;
	bool has_session;
};

static enum reason on_resource(void *ctx, const struct otlp_resource *resource)
{
	struct staged *st = &((struct ingest *)ctx)->staged;
	st->resource = resource->attrs;
	st->is_resource_read = false;
	return REASON_OK;
}

static bool is_plain(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		if ((name.ptr[i] < 'a' || name.ptr[i] > 'z') && !memchr("_.", name.ptr[i], 2))
			return false;
	}
	return name.len > 0 && name.len <= EVENT_NAME_MAX;
}

static void set_name(struct event *e, struct slice name)
{
	size_t prefix = strlen(EVENT_PREFIX);
	if (name.len > prefix && memcmp(name.ptr, EVENT_PREFIX, prefix) == 0)
		name = slice_of(name.ptr + prefix, name.len - prefix);
	e->is_plain = is_plain(name);
	e->name->len = 0;
	names_clean_utf8(name, EVENT_NAME_MAX, e->name);
}

/* What becomes a label goes into the key of the target; cleaning and cutting are the same for equal bytes. */
static void add_to_key(struct buf *key, const struct otlp_attr *attr)
{
	const struct otlp_value *value = &attr->value;
	size_t lengths[3] = { attr->key.len, value->bytes.len, (size_t)value->kind };
	buf_add(key, lengths, sizeof lengths);
	buf_add(key, attr->key.ptr, attr->key.len);
	buf_add(key, value->bytes.ptr, value->bytes.len);
	buf_add(key, &value->integer, sizeof value->integer);
	buf_add(key, &value->number, sizeof value->number);
}

static void read_figure(struct event *e, enum event_figure figure, const struct otlp_value *value)
{
	double ms;
	bool is_duration = otlp_value_number(value, &ms) && ms >= 0 && ms < DURATION_MAX_MS;
	e->seconds[figure] = is_duration ? ms / 1000 : -1;
}

static void read_attr(struct ingest *ing, struct event *e, const struct otlp_attr *attr)
{
	struct slice key = attr->key;
	double number;
	if (slice_eq(key, SLICE_LIT("event.name"))) {
		if (attr->value.kind == OTLP_STRING)
			set_name(e, attr->value.bytes);
	} else if (slice_eq(key, SLICE_LIT("duration_ms"))) {
		read_figure(e, EVENT_DURATION, &attr->value);
	} else if (slice_eq(key, SLICE_LIT("ttft_ms"))) {
		read_figure(e, EVENT_TTFT, &attr->value);
	} else if (slice_eq(key, SLICE_LIT("event.sequence"))) {
		e->has_sequence =
			otlp_value_number(&attr->value, &number) && number >= 0 && number < 9e15;
		e->sequence = e->has_sequence ? (uint64_t)number : 0;
	} else if (slice_eq(key, SLICE_LIT("session.id")) && attr->value.kind == OTLP_STRING &&
		   attr->value.bytes.len && !ing->options.has_session_label) {
		e->has_session = true;
		e->session_hash = record_session_hash(attr->value.bytes);
	} else if (slice_eq(key, SLICE_LIT("session.id")) || event_is_label(key)) {
		add_to_key(&ing->event_key, attr);
	}
}

static void read_event(struct ingest *ing, const struct otlp_log *log, struct event *e)
{
	struct otlp_attr_iter it;
	struct otlp_attr attr;
	ing->event_key.len = 0;
	if (log->event_name.len)
		set_name(e, log->event_name);
	otlp_attr_iter_init(&it, ing->decoder, &log->attrs);
	while (otlp_attr_next(&it, &attr))
		read_attr(ing, e, &attr);
	if (e->name->len == 0 && log->body.kind == OTLP_STRING && log->body.bytes.len > 0 &&
		memmem(log->body.bytes.ptr, log->body.bytes.len, " ", 1) == NULL &&
		log->body.bytes.len <= EVENT_NAME_MAX)
		set_name(e, log->body.bytes);
	if (e->name->len == 0)
		buf_adds(e->name, "unnamed");
	struct slice scope = log->scope_name;
	e->is_of_claude = scope.len >= strlen(CLAUDE_SCOPE) &&
			  memcmp(scope.ptr, CLAUDE_SCOPE, strlen(CLAUDE_SCOPE)) == 0;
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
	return EVENT_OTHER;
}

void events_learn_series(struct ingest *ing, const struct op_series *series)
{
	if (!slice_eq_str(series->family, EVENTS_FAMILY))
		return;
	for (size_t i = 0; i < series->label_count; i++) {
		const struct op_label *label = &series->labels[i];
		if (slice_eq_str(label->name, "event") && !slice_eq_str(label->value, EVENT_OTHER))
			keep_name(ing, label->value);
	}
}

static void note_sequence(
	struct ingest *ing, const struct event *e, uint64_t session, uint64_t user)
{
	struct op_seen *run = &ing->staged.seen;
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

static void observe(struct ingest *ing, struct series *series, double seconds)
{
	uint32_t bucket = 0;
	while (bucket < series->bound_count && seconds > series->bounds[bucket])
		bucket++;
	stage_add(ing, series, 1, 1);
	stage_add(ing, series, 0, seconds);
	stage_add(ing, series, bucket + 2, 1);
}

/* The slow way to the series of a row. */
static enum reason resolve_row(struct ingest *ing, const struct otlp_log *log,
	const struct event_row *row, const struct event *e, const char *name,
	struct series **series, uint64_t *session)
{
	const char *shown = row->is_of_claude ? e->shown : name;
	struct op_label label = { slice_str(row->name_label ? row->name_label : ""),
		slice_str(shown) };
	bool is_histogram = row->figure != EVENT_COUNT;
	struct series_request request = {
		.metric = slice_str(row->metric),
		.unit = slice_str(row->unit),
		.help = slice_str(row->help),
		.kind = is_histogram ? OTLP_HISTOGRAM : OTLP_SUM,
		.is_monotonic = true,
		.is_own = true,
		.only = row->rules ? row->rules : event_rules(shown),
		.bounds = is_histogram ? event_bounds_s : NULL,
		.bound_count = is_histogram ? event_bound_count : 0,
		.extra = &label,
		.extra_count = row->name_label != NULL,
	};
	return resolve_series(ing, &log->attrs, &request, series, session);
}

static bool is_row_of(const struct event_row *row, const struct event *e, const char *name)
{
	return (!row->event || strcmp(row->event, name) == 0) &&
	       (!row->is_of_claude || e->is_of_claude) &&
	       (row->figure == EVENT_COUNT || e->seconds[row->figure] >= 0);
}

static struct event_target *find_target(struct ingest *ing, const struct event *e, const char *name)
{
	const struct staged *st = &ing->staged;
	struct buf *key = &ing->event_key;
	bool traits[2] = { e->is_of_claude, e->has_session };
	buf_add(key, st->resource.hash, sizeof st->resource.hash);
	buf_add(key, traits, sizeof traits);
	buf_adds(key, name);
	buf_adds(key, e->shown);
	XXH128_hash_t hash = XXH3_128bits_withSeed(key->data, key->len, ing->options.seed);
	return event_targets_at(ing->event_targets, hash.low64, hash.high64);
}

/* Of late, and all that an event could still tell of it. */
static bool knows_session(const struct ingest *ing, uint64_t hash)
{
	const struct session *session = sessions_find(ing->sessions, hash);
	return session && session->user && session->terminal && session->version;
}

/* Whose event it is: from the target, unless its session is to be learned. */
static enum reason find_session(struct ingest *ing, const struct otlp_log *log,
	const struct event *e, const char *name, struct event_target *t, uint64_t *session)
{
	*session = e->has_session ? e->session_hash : t->session;
	if (t->series[0] && (!*session || knows_session(ing, *session)))
		return REASON_OK;
	struct series *series;
	enum reason why = resolve_row(ing, log, event_rows, e, name, &series, session);
	if (why != REASON_OK)
		return why;
	t->series[0] = series->id;
	t->session = *session;
	t->user = XXH3_64bits(ing->set.user.ptr, ing->set.user.len);
	return REASON_OK;
}

static enum reason take_row(struct ingest *ing, const struct otlp_log *log,
	const struct event_row *row, const struct event *e, const char *name, uint32_t *id)
{
	struct series *series = *id ? store_by_id(ing->store, *id) : NULL;
	if (!series) {
		uint64_t session;
		enum reason why = resolve_row(ing, log, row, e, name, &series, &session);
		if (why != REASON_OK)
			return why;
		*id = series->id;
	}
	if (row->figure == EVENT_COUNT)
		stage_add(ing, series, 0, 1);
	else
		observe(ing, series, e->seconds[row->figure]);
	return REASON_OK;
}

static enum reason take_event(struct ingest *ing, const struct otlp_log *log, struct event *e)
{
	uint64_t session;
	const char *name = bounded_name(ing, e);
	e->shown = e->is_plain ? name : EVENT_OTHER;
	struct event_target *t = find_target(ing, e, name);
	enum reason why = find_session(ing, log, e, name, t, &session);
	if (why != REASON_OK)
		return why;
	uint64_t time_ns = log->time_ns ? log->time_ns : log->observed_ns;
	stage_context(ing, session, stage_minute(ing, time_ns));
	for (size_t i = 0; i < event_row_count && why == REASON_OK; i++) {
		if (is_row_of(&event_rows[i], e, name))
			why = take_row(ing, log, &event_rows[i], e, name, &t->series[i]);
	}
	if (why == REASON_OK && e->has_sequence)
		note_sequence(ing, e, session, t->user);
	return why;
}

static enum reason on_log(void *ctx, const struct otlp_log *log)
{
	struct ingest *ing = ctx;
	if (++ing->staged.log_records > POINTS_MAX || stage_is_full(ing))
		return REASON_TOO_MANY_POINTS;
	AUTO(buf) struct buf name = BUF_INIT(BUF_UNLIMITED);
	struct event e = { .name = &name, .seconds = { -1, -1, -1 } };
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
