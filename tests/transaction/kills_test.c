/* A transaction is killed (SIGKILL) before, after and in the middle of each call that changes the file system, and
 * each of these calls fails. Then all files are the former ones or all are the new ones, nothing else is left, and
 * the next transaction works. CCTM_RECOVERY=all tries every pair of two faults instead of a choice. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "faults.h"
#include "syncs.h"
#include "tree.h"

/* What tree_look shows before and after; and how many calls it takes. */
static struct {
	char *former, *latest;
	long calls;
	const char *names[FAULTS_NAMES_MAX + 1]; /* of the calls, from 1 */
	long step; /* where a test has two faults, only each step-th call is the first */
} truth;

static const char *name_of_call(long number)
{
	return number <= truth.calls ? truth.names[number] : "a later one";
}

enum way { COMMITS, REFUSES, DIES };

/* ---- doing it, with faults ---- */

static bool commit(const struct tree *tree, struct error *err)
{
	AUTO(transaction) struct transaction *t = tree_change(tree);
	return transaction_commit(t, err);
}

static bool recover(const struct tree *tree, struct error *err)
{
	enum transaction_outcome outcome;
	return transaction_recover(tree->root, tree->state, &outcome, err);
}

typedef bool action(const struct tree *tree, struct error *err);

/* In a process of its own, which may die on its way. */
static enum way in_child(const struct tree *tree, action *act, const struct faults *faults)
{
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct error err = ERROR_INIT;
		faults_begin(faults);
		bool is_done = act(tree, &err);
		faults_end();
		_exit(is_done ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return DIES;
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
	return WEXITSTATUS(status) == 0 ? COMMITS : REFUSES;
}

/* In this process, for its error. */
static bool with_faults(
	const struct tree *tree, action *act, const struct faults *faults, struct error *err)
{
	faults_begin(faults);
	bool is_done = act(tree, err);
	faults_end();
	return is_done;
}

/* ---- what must hold ---- */

#define MUST(claim, ...)                                      \
	do {                                                  \
		if (!(claim)) {                               \
			print_message(__VA_ARGS__);           \
			print_message("\n");                  \
			fail_msg("%s does not hold", #claim); \
		}                                             \
	} while (0)

static const char *const moments[] = { [BEFORE] = "before", [MIDDLE] = "in", [AFTER] = "after" };

static char *name_of(const struct faults *faults)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	if (faults->fail_from)
		buf_addf(&text, "%ld calls from call %ld (%s) fail: %s%s; ", faults->fail_count,
			faults->fail_from, name_of_call(faults->fail_from), strerror(faults->why),
			faults->is_full ? " (full disk)" : "");
	if (faults->kill_at)
		buf_addf(&text, "killed %s call %ld (%s)", moments[faults->moment], faults->kill_at,
			name_of_call(faults->kill_at));
	return buf_detach(&text);
}

/* Recovers; then the tree is one of the two. Returns whether it is the new one. */
static bool must_be_whole(const struct tree *tree, const char *where)
{
	AUTO(error) struct error err = ERROR_INIT;
	enum transaction_outcome outcome;
	bool is_recovered = transaction_recover(tree->root, tree->state, &outcome, &err);
	MUST(is_recovered, "%s: %s", where, err.message);
	AUTO(str) char *now = tree_look(tree);
	bool is_former = strcmp(now, truth.former) == 0, is_latest = strcmp(now, truth.latest) == 0;
	MUST(is_former || is_latest, "%s: neither nor:\n%s", where, now);
	MUST(outcome != TRANSACTION_UNDONE || is_former, "%s: undone?\n%s", where, now);
	MUST(outcome != TRANSACTION_COMPLETED || is_latest, "%s: completed?\n%s", where, now);
	return is_latest;
}

static void must_work_again(const struct tree *tree, const char *where)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(transaction) struct transaction *t = tree_change_again(tree);
	bool is_committed = transaction_commit(t, &err);
	MUST(is_committed, "%s: the next: %s", where, err.message);
	AUTO(str) char *now = tree_look(tree);
	MUST(strstr(now, "stack/replaced 0644 links 1: newer\n"), "%s: the next:\n%s", where, now);
	MUST(strstr(now, "beside/file 0644 links 1: newer\n"), "%s: the next:\n%s", where, now);
	MUST(!strstr(now, ".cctm-") && !strstr(now, "transaction-"), "%s: left:\n%s", where, now);
}

