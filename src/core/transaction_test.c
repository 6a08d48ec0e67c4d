#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/tempdir_testing.h"
#include "core/transaction.h"
#include "core/transaction_internal.h"

#define NOBODY 65534

/* *state is a directory of the test's own, with state/ in it. */
static int make_directory(void **state)
{
	AUTO(error) struct error err = ERROR_INIT;
	*state = tempdir_make();
	AUTO(str) char *inside = *state ? path_join(*state, "state") : NULL;
	return inside && dir_make(inside, 0700, &err) ? 0 : -1;
}

static int remove_directory(void **state)
{
	return tempdir_remove(*state);
}

static struct transaction *begin(const char *dir)
{
	AUTO(str) char *state_dir = path_join(dir, "state");
	return transaction_new(dir, state_dir);
}

static void write_text(const char *dir, const char *name, const char *text, mode_t mode)
{
	AUTO(str) char *path = path_join(dir, name);
	AUTO(error) struct error err = ERROR_INIT;
	assert_true(file_write_atomic(path, text, strlen(text), mode, &err));
}

static void make_link(const char *dir, const char *name, const char *to)
{
	AUTO(str) char *path = path_join(dir, name);
	assert_int_equal(symlink(to, path), 0);
}

static void assert_text(const char *dir, const char *name, const char *text)
{
	AUTO(str) char *path = path_join(dir, name);
	AUTO(buf) struct buf got = BUF_INIT(1000);
	AUTO(error) struct error err = ERROR_INIT;
	assert_int_equal(file_read(path, &got, &err), 1);
	assert_string_equal(buf_str(&got), text);
}

static bool is_there(const char *dir, const char *name)
{
	struct stat st;
	AUTO(str) char *path = path_join(dir, name);
	return lstat(path, &st) == 0;
}

static mode_t mode_of(const char *dir, const char *name)
{
	struct stat st;
	AUTO(str) char *path = path_join(dir, name);
	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

/* The transaction is not done, and says why; then it is freed. */
static void assert_refused(struct transaction *t, enum error_code code, const char *why)
{
	AUTO(error) struct error err = ERROR_INIT;
	assert_false(transaction_commit(t, &err));
	if (!strstr(err.message, why))
		fail_msg("\"%s\" does not say \"%s\"", err.message, why);
	assert_int_equal(err.code, code);
	transaction_free(t);
}

static void assert_put_refused(const char *dir, const char *path, const char *why)
{
	struct transaction *t = begin(dir);
	transaction_put(t, "good", "x", 1, 0644);
	transaction_put(t, path, "x", 1, 0644);
	assert_refused(t, ERR_REFUSED, why);
	assert_false(is_there(dir, "good"));
}

/* ---- doing ---- */

static void test_transaction_gives_the_modes_asked_for_whatever_the_umask(void **state)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(transaction) struct transaction *t = begin(*state);
	mode_t before = umask(077);
	transaction_put(t, "a/b/open", "x", 1, 0644);
	transaction_put(t, "a/b/secret", "x", 1, 0600);
	transaction_dir_mode(t, "a/b", 0750);
	assert_true(transaction_commit(t, &err));
	umask(before);
	assert_int_equal(mode_of(*state, "a"), 0755);
	assert_int_equal(mode_of(*state, "a/b"), 0750);
	assert_int_equal(mode_of(*state, "a/b/open"), 0644);
	assert_int_equal(mode_of(*state, "a/b/secret"), 0600);
}

static void test_transaction_keeps_a_mode_when_it_updates(void **state)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(transaction) struct transaction *t = begin(*state);
	write_text(*state, "kept", "former", 0700);
	write_text(*state, "given", "former", 0700);
	transaction_update(t, "kept", "new", 3, 0644);
	transaction_put(t, "given", "new", 3, 0644);
	transaction_update(t, "made", "new", 3, 0640);
	assert_true(transaction_commit(t, &err));
	assert_text(*state, "kept", "new");
	assert_int_equal(mode_of(*state, "kept"), 0700);
	assert_int_equal(mode_of(*state, "given"), 0644);
	assert_int_equal(mode_of(*state, "made"), 0640);
}

