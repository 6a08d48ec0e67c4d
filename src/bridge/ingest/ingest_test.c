/* Requests as a whole: taken once, taken whole or not at all, and every remark counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/ingest/ingest_testing.h"

static void test_a_delta_adds_whatever_its_start_time(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	const int64_t starts[] = { 0, NOW_MS - 5000, NOW_MS - 900000, NOW_MS + 5000, 1 };
	for (unsigned i = 0; i < 5; i++) {
		struct sum s = { .start_ms = starts[i], .time_ms = NOW_MS, .value = 0.25 };
		assert_true(take_sum_request(&t, &s));
	}
	assert_value(value_of(t.ing, "x_total", ""), 1.25);
	bench_close(&t);
}

static void test_a_repeated_body_is_a_duplicate_and_not_added(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	struct sum s = { .time_ms = NOW_MS, .value = 2 };
	assert_true(take_sum_request(&t, &s));
	t.now_ms += 10000;
	assert_int_equal(bench_prepare(&t, OTLP_METRICS), REASON_OK);
	assert_true(t.outcome.is_duplicate);
	assert_value(value_of(t.ing, "x_total", ""), 2);
	assert_int_equal(ingest_stats(t.ing).duplicates, 1);
	/* One that differs in its last byte is not. */
	buf_adds(&t.body, " ");
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_value(value_of(t.ing, "x_total", ""), 4);
	bench_close(&t);
}

static void test_the_same_body_after_abandon_is_not_a_duplicate(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	one_sum(&t.body, &(struct sum){ .value = 2 });
	assert_int_equal(bench_prepare(&t, OTLP_METRICS), REASON_OK);
	ingest_abandon(t.ing);
	assert_value(value_of(t.ing, "x_total", ""), 0);
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_value(value_of(t.ing, "x_total", ""), 2);
	bench_close(&t);
}

static void test_a_body_is_forgotten_after_half_an_hour(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	one_sum(&t.body, &(struct sum){ .value = 2 });
	assert_true(bench_take(&t, OTLP_METRICS));
	t.now_ms += 899999;
	assert_false(bench_take(&t, OTLP_METRICS));
	t.now_ms += 900002;
	assert_true(bench_take(&t, OTLP_METRICS));
	bench_close(&t);
}

static void test_a_truncated_request_changes_nothing(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	assert_true(take_sum_request(&t, &(struct sum){ .value = 1 }));
	metrics_begin(&t.body);
	resource_begin(&t.body, "", OTHER_SCOPE);
	put_sum(&t.body, &(struct sum){ .value = 5 });
	put_sum(&t.body, &(struct sum){ .name = "y", .temporality = OTLP_CUMULATIVE, .value = 5 });
	resource_end(&t.body);
	metrics_end(&t.body);
	for (size_t len = 1; len < t.body.len; len++) {
		struct slice cut = slice_of(t.body.data, len);
		enum reason why = bench_prepare_bytes(&t, OTLP_METRICS, OTLP_JSON, cut);
		assert_int_equal(reason_scope(why), REASON_REQUEST);
		assert_int_equal(ingest_record(t.ing).len, 0);
	}
	assert_value(value_of(t.ing, "x_total", ""), 1);
	assert_int_equal(ingest_stats(t.ing).series, 1);
	assert_int_equal(ingest_stats(t.ing).points, 1);
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_value(value_of(t.ing, "x_total", ""), 6);
	assert_value(value_of(t.ing, "y_total", ""), 5);
	bench_close(&t);
}

static void test_a_malformed_request_does_not_settle_the_type_of_a_metric(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	one_metric(&t.body, "h", "\"gauge\":{\"dataPoints\":[{\"asDouble\":1}]}");
	t.body.len--;
	assert_int_not_equal(bench_prepare(&t, OTLP_METRICS), REASON_OK);
	one_metric(&t.body, "h",
		"\"histogram\":{\"aggregationTemporality\":1,\"dataPoints\":[{\"count\":\"1\","
		"\"sum\":2,\"explicitBounds\":[1],\"bucketCounts\":[\"0\",\"1\"]}]}");
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_int_equal(t.outcome.rejected, 0);
	assert_value(value_of(t.ing, "h", ""), 2);
	bench_close(&t);
}

