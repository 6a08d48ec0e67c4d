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
	return record(r, OTLP_LOGS, OTLP_PROTOBUF, buf_slice(&body));
}

/* Both encodings of one log record give `expected`. */
static void check_log(const char *notation, const char *json, const char *expected)
{
	RECORDER();
	AUTO(str) char *pb_body = mem_printf("1: { 2: { 2: { %s } } }", notation);
	AUTO(str)
	char *json_body =
		mem_printf("{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[%s]}]}]}", json);
	AUTO(str) char *text = mem_printf("resource { }\n  log %s\nend\n", expected);
	assert_int_equal(record_pb(&r, pb_body), REASON_OK);
	assert_string_equal(buf_str(&r.text), text);
	assert_int_equal(record(&r, OTLP_LOGS, OTLP_JSON, slice_str(json_body)), REASON_OK);
	assert_string_equal(buf_str(&r.text), text);
}

static void test_every_field_of_a_log_record_is_read(void **state)
{
	(void)state;
	check_log("1: 5x 2: 9 3: \"INFO\" 5: { 1: \"body\" } 6: { 1: \"a\" 2: { 1: \"b\" } }"
		  " 6: { 1: \"n\" 2: { 3: 7 } } 7: 1 8: 1h 9: \"0123456789abcdef\" 10: \"01234567\""
		  " 11: 6x 12: \"event\"",
		"{\"timeUnixNano\":\"5\",\"severityNumber\":9,\"severityText\":\"INFO\",\"body\":{"
		"\"stringValue\":\"body\"},\"attributes\":[{\"key\":\"a\",\"value\":{"
		"\"stringValue\":\"b\"}},{\"key\":\"n\",\"value\":{\"intValue\":7}}],"
		"\"droppedAttributesCount\":1,\"flags\":1,\"traceId\":\"00ff\",\"spanId\":\"0f\","
		"\"observedTimeUnixNano\":6,\"eventName\":\"event\"}",
		"time=5 observed=6 severity=9 event=\"event\" body=1:body { key=\"a\" value=1:b "
		"key=\"n\" value=3:7(7) }");
}

static void test_every_kind_of_value_is_read(void **state)
{
	(void)state;
	check_log("6: { 1: \"empty\" } 6: { 1: \"s\" 2: { 1: \"x\" } } 6: { 1: \"t\" 2: { 2: 1 } }"
		  " 6: { 1: \"f\" 2: { 2: 0 } } 6: { 1: \"i\" 2: { 3: -5 } }"
		  " 6: { 1: \"d\" 2: { 4: 0.0123f } } 6: { 1: \"b\" 2: { 7: \"foob\" } }"
		  " 6: { 1: \"e\" 2: { } } 6: { 2: { 1: \"nokey\" } }",
		"{\"attributes\":[{\"key\":\"empty\"},{\"key\":\"s\",\"value\":{\"stringValue\":"
		"\"x\"}},{\"key\":\"t\",\"value\":{\"boolValue\":true}},{\"key\":\"f\",\"value\":{"
		"\"boolValue\":false}},{\"key\":\"i\",\"value\":{\"intValue\":\"-5\"}},{\"key\":"
		"\"d\",\"value\":{\"doubleValue\":0.0123}},{\"key\":\"b\",\"value\":{"
		"\"bytesValue\":\"Zm9vYg==\"}},{\"key\":\"e\",\"value\":{}},{\"value\":{"
		"\"stringValue\":\"nokey\"}}]}",
		"time=0 observed=0 severity=0 event=\"\" body=0: { key=\"empty\" value=0: "
		"key=\"s\" value=1:x key=\"t\" value=2:true key=\"f\" value=2:false key=\"i\" "
		"value=3:-5(-5) key=\"d\" value=4:0.0123(0.0123) key=\"b\" value=5:Zm9vYg== "
		"key=\"e\" value=0: key=\"\" value=1:nokey }");
}

static void test_arrays_and_maps_become_compact_json(void **state)
{
	(void)state;
	check_log("5: { 5: { 1: { 1: \"a<b\" } 1: { 3: 1 } 1: { 4: 1.5f } 1: { 2: 1 } 1: { }"
		  " 1: { 7: \"f\" } 1: { 6: { 1: { 1: \"k\" 2: { 5: { } } } 1: { 1: \"l\""
		  " 2: { 3: 2 } } } } } } 6: { 1: \"m\" 2: { 6: { } } }",
		"{\"body\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"a\\u003cb\"},"
		"{\"intValue\":1},{\"doubleValue\":1.5},{\"boolValue\":true},{},{\"bytesValue\":"
		"\"Zg==\"},{\"kvlistValue\":{\"values\":[{\"key\":\"k\",\"value\":{\"arrayValue\":"
		"{\"values\":[]}}},{\"value\":{\"intValue\":\"2\"},\"key\":\"\\u006c\"}]}}]}},"
		"\"attributes\":[{\"key\":\"m\",\"value\":{\"kvlistValue\":{}}}]}",
		"time=0 observed=0 severity=0 event=\"\" body=6:[\"a\\u003cb\",1,1.5,true,null,"
		"\"Zg==\",{\"k\":[],\"l\":2}] { key=\"m\" value=7:{} }");
}

