/* A bridge that replays the journal holds what the one before it held; seen from /metrics, for requests made
 * up at random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/expose/text.h"
#include "bridge/ingest/ingest_testing.h"

#define HOLD_MS	  15000
#define SEEDS	  60
#define STEPS	  120
#define PROCESSES 6

struct world {
	struct bench live;
	uint64_t random;
	double reached[PROCESSES];   /* of each process' cumulative counter */
	double delivered[PROCESSES]; /* the highest that was sent */
	uint64_t sequence[PROCESSES];
	double sent; /* by deltas */
};

static struct ingest_options options(void)
{
	struct ingest_options o = bench_options();
	o.zero_hold_ms = HOLD_MS;
	o.series_max = 40;
	return o;
}

/* Xorshift (G. Marsaglia, 2003). */
static unsigned pick(struct world *w, unsigned below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (unsigned)(w->random >> 33) % below;
}

static void put_delta(struct world *w)
{
	char attributes[200];
	snprintf(attributes, sizeof attributes, S("n", "%u") "," S("session.id", "s%u"),
		pick(w, 60), pick(w, 5));
	struct sum s = { .name = pick(w, 2) ? "x" : "y", .attributes = attributes };
	s.value = pick(w, 1000) / 8.0;
	s.time_ms = w->live.now_ms - pick(w, 100000);
	w->sent += s.value;
	put_sum(&w->live.body, &s);
}

/* A process as Claude Code is one: pairs of them share the start of their counter and all attributes. */
static void put_process(struct world *w)
{
	unsigned p = pick(w, PROCESSES);
	w->reached[p] += pick(w, 100) / 8.0;
	/* Now and then what was overtaken, or the same again. */
	double value = pick(w, 4) ? w->reached[p] : w->reached[p] / 2;
	if (value > w->delivered[p])
		w->delivered[p] = value;
	struct sum began = { .name = "began",
		.temporality = OTLP_CUMULATIVE,
		.start_ms = NOW_MS - 100 - p,
		.value = 1 };
	struct sum s = { .name = "x",
		.temporality = OTLP_CUMULATIVE,
		.start_ms = NOW_MS - p / 2,
		.time_ms = w->live.now_ms,
		.value = value };
	resource_begin(&w->live.body, "", CLAUDE_SCOPE);
	put_sum(&w->live.body, &began);
	put_sum(&w->live.body, &s);
	resource_end(&w->live.body);
}

static void put_other(struct world *w)
{
	char data[400];
	switch (pick(w, 4)) {
	case 0:
		snprintf(data, sizeof data, "\"gauge\":{\"dataPoints\":[{\"asDouble\":%u.%u}]}",
			pick(w, 100), pick(w, 100));
		put_metric(&w->live.body, "g", data);
		return;
	case 1:
		snprintf(data, sizeof data,
			"\"histogram\":{\"aggregationTemporality\":%u,\"dataPoints\":[{"
			"\"startTimeUnixNano\":\"5\",\"count\":\"3\",\"sum\":0.%u,"
			"\"explicitBounds\":[0.1,2],\"bucketCounts\":[1,1,1]}]}",
			1 + pick(w, 2), pick(w, 1000));
		put_metric(&w->live.body, "h", data);
		return;
	case 2:
		snprintf(data, sizeof data,
			"\"exponentialHistogram\":{\"aggregationTemporality\":1,\"dataPoints\":[{"
			"\"count\":\"3\",\"sum\":0.%u,\"scale\":%u,\"positive\":{\"offset\":%u,"
			"\"bucketCounts\":[1,0,2]}}]}",
			pick(w, 1000), pick(w, 6), pick(w, 30));
		put_metric(&w->live.body, "e", data);
		return;
	default:
		snprintf(data, sizeof data,
			"\"sum\":{\"aggregationTemporality\":%u,\"dataPoints\":[{\"asInt\":"
			"\"-%u\"}]}",
			1 + pick(w, 2), pick(w, 100));
		put_metric(&w->live.body, "level", data);
		return;
	}
}

static void build_metrics(struct world *w, bool counters_only)
{
	metrics_begin(&w->live.body);
	resource_begin(&w->live.body, "", OTHER_SCOPE);
	put_delta(w);
	for (unsigned i = pick(w, 6); i; i--) {
		if (counters_only || pick(w, 3))
			put_delta(w);
		else
			put_other(w);
	}
	resource_end(&w->live.body);
	for (unsigned i = pick(w, 4); i; i--)
		put_process(w);
	metrics_end(&w->live.body);
}

