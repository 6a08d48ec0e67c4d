#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/otlp/decoder_internal.h"
#include "bridge/otlp/pb_testing.h"
#include "bridge/otlp/recorder_testing.h"

#define RECORDER() __attribute__((cleanup(auto_recorder))) struct recorder r = recorder_new()

static enum reason record_pb(struct recorder *r, const char *notation)
{
	AUTO(buf) struct buf body = BUF_INIT(BUF_UNLIMITED);
	pb_message(&body, notation);
	return record(r, OTLP_METRICS, OTLP_PROTOBUF, buf_slice(&body));
}

static enum reason record_json(struct recorder *r, const char *text)
{
	return record(r, OTLP_METRICS, OTLP_JSON, slice_str(text));
}

/* Both encodings of one request give `expected`. */
static void check_both(const char *notation, const char *json, const char *expected)
{
	RECORDER();
	assert_int_equal(record_pb(&r, notation), REASON_OK);
	assert_string_equal(buf_str(&r.text), expected);
	assert_int_equal(record_json(&r, json), REASON_OK);
	assert_string_equal(buf_str(&r.text), expected);
}

/* One metric in its envelope, so that a case shows only what it is about. */
static void check_metric(const char *notation, const char *json, const char *expected)
{
	AUTO(str) char *pb_body = mem_printf("1: { 2: { 2: { %s } } }", notation);
	AUTO(str)
	char *json_body =
		mem_printf("{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[%s]}]}]}", json);
	AUTO(str) char *text = mem_printf("resource { }\n%send\n", expected);
	check_both(pb_body, json_body, text);
}

#define NO_HISTOGRAM                                                   \
	" count=0 sum=0/0 scale=0 zero=0/0 buckets=0:[] positive=0:[]" \
	" negative=0:[]"
#define M_NONE " scope=\"\" version=\"\""

static void test_every_field_of_a_sum_is_read(void **state)
{
	(void)state;
	check_both("1: { 1: { 1: { 1: \"os\" 2: { 1: \"linux\" } } 2: 1 }"
		   " 2: { 1: { 1: \"scope\" 2: \"v2\" 4: 1 }"
		   "  2: { 1: \"cost\" 2: \"What it cost\" 3: \"USD\""
		   "   7: { 1: { 2: 5x 3: 9x 4: 1.25f 8: 0 7: { 1: \"a\" 2: { 1: \"b\" } } }"
		   "        1: { 2: 6x 3: 10x 6: -3x } 2: 2 3: 1 } }"
		   "  3: \"http://schema\" } 3: \"http://schema\" }",
		"{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"os\",\"value\":"
		"{\"stringValue\":\"linux\"}}],\"droppedAttributesCount\":1},\"scopeMetrics\":[{"
		"\"scope\":{\"name\":\"scope\",\"version\":\"v2\",\"droppedAttributesCount\":1},"
		"\"metrics\":[{\"name\":\"cost\",\"description\":\"What it cost\",\"unit\":\"USD\","
		"\"sum\":{\"aggregationTemporality\":2,\"isMonotonic\":true,\"dataPoints\":["
		"{\"attributes\":[{\"key\":\"a\",\"value\":{\"stringValue\":\"b\"}}],"
		"\"startTimeUnixNano\":\"5\",\"timeUnixNano\":\"9\",\"asDouble\":1.25,\"flags\":0},"
		"{\"startTimeUnixNano\":6,\"timeUnixNano\":10,\"asInt\":\"-3\"}]}}],"
		"\"schemaUrl\":\"http://schema\"}],\"schemaUrl\":\"http://schema\"}]}",
		"resource { key=\"os\" value=1:linux }\n"
		" metric kind=0 temporality=2 monotonic=1 scope=\"scope\" version=\"v2\" "
		"name=\"cost\" description=\"What it cost\" unit=\"USD\"\n"
		"  point start=5 time=9 flags=0 value=1.25" NO_HISTOGRAM
		" { key=\"a\" value=1:b }\n"
		"  point start=6 time=10 flags=0 value=-3" NO_HISTOGRAM " { }\n"
		"end\n");
}