/* ---- killing ---- */

static void kill_commit(void **state, enum moment moment)
{
	(void)state;
	bool was_latest = false;
	for (long at = 1; at <= truth.calls; at++) {
		struct tree tree;
		const struct faults faults = { .kill_at = at, .moment = moment };
		AUTO(str) char *where = name_of(&faults);
		if (moment == MIDDLE && strcmp(name_of_call(at), "write") != 0)
			continue;
		tree_make(&tree);
		assert_int_equal(in_child(&tree, commit, &faults), DIES);
		bool is_latest = must_be_whole(&tree, where);
		MUST(is_latest || !was_latest, "%s: undone behind the moment of truth", where);
		was_latest = is_latest;
		must_work_again(&tree, where);
		tree_remove(&tree);
	}
	assert_true(moment == MIDDLE || was_latest);
}

static void test_killed_before_any_call_it_is_whole(void **state)
{
	kill_commit(state, BEFORE);
}

static void test_killed_after_any_call_it_is_whole(void **state)
{
	kill_commit(state, AFTER);
}

static void test_killed_in_any_write_it_is_whole(void **state)
{
	kill_commit(state, MIDDLE);
}

/* Kills `act` before each of its calls, until it gets through; `prepare` brings the tree to where it begins. */
static void kill_everywhere(action *act, const struct faults *first, bool dies_first)
{
	for (long at = 1;; at++) {
		struct tree tree;
		struct faults faults = { .kill_at = at, .moment = BEFORE };
		if (!dies_first) {
			faults.fail_from = first->fail_from;
			faults.fail_count = first->fail_count;
			faults.why = first->why;
			faults.kill_at = first->fail_from + at;
		}
		AUTO(str) char *begun = name_of(first);
		AUTO(str) char *where = mem_printf("%s, then at %ld", begun, at);
		tree_make(&tree);
		if (dies_first)
			assert_int_equal(in_child(&tree, commit, first), DIES);
		enum way way = in_child(&tree, act, &faults);
		must_be_whole(&tree, where);
		tree_remove(&tree);
		if (way != DIES)
			return;
	}
}

static void test_killed_while_it_recovers_it_is_whole(void **state)
{
	(void)state;
	for (long at = 1; at <= truth.calls; at += truth.step) {
		const struct faults first = { .kill_at = at, .moment = AFTER };
		kill_everywhere(recover, &first, true);
	}
}

static void test_killed_on_the_way_back_it_is_whole(void **state)
{
	(void)state;
	for (long at = 1; at <= truth.calls; at += truth.step) {
		const struct faults first = { .fail_from = at, .fail_count = 1, .why = EIO };
		kill_everywhere(commit, &first, false);
	}
}

/* ---- failing ---- */

/* What a user needs: which file, and why. */
static void must_say_what(
	const struct tree *tree, const struct error *err, int why, const char *where)
{
	MUST(err->code == ERR_IO, "%s: code %d", where, err->code);
	MUST(strstr(err->message, strerror(why)), "%s: says no reason: %s", where, err->message);
	MUST(strstr(err->message, tree->base), "%s: says no file: %s", where, err->message);
	MUST(strncmp(err->message, "cannot ", 7) == 0, "%s: says: %s", where, err->message);
}

static void fail_commit(const struct faults *faults)
{
	struct tree tree;
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(str) char *where = name_of(faults);
	tree_make(&tree);
	if (with_faults(&tree, commit, faults, &err)) {
		MUST(must_be_whole(&tree, where), "%s: says that it is done", where);
	} else {
		AUTO(str) char *now = tree_look(&tree);
		MUST(strcmp(now, truth.former) == 0, "%s: not the former files:\n%s", where, now);
		must_say_what(&tree, &err, faults->why, where);
		MUST(!must_be_whole(&tree, where), "%s: says that it failed", where);
	}
	must_work_again(&tree, where);
	tree_remove(&tree);
}

static void test_any_call_fails_and_the_former_files_are_whole(void **state)
{
	(void)state;
	static const int reasons[] = { ENOSPC, EACCES, EIO };
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		for (long at = 1; at <= truth.calls; at++) {
			const struct faults faults = {
				.fail_from = at, .fail_count = 1, .why = reasons[i]
			};
			fail_commit(&faults);
		}
	}
}