static void test_definitions_come_again_after_abandon(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	struct sum s = { .attributes = S("session.id", "s-1"), .value = 1 };
	one_sum(&t.body, &s);
	assert_int_equal(bench_prepare(&t, OTLP_METRICS), REASON_OK);
	assert_int_equal(ops_of(ingest_record(t.ing), OP_SERIES), 1);
	ingest_abandon(t.ing);
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_int_equal(ops_of(bench_record(&t, 0), OP_SERIES), 1);
	assert_int_equal(ops_of(bench_record(&t, 0), OP_SESSION), 1);
	s.value = 2;
	assert_true(take_sum_request(&t, &s));
	assert_int_equal(ops_of(bench_record(&t, 1), OP_SERIES), 0);
	assert_int_equal(ops_of(bench_record(&t, 1), OP_SESSION), 0);
	bench_close(&t);
}

static void test_each_segment_defines_what_it_uses(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	struct sum s = { .attributes = S("session.id", "s-1"), .value = 1 };
	assert_true(take_sum_request(&t, &s));
	t.segment = 2;
	s.value = 2;
	assert_true(take_sum_request(&t, &s));
	assert_int_equal(ops_of(bench_record(&t, 1), OP_SERIES), 1);
	assert_int_equal(ops_of(bench_record(&t, 1), OP_SESSION), 1);

	struct bench alone;
	bench_open(&alone);
	assert_true(ingest_replay(alone.ing, bench_record(&t, 1)));
	assert_value(value_of(alone.ing, "x_total", ""), 2);
	assert_int_equal(ingest_stats(alone.ing).unresolved, 0);
	assert_int_equal(ingest_stats(alone.ing).sessions, 1);
	bench_close(&alone);
	bench_close(&t);
}

static void test_what_an_epoch_carries_is_defined_with_it(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	assert_true(take_sum_request(&t, &(struct sum){ .value = 3 }));
	ingest_prepare_epoch(t.ing, t.now_ms, 1, true);
	bench_commit(&t);
	struct bench alone;
	bench_open(&alone);
	assert_true(ingest_replay(alone.ing, bench_record(&t, 1)));
	assert_value(value_of(alone.ing, "x_total", ""), 3);
	assert_int_equal(ingest_stats(alone.ing).unresolved, 0);
	bench_close(&alone);
	bench_close(&t);
}

struct remark {
	const char *metric; /* JSON of one metric */
	enum reason reason;
	const char *family; /* counts 1 when it is taken all the same; NULL: nothing may be taken */
};

#define SUM_OF(temporality, value)                                                   \
	"\"sum\":{\"aggregationTemporality\":" #temporality ",\"isMonotonic\":true," \
	"\"dataPoints\":[{" value "}]}"

static const struct remark remarks[] = {
	{ "\"name\":\"m\"," SUM_OF(1, "\"asDouble\":\"NaN\""), REASON_NAN, NULL },
	{ "\"name\":\"m\"," SUM_OF(2, "\"asDouble\":\"NaN\""), REASON_NAN, NULL },
	{ "\"name\":\"m\"," SUM_OF(1, "\"asDouble\":\"Infinity\""), REASON_INFINITE, NULL },
	{ "\"name\":\"m\"," SUM_OF(1, "\"asDouble\":\"-Infinity\""), REASON_INFINITE, NULL },
	{ "\"name\":\"m\"," SUM_OF(1, "\"asDouble\":-1"), REASON_NEGATIVE, NULL },
	{ "\"name\":\"m\"," SUM_OF(2, "\"asInt\":\"-1\""), REASON_NEGATIVE, NULL },
	{ "\"name\":\"m\"," SUM_OF(0, "\"asInt\":\"1\""), REASON_TEMPORALITY, NULL },
	{ "\"name\":\"m\"," SUM_OF(9, "\"asInt\":\"1\""), REASON_TEMPORALITY, NULL },
	{ "\"name\":\"\"," SUM_OF(1, "\"asInt\":\"1\""), REASON_UNNAMED, NULL },
	{ "\"name\":\"m\"," SUM_OF(1, "\"flags\":1"), REASON_NO_RECORDED_VALUE, NULL },
	{ "\"name\":\"m\"," SUM_OF(1, "\"asInt\":\"1\",\"timeUnixNano\":\"1\""),
		REASON_TIME_CLAMPED, "m_total" },
	{ "\"name\":\"m\","
	  "\"gauge\":{\"dataPoints\":[{\"asInt\":\"1\",\"timeUnixNano\":\"9000000000000000000\"}]}",
		REASON_TIME_CLAMPED, "m" },
	{ "\"name\":\"m\"," SUM_OF(1, "\"asInt\":\"1\",\"timeUnixNano\":\"18446744073709551615\""),
		REASON_TIME_CLAMPED, "m_total" },
	{ "\"name\":\"m\"," SUM_OF(1, "\"asInt\":\"1\",\"attributes\":[" S("a", "\\u0000") "]"),
		REASON_INVALID_UTF8, "m_total" },
	{ "\"name\":\"m\"," SUM_OF(1, "\"asInt\":\"1\",\"attributes\":[" S("a", "\xff") "]"),
		REASON_INVALID_UTF8, "m_total" },
};

