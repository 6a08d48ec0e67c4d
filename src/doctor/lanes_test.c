/* Checks that hang and crash, run as the real ones are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "doctor/lanes_internal.h"

static void is_well(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	(void)d;
	outcome_say(out, CHECK_OK, "%s", check->word ? check->word : "fine");
}

static void hangs(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	(void)d;
	(void)check;
	(void)out;
	for (;;)
		pause();
}

static void ends(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	(void)d;
	(void)check;
	(void)out;
	_exit(7);
}

static void fails(struct doctor *d, const struct check *check, struct check_outcome *out)
{
	(void)check;
	outcome_say(out, CHECK_FAILURE, "broken");
	outcome_cctm(out, d, FIX_SAFE, "up", NULL);
}

#define ROW(id_, lane_, run_)                                                                  \
	{                                                                                      \
		.about = { id_, GROUP_MACHINE, "t", "w", "m" }, .lane = (lane_), .run = (run_) \
	}

struct run {
	struct check_outcome outcomes[8];
	int64_t took_ms[8], all_ms;
};

static void run(const struct check *table, size_t count, struct run *out)
{
	static char dir[] = "/a b";
	bool is_wanted[8] = { true, true, true, true, true, true, true, true };
	struct doctor doctor = { .dir = dir };
	AUTO(error) struct error err = ERROR_INIT;
	const struct lanes_request request = { .table = table,
		.count = count,
		.is_wanted = is_wanted,
		.doctor = &doctor,
		.check_ms = 300,
		.lane_ms = 5000 };
	int64_t began_ms = clock_mono_ms();
	memset(out, 0, sizeof *out);
	assert_true(lanes_run(&request, out->outcomes, out->took_ms, &err));
	out->all_ms = clock_mono_ms() - began_ms;
}

static void drop(struct run *r)
{
	for (size_t i = 0; i < 8; i++)
		outcome_clear(&r->outcomes[i]);
}

static void test_a_check_that_hangs_fails_and_the_others_are_done(void **state)
{
	static const struct check table[] = { ROW("a", LANE_FILES, is_well),
		ROW("b", LANE_FILES, hangs), ROW("c", LANE_FILES, is_well),
		ROW("d", LANE_CLAUDE, is_well) };
	struct run r;
	(void)state;
	run(table, 4, &r);
	assert_int_equal(r.outcomes[0].result, CHECK_OK);
	assert_int_equal(r.outcomes[1].result, CHECK_FAILURE);
	assert_non_null(strstr(r.outcomes[1].evidence, "no answer within 0.3 s"));
	assert_string_equal(r.outcomes[2].evidence, "fine");
	assert_string_equal(r.outcomes[3].evidence, "fine");
	assert_true(r.all_ms < 3000);
	drop(&r);
}

static void test_a_check_that_breaks_fails_and_the_others_are_done(void **state)
{
	static const struct check table[] = { ROW("a", LANE_FILES, ends),
		ROW("b", LANE_FILES, is_well), ROW("c", LANE_FILES, ends),
		ROW("d", LANE_ENGINE, is_well) };
	struct run r;
	(void)state;
	run(table, 4, &r);
	assert_int_equal(r.outcomes[0].result, CHECK_FAILURE);
	assert_non_null(strstr(r.outcomes[0].evidence, "status 7"));
	assert_int_equal(r.outcomes[1].result, CHECK_OK);
	assert_int_equal(r.outcomes[2].result, CHECK_FAILURE);
	assert_int_equal(r.outcomes[3].result, CHECK_OK);
	drop(&r);
}

static void test_what_needs_a_check_that_failed_is_not_even_done(void **state)
{
	struct check table[] = { ROW("a", LANE_GRAFANA, fails), ROW("b", LANE_GRAFANA, ends),
		ROW("c", LANE_GRAFANA, ends), ROW("d", LANE_GRAFANA, is_well) };
	struct run r;
	(void)state;
	table[1].needs[0] = "a";
	table[2].needs[0] = "b";
	run(table, 4, &r);
	assert_string_equal(r.outcomes[1].evidence, "it waits for a");
	assert_string_equal(r.outcomes[2].evidence, "it waits for b");
	assert_int_equal(r.outcomes[3].result, CHECK_OK);
	drop(&r);
}

static void test_the_command_comes_whole(void **state)
{
	static const struct check table[] = { ROW("a", LANE_FILES, fails) };
	struct run r;
	(void)state;
	run(table, 1, &r);
	assert_int_equal(r.outcomes[0].word_count, 4);
	assert_string_equal(r.outcomes[0].words[2], "/a b");
	assert_true(r.outcomes[0].is_safe);
	drop(&r);
}

static void test_what_a_check_needs_stands_above_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < check_count; i++) {
		for (size_t k = 0; k < CHECK_NEEDS_MAX && checks[i].needs[k]; k++) {
			size_t at = 0;
			while (at < i && strcmp(checks[at].about.id, checks[i].needs[k]) != 0)
				at++;
			if (at == i)
				fail_msg("%s needs %s", checks[i].about.id, checks[i].needs[k]);
		}
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(checks[i].about.id, checks[k].about.id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_check_that_hangs_fails_and_the_others_are_done),
		cmocka_unit_test(test_a_check_that_breaks_fails_and_the_others_are_done),
		cmocka_unit_test(test_what_needs_a_check_that_failed_is_not_even_done),
		cmocka_unit_test(test_the_command_comes_whole),
		cmocka_unit_test(test_what_a_check_needs_stands_above_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
