/* Cumulative points: each process counted once, in whatever order and company its data comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/ingest/ingest_testing.h"

#define CUMULATIVE_OF(time, reached)                                                   \
	{                                                                              \
		.temporality = OTLP_CUMULATIVE, .start_ms = NOW_MS, .time_ms = (time), \
		.value = (reached)                                                     \
	}

static void cumulative(struct bench *t, int64_t start_ms, int64_t time_ms, double value)
{
	struct sum s = CUMULATIVE_OF(time_ms, value);
	s.start_ms = start_ms;
	assert_true(take_sum_request(t, &s));
}

/* Session counter and cost, as every export of Claude Code has them. */
struct process {
	const char *scope;
	int64_t began_ms; /* start of its oldest stream; 0: that stream is not sent */
	int64_t cost_start_ms;
};

static void put_process(struct buf *b, const struct process *p, double cost)
{
	resource_begin(b, "", p->scope);
	if (p->began_ms) {
		struct sum count = { .name = "session",
			.temporality = OTLP_CUMULATIVE,
			.start_ms = p->began_ms,
			.time_ms = NOW_MS,
			.value = 1 };
		put_sum(b, &count);
	}
	struct sum s = { .name = "cost",
		.temporality = OTLP_CUMULATIVE,
		.start_ms = p->cost_start_ms,
		.time_ms = NOW_MS,
		.value = cost };
	put_sum(b, &s);
	resource_end(b);
}

static void export_one(struct bench *t, const struct process *p, double cost)
{
	metrics_begin(&t->body);
	put_process(&t->body, p, cost);
	metrics_end(&t->body);
	assert_true(bench_take(t, OTLP_METRICS));
}

static void test_a_cumulative_point_adds_its_rise(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	cumulative(&t, NOW_MS, NOW_MS + 1, 5);
	cumulative(&t, NOW_MS, NOW_MS + 2, 5);
	cumulative(&t, NOW_MS, NOW_MS + 3, 7.5);
	assert_value(value_of(t.ing, "x_total", ""), 7.5);
	assert_int_equal(count_of(t.ing, REASON_LATE), 0);
	assert_int_equal(ingest_stats(t.ing).streams, 1);
	bench_close(&t);
}

/* Leaves on the stack what a hash with this seed may have left there, and the rest of it overwritten: xxhash
 * looks whether its state holds the seed already. */
static __attribute__((noinline)) void litter_stack(uint64_t seed)
{
	enum { SEED_AT = 5, LINE = 8 }; /* in its state, aligned to 64 bytes; 0 behind it */

	_Alignas(64) volatile uint64_t stack[4096];
	for (size_t i = 0; i < sizeof stack / sizeof *stack; i++)
		stack[i] = i % LINE == SEED_AT ? seed : i % LINE == LINE - 1 ? 0 : i;
}

static void test_a_stream_is_known_again_whatever_the_stack_holds(void **state)
{
	(void)state;
	struct ingest_options options = bench_options();
	struct bench before, after;
	bench_open_with(&before, &options);
	bench_open_with(&after, &options);
	char name[201], family[sizeof name + sizeof "_total"];
	memset(name, 'x', sizeof name - 1); /* what is short is hashed without the state's secret */
	name[sizeof name - 1] = '\0';
	snprintf(family, sizeof family, "%s_total", name);
	struct sum s = CUMULATIVE_OF(NOW_MS + 1, 5);
	s.name = name;
	assert_true(take_sum_request(&before, &s));
	assert_true(ingest_replay(after.ing, bench_record(&before, 0)));
	s.value = 7;
	s.time_ms++;
	one_sum(&after.body, &s);
	litter_stack(options.seed);
	assert_true(bench_take(&after, OTLP_METRICS));
	assert_value(value_of(after.ing, family, ""), 7);
	bench_close(&after);
	bench_close(&before);
}

