#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "bridge/ledger/history.h"
#include "bridge/ledger/ledger.h"
#include "bridge/ledger/ledger_testing.h"

/* Rows as text, and their sum. */
struct rows {
	struct buf text;
	double total;
	int64_t last_ms;
	size_t count;
};

static void see_row(void *ctx, const struct history_row *row)
{
	struct rows *rows = ctx;
	assert_true(row->at_ms >= rows->last_ms);
	rows->last_ms = row->at_ms;
	rows->count++;
	rows->total += row->amount;
	buf_addf(&rows->text, "%lld %s.%u %s %.12g\n", (long long)(row->at_ms / 60000 - MINUTE),
		row->series->metric, row->part, row->session ? row->session->text : "-",
		row->amount);
}

#define ROWS_INIT                               \
	{                                       \
		.text = BUF_INIT(BUF_UNLIMITED) \
	}

static struct history *open_history(const struct testing *t)
{
	struct error err = ERROR_INIT;
	struct history *h = NULL;
	if (history_open(t->dir, &h, &err) != 1)
		fail_msg("%s", err.message ? err.message : "no ledger");
	return h;
}

static char *minutes(const struct testing *t)
{
	AUTO(history) struct history *h = open_history(t);
	struct error err = ERROR_INIT;
	struct rows rows = ROWS_INIT;
	assert_true(history_minutes(h, 0, INT64_MAX, see_row, &rows, &err));
	buf_addc(&rows.text, '\n');
	return buf_detach(&rows.text);
}

static char *hours(const struct testing *t)
{
	AUTO(history) struct history *h = open_history(t);
	struct error err = ERROR_INIT;
	struct rows rows = ROWS_INIT;
	assert_true(history_session_hours(h, 0, INT64_MAX, see_row, &rows, &err));
	buf_addc(&rows.text, '\n');
	return buf_detach(&rows.text);
}

static uint64_t add(
	struct testing *t, const char *session, int32_t minute, uint32_t series, double amount)
{
	testing_begin(t);
	put_series(t, 1, SERIES_COUNTER, "cost", "model", "opus");
	put_series(t, 2, SERIES_COUNTER, "tokens", NULL, NULL);
	record_put_context(
		&t->record, put_session(t, session, "ann"), (uint32_t)((int32_t)MINUTE + minute));
	record_put_add(&t->record, series, 0, amount);
	return testing_end(t);
}

static void advance(const struct testing *t, uint64_t position)
{
	struct error err = ERROR_INIT;
	bool was_lost;
	struct ledger *l = ledger_open(t->dir, &was_lost, &err);
	assert_non_null(l);
	if (!ledger_advance(l, position, &err))
		fail_msg("%s", err.message);
	ledger_close(l);
}

static void test_a_directory_without_a_ledger_has_no_history(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	AUTO(str) char *path = path_join(t->dir, "journal-0000000000000000.log");
	unlink(path);
	struct error err = ERROR_INIT;
	struct history *h = NULL;
	assert_int_equal(history_open(t->dir, &h, &err), 0);
	assert_int_equal(history_open("/nonexistent/cctm", &h, &err), 0);
	testing_free(t);
}

static void test_history_is_there_before_the_database_is(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	add(t, "one", 0, 1, 0.5);
	add(t, "one", 0, 1, 0.25);
	add(t, "two", 1, 2, 7);
	AUTO(str) char *by_minute = minutes(t);
	assert_string_equal(by_minute, "0 cost.0 - 0.75\n1 tokens.0 - 7\n\n");
	AUTO(str) char *path = path_join(t->dir, LEDGER_FILE);
	assert_int_equal(access(path, F_OK), -1);
	testing_free(t);
}

static void test_history_of_database_and_tail_is_one(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	add(t, "one", 0, 1, 0.5);
	uint64_t middle = add(t, "two", 2, 1, 4);
	add(t, "one", 0, 1, 0.25);
	add(t, "three", 1, 1, 1);
	uint64_t end = add(t, "three", 2, 2, 9);
	AUTO(str) char *tail = minutes(t);
	AUTO(str) char *tail_hours = hours(t);
	advance(t, middle);
	AUTO(str) char *both = minutes(t);
	AUTO(str) char *both_hours = hours(t);
	advance(t, end);
	AUTO(str) char *database = minutes(t);
	AUTO(str) char *database_hours = hours(t);
	assert_string_equal(
		tail, "0 cost.0 - 0.75\n1 cost.0 - 1\n2 cost.0 - 4\n2 tokens.0 - 9\n\n");
	assert_string_equal(both, tail);
	assert_string_equal(database, tail);
	assert_string_equal(both_hours, tail_hours);
	assert_string_equal(database_hours, tail_hours);
	testing_free(t);
}

