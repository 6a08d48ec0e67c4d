#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "bridge/ledger/fold.h"
#include "bridge/ledger/ledger.h"
#include "bridge/ledger/ledger_testing.h"

/* What a checkpoint says, as text, one line an item: two that are equal are equal bit for bit. */
struct seen {
	struct buf text;
};

static void see_epoch(void *ctx, uint64_t start_ns, int64_t last_scrape_ms)
{
	struct seen *s = ctx;
	buf_addf(&s->text, "epoch %llu %lld\n", (unsigned long long)start_ns,
		(long long)last_scrape_ms);
}

static void see_series(void *ctx, const struct op_series *series, int64_t shown_ms)
{
	struct seen *s = ctx;
	buf_addf(&s->text, "series %u kind %d %.*s shown %lld", series->id, (int)series->kind,
		(int)series->metric.len, (const char *)series->metric.ptr, (long long)shown_ms);
	for (size_t i = 0; i < series->label_count; i++) {
		buf_addc(&s->text, ' ');
		buf_add(&s->text, series->labels[i].name.ptr, series->labels[i].name.len);
		buf_addc(&s->text, '=');
		buf_add(&s->text, series->labels[i].value.ptr, series->labels[i].value.len);
	}
	for (size_t i = 0; i < series->bound_count; i++)
		buf_addf(&s->text, " le %a", series->bounds[i]);
	buf_addc(&s->text, '\n');
}

static void see_counter(void *ctx, const struct ledger_counter *c)
{
	struct seen *s = ctx;
	buf_addf(&s->text, "counter %u.%u %a %a set %lld pending %a\n", c->series, c->part, c->hi,
		c->lo, (long long)c->set_ms, c->pending);
}

static void see_stream(void *ctx, const struct op_stream *m)
{
	struct seen *s = ctx;
	buf_addf(&s->text, "stream %llx earliest %llu anchor %llu series %u.%u %a at %lld\n",
		(unsigned long long)m->key[0], (unsigned long long)m->earliest_ns,
		(unsigned long long)m->anchor, m->series, m->part, m->value, (long long)m->time_ms);
}

static void see_state(void *ctx, struct slice name, struct slice bytes)
{
	struct seen *s = ctx;
	buf_addf(&s->text, "state %.*s ", (int)name.len, (const char *)name.ptr);
	buf_add(&s->text, bytes.ptr, bytes.len);
	buf_addc(&s->text, '\n');
}

static const struct ledger_visitor see_all = {
	.epoch = see_epoch,
	.series = see_series,
	.counter = see_counter,
	.stream = see_stream,
	.state = see_state,
};

static char *checkpoint(struct ledger *l)
{
	struct error err = ERROR_INIT;
	struct seen seen = { BUF_INIT(BUF_UNLIMITED) };
	struct ledger_visitor visitor = see_all;
	visitor.ctx = &seen;
	assert_true(ledger_load(l, &visitor, &err));
	buf_adds(&seen.text, "");
	return seen.text.data ? buf_detach(&seen.text) : mem_strdup("");
}

static struct ledger *open_ledger(const struct testing *t)
{
	struct error err = ERROR_INIT;
	bool was_lost;
	struct ledger *l = ledger_open(t->dir, &was_lost, &err);
	if (!l)
		fail_msg("%s", err.message);
	assert_false(was_lost);
	return l;
}

static void advance(struct ledger *l, uint64_t position)
{
	struct error err = ERROR_INIT;
	if (!ledger_advance(l, position, &err))
		fail_msg("%s", err.message);
}

static int64_t query(const struct testing *t, const char *text)
{
	AUTO(str) char *path = path_join(t->dir, LEDGER_FILE);
	sqlite3 *db;
	sqlite3_stmt *row;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &row, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	int64_t value = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	sqlite3_close(db);
	return value;
}

static void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in:\n%s", part, text);
}

/* One record: a cost series, 0.25 in session "one". */
static uint64_t one_record(struct testing *t)
{
	testing_begin(t);
	put_series(t, 1, SERIES_COUNTER, "claude_code.cost.usage", "model", "opus \"5\"\\\n");
	record_put_context(&t->record, put_session(t, "one", "ann"), MINUTE);
	record_put_add(&t->record, 1, 0, 0.25);
	return testing_end(t);
}

/* ---- advancing ---- */

static void test_advance_counts_each_record_once_however_often_it_is_called(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	uint64_t end = one_record(t);
	struct ledger *l = open_ledger(t);
	advance(l, end);
	advance(l, end);
	ledger_close(l);
	l = open_ledger(t);
	assert_int_equal(ledger_position(l), end);
	advance(l, end);
	AUTO(str) char *seen = checkpoint(l);
	assert_contains(seen, "counter 1.0 0x1p-2 0x0p+0 set 0 pending 0x1p-2\n");
	assert_contains(seen, "model=opus \"5\"\\\n\n");
	ledger_close(l);
	assert_int_equal(query(t, "SELECT amount * 100 FROM minutes"), 25);
	assert_int_equal(query(t, "SELECT amount * 100 FROM session_hours"), 25);
	testing_free(t);
}

