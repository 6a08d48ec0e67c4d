#include "bridge/ingest/ingest.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/ingest/ingest_internal.h"
#include "core/mem.h"

#define CHAINS_MAX	  4096u
#define TARGETS_MAX	  ((size_t)1 << 18)
#define EVENT_TARGETS_MAX ((size_t)1 << 14)
#define RECORD_KEEP_MAX	  ((size_t)256 << 10) /* a larger buffer is given back after the request */
#define SESSION_IDLE_MS	  INT64_C(86400000)
#define SESSIONS_MAX	  65536u /* of late; past it they are read from the attributes again */

struct ingest *ingest_new(const struct ingest_options *options)
{
	struct ingest *ing = mem_zalloc(sizeof *ing);
	ing->options = *options;
	ingest_set_seed(ing, options->seed);
	ing->decoder = otlp_decoder_new(options->seed);
	ing->store = store_new();
	ing->streams = streams_new(options->streams_max);
	ing->dedupe = dedupe_new(DEDUPE_MAX);
	ing->sessions = sessions_new();
	ing->targets = targets_new(TARGETS_MAX);
	ing->event_targets = event_targets_new(EVENT_TARGETS_MAX);
	ing->labels = labels_new(options->has_session_label);
	ing->sequence = sequence_new(CHAINS_MAX);
	ing->record.max = BUF_UNLIMITED;
	ing->family.max = BUF_UNLIMITED;
	ing->event_key.max = BUF_UNLIMITED;
	ing->rendered.max = BUF_UNLIMITED;
	ing->staged.message.max = BUF_UNLIMITED;
	return ing;
}

void ingest_free(struct ingest *ing)
{
	if (!ing)
		return;
	otlp_decoder_free(ing->decoder);
	store_free(ing->store);
	streams_free(ing->streams);
	dedupe_free(ing->dedupe);
	sessions_free(ing->sessions);
	targets_free(ing->targets);
	event_targets_free(ing->event_targets);
	labels_free(ing->labels);
	sequence_free(ing->sequence);
	buf_clear(&ing->record);
	buf_clear(&ing->family);
	buf_clear(&ing->event_key);
	buf_clear(&ing->rendered);
	buf_clear(&ing->staged.message);
	free(ing->staged.cumulative);
	free(ing->staged.defined);
	free(ing->staged.sessions);
	for (size_t i = 0; i < ing->state_count; i++) {
		free(ing->states[i].name);
		free(ing->states[i].bytes);
	}
	for (size_t i = 0; i < ing->event_count; i++)
		free(ing->event_names[i]);
	free(ing->event_names);
	free(ing->owed);
	free(ing);
}

void ingest_watch(struct ingest *ing, ingest_added_fn added, void *ctx)
{
	ing->added = added;
	ing->added_ctx = ctx;
}

void ingest_set_seed(struct ingest *ing, uint64_t seed)
{
	ing->options.seed = seed;
	for (unsigned signal = 0; signal < 3; signal++)
		hash128_init(&ing->hashes[signal], seed ^ signal);
}

/* Between two requests, since one may name a session by its hash alone once it has learned it. */
static void bound_sessions(struct ingest *ing)
{
	if (sessions_count(ing->sessions) < SESSIONS_MAX)
		return;
	sessions_free(ing->sessions);
	ing->sessions = sessions_new();
}

static void hash_request(struct ingest *ing, const struct ingest_request *request)
{
	hash128(&ing->hashes[request->signal], request->body.ptr, request->body.len,
		ing->staged.hash);
}

static enum reason decode(struct ingest *ing, const struct ingest_request *request)
{
	struct otlp_sink sink;
	enum reason why;
	switch (request->signal) {
	case OTLP_METRICS:
		sink = metrics_sink;
		sink.ctx = ing;
		return otlp_decode_metrics(ing->decoder, request->encoding, request->body, &sink);
	case OTLP_LOGS:
		sink = events_sink;
		sink.ctx = ing;
		why = otlp_decode_logs(ing->decoder, request->encoding, request->body, &sink);
		events_finish(ing);
		return why;
	case OTLP_TRACES:
		return otlp_count_spans(
			ing->decoder, request->encoding, request->body, &ing->staged.spans);
	}
	return REASON_NOT_FOUND;
}

