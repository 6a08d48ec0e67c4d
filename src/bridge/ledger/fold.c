#include "bridge/ledger/fold.h"

#include <stdlib.h>

#include "bridge/ledger/sum.h"
#include "core/error.h"
#include "core/mem.h"

#define MINUTE_MS INT64_C(60000)

/* What a cell of text counts for, beside the number of cells. */
#define BYTES_PER_CELL 64

struct fold *fold_new(const struct fold_base *base, enum fold_scope scope)
{
	struct fold *f = mem_zalloc(sizeof *f);
	f->series = (struct cells)CELLS_INIT(struct fold_series, 4);
	f->counters = (struct cells)CELLS_INIT(struct fold_counter, 8);
	f->minutes = (struct cells)CELLS_INIT(struct fold_minute, 12);
	f->hours = (struct cells)CELLS_INIT(struct fold_hour, 24);
	f->sessions = (struct cells)CELLS_INIT(struct fold_session, 8);
	f->streams = (struct cells)CELLS_INIT(struct fold_stream, 24);
	f->base = *base;
	f->scope = scope;
	return f;
}

static void drop_sessions(struct fold *f)
{
	for (size_t i = 0; i < f->sessions.count; i++) {
		struct fold_session *s = cells_at(&f->sessions, i);
		free(s->text);
		free(s->user);
		free(s->terminal);
		free(s->version);
	}
	cells_clear(&f->sessions);
}

static void drop_series(struct fold *f)
{
	for (size_t i = 0; i < f->series.count; i++) {
		struct fold_series *s = cells_at(&f->series, i);
		free(s->def);
	}
	cells_clear(&f->series);
}

static void free_state(struct fold_state *state)
{
	unsigned char *bytes = NULL;
	memcpy(&bytes, &state->name.ptr, sizeof bytes);
	free(bytes);
}

static void forget_memos(struct fold *f)
{
	memset(f->memos, 0, sizeof f->memos);
}

void fold_drop(struct fold *f)
{
	forget_memos(f);
	drop_series(f);
	drop_sessions(f);
	cells_clear(&f->counters);
	cells_clear(&f->minutes);
	cells_clear(&f->hours);
	cells_clear(&f->streams);
	for (size_t i = 0; i < f->state_count; i++)
		free_state(&f->states[i]);
	free(f->states);
	f->states = NULL;
	f->state_count = f->state_room = f->bytes = f->waiting = 0;
	f->has_scrape = false;
}

void fold_free(struct fold *f)
{
	if (!f)
		return;
	fold_drop(f);
	free(f);
}

static size_t fold_cells(const struct fold *f)
{
	return f->series.count + f->counters.count + f->minutes.count + f->hours.count +
	       f->sessions.count + f->streams.count + f->bytes / BYTES_PER_CELL;
}

/* ---- items, asked from the base when first touched ---- */

bool fold_has_value(const struct fold *f, int64_t shown_ms)
{
	if (!f->has_scrape || shown_ms == 0)
		return false;
	return shown_ms <= f->reach_ms || shown_ms > f->earliest_ms;
}

/* The next scrape may change how it is shown. */
static bool is_waiting(const struct fold_series *s)
{
	return s->waits || (s->shown_ms && s->shown_ms != SHOWN_WITH_VALUE);
}

static struct fold_series *touch_series(struct fold *f, uint32_t id, struct error *err)
{
	bool is_new;
	struct fold_series *s = cells_add(&f->series, &id, &is_new);
	if (is_new && f->base.series && !f->base.series(f->base.ctx, s, err))
		return NULL;
	if (is_new && fold_has_value(f, s->shown_ms))
		s->shown_ms = SHOWN_WITH_VALUE;
	f->waiting += is_new && is_waiting(s);
	return s;
}

static struct fold_counter *touch_counter(
	struct fold *f, uint32_t series, uint32_t part, struct error *err)
{
	uint32_t key[2] = { series, part };
	bool is_new;
	struct fold_counter *c = cells_add(&f->counters, key, &is_new);
	if (is_new && f->base.counter && !f->base.counter(f->base.ctx, c, err))
		return NULL;
	return c;
}

struct fold_session *fold_session(struct fold *f, uint64_t session, struct error *err)
{
	bool is_new;
	struct fold_session *s = cells_add(&f->sessions, &session, &is_new);
	if (is_new && f->base.session && !f->base.session(f->base.ctx, s, err))
		return NULL;
	return s;
}

/* ---- operations ---- */