static void test_a_range_holds_its_first_minute_and_not_its_end(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct error err = ERROR_INIT;
	for (int32_t i = 0; i < 3; i++)
		add(t, "one", i, 1, 1);
	advance(t, journal_end(t->journal));
	for (int32_t i = 3; i < 6; i++)
		add(t, "one", i, 1, 1);
	AUTO(history) struct history *h = open_history(t);
	const int64_t at = MINUTE * INT64_C(60000);
	struct rows rows = ROWS_INIT;
	assert_true(history_minutes(h, at + 60000, at + INT64_C(300000), see_row, &rows, &err));
	assert_int_equal(rows.count, 4);
	assert_int_equal(history_first_ms(h), at);
	assert_int_equal(history_last_ms(h), at + INT64_C(300000));
	buf_clear(&rows.text);
	testing_free(t);
}

static void see_session(void *ctx, const struct history_row *row)
{
	struct history_session *seen = ctx;
	*seen = *row->session;
	seen->text = mem_strdup(row->session->text);
	seen->user = mem_strdup(row->session->user);
}

static void test_a_session_is_known_from_database_and_tail(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct error err = ERROR_INIT;
	uint64_t end = add(t, "one", -5, 1, 1);
	advance(t, end);
	testing_begin(t);
	put_lost(t, record_session_hash(slice_str("one")), 4, false);
	testing_end(t);
	AUTO(history) struct history *h = open_history(t);
	struct history_session seen = { 0 };
	assert_true(history_session_hours(h, 0, INT64_MAX, see_session, &seen, &err));
	assert_string_equal(seen.text, "one");
	assert_string_equal(seen.user, "ann");
	assert_int_equal(seen.lost, 4);
	assert_int_equal(seen.first_ms, (MINUTE - 5) * INT64_C(60000));
	AUTO(str) char *text = NULL;
	memcpy(&text, &seen.text, sizeof text);
	AUTO(str) char *user = NULL;
	memcpy(&user, &seen.user, sizeof user);
	testing_free(t);
}

static void see_label(void *ctx, const struct history_row *row)
{
	struct history *h = ctx;
	assert_string_equal(history_label(h, row->series, "model"), "opus");
	assert_null(history_label(h, row->series, "other"));
}

static void test_labels_are_known_from_database_and_tail(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct error err = ERROR_INIT;
	uint64_t end = add(t, "one", 0, 1, 1);
	for (int i = 0; i < 2; i++) {
		AUTO(history) struct history *h = open_history(t);
		assert_true(history_minutes(h, 0, INT64_MAX, see_label, h, &err));
		advance(t, end);
	}
	testing_free(t);
}

/* ---- beside a bridge ---- */

static void test_history_reads_what_a_killed_process_left(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	uint64_t middle = add(t, "one", 0, 1, 1);
	add(t, "one", 1, 1, 2);
	pid_t child = fork();
	if (child == 0) {
		struct error err = ERROR_INIT;
		bool was_lost;
		struct ledger *l = ledger_open(t->dir, &was_lost, &err);
		bool ok = l && ledger_advance(l, middle, &err);
		if (ok)
			raise(SIGKILL); /* nothing is closed: -wal and -shm stay */
		_exit(1);
	}
	int status;
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status));
	AUTO(str) char *seen = minutes(t);
	assert_string_equal(seen, "0 cost.0 - 1\n1 cost.0 - 2\n\n");
	testing_free(t);
}

static void test_history_is_read_where_nothing_may_be_written(void **state)
{
	(void)state;
	if (getuid() != 0)
		skip(); /* needs to become somebody who may read and not write */
	struct testing *t = testing_new();
	advance(t, add(t, "one", 0, 1, 1));
	add(t, "one", 1, 1, 2);
	static const char *const names[] = { "", LEDGER_FILE, "journal-0000000000000000.log" };
	for (size_t i = 0; i < 3; i++) {
		AUTO(str) char *path = path_join(t->dir, names[i]);
		assert_int_equal(chmod(path, i == 0 ? 0555 : 0444), 0);
	}
	pid_t child = fork();
	if (child == 0) {
		struct error err = ERROR_INIT;
		struct history *h = NULL;
		struct rows rows = ROWS_INIT;
		bool ok = setgid(65534) == 0 && setuid(65534) == 0 &&
			  history_open(t->dir, &h, &err) == 1 &&
			  history_minutes(h, 0, INT64_MAX, see_row, &rows, &err);
		if (err.message)
			fprintf(stderr, "%s\n", err.message);
		_exit(ok && fabs(rows.total - 3) < 1e-9 ? 0 : 1);
	}
	int status;
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	testing_free(t);
}