static void build_logs(struct world *w)
{
	unsigned p = pick(w, PROCESSES);
	logs_begin(&w->live.body, "");
	for (unsigned i = pick(w, 5); i; i--) {
		char attributes[300];
		w->sequence[p] += pick(w, 10) ? 0 : pick(w, 4); /* some are lost */
		snprintf(attributes, sizeof attributes,
			S("event.name", "e%u") "," S("session.id",
				"s%u") ",{\"key\":\"event.sequence\",\"value\":{\"intValue\":%u}}",
			pick(w, 8), p, (unsigned)w->sequence[p]++);
		put_log(&w->live.body, attributes, "");
	}
	logs_end(&w->live.body);
}

/* Takes what was built as the daemon does it, with a journal that fails at times. */
static void take(struct world *w, enum otlp_signal signal)
{
	struct bench *t = &w->live;
	struct slice cut = slice_of(t->body.data, t->body.len / 2);
	if (pick(w, 10) == 0)
		assert_int_not_equal(bench_prepare_bytes(t, signal, OTLP_JSON, cut), REASON_OK);
	if (pick(w, 10) == 0) {
		assert_int_equal(bench_prepare(t, signal), REASON_OK);
		ingest_abandon(t->ing);
	}
	if (bench_take(t, signal) && pick(w, 10) == 0)
		assert_false(bench_take(t, signal) && ingest_record(t->ing).len);
}

static void note(struct world *w)
{
	struct bench *t = &w->live;
	switch (pick(w, 8)) {
	case 0:
		ingest_prepare_epoch(
			t->ing, t->now_ms, (uint64_t)t->now_ms * 1000000, pick(w, 2) == 0);
		bench_commit(t);
		return;
	case 1:
	case 2:
	case 3:
		if (ingest_prepare_expiry(t->ing, t->now_ms, t->segment))
			bench_commit(t);
		return;
	default:
		if (ingest_prepare_scrape(t->ing, t->now_ms))
			bench_commit(t);
		return;
	}
}