static bool fold_op_series(struct fold *f, const struct op_series *op, struct error *err)
{
	struct fold_series *s = touch_series(f, op->id, err);
	if (!s)
		return false;
	if (s->kind)
		return true; /* repeated in a later segment */
	s->kind = op->kind;
	s->is_new = true;
	s->def = series_def_new(op);
	f->bytes += series_def_bytes(s->def);
	return true;
}

/* An empty text says nothing; the latest other one counts. */
static void replace_text(struct fold *f, char **text, struct slice value)
{
	if (value.len == 0 || (*text && slice_eq_str(value, *text)))
		return;
	free(*text);
	*text = mem_strndup((const char *)value.ptr, value.len);
	f->bytes += value.len;
}

static bool fold_op_session(struct fold *f, const struct op_session *op, struct error *err)
{
	struct fold_session *s = fold_session(f, op->session, err);
	if (!s)
		return false;
	s->named_ms = f->arrived_ms;
	replace_text(f, &s->text, op->text);
	replace_text(f, &s->user, op->user);
	replace_text(f, &s->terminal, op->terminal);
	replace_text(f, &s->version, op->version);
	return true;
}

/* A context knows the minute; when its data arrived within that minute, the arrival is the finer time. Data
 * sent long after the fact does not move its session to today. */
static bool fold_op_context(struct fold *f, const struct op_context *op, struct error *err)
{
	f->context = *op;
	f->has_context = true;
	if (!op->session)
		return true;
	struct fold_session *s = fold_session(f, op->session, err);
	if (!s)
		return false;
	int64_t at = op->minute * MINUTE_MS;
	if (f->arrived_ms / MINUTE_MS == (int64_t)op->minute)
		at = f->arrived_ms;
	if (!s->first_ms || at < s->first_ms)
		s->first_ms = at;
	if (at > s->last_ms)
		s->last_ms = at;
	return true;
}

static const struct fold_minute *add_minute(struct fold *f, const struct op_add *op)
{
	uint32_t key[3] = { f->context.minute, op->series, op->part };
	bool is_new;
	struct fold_minute *m = cells_add(&f->minutes, key, &is_new);
	sum_add(&m->hi, &m->lo, op->amount);
	return m;
}

static void add_hour(struct fold *f, const struct op_add *op)
{
	struct fold_hour key = {
		.session = f->context.session,
		.hour = f->context.minute / 60,
		.series = op->series,
		.part = op->part,
	};
	bool is_new;
	struct fold_hour *h = cells_add(&f->hours, &key, &is_new);
	sum_add(&h->hi, &h->lo, op->amount);
}

/* By session only totals are kept: sum and count of histograms, not their buckets. */
static bool is_by_session(enum series_kind kind, uint32_t part)
{
	switch (kind) {
	case SERIES_HISTOGRAM:
	case SERIES_EXPONENTIAL:
	case SERIES_SUMMARY:
		return part <= 1;
	case SERIES_GAUGE:
		return false;
	case SERIES_COUNTER:
		break;
	}
	return part == 0;
}

/* What a scrape behind its last operation has shown is not pending any more. */
static void move_counter(const struct fold *f, const struct fold_series *s, struct fold_counter *c,
	uint64_t position)
{
	if (c->position <= f->scrape_position && s->shown_ms == SHOWN_WITH_VALUE)
		c->pending = 0;
	c->position = position;
}

/* The counter of a live series: from now on the next scrape shows it. */
static struct fold_counter *live_counter(
	struct fold *f, uint32_t series, uint32_t part, uint64_t position, struct error *err)
{
	struct fold_series *s = touch_series(f, series, err);
	if (!s)
		return NULL;
	if (!s->shown_ms && !s->waits) {
		s->waits = true;
		f->waiting++;
	}
	struct fold_counter *c = touch_counter(f, series, part, err);
	if (c)
		move_counter(f, s, c, position);
	return c;
}

static struct fold_counter *count(
	struct fold *f, const struct op_add *op, uint64_t position, struct error *err)
{
	struct fold_counter *c = live_counter(f, op->series, op->part, position, err);
	if (!c)
		return NULL;
	sum_add(&c->hi, &c->lo, op->amount);
	c->pending += op->amount;
	return c;
}

static struct fold_memo *memo_of(struct fold *f, const struct op_add *op)
{
	return &f->memos[(op->series + op->part * 64) % FOLD_MEMOS];
}