/* Nothing can be written any more, but names can be changed and removed. fsync too says so, which is the worst case:
 * where it fails on the way back, the next run has to end it. */
static void test_a_disk_that_fills_up_leaves_the_former_files(void **state)
{
	(void)state;
	for (long at = 1; at <= truth.calls; at++) {
		struct tree tree;
		AUTO(error) struct error err = ERROR_INIT;
		const struct faults faults = {
			.fail_from = at, .fail_count = 100000, .why = ENOSPC, .is_full = true
		};
		AUTO(str) char *where = name_of(&faults);
		tree_make(&tree);
		bool is_done = with_faults(&tree, commit, &faults, &err);
		bool is_latest = must_be_whole(&tree, where);
		MUST(is_latest == is_done, "%s: %s", where, is_done ? "done" : err.message);
		tree_remove(&tree);
	}
}

/* It cannot keep its promise then, and must say so, with what to do. */
static void test_when_nothing_works_any_more_it_says_so_and_the_next_run_makes_it_whole(
	void **state)
{
	(void)state;
	int told = 0;
	for (long at = 1; at <= truth.calls; at++) {
		struct tree tree;
		AUTO(error) struct error err = ERROR_INIT;
		const struct faults faults = { .fail_from = at, .fail_count = 100000, .why = EIO };
		AUTO(str) char *where = name_of(&faults);
		tree_make(&tree);
		AUTO(str) char *before = tree_look(&tree);
		bool is_done = with_faults(&tree, commit, &faults, &err);
		AUTO(str) char *after = tree_look(&tree);
		bool is_touched = strcmp(before, after) != 0;
		MUST(is_done || !is_touched || err.hint, "%s: no hint: %s", where, err.message);
		if (!is_done && strstr(err.message, "not all files are the former ones again"))
			told++;
		bool is_latest = must_be_whole(&tree, where);
		MUST(!is_done || is_latest, "%s: says that it is done", where);
		must_work_again(&tree, where);
		tree_remove(&tree);
	}
	assert_true(told > 0);
}

static void test_a_recovery_that_fails_can_be_tried_again(void **state)
{
	(void)state;
	for (long at = 1; at <= truth.calls; at += truth.step) {
		bool is_through = false;
		for (long fails = 1; !is_through; fails++) {
			struct tree tree;
			AUTO(error) struct error err = ERROR_INIT;
			const struct faults first = { .kill_at = at, .moment = AFTER };
			const struct faults second = {
				.fail_from = fails, .fail_count = 1, .why = EACCES
			};
			AUTO(str)
			char *where =
				mem_printf("killed after %ld, recovery fails at %ld", at, fails);
			tree_make(&tree);
			assert_int_equal(in_child(&tree, commit, &first), DIES);
			is_through = with_faults(&tree, recover, &second, &err);
			MUST(is_through || strstr(err.message, strerror(EACCES)), "%s: %s", where,
				err.message);
			must_be_whole(&tree, where);
			tree_remove(&tree);
		}
	}
}

/* ---- the power fails ---- */

static void test_all_is_durable_before_the_record_says_so(void **state)
{
	(void)state;
	struct tree tree;
	AUTO(error) struct error err = ERROR_INIT;
	const struct faults none = { 0 };
	tree_make(&tree);
	assert_true(with_faults(&tree, commit, &none, &err));
	assert_int_equal(syncs_turns(), 4); /* prepared, committed, finished, gone */
	assert_int_equal(syncs_too_early(), 0);
	tree_remove(&tree);
}

static void test_a_recovery_is_durable_before_the_record_says_so(void **state)
{
	(void)state;
	for (long at = 1; at <= truth.calls; at++) {
		struct tree tree;
		AUTO(error) struct error err = ERROR_INIT;
		const struct faults first = { .kill_at = at, .moment = AFTER }, none = { 0 };
		tree_make(&tree);
		assert_int_equal(in_child(&tree, commit, &first), DIES);
		assert_true(with_faults(&tree, recover, &none, &err));
		MUST(syncs_too_early() == 0, "killed after call %ld (%s)", at, name_of_call(at));
		tree_remove(&tree);
	}
}