static void test_transaction_replaces_what_a_link_leads_to(void **state)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(transaction) struct transaction *t = begin(*state);
	write_text(*state, "target", "former", 0644);
	make_link(*state, "second", "./state/../target");
	make_link(*state, "first", "second");
	transaction_put(t, "first", "new", 3, 0644);
	assert_true(transaction_commit(t, &err));
	assert_text(*state, "target", "new");
	AUTO(str) char *link = path_join(*state, "first");
	char text[100];
	assert_int_equal(readlink(link, text, sizeof text), 6);
}

static void test_transaction_removes_a_link_and_not_what_it_leads_to(void **state)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(transaction) struct transaction *t = begin(*state);
	write_text(*state, "target", "kept", 0644);
	make_link(*state, "link", "target");
	make_link(*state, "dangling", "nowhere");
	transaction_remove(t, "link");
	transaction_remove(t, "dangling");
	transaction_remove(t, "never-there/file");
	assert_true(transaction_commit(t, &err));
	assert_text(*state, "target", "kept");
	assert_false(is_there(*state, "link"));
	assert_false(is_there(*state, "dangling"));
	assert_false(is_there(*state, "never-there"));
}

/* Somebody removed a damaged record, and not what lay beside the files. */
static void test_transaction_replaces_leftovers_beside_its_targets(void **state)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(transaction) struct transaction *t = begin(*state);
	write_text(*state, "file", "former", 0644);
	write_text(*state, ".file.cctm-old", "left", 0644);
	write_text(*state, ".file.cctm-new", "left", 0644);
	transaction_put(t, "file", "new", 3, 0644);
	assert_true(transaction_commit(t, &err));
	assert_text(*state, "file", "new");
	assert_false(is_there(*state, ".file.cctm-old"));
	assert_false(is_there(*state, ".file.cctm-new"));
}

/* ---- refusing ---- */

static void test_transaction_refuses_paths_that_leave_the_directory(void **state)
{
	static const char *const paths[] = { "", "/etc/passwd", "..", "../x", "a/../../x", "a/..",
		"./x", "a/./x", "a//x", "a/", "not-utf8-\xff" };
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		assert_put_refused(*state, paths[i], "is not a path inside the directory");
}

static void test_transaction_refuses_names_that_have_no_room_beside_them(void **state)
{
	char name[NAME_MAX + 1];
	memset(name, 'x', sizeof name);
	name[NAME_MAX - 5] = '\0';
	assert_put_refused(*state, name, "too long a name");
	assert_put_refused(*state, ".x.cctm-new", "a name of the kind used while");
}

static void test_transaction_refuses_what_is_no_regular_file(void **state)
{
	AUTO(str) char *fifo = path_join(*state, "fifo");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	write_text(*state, "file", "former", 0644);
	make_link(*state, "link-to-directory", "state");
	assert_put_refused(*state, "state", "is a directory where a file belongs");
	assert_put_refused(*state, "link-to-directory", "is a directory where a file belongs");
	assert_put_refused(*state, "fifo", "is not a regular file");
	struct transaction *t = begin(*state);
	transaction_put(t, "file/below", "x", 1, 0644);
	assert_refused(t, ERR_IO, "Not a directory");
}

static void test_transaction_refuses_two_steps_for_one_file(void **state)
{
	write_text(*state, "file", "former", 0644);
	make_link(*state, "link", "file");
	make_link(*state, "here", ".");
	assert_put_refused(*state, "good", "good and good are one file");
	struct transaction *t = begin(*state);
	transaction_remove(t, "here/file");
	transaction_put(t, "link", "x", 1, 0644);
	assert_refused(t, ERR_REFUSED, "here/file and link are one file");
	assert_put_refused(*state, "good/below", "is to be a file and a directory");
	assert_text(*state, "file", "former");
}

static void test_transaction_refuses_links_that_lead_nowhere(void **state)
{
	make_link(*state, "dangling", "nowhere/file");
	make_link(*state, "dangling-directory", "nowhere");
	make_link(*state, "round", "round");
	assert_put_refused(*state, "dangling", "which is not there");
	assert_put_refused(*state, "dangling-directory/x", "which is not there");
	assert_put_refused(*state, "round", "Too many levels of symbolic links");
}