static void test_every_odd_point_is_counted_by_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof remarks / sizeof *remarks; i++) {
		const struct remark *r = &remarks[i];
		struct bench t;
		bench_open(&t);
		metrics_begin(&t.body);
		resource_begin(&t.body, "", OTHER_SCOPE);
		buf_addf(&t.body, "{%s}", r->metric);
		resource_end(&t.body);
		metrics_end(&t.body);
		assert_true(bench_take(&t, OTLP_METRICS));
		assert_int_equal(count_of(t.ing, r->reason), 1);
		bool is_rejected = reason_scope(r->reason) == REASON_POINT;
		assert_int_equal(t.outcome.rejected, is_rejected);
		assert_int_equal(t.outcome.message != NULL, is_rejected);
		if (is_rejected)
			assert_non_null(strstr(t.outcome.message, reason_slug(r->reason)));
		if (r->family)
			assert_value(family_total(t.ing, r->family), 1);
		else
			assert_int_equal(t.record_count, 0);
		bench_close(&t);
	}
}

static void test_a_clock_one_minute_ahead_is_not_worth_a_remark(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	assert_true(take_sum_request(&t, &(struct sum){ .time_ms = NOW_MS + 60000, .value = 1 }));
	assert_int_equal(count_of(t.ing, REASON_TIME_CLAMPED), 0);
	assert_true(take_sum_request(&t, &(struct sum){ .time_ms = NOW_MS + 600000, .value = 1 }));
	assert_int_equal(count_of(t.ing, REASON_TIME_CLAMPED), 1);
	bench_close(&t);
}

/* The minute of the only context of the last record. */
static uint32_t minute_of(const struct bench *t)
{
	struct slice record = bench_record(t, t->record_count - 1);
	struct op *op = mem_zalloc(sizeof *op);
	struct record_reader reader;
	uint32_t minute = 0;
	assert_int_equal(ops_of(record, OP_CONTEXT), 1);
	assert_true(record_reader_init(&reader, record));
	while (record_next(&reader, op) > 0)
		minute = op->kind == OP_CONTEXT ? op->u.context.minute : minute;
	free(op);
	return minute;
}

static void test_the_ledgers_minute_is_the_points_own_within_the_retention(void **state)
{
	(void)state;
	const int64_t oldest_ms = NOW_MS - 400 * DAY_MS;
	const int64_t rows[][2] = {
		{ NOW_MS - 7200000, NOW_MS - 7200000 },
		{ NOW_MS + 120000, NOW_MS },
		{ NOW_MS + DAY_MS, NOW_MS },
		{ oldest_ms, oldest_ms },
		{ oldest_ms - DAY_MS, oldest_ms },
		{ 0, NOW_MS } /* not sent */,
	};
	struct bench t;
	bench_open(&t);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_true(
			take_sum_request(&t, &(struct sum){ .time_ms = rows[i][0], .value = 1 }));
		assert_int_equal(minute_of(&t), rows[i][1] / 60000);
	}
	bench_close(&t);
}

static void test_points_of_one_minute_and_session_share_their_context(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	metrics_begin(&t.body);
	resource_begin(&t.body, "", OTHER_SCOPE);
	for (int i = 0; i < 3; i++)
		put_sum(&t.body, &(struct sum){ .attributes = S("session.id", "a"), .value = 1 });
	put_sum(&t.body, &(struct sum){ .attributes = S("session.id", "b"), .value = 1 });
	resource_end(&t.body);
	metrics_end(&t.body);
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_int_equal(ops_of(bench_record(&t, 0), OP_CONTEXT), 2);
	assert_int_equal(ops_of(bench_record(&t, 0), OP_ADD), 4);
	bench_close(&t);
}