/* Adds to cells of late, without looking them up. False: they are not known. */
static bool add_known(struct fold *f, const struct op_add *op, uint64_t position)
{
	const struct fold_memo *memo = memo_of(f, op);
	if (memo->series != op->series || memo->part != op->part ||
		memo->minute != f->context.minute)
		return false;
	struct fold_counter *c = cells_at(&f->counters, memo->counter);
	move_counter(f, cells_at(&f->series, memo->item), c, position);
	sum_add(&c->hi, &c->lo, op->amount);
	c->pending += op->amount;
	struct fold_minute *m = cells_at(&f->minutes, memo->cell);
	sum_add(&m->hi, &m->lo, op->amount);
	if (f->context.session && is_by_session(memo->kind, op->part))
		add_hour(f, op);
	return true;
}

static bool add_looked_up(
	struct fold *f, const struct op_add *op, uint64_t position, struct error *err)
{
	struct fold_counter *c = NULL;
	if (f->scope == FOLD_ALL && !(c = count(f, op, position, err)))
		return false;
	if (!f->has_context)
		return true;
	const struct fold_minute *m = add_minute(f, op);
	const struct fold_series *s = touch_series(f, op->series, err);
	if (!s)
		return false;
	if (f->context.session && is_by_session(s->kind, op->part))
		add_hour(f, op);
	if (c && s->kind) {
		*memo_of(f, op) = (struct fold_memo){
			.series = op->series,
			.part = op->part,
			.minute = f->context.minute,
			.counter = (uint32_t)cells_index(&f->counters, c),
			.cell = (uint32_t)cells_index(&f->minutes, m),
			.item = (uint32_t)cells_index(&f->series, s),
			.kind = s->kind,
		};
	}
	return true;
}

static bool fold_op_add(
	struct fold *f, const struct op_add *op, uint64_t position, struct error *err)
{
	if (f->scope == FOLD_ALL && f->has_context && add_known(f, op, position))
		return true;
	return add_looked_up(f, op, position, err);
}

static bool fold_op_set(
	struct fold *f, const struct op_set *op, uint64_t position, struct error *err)
{
	struct fold_counter *c = live_counter(f, op->series, op->part, position, err);
	if (!c)
		return false;
	if (op->time_ms < c->set_ms)
		return true;
	c->hi = op->value;
	c->lo = 0;
	c->set_ms = op->time_ms;
	return true;
}

/* As the bridge does (ingest/store.c), but that a gauge, which is never held, is not told apart: nothing asks. */
static void show(struct fold_series *s, const struct op_scrape *op)
{
	int64_t before_ms = s->shown_ms;
	if (s->waits)
		s->shown_ms = op->time_ms;
	s->waits = false;
	if (!scrape_holds(op->time_ms, op->hold_ms, s->shown_ms))
		s->shown_ms = SHOWN_WITH_VALUE;
	s->is_changed = s->is_changed || s->shown_ms != before_ms;
}

static bool fold_op_scrape(
	struct fold *f, const struct op_scrape *op, uint64_t position, struct error *err)
{
	f->last_scrape_ms = op->time_ms;
	f->scrape_position = position;
	size_t left = f->waiting;
	for (size_t i = 0; i < f->series.count && left; i++) {
		struct fold_series *s = cells_at(&f->series, i);
		if (!is_waiting(s))
			continue;
		left--;
		show(s, op);
		f->waiting -= !is_waiting(s);
	}
	bool is_first = !f->has_scrape;
	f->has_scrape = true;
	int64_t reach_ms = op->time_ms - op->hold_ms;
	if (is_first || reach_ms > f->reach_ms)
		f->reach_ms = reach_ms;
	if (is_first || op->time_ms < f->earliest_ms)
		f->earliest_ms = op->time_ms;
	if (is_first && f->base.scraped)
		return f->base.scraped(f->base.ctx, op->time_ms, err);
	return true;
}

/* A gauge is a level, not a count: it has no epoch and keeps its value. */
static void keep_gauges(struct fold *f)
{
	struct cells all = f->counters;
	f->counters = (struct cells)CELLS_INIT(struct fold_counter, 8);
	for (size_t i = 0; i < all.count; i++) {
		const struct fold_counter *c = cells_at(&all, i);
		const struct fold_series *s = cells_find(&f->series, &c->series);
		bool is_new;
		if (s && s->kind == SERIES_GAUGE)
			*(struct fold_counter *)cells_add(&f->counters, c, &is_new) = *c;
	}
	cells_clear(&all);
}