static void test_advance_stops_at_the_position_it_is_given(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	uint64_t first = one_record(t);
	one_record(t);
	struct ledger *l = open_ledger(t);
	advance(l, first);
	assert_int_equal(ledger_position(l), first);
	ledger_close(l);
	assert_int_equal(query(t, "SELECT amount * 100 FROM minutes"), 25);
	testing_free(t);
}

static void test_advance_reaches_a_segment_that_has_no_record_yet(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct error err = ERROR_INIT;
	one_record(t);
	assert_true(journal_rotate(t->journal, 0, &err));
	struct ledger *l = open_ledger(t);
	advance(l, journal_end(t->journal));
	assert_int_equal(ledger_position(l), journal_end(t->journal));
	advance(l, one_record(t));
	ledger_close(l);
	assert_int_equal(query(t, "SELECT amount * 100 FROM minutes"), 50);
	testing_free(t);
}

static void test_an_unreadable_record_leaves_the_database_at_its_position(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	uint64_t good = one_record(t);
	one_record(t);
	testing_begin(t);
	buf_addc(&t->record, (char)99);
	uint64_t end = testing_end(t);
	struct ledger *l = open_ledger(t);
	advance(l, good);
	struct error err = ERROR_INIT;
	assert_false(ledger_advance(l, end, &err));
	assert_int_equal(err.code, ERR_NEWER);
	error_clear(&err);
	assert_int_equal(ledger_position(l), good);
	ledger_close(l);
	assert_int_equal(query(t, "SELECT amount * 100 FROM minutes"), 25);
	testing_free(t);
}

/* Advances in small steps until it is killed or done; positions need not be a record's end. The system kills
 * a process that writes past the limit of a file's size, so each limit is another moment of death. */
static void advance_until_killed(const struct testing *t, uint64_t end, rlim_t limit)
{
	struct error err = ERROR_INIT;
	bool was_lost;
	const struct rlimit size = { limit, limit };
	struct ledger *l = ledger_open(t->dir, &was_lost, &err);
	if (!l || setrlimit(RLIMIT_FSIZE, &size) < 0)
		_exit(1);
	uint64_t step = (end - ledger_position(l)) / 40 + 1;
	for (uint64_t at = ledger_position(l); at < end; at += step) {
		if (!ledger_advance(l, at + step < end ? at + step : end, &err))
			_exit(1);
	}
	_exit(0);
}

static void test_a_process_that_dies_while_advancing_counts_each_record_once(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	for (int i = 0; i < 200; i++)
		one_record(t);
	uint64_t end = journal_end(t->journal);
	ledger_close(open_ledger(t));
	unsigned deaths = 0;
	for (rlim_t limit = 36000; limit < 120000; limit += 2060) {
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0)
			advance_until_killed(t, end, limit);
		int status;
		waitpid(child, &status, 0);
		deaths += WIFSIGNALED(status);
		struct ledger *l = open_ledger(t);
		uint64_t position = ledger_position(l);
		ledger_close(l);
		/* What is in the database is exactly what lies before its position. */
		int64_t records = position ? (int64_t)((position - 16) / ((end - 16) / 200)) : 0;
		assert_int_equal(
			query(t, "SELECT coalesce(sum(amount) * 4, 0) FROM minutes"), records);
		assert_int_equal(
			query(t, "SELECT coalesce(sum(hi) * 4, 0) FROM counters"), records);
	}
	assert_true(deaths > 10);
	struct ledger *l = open_ledger(t);
	advance(l, end);
	ledger_close(l);
	assert_int_equal(query(t, "SELECT sum(amount) FROM minutes"), 50);
	assert_int_equal(query(t, "SELECT hi FROM counters"), 50);
	testing_free(t);
}

/* ---- scrapes and epochs ---- */

