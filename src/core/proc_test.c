#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/proc.h"
#include "core/tempdir_testing.h"

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

static void test_a_file_that_may_not_be_executed_is_told_from_none(void **state)
{
	(void)state;
	const char *const argv[] = { "/etc/passwd", NULL };
	const struct proc_request request = { .argv = argv, .deadline_ms = 1000, .output_max = 10 };
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(proc_result) struct proc_result r = { 0 };
	assert_false(proc_run(&request, &r, &err));
	assert_string_equal(err.message, "/etc/passwd is there, but may not be executed");
}

static void test_a_directory_is_no_program(void **state)
{
	(void)state;
	AUTO(str) char *found = proc_find("/tmp");
	assert_null(found);
}

static void test_bytes_of_every_value_come_back(void **state)
{
	(void)state;
	AUTO(proc_result) struct proc_result r = run("printf 'a\\0\\377\\n\\0'", 5000, 100);
	assert_int_equal(r.out.len, 5);
	assert_memory_equal(r.out.data, "a\0\377\n\0", 5);
}

static void test_output_of_exactly_the_bound_is_whole(void **state)
{
	(void)state;
	AUTO(proc_result) struct proc_result r = run("printf 12345", 5000, 5);
	assert_string_equal(buf_str(&r.out), "12345");
	assert_false(r.is_cut);
}

static void test_a_deadline_of_a_millisecond_ends_it(void **state)
{
	(void)state;
	int64_t began_ms = clock_mono_ms();
	for (int i = 0; i < 20; i++) {
		AUTO(proc_result) struct proc_result r = run("exec sleep 60", 1, 100);
		assert_int_equal(r.end, PROC_TIMED_OUT);
	}
	assert_true(clock_mono_ms() - began_ms < 20000);
}

/* A parent may have left us SIGCHLD ignored; then nobody keeps a child's status. */
static void test_a_status_is_not_lost_where_children_were_ignored(void **state)
{
	(void)state;
	signal(SIGCHLD, SIG_IGN);
	AUTO(proc_result) struct proc_result r = run("exit 7", 5000, 100);
	assert_int_equal(r.end, PROC_EXITED);
	assert_int_equal(r.status, 7);
}

/* ---- who is still there: a fifo that they hold open ---- */

struct fifo {
	char *dir, *path;
	int fd;
};

static struct fifo fifo_make(void)
{
	struct fifo fifo = { .dir = tempdir_make() };
	assert_non_null(fifo.dir);
	fifo.path = path_join(fifo.dir, "fifo");
	assert_int_equal(mkfifo(fifo.path, 0600), 0);
	fifo.fd = open(fifo.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fifo.fd >= 0);
	return fifo;
}

static void fifo_remove(struct fifo *fifo)
{
	close(fifo->fd);
	free(fifo->path);
	tempdir_remove(fifo->dir);
}

/* POLLIN: somebody wrote; POLLHUP: all have gone. */
static bool comes(const struct fifo *fifo, short event)
{
	struct pollfd polled = { .fd = fifo->fd, .events = POLLIN };
	return poll(&polled, 1, 10000) == 1 && (polled.revents & event);
}

static void test_what_it_started_is_ended_with_it(void **state)
{
	(void)state;
	struct fifo fifo = fifo_make();
	AUTO(str)
	char *script = mem_printf("exec 3>%s; (trap '' TERM; while :; do sleep 0.1; done) & "
				  "sleep 60",
		fifo.path);
	AUTO(proc_result) struct proc_result r = run(script, 300, 100);
	assert_int_equal(r.end, PROC_TIMED_OUT);
	assert_true(comes(&fifo, POLLHUP));
	fifo_remove(&fifo);
}

static void end_interrupted(int signal_number)
{
	(void)signal_number;
	proc_interrupt();
	_exit(130);
}

static void test_an_interrupt_ends_the_program_that_is_listened_to(void **state)
{
	(void)state;
	int status;
	char byte;
	struct fifo fifo = fifo_make();
	AUTO(str) char *script = mem_printf("exec 3>%s; echo x >&3; sleep 60", fifo.path);
	pid_t us = fork();
	if (us == 0) {
		signal(SIGINT, end_interrupted);
		run(script, 60000, 100);
		_exit(0);
	}
	assert_true(comes(&fifo, POLLIN));
	assert_true(read(fifo.fd, &byte, 1) == 1 && read(fifo.fd, &byte, 1) == 1);
	kill(us, SIGINT);
	assert_int_equal(waitpid(us, &status, 0), us);
	assert_int_equal(WEXITSTATUS(status), 130);
	assert_true(comes(&fifo, POLLHUP));
	fifo_remove(&fifo);
}

