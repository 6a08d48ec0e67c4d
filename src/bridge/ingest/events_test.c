/* Events: what is counted of a log record, what never leaves it, and what is told of those that are missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/ingest/ingest_testing.h"
#include "bridge/ingest/sequence.h"

#define EVENT(name)	S("event.name", name)
#define LOST		"cctm_client_lost_events_total"
#define EVENTS(name)	"event=\"" name "\""
#define TEXT_BODY(text) ",\"body\":{\"stringValue\":\"" text "\"}"

static void take_log(struct bench *t, const char *attributes, const char *more)
{
	logs_begin(&t->body, "");
	put_log(&t->body, attributes, more);
	logs_end(&t->body);
	assert_true(bench_take(t, OTLP_LOGS));
	assert_int_equal(t->outcome.rejected, 0);
}

static void test_events_are_counted_by_name_with_and_without_prefix(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	take_log(&t, EVENT("user_prompt"), "");
	take_log(&t, EVENT("claude_code.user_prompt"), "");
	take_log(&t, "", ",\"eventName\":\"claude_code.user_prompt\"");
	take_log(&t, "", TEXT_BODY("claude_code.user_prompt"));
	take_log(&t, EVENT("something_new"), "");
	take_log(&t, "", TEXT_BODY("a sentence that somebody wrote"));
	take_log(&t, "", "");
	assert_value(value_of(t.ing, "cctm_events_total", EVENTS("user_prompt")), 4);
	assert_value(value_of(t.ing, "cctm_events_total", EVENTS("something_new")), 1);
	assert_value(value_of(t.ing, "cctm_events_total", EVENTS("unnamed")), 2);
	assert_value(value_of(t.ing, "cctm_user_prompts_total", ""), 4);
	assert_int_equal(ingest_stats(t.ing).log_records, 7);
	bench_close(&t);
}

static void test_event_names_are_bounded_and_the_rest_is_other(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	logs_begin(&t.body, "");
	for (int i = 0; i < 250; i++) {
		char attributes[80];
		snprintf(attributes, sizeof attributes, EVENT("name-%d"), i);
		put_log(&t.body, attributes, "");
	}
	logs_end(&t.body);
	assert_true(bench_take(&t, OTLP_LOGS));
	assert_value(family_total(t.ing, "cctm_events_total"), 250);
	assert_value(value_of(t.ing, "cctm_events_total", EVENTS("other")), 50);
	assert_int_equal(count_of(t.ing, REASON_EVENT_OVERFLOW), 50);
	assert_int_equal(t.outcome.rejected, 0);

	/* A restart knows the names it has counted, and takes no others. */
	struct bench again;
	bench_open(&again);
	assert_true(ingest_replay(again.ing, bench_record(&t, 0)));
	take_log(&again, EVENT("name-7"), "");
	take_log(&again, EVENT("one more"), "");
	assert_value(value_of(again.ing, "cctm_events_total", EVENTS("name-7")), 2);
	assert_value(value_of(again.ing, "cctm_events_total", EVENTS("other")), 51);
	bench_close(&again);
	bench_close(&t);
}

static void test_requests_tools_and_decisions_are_counted(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	take_log(&t, EVENT("api_request") "," S("model", "opus") "," S("query_source", "sdk"), "");
	take_log(&t, EVENT("api_error") "," S("model", "opus") "," I("status_code", 529), "");
	take_log(&t, EVENT("tool_result") "," S("tool_name", "Bash") "," S("success", "false"), "");
	take_log(&t,
		EVENT("tool_decision") "," S("tool_name", "Bash") "," S("decision", "accept") "," S(
			"source", "config"),
		"");
	assert_value(
		value_of(t.ing, "cctm_api_requests_total", "model=\"opus\",query_source=\"sdk\""),
		1);
	assert_value(
		value_of(t.ing, "cctm_api_errors_total", "model=\"opus\",status_code=\"529\""), 1);
	assert_value(
		value_of(t.ing, "cctm_tool_results_total", "success=\"false\",tool_name=\"Bash\""),
		1);
	assert_value(value_of(t.ing, "cctm_tool_decisions_total",
			     "decision=\"accept\",source=\"config\",tool_name=\"Bash\""),
		1);
	bench_close(&t);
}