static void test_a_gauge_has_no_temporality(void **state)
{
	(void)state;
	check_metric("1: \"g\" 5: { 1: { 3: 1x 4: 2.5f } 2: 2 3: 1 }",
		"{\"name\":\"g\",\"gauge\":{\"dataPoints\":[{\"timeUnixNano\":1,\"asDouble\":2.5}],"
		"\"aggregationTemporality\":2,\"isMonotonic\":true}}",
		" metric kind=1 temporality=0 monotonic=0" M_NONE
		" name=\"g\" description=\"\" unit=\"\"\n"
		"  point start=0 time=1 flags=0 value=2.5" NO_HISTOGRAM " { }\n");
}

static void test_a_point_without_a_value_is_flagged(void **state)
{
	(void)state;
	check_metric("1: \"g\" 5: { 1: { 3: 1x } 1: { 8: 1 4: 1f } 1: { } }",
		"{\"name\":\"g\",\"gauge\":{\"dataPoints\":[{\"timeUnixNano\":1},"
		"{\"flags\":1,\"asDouble\":1},{}]}}",
		" metric kind=1 temporality=0 monotonic=0" M_NONE
		" name=\"g\" description=\"\" unit=\"\"\n"
		"  point start=0 time=1 flags=1 value=0" NO_HISTOGRAM " { }\n"
		"  point start=0 time=0 flags=1 value=1" NO_HISTOGRAM " { }\n"
		"  point start=0 time=0 flags=1 value=0" NO_HISTOGRAM " { }\n");
}

static void test_every_field_of_a_histogram_is_read(void **state)
{
	(void)state;
	check_metric("1: \"h\" 9: { 1: { 2: 1x 3: 2x 4: 6x 5: 7.5f 6: [1x 2x 3x] 7: [0.5f 1f]"
		     " 9: { 1: \"k\" 2: { 3: 4 } } 10: 1 11: 0.1f 12: 5f } 2: 1 }",
		"{\"name\":\"h\",\"histogram\":{\"aggregationTemporality\":1,\"dataPoints\":[{"
		"\"startTimeUnixNano\":\"1\",\"timeUnixNano\":\"2\",\"count\":\"6\",\"sum\":7.5,"
		"\"bucketCounts\":[\"1\",2,\"3\"],\"explicitBounds\":[0.5,\"1\"],\"min\":0.1,"
		"\"max\":5,\"flags\":1,\"exemplars\":[{\"asDouble\":1}],\"attributes\":["
		"{\"key\":\"k\",\"value\":{\"intValue\":\"4\"}}]}]}}",
		" metric kind=2 temporality=1 monotonic=0" M_NONE
		" name=\"h\" description=\"\" unit=\"\"\n"
		"  point start=1 time=2 flags=1 value=0 count=6 sum=7.5/1 scale=0 zero=0/0 "
		"buckets=0:[1 2 3 ] positive=0:[] negative=0:[] le=0.5 le=1 "
		"{ key=\"k\" value=3:4(4) }\n");
}

static void test_repeated_numbers_may_come_unpacked_and_in_pieces(void **state)
{
	(void)state;
	check_metric("1: \"h\" 9: { 1: { 4: 6x 6: 1x 6: [2x] 6: 3x 7: 0.5f 7: [1f] } 2: 2 }",
		"{\"name\":\"h\",\"histogram\":{\"dataPoints\":[{\"count\":6,\"bucketCounts\":"
		"[1,2,3],\"explicitBounds\":[0.5,1]}],\"aggregationTemporality\":2}}",
		" metric kind=2 temporality=2 monotonic=0" M_NONE
		" name=\"h\" description=\"\" unit=\"\"\n"
		"  point start=0 time=0 flags=0 value=0 count=6 sum=0/0 scale=0 zero=0/0 "
		"buckets=0:[1 2 3 ] positive=0:[] negative=0:[] le=0.5 le=1 { }\n");
}