static void test_variables_are_added_and_replaced(void **state)
{
	(void)state;
	const char *const argv[] = { "sh", "-c", "echo $A-$AB-$KEPT; env | grep -c ^A=", NULL };
	const char *const env[] = { "A=new value", "AB=", NULL };
	const struct proc_request request = {
		.argv = argv, .env = env, .deadline_ms = 5000, .output_max = 100
	};
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(proc_result) struct proc_result r = { 0 };
	setenv("A", "old", 1);
	setenv("AB", "old", 1);
	setenv("KEPT", "kept", 1);
	assert_true(proc_run(&request, &r, &err));
	assert_string_equal(buf_str(&r.out), "new value--kept\n1\n");
	assert_string_equal(getenv("A"), "old");
}

static struct proc_result run_with_input(const char *script, struct slice input, size_t output_max)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	const struct proc_request request = {
		.argv = argv, .input = input, .deadline_ms = 20000, .output_max = output_max
	};
	AUTO(error) struct error err = ERROR_INIT;
	struct proc_result result;
	assert_true(proc_run(&request, &result, &err));
	return result;
}

/* More than any pipe holds, in both directions at once. */
static void test_input_of_any_size_and_bytes_arrives(void **state)
{
	(void)state;
	AUTO(buf) struct buf input = BUF_INIT(BUF_UNLIMITED);
	for (int i = 0; i < 3000000; i++)
		buf_addc(&input, (char)i);
	AUTO(proc_result)
	struct proc_result r = run_with_input("cat", buf_slice(&input), input.len);
	assert_int_equal(r.status, 0);
	assert_true(slice_eq(buf_slice(&r.out), buf_slice(&input)));
}

static void test_input_that_nobody_reads_is_no_trouble(void **state)
{
	(void)state;
	AUTO(proc_result)
	struct proc_result r =
		run_with_input("read line; echo $line", slice_str("first\nsecond\n"), 100);
	assert_int_equal(r.end, PROC_EXITED);
	assert_string_equal(buf_str(&r.out), "first\n");
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

static void *cancel_soon(void *ctx)
{
	atomic_bool *is_cancelled = ctx;
	const struct timespec pause = { .tv_nsec = 100000000 };
	nanosleep(&pause, NULL);
	*is_cancelled = true;
	return NULL;
}

static void test_another_thread_may_end_it_early(void **state)
{
	(void)state;
	static const char *const argv[] = { "sh", "-c", "echo begun; sleep 60", NULL };
	atomic_bool is_cancelled = false;
	const struct proc_request request = {
		.argv = argv, .deadline_ms = 60000, .is_cancelled = &is_cancelled, .output_max = 100
	};
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(proc_result) struct proc_result r = { 0 };
	int64_t began_ms = clock_mono_ms();
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &is_cancelled), 0);
	assert_true(proc_run(&request, &r, &err));
	pthread_join(thread, NULL);
	assert_int_equal(r.end, PROC_TIMED_OUT);
	assert_string_equal(buf_str(&r.out), "begun\n");
	assert_true(clock_mono_ms() - began_ms < 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output_errors_and_status_come_back),
		cmocka_unit_test(test_what_is_too_much_is_dropped_and_does_not_block),
		cmocka_unit_test(test_a_signal_is_told_from_a_status),
		cmocka_unit_test(test_one_that_takes_too_long_is_ended),
		cmocka_unit_test(test_another_thread_may_end_it_early),
		cmocka_unit_test(test_one_that_ignores_the_polite_signal_is_ended_all_the_same),
		cmocka_unit_test(test_what_it_leaves_running_is_not_waited_for),
		cmocka_unit_test(test_it_reads_nothing_and_inherits_nothing),
		cmocka_unit_test(test_a_program_that_is_not_there_is_said_so),
		cmocka_unit_test(test_a_file_that_may_not_be_executed_is_told_from_none),
		cmocka_unit_test(test_a_directory_is_no_program),
		cmocka_unit_test(test_a_directory_is_changed_to),
		cmocka_unit_test(test_variables_are_added_and_replaced),
		cmocka_unit_test(test_input_of_any_size_and_bytes_arrives),
		cmocka_unit_test(test_input_that_nobody_reads_is_no_trouble),
		cmocka_unit_test(test_bytes_of_every_value_come_back),
		cmocka_unit_test(test_output_of_exactly_the_bound_is_whole),
		cmocka_unit_test(test_a_deadline_of_a_millisecond_ends_it),
		cmocka_unit_test(test_a_status_is_not_lost_where_children_were_ignored),
		cmocka_unit_test(test_what_it_started_is_ended_with_it),
		cmocka_unit_test(test_an_interrupt_ends_the_program_that_is_listened_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