static void test_a_late_point_is_noted_and_adds_nothing(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	cumulative(&t, NOW_MS, NOW_MS + 1, 5);
	cumulative(&t, NOW_MS, NOW_MS + 3, 9);
	cumulative(&t, NOW_MS, NOW_MS + 2, 7);
	assert_int_equal(count_of(t.ing, REASON_LATE), 1);
	cumulative(&t, NOW_MS, NOW_MS + 4, 10);
	assert_value(value_of(t.ing, "x_total", ""), 10);
	assert_int_equal(t.outcome.rejected, 0);
	bench_close(&t);
}

static void test_a_point_that_stays_is_not_late_whatever_its_digits(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	double value = 0;
	for (int i = 1; i < 500; i++) {
		value += 0.1 * i + 1e-9;
		cumulative(&t, NOW_MS, NOW_MS + 2 * i, value);
		cumulative(&t, NOW_MS, NOW_MS + 2 * i + 1, value);
	}
	assert_int_equal(count_of(t.ing, REASON_LATE), 0);
	assert_near(value_of(t.ing, "x_total", ""), value, 1e-9);
	bench_close(&t);
}

static void test_a_new_start_adds_whole(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	cumulative(&t, NOW_MS, NOW_MS + 1, 5);
	cumulative(&t, NOW_MS + 100, NOW_MS + 101, 4);
	cumulative(&t, NOW_MS, NOW_MS + 102, 6);
	assert_value(value_of(t.ing, "x_total", ""), 10);
	bench_close(&t);
}

static void test_processes_that_share_attributes_and_start_count_both(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	/* The shape of the recording collide-6: only the earliest start of the request differs. */
	const struct process a = { CLAUDE_SCOPE, NOW_MS - 900, NOW_MS };
	const struct process b = { CLAUDE_SCOPE, NOW_MS - 700, NOW_MS };
	export_one(&t, &a, 5);
	export_one(&t, &b, 3);
	export_one(&t, &a, 6);
	export_one(&t, &b, 4);
	assert_value(value_of(t.ing, "cost_total", ""), 10);
	assert_value(value_of(t.ing, "session_total", ""), 2);
	assert_int_equal(count_of(t.ing, REASON_LATE), 0);
	bench_close(&t);
}

static void test_processes_in_one_request_count_both(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	const struct process a = { CLAUDE_SCOPE, NOW_MS - 900, NOW_MS };
	const struct process b = { CLAUDE_SCOPE, NOW_MS - 700, NOW_MS };
	for (int i = 0; i < 3; i++) {
		metrics_begin(&t.body);
		put_process(&t.body, &a, 5 + i);
		put_process(&t.body, &b, 1 + i);
		metrics_end(&t.body);
		assert_true(bench_take(&t, OTLP_METRICS));
	}
	assert_value(value_of(t.ing, "cost_total", ""), 10);
	assert_value(value_of(t.ing, "session_total", ""), 2);
	bench_close(&t);
}

static void test_another_earliest_start_in_claude_codes_scope_is_another_process(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	const struct process a = { CLAUDE_SCOPE, NOW_MS - 900, NOW_MS };
	const struct process without = { CLAUDE_SCOPE, 0, NOW_MS };
	export_one(&t, &a, 5);
	export_one(&t, &without, 3);
	assert_value(value_of(t.ing, "cost_total", ""), 8);
	bench_close(&t);
}

static void test_a_general_client_whose_oldest_stream_goes_is_counted_once(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	const struct process with = { OTHER_SCOPE, NOW_MS - 900, NOW_MS };
	const struct process without = { OTHER_SCOPE, 0, NOW_MS };
	export_one(&t, &with, 5);
	export_one(&t, &without, 6);
	export_one(&t, &with, 7);
	export_one(&t, &without, 8);
	assert_value(value_of(t.ing, "cost_total", ""), 8);
	assert_int_equal(count_of(t.ing, REASON_LATE), 0);
	bench_close(&t);
}