/* "2 points not taken: 1 nan (The value is not a number.); 1 …" */
static void write_message(struct ingest *ing)
{
	struct staged *st = &ing->staged;
	const char *between = ": ";
	buf_addf(&st->message, "%lld not taken", (long long)st->rejected);
	for (unsigned r = 0; r < REASON_COUNT; r++) {
		if (!st->tally.counts[r] || reason_scope((enum reason)r) != REASON_POINT)
			continue;
		buf_addf(&st->message, "%s%llu %s (%s)", between,
			(unsigned long long)st->tally.counts[r], reason_slug((enum reason)r),
			reason_sentence((enum reason)r));
		between = "; ";
	}
}

/* What a malformed request defined must not settle the type or the bounds of a metric for those behind it,
 * nor use up --series-max. */
static void forget_new(struct ingest *ing)
{
	struct staged *st = &ing->staged;
	while (ing->event_count > st->first_new_event)
		free(ing->event_names[--ing->event_count]);
	if (store_next_id(ing->store) == st->first_new_id)
		return;
	store_forget_from(ing->store, st->first_new_id);
	targets_clear(ing->targets);
	event_targets_clear(ing->event_targets);
}

enum reason ingest_prepare(
	struct ingest *ing, const struct ingest_request *request, struct ingest_outcome *out)
{
	*out = (struct ingest_outcome){ 0 };
	stage_begin(ing, request->now_ms, request->segment);
	bound_sessions(ing);
	struct staged *st = &ing->staged;
	st->encoding = request->encoding;
	st->signal = request->signal;
	st->first_new_id = store_next_id(ing->store);
	st->first_new_event = ing->event_count;
	hash_request(ing, request);
	dedupe_prefetch(ing->dedupe, st->hash);
	struct op *op = &ing->op;
	op->kind = OP_REQUEST;
	op->u.request[0] = st->hash[0];
	op->u.request[1] = st->hash[1];
	record_put(&ing->record, op);
	size_t base = ing->record.len;
	enum reason why = decode(ing, request);
	/* Waiting for the journal to take it would hold up everybody else. */
	if (why == REASON_OK && stage_is_full(ing))
		why = REASON_TOO_MANY_POINTS;
	if (why != REASON_OK) {
		tally_add(&ing->tally, why, 1);
		ingest_abandon(ing);
		forget_new(ing);
		return why;
	}
	/* Asked only now: decoding takes as long as the memory of hashes takes to arrive. */
	if (dedupe_has(ing->dedupe, st->hash, request->now_ms)) {
		ingest_abandon(ing);
		ing->stats.duplicates++;
		out->is_duplicate = true;
		return REASON_OK;
	}
	if (ing->record.len == base)
		ing->record.len = ing->record_base; /* it changes nothing */
	out->rejected = st->rejected;
	if (st->rejected) {
		write_message(ing);
		out->message = buf_str(&st->message);
	}
	return REASON_OK;
}

struct slice ingest_record(const struct ingest *ing)
{
	if (ing->record.len <= ing->record_base)
		return slice_of(NULL, 0);
	return buf_slice(&ing->record);
}

static void keep_state(struct ingest *ing, struct slice name, struct slice bytes)
{
	struct named_state *state = NULL;
	for (size_t i = 0; i < ing->state_count && !state; i++) {
		if (slice_eq_str(name, ing->states[i].name))
			state = &ing->states[i];
	}
	if (!state) {
		if (ing->state_count == sizeof ing->states / sizeof *ing->states)
			return;
		state = &ing->states[ing->state_count++];
		state->name = mem_strndup((const char *)name.ptr, name.len);
	}
	free(state->bytes);
	state->bytes = mem_strndup((const char *)bytes.ptr, bytes.len);
	state->len = bytes.len;
}

