#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/alerts/courier.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/tempdir_testing.h"

#define PATIENCE_MS INT64_C(10000)

static void give(struct courier *c, const char *const *argv, const char *input, int64_t deadline_ms)
{
	struct courier_job job = {
		.argv = argv, .input = BUF_INIT(BUF_UNLIMITED), .deadline_ms = deadline_ms
	};
	job.environment = mem_calloc(2, sizeof *job.environment);
	job.environment[0] = mem_strdup("CCTM_ALERT_NAME=Test");
	buf_adds(&job.input, input);
	courier_give(c, &job);
	assert_true(courier_is_busy(c));
}

static struct courier_result wait_for(struct courier *c)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	struct courier_result result = { 0 };
	int64_t end_ms = clock_mono_ms() + PATIENCE_MS;
	while (!courier_take(c, &result)) {
		if (clock_mono_ms() > end_ms)
			fail_msg("nothing came back");
		nanosleep(&pause, NULL);
	}
	assert_false(courier_is_busy(c));
	return result;
}

static void test_a_program_gets_its_input_and_environment(void **state)
{
	(void)state;
	static const char *const argv[] = { "sh", "-c",
		"read -r line; echo \"$CCTM_ALERT_NAME $line\"", NULL };
	struct courier *c = courier_new();
	for (int i = 0; i < 3; i++) {
		give(c, argv, "hello\n", 5000);
		struct courier_result result = wait_for(c);
		assert_true(result.is_ok);
		assert_null(result.error);
		assert_string_equal(result.said, "Test hello");
		courier_result_clear(&result);
	}
	courier_free(c);
}

static void test_what_went_wrong_is_said(void **state)
{
	(void)state;
	static const char *const fails[] = { "sh", "-c", "echo 'cctm: no \033[1mway' >&2; exit 3",
		NULL };
	static const char *const slow[] = { "sh", "-c", "sleep 60 & sleep 60", NULL };
	static const char *const none[] = { "/nonexistent/program", NULL };

	const struct {
		const char *const *argv;
		int64_t deadline_ms;
		const char *error;
	} rows[] = {
		{ fails, 5000, "it ended with status 3: no \\x1b[1mway" },
		{ slow, 200, "it did not end within 0 s" },
		{ none, 5000, "/nonexistent/program is not installed" },
	};

	struct courier *c = courier_new();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		give(c, rows[i].argv, "", rows[i].deadline_ms);
		struct courier_result result = wait_for(c);
		assert_false(result.is_ok);
		assert_string_equal(result.error, rows[i].error);
		courier_result_clear(&result);
	}
	courier_free(c);
}

static void test_the_end_does_not_wait_for_a_program(void **state)
{
	(void)state;
	char *dir = tempdir_make();
	AUTO(str) char *file = path_join(dir, "begun");
	const char *const stubborn[] = { "sh", "-c",
		"trap '' TERM; : > \"$1\"; while :; do sleep 1; done", "sh", file, NULL };
	const struct timespec pause = { .tv_nsec = 2000000 };
	struct courier *c = courier_new();
	give(c, stubborn, "", 60000);
	int64_t end_ms = clock_mono_ms() + PATIENCE_MS;
	while (access(file, F_OK) < 0 && clock_mono_ms() < end_ms)
		nanosleep(&pause, NULL);
	int64_t begun_ms = clock_mono_ms();
	courier_free(c);
	assert_in_range(clock_mono_ms() - begun_ms, 500, 5000); /* polite first */
	assert_int_equal(tempdir_remove(dir), 0);
}

static void test_one_that_never_worked_ends(void **state)
{
	(void)state;
	courier_free(courier_new());
	courier_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_program_gets_its_input_and_environment),
		cmocka_unit_test(test_what_went_wrong_is_said),
		cmocka_unit_test(test_the_end_does_not_wait_for_a_program),
		cmocka_unit_test(test_one_that_never_worked_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