static void test_a_general_client_whose_older_stream_comes_is_counted_once(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	const struct process with = { OTHER_SCOPE, NOW_MS - 900, NOW_MS };
	const struct process without = { OTHER_SCOPE, 0, NOW_MS };
	export_one(&t, &without, 5);
	export_one(&t, &with, 6);
	export_one(&t, &with, 7);
	assert_value(value_of(t.ing, "cost_total", ""), 7);
	assert_value(value_of(t.ing, "session_total", ""), 1);
	bench_close(&t);
}

static void test_one_process_split_over_resources_is_counted_once(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	const struct process cost_only = { OTHER_SCOPE, 0, NOW_MS };
	const struct process with = { OTHER_SCOPE, NOW_MS - 900, NOW_MS };
	export_one(&t, &with, 5);
	metrics_begin(&t.body);
	resource_begin(&t.body, "", OTHER_SCOPE);
	put_sum(&t.body, &(struct sum){ .name = "session",
				 .temporality = OTLP_CUMULATIVE,
				 .start_ms = NOW_MS - 900,
				 .time_ms = NOW_MS,
				 .value = 1 });
	resource_end(&t.body);
	put_process(&t.body, &cost_only, 6);
	metrics_end(&t.body);
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_value(value_of(t.ing, "cost_total", ""), 6);
	assert_value(value_of(t.ing, "session_total", ""), 1);
	bench_close(&t);
}

static void test_two_points_of_a_stream_in_one_request_count_their_maximum(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	metrics_begin(&t.body);
	resource_begin(&t.body, "", OTHER_SCOPE);
	put_sum(&t.body, &(struct sum)CUMULATIVE_OF(NOW_MS + 1, 5));
	put_sum(&t.body, &(struct sum)CUMULATIVE_OF(NOW_MS + 3, 9));
	put_sum(&t.body, &(struct sum)CUMULATIVE_OF(NOW_MS + 2, 7));
	resource_end(&t.body);
	metrics_end(&t.body);
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_value(value_of(t.ing, "x_total", ""), 9);
	cumulative(&t, NOW_MS, NOW_MS + 4, 10);
	assert_value(value_of(t.ing, "x_total", ""), 10);
	bench_close(&t);
}

static void test_abandoned_rises_come_again(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	cumulative(&t, NOW_MS, NOW_MS + 1, 5);
	one_sum(&t.body, &(struct sum)CUMULATIVE_OF(NOW_MS + 2, 9));
	assert_int_equal(bench_prepare(&t, OTLP_METRICS), REASON_OK);
	ingest_abandon(t.ing);
	assert_value(value_of(t.ing, "x_total", ""), 5);
	cumulative(&t, NOW_MS, NOW_MS + 3, 8);
	assert_value(value_of(t.ing, "x_total", ""), 8);
	bench_close(&t);
}

static void test_without_a_start_time_a_fall_is_a_new_beginning_unless_it_is_late(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	t.now_ms = NOW_MS + 1000;
	cumulative(&t, 0, NOW_MS + 10, 5);
	cumulative(&t, 0, NOW_MS + 20, 8);
	cumulative(&t, 0, NOW_MS + 15, 6); /* overtaken */
	assert_value(value_of(t.ing, "x_total", ""), 8);
	assert_int_equal(count_of(t.ing, REASON_LATE), 1);
	cumulative(&t, 0, NOW_MS + 30, 2); /* begun again */
	cumulative(&t, 0, NOW_MS + 40, 3);
	assert_value(value_of(t.ing, "x_total", ""), 11);
	bench_close(&t);
}

#define HISTOGRAM_AT(time, count, sum, counts)                                             \
	"\"histogram\":{\"aggregationTemporality\":2,\"dataPoints\":[{\"count\":\"" #count \
	"\",\"sum\":" #sum ",\"timeUnixNano\":\"" time "\",\"explicitBounds\":[1],"        \
	"\"bucketCounts\":[" counts "]}]}"