static void test_the_way_back_is_durable_before_the_record_says_so(void **state)
{
	(void)state;
	for (long at = 1; at <= truth.calls; at++) {
		struct tree tree;
		AUTO(error) struct error err = ERROR_INIT;
		const struct faults faults = { .fail_from = at, .fail_count = 1, .why = EIO };
		AUTO(str) char *where = name_of(&faults);
		/* What is to be synced when a sync, or a change of the record's name, fails is not promised. */
		bool is_promised = strcmp(name_of_call(at), "renameat") == 0 ||
				   strcmp(name_of_call(at), "linkat") == 0;
		tree_make(&tree);
		bool is_done = with_faults(&tree, commit, &faults, &err);
		MUST(!is_promised || syncs_too_early() == 0, "%s: %s", where,
			is_done ? "done" : err.message);
		tree_remove(&tree);
	}
}

/* ---- without faults ---- */

static int rehearse(void **state)
{
	(void)state;
	struct tree tree;
	AUTO(error) struct error err = ERROR_INIT;
	const struct faults none = { 0 };
	tree_make(&tree);
	truth.former = tree_look(&tree);
	faults_begin(&none);
	bool is_done = commit(&tree, &err);
	truth.calls = faults_end();
	truth.latest = tree_look(&tree);
	for (long at = 1; at <= truth.calls && at <= FAULTS_NAMES_MAX; at++)
		truth.names[at] = faults_name(at);
	const char *all = getenv("CCTM_RECOVERY");
	truth.step = all && strcmp(all, "all") == 0 ? 1 : 11;
	tree_remove(&tree);
	print_message("a transaction makes %ld calls\n", truth.calls);
	return is_done && truth.calls < FAULTS_NAMES_MAX ? 0 : -1;
}

static int forget(void **state)
{
	(void)state;
	free(truth.former);
	free(truth.latest);
	return 0;
}

static void test_without_faults_it_does_what_it_was_told(void **state)
{
	(void)state;
	assert_string_equal(truth.latest, "beside 0755 /\n"
					  "beside/file 0644 links 1: new, behind a link\n"
					  "beside/folder 0700 /\n"
					  "beside/folder/made 0755 /\n"
					  "beside/folder/made/below 0644 links 1: new\n"
					  "beside/folder/replaced 0644 links 1: new, below a link\n"
					  "stack 0755 /\n"
					  "stack/.cctm 0700 /\n"
					  "stack/.env 0600 links 1: PASSWORD=new\n"
					  "stack/config 0755 /\n"
					  "stack/config/replaced 0600 links 1: new\n"
					  "stack/deep 0755 /\n"
					  "stack/deep/er 0700 /\n"
					  "stack/deep/er/and 0755 /\n"
					  "stack/deep/er/and/deeper 0755 /\n"
					  "stack/deep/er/and/deeper/made 0644 links 1: new\n"
					  "stack/deep/er/made 0600 links 1: new\n"
					  "stack/folder 0777 -> ../beside/folder\n"
					  "stack/link 0777 -> ../beside/file\n"
					  "stack/made 0400 links 1: \n"
					  "stack/replaced 0644 links 1: new\n"
					  "stack/script 0755 links 1: new script\n"
					  "stack/untouched 0640 links 1: untouched\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_faults_it_does_what_it_was_told),
		cmocka_unit_test(test_killed_before_any_call_it_is_whole),
		cmocka_unit_test(test_killed_after_any_call_it_is_whole),
		cmocka_unit_test(test_killed_in_any_write_it_is_whole),
		cmocka_unit_test(test_killed_while_it_recovers_it_is_whole),
		cmocka_unit_test(test_killed_on_the_way_back_it_is_whole),
		cmocka_unit_test(test_any_call_fails_and_the_former_files_are_whole),
		cmocka_unit_test(test_a_disk_that_fills_up_leaves_the_former_files),
		cmocka_unit_test(
			test_when_nothing_works_any_more_it_says_so_and_the_next_run_makes_it_whole),
		cmocka_unit_test(test_a_recovery_that_fails_can_be_tried_again),
		cmocka_unit_test(test_all_is_durable_before_the_record_says_so),
		cmocka_unit_test(test_a_recovery_is_durable_before_the_record_says_so),
		cmocka_unit_test(test_the_way_back_is_durable_before_the_record_says_so),
	};
	return cmocka_run_group_tests(tests, rehearse, forget);
}