static bool fold_op_epoch(struct fold *f, const struct op_epoch *op, struct error *err)
{
	f->epoch_start_ns = op->start_ns;
	forget_memos(f);
	keep_gauges(f);
	f->waiting = 0;
	for (size_t i = 0; i < f->series.count; i++) {
		struct fold_series *s = cells_at(&f->series, i);
		if (s->kind == SERIES_GAUGE) {
			f->waiting += is_waiting(s);
			continue;
		}
		s->is_changed = s->is_changed || s->shown_ms;
		s->shown_ms = 0;
		s->waits = false;
	}
	return !f->base.epoch || f->base.epoch(f->base.ctx, err);
}

static void fold_op_stream(struct fold *f, const struct op_stream *op)
{
	bool is_new;
	struct fold_stream *s = cells_add(&f->streams, op->key, &is_new);
	s->stream = *op;
}

static bool fold_op_lost(struct fold *f, const struct op_lost *op, struct error *err)
{
	struct fold_session *s = fold_session(f, op->session, err);
	if (!s)
		return false;
	s->named_ms = f->arrived_ms;
	s->lost += op->count;
	s->is_unknown = s->is_unknown || op->is_unknown;
	return true;
}

static void fold_op_state(struct fold *f, const struct op_state *op)
{
	unsigned char *bytes = mem_alloc(op->name.len + op->bytes.len + 1);
	if (op->name.len)
		memcpy(bytes, op->name.ptr, op->name.len);
	if (op->bytes.len)
		memcpy(bytes + op->name.len, op->bytes.ptr, op->bytes.len);
	struct fold_state state = {
		.name = slice_of(bytes, op->name.len),
		.bytes = slice_of(bytes + op->name.len, op->bytes.len),
	};
	f->bytes += op->bytes.len;
	for (size_t i = 0; i < f->state_count; i++) {
		if (!slice_eq(f->states[i].name, op->name))
			continue;
		f->bytes -= f->states[i].bytes.len;
		free_state(&f->states[i]);
		f->states[i] = state;
		return;
	}
	f->states = mem_grow(f->states, &f->state_room, f->state_count + 1, sizeof *f->states);
	f->states[f->state_count++] = state;
}

static bool fold_op(struct fold *f, uint64_t position, struct error *err)
{
	const struct op *op = &f->op;
	bool is_all = f->scope == FOLD_ALL;
	switch (op->kind) {
	case OP_SERIES:
		return fold_op_series(f, &op->series, err);
	case OP_SESSION:
		return fold_op_session(f, &op->u.session, err);
	case OP_CONTEXT:
		return fold_op_context(f, &op->u.context, err);
	case OP_ADD:
		return fold_op_add(f, &op->u.add, position, err);
	case OP_SET:
		return !is_all || fold_op_set(f, &op->u.set, position, err);
	case OP_CARRY:
		return !is_all || count(f, &op->u.add, position, err) != NULL;
	case OP_STREAM:
		if (is_all)
			fold_op_stream(f, &op->u.stream);
		return true;
	case OP_SCRAPE:
		return !is_all || fold_op_scrape(f, &op->u.scrape, position, err);
	case OP_EPOCH:
		return !is_all || fold_op_epoch(f, &op->u.epoch, err);
	case OP_LOST:
		return fold_op_lost(f, &op->u.lost, err);
	case OP_STATE:
		if (is_all)
			fold_op_state(f, &op->u.state);
		return true;
	case OP_REQUEST: /* the bridge reads these back from the journal itself */
	case OP_SEEN:	 /* what it led to comes as OP_LOST and OP_STATE */
		return true;
	}
	return true;
}

void fold_settle(struct fold *f)
{
	for (size_t i = 0; i < f->sessions.count; i++) {
		struct fold_session *s = cells_at(&f->sessions, i);
		if (!s->last_ms)
			s->first_ms = s->last_ms = s->named_ms;
	}
}

static bool take_full(struct fold *f, struct error *err)
{
	if (!f->base.full || fold_cells(f) < FOLD_CELLS_MAX)
		return true;
	fold_settle(f);
	return f->base.full(f->base.ctx, f, err);
}

bool fold_record(struct fold *f, uint64_t position, struct slice record, struct error *err)
{
	struct record_reader reader;
	int more = record_reader_init(&reader, record) ? 1 : -1;
	f->arrived_ms = reader.arrived_ms;
	f->has_context = false;
	/* An operation takes a byte at least, so position plus its number lies before the next record. */
	for (uint64_t i = 0; more > 0 && (more = record_next(&reader, &f->op)) > 0; i++) {
		if (!fold_op(f, position + i, err) || !take_full(f, err))
			return false;
	}
	if (more < 0) {
		error_set(err, ERR_NEWER, "the journal record at %llu cannot be read",
			(unsigned long long)position);
		return error_hint(err, "a newer cctm may have written it");
	}
	return true;
}
