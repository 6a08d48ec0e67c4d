/* The exposition, byte for byte, of what ingest holds. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/expose/text.h"
#include "bridge/ingest/ingest_testing.h"

#define HOLD_MS 15000
#define START	"start=\"5\""

static void open_with_hold(struct bench *t, int64_t zero_hold_ms)
{
	struct ingest_options options = bench_options();
	options.zero_hold_ms = zero_hold_ms;
	bench_open_with(t, &options);
	ingest_prepare_epoch(t->ing, t->now_ms, 5, false);
	bench_commit(t);
}

static void render(const struct ingest *ing, int64_t now_ms, int64_t zero_hold_ms, struct buf *out)
{
	struct expose_options options = { .now_ms = now_ms, .zero_hold_ms = zero_hold_ms };
	out->len = 0;
	expose_text(ingest_store(ing), &options, out);
}

static void assert_exposed_held(const struct bench *t, int64_t zero_hold_ms, const char *text)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	render(t->ing, t->now_ms, zero_hold_ms, &out);
	assert_string_equal(buf_str(&out), text);
}

static void assert_exposed(const struct bench *t, const char *text)
{
	assert_exposed_held(t, 0, text);
}

/* As the daemon does it: noted, then shown. */
static void assert_scraped(struct bench *t, int64_t after_ms, const char *text)
{
	t->now_ms += after_ms;
	if (ingest_prepare_scrape(t->ing, t->now_ms))
		bench_commit(t);
	assert_exposed_held(t, HOLD_MS, text);
}

static void take_metric(struct bench *t, const char *name, const char *data)
{
	one_metric(&t->body, name, data);
	assert_true(bench_take(t, OTLP_METRICS));
	assert_int_equal(t->outcome.rejected, 0);
}

#define COUNTER(labels, value) \
	"# HELP x_total \n# TYPE x_total counter\nx_total{" labels START "} " value "\n"

static void test_an_empty_store_is_an_empty_text(void **state)
{
	(void)state;
	struct bench t;
	open_with_hold(&t, 0);
	assert_exposed(&t, "");
	bench_close(&t);
}

static void test_counters_have_their_unit_in_the_name_and_the_epoch_as_label(void **state)
{
	(void)state;
	struct bench t;
	open_with_hold(&t, 0);
	take_metric(&t, "claude_code.cost.usage",
		"\"unit\":\"USD\",\"description\":\"Cost \\\\ of\\nthe session\","
		"\"sum\":{\"aggregationTemporality\":1,\"isMonotonic\":true,\"dataPoints\":["
		"{\"asDouble\":0.1,\"attributes\":[" S("model",
			"b") "]},"
			     "{\"asDouble\":2,\"attributes\":[" S("model", "a\\\"\\\\\\n") "]}]}");
	assert_exposed(&t,
		"# HELP claude_code_cost_usage_USD_total Cost \\\\ of\\nthe session\n"
		"# TYPE claude_code_cost_usage_USD_total counter\n"
		"claude_code_cost_usage_USD_total{model=\"b\"," START "} 0.1\n"
		"claude_code_cost_usage_USD_total{model=\"a\\\"\\\\\\n\"," START "} 2\n");
	bench_close(&t);
}

static void test_help_is_utf8_whatever_was_sent(void **state)
{
	(void)state;
	struct bench t;
	open_with_hold(&t, 0);
	take_metric(&t, "x",
		"\"description\":\"a\xff\","
		"\"gauge\":{\"dataPoints\":[{\"asInt\":\"1\"}]}");
	assert_exposed(&t, "# HELP x a\xef\xbf\xbd\n# TYPE x gauge\nx 1\n");
	bench_close(&t);
}

static void test_a_gauge_shows_its_newest_value_without_epoch(void **state)
{
	(void)state;
	struct bench t;
	open_with_hold(&t, 0);
	take_metric(&t, "g",
		"\"gauge\":{\"dataPoints\":[{\"asDouble\":1.5,\"timeUnixNano\":"
		"\"1763999999000000000\",\"attributes\":[" S("a", "b") "]}]}");
	take_metric(&t, "g",
		"\"gauge\":{\"dataPoints\":[{\"asDouble\":9,\"timeUnixNano\":"
		"\"1763999998000000000\",\"attributes\":[" S("a", "b") "]}]}");
	assert_exposed(&t, "# HELP g \n# TYPE g gauge\ng{a=\"b\"} 1.5\n");
	take_metric(&t, "g",
		"\"gauge\":{\"dataPoints\":[{\"asDouble\":\"NaN\","
		"\"attributes\":[" S("a", "b") "]}]}");
	assert_exposed(&t, "# HELP g \n# TYPE g gauge\ng{a=\"b\"} NaN\n");
	bench_close(&t);
}