static void test_partial_success_names_reasons_and_numbers(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	metrics_begin(&t.body);
	resource_begin(&t.body, "", OTHER_SCOPE);
	put_sum(&t.body, &(struct sum){ .value = 4 });
	put_sum(&t.body, &(struct sum){ .value = -4 });
	put_sum(&t.body, &(struct sum){ .value = -5 });
	put_sum(&t.body, &(struct sum){ .temporality = 7, .value = 5 });
	resource_end(&t.body);
	metrics_end(&t.body);
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_int_equal(t.outcome.rejected, 3);
	assert_string_equal(t.outcome.message,
		"3 not taken: 2 negative_monotonic (A monotonic sum or a histogram is negative.); "
		"1 unknown_temporality (Aggregation temporality is neither delta nor cumulative.)");
	assert_value(value_of(t.ing, "x_total", ""), 4);
	bench_close(&t);
}

static void test_a_metric_of_another_type_under_one_name_is_a_conflict(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	one_metric(&t.body, "m", "\"gauge\":{\"dataPoints\":[{\"asDouble\":3}]}");
	assert_true(bench_take(&t, OTLP_METRICS));
	one_metric(&t.body, "m",
		"\"summary\":{\"dataPoints\":[{\"count\":\"1\",\"sum\":1,\"attributes\":[" S(
			"a", "b") "]}]}");
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_int_equal(count_of(t.ing, REASON_TYPE_CONFLICT), 1);
	assert_int_equal(t.outcome.rejected, 1);
	assert_value(value_of(t.ing, "m", ""), 3);
	bench_close(&t);
}

#define HISTOGRAM(bounds, counts, count)                                                   \
	"\"histogram\":{\"aggregationTemporality\":1,\"dataPoints\":[{\"count\":\"" #count \
	"\",\"sum\":1,\"explicitBounds\":[" bounds "],\"bucketCounts\":[" counts "]}]}"

static void test_histograms_that_do_not_add_up_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		HISTOGRAM("2,1", "0,0,1", 1),	    /* bounds fall */
		HISTOGRAM("1,1", "0,0,1", 1),	    /* or stay */
		HISTOGRAM("1,\"NaN\"", "0,0,1", 1), /* or are none */
		HISTOGRAM("1,2", "0,1", 1),	    /* a count is missing */
		HISTOGRAM("1,2", "", 1),	    /* all are */
		HISTOGRAM("1,2", "0,0,1", 2),	    /* the sum is another */
	};
	struct bench t;
	bench_open(&t);
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		one_metric(&t.body, "h", bad[i]);
		assert_true(bench_take(&t, OTLP_METRICS));
		assert_int_equal(t.outcome.rejected, 1);
		assert_int_equal(count_of(t.ing, REASON_BOUNDS), i + 1);
	}
	/* What was refused has settled nothing. */
	one_metric(&t.body, "h", HISTOGRAM("1,2,3", "0,0,1,0", 1));
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_int_equal(t.outcome.rejected, 0);
	assert_value(part_of(t.ing, "h", "", 4), 1);
	/* Other bounds for the same series cannot be added. */
	one_metric(&t.body, "h", HISTOGRAM("1,2,4", "0,0,1,0", 1));
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_int_equal(t.outcome.rejected, 1);
	bench_close(&t);
}

static void test_past_the_stream_limit_points_are_refused_and_known_ones_go_on(void **state)
{
	(void)state;
	struct ingest_options options = bench_options();
	options.streams_max = 1;
	struct bench t;
	bench_open_with(&t, &options);
	struct sum s = { .temporality = OTLP_CUMULATIVE, .start_ms = NOW_MS - 1000, .value = 5 };
	assert_true(take_sum_request(&t, &s));
	s.attributes = S("a", "b");
	assert_true(take_sum_request(&t, &s));
	assert_int_equal(t.outcome.rejected, 1);
	assert_int_equal(count_of(t.ing, REASON_STREAM_LIMIT), 1);
	s.attributes = "";
	s.value = 7;
	assert_true(take_sum_request(&t, &s));
	assert_value(family_total(t.ing, "x_total"), 7);
	bench_close(&t);
}