static void apply_state(struct ingest *ing, const struct op_state *state)
{
	if (!slice_eq_str(state->name, STATE_SEQUENCE)) {
		keep_state(ing, state->name, state->bytes);
		return;
	}
	struct sequence *restored = sequence_restore(state->bytes, CHAINS_MAX);
	if (!restored)
		return;
	sequence_free(ing->sequence);
	ing->sequence = restored;
}

static void ignore_lost(void *ctx, uint64_t session, int64_t count, bool is_unknown)
{
	(void)ctx;
	(void)session;
	(void)count;
	(void)is_unknown;
}

/* As the ledger's fold counts it: what has no context has no place in the history. */
static void tell_added(const struct ingest *ing, const struct op_add *op, int64_t arrived_ms)
{
	if (!ing->added || !ing->has_applied_minute)
		return;
	const struct series *series = store_by_id(ing->store, op->series);
	const struct ingest_added added = { ing->applied_minute, series, op->part, op->amount,
		arrived_ms };
	if (series)
		ing->added(ing->added_ctx, &added);
}

static void apply(struct ingest *ing, const struct op *op, int64_t arrived_ms, bool is_replay)
{
	switch (op->kind) {
	case OP_REQUEST:
		dedupe_add(ing->dedupe, op->u.request, arrived_ms);
		if (arrived_ms > ing->stats.last_sample_ms)
			ing->stats.last_sample_ms = arrived_ms;
		return;
	case OP_SESSION:
		if (is_replay) {
			sessions_learn(ing->sessions, op->u.session.text, op->u.session.user,
				op->u.session.terminal, op->u.session.version)
				->last_ms = arrived_ms;
		}
		return;
	case OP_STREAM:
		streams_apply(ing->streams, &op->u.stream);
		return;
	case OP_SEEN:
		sequence_seen(ing->sequence, op->u.seen.user, op->u.seen.session, op->u.seen.first,
			op->u.seen.last, arrived_ms);
		return;
	case OP_LOST:
		/* It was found by expiring at this time: the tracker has to come to the same state. */
		if (is_replay)
			sequence_expire(ing->sequence, arrived_ms, ignore_lost, NULL);
		return;
	case OP_STATE:
		if (is_replay || !slice_eq_str(op->u.state.name, STATE_SEQUENCE))
			apply_state(ing, &op->u.state);
		return;
	case OP_SERIES:
		/* Live, the series is there already; its definition lies in ing->op. */
		if (is_replay) {
			store_apply(ing->store, op);
			events_learn_series(ing, &op->series);
		}
		return;
	case OP_ADD:
		store_apply(ing->store, op);
		tell_added(ing, &op->u.add, arrived_ms);
		return;
	case OP_SET:
	case OP_CARRY:
	case OP_SCRAPE:
	case OP_EPOCH:
		store_apply(ing->store, op);
		return;
	case OP_CONTEXT:
		ing->applied_minute = op->u.context.minute;
		ing->has_applied_minute = true;
		return;
	}
}

static bool apply_record(struct ingest *ing, struct slice record, bool is_replay)
{
	struct record_reader reader;
	if (!record_reader_init(&reader, record))
		return false;
	ing->has_applied_minute = false;
	int got;
	while ((got = record_next(&reader, &ing->op)) > 0)
		apply(ing, &ing->op, reader.arrived_ms, is_replay);
	return got == 0;
}

static void shrink(struct ingest *ing)
{
	if (ing->record.room > RECORD_KEEP_MAX)
		buf_clear(&ing->record);
	if (ing->event_key.room > RECORD_KEEP_MAX)
		buf_clear(&ing->event_key);
	struct staged *st = &ing->staged;
	if (st->cumulative_room * sizeof *st->cumulative > RECORD_KEEP_MAX) {
		free(st->cumulative);
		st->cumulative = NULL;
		st->cumulative_room = 0;
	}
}

