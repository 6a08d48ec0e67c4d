/* What transaction_recover makes of records: ours at every stage, and those that somebody made or damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/tempdir_testing.h"
#include "core/transaction_internal.h"

/* A stack in a directory of the test's own, and the names of what lies in it. */
struct stack {
	char *base, *dir, *state_dir;
};

static void write_text(const char *dir, const char *name, const char *text)
{
	AUTO(str) char *path = path_join(dir, name);
	AUTO(error) struct error err = ERROR_INIT;
	assert_true(file_write_atomic(path, text, strlen(text), 0600, &err));
}

static int make_stack(void **state)
{
	AUTO(error) struct error err = ERROR_INIT;
	struct stack *stack = mem_zalloc(sizeof *stack);
	*state = stack;
	stack->base = tempdir_make();
	stack->dir = path_join(stack->base, "stack");
	stack->state_dir = path_join(stack->dir, "state");
	if (!dir_make(stack->state_dir, 0700, &err))
		return -1;
	write_text(stack->base, "outside", "kept");
	write_text(stack->dir, "replaced", "former");
	write_text(stack->dir, "removed", "former");
	return 0;
}

static int remove_stack(void **state)
{
	struct stack *stack = *state;
	int result = tempdir_remove(stack->base);
	free(stack->dir);
	free(stack->state_dir);
	free(stack);
	return result;
}

static bool holds(const char *dir, const char *name, const char *text)
{
	AUTO(str) char *path = path_join(dir, name);
	AUTO(buf) struct buf got = BUF_INIT(1000);
	AUTO(error) struct error err = ERROR_INIT;
	return file_read(path, &got, &err) == 1 && strcmp(buf_str(&got), text) == 0;
}

static bool is_there(const char *dir, const char *name)
{
	struct stat st;
	AUTO(str) char *path = path_join(dir, name);
	return lstat(path, &st) == 0;
}

static struct transaction *prepare(const struct stack *stack)
{
	AUTO(error) struct error err = ERROR_INIT;
	struct transaction *t = transaction_new(stack->dir, stack->state_dir);
	transaction_put(t, "replaced", "new", 3, 0644);
	transaction_put(t, "below/made", "new", 3, 0644);
	transaction_remove(t, "removed");
	assert_true(transaction_check(t, &err));
	assert_true(transaction_record_write(t, &err));
	assert_true(transaction_files_stage(t, &err));
	return t;
}

/* An interrupted transaction whose record says `stage`. */
static void interrupt_at(const struct stack *stack, enum transaction_stage stage)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(transaction) struct transaction *t = prepare(stack);
	if (stage != TRANSACTION_PREPARED)
		assert_int_equal(transaction_record_turn(t, TRANSACTION_PREPARED, stage, &err), 1);
}

static enum transaction_outcome recover(const struct stack *stack)
{
	AUTO(error) struct error err = ERROR_INIT;
	enum transaction_outcome outcome;
	if (!transaction_recover(stack->dir, stack->state_dir, &outcome, &err))
		fail_msg("%s", err.message);
	return outcome;
}

static void assert_former(const struct stack *stack)
{
	assert_true(holds(stack->dir, "replaced", "former"));
	assert_true(holds(stack->dir, "removed", "former"));
	assert_false(is_there(stack->dir, "below"));
	assert_false(is_there(stack->dir, ".replaced.cctm-new"));
	assert_false(is_there(stack->dir, ".replaced.cctm-old"));
}

static void test_recover_does_nothing_when_nothing_was_interrupted(void **state)
{
	struct stack *stack = *state;
	assert_int_equal(recover(stack), TRANSACTION_NOTHING);
	assert_former(stack);
	assert_int_equal(rmdir(stack->state_dir), 0);
	assert_int_equal(recover(stack), TRANSACTION_NOTHING);
}

static void test_recover_undoes_what_was_only_prepared(void **state)
{
	interrupt_at(*state, TRANSACTION_PREPARED);
	assert_int_equal(recover(*state), TRANSACTION_UNDONE);
	assert_former(*state);
	assert_int_equal(recover(*state), TRANSACTION_NOTHING);
}

static void test_recover_completes_what_was_committed(void **state)
{
	struct stack *stack = *state;
	interrupt_at(stack, TRANSACTION_COMMITTED);
	assert_int_equal(recover(stack), TRANSACTION_COMPLETED);
	assert_true(holds(stack->dir, "replaced", "new"));
	assert_true(holds(stack->dir, "below/made", "new"));
	assert_false(is_there(stack->dir, "removed"));
	assert_false(is_there(stack->dir, ".removed.cctm-old"));
	assert_int_equal(recover(stack), TRANSACTION_NOTHING);
}