static void test_a_histogram_past_the_stream_limit_is_refused_as_a_whole(void **state)
{
	(void)state;
	struct ingest_options options = bench_options();
	options.streams_max = 2;
	struct bench t;
	bench_open_with(&t, &options);
	one_metric(&t.body, "h",
		"\"histogram\":{\"aggregationTemporality\":2,\"dataPoints\":[{\"count\":\"1\","
		"\"startTimeUnixNano\":\"5\",\"sum\":2,\"explicitBounds\":[1],\"bucketCounts\":[0,"
		"1]}"
		"]}");
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_int_equal(t.outcome.rejected, 1);
	assert_value(part_of(t.ing, "h", "", 1), 0);
	bench_close(&t);
}

static void test_past_series_max_new_series_fold_and_the_total_stays_exact(void **state)
{
	(void)state;
	struct ingest_options options = bench_options();
	options.series_max = 3;
	struct bench t;
	bench_open_with(&t, &options);
	for (int i = 0; i < 10; i++) {
		char attributes[80];
		snprintf(attributes, sizeof attributes, S("n", "%d"), i);
		struct sum s = { .attributes = attributes, .value = 1 };
		assert_true(take_sum_request(&t, &s));
		s.time_ms = NOW_MS; /* another body, so that known ones go on where they were */
		assert_true(take_sum_request(&t, &s));
	}
	assert_value(family_total(t.ing, "x_total"), 20);
	assert_value(value_of(t.ing, "x_total", "n=\"2\""), 2);
	assert_value(value_of(t.ing, "x_total", "otel_metric_overflow=\"true\""), 14);
	assert_true(count_of(t.ing, REASON_SERIES_OVERFLOW) >= 7);
	assert_int_equal(ingest_stats(t.ing).series, 4);
	bench_close(&t);
}

static void test_long_values_are_cut_and_too_many_labels_dropped(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	AUTO(buf) struct buf attributes = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&attributes, "{\"key\":\"long\",\"value\":{\"stringValue\":\"");
	for (int i = 0; i < 2000; i++)
		buf_addc(&attributes, 'v');
	buf_adds(&attributes, "\"}}");
	assert_true(take_sum_request(
		&t, &(struct sum){ .attributes = buf_str(&attributes), .value = 1 }));
	assert_int_equal(count_of(t.ing, REASON_LABEL_TRUNCATED), 1);
	for (int i = 0; i < 200; i++)
		buf_addf(&attributes, "," S("key%d", "v"), i);
	assert_true(take_sum_request(
		&t, &(struct sum){ .attributes = buf_str(&attributes), .value = 1 }));
	assert_int_equal(count_of(t.ing, REASON_LABELS_DROPPED), 1);
	assert_value(family_total(t.ing, "x_total"), 2);
	bench_close(&t);
}

static void test_text_of_any_length_stays_readable_in_the_journal(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	for (int i = 0; i < 2 << 20; i++)
		buf_addc(&text, 'n');
	metrics_begin(&t.body);
	resource_begin(&t.body, "", OTHER_SCOPE);
	json_separate(&t.body);
	buf_addf(&t.body,
		"{\"name\":\"m%s\",\"unit\":\"%s\",\"description\":\"%s\"," SUM_OF(
			1, "\"asInt\":\"1\"") "}",
		buf_str(&text), buf_str(&text), buf_str(&text));
	resource_end(&t.body);
	metrics_end(&t.body);
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_int_equal(ops_of(bench_record(&t, 0), OP_ADD), 1);
	assert_int_equal(ingest_stats(t.ing).series, 1);
	bench_close(&t);
}

static void test_a_request_cannot_hold_more_parts_than_fit_in_memory(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	metrics_begin(&t.body);
	resource_begin(&t.body, "", OTHER_SCOPE);
	buf_adds(&t.body, "{\"name\":\"e\",\"exponentialHistogram\":{\"aggregationTemporality\":2,"
			  "\"dataPoints\":[");
	AUTO(buf) struct buf buckets = BUF_INIT(BUF_UNLIMITED);
	for (int i = 0; i < 8000; i++)
		buf_adds(&buckets, i ? ",1" : "1");
	for (int i = 0; i < 255; i++) {
		json_separate(&t.body);
		buf_addf(&t.body,
			"{\"count\":\"8000\",\"scale\":3,\"positive\":{\"bucketCounts\":[%s]}}",
			buf_str(&buckets));
	}
	buf_adds(&t.body, "]}}");
	resource_end(&t.body);
	metrics_end(&t.body);
	assert_int_equal(bench_prepare(&t, OTLP_METRICS), REASON_TOO_MANY_POINTS);
	assert_int_equal(ingest_record(t.ing).len, 0);
	bench_close(&t);
}