static void test_a_gauge_from_the_future_does_not_outlast_what_follows(void **state)
{
	(void)state;
	struct bench t;
	open_with_hold(&t, 0);
	take_metric(&t, "g",
		"\"gauge\":{\"dataPoints\":[{\"asDouble\":1,\"timeUnixNano\":"
		"\"17000000000000000000\"}]}");
	t.now_ms += 1000;
	take_metric(&t, "g",
		"\"gauge\":{\"dataPoints\":[{\"asDouble\":2,\"timeUnixNano\":"
		"\"1764000000500000000\"}]}");
	assert_exposed(&t, "# HELP g \n# TYPE g gauge\ng 2\n");
	bench_close(&t);
}

static void test_an_up_down_counter_is_a_gauge_that_adds_deltas(void **state)
{
	(void)state;
	struct bench t;
	open_with_hold(&t, 0);
	assert_true(take_sum_request(&t, &(struct sum){ .is_level = true, .value = 5 }));
	assert_true(take_sum_request(&t, &(struct sum){ .is_level = true, .value = -7 }));
	assert_exposed(&t, "# HELP x \n# TYPE x gauge\nx -2\n");
	bench_close(&t);
}

#define HISTOGRAM_POINT                                                                       \
	"\"dataPoints\":[{\"startTimeUnixNano\":\"1763999990000000000\",\"count\":\"6\","     \
	"\"sum\":12.5,\"explicitBounds\":[0.1,1,1e9],\"bucketCounts\":[\"1\",\"2\",\"0\",3]," \
	"\"attributes\":[" S("a", "b") "]}]"

#define HISTOGRAM_TEXT                                      \
	"# HELP h \n# TYPE h histogram\n"                   \
	"h_bucket{a=\"b\"," START ",le=\"0.1\"} 1\n"        \
	"h_bucket{a=\"b\"," START ",le=\"1\"} 3\n"          \
	"h_bucket{a=\"b\"," START ",le=\"1000000000\"} 3\n" \
	"h_bucket{a=\"b\"," START ",le=\"+Inf\"} 6\n"       \
	"h_sum{a=\"b\"," START "} 12.5\nh_count{a=\"b\"," START "} 6\n"

static void test_histograms_are_cumulative_buckets_sum_and_count(void **state)
{
	(void)state;
	struct bench t;
	open_with_hold(&t, 0);
	take_metric(&t, "h", "\"histogram\":{\"aggregationTemporality\":1," HISTOGRAM_POINT "}");
	assert_exposed(&t, HISTOGRAM_TEXT);
	bench_close(&t);
	/* The same once more, as a cumulative one that is sent twice. */
	open_with_hold(&t, 0);
	take_metric(&t, "h", "\"histogram\":{\"aggregationTemporality\":2," HISTOGRAM_POINT "}");
	take_metric(&t, "h", "\"histogram\":{ \"aggregationTemporality\":2," HISTOGRAM_POINT "}");
	assert_exposed(&t, HISTOGRAM_TEXT);
	bench_close(&t);
}

#define EXPONENTIAL(temporality)                                                                  \
	"\"exponentialHistogram\":{\"aggregationTemporality\":" #temporality ",\"dataPoints\":[{" \
	"\"startTimeUnixNano\":\"1763999990000000000\",\"count\":\"8\",\"sum\":3,\"scale\":0,"    \
	"\"zeroCount\":\"1\",\"negative\":{\"offset\":0,\"bucketCounts\":[\"2\"]},"               \
	"\"positive\":{\"offset\":-1,\"bucketCounts\":[\"1\",\"0\",\"4\"]}}]}"

