#include "bridge/ingest/ingest.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "bridge/ingest/ingest_internal.h"
#include "core/mem.h"

#define CHAINS_MAX	4096u
#define TARGETS_MAX	((size_t)1 << 18)
#define RECORD_KEEP_MAX ((size_t)256 << 10) /* a larger buffer is given back after the request */
#define SESSION_IDLE_MS INT64_C(86400000)
#define SESSIONS_MAX	65536u /* of late; past it they are read from the attributes again */
#define SCRAPE_NOTE_MS \
	INT64_C(3600000) /* that scrapers still come is noted, also when nothing is new */
#define STATE_SEQUENCE "sequence"

#define LOST_FAMILY "cctm.client_lost_events"

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
	ing->labels = labels_new(options->has_session_label);
	ing->sequence = sequence_new(CHAINS_MAX);
	ing->record.max = BUF_UNLIMITED;
	ing->family.max = BUF_UNLIMITED;
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
	labels_free(ing->labels);
	sequence_free(ing->sequence);
	buf_clear(&ing->record);
	buf_clear(&ing->family);
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

void ingest_set_seed(struct ingest *ing, uint64_t seed)
{
	ing->options.seed = seed;
	for (unsigned signal = 0; signal < 3; signal++)
		hash128_init(&ing->hashes[signal], seed ^ signal);
}

/* Begins a record of the bridge's own or of a request. */
static void begin(struct ingest *ing, int64_t now_ms, uint32_t segment)
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
}

enum reason ingest_prepare(
	struct ingest *ing, const struct ingest_request *request, struct ingest_outcome *out)
{
	*out = (struct ingest_outcome){ 0 };
	begin(ing, request->now_ms, request->segment);
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
	case OP_SET:
	case OP_CARRY:
	case OP_SCRAPE:
	case OP_EPOCH:
		store_apply(ing->store, op);
		return;
	case OP_CONTEXT:
		return;
	}
}

static bool apply_record(struct ingest *ing, struct slice record, bool is_replay)
{
	struct record_reader reader;
	if (!record_reader_init(&reader, record))
		return false;
	int got;
	while ((got = record_next(&reader, &ing->op)) > 0)
		apply(ing, &ing->op, reader.arrived_ms, is_replay);
	return got == 0;
}

static void shrink(struct ingest *ing)
{
	if (ing->record.room > RECORD_KEEP_MAX)
		buf_clear(&ing->record);
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

bool ingest_prepare_scrape(struct ingest *ing, int64_t now_ms)
{
	int64_t last_ms = store_last_scrape_ms(ing->store);
	bool is_due = last_ms && now_ms - last_ms >= SCRAPE_NOTE_MS;
	if (!is_due && !store_has_unscraped(ing->store) && !store_has_unshown(ing->store))
		return false;
	begin(ing, now_ms, 0);
	ing->op.kind = OP_SCRAPE;
	ing->op.u.scrape = (struct op_scrape){ now_ms, ing->options.zero_hold_ms };
	record_put(&ing->record, &ing->op);
	return true;
}

/* The series that counts lost events, with its definition staged; NULL: its name is taken. */
static struct series *lost_series(struct ingest *ing)
{
	struct op_series *d = &ing->op.series;
	*d = (struct op_series){
		.kind = SERIES_COUNTER,
		.metric = SLICE_LIT(LOST_FAMILY),
		.family = SLICE_LIT("cctm_client_lost_events_total"),
		.unit = SLICE_LIT(""),
		.help = SLICE_LIT("Client events found missing, told from gaps in event.sequence"),
	};
	struct series *known =
		store_find(ing->store, (const char *)d->family.ptr, d->family.len, "", 0);
	return known ? known : store_define(ing->store, d);
}

/* The tracker says it once; it stays owed until it is in the journal. */
static void owe_lost(void *ctx, uint64_t session, int64_t count, bool is_unknown)
{
	struct ingest *ing = ctx;
	ing->owed = mem_grow(ing->owed, &ing->owed_room, ing->owed_count + 1, sizeof *ing->owed);
	ing->owed[ing->owed_count++] = (struct op_lost){ session, count, is_unknown };
}

/* Returns how many events are missing. */
static double stage_owed(struct ingest *ing)
{
	double lost = 0;
	for (size_t i = 0; i < ing->owed_count; i++) {
		ing->op.kind = OP_LOST;
		ing->op.u.lost = ing->owed[i];
		record_put(&ing->record, &ing->op);
		if (ing->owed[i].count > 0)
			lost += (double)ing->owed[i].count;
	}
	ing->staged.pays_owed = true;
	return lost;
}

bool ingest_prepare_expiry(struct ingest *ing, int64_t now_ms, uint32_t segment)
{
	begin(ing, now_ms, segment);
	sequence_expire(ing->sequence, now_ms, owe_lost, ing);
	if (ing->owed_count == 0)
		return false;
	double lost = stage_owed(ing);
	struct series *series = lost > 0 ? lost_series(ing) : NULL;
	if (series) {
		stage_context(ing, 0, stage_minute(ing, 0));
		stage_add(ing, series, 0, lost);
	}
	return true;
}

/* A summary's quantiles are what they are; everything else counts. */
static bool is_counted(const struct series *series, const struct part *p)
{
	return series->family->kind != SERIES_SUMMARY || p->id < 2;
}

static void carry_part(struct ingest *ing, const struct series *series, const struct part *p)
{
	struct op *op = &ing->op;
	if (is_counted(series, p)) {
		op->kind = OP_CARRY;
		op->u.add = (struct op_add){ series->id, p->id, part_value(p) - p->scraped };
	} else {
		op->kind = OP_SET;
		op->u.set = (struct op_set){ series->id, p->id, p->set_ms, part_value(p) };
	}
	record_put(&ing->record, op);
}

static void carry(struct ingest *ing, const struct series *series)
{
	bool is_needed = false;
	for (size_t k = 0; k < series->part_count && !is_needed; k++) {
		const struct part *p = &series->parts[k];
		is_needed = is_counted(series, p) && part_value(p) != p->scraped;
	}
	if (!is_needed)
		return;
	stage_put_definition(ing, series);
	for (size_t k = 0; k < series->part_count; k++)
		carry_part(ing, series, &series->parts[k]);
}

void ingest_prepare_epoch(
	struct ingest *ing, int64_t now_ms, uint64_t start_ns, bool carries_unscraped)
{
	begin(ing, now_ms, 0);
	ing->op.kind = OP_EPOCH;
	ing->op.u.epoch.start_ns = start_ns;
	record_put(&ing->record, &ing->op);
	if (!carries_unscraped)
		return;
	for (size_t f = 0; f < store_family_count(ing->store); f++) {
		const struct family *family = store_family_at(ing->store, f);
		for (size_t i = 0; family->kind != SERIES_GAUGE && i < family->series_count; i++) {
			if (family->series[i]->is_live)
				carry(ing, family->series[i]);
		}
	}
}

void ingest_prepare_state(struct ingest *ing, int64_t now_ms, const char *name, struct slice bytes)
{
	begin(ing, now_ms, 0);
	ing->op.kind = OP_STATE;
	ing->op.u.state = (struct op_state){ slice_str(name), bytes };
	record_put(&ing->record, &ing->op);
}

void ingest_prepare_sequence_state(struct ingest *ing, int64_t now_ms)
{
	AUTO(buf) struct buf saved = BUF_INIT(BUF_UNLIMITED);
	sequence_save(ing->sequence, &saved);
	ingest_prepare_state(ing, now_ms, STATE_SEQUENCE, buf_slice(&saved));
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
