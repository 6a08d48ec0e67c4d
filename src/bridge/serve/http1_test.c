#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "bridge/otlp/reasons.h"
#include "bridge/serve/http1.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const struct http1_limits limits = { .head_max = 1024, .fields_max = 8 };

static int64_t read_head(const char *text, struct http1_head *head)
{
	size_t scanned = 0;
	return http1_head(slice_str(text), &scanned, &limits, head);
}

static void post_with(char *text, size_t size, const char *fields)
{
	snprintf(text, size, "POST / HTTP/1.1\r\nHost: x\r\n%s\r\n", fields);
}

static void assert_text(struct slice s, const char *expected)
{
	if (!slice_eq_str(s, expected))
		fail_msg("\"%.*s\" is not \"%s\"", (int)s.len, (const char *)s.ptr, expected);
}

static void test_head_reads_what_an_export_says(void **state)
{
	static const char text[] = "POST /v1/metrics?a=b HTTP/1.1\r\n"
				   "Host: localhost:4318\r\n"
				   "CONTENT-type:\tapplication/json ; charset=utf-8\r\n"
				   "Content-Encoding: gzip\r\n"
				   "content-length: 12 \r\n"
				   "Expect: 100-Continue\r\n\r\nbody";
	struct http1_head head;
	(void)state;
	assert_int_equal(read_head(text, &head), (int64_t)sizeof(text) - 1 - 4);
	assert_int_equal(head.method, HTTP1_POST);
	assert_text(head.path, "/v1/metrics");
	assert_text(head.content_type, "application/json");
	assert_int_equal(head.coding, HTTP1_GZIP);
	assert_int_equal(head.framing, HTTP1_LENGTH);
	assert_int_equal(head.length, 12);
	assert_true(head.expects_continue);
	assert_true(head.keep_alive);
}

static void test_head_needs_more_until_its_empty_line(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\nAccept: a\r\n\r\n";
	struct http1_head head;
	size_t scanned = 0;
	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++)
		assert_int_equal(http1_head(slice_of(text, len), &scanned, &limits, &head), 0);
	assert_int_equal(
		http1_head(slice_str(text), &scanned, &limits, &head), (int64_t)sizeof(text) - 1);
	assert_text(head.accept, "a");
}

static void test_head_knows_when_a_connection_is_kept(void **state)
{
	static const struct {
		const char *text;
		bool keep_alive;
	} cases[] = {
		{ "GET / HTTP/1.1\r\nHost: x\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade, Close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nHost: x\r\nConnection: close, keep-alive\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
		{ "GET / HTTP/1.2\r\nHost: x\r\n\r\n", true },
	};
	struct http1_head head;
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(read_head(cases[i].text, &head) > 0);
		if (head.keep_alive != cases[i].keep_alive)
			fail_msg("%s", cases[i].text);
	}
}