static void take_metric(struct bench *t, const char *name, const char *data)
{
	one_metric(&t->body, name, data);
	assert_true(bench_take(t, OTLP_METRICS));
	assert_int_equal(t->outcome.rejected, 0);
}

static void test_a_histogram_without_start_that_begins_again_counts_whole(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	take_metric(&t, "h", HISTOGRAM_AT("1763999999000000000", 10, 100, "1,9"));
	take_metric(&t, "h", HISTOGRAM_AT("1763999999500000000", 3, 20, "2,1"));
	assert_value(part_of(t.ing, "h", "", 1), 13);
	assert_value(part_of(t.ing, "h", "", 0), 120);
	assert_value(part_of(t.ing, "h", "", 2), 3);
	assert_value(part_of(t.ing, "h", "", 3), 10);
	bench_close(&t);
}

static void test_a_stream_is_known_by_its_attributes_in_any_order(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	struct sum s = CUMULATIVE_OF(NOW_MS + 1, 5);
	s.attributes = S("a", "1") "," S("b", "2");
	assert_true(take_sum_request(&t, &s));
	s.attributes = S("b", "2") "," S("a", "1");
	s.value = 6;
	assert_true(take_sum_request(&t, &s));
	assert_value(value_of(t.ing, "x_total", "a=\"1\",b=\"2\""), 6);
	assert_int_equal(ingest_stats(t.ing).streams, 1);
	bench_close(&t);
}

static void test_streams_of_one_series_with_other_sessions_count_each(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	struct sum s = CUMULATIVE_OF(NOW_MS + 1, 5);
	s.attributes = S("session.id", "one");
	assert_true(take_sum_request(&t, &s));
	s.attributes = S("session.id", "two");
	assert_true(take_sum_request(&t, &s));
	assert_value(value_of(t.ing, "x_total", ""), 10);
	assert_int_equal(ingest_stats(t.ing).series, 1);
	assert_int_equal(ingest_stats(t.ing).streams, 2);
	bench_close(&t);
}

static void test_a_level_is_replaced_and_not_added_to_by_a_restarted_process(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	struct sum s = CUMULATIVE_OF(NOW_MS + 1, 5);
	s.is_level = true;
	assert_true(take_sum_request(&t, &s));
	s.value = -3;
	assert_true(take_sum_request(&t, &s));
	assert_value(value_of(t.ing, "x", ""), -3);
	s.start_ms = NOW_MS + 50;
	s.time_ms = NOW_MS + 60;
	s.value = 2;
	assert_true(take_sum_request(&t, &s));
	assert_value(value_of(t.ing, "x", ""), 2);
	bench_close(&t);
}

static void test_a_stream_with_a_clock_far_behind_is_not_forgotten(void **state)
{
	(void)state;
	struct ingest_options options = bench_options();
	options.retention_ms = 2 * DAY_MS;
	struct bench t;
	bench_open_with(&t, &options);
	cumulative(&t, 1000, 2000, 5);
	ingest_expire(t.ing, t.now_ms + 1000);
	cumulative(&t, 1000, 3000, 6);
	assert_value(value_of(t.ing, "x_total", ""), 6);
	bench_close(&t);
}

static void test_an_unchanged_stream_is_kept_and_an_idle_one_forgotten(void **state)
{
	(void)state;
	struct ingest_options options = bench_options();
	options.retention_ms = 3 * DAY_MS;
	struct bench t;
	bench_open_with(&t, &options);
	for (int day = 0; day < 10; day++) {
		t.now_ms = NOW_MS + day * DAY_MS;
		cumulative(&t, NOW_MS, t.now_ms, 5);
		ingest_expire(t.ing, t.now_ms);
	}
	assert_value(value_of(t.ing, "x_total", ""), 5);
	ingest_expire(t.ing, t.now_ms + 5 * DAY_MS);
	assert_int_equal(ingest_stats(t.ing).streams, 0);
	bench_close(&t);
}