static void test_a_scrape_shows_live_series_once_and_clears_what_is_pending(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct ledger *l = open_ledger(t);
	testing_begin(t);
	put_series(t, 1, SERIES_COUNTER, "a", NULL, NULL);
	put_series(t, 2, SERIES_COUNTER, "b", NULL, NULL);
	put_series(t, 3, SERIES_COUNTER, "never-added-to", NULL, NULL);
	record_put_add(&t->record, 1, 0, 1);
	testing_end(t);
	testing_begin(t);
	put_scrape(t, 1000);
	testing_end(t);
	testing_begin(t);
	record_put_add(&t->record, 1, 0, 4);
	record_put_add(&t->record, 2, 0, 8);
	uint64_t middle = testing_end(t);
	testing_begin(t);
	put_scrape(t, 2000);
	uint64_t end = testing_end(t);

	advance(l, middle);
	AUTO(str) char *before = checkpoint(l);
	assert_contains(before, "epoch 0 1000\n");
	assert_contains(before, "series 1 kind 1 a shown 1\n");
	assert_contains(before, "series 2 kind 1 b shown 0\n");
	assert_contains(before, "counter 1.0 0x1.4p+2 0x0p+0 set 0 pending 0x1p+2\n");
	advance(l, end);
	AUTO(str) char *after = checkpoint(l);
	assert_contains(after, "series 1 kind 1 a shown 1\n");
	assert_contains(after, "series 2 kind 1 b shown 1\n");
	assert_contains(after, "series 3 kind 1 never-added-to shown 0\n");
	assert_contains(after, "counter 1.0 0x1.4p+2 0x0p+0 set 0 pending 0x0p+0\n");
	ledger_close(l);
	testing_free(t);
}

static void test_a_series_is_shown_by_the_first_scrape_after_it_is_live(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct ledger *l = open_ledger(t);
	testing_begin(t);
	put_series(t, 1, SERIES_COUNTER, "a", NULL, NULL);
	record_put_add(&t->record, 1, 0, 1);
	advance(l, testing_end(t));
	/* Defined again (a new segment), and added to only behind the scrape. */
	testing_begin(t);
	put_series(t, 1, SERIES_COUNTER, "a", NULL, NULL);
	put_held_scrape(t, 1000, 5000);
	record_put_add(&t->record, 1, 0, 1);
	put_held_scrape(t, 2000, 5000);
	advance(l, testing_end(t));
	AUTO(str) char *seen = checkpoint(l);
	assert_contains(seen, "series 1 kind 1 a shown 1000\n");
	ledger_close(l);
	testing_free(t);
}

/* One record of these scrapes, in a fold of their own. */
static char *after_scrapes(struct testing *t, struct ledger *l, int64_t time_ms, int64_t again_ms)
{
	testing_begin(t);
	put_held_scrape(t, time_ms, 5000);
	if (again_ms)
		put_held_scrape(t, again_ms, 5000);
	advance(l, testing_end(t));
	return checkpoint(l);
}

static void test_what_a_scrape_showed_as_zero_stays_pending_until_one_shows_it(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct ledger *l = open_ledger(t);
	testing_begin(t);
	put_series(t, 1, SERIES_COUNTER, "a", NULL, NULL);
	record_put_add(&t->record, 1, 0, 1);
	advance(l, testing_end(t));
	AUTO(str) char *held = after_scrapes(t, l, 10000, 12000);
	assert_contains(held, "series 1 kind 1 a shown 10000\n");
	assert_contains(held, "pending 0x1p+0\n");
	testing_begin(t);
	record_put_add(&t->record, 1, 0, 1);
	advance(l, testing_end(t));
	AUTO(str) char *more = after_scrapes(t, l, 14999, 0);
	assert_contains(more, "pending 0x1p+1\n");
	AUTO(str) char *shown = after_scrapes(t, l, 15000, 0);
	assert_contains(shown, "series 1 kind 1 a shown 1\n");
	assert_contains(shown, "pending 0x0p+0\n");
	/* Once shown, shown for good: the clock and the hold may say what they like. */
	testing_begin(t);
	record_put_add(&t->record, 1, 0, 4);
	put_held_scrape(t, 9000, 500000);
	record_put_add(&t->record, 1, 0, 8);
	advance(l, testing_end(t));
	AUTO(str) char *last = checkpoint(l);
	assert_contains(last, "pending 0x1p+3\n");
	ledger_close(l);
	testing_free(t);
}

static void test_a_clock_that_is_set_back_does_not_hold_for_longer(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct ledger *l = open_ledger(t);
	testing_begin(t);
	put_series(t, 1, SERIES_COUNTER, "a", NULL, NULL);
	record_put_add(&t->record, 1, 0, 1);
	advance(l, testing_end(t));
	AUTO(str) char *shown = after_scrapes(t, l, 10000, 9999);
	assert_contains(shown, "series 1 kind 1 a shown 1\n");
	assert_contains(shown, "pending 0x0p+0\n");
	ledger_close(l);
	testing_free(t);
}

