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
#define NAMED(name)	"event_name=\"" name "\""
#define COUNTED		"claude_code_events_total"
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
	assert_value(value_of(t.ing, COUNTED, NAMED("user_prompt")), 4);
	assert_value(value_of(t.ing, COUNTED, NAMED("something_new")), 1);
	assert_value(value_of(t.ing, COUNTED, NAMED("other")), 2);
	assert_int_equal(ingest_stats(t.ing).log_records, 7);
	bench_close(&t);
}

#define LETTERS_65 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_a_name_that_claude_code_would_not_give_is_other_and_says_no_more(void **state)
{
	(void)state;
	static const char *const names[] = { EVENT("a sentence"), EVENT("UPPER"), EVENT("n4"),
		EVENT(LETTERS_65), EVENT("claude_code.é"), EVENT("other") };
	struct bench t;
	bench_open(&t);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		AUTO(str)
		char *attributes = mem_printf(
			"%s," S("model", "opus") "," S("user.id", "u") "," S("success", "true"),
			names[i]);
		take_log(&t, attributes, "");
	}
	assert_value(family_total(t.ing, COUNTED), 6);
	assert_value(value_of(t.ing, COUNTED, NAMED("other") ",user_id=\"u\""), 6);
	bench_close(&t);
}

static void test_events_of_others_are_none_of_claude_code(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	const char *event = EVENT("api_request") "," I("duration_ms", 5);
	logs_begin_of(&t.body, "", OTHER_SCOPE);
	put_log(&t.body, event, "");
	logs_end(&t.body);
	assert_true(bench_take(&t, OTLP_LOGS));
	assert_value(value_of(t.ing, "cctm_events_total", EVENTS("api_request")), 1);
	assert_value(value_of(t.ing, "cctm_api_requests_total", ""), 1);
	assert_value(family_total(t.ing, COUNTED), 0);
	take_log(&t, event, "");
	assert_value(family_total(t.ing, COUNTED), 1);
	assert_value(part_of(t.ing, "claude_code_api_request_duration_seconds", "", 1), 1);
	assert_value(value_of(t.ing, "cctm_api_requests_total", ""), 2);
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
	assert_value(value_of(t.ing, COUNTED, NAMED("other")), 250);
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
	assert_value(value_of(t.ing, COUNTED,
			     NAMED("api_request") ",model=\"opus\",query_source=\"sdk\""),
		1);
	assert_value(
		value_of(t.ing, COUNTED, NAMED("api_error") ",model=\"opus\",status_code=\"529\""),
		1);
	assert_value(value_of(t.ing, COUNTED,
			     NAMED("tool_result") ",success=\"false\",tool_name=\"Bash\""),
		1);
	assert_value(value_of(t.ing, COUNTED,
			     "decision=\"accept\",decision_source=\"config\"," NAMED(
				     "tool_decision") ",tool_name=\"Bash\""),
		1);
	bench_close(&t);
}

static void test_the_words_of_an_event_have_one_label(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	take_log(&t, EVENT("permission_mode_changed") "," S("to_mode", "plan"), "");
	take_log(&t, EVENT("auth") "," S("error_category", "expired"), "");
	take_log(&t, EVENT("internal_error") "," S("error_name", "TypeError"), "");
	take_log(&t,
		EVENT("mcp_server_connection") "," S("error_code", "ETIMEDOUT") "," S(
			"status", "failed"),
		"");
	take_log(&t, EVENT("subagent_completed") "," S("agent_type", "my reviewer"), "");
	take_log(&t, EVENT("hook_execution_complete") "," S("source", "x") "," S("to_mode", "y"),
		"");
	assert_value(value_of(t.ing, COUNTED,
			     NAMED("permission_mode_changed") ",permission_mode=\"plan\""),
		1);
	assert_value(value_of(t.ing, COUNTED, "error_type=\"expired\"," NAMED("auth")), 1);
	assert_value(
		value_of(t.ing, COUNTED, "error_type=\"TypeError\"," NAMED("internal_error")), 1);
	assert_value(value_of(t.ing, COUNTED,
			     "error_type=\"ETIMEDOUT\"," NAMED(
				     "mcp_server_connection") ",status=\"failed\""),
		1);
	assert_value(
		value_of(t.ing, COUNTED, "agent_name=\"my reviewer\"," NAMED("subagent_completed")),
		1);
	assert_value(value_of(t.ing, COUNTED, NAMED("hook_execution_complete")), 1);
	bench_close(&t);
}

