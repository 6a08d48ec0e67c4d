#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/otlp/reasons.h"

static void test_every_reason_has_a_slug_of_its_own_that_can_be_a_label(void **state)
{
	(void)state;
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		const char *slug = reason_slug((enum reason)i);
		assert_true(strlen(slug) > 1);
		assert_int_equal(
			strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(slug));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(slug, reason_slug((enum reason)j));
	}
}

static void test_every_reason_says_what_it_means_in_a_sentence(void **state)
{
	(void)state;
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		const char *sentence = reason_sentence((enum reason)i);
		assert_true(strlen(sentence) > 5);
		assert_int_equal(sentence[strlen(sentence) - 1], '.');
	}
}

static void test_only_refused_requests_have_an_error_status(void **state)
{
	(void)state;
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		bool is_refused = reason_scope((enum reason)i) == REASON_REQUEST;
		assert_int_equal(reason_http_status((enum reason)i) >= 400, is_refused);
		assert_int_equal(reason_grpc_status((enum reason)i) != 0, is_refused);
	}
}

static void test_retry_helps_for_503_and_not_for_a_malformed_body(void **state)
{
	(void)state;
	assert_true(reason_retry_helps(REASON_JOURNAL_FULL));
	assert_true(reason_retry_helps(REASON_STOPPING));
	assert_false(reason_retry_helps(REASON_MALFORMED_JSON));
	assert_false(reason_retry_helps(REASON_BODY_TOO_LARGE));
	assert_false(reason_retry_helps(REASON_OK));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_reason_has_a_slug_of_its_own_that_can_be_a_label),
		cmocka_unit_test(test_every_reason_says_what_it_means_in_a_sentence),
		cmocka_unit_test(test_only_refused_requests_have_an_error_status),
		cmocka_unit_test(test_retry_helps_for_503_and_not_for_a_malformed_body),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
