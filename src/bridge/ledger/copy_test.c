#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/ledger/copy.h"
#include "bridge/ledger/history.h"
#include "bridge/ledger/ledger.h"
#include "bridge/ledger/ledger_testing.h"

static void put_amount(struct testing *t, double usd)
{
	testing_begin(t);
	put_series(t, 1, SERIES_COUNTER, "cost", "model", "opus");
	record_put_context(&t->record, put_session(t, "one", "ann"), MINUTE);
	record_put_add(&t->record, 1, 0, usd);
	testing_end(t);
}

static void add(void *ctx, const struct history_row *row)
{
	double *sum = ctx;
	*sum += row->amount;
}

static double total(const char *dir)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(history) struct history *history = NULL;
	double sum = 0;
	assert_int_equal(history_open(dir, &history, &err), 1);
	assert_true(history_minutes(history, 0, INT64_MAX, add, &sum, &err));
	return sum;
}

/* What lies in the database and what lies in the journal alone are both in it, and a record that is being written is not. */
static void test_a_copy_has_what_was_acknowledged(void **state)
{
	struct testing *t = testing_new();
	AUTO(error) struct error err = ERROR_INIT;
	char *to = tempdir_make();
	bool was_lost;
	(void)state;
	put_amount(t, 1);
	struct ledger *ledger = ledger_open(t->dir, &was_lost, &err);
	assert_true(ledger_advance(ledger, journal_end(t->journal), &err));
	put_amount(t, 2);
	AUTO(str) char *segment = path_join(t->dir, "journal-0000000000000000.log");
	AUTO(file) FILE *torn = fopen(segment, "a");
	assert_int_equal(fwrite("cjn", 1, 3, torn), 3);
	assert_int_equal(fflush(torn), 0);
	assert_int_equal(ledger_copy(t->dir, to, &err), 1);
	assert_true(ledger_check(to, &err));
	assert_true(total(to) == 3);
	struct journal_findings findings;
	struct journal *journal = journal_open(to, 0, &findings, &err);
	assert_non_null(journal);
	assert_int_equal(findings.cut_bytes, 0);
	assert_false(findings.is_broken);
	journal_free(journal);
	ledger_close(ledger);
	tempdir_remove(to);
	testing_free(t);
}

static void test_of_nothing_there_is_no_copy(void **state)
{
	AUTO(error) struct error err = ERROR_INIT;
	char *from = tempdir_make(), *to = tempdir_make();
	(void)state;
	assert_int_equal(ledger_copy(from, to, &err), 0);
	assert_int_equal(ledger_check(to, &err), false);
	assert_int_equal(err.code, ERR_CORRUPT);
	tempdir_remove(from);
	tempdir_remove(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_copy_has_what_was_acknowledged),
		cmocka_unit_test(test_of_nothing_there_is_no_copy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