static void test_every_field_of_an_exponential_histogram_is_read(void **state)
{
	(void)state;
	check_metric("1: \"e\" 10: { 1: { 1: { 1: \"k\" 2: { 2: 1 } } 2: 1x 3: 2x 4: 9x 5: -1.5f"
		     " 6: -2z 7: 3x 8: { 1: -7z 2: [1 300] } 9: { 1: 4z 2: 5 2: 6 } 10: 1"
		     " 12: 0.1f 13: 5f 14: 0.25f } 2: 1 }",
		"{\"name\":\"e\",\"exponentialHistogram\":{\"dataPoints\":[{\"attributes\":["
		"{\"key\":\"k\",\"value\":{\"boolValue\":true}}],\"startTimeUnixNano\":1,"
		"\"timeUnixNano\":2,\"count\":9,\"sum\":-1.5,\"scale\":-2,\"zeroCount\":\"3\","
		"\"positive\":{\"offset\":-7,\"bucketCounts\":[\"1\",300]},\"negative\":{"
		"\"bucketCounts\":[5,6],\"offset\":4},\"flags\":1,\"min\":0.1,\"max\":5,"
		"\"zeroThreshold\":0.25}],\"aggregationTemporality\":1}}",
		" metric kind=3 temporality=1 monotonic=0" M_NONE
		" name=\"e\" description=\"\" unit=\"\"\n"
		"  point start=1 time=2 flags=1 value=0 count=9 sum=-1.5/1 scale=-2 zero=3/0.25 "
		"buckets=0:[] positive=-7:[1 300 ] negative=4:[5 6 ] { key=\"k\" value=2:true }\n");
}

static void test_every_field_of_a_summary_is_read(void **state)
{
	(void)state;
	check_metric("1: \"s\" 11: { 1: { 2: 1x 3: 2x 4: 3x 5: 4f 6: { 1: 0.5f 2: 7f }"
		     " 6: { 1: 1f 2: 9f } 7: { 1: \"k\" 2: { 4: 0.1f } } 8: 1 } }",
		"{\"name\":\"s\",\"summary\":{\"dataPoints\":[{\"startTimeUnixNano\":1,"
		"\"timeUnixNano\":2,\"count\":3,\"sum\":4,\"quantileValues\":[{\"quantile\":0.5,"
		"\"value\":7},{\"quantile\":1,\"value\":9}],\"attributes\":[{\"key\":\"k\","
		"\"value\":{\"doubleValue\":0.1}}],\"flags\":1}]}}",
		" metric kind=4 temporality=0 monotonic=0" M_NONE
		" name=\"s\" description=\"\" unit=\"\"\n"
		"  point start=1 time=2 flags=1 value=0 count=3 sum=4/1 scale=0 zero=0/0 "
		"buckets=0:[] positive=0:[] negative=0:[] q0.5=7 q1=9 "
		"{ key=\"k\" value=4:0.1(0.10000000000000001) }\n");
}

static void test_scratch_of_one_point_does_not_show_in_the_next(void **state)
{
	(void)state;
	check_metric("1: \"h\" 9: { 1: { 4: 2x 6: [2x] 7: [1f] } 1: { 4: 1x } 2: 1 }",
		"{\"name\":\"h\",\"histogram\":{\"aggregationTemporality\":1,\"dataPoints\":["
		"{\"count\":2,\"bucketCounts\":[2],\"explicitBounds\":[1]},{\"count\":1}]}}",
		" metric kind=2 temporality=1 monotonic=0" M_NONE
		" name=\"h\" description=\"\" unit=\"\"\n"
		"  point start=0 time=0 flags=0 value=0 count=2 sum=0/0 scale=0 zero=0/0 "
		"buckets=0:[2 ] positive=0:[] negative=0:[] le=1 { }\n"
		"  point start=0 time=0 flags=0 value=0 count=1 sum=0/0 scale=0 zero=0/0 "
		"buckets=0:[] positive=0:[] negative=0:[] { }\n");
}

static const char *const ordered_text =
	"resource { key=\"a\" value=1:b }\n"
	" metric kind=0 temporality=1 monotonic=1 scope=\"sc\" version=\"\" name=\"n\""
	" description=\"d\" unit=\"u\"\n"
	"  point start=0 time=0 flags=0 value=1" NO_HISTOGRAM " { }\n"
	"  point start=0 time=0 flags=0 value=2" NO_HISTOGRAM " { }\n"
	"end\n";