/* Hour by hour, with a clock two days behind, on the shortest retention there is: 3 days. With two it fails. */
static void test_an_unchanged_stream_is_kept_by_the_shortest_retention(void **state)
{
	(void)state;
	struct ingest_options options = bench_options();
	options.retention_ms = 3 * DAY_MS;
	struct bench t;
	bench_open_with(&t, &options);
	for (int hour = 0; hour < 24 * 7; hour++) {
		t.now_ms = NOW_MS + hour * (DAY_MS / 24);
		ingest_expire(t.ing, t.now_ms);
		cumulative(&t, NOW_MS, t.now_ms - 2 * DAY_MS, 5);
	}
	assert_value(value_of(t.ing, "x_total", ""), 5);
	bench_close(&t);
}

static void test_streams_outlive_an_epoch(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	cumulative(&t, NOW_MS, NOW_MS + 1, 5);
	ingest_prepare_epoch(t.ing, t.now_ms, 77, false);
	bench_commit(&t);
	assert_value(value_of(t.ing, "x_total", ""), 0);
	cumulative(&t, NOW_MS, NOW_MS + 2, 7);
	assert_value(value_of(t.ing, "x_total", ""), 2);
	bench_close(&t);
}

/* The threshold lies in the bucket of index 0, where positive values are too. */
#define ZERO_WITH_THRESHOLD                                                        \
	"\"exponentialHistogram\":{\"aggregationTemporality\":2,\"dataPoints\":[{" \
	"\"startTimeUnixNano\":\"5\",\"count\":\"%d\",\"sum\":1,\"scale\":3,"      \
	"\"zeroCount\":\"%d\",\"zeroThreshold\":1.01,"                             \
	"\"negative\":{\"offset\":20,\"bucketCounts\":[1,1,1,1,1,1]},"             \
	"\"positive\":{\"offset\":0,\"bucketCounts\":[%d]}}]}"

static void test_a_zero_bucket_that_shares_its_bound_is_added_once(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	char data[400];
	snprintf(data, sizeof data, ZERO_WITH_THRESHOLD, 6 + 4 + 2, 4, 2);
	take_metric(&t, "e", data);
	snprintf(data, sizeof data, ZERO_WITH_THRESHOLD, 6 + 5 + 4, 5, 4);
	take_metric(&t, "e", data);
	assert_value(part_of(t.ing, "e", "", 1), 15);
	assert_value(part_of(t.ing, "e", "", 3), 9);
	bench_close(&t);
}

static void test_a_bucket_that_falls_while_its_histogram_rises_takes_nothing_back(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	take_metric(&t, "h",
		"\"histogram\":{\"aggregationTemporality\":2,\"dataPoints\":[{\"count\":\"4\","
		"\"sum\":1,"
		"\"startTimeUnixNano\":\"5\",\"explicitBounds\":[1],\"bucketCounts\":[3,1]}]}");
	take_metric(&t, "h",
		"\"histogram\":{\"aggregationTemporality\":2,\"dataPoints\":[{\"count\":\"5\","
		"\"sum\":1,"
		"\"startTimeUnixNano\":\"5\",\"explicitBounds\":[1],\"bucketCounts\":[2,3]}]}");
	assert_value(part_of(t.ing, "h", "", 2), 3);
	assert_value(part_of(t.ing, "h", "", 3), 3);
	bench_close(&t);
}

static void test_a_level_is_replaced_whatever_else_its_process_sends(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	for (int run = 0; run < 3; run++) {
		metrics_begin(&t.body);
		resource_begin(&t.body, "", CLAUDE_SCOPE);
		put_sum(&t.body, &(struct sum){ .name = "session",
					 .temporality = OTLP_CUMULATIVE,
					 .start_ms = NOW_MS - 900 + run,
					 .value = 1 });
		put_sum(&t.body, &(struct sum){ .name = "level",
					 .temporality = OTLP_CUMULATIVE,
					 .is_level = true,
					 .start_ms = NOW_MS + run,
					 .value = 10 + run });
		resource_end(&t.body);
		metrics_end(&t.body);
		assert_true(bench_take(&t, OTLP_METRICS));
	}
	assert_value(value_of(t.ing, "level", ""), 12);
	assert_value(value_of(t.ing, "session_total", ""), 3);
	bench_close(&t);
}