static void test_recover_puts_back_what_was_being_put_back(void **state)
{
	interrupt_at(*state, TRANSACTION_UNDOING);
	assert_int_equal(recover(*state), TRANSACTION_UNDONE);
	assert_former(*state);
}

/* Else it would remove what the user made since. */
static void test_recover_does_not_repeat_what_was_finished(void **state)
{
	struct stack *stack = *state;
	interrupt_at(stack, TRANSACTION_FINISHED);
	write_text(stack->dir, "removed", "made by the user");
	assert_int_equal(recover(stack), TRANSACTION_COMPLETED);
	assert_true(holds(stack->dir, "removed", "made by the user"));
	assert_false(is_there(stack->dir, ".removed.cctm-old"));
}

static void test_recover_leaves_a_directory_in_which_the_user_put_something(void **state)
{
	struct stack *stack = *state;
	interrupt_at(stack, TRANSACTION_PREPARED);
	write_text(stack->dir, "below/mine", "kept");
	assert_int_equal(recover(stack), TRANSACTION_UNDONE);
	assert_true(holds(stack->dir, "below/mine", "kept"));
	assert_false(is_there(stack->dir, "below/.made.cctm-new"));
}

/* Its step was not done yet: the new text still lies beside. */
static void test_recover_leaves_what_the_user_made_in_the_place_of_a_new_file(void **state)
{
	struct stack *stack = *state;
	interrupt_at(stack, TRANSACTION_UNDOING);
	write_text(stack->dir, "below/made", "by the user");
	assert_int_equal(recover(stack), TRANSACTION_UNDONE);
	assert_true(holds(stack->dir, "below/made", "by the user"));
}

static void test_recover_works_in_a_directory_that_was_renamed(void **state)
{
	struct stack *stack = *state;
	interrupt_at(stack, TRANSACTION_COMMITTED);
	AUTO(str) char *moved = path_join(stack->base, "moved");
	assert_int_equal(rename(stack->dir, moved), 0);
	free(stack->dir);
	free(stack->state_dir);
	stack->dir = TAKE(moved);
	stack->state_dir = path_join(stack->dir, "state");
	assert_int_equal(recover(stack), TRANSACTION_COMPLETED);
	assert_true(holds(stack->dir, "replaced", "new"));
}

/* ---- records that are not followed ---- */

static void assert_not_followed(const struct stack *stack, const char *why)
{
	AUTO(error) struct error err = ERROR_INIT;
	enum transaction_outcome outcome;
	assert_false(transaction_recover(stack->dir, stack->state_dir, &outcome, &err));
	if (!strstr(err.message, why))
		fail_msg("\"%s\" does not say \"%s\"", err.message, why);
	assert_int_equal(outcome, TRANSACTION_NOTHING);
	assert_true(holds(stack->base, "outside", "kept"));
	assert_true(holds(stack->dir, "removed", "former"));
}

static char *record_of(const struct stack *stack, const char *directories, const char *files)
{
	struct stat st;
	assert_int_equal(stat(stack->dir, &st), 0);
	return mem_printf(
		"{\"version\": 1, \"inode\": %lu, \"directories\": [%s], \"files\": [%s]}",
		(unsigned long)st.st_ino, directories, files);
}

#define REMOVE(path, target)                                                                    \
	"{\"path\": \"" path "\", \"target\": \"" target "\", \"removal\": true, \"existed\": " \
	"true}"

static void test_recover_refuses_a_record_whose_steps_are_not_ours(void **state)
{
	static const struct {
		const char *directories, *files, *why;
	} records[] = {
		{ "", REMOVE("../outside", "../outside"), "not described as it should be" },
		{ "", REMOVE("removed", "../outside"), "not described as it should be" },
		{ "", REMOVE("removed", "/"), "not described as it should be" },
		{ "", REMOVE("removed", "/x/../y"), "not described as it should be" },
		{ "", REMOVE("removed", "replaced"), "no longer to" },
		{ "", REMOVE("removed", "/etc/hostname"), "no longer to" },
		{ "", REMOVE("removed", "removed") "," REMOVE("removed", "removed"), "twice" },
		{ "", "\"removed\"", "not described as it should be" },
		{ "", "{\"path\": \"removed\", \"target\": \"removed\", \"removal\": true}",
			"not described as it should be" },
		{ "", "{\"path\": 1, \"target\": 2, \"removal\": 3, \"existed\": 4}",
			"not described as it should be" },
		{ "\"elsewhere\"", REMOVE("removed", "removed"), "no file needs" },
		{ "\"..\"", REMOVE("removed", "removed"), "no file needs" },
		{ "{}", REMOVE("removed", "removed"), "no file needs" },
	};
	struct stack *stack = *state;
	for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
		AUTO(str) char *text = record_of(stack, records[i].directories, records[i].files);
		write_text(stack->state_dir, "transaction-committed.json", text);
		assert_not_followed(stack, records[i].why);
	}
}

