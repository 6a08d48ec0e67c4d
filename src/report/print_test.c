#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/text.h"
#include "core/zone.h"
#include "report/print.h"

#define NOW_MS INT64_C(1795611800000) /* 2026-11-25T13:03:20Z */
#define DAY_MS INT64_C(86400000)

static struct report_group one_group;

/* A report of one group, by `by`. */
static struct report sample(enum report_by by, const char *key)
{
	static char empty[] = "";
	static struct report_group *groups[1] = { &one_group };
	one_group = (struct report_group){ .user = empty, .start_ms = NOW_MS, .end_ms = NOW_MS };
	one_group.key = empty;
	memcpy(&one_group.key, &key, sizeof key);
	figures_add(&one_group.figures, FIGURE_COST, 1234.5);
	figures_add(&one_group.figures, FIGURE_INPUT, 45000);
	figures_add(&one_group.figures, FIGURE_SESSIONS, 1);
	return (struct report){
		.source = "ledger",
		.has_source = true,
		.has_data = true,
		.has_events = true,
		.since_ms = NOW_MS - NOW_MS % DAY_MS - 6 * DAY_MS,
		.until_ms = NOW_MS,
		.by = by,
		.last_sample_ms = NOW_MS - 130000,
		.totals = one_group.figures,
		.groups = groups,
		.group_count = 1,
	};
}

/* What was printed to stdout. Yours. */
static char *printed(const struct report *r, const struct print_options *options)
{
	FILE *file = tmpfile();
	struct error err = ERROR_INIT;
	int saved = dup(STDOUT_FILENO);
	assert_true(file && saved >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
	struct out *o = out_new(COLOR_NEVER);
	if (options)
		report_print_text(o, r, options);
	else
		report_print_csv(o, r);
	bool is_flushed = out_flush(o, &err);
	out_free(o);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	assert_true(is_flushed);
	struct buf text = BUF_INIT(BUF_UNLIMITED);
	char part[4096];
	rewind(file);
	for (size_t n; (n = fread(part, 1, sizeof part, file)) > 0;)
		buf_add(&text, part, n);
	fclose(file);
	buf_adds(&text, "");
	return text.data ? buf_detach(&text) : mem_strdup("");
}

static const struct print_options wide = {
	.now_ms = NOW_MS, .state_dir = "/var/lib/cctm", .is_utf8 = true, .width = 80
};

static void test_the_table_has_totals_separators_and_a_bar(void **state)
{
	(void)state;
	struct report r = sample(BY_DAY, "2026-11-25");
	AUTO(str) char *text = printed(&r, &wide);
	assert_string_equal(text,
		"Claude Code, 2026-11-19 to now (UTC)\n"
		"from the ledger in /var/lib/cctm, last sample 2 minutes ago\n"
		"\n"
		"day              cost               input  output  cache read  cache write\n"
		"2026-11-25  $1,234.50  ██████████  45,000       0           0            0\n"
		"──────────  ─────────  ──────────  ──────  ──────  ──────────  ───────────\n"
		"total       $1,234.50              45,000       0           0            0\n"
		"\n"
		"1 session, 0 s active; 0 commits, 0 pull requests, 0 lines added, 0 removed; 0\n"
		"edits accepted, 0 rejected; 0 API requests, 0 errors\n");
}

static void test_no_line_is_wider_than_the_terminal(void **state)
{
	(void)state;
	static const char id[] = "4dfb3ba2-52da-4341-884f-6cf5f7eb8eb0";
	for (unsigned width = 50; width <= 200; width += 5) {
		struct report r = sample(BY_SESSION, id);
		struct print_options options = wide;
		options.width = width;
		options.state_dir = "s";
		AUTO(str) char *text = printed(&r, &options);
		for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			if (text_width(line) > width)
				fail_msg("%u: %s", width, line);
		}
	}
}

static void test_an_unknown_figure_is_a_dash(void **state)
{
	(void)state;
	struct report r = sample(BY_DAY, "2026-11-25");
	r.has_events = false;
	AUTO(str) char *text = printed(&r, &wide);
	assert_non_null(strstr(text, "— API requests, — errors"));
	struct print_options plain = wide;
	plain.is_utf8 = false;
	AUTO(str) char *ascii = printed(&r, &plain);
	assert_non_null(strstr(ascii, "##########"));
	assert_non_null(strstr(ascii, "- API requests, - errors"));
}