/* What another user lays into a directory that all can write in must not choose what we replace. */
static void test_transaction_refuses_the_link_of_another_user(void **state)
{
	AUTO(str) char *link = path_join(*state, "link");
	if (geteuid() != 0)
		skip();
	write_text(*state, "victim", "kept", 0644);
	make_link(*state, "link", "victim");
	assert_int_equal(lchown(link, NOBODY, NOBODY), 0);
	assert_put_refused(*state, "link", "is a symbolic link of another user (id 65534)");
	assert_text(*state, "victim", "kept");
}

static int commit_in_locked_directory(const char *dir)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(transaction) struct transaction *t = begin(dir);
	transaction_put(t, "locked/below/new", "x", 1, 0644);
	return !transaction_commit(t, &err) && strstr(err.message, "locked: Permission denied") &&
			       err.hint
		       ? 0
		       : 1;
}

/* By a process that is not root, whom nothing is forbidden. */
static void test_transaction_refuses_a_directory_that_cannot_be_written(void **state)
{
	AUTO(str) char *locked = path_join(*state, "locked");
	AUTO(str) char *state_dir = path_join(*state, "state");
	int status;
	assert_int_equal(mkdir(locked, 0500), 0);
	if (geteuid() == 0)
		assert_true(chown(*state, NOBODY, NOBODY) == 0 &&
			    chown(locked, NOBODY, NOBODY) == 0 &&
			    chown(state_dir, NOBODY, NOBODY) == 0);
	pid_t child = fork();
	if (child == 0)
		_exit(geteuid() == 0 && setuid(NOBODY) < 0 ? 2
							   : commit_in_locked_directory(*state));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(chmod(locked, 0700), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_transaction_refuses_more_steps_than_its_maximum(void **state)
{
	struct transaction *t = begin(*state);
	for (int i = 0; i <= TRANSACTION_STEPS_MAX; i++) {
		AUTO(str) char *path = mem_printf("f%d", i);
		transaction_remove(t, path);
	}
	assert_refused(t, ERR_REFUSED, "1001 files are more");
}

static void test_transaction_waits_for_an_earlier_one_to_be_cleared_away(void **state)
{
	write_text(*state, "state/transaction-undoing.json", "whatever", 0600);
	assert_put_refused(*state, "file", "an earlier change is not cleared away");
}

/* ---- links laid meanwhile ---- */

static void test_transaction_follows_no_link_laid_after_it_looked(void **state)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(transaction) struct transaction *t = begin(*state);
	AUTO(str) char *folder = path_join(*state, "folder"), *moved = path_join(*state, "moved");
	assert_int_equal(mkdir(folder, 0755), 0);
	write_text(*state, "folder/file", "former", 0644);
	transaction_put(t, "folder/file", "new", 3, 0644);
	assert_true(transaction_check(t, &err));
	assert_int_equal(rename(folder, moved), 0);
	make_link(*state, "folder", "moved");
	assert_false(transaction_files_stage(t, &err));
	assert_non_null(strstr(err.message, "cannot reach"));
	assert_text(*state, "moved/file", "former");
	assert_false(is_there(*state, "moved/.file.cctm-new"));
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(test_transaction_gives_the_modes_asked_for_whatever_the_umask),
		IN_DIRECTORY(test_transaction_keeps_a_mode_when_it_updates),
		IN_DIRECTORY(test_transaction_replaces_what_a_link_leads_to),
		IN_DIRECTORY(test_transaction_removes_a_link_and_not_what_it_leads_to),
		IN_DIRECTORY(test_transaction_replaces_leftovers_beside_its_targets),
		IN_DIRECTORY(test_transaction_refuses_paths_that_leave_the_directory),
		IN_DIRECTORY(test_transaction_refuses_names_that_have_no_room_beside_them),
		IN_DIRECTORY(test_transaction_refuses_what_is_no_regular_file),
		IN_DIRECTORY(test_transaction_refuses_two_steps_for_one_file),
		IN_DIRECTORY(test_transaction_refuses_links_that_lead_nowhere),
		IN_DIRECTORY(test_transaction_refuses_the_link_of_another_user),
		IN_DIRECTORY(test_transaction_refuses_a_directory_that_cannot_be_written),
		IN_DIRECTORY(test_transaction_refuses_more_steps_than_its_maximum),
		IN_DIRECTORY(test_transaction_waits_for_an_earlier_one_to_be_cleared_away),
		IN_DIRECTORY(test_transaction_follows_no_link_laid_after_it_looked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
