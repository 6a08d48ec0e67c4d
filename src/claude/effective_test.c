#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "claude/effective.h"
#include "claude/processes.h"

#define ENDPOINT "OTEL_EXPORTER_OTLP_ENDPOINT"

static void add(struct effective *effective, enum layer layer, const char *text)
{
	effective_add_text(effective, layer, slice_of(text, strlen(text)));
}

static struct buf environ_of(const char *text, size_t len)
{
	struct buf buf = BUF_INIT(BUF_UNLIMITED);
	buf_add(&buf, text, len);
	return buf;
}

static void test_the_higher_layer_wins(void **state)
{
	static const char shell[] = ENDPOINT "=http://shell\0OTHER=x";
	enum layer layer = LAYER_COUNT;
	(void)state;
	AUTO(buf) struct buf variables = environ_of(shell, sizeof shell);
	AUTO(effective) struct effective effective;
	effective_init(&effective);
	effective_add_environ(&effective, &variables);
	assert_string_equal(effective_find(&effective, ENDPOINT, &layer), "http://shell");
	assert_int_equal(layer, LAYER_SHELL);
	add(&effective, LAYER_USER, "{\"env\": {\"" ENDPOINT "\": \"http://user\"}}");
	add(&effective, LAYER_LOCAL, "{\"env\": {\"" ENDPOINT "\": \"http://local\"}}");
	assert_string_equal(effective_find(&effective, ENDPOINT, &layer), "http://local");
	assert_int_equal(layer, LAYER_LOCAL);
	add(&effective, LAYER_MANAGED, "{\"env\": {\"" ENDPOINT "\": \"http://managed\"}}");
	assert_string_equal(effective_find(&effective, ENDPOINT, &layer), "http://managed");
	assert_string_equal(effective_find(&effective, "OTHER", &layer), "x");
	assert_null(effective_find(&effective, "NOTHING", &layer));
}

static void test_a_broken_file_says_its_fault_and_sets_nothing(void **state)
{
	enum layer layer;
	(void)state;
	AUTO(effective) struct effective effective;
	effective_init(&effective);
	add(&effective, LAYER_USER, "{\"env\": {\"A\": \"1\"");
	assert_null(effective_find(&effective, "A", &layer));
	assert_string_equal(effective.sources[LAYER_USER].fault,
		"line 1, column 18: a ',' or a '}' is missing");
}

/* -1: there is no such row. */
static int verdict_of(const struct comparison *comparison, const char *name)
{
	for (size_t i = 0; i < comparison->count; i++) {
		if (strcmp(comparison->rows[i].name, name) == 0)
			return (int)comparison->rows[i].verdict;
	}
	return -1;
}

static void test_what_is_in_the_way_is_found(void **state)
{
	(void)state;
	const struct wanted_request request = { .endpoint = "http://127.0.0.1:4318" };
	struct comparison comparison = { 0 };
	AUTO(wanted) struct wanted wanted = { 0 };
	AUTO(effective) struct effective effective;
	wanted_init(&wanted, &request);
	effective_init(&effective);
	add(&effective, LAYER_PROJECT,
		"{\"env\": {\"CLAUDE_CODE_ENABLE_TELEMETRY\": \"true\","
		"\"OTEL_METRICS_EXPORTER\": \"console\","
		"\"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT\": \"http://127.0.0.1:4318\","
		"\"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT\": \"http://127.0.0.1:4318/v1/logs\"}}");
	effective_compare(&effective, &wanted, &comparison);
	assert_int_equal(verdict_of(&comparison, "CLAUDE_CODE_ENABLE_TELEMETRY"), VERDICT_OK);
	assert_int_equal(verdict_of(&comparison, "OTEL_METRICS_EXPORTER"), VERDICT_DIFFERS);
	assert_int_equal(verdict_of(&comparison, ENDPOINT), VERDICT_MISSING);
	/* Used as it stands it lacks the path of the signal; the other has it. */
	assert_int_equal(
		verdict_of(&comparison, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"), VERDICT_IN_THE_WAY);
	assert_int_equal(verdict_of(&comparison, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"), -1);
	assert_true(comparison.wrong >= 3);
}

static void test_a_script_brings_the_token(void **state)
{
	(void)state;
	const struct wanted_request request = { .endpoint = "http://127.0.0.1:4318", .token = "t" };
	struct comparison comparison = { 0 };
	AUTO(wanted) struct wanted wanted = { 0 };
	AUTO(effective) struct effective effective;
	wanted_init(&wanted, &request);
	effective_init(&effective);
	add(&effective, LAYER_USER, "{\"otelHeadersHelper\": \"/x.sh\"}");
	effective_compare(&effective, &wanted, &comparison);
	assert_int_equal(verdict_of(&comparison, "otelHeadersHelper"), VERDICT_OK);
}

static struct buf command_of(const char *words, size_t len)
{
	return environ_of(words, len);
}

static void test_claude_is_known_by_its_words(void **state)
{
	static const struct {
		const char *comm, *words;
		size_t len;
		bool is_claude;
	} cases[] = {

#define WORDS(text) text, sizeof text
		{ "claude", WORDS("claude\0-p"), true },
		{ "node", WORDS("/usr/bin/node\0/usr/local/bin/claude"), true },
		{ "node", WORDS("node\0/opt/lib/node_modules/@anthropic-ai/claude-code/cli.js"),
			true },
		{ "node", WORDS("node\0/srv/server.js\0claude"), false },
		{ "vim", WORDS("vim\0claude"), false },
		{ "cctm", WORDS("cctm\0env"), false },
#undef WORDS
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(buf) struct buf command = command_of(cases[i].words, cases[i].len);
		assert_int_equal(is_claude_command(cases[i].comm, &command), cases[i].is_claude);
	}
}

static void test_an_option_of_a_command_is_found(void **state)
{
	static const char words[] = "claude\0--settings\0/a.json\0--model=x";
	(void)state;
	AUTO(buf) struct buf command = command_of(words, sizeof words);
	assert_string_equal(command_option(&command, "--settings"), "/a.json");
	assert_string_equal(command_option(&command, "--model"), "x");
	assert_null(command_option(&command, "--other"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_higher_layer_wins),
		cmocka_unit_test(test_a_broken_file_says_its_fault_and_sets_nothing),
		cmocka_unit_test(test_what_is_in_the_way_is_found),
		cmocka_unit_test(test_a_script_brings_the_token),
		cmocka_unit_test(test_claude_is_known_by_its_words),
		cmocka_unit_test(test_an_option_of_a_command_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