static void test_the_sink_sees_the_promised_order_whatever_order_was_sent(void **state)
{
	(void)state;
	check_both("1: { 2: { 2: { 7: { 3: 1 1: { 4: 1f } 2: 1 1: { 4: 2f } } 3: \"u\" 2: \"d\""
		   " 1: \"n\" } 1: { 1: \"sc\" } } 1: { 1: { 2: { 1: \"b\" } 1: \"a\" } } }",
		"{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"sum\":{\"dataPoints\":["
		"{\"asDouble\":1},{\"asDouble\":2}],\"isMonotonic\":true,"
		"\"aggregationTemporality\":1},\"unit\":\"u\",\"description\":\"d\",\"name\":\"n\"}"
		"]"
		",\"scope\":{\"name\":\"sc\"}}],\"resource\":{\"attributes\":[{\"value\":{"
		"\"stringValue\":\"b\"},\"key\":\"a\"}]}}]}",
		ordered_text);
	check_both("1: { 1: { 1: { 1: \"a\" 2: { 1: \"b\" } } } 2: { 1: { 1: \"sc\" } 2: {"
		   " 1: \"n\" 2: \"d\" 3: \"u\" 7: { 1: { 4: 1f } 1: { 4: 2f } 2: 1 3: 1 } } } }",
		"{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"a\",\"value\":{"
		"\"stringValue\":\"b\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"sc\"},"
		"\"metrics\":[{\"name\":\"n\",\"description\":\"d\",\"unit\":\"u\",\"sum\":{"
		"\"isMonotonic\":true,\"dataPoints\":[{\"asDouble\":1},{\"asDouble\":2}],"
		"\"aggregationTemporality\":1}}]}]}]}",
		ordered_text);
}

static void test_empty_messages_are_fine(void **state)
{
	(void)state;
	check_both("", "{}", "");
	check_both("", "", "");
	check_both("", " {\"resourceMetrics\":[]}\n", "");
	check_both("", "{\"resourceMetrics\":null}", "");
	check_both("1: { }", "{\"resourceMetrics\":[{}]}", "resource { }\nend\n");
	check_both("1: { 1: { } 2: { } }",
		"{\"resourceMetrics\":[{\"resource\":{},\"scopeMetrics\":[{}]}]}",
		"resource { }\nend\n");
	check_metric("", "{}", "");
	check_metric("1: \"n\"", "{\"name\":\"n\"}", "");
	check_metric("7: { }", "{\"sum\":{}}",
		" metric kind=0 temporality=0 monotonic=0" M_NONE
		" name=\"\" description=\"\" unit=\"\"\n");
}

static void test_what_is_unknown_is_passed_over(void **state)
{
	(void)state;
	check_metric("90: \"x\" 91: 5 92: 1x 93: 7h 1: \"g\" 94: { } 5: { 80: 1 1: { 70: { 1: 1 }"
		     " 4: 1f 71: 2f 5: { 3: 1f } 4: 6 } }",
		"{\"zz\":[{\"a\":[1,\"]\"]}],\"name\":\"g\",\"metadata\":[],\"gauge\":{\"q\":{},"
		"\"dataPoints\":[{\"x\":{\"asDouble\":7},\"asDouble\":1,\"exemplars\":[{"
		"\"asDouble\":3}]"
		",\"y\":null}]}}",
		" metric kind=1 temporality=0 monotonic=0" M_NONE
		" name=\"g\" description=\"\" unit=\"\"\n"
		"  point start=0 time=0 flags=0 value=1" NO_HISTOGRAM " { }\n");
}

static void test_a_temporality_of_another_number_is_unspecified(void **state)
{
	(void)state;
	check_metric("1: \"s\" 7: { 2: 3 }",
		"{\"name\":\"s\",\"sum\":{\"aggregationTemporality\":3}}",
		" metric kind=0 temporality=0 monotonic=0" M_NONE
		" name=\"s\" description=\"\" unit=\"\"\n");
}

static void test_null_is_absence(void **state)
{
	RECORDER();
	(void)state;
	assert_int_equal(
		record_json(&r,
			"{\"resourceMetrics\":[{\"resource\":null,\"scopeMetrics\":[{"
			"\"scope\":null,\"metrics\":[{\"name\":null,\"unit\":\"u\",\"gauge\":"
			"{\"dataPoints\":[{\"attributes\":null,\"asInt\":null,\"asDouble\":1}]}"
			",\"sum\":null}]}]}]}"),
		REASON_OK);
	assert_int_equal(r.points, 1);
	assert_non_null(strstr(buf_str(&r.text), "flags=0 value=1 "));
}

static void test_the_last_of_two_values_wins(void **state)
{
	(void)state;
	check_metric("1: \"a\" 1: \"b\" 5: { 1: { 4: 1f 6: 2x } }",
		"{\"name\":\"a\",\"name\":\"b\",\"gauge\":{\"dataPoints\":[{\"asDouble\":1,"
		"\"asInt\":2}]}}",
		" metric kind=1 temporality=0 monotonic=0" M_NONE
		" name=\"b\" description=\"\" unit=\"\"\n"
		"  point start=0 time=0 flags=0 value=2" NO_HISTOGRAM " { }\n");
}

