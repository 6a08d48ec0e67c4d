#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/tempdir_testing.h"

/* *state is a directory of the test's own. */
static int make_directory(void **state)
{
	*state = tempdir_make();
	return *state ? 0 : -1;
}

static int remove_directory(void **state)
{
	return tempdir_remove(*state);
}

static void test_file_takes_a_file_of_exactly_the_maximum(void **state)
{
	AUTO(str) char *path = path_join(*state, "f");
	AUTO(error) struct error err = ERROR_INIT;
	assert_true(file_write_atomic(path, "12345", 5, 0600, &err));
	AUTO(buf) struct buf fits = BUF_INIT(5);
	assert_int_equal(file_read(path, &fits, &err), 1);
	assert_string_equal(buf_str(&fits), "12345");
	AUTO(buf) struct buf small = BUF_INIT(4);
	assert_int_equal(file_read(path, &small, &err), -1);
	assert_non_null(strstr(err.message, "larger than 4 bytes"));
}

static void test_file_reads_more_than_one_chunk(void **state)
{
	AUTO(str) char *path = path_join(*state, "f");
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED), back = BUF_INIT(BUF_UNLIMITED);
	for (int i = 0; i < 20000; i++)
		buf_addf(&text, "%d\n", i);
	assert_true(file_write_atomic(path, text.data, text.len, 0600, &err));
	assert_int_equal(file_read(path, &back, &err), 1);
	assert_int_equal(back.len, text.len);
	assert_memory_equal(back.data, text.data, text.len);
}

static void test_file_absent_is_no_error(void **state)
{
	AUTO(str) char *path = path_join(*state, "absent");
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf b = BUF_INIT(10);
	assert_int_equal(file_read(path, &b, &err), 0);
	assert_false(error_is_set(&err));
}

static void test_file_write_replaces_and_sets_the_mode(void **state)
{
	AUTO(str) char *path = path_join(*state, "f");
	AUTO(error) struct error err = ERROR_INIT;
	struct stat st;
	assert_true(file_write_atomic(path, "old and longer", 14, 0644, &err));
	assert_true(file_write_atomic(path, "new", 3, 0600, &err));
	AUTO(buf) struct buf b = BUF_INIT(100);
	assert_int_equal(file_read(path, &b, &err), 1);
	assert_string_equal(buf_str(&b), "new");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_file_write_does_not_follow_a_link_put_in_its_way(void **state)
{
	AUTO(str) char *path = path_join(*state, "f");
	AUTO(str) char *victim = path_join(*state, "victim");
	AUTO(str) char *temporary = mem_printf("%s.tmp.%ld", path, (long)getpid());
	AUTO(error) struct error err = ERROR_INIT;
	assert_true(file_write_atomic(victim, "kept", 4, 0600, &err));
	assert_int_equal(symlink(victim, temporary), 0);
	assert_true(file_write_atomic(path, "new", 3, 0600, &err));
	AUTO(buf) struct buf b = BUF_INIT(100);
	assert_int_equal(file_read(victim, &b, &err), 1);
	assert_string_equal(buf_str(&b), "kept");
}

static void test_file_write_leaves_the_old_content_when_it_fails(void **state)
{
	AUTO(str) char *path = path_join(*state, "d");
	AUTO(str) char *inside = path_join(path, "f");
	AUTO(str) char *temporary = mem_printf("%s.tmp.%ld", path, (long)getpid());
	AUTO(error) struct error err = ERROR_INIT;
	assert_true(dir_make(path, 0700, &err));
	assert_true(file_write_atomic(inside, "x", 1, 0600, &err));
	assert_false(file_write_atomic(path, "new", 3, 0600, &err)); /* a file over a directory */
	assert_int_equal(access(inside, F_OK), 0);
	assert_int_equal(access(temporary, F_OK), -1);
}

static void test_dir_make_gives_the_mode_to_the_last_only(void **state)
{
	AUTO(str) char *path = path_join(*state, "a/b/c//");
	AUTO(str) char *middle = path_join(*state, "a/b");
	AUTO(error) struct error err = ERROR_INIT;
	struct stat st;
	assert_true(dir_make(path, 0700, &err));
	assert_true(dir_make(path, 0700, &err));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(middle, &st), 0);
	assert_int_not_equal(st.st_mode & 0777, 0700);
}

