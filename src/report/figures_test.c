#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "report/figures.h"

static const char *only_label(const void *ctx, const char *name)
{
	const char *const *pair = ctx;
	return pair[0] && strcmp(pair[0], name) == 0 ? pair[1] : NULL;
}

static void test_a_series_counts_for_the_figure_of_its_metric_and_label(void **state)
{
	(void)state;

	static const struct {
		const char *metric, *label[2];
		enum figure expected;
	} cases[] = {
		{ "claude_code.cost.usage", { "model", "opus" }, FIGURE_COST },
		{ "claude_code.cost.usage", { "type", "evil" }, FIGURE_COST },
		{ "claude_code.token.usage", { "type", "cacheRead" }, FIGURE_CACHE_READ },
		{ "claude_code.token.usage", { "type", "thinking" }, FIGURE_OTHER_TOKENS },
		{ "claude_code.token.usage", { NULL, NULL }, FIGURE_OTHER_TOKENS },
		{ "claude_code.lines_of_code.count", { "type", "removed" }, FIGURE_REMOVED },
		{ "claude_code.lines_of_code.count", { "type", "moved" }, FIGURE_NONE },
		{ "claude_code.code_edit_tool.decision", { "decision", "reject" },
			FIGURE_REJECTED },
		{ "claude_code.active_time.total", { "type", "user" }, FIGURE_ACTIVE_USER },
		{ "cctm.api_requests", { "model", "opus" }, FIGURE_API_REQUESTS },
		{ "cctm.api_request.duration", { NULL, NULL }, FIGURE_NONE },
		{ "http.server.duration", { NULL, NULL }, FIGURE_NONE },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum figure figure = figure_of(cases[i].metric, only_label, cases[i].label);
		if (figure != cases[i].expected)
			fail_msg("case %zu: %s is figure %d", i, cases[i].metric, (int)figure);
	}
}

static void test_ten_million_additions_are_right_to_a_billionth(void **state)
{
	(void)state;
	struct figures f = { 0 };
	for (int i = 0; i < 10000000; i++)
		figures_add(&f, FIGURE_COST, 0.0123);
	assert_true(fabs(figures_value(&f, FIGURE_COST) - 123000) < 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_series_counts_for_the_figure_of_its_metric_and_label),
		cmocka_unit_test(test_ten_million_additions_are_right_to_a_billionth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