#define LETTERS_260                      \
	LETTERS_65 LETTERS_65 LETTERS_65 \
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\u00e9aaa"

static void test_words_that_are_none_are_other_and_long_names_are_cut(void **state)
{
	(void)state;
	static const char *const words[] = { S("error_type", "it said: no"),
		S("error_type", LETTERS_65), S("error_type", "a\\nb"), S("error_type", "\u00fc") };
	struct bench t;
	bench_open(&t);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		AUTO(str) char *attributes = mem_printf(EVENT("tool_result") ",%s", words[i]);
		take_log(&t, attributes, "");
	}
	assert_value(value_of(t.ing, COUNTED, "error_type=\"other\"," NAMED("tool_result")), 4);
	take_log(&t, EVENT("tool_result") "," S("error_type", "Shell.Error-2:x_"), "");
	assert_value(
		value_of(t.ing, COUNTED, "error_type=\"Shell.Error-2:x_\"," NAMED("tool_result")),
		1);
	take_log(&t, EVENT("tool_result") "," S("error_type", ""), "");
	assert_value(value_of(t.ing, COUNTED, NAMED("tool_result")), 1);

	/* 255 letters and a character of two bytes: it does not fit. */
	take_log(&t, EVENT("e") "," S("tool_name", LETTERS_260), "");
	AUTO(str)
	char *cut = mem_printf(NAMED("e") ",tool_name=\"%.255s\"", LETTERS_260);
	assert_value(value_of(t.ing, COUNTED, cut), 1);
	assert_int_equal(count_of(t.ing, REASON_LABEL_TRUNCATED), 1);
	bench_close(&t);
}

#define MANY(id) EVENT("e") "," S("session.id", id) "," S("user.id", "u")

static void test_an_event_like_one_before_counts_in_the_same_series_for_its_own_session(
	void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	logs_begin(&t.body, "");
	put_log(&t.body, MANY("one"), "");
	put_log(&t.body, MANY("one"), "");
	put_log(&t.body, MANY("two"), "");
	put_log(&t.body, EVENT("e") "," S("user.id", "v") "," S("session.id", "two"), "");
	put_log(&t.body, EVENT("e") "," S("user.id", "u"), "");
	logs_end(&t.body);
	assert_true(bench_take(&t, OTLP_LOGS));
	assert_value(value_of(t.ing, COUNTED, NAMED("e") ",user_id=\"u\""), 4);
	assert_value(value_of(t.ing, COUNTED, NAMED("e") ",user_id=\"v\""), 1);
	assert_int_equal(ops_of(bench_record(&t, 0), OP_SESSION), 2);
	assert_int_equal(ops_of(bench_record(&t, 0), OP_CONTEXT), 3);

	/* Known as it is already, and yet the first to say whose session three is. */
	take_log(&t, EVENT("e") "," S("session.id", "three"), "");
	take_log(&t, MANY("three"), "");
	assert_int_equal(ops_of(bench_record(&t, 1), OP_SESSION), 1);
	assert_int_equal(ops_of(bench_record(&t, 2), OP_SESSION), 1);
	assert_value(value_of(t.ing, COUNTED, NAMED("e") ",user_id=\"u\""), 5);

	/* Sessions are forgotten when they are idle; what comes then names its own anew. */
	t.now_ms += 2 * DAY_MS;
	ingest_expire(t.ing, t.now_ms);
	t.segment = 2;
	take_log(&t, MANY("one"), "");
	assert_int_equal(ops_of(bench_record(&t, 3), OP_SESSION), 1);
	assert_value(value_of(t.ing, COUNTED, NAMED("e") ",user_id=\"u\""), 6);
	bench_close(&t);
}

static void test_the_session_is_a_label_only_when_asked_for(void **state)
{
	(void)state;
	struct ingest_options options = bench_options();
	options.has_session_label = true;
	struct bench t;
	bench_open_with(&t, &options);
	take_log(&t, MANY("one"), "");
	take_log(&t, MANY("two"), "");
	take_log(&t, MANY("two"), ",\"severityNumber\":1");
	assert_value(value_of(t.ing, COUNTED, NAMED("e") ",session_id=\"one\",user_id=\"u\""), 1);
	assert_value(value_of(t.ing, COUNTED, NAMED("e") ",session_id=\"two\",user_id=\"u\""), 2);
	bench_close(&t);
}

