/* Writing operations into the record of the request being prepared. Definitions go in front of their first
 * use in a journal segment; the marks set here are taken back if the record is abandoned. */
#include "bridge/ingest/ingest_internal.h"
#include "bridge/journal/journal.h"
#include "core/mem.h"

#define OLDEST_MS INT64_C(86400000)
/* Clients whose clock is this far ahead are not worth a remark. */
#define CLOCK_SKEW_MS INT64_C(300000)

void stage_begin(struct ingest *ing, int64_t now_ms, uint32_t segment)
{
	struct staged *st = &ing->staged;
	struct staged kept = *st;
	*st = (struct staged){
		.now_ms = now_ms,
		.segment = segment,
		.number = kept.number + 1,
		.message = kept.message,
		.earliest_ns = UINT64_MAX,
		.cumulative = kept.cumulative,
		.cumulative_room = kept.cumulative_room,
		.defined = kept.defined,
		.defined_room = kept.defined_room,
		.sessions = kept.sessions,
		.session_room = kept.session_room,
		.seen = { .first = 1, .last = 0 },
	};
	st->message.len = 0;
	ing->record.len = 0;
	record_begin(&ing->record, now_ms);
	ing->record_base = ing->record.len;
}

void stage_reject(struct ingest *ing, enum reason reason, int64_t count)
{
	tally_add(&ing->staged.tally, reason, (uint64_t)count);
	ing->staged.rejected += count;
}

void stage_note(struct ingest *ing, enum reason reason)
{
	tally_add(&ing->staged.tally, reason, 1);
}

void stage_put_definition(struct ingest *ing, const struct series *series)
{
	const struct family *f = series->family;
	struct op *op = &ing->op;
	op->kind = OP_SERIES;
	op->series.id = series->id;
	op->series.kind = f->kind;
	op->series.metric = slice_str(f->metric);
	op->series.family = slice_of(f->name, f->name_len);
	op->series.unit = slice_str(f->unit);
	op->series.help = slice_str(f->help);
	op->series.label_count = series->pair_count;
	for (size_t i = 0; i < series->pair_count; i++)
		op->series.labels[i] = series->pairs[i];
	op->series.bound_count = series->bound_count;
	for (size_t i = 0; i < series->bound_count; i++)
		op->series.bounds[i] = series->bounds[i];
	record_put(&ing->record, op);
}

void stage_series_definition(struct ingest *ing, struct series *series)
{
	struct staged *st = &ing->staged;
	if (series->segment == st->segment)
		return;
	stage_put_definition(ing, series);
	series->segment = st->segment;
	st->defined = mem_grow(
		st->defined, &st->defined_room, st->defined_count + 1, sizeof(struct series *));
	st->defined[st->defined_count++] = series;
}

static struct slice text_or_empty(const char *text)
{
	return slice_str(text ? text : "");
}

static void define_session(struct ingest *ing, struct session *session)
{
	struct staged *st = &ing->staged;
	session->last_ms = st->now_ms;
	if (session->segment == st->segment)
		return;
	struct op *op = &ing->op;
	op->kind = OP_SESSION;
	op->u.session = (struct op_session){
		.session = session->hash,
		.text = slice_str(session->text),
		.user = text_or_empty(session->user),
		.terminal = text_or_empty(session->terminal),
		.version = text_or_empty(session->version),
	};
	record_put(&ing->record, op);
	session->segment = st->segment;
	st->sessions = mem_grow(
		st->sessions, &st->session_room, st->session_count + 1, sizeof *st->sessions);
	st->sessions[st->session_count++] = session->hash;
}

bool stage_context(struct ingest *ing, uint64_t session, uint32_t minute)
{
	struct staged *st = &ing->staged;
	if (st->has_context && st->session == session && st->minute == minute)
		return true;
	if (session) {
		struct session *known = sessions_find(ing->sessions, session);
		if (!known)
			return false;
		define_session(ing, known);
	}
	record_put_context(&ing->record, session, minute);
	st->has_context = true;
	st->session = session;
	st->minute = minute;
	return true;
}

void stage_add(struct ingest *ing, struct series *series, uint32_t part, double amount)
{
	stage_series_definition(ing, series);
	record_put_add(&ing->record, series->id, part, amount);
}

bool stage_is_full(const struct ingest *ing)
{
	return ing->record.len > JOURNAL_RECORD_MAX;
}

/* A value with a time far ahead would outlast all that follow; a stream with one before the retention would be
 * forgotten at once and then counted whole again. */
int64_t stage_time_ms(struct ingest *ing, uint64_t time_ns)
{
	int64_t now_ms = ing->staged.now_ms;
	int64_t time_ms = time_ns ? (int64_t)(time_ns / 1000000) : now_ms;
	if (time_ms > now_ms)
		return now_ms;
	return time_ms < now_ms - OLDEST_MS ? now_ms - OLDEST_MS : time_ms;
}

/* The ledger's minute: the point's own time, clamped to [now - retention, now]. */
uint32_t stage_minute(struct ingest *ing, uint64_t time_ns)
{
	int64_t now_ms = ing->staged.now_ms;
	int64_t time_ms = (int64_t)(time_ns / 1000000);
	int64_t oldest_ms = now_ms - ing->options.retention_ms;
	if (oldest_ms < 0)
		oldest_ms = 0;
	if (time_ns == 0) {
		time_ms = now_ms;
	} else if (time_ms > now_ms) {
		if (time_ms > now_ms + CLOCK_SKEW_MS)
			stage_note(ing, REASON_TIME_CLAMPED);
		time_ms = now_ms;
	} else if (time_ms < oldest_ms) {
		stage_note(ing, REASON_TIME_CLAMPED);
		time_ms = oldest_ms;
	}
	return (uint32_t)(time_ms / 60000);
}