/* An exponential bucket is a byte or two in a request and twelve in a record. */
static void test_a_request_whose_record_the_journal_cannot_hold_is_refused(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	AUTO(buf) struct buf point = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&point, "{\"scale\":8,\"count\":\"60000\",\"sum\":1,"
			 "\"positive\":{\"offset\":-30000,\"bucketCounts\":[1");
	for (unsigned i = 1; i < 60000; i++)
		buf_adds(&point, ",1");
	buf_adds(&point, "]}}");
	metrics_begin(&t.body);
	resource_begin(&t.body, "", OTHER_SCOPE);
	buf_adds(&t.body, "{\"name\":\"e\",\"exponentialHistogram\":{\"aggregationTemporality\":1,"
			  "\"dataPoints\":[");
	for (unsigned i = 0; i < 100; i++) {
		json_separate(&t.body);
		buf_add(&t.body, point.data, point.len);
	}
	buf_adds(&t.body, "]}}");
	resource_end(&t.body);
	metrics_end(&t.body);
	assert_int_equal(bench_prepare(&t, OTLP_METRICS), REASON_TOO_MANY_POINTS);
	bench_close(&t);
}

static void test_sessions_of_late_are_bounded_by_number(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	unsigned sent = 0;
	for (int i = 0; i < 70; i++) {
		metrics_begin(&t.body);
		resource_begin(&t.body, "", OTHER_SCOPE);
		for (int k = 0; k < 1000; k++, sent++) {
			char attributes[100];
			snprintf(attributes, sizeof attributes, S("session.id", "s%u"), sent);
			put_sum(&t.body, &(struct sum){ .attributes = attributes, .value = 1 });
		}
		resource_end(&t.body);
		metrics_end(&t.body);
		assert_true(bench_take(&t, OTLP_METRICS));
	}
	assert_true(ingest_stats(t.ing).sessions <= 66000);
	assert_value(value_of(t.ing, "x_total", ""), sent);
	/* A known point whose session was forgotten names it again. */
	take_sum_request(&t, &(struct sum){ .attributes = S("session.id", "s0"), .value = 2 });
	assert_int_equal(ops_of(bench_record(&t, t.record_count - 1), OP_SESSION), 1);
	bench_close(&t);
}

static void test_rejected_metrics_leave_the_rest_of_the_request_taken(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	assert_true(take_sum_request(&t, &(struct sum){ .value = -1 }));
	assert_int_equal(ingest_record(t.ing).len, 0);
	assert_int_equal(ingest_stats(t.ing).requests[OTLP_METRICS], 1);
	/* It changed nothing, so it is not remembered: sent again, it is refused again. */
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_int_equal(t.outcome.rejected, 1);
	assert_int_equal(count_of(t.ing, REASON_NEGATIVE), 2);
	bench_close(&t);
}

static void test_spans_are_counted_and_dropped(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	buf_adds(&t.body,
		"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"secret\"},{}]}]}]}");
	assert_true(bench_take(&t, OTLP_TRACES));
	assert_int_equal(ingest_stats(t.ing).spans, 2);
	assert_int_equal(t.record_count, 0);
	bench_close(&t);
}

static void test_state_is_kept_by_name_and_replayed(void **state)
{
	(void)state;
	struct bench t, again;
	size_t len = 0;
	bench_open(&t);
	bench_open(&again);
	ingest_prepare_state(t.ing, NOW_MS, "policy", SLICE_LIT("one"));
	bench_commit(&t);
	ingest_prepare_state(t.ing, NOW_MS, "policy", SLICE_LIT("second"));
	ingest_abandon(t.ing);
	assert_string_equal(ingest_state(t.ing, "policy", &len), "one");
	assert_int_equal(len, 3);
	assert_null(ingest_state(t.ing, "other", &len));
	assert_true(ingest_replay(again.ing, bench_record(&t, 0)));
	assert_string_equal(ingest_state(again.ing, "policy", &len), "one");
	bench_close(&again);
	bench_close(&t);
}

struct watched {
	double sum;
	uint32_t minute;
	int64_t arrived_ms;
	const char *family;
};

static void on_added(void *ctx, const struct ingest_added *added)
{
	struct watched *w = ctx;
	if (added->part)
		return;
	w->sum += added->amount;
	w->minute = added->minute;
	w->arrived_ms = added->arrived_ms;
	w->family = added->series->family->name;
}