static void nest(struct buf *text, const char *open, const char *close, int depth)
{
	for (int i = 0; i < depth; i++)
		buf_adds(text, open);
	for (int i = 0; i < depth; i++)
		buf_adds(text, close);
}

static enum reason nested_pb(struct recorder *r, int depth)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&text, "1: { 2: { 2: { 6: { 2: {");
	nest(&text, "5: { 1: {", "} }", depth);
	buf_adds(&text, "} } } } }");
	return record_pb(r, buf_str(&text));
}

static enum reason nested_json(struct recorder *r, int depth)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&text, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"attributes\":["
			"{\"value\":{");
	nest(&text, "\"arrayValue\":{\"values\":[{", "}]}", depth);
	buf_adds(&text, "}}]}]}]}]}");
	return record(r, OTLP_LOGS, OTLP_JSON, buf_slice(&text));
}

static void test_values_in_values_are_followed_to_a_bound(void **state)
{
	RECORDER();
	(void)state;
	assert_int_equal(nested_pb(&r, VALUE_DEPTH_MAX), REASON_OK);
	assert_int_equal(nested_json(&r, VALUE_DEPTH_MAX), REASON_OK);
	assert_int_equal(nested_pb(&r, VALUE_DEPTH_MAX + 1), REASON_TOO_DEEP);
	assert_int_equal(nested_json(&r, VALUE_DEPTH_MAX + 1), REASON_TOO_DEEP);
	assert_int_equal(nested_pb(&r, 2000), REASON_TOO_DEEP);
	assert_int_equal(nested_json(&r, 20000), REASON_TOO_DEEP);
}

static void test_bytes_that_are_not_utf8_pass(void **state)
{
	RECORDER();
	(void)state;
	assert_int_equal(record_pb(&r, "1: { 2: { 2: { 5: { 1: \"\xFF\xC0\" } } } }"), REASON_OK);
	assert_non_null(strstr(buf_str(&r.text), "body=1:\xFF\xC0"));
	assert_int_equal(record(&r, OTLP_LOGS, OTLP_JSON,
				 slice_str("{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{"
					   "\"body\":{\"stringValue\":\"\xFF\xC0\"}}]}]}]}")),
		REASON_OK);
	assert_non_null(strstr(buf_str(&r.text), "body=1:\xFF\xC0"));
}

static void test_spans_are_counted_in_both_encodings(void **state)
{
	AUTO(buf) struct buf body = BUF_INIT(BUF_UNLIMITED);
	RECORDER();
	uint64_t spans = 0;
	(void)state;
	pb_message(&body,
		"1: { 1: { 1: { 1: \"a\" } } 2: { 1: { 1: \"s\" } 2: { 5: \"x\" } 2: { } } }"
		" 1: { 2: { 2: { } } }");
	assert_int_equal(
		otlp_count_spans(r.decoder, OTLP_PROTOBUF, buf_slice(&body), &spans), REASON_OK);
	assert_int_equal(spans, 3);
	assert_int_equal(otlp_count_spans(r.decoder, OTLP_JSON,
				 slice_str("{\"resourceSpans\":[{\"resource\":{\"attributes\":[]},"
					   "\"scopeSpans\":[{\"spans\":[{\"name\":\"x\"},{}]}]},"
					   "{\"scopeSpans\":[{\"spans\":[{\"events\":[{}]}]}]}]}"),
				 &spans),
		REASON_OK);
	assert_int_equal(spans, 3);
	assert_int_equal(
		otlp_count_spans(r.decoder, OTLP_JSON, slice_str("{\"resourceSpans\":"), &spans),
		REASON_TRUNCATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field_of_a_log_record_is_read),
		cmocka_unit_test(test_every_kind_of_value_is_read),
		cmocka_unit_test(test_arrays_and_maps_become_compact_json),
		cmocka_unit_test(test_values_in_values_are_followed_to_a_bound),
		cmocka_unit_test(test_bytes_that_are_not_utf8_pass),
		cmocka_unit_test(test_spans_are_counted_in_both_encodings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