/* A writer that appends, advances and releases as fast as it can; each record adds 1. */
static void write_and_release(struct testing *t, unsigned records)
{
	struct error err = ERROR_INIT;
	bool was_lost;
	struct ledger *l = ledger_open(t->dir, &was_lost, &err);
	bool ok = l != NULL;
	for (unsigned i = 0; ok && i < records; i++) {
		uint64_t end = add(t, "one", (int32_t)(i % 7), 1, 1);
		if (i % 3 == 0)
			ok = journal_rotate(t->journal, 0, &err) && ledger_advance(l, end, &err) &&
			     journal_release(t->journal, ledger_position(l), &err);
	}
	_exit(ok ? 0 : 1);
}

static bool has_ended(pid_t child)
{
	siginfo_t ended = { 0 };
	waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT);
	return ended.si_pid != 0;
}

static void test_history_misses_nothing_while_segments_are_released(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	const unsigned records = 2000;
	pid_t child = fork();
	if (child == 0)
		write_and_release(t, records);
	double last = 0;
	for (bool is_done = false; !is_done;) {
		is_done = has_ended(child);
		AUTO(history) struct history *h = open_history(t);
		struct error err = ERROR_INIT;
		struct rows rows = ROWS_INIT;
		assert_true(history_minutes(h, 0, INT64_MAX, see_row, &rows, &err));
		buf_clear(&rows.text);
		/* A total that ever falls has missed a released segment. */
		if (rows.total < last)
			fail_msg("%g after %g", rows.total, last);
		last = rows.total;
	}
	int status;
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(fabs(last - records) < 1e-9);
	testing_free(t);
}

static void test_history_adds_no_files(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	advance(t, add(t, "one", 0, 1, 1));
	AUTO(str) char *seen = minutes(t);
	assert_string_equal(seen, "0 cost.0 - 1\n\n");
	DIR *d = opendir(t->dir);
	const struct dirent *entry;
	while ((entry = readdir(d))) {
		const char *name = entry->d_name;
		bool is_known = name[0] == '.' || strncmp(name, "journal-", 8) == 0 ||
				strcmp(name, LEDGER_FILE) == 0 ||
				strcmp(name, LEDGER_FILE "-wal") == 0 ||
				strcmp(name, LEDGER_FILE "-shm") == 0;
		if (!is_known)
			fail_msg("%s", name);
	}
	closedir(d);
	testing_free(t);
}

static void test_a_newer_schema_is_refused(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	advance(t, add(t, "one", 0, 1, 1));
	AUTO(str) char *path = path_join(t->dir, LEDGER_FILE);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	struct error err = ERROR_INIT;
	struct history *h = NULL;
	assert_int_equal(history_open(t->dir, &h, &err), -1);
	assert_int_equal(err.code, ERR_NEWER);
	error_clear(&err);
	testing_free(t);
}

/* ---- the property: wherever the database stands, history is the same ---- */

static void test_history_is_the_same_wherever_the_database_stands(void **state)
{
	(void)state;
	uint64_t seed = 12345;
	for (int round = 0; round < 15; round++) {
		struct testing *t = testing_new();
		uint64_t ends[40];
		for (size_t i = 0; i < 40; i++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
			char session[8];
			snprintf(session, sizeof session, "s%u", (unsigned)(seed >> 60));
			ends[i] = add(t, session, (int32_t)(seed >> 40 & 127),
				1 + (uint32_t)(seed >> 50 & 1), (double)(seed >> 33 & 1023) / 8);
		}
		AUTO(str) char *plain = minutes(t);
		AUTO(str) char *plain_hours = hours(t);
		for (int cut = 0; cut < 3; cut++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
			advance(t, ends[(seed >> 35) % 40]);
			AUTO(str) char *seen = minutes(t);
			AUTO(str) char *seen_hours = hours(t);
			assert_string_equal(seen, plain);
			assert_string_equal(seen_hours, plain_hours);
		}
		testing_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_directory_without_a_ledger_has_no_history),
		cmocka_unit_test(test_history_is_there_before_the_database_is),
		cmocka_unit_test(test_history_of_database_and_tail_is_one),
		cmocka_unit_test(test_a_range_holds_its_first_minute_and_not_its_end),
		cmocka_unit_test(test_a_session_is_known_from_database_and_tail),
		cmocka_unit_test(test_labels_are_known_from_database_and_tail),
		cmocka_unit_test(test_history_reads_what_a_killed_process_left),
		cmocka_unit_test(test_history_is_read_where_nothing_may_be_written),
		cmocka_unit_test(test_history_misses_nothing_while_segments_are_released),
		cmocka_unit_test(test_history_adds_no_files),
		cmocka_unit_test(test_a_newer_schema_is_refused),
		cmocka_unit_test(test_history_is_the_same_wherever_the_database_stands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