static void test_an_epoch_begins_all_counters_from_zero_and_keeps_the_series(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct ledger *l = open_ledger(t);
	testing_begin(t);
	put_series(t, 1, SERIES_COUNTER, "a", NULL, NULL);
	put_series(t, 2, SERIES_COUNTER, "b", NULL, NULL);
	record_put_add(&t->record, 1, 0, 1);
	record_put_add(&t->record, 2, 0, 1);
	put_scrape(t, 1000);
	advance(l, testing_end(t));
	testing_begin(t);
	put_epoch(t, 77);
	put_carry(t, 2, 0, 0.5);
	advance(l, testing_end(t));
	AUTO(str) char *seen = checkpoint(l);
	assert_string_equal(seen, "epoch 77 1000\n"
				  "series 1 kind 1 a shown 0\n"
				  "series 2 kind 1 b shown 0\n"
				  "counter 2.0 0x1p-1 0x0p+0 set 0 pending 0x1p-1\n");
	ledger_close(l);
	testing_free(t);
}

/* SQLite has no NaN: it stores NULL. */
static void test_a_gauge_that_is_not_a_number_stays_none(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct ledger *l = open_ledger(t);
	testing_begin(t);
	put_series(t, 1, SERIES_GAUGE, "g", NULL, NULL);
	put_set(t, 1, 0, 5, (double)NAN);
	put_series(t, 2, SERIES_GAUGE, "h", NULL, NULL);
	put_set(t, 2, 0, 5, (double)-INFINITY);
	advance(l, testing_end(t));
	AUTO(str) char *seen = checkpoint(l);
	assert_contains(seen, "counter 1.0 nan 0x0p+0 set 5");
	assert_contains(seen, "counter 2.0 -inf 0x0p+0 set 5");
	ledger_close(l);
	testing_free(t);
}

static void test_a_gauge_keeps_its_value_over_an_epoch(void **state)
{
	(void)state;
	/* Once with the gauge in the database, once in the same fold as the epoch. */
	for (int is_apart = 0; is_apart < 2; is_apart++) {
		struct testing *t = testing_new();
		struct ledger *l = open_ledger(t);
		testing_begin(t);
		put_series(t, 1, SERIES_GAUGE, "g", NULL, NULL);
		put_set(t, 1, 0, 2000, 5);
		put_scrape(t, 3000);
		if (is_apart) {
			advance(l, testing_end(t));
			testing_begin(t);
		}
		put_epoch(t, 77);
		advance(l, testing_end(t));
		AUTO(str) char *seen = checkpoint(l);
		assert_string_equal(seen, "epoch 77 3000\n"
					  "series 1 kind 2 g shown 1\n"
					  "counter 1.0 0x1.4p+2 0x0p+0 set 2000 pending 0x0p+0\n");
		ledger_close(l);
		testing_free(t);
	}
}

static void test_two_processes_behind_one_stream_key_are_kept_apart(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct ledger *l = open_ledger(t);
	testing_begin(t);
	put_series(t, 1, SERIES_COUNTER, "a", NULL, NULL);
	put_stream(t, 9, 1, 1);
	t->op.u.stream.earliest_ns++;
	t->op.u.stream.value = 2;
	record_put(&t->record, &t->op);
	put_stream(t, 9, 1, 3);
	advance(l, testing_end(t));
	ledger_close(l);
	assert_int_equal(query(t, "SELECT count(*) FROM streams"), 2);
	assert_int_equal(query(t, "SELECT sum(value) FROM streams"), 5);
	testing_free(t);
}

static void test_a_gauge_keeps_the_value_of_the_latest_time(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct ledger *l = open_ledger(t);
	testing_begin(t);
	put_series(t, 1, SERIES_GAUGE, "g", NULL, NULL);
	put_set(t, 1, 0, 2000, 5);
	put_set(t, 1, 0, 1000, 3);
	put_set(t, 1, 0, 2000, 7);
	advance(l, testing_end(t));
	AUTO(str) char *seen = checkpoint(l);
	assert_contains(seen, "counter 1.0 0x1.cp+2 0x0p+0 set 2000 pending 0x0p+0\n");
	ledger_close(l);
	testing_free(t);
}

/* ---- sessions ---- */

static void test_a_session_keeps_its_names_range_and_losses(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct ledger *l = open_ledger(t);
	one_record(t);
	testing_begin(t);
	uint64_t session = put_session(t, "one", "");
	record_put_context(&t->record, session, MINUTE - 10);
	put_lost(t, session, 3, false);
	advance(l, testing_end(t));
	testing_begin(t);
	put_lost(t, session, -1, true);
	put_lost(t, session, 0, false);
	advance(l, testing_end(t));
	ledger_close(l);
	assert_int_equal(query(t, "SELECT user = 'ann' FROM sessions"), 1);
	assert_int_equal(query(t, "SELECT first_ms FROM sessions"), (MINUTE - 10) * INT64_C(60000));
	assert_int_equal(query(t, "SELECT last_ms FROM sessions"), ARRIVED_MS);
	assert_int_equal(query(t, "SELECT lost FROM sessions"), 2);
	assert_int_equal(query(t, "SELECT is_unknown FROM sessions"), 1);
	testing_free(t);
}