static void test_what_is_added_is_told_once_live_and_once_in_replay(void **state)
{
	(void)state;
	struct bench t, again;
	struct watched live = { 0 }, replayed = { 0 };
	bench_open(&t);
	bench_open(&again);
	ingest_watch(t.ing, on_added, &live);
	ingest_watch(again.ing, on_added, &replayed);
	struct sum s = { .value = 2, .time_ms = NOW_MS - 3600000 };
	one_sum(&t.body, &s);
	assert_true(bench_take(&t, OTLP_METRICS));
	assert_false(bench_take(&t, OTLP_METRICS)); /* the same bytes */
	s.temporality = OTLP_CUMULATIVE;
	s.start_ms = NOW_MS - 7200000;
	for (s.value = 3; s.value <= 4; s.value++) { /* its rise, not its value */
		one_sum(&t.body, &s);
		assert_true(bench_take(&t, OTLP_METRICS));
	}
	s.value = 100;
	one_sum(&t.body, &s);
	assert_int_equal(bench_prepare(&t, OTLP_METRICS), REASON_OK);
	ingest_abandon(t.ing);
	assert_value(live.sum, 6);
	assert_int_equal(live.minute, (NOW_MS - 3600000) / 60000);
	assert_string_equal(live.family, "x_total");
	for (size_t i = 0; i < t.record_count; i++)
		assert_true(ingest_replay(again.ing, bench_record(&t, i)));
	assert_value(replayed.sum, 6);
	assert_int_equal(live.arrived_ms, NOW_MS);
	assert_int_equal(replayed.arrived_ms, NOW_MS);
	/* A new epoch carries what no scrape has shown: that is in the history already. */
	ingest_prepare_epoch(t.ing, NOW_MS, 1, true);
	ingest_commit(t.ing);
	assert_value(live.sum, 6);
	bench_close(&t);
	bench_close(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_delta_adds_whatever_its_start_time),
		cmocka_unit_test(test_a_repeated_body_is_a_duplicate_and_not_added),
		cmocka_unit_test(test_the_same_body_after_abandon_is_not_a_duplicate),
		cmocka_unit_test(test_a_body_is_forgotten_after_half_an_hour),
		cmocka_unit_test(test_a_truncated_request_changes_nothing),
		cmocka_unit_test(test_a_malformed_request_does_not_settle_the_type_of_a_metric),
		cmocka_unit_test(test_definitions_come_again_after_abandon),
		cmocka_unit_test(test_each_segment_defines_what_it_uses),
		cmocka_unit_test(test_what_an_epoch_carries_is_defined_with_it),
		cmocka_unit_test(test_every_odd_point_is_counted_by_its_reason),
		cmocka_unit_test(test_a_clock_one_minute_ahead_is_not_worth_a_remark),
		cmocka_unit_test(test_the_ledgers_minute_is_the_points_own_within_the_retention),
		cmocka_unit_test(test_points_of_one_minute_and_session_share_their_context),
		cmocka_unit_test(test_partial_success_names_reasons_and_numbers),
		cmocka_unit_test(test_a_metric_of_another_type_under_one_name_is_a_conflict),
		cmocka_unit_test(test_histograms_that_do_not_add_up_are_refused),
		cmocka_unit_test(
			test_past_the_stream_limit_points_are_refused_and_known_ones_go_on),
		cmocka_unit_test(test_a_histogram_past_the_stream_limit_is_refused_as_a_whole),
		cmocka_unit_test(test_past_series_max_new_series_fold_and_the_total_stays_exact),
		cmocka_unit_test(test_what_is_added_is_told_once_live_and_once_in_replay),
		cmocka_unit_test(test_long_values_are_cut_and_too_many_labels_dropped),
		cmocka_unit_test(test_text_of_any_length_stays_readable_in_the_journal),
		cmocka_unit_test(test_a_request_cannot_hold_more_parts_than_fit_in_memory),
		cmocka_unit_test(test_a_request_whose_record_the_journal_cannot_hold_is_refused),
		cmocka_unit_test(test_sessions_of_late_are_bounded_by_number),
		cmocka_unit_test(test_rejected_metrics_leave_the_rest_of_the_request_taken),
		cmocka_unit_test(test_spans_are_counted_and_dropped),
		cmocka_unit_test(test_state_is_kept_by_name_and_replayed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
