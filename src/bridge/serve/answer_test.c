#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/serve/answer.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

static void assert_body(const struct answer_to *to, const struct serve_answer *answer,
	const char *expected, size_t len)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	answer_body(&out, to, answer);
	assert_int_equal(out.len, len);
	if (len)
		assert_memory_equal(out.data, expected, len);
}

#define ASSERT_BODY(to, answer, text) assert_body(to, answer, text, sizeof(text) - 1)

static void test_full_success_is_an_empty_message(void **state)
{
	struct serve_answer ok = { .reason = REASON_OK };
	(void)state;
	ASSERT_BODY(&(struct answer_to){ .encoding = ANSWER_PROTOBUF }, &ok, "");
	ASSERT_BODY(&(struct answer_to){ .encoding = ANSWER_JSON }, &ok, "{}");
}

static void test_partial_success_has_the_field_of_its_signal(void **state)
{
	struct answer_to to = { .encoding = ANSWER_JSON };
	struct serve_answer part = { .rejected = 3, .message = "no \"such\"\n" };
	(void)state;
	to.signal = OTLP_METRICS;
	ASSERT_BODY(&to, &part,
		"{\"partialSuccess\":{\"rejectedDataPoints\":\"3\","
		"\"errorMessage\":\"no \\\"such\\\"\\u000a\"}}");
	part.message = NULL;
	to.signal = OTLP_LOGS;
	ASSERT_BODY(&to, &part, "{\"partialSuccess\":{\"rejectedLogRecords\":\"3\"}}");
	to.signal = OTLP_TRACES;
	ASSERT_BODY(&to, &part, "{\"partialSuccess\":{\"rejectedSpans\":\"3\"}}");
}

static void test_partial_success_in_protobuf(void **state)
{
	struct answer_to to = { .encoding = ANSWER_PROTOBUF };
	struct serve_answer part = { .rejected = 300, .message = "why" };
	struct serve_answer warning = { .message = "why" };
	(void)state;
	ASSERT_BODY(&to, &part, "\x0a\x08\x08\xac\x02\x12\x03why");
	ASSERT_BODY(&to, &warning, "\x0a\x05\x12\x03why");
}

static void test_an_error_is_a_status_in_the_encoding_of_the_request(void **state)
{
	struct serve_answer error = { .reason = REASON_MALFORMED_JSON, .message = "why" };
	(void)state;
	ASSERT_BODY(
		&(struct answer_to){ .encoding = ANSWER_PROTOBUF }, &error, "\x08\x03\x12\x03why");
	ASSERT_BODY(&(struct answer_to){ .encoding = ANSWER_JSON }, &error,
		"{\"code\":3,\"message\":\"why\"}");
	ASSERT_BODY(&(struct answer_to){ .encoding = ANSWER_TEXT }, &error, "why\n");
}

static void test_without_a_message_an_error_says_the_sentence_of_its_reason(void **state)
{
	struct serve_answer error = { .reason = REASON_STOPPING };
	(void)state;
	ASSERT_BODY(&(struct answer_to){ .encoding = ANSWER_TEXT }, &error,
		"The bridge is stopping.\n");
}

static void test_a_whole_answer(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	struct answer_to to = { .encoding = ANSWER_JSON, .closes = true };
	struct serve_answer full = {
		.reason = REASON_JOURNAL_FULL, .message = "full", .retry_after_s = 2
	};
	(void)state;
	answer_export(&out, DATE, &to, &full);
	assert_string_equal(buf_str(&out),
		"HTTP/1.1 503 Service Unavailable\r\nDate: " DATE "\r\nConnection: close\r\n"
		"Retry-After: 2\r\nContent-Type: application/json\r\nContent-Length: 28\r\n\r\n"
		"{\"code\":14,\"message\":\"full\"}");
}

static void test_head_gets_the_fields_alone(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	struct answer_to to = { .encoding = ANSWER_TEXT, .is_head = true, .allow = "POST" };
	struct serve_answer wrong = { .reason = REASON_METHOD, .message = "no" };
	(void)state;
	answer_export(&out, DATE, &to, &wrong);
	assert_string_equal(buf_str(&out),
		"HTTP/1.1 405 Method Not Allowed\r\nDate: " DATE "\r\nAllow: POST\r\n"
		"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\r\n");
}

static void test_dates(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ INT64_C(784111777000), DATE },
		{ INT64_C(951782400999), "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ INT64_C(1709251199000), "Thu, 29 Feb 2024 23:59:59 GMT" },
		{ INT64_C(4107542400000), "Mon, 01 Mar 2100 00:00:00 GMT" },
		{ -1000, "Thu, 01 Jan 1970 00:00:00 GMT" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[ANSWER_DATE_LEN + 1];
		answer_date(cases[i].ms, text);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_success_is_an_empty_message),
		cmocka_unit_test(test_partial_success_has_the_field_of_its_signal),
		cmocka_unit_test(test_partial_success_in_protobuf),
		cmocka_unit_test(test_an_error_is_a_status_in_the_encoding_of_the_request),
		cmocka_unit_test(test_without_a_message_an_error_says_the_sentence_of_its_reason),
		cmocka_unit_test(test_a_whole_answer),
		cmocka_unit_test(test_head_gets_the_fields_alone),
		cmocka_unit_test(test_dates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