static void test_hours_by_session_hold_totals_but_no_buckets(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct ledger *l = open_ledger(t);
	testing_begin(t);
	put_series(t, 1, SERIES_HISTOGRAM, "h", NULL, NULL);
	record_put_context(&t->record, put_session(t, "one", "ann"), MINUTE);
	for (uint32_t part = 0; part < 4; part++)
		record_put_add(&t->record, 1, part, 1);
	record_put_context(&t->record, 0, MINUTE);
	record_put_add(&t->record, 1, 0, 1);
	advance(l, testing_end(t));
	ledger_close(l);
	assert_int_equal(query(t, "SELECT count(*) FROM minutes"), 4);
	assert_int_equal(query(t, "SELECT count(*) FROM session_hours"), 2);
	assert_int_equal(query(t, "SELECT sum(amount) FROM session_hours"), 2);
	testing_free(t);
}

/* ---- files ---- */

static void write_text(const struct testing *t, const char *name, const char *text, size_t len)
{
	AUTO(str) char *path = path_join(t->dir, name);
	struct error err = ERROR_INIT;
	assert_true(file_write_atomic(path, text, len, 0600, &err));
}

static bool has_file(const struct testing *t, const char *prefix, const char *suffix)
{
	DIR *d = opendir(t->dir);
	bool found = false;
	const struct dirent *entry;
	while ((entry = readdir(d))) {
		size_t len = strlen(entry->d_name), end = strlen(suffix);
		found = found ||
			(strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && len > end &&
				strcmp(entry->d_name + len - end, suffix) == 0);
	}
	closedir(d);
	return found;
}

static void test_the_database_is_private(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	mode_t before = umask(0);
	struct ledger *l = open_ledger(t);
	advance(l, one_record(t));
	umask(before);
	static const char *const names[] = { LEDGER_FILE, LEDGER_FILE "-wal", LEDGER_FILE "-shm" };
	for (size_t i = 0; i < 3; i++) {
		AUTO(str) char *path = path_join(t->dir, names[i]);
		struct stat st;
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	ledger_close(l);
	testing_free(t);
}

static void test_a_file_that_is_no_database_is_set_aside(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	char noise[5000];
	memset(noise, 'x', sizeof noise);
	write_text(t, LEDGER_FILE, noise, sizeof noise);
	struct error err = ERROR_INIT;
	bool was_lost;
	struct ledger *l = ledger_open(t->dir, &was_lost, &err);
	assert_non_null(l);
	assert_true(was_lost);
	assert_true(has_file(t, "ledger-bad-", ".db"));
	assert_int_equal(ledger_position(l), 0);
	advance(l, one_record(t));
	ledger_close(l);
	assert_int_equal(query(t, "SELECT amount * 100 FROM minutes"), 25);
	testing_free(t);
}

static void test_a_damaged_database_is_set_aside(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct ledger *l = open_ledger(t);
	for (int i = 0; i < 50; i++)
		one_record(t);
	advance(l, journal_end(t->journal));
	ledger_close(l);
	AUTO(str) char *path = path_join(t->dir, LEDGER_FILE);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	AUTO(fd) int fd = open(path, O_WRONLY);
	char noise[4096];
	memset(noise, 0xa5, sizeof noise);
	for (off_t page = 1; page * 4096 < st.st_size; page++)
		assert_int_equal(pwrite(fd, noise, sizeof noise, page * 4096), sizeof noise);
	struct error err = ERROR_INIT;
	bool was_lost;
	l = ledger_open(t->dir, &was_lost, &err);
	assert_non_null(l);
	assert_true(was_lost);
	assert_true(has_file(t, "ledger-bad-", ".db"));
	ledger_close(l);
	testing_free(t);
}

/* Too large to be checked as a whole at open: damage in it is found when it is read. */
static void test_damage_found_later_is_set_aside_at_the_next_open(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct ledger *l = open_ledger(t);
	char help[900];
	memset(help, 'h', sizeof help);
	testing_begin(t);
	for (uint32_t id = 1; id <= 6000; id++) {
		t->op = (struct op){ .kind = OP_SERIES };
		t->op.series.id = id;
		t->op.series.kind = SERIES_COUNTER;
		t->op.series.help = slice_of(help, sizeof help);
		record_put(&t->record, &t->op);
	}
	advance(l, testing_end(t));
	ledger_close(l);
	AUTO(str) char *path = path_join(t->dir, LEDGER_FILE);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 4 << 20);
	AUTO(fd) int fd = open(path, O_WRONLY);
	char noise[4096];
	memset(noise, 0xa5, sizeof noise);
	for (off_t page = 500; page < 600; page++)
		assert_int_equal(pwrite(fd, noise, sizeof noise, page * 4096), sizeof noise);

	l = open_ledger(t);
	struct error err = ERROR_INIT;
	struct seen seen = { BUF_INIT(BUF_UNLIMITED) };
	struct ledger_visitor visitor = { .ctx = &seen, .series = see_series };
	assert_false(ledger_load(l, &visitor, &err));
	assert_int_equal(err.code, ERR_CORRUPT);
	error_clear(&err);
	buf_clear(&seen.text);
	ledger_close(l);
	bool was_lost;
	l = ledger_open(t->dir, &was_lost, &err);
	assert_non_null(l);
	assert_true(was_lost);
	assert_true(has_file(t, "ledger-bad-", ".db"));
	ledger_close(l);
	ledger_close(open_ledger(t)); /* once */
	testing_free(t);
}