struct json_case {
	enum reason reason;
	const char *text;
};

static void test_json_of_the_wrong_shape_is_refused(void **state)
{
#define IN_METRIC(m) "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[" m "]}]}]}"
#define IN_POINT(p)  IN_METRIC("{\"name\":\"g\",\"gauge\":{\"dataPoints\":[" p "]}}")
	static const struct json_case cases[] = {
		{ REASON_MALFORMED_JSON, "[]" },
		{ REASON_MALFORMED_JSON, "1" },
		{ REASON_MALFORMED_JSON, "null" },
		{ REASON_MALFORMED_JSON, "{} x" },
		{ REASON_MALFORMED_JSON, "{}{}" },
		{ REASON_MALFORMED_JSON, "\xEF\xBB\xBF{}" },
		{ REASON_TRUNCATED, "  " },
		{ REASON_TRUNCATED, "{" },
		{ REASON_TRUNCATED, "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[" },
		{ REASON_MALFORMED_JSON, "{\"resourceMetrics\":{}}" },
		{ REASON_MALFORMED_JSON, "{\"resourceMetrics\":[1]}" },
		{ REASON_MALFORMED_JSON, "{\"resourceMetrics\":[null]}" },
		{ REASON_MALFORMED_JSON, "{\"resourceMetrics\":[{\"resource\":[]}]}" },
		{ REASON_MALFORMED_JSON, "{\"resourceMetrics\":[{\"scopeMetrics\":\"x\"}]}" },
		{ REASON_MALFORMED_JSON, IN_METRIC("{\"name\":1}") },
		{ REASON_MALFORMED_JSON, IN_METRIC("{\"sum\":{\"isMonotonic\":1}}") },
		{ REASON_MALFORMED_JSON, IN_METRIC("{\"sum\":{\"aggregationTemporality\":"
						   "\"AGGREGATION_TEMPORALITY_DELTA\"}}") },
		{ REASON_MALFORMED_JSON,
			IN_METRIC("{\"sum\":{\"aggregationTemporality\":\"1\"}}") },
		{ REASON_MALFORMED_JSON, IN_METRIC("{\"sum\":{\"dataPoints\":[}]}") },
		{ REASON_MALFORMED_JSON, IN_METRIC("{\"sum\":{},\"gauge\":{}}") },
		{ REASON_MALFORMED_JSON, IN_POINT("{\"asDouble\":\"x\"}") },
		{ REASON_MALFORMED_JSON, IN_POINT("{\"asDouble\":true}") },
		{ REASON_MALFORMED_JSON, IN_POINT("{\"asInt\":1.5}") },
		{ REASON_MALFORMED_JSON, IN_POINT("{\"timeUnixNano\":-1}") },
		{ REASON_MALFORMED_JSON, IN_POINT("{\"flags\":4294967296}") },
		{ REASON_MALFORMED_JSON, IN_POINT("{\"attributes\":{}}") },
		{ REASON_MALFORMED_JSON, IN_POINT("{\"attributes\":\"\"}") },
		{ REASON_MALFORMED_JSON, IN_POINT("{\"attributes\":[1]}") },
		{ REASON_MALFORMED_JSON, IN_POINT("{\"attributes\":[{]}}") },
		{ REASON_MALFORMED_JSON, IN_POINT("{\"attributes\":[{\"key\":\"a\"]}") },
		{ REASON_MALFORMED_JSON, IN_POINT("{\"attributes\":[{\"key\":1}]}") },
		{ REASON_MALFORMED_JSON, IN_POINT("{\"attributes\":[{\"key\":\"a\"}}]") },
		{ REASON_MALFORMED_JSON, IN_POINT("{\"attributes\":[{\"key\":\"a\"} {}]}") },
		{ REASON_MALFORMED_JSON, IN_POINT("{\"attributes\":[{\"key\":\"a\"},]}") },
		{ REASON_MALFORMED_JSON, IN_POINT("{\"attributes\":[{\"value\":\"a\"}]}") },
		{ REASON_MALFORMED_JSON,
			IN_POINT("{\"attributes\":[{\"value\":{\"boolValue\":\"true\"}}]}") },
		{ REASON_MALFORMED_JSON,
			IN_POINT("{\"attributes\":[{\"value\":{\"arrayValue\":[]}}]}") },
	};
	RECORDER();
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum reason got = record_json(&r, cases[i].text);
		if (got != cases[i].reason)
			fail_msg("%s: %s", cases[i].text, reason_slug(got));
	}
}