static void test_recover_refuses_a_record_that_is_none(void **state)
{
	static const struct {
		const char *text, *why;
	} records[] = {
		{ "", "it is not JSON" },
		{ "{", "it is not JSON" },
		{ "{}{}", "it is not JSON" },
		{ "{\"version\": 1, \"version\": 1}", "it is not JSON" },
		{ "[]", "not a list of files being replaced" },
		{ "{\"version\": 1}", "not a list of files being replaced" },
		{ "{\"version\": 0, \"inode\": 1, \"directories\": [], \"files\": []}",
			"no such version" },
		{ "{\"version\": 2, \"inode\": 1, \"directories\": [], \"files\": []}",
			"newer cctm" },
		{ "{\"version\": 1, \"inode\": 1, \"directories\": [], \"files\": []}",
			"written for another directory" },
	};
	struct stack *stack = *state;
	for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
		write_text(stack->state_dir, "transaction-committed.json", records[i].text);
		assert_not_followed(stack, records[i].why);
	}
}

static void test_recover_refuses_a_record_cut_anywhere(void **state)
{
	struct stack *stack = *state;
	AUTO(str) char *whole = record_of(stack, "", REMOVE("removed", "removed"));
	for (size_t len = 0; len < strlen(whole); len++) {
		AUTO(str) char *cut = mem_strndup(whole, len);
		write_text(stack->state_dir, "transaction-committed.json", cut);
		assert_not_followed(stack, "it is not JSON");
	}
}

static void test_recover_refuses_a_record_longer_than_its_maximum(void **state)
{
	struct stack *stack = *state;
	AUTO(str) char *spaces = mem_alloc(TRANSACTION_RECORD_MAX + 2);
	memset(spaces, ' ', TRANSACTION_RECORD_MAX + 1);
	spaces[TRANSACTION_RECORD_MAX + 1] = '\0';
	write_text(stack->state_dir, "transaction-prepared.json", spaces);
	assert_not_followed(stack, "it is too long");
}

static void test_recover_opens_no_link_and_waits_for_no_pipe(void **state)
{
	struct stack *stack = *state;
	AUTO(str) char *path = path_join(stack->state_dir, "transaction-committed.json");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_not_followed(stack, "it is not a regular file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("../../outside", path), 0);
	assert_not_followed(stack, "Too many levels of symbolic links");
}

static void test_recover_refuses_the_record_of_another_user(void **state)
{
	struct stack *stack = *state;
	if (geteuid() != 0)
		skip();
	interrupt_at(stack, TRANSACTION_PREPARED);
	AUTO(str) char *path = path_join(stack->state_dir, "transaction-prepared.json");
	assert_int_equal(chown(path, 65534, 65534), 0);
	assert_not_followed(stack, "was written by another user (id 65534)");
}

/* A link changed between the kill and now: following it would remove what no transaction meant. */
static void test_recover_refuses_a_path_that_leads_elsewhere_by_now(void **state)
{
	struct stack *stack = *state;
	interrupt_at(stack, TRANSACTION_COMMITTED);
	AUTO(str) char *path = path_join(stack->dir, "replaced");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("../outside", path), 0);
	assert_not_followed(stack, "replaced leads to ");
}

#define IN_STACK(test) cmocka_unit_test_setup_teardown(test, make_stack, remove_stack)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_STACK(test_recover_does_nothing_when_nothing_was_interrupted),
		IN_STACK(test_recover_undoes_what_was_only_prepared),
		IN_STACK(test_recover_completes_what_was_committed),
		IN_STACK(test_recover_puts_back_what_was_being_put_back),
		IN_STACK(test_recover_does_not_repeat_what_was_finished),
		IN_STACK(test_recover_leaves_a_directory_in_which_the_user_put_something),
		IN_STACK(test_recover_leaves_what_the_user_made_in_the_place_of_a_new_file),
		IN_STACK(test_recover_works_in_a_directory_that_was_renamed),
		IN_STACK(test_recover_refuses_a_record_whose_steps_are_not_ours),
		IN_STACK(test_recover_refuses_a_record_that_is_none),
		IN_STACK(test_recover_refuses_a_record_cut_anywhere),
		IN_STACK(test_recover_refuses_a_record_longer_than_its_maximum),
		IN_STACK(test_recover_opens_no_link_and_waits_for_no_pipe),
		IN_STACK(test_recover_refuses_the_record_of_another_user),
		IN_STACK(test_recover_refuses_a_path_that_leads_elsewhere_by_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