static void test_a_newer_schema_is_refused_and_left_alone(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	ledger_close(open_ledger(t));
	AUTO(str) char *path = path_join(t->dir, LEDGER_FILE);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	struct error err = ERROR_INIT;
	bool was_lost;
	assert_null(ledger_open(t->dir, &was_lost, &err));
	assert_int_equal(err.code, ERR_NEWER);
	assert_non_null(err.hint);
	error_clear(&err);
	assert_false(was_lost);
	assert_false(has_file(t, "ledger-bad-", ".db"));
	assert_int_equal(query(t, "PRAGMA user_version"), 99);
	testing_free(t);
}

static void test_expire_deletes_what_is_older_and_keeps_the_rest(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct ledger *l = open_ledger(t);
	one_record(t);
	testing_begin(t);
	record_put_context(&t->record, put_session(t, "old", "bob"), MINUTE - 3000);
	record_put_add(&t->record, 1, 0, 1);
	put_request(t, 5);
	put_stream(t, 9, 1, 1);
	t->arrived_ms += 1;
	advance(l, testing_end(t));
	struct error err = ERROR_INIT;
	uint64_t deleted;
	assert_true(ledger_expire(l, ARRIVED_MS - 60000 * INT64_C(1000), &deleted, &err));
	assert_true(ledger_sync(l, &err));
	struct ledger_stats stats;
	assert_true(ledger_stats(l, &stats, &err));
	assert_int_equal(stats.first_minute, MINUTE);
	assert_int_equal(stats.last_minute, MINUTE);
	assert_int_equal(stats.sessions, 1);
	assert_int_equal(stats.streams, 1);
	assert_int_equal(stats.series, 1);
	assert_true(deleted >= 3);
	ledger_close(l);
	testing_free(t);
}

/* ---- the property: cut anywhere, equal bit for bit ---- */

static uint64_t random_state;

static uint32_t pick(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % below;
}

static void put_random(struct testing *t)
{
	char text[16];
	snprintf(text, sizeof text, "s%u", pick(5));
	switch (pick(12)) {
	case 0:
		put_held_scrape(t, t->arrived_ms - pick(2) * pick(20000), pick(2) * pick(30000));
		break;
	case 1:
		if (pick(8) == 0)
			put_epoch(t, (uint64_t)t->arrived_ms);
		break;
	case 2:
		record_put_context(&t->record, put_session(t, text, "u"), MINUTE + pick(200));
		break;
	case 3:
		put_set(t, 8 + pick(3), 0, t->arrived_ms - pick(3), pick(100) / 7.0);
		break;
	case 4:
		put_stream(t, pick(20), pick(11), pick(1000) / 3.0);
		break;
	case 5:
		put_state(t, pick(2) ? "x" : "y", text);
		break;
	case 6:
		put_request(t, pick(30));
		break;
	case 7:
		put_carry(t, pick(8), pick(3), pick(1000) / 9.0);
		break;
	default:
		record_put_add(&t->record, pick(8), pick(3), (pick(1000) - 100.0) / 7.0);
	}
}

static void put_definitions(struct testing *t)
{
	testing_begin(t);
	for (uint32_t id = 0; id < 11; id++)
		put_series(t, id,
			id < 4	 ? SERIES_COUNTER
			: id < 8 ? SERIES_HISTOGRAM
				 : SERIES_GAUGE,
			"m", "id", "v");
	testing_end(t);
}

static char *checkpoint_at(struct testing *t, unsigned cuts)
{
	ledger_close(open_ledger(t));
	struct ledger *l = open_ledger(t);
	uint64_t end = journal_end(t->journal);
	for (unsigned i = 0; i < cuts; i++) {
		uint64_t from = ledger_position(l);
		if (from < end)
			advance(l, from + pick((uint32_t)(end - from)));
		if (pick(3) == 0) {
			ledger_close(l);
			l = open_ledger(t);
		}
	}
	advance(l, end);
	char *seen = checkpoint(l);
	ledger_close(l);
	AUTO(str) char *path = path_join(t->dir, LEDGER_FILE);
	unlink(path);
	return seen;
}