#define EXPONENTIAL_TEXT                                                    \
	"# HELP e \n# TYPE e histogram\n"                                   \
	"e_bucket{" START ",le=\"-1\"} 2\ne_bucket{" START ",le=\"0\"} 3\n" \
	"e_bucket{" START ",le=\"1\"} 4\ne_bucket{" START ",le=\"4\"} 8\n"  \
	"e_bucket{" START ",le=\"+Inf\"} 8\ne_sum{" START "} 3\ne_count{" START "} 8\n"

static void test_exponential_histograms_come_as_classic_ones(void **state)
{
	(void)state;
	struct bench t;
	open_with_hold(&t, 0);
	take_metric(&t, "e", EXPONENTIAL(1));
	assert_exposed(&t, EXPONENTIAL_TEXT);
	bench_close(&t);
	open_with_hold(&t, 0);
	take_metric(&t, "e", EXPONENTIAL(2));
	take_metric(&t, "e", " " EXPONENTIAL(2));
	assert_exposed(&t, EXPONENTIAL_TEXT);
	bench_close(&t);
}

#define SUMMARY(count, sum, median)                                                         \
	"\"summary\":{\"dataPoints\":[{\"startTimeUnixNano\":\"5\",\"count\":\"" #count     \
	"\",\"sum\":" #sum ",\"quantileValues\":[{\"quantile\":0.5,\"value\":" #median "}," \
	"{\"quantile\":1,\"value\":9}]}]}"

static void test_summaries_have_quantiles_sum_and_count(void **state)
{
	(void)state;
	struct bench t;
	open_with_hold(&t, 0);
	take_metric(&t, "s", SUMMARY(3, 12, 4));
	take_metric(&t, "s", SUMMARY(5, 20, 3.5));
	assert_exposed(&t, "# HELP s \n# TYPE s summary\n"
			   "s{" START ",quantile=\"0.5\"} 3.5\ns{" START ",quantile=\"1\"} 9\n"
			   "s_sum{" START "} 20\ns_count{" START "} 5\n");
	bench_close(&t);
}

static void test_a_carried_summary_keeps_its_quantiles(void **state)
{
	(void)state;
	struct bench t;
	open_with_hold(&t, 0);
	take_metric(&t, "s", SUMMARY(3, 12, 4));
	assert_true(ingest_prepare_scrape(t.ing, t.now_ms));
	bench_commit(&t);
	take_metric(&t, "s", SUMMARY(5, 20, 3.5));
	ingest_prepare_epoch(t.ing, t.now_ms, 5, true);
	bench_commit(&t);
	assert_exposed(&t, "# HELP s \n# TYPE s summary\n"
			   "s{" START ",quantile=\"0.5\"} 3.5\ns{" START ",quantile=\"1\"} 9\n"
			   "s_sum{" START "} 8\ns_count{" START "} 2\n");
	bench_close(&t);
}

static void test_numbers_are_the_shortest_that_read_back(void **state)
{
	(void)state;

	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ -0.0, "0" },
		{ 7, "7" },
		{ -7, "-7" },
		{ 0.1, "0.1" },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ 1e300, "1e+300" },
		{ 5e-324, "4.94065645841247e-324" },
		{ 123456789012345, "123456789012345" },
		{ 9007199254740992, "9007199254740992" },
		{ 1.7976931348623157e308, "1.7976931348623157e+308" },
		{ (double)NAN, "NaN" },
		{ (double)INFINITY, "+Inf" },
		{ -(double)INFINITY, "-Inf" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
		expose_number(&out, rows[i].value);
		assert_string_equal(buf_str(&out), rows[i].text);
	}
}

static void test_families_of_the_bridges_own_are_escaped_too(void **state)
{
	(void)state;
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	expose_family(&out, "a", "gauge", "x\ny\\");
	expose_value(&out, "a", NULL, NULL, 1);
	expose_value(&out, "a", "l", "\"\n", 0.5);
	assert_string_equal(
		buf_str(&out), "# HELP a x\\ny\\\\\n# TYPE a gauge\na 1\na{l=\"\\\"\\n\"} 0.5\n");
}