static void test_a_name_that_comes_again_behind_its_points_is_refused(void **state)
{
	RECORDER();
	(void)state;
	assert_int_equal(
		record_json(&r, "{\"resourceMetrics\":[{\"resource\":{},\"scopeMetrics\":[],"
				"\"resource\":{}}]}"),
		REASON_MALFORMED_JSON);
	assert_int_equal(
		record_json(&r, IN_METRIC("{\"name\":\"a\",\"description\":\"\",\"unit\":\"\","
					  "\"gauge\":{},\"name\":\"b\"}")),
		REASON_MALFORMED_JSON);
	assert_int_equal(
		record_json(&r, IN_METRIC("{\"sum\":{\"dataPoints\":[],\"dataPoints\":[]}}")),
		REASON_MALFORMED_JSON);
}

static void test_protobuf_tells_a_cut_body_from_a_wrong_one(void **state)
{
	RECORDER();
	(void)state;
	/* The body ends in its only message. */
	assert_int_equal(record(&r, OTLP_METRICS, OTLP_PROTOBUF, slice_of("\x0A\x05\x12", 3)),
		REASON_TRUNCATED);
	/* The inner length passes the outer one, and bytes follow. */
	assert_int_equal(record(&r, OTLP_METRICS, OTLP_PROTOBUF,
				 slice_of("\x0A\x02\x12\x05\x0A\x00\x0A\x00", 8)),
		REASON_MALFORMED_PROTOBUF);
	assert_int_equal(record(&r, OTLP_METRICS, OTLP_PROTOBUF, slice_str("hello")),
		REASON_MALFORMED_PROTOBUF);
}

static const char *const bad_attributes[] = {
	"7: { 1: \"k\" 2: { 1: \"v\" } } 7: \"\x0A\x05x\"", /* key longer than the pair */
	"7: { 1: \"k\" 2: \"\x0A\x7Fx\" }",		    /* string longer than the value */
	"7: { 1: \"k\" 2: { 5: \"\x0A\x7F\" } }",	    /* in an array */
	"7: { 1: \"k\" 2: { 6: { 1: { 2: \"\x08\" } } } }", /* in a map */
};
#define BAD_ATTRIBUTES (sizeof bad_attributes / sizeof *bad_attributes)

static void test_attributes_are_checked_though_they_are_not_read(void **state)
{
	RECORDER();
	(void)state;
	for (size_t i = 0; i < BAD_ATTRIBUTES; i++) {
		AUTO(str)
		char *body = mem_printf("1: { 2: { 2: { 5: { 1: { %s } } } } }", bad_attributes[i]);
		assert_int_equal(record_pb(&r, body), REASON_MALFORMED_PROTOBUF);
		assert_int_equal(record_pb(&r, body), REASON_MALFORMED_PROTOBUF);
	}
}

static enum reason check_attributes(void *ctx, const struct otlp_point *point)
{
	unsigned *points = ctx;
	*points += 1;
	return otlp_attrs_check(&point->attrs);
}

static void test_a_sink_that_checks_attributes_itself_finds_the_same(void **state)
{
	unsigned points = 0;
	const struct otlp_sink sink = {
		.ctx = &points, .checks_attributes = true, .point = check_attributes
	};
	RECORDER();
	(void)state;
	for (size_t i = 0; i < BAD_ATTRIBUTES; i++) {
		AUTO(buf) struct buf body = BUF_INIT(BUF_UNLIMITED);
		AUTO(str)
		char *notation =
			mem_printf("1: { 2: { 2: { 5: { 1: { %s } } } } }", bad_attributes[i]);
		pb_message(&body, notation);
		assert_int_equal(
			otlp_decode_metrics(r.decoder, OTLP_PROTOBUF, buf_slice(&body), &sink),
			REASON_MALFORMED_PROTOBUF);
		assert_int_equal(points, i + 1); /* it came as far as the sink */
	}
	const char *text = IN_POINT("{\"attributes\":[{\"key\":\"k\",\"value\":[]}]}");
	assert_int_equal(otlp_decode_metrics(r.decoder, OTLP_JSON, slice_str(text), &sink),
		REASON_MALFORMED_JSON);
	text = IN_POINT("{\"attributes\":[{\"key\":\"k\",\"value\":{\"intValue\":1}}]}");
	assert_int_equal(
		otlp_decode_metrics(r.decoder, OTLP_JSON, slice_str(text), &sink), REASON_OK);
}