static void test_incomplete_sessions_are_marked_and_explained(void **state)
{
	(void)state;
	struct report r = sample(BY_SESSION, "one");
	one_group.lost_events = 3;
	r.incomplete_sessions = 1;
	r.unknown_sessions = 2;
	AUTO(str) char *text = printed(&r, &wide);
	assert_non_null(strstr(text, "\none * "));
	assert_non_null(strstr(text, "* Incomplete: 1 "));
	assert_non_null(strstr(text, "? Unknown: 2 "));
}

static void test_without_data_it_says_why_and_what_next(void **state)
{
	(void)state;
	struct report r = sample(BY_DAY, "");
	r.has_data = false;
	r.group_count = 0;
	AUTO(str) char *outside = printed(&r, &wide);
	assert_non_null(strstr(outside, "No data in this range"));
	assert_non_null(strstr(outside, "2026-11-25 13:01"));
	r.last_sample_ms = 0;
	AUTO(str) char *empty = printed(&r, &wide);
	assert_non_null(strstr(empty, "holds no sample yet"));
	assert_non_null(strstr(empty, "cctm bridge"));
	r.has_source = false;
	AUTO(str) char *none = printed(&r, &wide);
	assert_non_null(strstr(none, "there is no ledger in /var/lib/cctm"));
}

static void test_csv_quotes_what_needs_it(void **state)
{
	(void)state;
	struct report r = sample(BY_MODEL, "a \"b\", c");
	r.has_events = false;
	AUTO(str) char *text = printed(&r, NULL);
	assert_string_equal(text,
		"model,cost_usd,tokens_input,tokens_output,tokens_cacheRead,"
		"tokens_cacheCreation,sessions,commits,pull_requests,lines_added,"
		"lines_removed,active_seconds_cli,active_seconds_user,"
		"edit_decisions_accept,edit_decisions_reject,api_requests,api_errors\r\n"
		"\"a \"\"b\"\", c\",1234.5,45000,0,0,0,1,0,0,0,0,0,0,0,0,,\r\n");
}

static void test_csv_of_sessions_says_whose_when_and_whether_whole(void **state)
{
	(void)state;
	static char user[] = "ada,lovelace";

	static const struct {
		int64_t lost;
		bool is_unknown;
		const char *said;
	} cases[] = { { 0, false, "true,0" }, { 3, false, "false,3" }, { 0, true, ",0" } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct report r = sample(BY_SESSION, "s");
		one_group.user = user;
		one_group.lost_events = cases[i].lost;
		one_group.is_unknown = cases[i].is_unknown;
		AUTO(str) char *text = printed(&r, NULL);
		assert_memory_equal(
			text, "session,user,start,end,complete,lost_events,cost_usd", 52);
		AUTO(str)
		char *row = mem_printf("\r\ns,\"ada,lovelace\",2026-11-25T13:03:20Z,"
				       "2026-11-25T13:03:20Z,%s,1234.5,45000,",
			cases[i].said);
		if (!strstr(text, row))
			fail_msg("%s\nis not in\n%s", row, text);
	}
}

static int in_utc(void **state)
{
	(void)state;
	struct error err = ERROR_INIT;
	return zone_use("UTC", &err) ? 0 : -1;
}

static void test_by_model_it_shows_no_zeros_for_what_has_no_model(void **state)
{
	(void)state;
	struct report r = sample(BY_MODEL, "");
	one_group.figures = (struct figures){ { 0 }, { 0 } };
	figures_add(&one_group.figures, FIGURE_SESSIONS, 1);
	struct print_options options = wide;
	options.width = 200;
	AUTO(str) char *text = printed(&r, &options);
	assert_null(strstr(text, "\n—"));
	assert_null(strstr(text, "  sessions  "));
	assert_non_null(strstr(text, "1 session,"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table_has_totals_separators_and_a_bar),
		cmocka_unit_test(test_no_line_is_wider_than_the_terminal),
		cmocka_unit_test(test_an_unknown_figure_is_a_dash),
		cmocka_unit_test(test_by_model_it_shows_no_zeros_for_what_has_no_model),
		cmocka_unit_test(test_incomplete_sessions_are_marked_and_explained),
		cmocka_unit_test(test_without_data_it_says_why_and_what_next),
		cmocka_unit_test(test_csv_quotes_what_needs_it),
		cmocka_unit_test(test_csv_of_sessions_says_whose_when_and_whether_whole),
	};
	return cmocka_run_group_tests(tests, in_utc, NULL);
}