static void test_a_new_counter_is_zero_for_the_hold_from_its_first_scrape(void **state)
{
	(void)state;
	struct bench t;
	open_with_hold(&t, HOLD_MS);
	assert_true(take_sum_request(&t, &(struct sum){ .value = 7 }));
	assert_scraped(&t, 60000, COUNTER("", "0"));
	assert_scraped(&t, HOLD_MS - 1, COUNTER("", "0"));
	assert_scraped(&t, 1, COUNTER("", "7"));
	assert_true(take_sum_request(&t, &(struct sum){ .value = 1 }));
	assert_scraped(&t, 0, COUNTER("", "8"));
	/* Not again when the clock goes back. */
	assert_scraped(&t, -HOLD_MS, COUNTER("", "8"));
	bench_close(&t);
}

static void test_a_restart_within_the_hold_still_shows_zero(void **state)
{
	(void)state;
	struct bench t, again;
	open_with_hold(&t, HOLD_MS);
	open_with_hold(&again, HOLD_MS);
	assert_true(take_sum_request(&t, &(struct sum){ .value = 7 }));
	assert_scraped(&t, 0, COUNTER("", "0"));
	for (size_t i = 1; i < t.record_count; i++)
		assert_true(ingest_replay(again.ing, bench_record(&t, i)));
	assert_scraped(&again, HOLD_MS - 1, COUNTER("", "0"));
	assert_scraped(&again, 1, COUNTER("", "7"));
	bench_close(&again);
	bench_close(&t);
}

static void test_a_hold_of_zero_is_none(void **state)
{
	(void)state;
	struct bench t;
	open_with_hold(&t, 0);
	assert_true(take_sum_request(&t, &(struct sum){ .value = 7 }));
	assert_true(ingest_prepare_scrape(t.ing, t.now_ms));
	bench_commit(&t);
	assert_exposed(&t, COUNTER("", "7"));
	assert_false(ingest_prepare_scrape(t.ing, t.now_ms + 10000));
	bench_close(&t);
}

static void test_gauges_are_not_held_and_histograms_are(void **state)
{
	(void)state;
	struct bench t;
	open_with_hold(&t, HOLD_MS);
	take_metric(&t, "g", "\"gauge\":{\"dataPoints\":[{\"asInt\":\"4\"}]}");
	take_metric(&t, "h",
		"\"histogram\":{\"aggregationTemporality\":1,\"dataPoints\":[{\"count\":\"2\","
		"\"sum\":4,\"explicitBounds\":[1],\"bucketCounts\":[1,1]}]}");
	take_metric(&t, "e",
		"\"exponentialHistogram\":{\"aggregationTemporality\":1,\"dataPoints\":[{"
		"\"count\":\"1\",\"sum\":4,\"scale\":0,\"positive\":{\"bucketCounts\":[1]}}]}");
	assert_scraped(&t, 0,
		"# HELP g \n# TYPE g gauge\ng 4\n"
		"# HELP h \n# TYPE h histogram\n"
		"h_bucket{" START ",le=\"1\"} 0\nh_bucket{" START ",le=\"+Inf\"} 0\n"
		"h_sum{" START "} 0\nh_count{" START "} 0\n"
		"# HELP e \n# TYPE e histogram\n"
		"e_bucket{" START ",le=\"2\"} 0\ne_bucket{" START ",le=\"+Inf\"} 0\n"
		"e_sum{" START "} 0\ne_count{" START "} 0\n");
	bench_close(&t);
}

static void test_what_could_not_be_made_durable_is_left_out(void **state)
{
	(void)state;
	struct bench t;
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	open_with_hold(&t, 0);
	assert_true(take_sum_request(&t, &(struct sum){ .name = "old", .value = 7 }));
	assert_true(ingest_prepare_scrape(t.ing, t.now_ms));
	bench_commit(&t);
	assert_true(take_sum_request(&t, &(struct sum){ .value = 7 }));
	assert_true(ingest_prepare_scrape(t.ing, t.now_ms));
	ingest_abandon(t.ing);
	struct expose_options options = { .now_ms = t.now_ms, .hides_unshown = true };
	expose_text(ingest_store(t.ing), &options, &out);
	assert_null(strstr(buf_str(&out), "x_total"));
	assert_non_null(strstr(buf_str(&out), "old_total{" START "} 7\n"));
	/* The next scrape notes it. */
	assert_true(ingest_prepare_scrape(t.ing, t.now_ms));
	bench_close(&t);
}