static void test_a_checkpoint_is_the_same_wherever_the_journal_was_cut(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 25; seed++) {
		random_state = seed * UINT64_C(0x9e3779b97f4a7c15);
		struct testing *t = testing_new();
		put_definitions(t);
		for (unsigned i = 0; i < 60; i++) {
			t->arrived_ms += pick(5000);
			testing_begin(t);
			for (unsigned n = pick(12); n > 0; n--)
				put_random(t);
			testing_end(t);
		}
		AUTO(str) char *whole = checkpoint_at(t, 0);
		AUTO(str) char *cut = checkpoint_at(t, 1 + pick(20));
		if (strcmp(whole, cut) != 0)
			fail_msg("seed %llu:\n%s\n---\n%s", (unsigned long long)seed, whole, cut);
		testing_free(t);
	}
}

/* The journal of `t`, folded in one go without a database. */
static struct fold *fold_all(const struct testing *t)
{
	struct fold_base none = { 0 };
	struct fold *f = fold_new(&none, FOLD_ALL);
	struct error err = ERROR_INIT;
	AUTO(journal_reader) struct journal_reader *r = journal_reader_open(t->dir, 0, &err);
	struct slice record;
	uint64_t position, next;
	while (journal_read(r, &record, &position, &next, &err) > 0)
		assert_true(fold_record(f, position, record, &err));
	return f;
}

static void equal_in_fold(void *ctx, const struct ledger_counter *c)
{
	const struct fold *f = ctx;
	uint32_t key[2] = { c->series, c->part };
	const struct fold_counter *own = cells_find(&f->counters, key);
	assert_non_null(own);
	assert_memory_equal(&own->hi, &c->hi, sizeof c->hi);
	assert_memory_equal(&own->lo, &c->lo, sizeof c->lo);
	assert_int_equal(own->set_ms, c->set_ms);
	const struct fold_series *series = cells_find(&f->series, &c->series);
	bool is_pending = own->position > f->scrape_position ||
			  (series && series->shown_ms != SHOWN_WITH_VALUE);
	double pending = is_pending ? own->pending : 0;
	assert_memory_equal(&pending, &c->pending, sizeof pending);
}

static void test_counters_equal_a_plain_fold_bit_for_bit(void **state)
{
	(void)state;
	random_state = 4711;
	struct testing *t = testing_new();
	put_definitions(t);
	struct ledger *l = open_ledger(t);
	for (unsigned i = 0; i < 300; i++) {
		testing_begin(t);
		for (unsigned n = pick(12); n > 0; n--)
			put_random(t);
		uint64_t end = testing_end(t);
		if (pick(10) == 0)
			advance(l, end);
	}
	advance(l, journal_end(t->journal));
	AUTO(fold) struct fold *f = fold_all(t);
	struct ledger_visitor visitor = { .ctx = f, .counter = equal_in_fold };
	struct error err = ERROR_INIT;
	assert_true(ledger_load(l, &visitor, &err));
	ledger_close(l);
	assert_int_equal(query(t, "SELECT count(*) FROM counters"), f->counters.count);
	testing_free(t);
}

static void close_to_2460(void *ctx, const struct ledger_counter *c)
{
	(void)ctx;
	assert_true(fabs(c->hi + c->lo - 2460) < 1e-12);
	assert_true(fabs(c->hi - 2460) > 1e-12); /* a plain sum would be off */
}

static void test_counters_are_compensated_sums(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	struct ledger *l = open_ledger(t);
	for (int part = 0; part < 4; part++) {
		testing_begin(t);
		put_series(t, 1, SERIES_COUNTER, "a", NULL, NULL);
		for (int i = 0; i < 50000; i++)
			record_put_add(&t->record, 1, 0, 0.0123);
		advance(l, testing_end(t));
	}
	struct ledger_visitor visitor = { .counter = close_to_2460 };
	struct error err = ERROR_INIT;
	assert_true(ledger_load(l, &visitor, &err));
	ledger_close(l);
	testing_free(t);
}

static void test_more_aggregates_than_fit_in_memory_are_written_in_parts(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	testing_begin(t);
	put_series(t, 1, SERIES_COUNTER, "a", NULL, NULL);
	for (uint32_t i = 0; i < FOLD_CELLS_MAX + 1000; i++) {
		record_put_context(&t->record, 0, i);
		record_put_add(&t->record, 1, 0, 1);
	}
	uint64_t end = testing_end(t);
	struct ledger *l = open_ledger(t);
	advance(l, end);
	ledger_close(l);
	assert_int_equal(query(t, "SELECT sum(amount) FROM minutes"), FOLD_CELLS_MAX + 1000);
	assert_int_equal(query(t, "SELECT hi FROM counters"), FOLD_CELLS_MAX + 1000);
	testing_free(t);
}