static void test_more_buckets_than_the_bound_are_refused(void **state)
{
	AUTO(buf) struct buf json = BUF_INIT(BUF_UNLIMITED);
	RECORDER();
	(void)state;
	buf_adds(&json, "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"histogram\":"
			"{\"dataPoints\":[{\"bucketCounts\":[0");
	for (int i = 1; i < POINT_ITEMS_MAX; i++)
		buf_adds(&json, ",0");
	size_t len = json.len;
	buf_adds(&json, "]}]}}]}]}]}");
	assert_int_equal(record(&r, OTLP_METRICS, OTLP_JSON, buf_slice(&json)), REASON_OK);
	json.len = len;
	buf_adds(&json, ",0]}]}}]}]}]}");
	assert_int_equal(
		record(&r, OTLP_METRICS, OTLP_JSON, buf_slice(&json)), REASON_MALFORMED_JSON);
}

static void test_a_sink_that_refuses_ends_the_decoding_with_its_reason(void **state)
{
	RECORDER();
	(void)state;
	r.stop_after = 2;
	assert_int_equal(record_pb(&r, "1: { 2: { 2: { 5: { 1: { } 1: { } 1: { } } } } }"),
		REASON_TOO_MANY_POINTS);
	assert_int_equal(r.points, 2);
	assert_int_equal(record_json(&r, IN_POINT("{},{},{}")), REASON_TOO_MANY_POINTS);
	assert_int_equal(r.points, 2);
}

static void test_a_sink_may_leave_out_what_it_does_not_want(void **state)
{
	static const struct otlp_sink sink = { .ctx = NULL };
	RECORDER();
	AUTO(buf) struct buf body = BUF_INIT(BUF_UNLIMITED);
	(void)state;
	pb_message(&body, "1: { 2: { 2: { 5: { 1: { } } } } }");
	assert_int_equal(
		otlp_decode_metrics(r.decoder, OTLP_PROTOBUF, buf_slice(&body), &sink), REASON_OK);
	assert_int_equal(
		otlp_decode_metrics(r.decoder, OTLP_JSON, slice_str(IN_POINT("{}")), &sink),
		REASON_OK);
}

struct hash_list {
	uint64_t hashes[8][2];
	size_t count;
};

static enum reason keep_hash(void *ctx, const struct otlp_point *point)
{
	struct hash_list *list = ctx;
	memcpy(list->hashes[list->count++], point->attrs.hash, sizeof point->attrs.hash);
	return REASON_OK;
}

static bool is_same(const struct hash_list *list, size_t a, size_t b)
{
	return memcmp(list->hashes[a], list->hashes[b], sizeof list->hashes[a]) == 0;
}

static void test_equal_attributes_have_equal_hashes_in_protobuf(void **state)
{
	struct hash_list list = { .count = 0 };
	const struct otlp_sink sink = { .ctx = &list, .point = keep_hash };
	AUTO(buf) struct buf body = BUF_INIT(BUF_UNLIMITED);
	RECORDER();
	(void)state;
	pb_message(&body, "1: { 2: { 2: { 5: {"
			  " 1: { 4: 1f 7: { 1: \"a\" } 7: { 1: \"b\" } }"
			  " 1: { 7: { 1: \"a\" } 7: { 1: \"b\" } 3: 5x }"
			  " 1: { 7: { 1: \"b\" } 7: { 1: \"a\" } }"
			  " 1: { 7: { 1: \"a\" } 4: 1f 7: { 1: \"b\" } }"
			  " 1: { 7: { 1: \"a\" } 4: 2f 7: { 1: \"b\" } }"
			  " 1: { 7: { 1: \"b\" } 4: 2f 7: { 1: \"b\" } }"
			  " 1: { 4: 1f } 1: { } } } } }");
	assert_int_equal(
		otlp_decode_metrics(r.decoder, OTLP_PROTOBUF, buf_slice(&body), &sink), REASON_OK);
	assert_int_equal(list.count, 8);
	assert_true(is_same(&list, 0, 1));
	assert_false(is_same(&list, 0, 2));
	assert_true(is_same(&list, 3, 4));
	assert_false(is_same(&list, 4, 5));
	assert_true(is_same(&list, 6, 7));
	assert_false(is_same(&list, 0, 6));
}