static void test_a_malformed_request_leaves_no_target_behind(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	take_log(&t, MANY("one"), "");
	logs_begin(&t.body, "");
	put_log(&t.body, MANY("one") "," S("model", "new"), "");
	assert_int_equal(bench_prepare(&t, OTLP_LOGS), REASON_TRUNCATED);
	take_log(&t, MANY("one") "," S("model", "newer"), "");
	take_log(&t, MANY("one") "," S("model", "new"), "");
	assert_value(value_of(t.ing, COUNTED, NAMED("e") ",model=\"new\",user_id=\"u\""), 1);
	assert_value(value_of(t.ing, COUNTED, NAMED("e") ",model=\"newer\",user_id=\"u\""), 1);
	bench_close(&t);
}

static void test_past_the_limit_of_series_events_are_added_up_in_one(void **state)
{
	(void)state;
	struct ingest_options options = bench_options();
	options.series_max = 4;
	struct bench t;
	bench_open_with(&t, &options);
	for (int i = 0; i < 20; i++) {
		AUTO(str)
		char *attributes = mem_printf(
			EVENT("tool_result") "," S("tool_name", "%d") "," I("duration_ms", 7), i);
		take_log(&t, attributes, "");
	}
	assert_value(family_total(t.ing, COUNTED), 20);
	const char *overflow = "otel_metric_overflow=\"true\"";
	const char *durations = "claude_code_tool_duration_seconds";
	assert_true(value_of(t.ing, COUNTED, overflow) > 15);
	assert_true(part_of(t.ing, durations, overflow, 1) > 15);
	assert_near(family_total(t.ing, durations), 20 * 0.007, 1e-12);
	bench_close(&t);
}

static void test_durations_come_as_numbers_and_as_strings(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	const char *family = "claude_code_tool_duration_seconds", *labels = "tool_name=\"Bash\"";
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
	assert_value(family_total(t.ing, COUNTED), 9);
	bench_close(&t);
}

static void test_requests_have_a_duration_and_a_time_to_the_first_token(void **state)
{
	(void)state;
	struct bench t;
	bench_open(&t);
	const char *labels = "model=\"opus\",query_source=\"sdk\"";
	const char *duration = "claude_code_api_request_duration_seconds";
	const char *ttft = "claude_code_api_request_ttft_seconds";
	const char *start =
		EVENT("api_request") "," S("model", "opus") "," S("query_source", "sdk");
	AUTO(str)
	char *both = mem_printf("%s,%s,%s", start, I("duration_ms", 20000), S("ttft_ms", "300001"));
	AUTO(str) char *one = mem_printf("%s,%s", start, I("duration_ms", 20001));
	take_log(&t, both, "");
	take_log(&t, one, "");
	assert_value(part_of(t.ing, duration, labels, 1), 2);
	assert_near(part_of(t.ing, duration, labels, 0), 40.001, 1e-12);
	assert_value(part_of(t.ing, duration, labels, 2 + 7), 1); /* le 20 */
	assert_value(part_of(t.ing, duration, labels, 2 + 8), 1); /* le 30 */
	assert_value(part_of(t.ing, ttft, labels, 1), 1);
	assert_value(part_of(t.ing, ttft, labels, 2 + 12), 1); /* le +Inf */
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
		assert_value(value_of(t.ing, COUNTED, NAMED("user_prompt") ",team=\"red\""), 1);
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
			test_a_name_that_claude_code_would_not_give_is_other_and_says_no_more),
		cmocka_unit_test(test_events_of_others_are_none_of_claude_code),
		cmocka_unit_test(test_the_words_of_an_event_have_one_label),
		cmocka_unit_test(test_words_that_are_none_are_other_and_long_names_are_cut),
		cmocka_unit_test(
			test_an_event_like_one_before_counts_in_the_same_series_for_its_own_session),
		cmocka_unit_test(test_the_session_is_a_label_only_when_asked_for),
		cmocka_unit_test(test_a_malformed_request_leaves_no_target_behind),
		cmocka_unit_test(test_past_the_limit_of_series_events_are_added_up_in_one),
		cmocka_unit_test(test_requests_have_a_duration_and_a_time_to_the_first_token),
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