#define AT_SCALE(scale, offset, counts)                                            \
	"\"exponentialHistogram\":{\"aggregationTemporality\":2,\"dataPoints\":[{" \
	"\"startTimeUnixNano\":\"5\",\"count\":\"8\",\"sum\":1,\"scale\":" #scale  \
	",\"positive\":{\"offset\":" #offset ",\"bucketCounts\":[" counts "]}}]}"

static void test_a_histogram_that_halves_its_resolution_is_counted_once(void **state)
{
	(void)state;
	static const char *const coarser[] = { AT_SCALE(3, 8, "5,0,3"), AT_SCALE(2, 4, "5,3"),
		AT_SCALE(1, 2, "8"), AT_SCALE(0, 1, "8"), AT_SCALE(-1, 0, "8") };
	struct bench t;
	bench_open(&t);
	for (size_t i = 0; i < sizeof coarser / sizeof *coarser; i++) {
		take_metric(&t, "e", coarser[i]);
		const struct series *s = find_series(t.ing, "e", "");
		double buckets = 0;
		for (size_t k = 0; k < s->part_count; k++)
			buckets += s->parts[k].id < 2 ? 0 : part_value(&s->parts[k]);
		assert_value(buckets, 8);
		assert_value(part_of(t.ing, "e", "", 1), 8);
	}
	bench_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_cumulative_point_adds_its_rise),
		cmocka_unit_test(test_a_stream_is_known_again_whatever_the_stack_holds),
		cmocka_unit_test(test_a_late_point_is_noted_and_adds_nothing),
		cmocka_unit_test(test_a_point_that_stays_is_not_late_whatever_its_digits),
		cmocka_unit_test(test_a_new_start_adds_whole),
		cmocka_unit_test(test_processes_that_share_attributes_and_start_count_both),
		cmocka_unit_test(test_processes_in_one_request_count_both),
		cmocka_unit_test(
			test_another_earliest_start_in_claude_codes_scope_is_another_process),
		cmocka_unit_test(test_a_general_client_whose_oldest_stream_goes_is_counted_once),
		cmocka_unit_test(test_a_general_client_whose_older_stream_comes_is_counted_once),
		cmocka_unit_test(test_one_process_split_over_resources_is_counted_once),
		cmocka_unit_test(test_two_points_of_a_stream_in_one_request_count_their_maximum),
		cmocka_unit_test(test_abandoned_rises_come_again),
		cmocka_unit_test(
			test_without_a_start_time_a_fall_is_a_new_beginning_unless_it_is_late),
		cmocka_unit_test(test_a_histogram_without_start_that_begins_again_counts_whole),
		cmocka_unit_test(test_a_stream_is_known_by_its_attributes_in_any_order),
		cmocka_unit_test(test_streams_of_one_series_with_other_sessions_count_each),
		cmocka_unit_test(test_a_level_is_replaced_and_not_added_to_by_a_restarted_process),
		cmocka_unit_test(test_a_stream_with_a_clock_far_behind_is_not_forgotten),
		cmocka_unit_test(test_an_unchanged_stream_is_kept_and_an_idle_one_forgotten),
		cmocka_unit_test(test_an_unchanged_stream_is_kept_by_the_shortest_retention),
		cmocka_unit_test(test_streams_outlive_an_epoch),
		cmocka_unit_test(
			test_a_bucket_that_falls_while_its_histogram_rises_takes_nothing_back),
		cmocka_unit_test(test_a_level_is_replaced_whatever_else_its_process_sends),
		cmocka_unit_test(test_a_histogram_that_halves_its_resolution_is_counted_once),
		cmocka_unit_test(test_a_zero_bucket_that_shares_its_bound_is_added_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