static void test_equal_attributes_have_equal_hashes_in_json(void **state)
{
	struct hash_list list = { .count = 0 };
	const struct otlp_sink sink = { .ctx = &list, .point = keep_hash };
	RECORDER();
	(void)state;
	assert_int_equal(
		otlp_decode_metrics(r.decoder, OTLP_JSON,
			slice_str(IN_POINT("{\"attributes\":[{\"key\":\"a\"}],\"asInt\":1},"
					   "{\"asInt\":2,\"attributes\": [{\"key\":\"a\"}] },"
					   "{\"attributes\":[{\"key\":\"b\"}]},{}")),
			&sink),
		REASON_OK);
	assert_int_equal(list.count, 4);
	assert_true(is_same(&list, 0, 1));
	assert_false(is_same(&list, 0, 2));
	assert_false(is_same(&list, 0, 3));
}

static void test_names_with_escapes_outlive_the_points_behind_them(void **state)
{
	RECORDER();
	(void)state;
	assert_int_equal(
		record_json(&r,
			"{\"resourceMetrics\":[{\"scopeMetrics\":[{\"scope\":{\"name\":\"s\\n\"},"
			"\"metrics\":[{\"name\":\"\\u0061\",\"gauge\":{\"dataPoints\":[{"
			"\"attributes\":[{\"key\":\"\\u006b\",\"value\":{\"stringValue\":"
			"\"\\\"\"}}]}]}},{\"name\":\"\\u0062\",\"gauge\":{}}]}]}]}"),
		REASON_OK);
	assert_non_null(strstr(buf_str(&r.text), "scope=\"s\n\" version=\"\" name=\"a\""));
	assert_non_null(strstr(buf_str(&r.text), "{ key=\"k\" value=1:\" }"));
	assert_non_null(strstr(buf_str(&r.text), "scope=\"s\n\" version=\"\" name=\"b\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field_of_a_sum_is_read),
		cmocka_unit_test(test_a_gauge_has_no_temporality),
		cmocka_unit_test(test_a_point_without_a_value_is_flagged),
		cmocka_unit_test(test_every_field_of_a_histogram_is_read),
		cmocka_unit_test(test_repeated_numbers_may_come_unpacked_and_in_pieces),
		cmocka_unit_test(test_every_field_of_an_exponential_histogram_is_read),
		cmocka_unit_test(test_every_field_of_a_summary_is_read),
		cmocka_unit_test(test_scratch_of_one_point_does_not_show_in_the_next),
		cmocka_unit_test(test_the_sink_sees_the_promised_order_whatever_order_was_sent),
		cmocka_unit_test(test_empty_messages_are_fine),
		cmocka_unit_test(test_what_is_unknown_is_passed_over),
		cmocka_unit_test(test_a_temporality_of_another_number_is_unspecified),
		cmocka_unit_test(test_null_is_absence),
		cmocka_unit_test(test_the_last_of_two_values_wins),
		cmocka_unit_test(test_json_of_the_wrong_shape_is_refused),
		cmocka_unit_test(test_a_name_that_comes_again_behind_its_points_is_refused),
		cmocka_unit_test(test_protobuf_tells_a_cut_body_from_a_wrong_one),
		cmocka_unit_test(test_attributes_are_checked_though_they_are_not_read),
		cmocka_unit_test(test_a_sink_that_checks_attributes_itself_finds_the_same),
		cmocka_unit_test(test_more_buckets_than_the_bound_are_refused),
		cmocka_unit_test(test_a_sink_that_refuses_ends_the_decoding_with_its_reason),
		cmocka_unit_test(test_a_sink_may_leave_out_what_it_does_not_want),
		cmocka_unit_test(test_equal_attributes_have_equal_hashes_in_protobuf),
		cmocka_unit_test(test_equal_attributes_have_equal_hashes_in_json),
		cmocka_unit_test(test_names_with_escapes_outlive_the_points_behind_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