static void test_durations_come_as_numbers_and_as_strings(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	const char *family = "cctm_tool_duration_seconds", *labels = "tool_name=\"Bash\"";
	const char *start = EVENT("tool_result") "," S("tool_name", "Bash");
	static const char *const durations[] = { S("duration_ms", "250"), I("duration_ms", 251),
		N("duration_ms", "1500.5"), S("duration_ms", "none"), S("duration_ms", "-4"),
		S("duration_ms", "inf"), N("duration_ms", "\"Infinity\""),
		N("duration_ms", "\"NaN\""), N("duration_ms", "1e300") };
	for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
		AUTO(str) char *attributes = mem_printf("%s,%s", start, durations[i]);
		take_log(&t, attributes, "");
	}
	assert_value(part_of(t.ing, family, labels, 1), 3);
	assert_near(part_of(t.ing, family, labels, 0), 2.0015, 1e-12);
	assert_value(part_of(t.ing, family, labels, 2 + 1), 1); /* le 0.25 */
	assert_value(part_of(t.ing, family, labels, 2 + 2), 1); /* le 0.5 */
	assert_value(part_of(t.ing, family, labels, 2 + 4), 1); /* le 2.5 */
	assert_value(family_total(t.ing, "cctm_tool_results_total"), 9);
	bench_close(&t);
}

static void test_what_the_user_set_is_a_label_whether_copied_to_the_event_or_not(void **state)
{
	(void)state;
	static const char *const copies[] = { "", "," S("team", "red") };
	for (int i = 0; i < 2; i++) {
		struct bench t;
		bench_open(&t);
		AUTO(str) char *attributes = mem_printf("%s%s", EVENT("user_prompt"), copies[i]);
		logs_begin(&t.body, S("team", "red"));
		put_log(&t.body, attributes, "");
		logs_end(&t.body);
		assert_true(bench_take(&t, OTLP_LOGS));
		assert_value(value_of(t.ing, "cctm_user_prompts_total", "team=\"red\""), 1);
		bench_close(&t);
	}
}

#define MARK "MARKER-THAT-MUST-NOT-BE-KEPT"

static void test_no_content_of_an_event_reaches_the_record(void **state)
{
	(void)state;
	static const char *const names[] = { "api_request", "api_error", "tool_result",
		"tool_decision", "user_prompt", "assistant_response", "new_one" };
	struct bench t;
	bench_open(&t);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		AUTO(str)
		char *attributes = mem_printf(
			S("event.name", "%s") "," S("prompt", MARK) "," S("response", MARK) "," S(
				"tool_input", MARK) "," S("tool_parameters", MARK) "," S("error",
				MARK) "," S("body", MARK) "," S("prompt.id",
				MARK) "," S("event.timestamp", MARK) "," S("x", MARK) "," S(MARK,
				"x") "," S("user.email", "a@b.example") "," S("session.id",
				"s") "," I("event.sequence", 3),
			names[i]);
		take_log(&t, attributes, TEXT_BODY(MARK " and more"));
		take_log(&t, attributes,
			",\"body\":{\"kvlistValue\":{\"values\":[" S(MARK, MARK) "]}}");
		/* Nor when somebody gave the resource an attribute of that name. */
		logs_begin(&t.body, S("prompt", "of the resource"));
		put_log(&t.body, attributes, "");
		logs_end(&t.body);
		assert_true(bench_take(&t, OTLP_LOGS));
	}
	assert_false(holds_text(buf_slice(&t.journal), MARK));
	assert_true(holds_text(buf_slice(&t.journal), "a@b.example"));
	bench_close(&t);
}

static void take_numbers(struct bench *t, const char *session, uint64_t first, uint64_t last)
{
	logs_begin(&t->body, "");
	for (uint64_t n = first; n <= last; n++) {
		AUTO(str)
		char *attributes =
			mem_printf(EVENT("e") "," S("session.id", "%s") "," S("user.id",
					   "u") ",{\"key\":\"event.sequence\",\"value\":{"
						"\"intValue\":\"%" PRIu64 "\"}}",
				session, n);
		put_log(&t->body, attributes, "");
	}
	logs_end(&t->body);
	assert_true(bench_take(t, OTLP_LOGS));
}

/* Runs the expiry and keeps its record. */
static bool expire(struct bench *t, int64_t later_ms)
{
	t->now_ms += later_ms;
	if (!ingest_prepare_expiry(t->ing, t->now_ms, t->segment))
		return false;
	bench_commit(t);
	return true;
}

static void test_runs_of_numbers_become_one_operation(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	take_numbers(&t, "s", 0, 9);
	assert_int_equal(ops_of(bench_record(&t, 0), OP_SEEN), 1);
	logs_begin(&t.body, "");
	put_log(&t.body, EVENT("e") "," S("session.id", "s") "," I("event.sequence", 10), "");
	put_log(&t.body, EVENT("e") "," S("session.id", "t") "," S("event.sequence", "11"), "");
	put_log(&t.body, EVENT("e") "," S("session.id", "t") "," I("event.sequence", 13), "");
	put_log(&t.body, EVENT("e") "," S("session.id", "t"), "");
	logs_end(&t.body);
	assert_true(bench_take(&t, OTLP_LOGS));
	assert_int_equal(ops_of(bench_record(&t, 1), OP_SEEN), 3);
	logs_begin(&t.body, "");
	put_log(&t.body, EVENT("e") "," S("session.id", "s") "," I("event.sequence", 0), "");
	put_log(&t.body,
		EVENT("e") "," S("session.id", "s") "," S("user.id", "u") "," I(
			"event.sequence", 1),
		"");
	logs_end(&t.body);
	assert_true(bench_take(&t, OTLP_LOGS));
	assert_int_equal(ops_of(bench_record(&t, 2), OP_SEEN), 2);
	bench_close(&t);
}