static void add_amount(void *ctx, uint32_t minute, uint32_t series, double amount)
{
	struct buf *text = ctx;
	buf_addf(text, "%u %u %g, ", minute - MINUTE, series, amount);
}

static void test_amounts_of_a_metric_are_its_counters_minutes(void **state)
{
	(void)state;
	struct testing *t = testing_new();
	testing_begin(t);
	put_series(t, 1, SERIES_COUNTER, "cost", "model", "opus");
	put_series(t, 2, SERIES_COUNTER, "cost", "model", "haiku");
	put_series(t, 3, SERIES_COUNTER, "tokens", NULL, NULL);
	put_series(t, 4, SERIES_GAUGE, "cost", NULL, NULL);
	for (uint32_t minute = MINUTE - 1; minute <= MINUTE + 1; minute++) {
		record_put_context(&t->record, 0, minute);
		record_put_add(&t->record, 2, 0, 0.5);
		record_put_add(&t->record, 1, 0, 0.25);
		record_put_add(&t->record, 1, 1, 7); /* no part that a counter has */
		record_put_add(&t->record, 3, 0, 100);
		record_put_add(&t->record, 4, 0, 100);
	}
	struct ledger *l = open_ledger(t);
	advance(l, testing_end(t));
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	struct error err = ERROR_INIT;
	assert_true(ledger_amounts(l, "cost", MINUTE, add_amount, &text, &err));
	assert_string_equal(buf_str(&text), "0 1 0.25, 0 2 0.5, 1 1 0.25, 1 2 0.5, ");
	uint32_t first;
	assert_true(ledger_first_minute(l, "cos", MINUTE - 5, MINUTE + 5, &first, &err));
	assert_int_equal(first, MINUTE - 1);
	assert_true(ledger_first_minute(l, "cost", MINUTE + 2, MINUTE + 5, &first, &err));
	assert_int_equal(first, 0);
	assert_true(ledger_first_minute(l, "costs", MINUTE - 5, MINUTE + 5, &first, &err));
	assert_int_equal(first, 0);
	uint32_t last;
	assert_true(ledger_last_minute(l, "cost", &last, &err));
	assert_int_equal(last, MINUTE + 1);
	assert_true(ledger_last_minute(l, "costs", &last, &err));
	assert_int_equal(last, 0);
	ledger_close(l);
	testing_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_advance_counts_each_record_once_however_often_it_is_called),
		cmocka_unit_test(test_advance_stops_at_the_position_it_is_given),
		cmocka_unit_test(test_advance_reaches_a_segment_that_has_no_record_yet),
		cmocka_unit_test(test_an_unreadable_record_leaves_the_database_at_its_position),
		cmocka_unit_test(test_a_process_that_dies_while_advancing_counts_each_record_once),
		cmocka_unit_test(test_a_scrape_shows_live_series_once_and_clears_what_is_pending),
		cmocka_unit_test(
			test_what_a_scrape_showed_as_zero_stays_pending_until_one_shows_it),
		cmocka_unit_test(test_a_clock_that_is_set_back_does_not_hold_for_longer),
		cmocka_unit_test(test_a_series_is_shown_by_the_first_scrape_after_it_is_live),
		cmocka_unit_test(test_an_epoch_begins_all_counters_from_zero_and_keeps_the_series),
		cmocka_unit_test(test_a_gauge_that_is_not_a_number_stays_none),
		cmocka_unit_test(test_a_gauge_keeps_its_value_over_an_epoch),
		cmocka_unit_test(test_two_processes_behind_one_stream_key_are_kept_apart),
		cmocka_unit_test(test_a_gauge_keeps_the_value_of_the_latest_time),
		cmocka_unit_test(test_a_session_keeps_its_names_range_and_losses),
		cmocka_unit_test(test_hours_by_session_hold_totals_but_no_buckets),
		cmocka_unit_test(test_the_database_is_private),
		cmocka_unit_test(test_a_file_that_is_no_database_is_set_aside),
		cmocka_unit_test(test_a_damaged_database_is_set_aside),
		cmocka_unit_test(test_damage_found_later_is_set_aside_at_the_next_open),
		cmocka_unit_test(test_a_newer_schema_is_refused_and_left_alone),
		cmocka_unit_test(test_expire_deletes_what_is_older_and_keeps_the_rest),
		cmocka_unit_test(test_a_checkpoint_is_the_same_wherever_the_journal_was_cut),
		cmocka_unit_test(test_counters_equal_a_plain_fold_bit_for_bit),
		cmocka_unit_test(test_counters_are_compensated_sums),
		cmocka_unit_test(test_more_aggregates_than_fit_in_memory_are_written_in_parts),
		cmocka_unit_test(test_amounts_of_a_metric_are_its_counters_minutes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
