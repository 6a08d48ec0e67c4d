#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/proc.h"

/* The shell is the program under test's child here, with a text of this file's own. */
static struct proc_result run(const char *script, int64_t deadline_ms, size_t output_max)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	const struct proc_request request = {
		.argv = argv, .deadline_ms = deadline_ms, .output_max = output_max
	};
	AUTO(error) struct error err = ERROR_INIT;
	struct proc_result result;
	assert_true(proc_run(&request, &result, &err));
	return result;
}

static void test_output_errors_and_status_come_back(void **state)
{
	(void)state;
	AUTO(proc_result) struct proc_result r = run("echo out; echo err >&2; exit 7", 5000, 100);
	assert_int_equal(r.end, PROC_EXITED);
	assert_int_equal(r.status, 7);
	assert_string_equal(buf_str(&r.out), "out\n");
	assert_string_equal(buf_str(&r.err), "err\n");
	assert_false(r.is_cut);
}

static void test_what_is_too_much_is_dropped_and_does_not_block(void **state)
{
	(void)state;
	AUTO(proc_result)
	struct proc_result r = run("head -c 3000000 /dev/zero; echo end >&2", 10000, 1000);
	assert_int_equal(r.end, PROC_EXITED);
	assert_int_equal(r.out.len, 1000);
	assert_string_equal(buf_str(&r.err), "end\n");
	assert_true(r.is_cut);
}

static void test_a_signal_is_told_from_a_status(void **state)
{
	(void)state;
	AUTO(proc_result) struct proc_result r = run("kill -9 $$", 5000, 100);
	assert_int_equal(r.end, PROC_KILLED);
	assert_int_equal(r.status, SIGKILL);
}

static void test_one_that_takes_too_long_is_ended(void **state)
{
	(void)state;
	int64_t began_ms = clock_mono_ms();
	AUTO(proc_result) struct proc_result r = run("echo begun; sleep 60", 100, 100);
	assert_int_equal(r.end, PROC_TIMED_OUT);
	assert_string_equal(buf_str(&r.out), "begun\n");
	assert_true(clock_mono_ms() - began_ms < 10000);
}

static void test_one_that_ignores_the_polite_signal_is_ended_all_the_same(void **state)
{
	(void)state;
	int64_t began_ms = clock_mono_ms();
	AUTO(proc_result)
	struct proc_result r = run("trap '' TERM; while :; do sleep 0.1; done", 100, 100);
	assert_int_equal(r.end, PROC_TIMED_OUT);
	assert_int_equal(r.status, SIGKILL);
	assert_true(clock_mono_ms() - began_ms < 10000);
}

static void test_what_it_leaves_running_is_not_waited_for(void **state)
{
	(void)state;
	int64_t began_ms = clock_mono_ms();
	AUTO(proc_result) struct proc_result r = run("sleep 8 & echo done", 20000, 100);
	assert_int_equal(r.end, PROC_EXITED);
	assert_string_equal(buf_str(&r.out), "done\n");
	assert_true(clock_mono_ms() - began_ms < 7000);
}

static void test_it_reads_nothing_and_inherits_nothing(void **state)
{
	(void)state;
	AUTO(proc_result) struct proc_result r = run("cat; ls /proc/self/fd | wc -l", 5000, 100);
	assert_int_equal(r.status, 0);
	/* 0, 1, 2 and the directory that ls reads. */
	assert_string_equal(buf_str(&r.out), "4\n");
}

static void test_a_program_that_is_not_there_is_said_so(void **state)
{
	(void)state;
	const char *const argv[] = { "no-such-program-here", NULL };
	const struct proc_request request = { .argv = argv, .deadline_ms = 1000, .output_max = 10 };
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(proc_result) struct proc_result r = { 0 };
	assert_false(proc_run(&request, &r, &err));
	assert_string_equal(err.message, "no-such-program-here is not installed");
}

static void test_a_directory_is_changed_to(void **state)
{
	(void)state;
	const char *const argv[] = { "pwd", NULL };
	const struct proc_request request = {
		.argv = argv, .dir = "/", .deadline_ms = 5000, .output_max = 100
	};
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(proc_result) struct proc_result r = { 0 };
	assert_true(proc_run(&request, &r, &err));
	assert_string_equal(buf_str(&r.out), "/\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output_errors_and_status_come_back),
		cmocka_unit_test(test_what_is_too_much_is_dropped_and_does_not_block),
		cmocka_unit_test(test_a_signal_is_told_from_a_status),
		cmocka_unit_test(test_one_that_takes_too_long_is_ended),
		cmocka_unit_test(test_one_that_ignores_the_polite_signal_is_ended_all_the_same),
		cmocka_unit_test(test_what_it_leaves_running_is_not_waited_for),
		cmocka_unit_test(test_it_reads_nothing_and_inherits_nothing),
		cmocka_unit_test(test_a_program_that_is_not_there_is_said_so),
		cmocka_unit_test(test_a_directory_is_changed_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