static void test_a_gap_is_lost_after_the_grace_period_and_not_before(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	take_numbers(&t, "s", 0, 4);
	take_numbers(&t, "s", 8, 9);
	assert_false(expire(&t, SEQUENCE_GRACE_MS - 1));
	assert_null(find_series(t.ing, LOST, ""));
	assert_true(expire(&t, 2));
	assert_value(value_of(t.ing, LOST, ""), 3);
	assert_int_equal(ops_of(bench_record(&t, t.record_count - 1), OP_LOST), 1);
	assert_false(expire(&t, SEQUENCE_GRACE_MS));
	assert_value(value_of(t.ing, LOST, ""), 3);
	bench_close(&t);
}

static void test_a_gap_that_is_filled_in_time_is_not_lost(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	take_numbers(&t, "s", 0, 4);
	take_numbers(&t, "s", 8, 9);
	t.now_ms += 10000;
	take_numbers(&t, "s", 5, 7);
	assert_false(expire(&t, 2 * SEQUENCE_GRACE_MS));
	bench_close(&t);
}

static void test_what_was_lost_comes_again_after_abandon(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	take_numbers(&t, "s", 0, 4);
	take_numbers(&t, "s", 8, 9);
	t.now_ms += 2 * SEQUENCE_GRACE_MS;
	assert_true(ingest_prepare_expiry(t.ing, t.now_ms, t.segment));
	ingest_abandon(t.ing);
	assert_value(value_of(t.ing, LOST, ""), 0);
	assert_true(expire(&t, 1000));
	assert_value(value_of(t.ing, LOST, ""), 3);
	assert_int_equal(ops_of(bench_record(&t, t.record_count - 1), OP_LOST), 1);
	assert_false(expire(&t, 1000));
	bench_close(&t);
}

static void test_replay_does_not_count_lost_events_again(void **state)
{
	(void)state;
	struct bench t, again;
	bench_open(&t);
	bench_open(&again);
	take_numbers(&t, "s", 0, 4);
	take_numbers(&t, "s", 8, 9);
	assert_true(expire(&t, 2 * SEQUENCE_GRACE_MS));
	for (size_t i = 0; i < t.record_count; i++)
		assert_true(ingest_replay(again.ing, bench_record(&t, i)));
	again.now_ms = t.now_ms;
	assert_value(value_of(again.ing, LOST, ""), 3);
	assert_false(expire(&again, 2 * SEQUENCE_GRACE_MS));
	take_numbers(&again, "s", 10, 12);
	take_numbers(&again, "s", 14, 14);
	assert_true(expire(&again, 2 * SEQUENCE_GRACE_MS));
	assert_value(value_of(again.ing, LOST, ""), 4);
	bench_close(&again);
	bench_close(&t);
}

static void test_gaps_outlive_a_checkpoint(void **state)
{
	(void)state;
	struct bench t, again;
	bench_open(&t);
	bench_open(&again);
	take_numbers(&t, "s", 0, 4);
	take_numbers(&t, "s", 8, 9);
	ingest_prepare_sequence_state(t.ing, t.now_ms);
	bench_commit(&t);
	assert_true(ingest_replay(again.ing, bench_record(&t, t.record_count - 1)));
	assert_true(expire(&again, 2 * SEQUENCE_GRACE_MS));
	assert_value(value_of(again.ing, LOST, ""), 3);
	bench_close(&again);
	bench_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_are_counted_by_name_with_and_without_prefix),
		cmocka_unit_test(test_event_names_are_bounded_and_the_rest_is_other),
		cmocka_unit_test(test_requests_tools_and_decisions_are_counted),
		cmocka_unit_test(test_durations_come_as_numbers_and_as_strings),
		cmocka_unit_test(
			test_what_the_user_set_is_a_label_whether_copied_to_the_event_or_not),
		cmocka_unit_test(test_no_content_of_an_event_reaches_the_record),
		cmocka_unit_test(test_runs_of_numbers_become_one_operation),
		cmocka_unit_test(test_a_gap_is_lost_after_the_grace_period_and_not_before),
		cmocka_unit_test(test_a_gap_that_is_filled_in_time_is_not_lost),
		cmocka_unit_test(test_what_was_lost_comes_again_after_abandon),
		cmocka_unit_test(test_replay_does_not_count_lost_events_again),
		cmocka_unit_test(test_gaps_outlive_a_checkpoint),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