static void test_head_takes_the_path_out_of_every_form_of_target(void **state)
{
	static const struct {
		const char *target, *path;
	} cases[] = {
		{ "/", "/" },
		{ "/a/b?c=/d", "/a/b" },
		{ "HTTP://host:1/a?b", "/a" },
		{ "https://host", "/" },
		{ "http://host?x=/y", "/" },
		{ "*", "*" },
		{ "host:443", "host:443" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[128];
		struct http1_head head;
		snprintf(text, sizeof(text), "OPTIONS %s HTTP/1.1\r\nHost: x\r\n\r\n",
			cases[i].target);
		assert_true(read_head(text, &head) > 0);
		assert_text(head.path, cases[i].path);
	}
}

static void test_head_refuses_what_could_be_read_in_two_ways(void **state)
{
	static const struct {
		const char *fields, *why;
	} cases[] = {
		{ "Content-Length: 1\r\nContent-Length: 1\r\n", "two lengths, equal" },
		{ "Content-Length: 1\r\nContent-Length: 2\r\n", "two lengths" },
		{ "Content-Length: 1, 1\r\n", "a list of lengths" },
		{ "Content-Length: -1\r\n", "a sign" },
		{ "Content-Length:\r\n", "no length" },
		{ "Content-Length: 1 1\r\n", "a space between digits" },
		{ "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "both framings" },
		{ "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", "both, reversed" },
		{ "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "twice" },
		{ "Transfer-Encoding: chunked, identity\r\n", "a list of codings" },
		{ "Transfer-Encoding: \vchunked\r\n", "a control" },
		{ "Transfer-Encoding : chunked\r\n", "space before the colon" },
		{ " Content-Length: 1\r\n", "obs-fold" },
		{ ": x\r\n", "no name" },
		{ "X\r\n", "no colon" },
		{ "X: a\nY: b\r\n", "a bare LF" },
		{ "X: a\rY: b\r\n", "a bare CR" },
		{ "X: \x7f\r\n", "DEL" },
		{ "Host: y\r\n", "two hosts" },
		{ "Content-Type: a/b\r\nContent-Type: a/c\r\n", "two types" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[256];
		struct http1_head head;
		post_with(text, sizeof(text), cases[i].fields);
		if (read_head(text, &head) != -(int64_t)REASON_MALFORMED_HTTP)
			fail_msg("taken in spite of %s", cases[i].why);
	}
}

static void test_head_refuses_nul_anywhere(void **state)
{
	static const char text[] = "POST / HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n";
	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char copy[sizeof(text)];
		struct http1_head head;
		size_t scanned = 0;
		memcpy(copy, text, sizeof(text));
		copy[i] = '\0';
		assert_true(http1_head(slice_of(copy, sizeof(text) - 1), &scanned, &limits,
				    &head) <= 0);
	}
}

static void test_head_refuses_chunked_in_http_1_0(void **state)
{
	struct http1_head head;
	(void)state;
	assert_int_equal(read_head("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", &head),
		-(int64_t)REASON_MALFORMED_HTTP);
}

static void test_head_keeps_lengths_that_do_not_fit_as_huge(void **state)
{
	struct http1_head head;
	(void)state;
	assert_true(read_head("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: "
			      "18446744073709551617\r\n\r\n",
			    &head) > 0);
	assert_true(head.length == UINT64_MAX);
	assert_true(read_head("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: "
			      "9999999999999999999\r\n\r\n",
			    &head) > 0);
	assert_true(head.length == UINT64_C(9999999999999999999));
}

static void test_head_has_bounds(void **state)
{
	char text[1100] = "GET / HTTP/1.1\r\nHost: x\r\nX: ";
	struct http1_head head;
	size_t scanned = 0;
	(void)state;
	memset(text + 28, 'a', sizeof(text) - 28);
	assert_int_equal(http1_head(slice_of(text, 1023), &scanned, &limits, &head), 0);
	assert_int_equal(http1_head(slice_of(text, 1024), &scanned, &limits, &head),
		-(int64_t)REASON_HEADER_TOO_LARGE);
	assert_true(read_head("GET / HTTP/1.1\r\nHost:x\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:"
			      "\r\n\r\n",
			    &head) > 0);
	assert_int_equal(read_head("GET / HTTP/1.1\r\nHost:x\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:"
				   "\r\nA:\r\nA:\r\n\r\n",
				 &head),
		-(int64_t)REASON_HEADER_TOO_LARGE);
}

static void test_head_names_http_2(void **state)
{
	struct http1_head head;
	(void)state;
	assert_int_equal(
		read_head("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &head), -(int64_t)REASON_HTTP2);
}

static void test_head_does_not_wait_for_the_line_of_a_tls_hello(void **state)
{
	struct http1_head head;
	(void)state;
	assert_int_equal(read_head("\x16\x03\x01", &head), -(int64_t)REASON_MALFORMED_HTTP);
}

static void test_head_tells_codings_apart(void **state)
{
	static const struct {
		const char *fields;
		enum http1_coding coding;
	} cases[] = {
		{ "", HTTP1_IDENTITY },
		{ "Content-Encoding: Identity\r\n", HTTP1_IDENTITY },
		{ "Content-Encoding: x-gzip\r\n", HTTP1_GZIP },
		{ "Content-Encoding: deflate\r\n", HTTP1_DEFLATE },
		{ "Content-Encoding: br\r\n", HTTP1_OTHER_CODING },
		{ "Content-Encoding: gzip, gzip\r\n", HTTP1_OTHER_CODING },
		{ "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", HTTP1_OTHER_CODING },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[256];
		struct http1_head head;
		post_with(text, sizeof(text), cases[i].fields);
		assert_true(read_head(text, &head) > 0);
		assert_int_equal(head.coding, cases[i].coding);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head_reads_what_an_export_says),
		cmocka_unit_test(test_head_needs_more_until_its_empty_line),
		cmocka_unit_test(test_head_knows_when_a_connection_is_kept),
		cmocka_unit_test(test_head_takes_the_path_out_of_every_form_of_target),
		cmocka_unit_test(test_head_refuses_what_could_be_read_in_two_ways),
		cmocka_unit_test(test_head_refuses_nul_anywhere),
		cmocka_unit_test(test_head_refuses_chunked_in_http_1_0),
		cmocka_unit_test(test_head_keeps_lengths_that_do_not_fit_as_huge),
		cmocka_unit_test(test_head_has_bounds),
		cmocka_unit_test(test_head_names_http_2),
		cmocka_unit_test(test_head_does_not_wait_for_the_line_of_a_tls_hello),
		cmocka_unit_test(test_head_tells_codings_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