static void test_dir_make_refuses_a_file_in_its_place(void **state)
{
	AUTO(str) char *path = path_join(*state, "f");
	AUTO(error) struct error err = ERROR_INIT;
	assert_true(file_write_atomic(path, "x", 1, 0600, &err));
	assert_false(dir_make(path, 0700, &err));
	error_clear(&err);
	assert_false(dir_make("", 0700, &err));
}

static void test_lock_is_held_until_its_descriptor_is_closed(void **state)
{
	AUTO(str) char *path = path_join(*state, "lock");
	AUTO(error) struct error err = ERROR_INIT;
	assert_int_equal(lock_holder(path), 0);
	int fd = lock_take(path, &err);
	assert_true(fd >= 0);
	assert_int_equal(lock_holder(path), getpid());
	/* Asking must not lose it, as closing a descriptor loses a plain fcntl lock. */
	assert_int_equal(lock_holder(path), getpid());
	assert_int_equal(lock_take(path, &err), -1);
	assert_int_equal(err.code, ERR_LOCKED);
	AUTO(str) char *who = mem_printf("held by process %ld", (long)getpid());
	assert_non_null(strstr(err.message, who));
	close(fd);
	assert_int_equal(lock_holder(path), 0);
}

static void test_lock_dies_with_its_process(void **state)
{
	AUTO(str) char *path = path_join(*state, "lock");
	int ready[2];
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		struct error err = ERROR_INIT;
		if (lock_take(path, &err) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	char byte;
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(lock_holder(path), child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(fd) int fd = lock_take(path, &err);
	assert_true(fd >= 0);
	close(ready[0]);
	close(ready[1]);
}

static void test_path_join_adds_a_slash_where_one_is_missing(void **state)
{
	(void)state;
	AUTO(str)
	char *plain = path_join("a", "b"), *root = path_join("/", "b"), *empty = path_join("", "b");
	assert_string_equal(plain, "a/b");
	assert_string_equal(root, "/b");
	assert_string_equal(empty, "b");
}

static void test_data_home_takes_an_absolute_xdg_path_only(void **state)
{
	(void)state;
	setenv("HOME", "/home/u", 1);
	setenv("XDG_DATA_HOME", "/data", 1);
	AUTO(str) char *xdg = data_home();
	setenv("XDG_DATA_HOME", "relative", 1);
	AUTO(str) char *home = data_home();
	assert_string_equal(xdg, "/data/cctm");
	assert_string_equal(home, "/home/u/.local/share/cctm");
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(test_file_takes_a_file_of_exactly_the_maximum),
		IN_DIRECTORY(test_file_reads_more_than_one_chunk),
		IN_DIRECTORY(test_file_absent_is_no_error),
		IN_DIRECTORY(test_file_write_replaces_and_sets_the_mode),
		IN_DIRECTORY(test_file_write_does_not_follow_a_link_put_in_its_way),
		IN_DIRECTORY(test_file_write_leaves_the_old_content_when_it_fails),
		IN_DIRECTORY(test_dir_make_gives_the_mode_to_the_last_only),
		IN_DIRECTORY(test_dir_make_refuses_a_file_in_its_place),
		IN_DIRECTORY(test_lock_is_held_until_its_descriptor_is_closed),
		IN_DIRECTORY(test_lock_dies_with_its_process),
		cmocka_unit_test(test_path_join_adds_a_slash_where_one_is_missing),
		cmocka_unit_test(test_data_home_takes_an_absolute_xdg_path_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