static void step(struct world *w)
{
	w->live.now_ms += pick(w, 20000);
	if (pick(w, 15) == 0)
		w->live.segment++;
	switch (pick(w, 4)) {
	case 0:
		note(w);
		return;
	case 1:
		build_logs(w);
		take(w, OTLP_LOGS);
		return;
	default:
		build_metrics(w, false);
		take(w, OTLP_METRICS);
		return;
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The lines of the exposition in order: which family was met first is not part of the promise. */
static char *exposed(const struct ingest *ing, int64_t now_ms)
{
	struct expose_options o = { .now_ms = now_ms, .zero_hold_ms = HOLD_MS };
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	struct buf sorted = BUF_INIT(BUF_UNLIMITED);
	char *lines[4000];
	size_t count = 0;
	expose_text(ingest_store(ing), &o, &out);
	for (char *at = (char *)out.data, *end; at && (end = strchr(at, '\n')); at = end + 1) {
		assert_true(count < sizeof lines / sizeof *lines);
		*end = '\0';
		lines[count++] = at;
	}
	qsort(lines, count, sizeof *lines, compare_lines);
	for (size_t i = 0; i < count; i++)
		buf_addf(&sorted, "%s\n", lines[i]);
	buf_addc(&sorted, '\n');
	return buf_detach(&sorted);
}

static void assert_same_exposition(const struct ingest *a, const struct ingest *b, int64_t now_ms)
{
	AUTO(str) char *one = exposed(a, now_ms);
	AUTO(str) char *other = exposed(b, now_ms);
	assert_string_equal(one, other);
}

static void begin(struct world *w, uint64_t seed)
{
	struct ingest_options o = options();
	*w = (struct world){ .random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1 };
	bench_open_with(&w->live, &o);
	ingest_prepare_epoch(w->live.ing, NOW_MS, 5, false);
	bench_commit(&w->live);
}

static void replay_from(struct bench *again, const struct bench *from, size_t first)
{
	for (size_t i = first; i < from->record_count; i++)
		assert_true(ingest_replay(again->ing, bench_record(from, i)));
	again->now_ms = from->now_ms;
	assert_int_equal(ingest_stats(again->ing).unresolved, 0);
}

/* Both take one more request, whose meaning depends on all that was kept: streams, targets, hashes. */
static void assert_same_future(struct world *w, struct bench *again)
{
	build_metrics(w, false);
	buf_add(&again->body, w->live.body.data, w->live.body.len);
	again->segment = w->live.segment;
	assert_true(bench_take(&w->live, OTLP_METRICS));
	assert_true(bench_take(again, OTLP_METRICS));
	assert_same_exposition(w->live.ing, again->ing, w->live.now_ms);
	assert_false(bench_take(again, OTLP_METRICS) && ingest_record(again->ing).len);
}

static void test_replay_holds_what_was_held_live(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct ingest_options o = options();
		struct world w;
		struct bench again;
		begin(&w, seed);
		bench_open_with(&again, &o);
		for (int i = 0; i < STEPS; i++)
			step(&w);
		replay_from(&again, &w.live, 0);
		assert_same_exposition(w.live.ing, again.ing, w.live.now_ms);
		assert_same_exposition(w.live.ing, again.ing, w.live.now_ms + HOLD_MS);
		assert_same_future(&w, &again);
		bench_close(&again);
		bench_close(&w.live);
	}
}

/* What the ledger keeps: series and their values from the counters, the rest folded from the records. */
static void load_store(struct ingest *to, const struct store *from)
{
	struct op_series *d = mem_zalloc(sizeof *d);
	ingest_load_epoch(to, store_epoch_ns(from), store_last_scrape_ms(from));
	for (uint32_t id = 1; id < store_next_id(from); id++) {
		const struct series *s = store_by_id(from, id);
		if (!s || (!s->is_live && !s->segment))
			continue;
		*d = (struct op_series){ .id = id,
			.kind = s->family->kind,
			.metric = slice_str(s->family->metric),
			.family = slice_str(s->family->name),
			.unit = slice_str(s->family->unit),
			.help = slice_str(s->family->help),
			.label_count = s->pair_count,
			.bound_count = s->bound_count };
		for (size_t i = 0; i < s->pair_count; i++)
			d->labels[i] = s->pairs[i];
		for (size_t i = 0; i < s->bound_count; i++)
			d->bounds[i] = s->bounds[i];
		ingest_load_series(to, d, s->shown_ms);
		for (size_t i = 0; s->is_live && i < s->part_count; i++)
			ingest_load_part(to, id, &s->parts[i]);
	}
	free(d);
}

static void load_records(struct ingest *to, const struct bench *from)
{
	struct op *op = mem_zalloc(sizeof *op);
	for (size_t i = 0; i < from->record_count; i++) {
		struct record_reader reader;
		assert_true(ingest_replay_request(to, bench_record(from, i)));
		assert_true(record_reader_init(&reader, bench_record(from, i)));
		while (record_next(&reader, op) > 0) {
			if (op->kind == OP_STREAM)
				ingest_load_stream(to, &op->u.stream);
			if (op->kind == OP_STATE)
				ingest_load_state(to, op->u.state.name, op->u.state.bytes);
		}
	}
	free(op);
}

static void test_a_checkpoint_and_the_records_behind_it_hold_what_was_held_live(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct ingest_options o = options();
		struct world w;
		struct bench again;
		begin(&w, seed);
		bench_open_with(&again, &o);
		int cut = (int)pick(&w, STEPS);
		for (int i = 0; i < cut; i++)
			step(&w);
		ingest_prepare_sequence_state(w.live.ing, w.live.now_ms);
		bench_commit(&w.live);
		load_store(again.ing, ingest_store(w.live.ing));
		load_records(again.ing, &w.live);
		size_t first = w.live.record_count;
		w.live.segment++;
		for (int i = cut; i < STEPS; i++)
			step(&w);
		replay_from(&again, &w.live, first);
		assert_same_exposition(w.live.ing, again.ing, w.live.now_ms);
		assert_same_exposition(w.live.ing, again.ing, w.live.now_ms + HOLD_MS);
		assert_same_future(&w, &again);
		bench_close(&again);
		bench_close(&w.live);
	}
}

static void restart(struct world *w)
{
	struct ingest_options o = options();
	ingest_free(w->live.ing);
	w->live.ing = ingest_new(&o);
	for (size_t i = 0; i < w->live.record_count; i++)
		assert_true(ingest_replay(w->live.ing, bench_record(&w->live, i)));
	w->live.segment++;
}

static void test_totals_equal_what_was_sent_over_restarts(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world w;
		begin(&w, seed);
		for (int i = 0; i < STEPS; i++) {
			w.live.now_ms += pick(&w, 20000);
			build_metrics(&w, true);
			take(&w, OTLP_METRICS);
			if (pick(&w, 20) == 0)
				restart(&w);
		}
		double total =
			family_total(w.live.ing, "x_total") + family_total(w.live.ing, "y_total");
		for (int p = 0; p < PROCESSES; p++)
			w.sent += w.delivered[p];
		assert_value(total, w.sent); /* all amounts are eighths: no rounding */
		bench_close(&w.live);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replay_holds_what_was_held_live),
		cmocka_unit_test(
			test_a_checkpoint_and_the_records_behind_it_hold_what_was_held_live),
		cmocka_unit_test(test_totals_equal_what_was_sent_over_restarts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