void ingest_commit(struct ingest *ing)
{
	struct staged *st = &ing->staged;
	struct slice record = ingest_record(ing);
	if (record.len)
		apply_record(ing, record, false);
	if (st->pays_owed)
		ing->owed_count = 0;
	tally_merge(&ing->tally, &st->tally);
	ing->stats.requests[st->signal] += st->hash[0] || st->hash[1];
	ing->stats.points += st->points;
	ing->stats.log_records += st->log_records;
	ing->stats.spans += st->spans;
	shrink(ing);
}

void ingest_abandon(struct ingest *ing)
{
	struct staged *st = &ing->staged;
	for (size_t i = 0; i < st->defined_count; i++)
		st->defined[i]->segment = 0;
	for (size_t i = 0; i < st->session_count; i++) {
		struct session *session = sessions_find(ing->sessions, st->sessions[i]);
		if (session)
			session->segment = 0;
	}
	ing->record.len = ing->record_base;
	st->cumulative_count = 0;
	shrink(ing);
}

void ingest_load_series(struct ingest *ing, const struct op_series *series, int64_t shown_ms)
{
	store_define(ing->store, series);
	events_learn_series(ing, series);
	store_load_shown(ing->store, series->id, shown_ms);
}

void ingest_load_part(struct ingest *ing, uint32_t series, const struct part *part)
{
	store_load_part(ing->store, series, part);
}

void ingest_load_stream(struct ingest *ing, const struct op_stream *stream)
{
	streams_apply(ing->streams, stream);
}

bool ingest_replay_request(struct ingest *ing, struct slice record)
{
	struct record_reader reader;
	if (!record_reader_init(&reader, record))
		return false;
	/* The hash is the first thing that the record of a request says. */
	int got = record_next(&reader, &ing->op);
	if (got > 0 && ing->op.kind == OP_REQUEST)
		apply(ing, &ing->op, reader.arrived_ms, true);
	return got >= 0;
}

void ingest_load_state(struct ingest *ing, struct slice name, struct slice bytes)
{
	struct op_state state = { name, bytes };
	apply_state(ing, &state);
}

void ingest_load_epoch(struct ingest *ing, uint64_t start_ns, int64_t last_scrape_ms)
{
	store_load_epoch(ing->store, start_ns, last_scrape_ms);
}

bool ingest_replay(struct ingest *ing, struct slice record)
{
	return apply_record(ing, record, true);
}

const char *ingest_state(const struct ingest *ing, const char *name, size_t *len)
{
	for (size_t i = 0; i < ing->state_count; i++) {
		if (strcmp(ing->states[i].name, name) == 0) {
			*len = ing->states[i].len;
			return ing->states[i].bytes;
		}
	}
	return NULL;
}

void ingest_expire(struct ingest *ing, int64_t now_ms)
{
	sessions_expire(ing->sessions, now_ms - SESSION_IDLE_MS);
	streams_expire(ing->streams, now_ms - ing->options.retention_ms);
}

struct ingest_stats ingest_stats(const struct ingest *ing)
{
	struct ingest_stats stats = ing->stats;
	stats.series = store_series_count(ing->store);
	stats.streams = streams_count(ing->streams);
	stats.sessions = sessions_count(ing->sessions);
	stats.dedupe_shortened = dedupe_shortened(ing->dedupe);
	stats.unresolved = store_unresolved(ing->store);
	stats.lost_events = notes_lost_events(ing);
	return stats;
}

const struct tally *ingest_tally(const struct ingest *ing)
{
	return &ing->tally;
}

const struct store *ingest_store(const struct ingest *ing)
{
	return ing->store;
}

void ingest_refused(struct ingest *ing, enum reason reason)
{
	tally_add(&ing->tally, reason, 1);
}