static void test_an_epoch_hides_counters_until_they_have_a_value_again(void **state)
{
	(void)state;
	struct bench t;
	open_with_hold(&t, 0);
	assert_true(take_sum_request(&t, &(struct sum){ .value = 7 }));
	take_metric(&t, "g", "\"gauge\":{\"dataPoints\":[{\"asInt\":\"4\"}]}");
	ingest_prepare_epoch(t.ing, t.now_ms, 6, false);
	bench_commit(&t);
	assert_exposed(&t, "# HELP g \n# TYPE g gauge\ng 4\n");
	assert_true(take_sum_request(&t, &(struct sum){ .value = 2 }));
	assert_exposed(&t, "# HELP x_total \n# TYPE x_total counter\nx_total{start=\"6\"} 2\n"
			   "# HELP g \n# TYPE g gauge\ng 4\n");
	bench_close(&t);
}

static void test_an_epoch_carries_what_no_scrape_has_shown_once(void **state)
{
	(void)state;
	struct bench t;
	open_with_hold(&t, HOLD_MS);
	assert_true(take_sum_request(&t, &(struct sum){ .value = 7 }));
	assert_scraped(&t, 0, COUNTER("", "0"));
	assert_scraped(&t, HOLD_MS, COUNTER("", "7"));
	assert_true(take_sum_request(&t, &(struct sum){ .value = 2 }));
	ingest_prepare_epoch(t.ing, t.now_ms, 5, true);
	bench_commit(&t);
	assert_exposed(&t, COUNTER("", "2"));
	ingest_prepare_epoch(t.ing, t.now_ms, 5, true);
	bench_commit(&t);
	assert_exposed(&t, COUNTER("", "2"));
	assert_scraped(&t, 0, COUNTER("", "0"));
	assert_scraped(&t, HOLD_MS, COUNTER("", "2"));
	ingest_prepare_epoch(t.ing, t.now_ms, 5, true);
	bench_commit(&t);
	assert_exposed(&t, "");
	bench_close(&t);
}

static void test_steady_scrapes_of_an_idle_bridge_are_noted_hourly(void **state)
{
	(void)state;
	struct bench t;
	open_with_hold(&t, 0);
	assert_false(ingest_prepare_scrape(t.ing, t.now_ms));
	assert_true(take_sum_request(&t, &(struct sum){ .value = 7 }));
	size_t before = t.record_count;
	for (int i = 0; i < 6 * 60; i++) {
		t.now_ms += 60000;
		if (ingest_prepare_scrape(t.ing, t.now_ms))
			bench_commit(&t);
	}
	assert_in_range(t.record_count - before, 5, 7);
	assert_true(t.now_ms - store_last_scrape_ms(ingest_store(t.ing)) <= 3600000);
	bench_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_store_is_an_empty_text),
		cmocka_unit_test(test_counters_have_their_unit_in_the_name_and_the_epoch_as_label),
		cmocka_unit_test(test_help_is_utf8_whatever_was_sent),
		cmocka_unit_test(test_a_gauge_shows_its_newest_value_without_epoch),
		cmocka_unit_test(test_a_gauge_from_the_future_does_not_outlast_what_follows),
		cmocka_unit_test(test_an_up_down_counter_is_a_gauge_that_adds_deltas),
		cmocka_unit_test(test_histograms_are_cumulative_buckets_sum_and_count),
		cmocka_unit_test(test_exponential_histograms_come_as_classic_ones),
		cmocka_unit_test(test_summaries_have_quantiles_sum_and_count),
		cmocka_unit_test(test_a_carried_summary_keeps_its_quantiles),
		cmocka_unit_test(test_numbers_are_the_shortest_that_read_back),
		cmocka_unit_test(test_families_of_the_bridges_own_are_escaped_too),
		cmocka_unit_test(test_a_new_counter_is_zero_for_the_hold_from_its_first_scrape),
		cmocka_unit_test(test_a_restart_within_the_hold_still_shows_zero),
		cmocka_unit_test(test_a_hold_of_zero_is_none),
		cmocka_unit_test(test_gauges_are_not_held_and_histograms_are),
		cmocka_unit_test(test_what_could_not_be_made_durable_is_left_out),
		cmocka_unit_test(test_an_epoch_hides_counters_until_they_have_a_value_again),
		cmocka_unit_test(test_an_epoch_carries_what_no_scrape_has_shown_once),
		cmocka_unit_test(test_steady_scrapes_of_an_idle_bridge_are_noted_hourly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
