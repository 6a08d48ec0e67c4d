#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/journal/journal.h"
#include "bridge/journal/journal_internal.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/tempdir_testing.h"

static char *directory;

static int make_directory(void **state)
{
	(void)state;
	directory = tempdir_make();
	return directory ? 0 : -1;
}

static int remove_directory(void **state)
{
	(void)state;
	return tempdir_remove(directory);
}

static struct journal *open_journal(uint64_t at_least, struct journal_findings *findings)
{
	struct error err = ERROR_INIT;
	struct journal *j = journal_open(directory, at_least, findings, &err);
	if (!j)
		fail_msg("%s", err.message);
	return j;
}

static void append(struct journal *j, const char *text)
{
	struct error err = ERROR_INIT;
	assert_true(journal_append(j, slice_str(text), &err));
}

/* All records from `position` on, joined by spaces; yours. */
static char *read_all(uint64_t position)
{
	struct error err = ERROR_INIT;
	struct journal_reader *r = journal_reader_open(directory, position, &err);
	assert_non_null(r);
	struct buf text = BUF_INIT(BUF_UNLIMITED);
	struct slice record;
	uint64_t at, next;
	int got;
	while ((got = journal_read(r, &record, &at, &next, &err)) > 0) {
		if (text.len)
			buf_addc(&text, ' ');
		buf_add(&text, record.ptr, record.len);
	}
	assert_int_equal(got, 0);
	journal_reader_free(r);
	return buf_detach(&text);
}

static void assert_reads(uint64_t position, const char *expected)
{
	AUTO(str) char *text = read_all(position);
	assert_string_equal(text, expected);
}

static char *first_segment(void)
{
	return path_join(directory, "journal-0000000000000000.log");
}

static void patch(long offset, const char *bytes, size_t len)
{
	AUTO(str) char *path = first_segment();
	FILE *f = fopen(path, "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, offset, SEEK_SET), 0);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

static void test_journal_reads_back_what_was_appended_after_reopening(void **state)
{
	(void)state;
	struct journal_findings findings;
	struct journal *j = open_journal(0, &findings);
	append(j, "one");
	append(j, "two");
	journal_free(j);
	j = open_journal(0, &findings);
	append(j, "three");
	assert_reads(0, "one two three");
	assert_int_equal(findings.cut_bytes, 0);
	journal_free(j);
}

static void test_journal_cuts_every_torn_tail_and_keeps_what_is_whole(void **state)
{
	(void)state;
	struct journal_findings findings;
	struct journal *j = open_journal(0, &findings);
	append(j, "whole");
	uint64_t whole = journal_end(j);
	append(j, "torn record");
	uint64_t end = journal_end(j);
	journal_free(j);
	AUTO(str) char *path = first_segment();
	for (uint64_t cut = end - 1; cut > whole; cut--) {
		assert_int_equal(truncate(path, (off_t)cut), 0);
		j = open_journal(0, &findings);
		assert_int_equal(journal_end(j), whole);
		assert_int_equal(findings.cut_bytes, cut - whole);
		assert_int_equal(findings.bad_records, 0);
		assert_reads(0, "whole");
		append(j, "torn record");
		journal_free(j);
	}
}

static void test_journal_sets_a_damaged_record_aside_and_keeps_the_rest(void **state)
{
	(void)state;
	struct journal_findings findings;
	struct journal *j = open_journal(0, &findings);
	append(j, "one");
	uint64_t second = journal_end(j);
	append(j, "two");
	append(j, "three");
	journal_free(j);
	patch((long)second + 24, "X", 1);
	j = open_journal(0, &findings);
	assert_int_equal(findings.bad_records, 1);
	assert_int_equal(findings.bad_bytes, 24 + 3);
	AUTO(str) char *bad = path_join(directory, findings.first_bad_file);
	assert_int_equal(access(bad, F_OK), 0);
	assert_reads(0, "one three");
	append(j, "four");
	journal_free(j);
	j = open_journal(0, &findings);
	assert_int_equal(findings.bad_records, 0); /* told once */
	assert_reads(0, "one three four");
	journal_free(j);
}

static void test_journal_survives_a_damaged_length(void **state)
{
	(void)state;
	struct journal_findings findings;
	struct journal *j = open_journal(0, &findings);
	append(j, "one");
	uint64_t second = journal_end(j);
	append(j, "two");
	append(j, "three");
	journal_free(j);
	patch((long)second + 4, "\xff\xff\xff\x01", 4);
	j = open_journal(0, &findings);
	assert_int_equal(findings.bad_records, 1);
	assert_reads(0, "one three");
	journal_free(j);
}

static void test_journal_does_not_take_an_old_frame_at_another_place(void **state)
{
	(void)state;
	struct journal_findings findings;
	struct journal *j = open_journal(0, &findings);
	append(j, "one");
	uint64_t second = journal_end(j);
	append(j, "two");
	journal_free(j);
	AUTO(str) char *path = first_segment();
	AUTO(buf) struct buf bytes = BUF_INIT(BUF_UNLIMITED);
	struct error err = ERROR_INIT;
	assert_int_equal(file_read(path, &bytes, &err), 1);
	patch((long)second, (const char *)bytes.data + 16, second - 16);
	j = open_journal(0, &findings);
	assert_reads(0, "one");
	journal_free(j);
}

static void test_journal_reads_from_a_position_and_across_segments(void **state)
{
	(void)state;
	struct journal_findings findings;
	struct error err = ERROR_INIT;
	struct journal *j = open_journal(0, &findings);
	append(j, "one");
	uint64_t position = journal_end(j);
	assert_true(journal_rotate(j, 1, &err));
	append(j, "two");
	uint32_t segment = journal_segment(j);
	assert_true(journal_rotate(j, 1, &err));
	assert_int_not_equal(journal_segment(j), segment);
	append(j, "three");
	assert_reads(0, "one two three");
	assert_reads(position, "two three");
	assert_true(journal_release(j, position, &err));
	assert_reads(0, "two three");
	assert_true(journal_release(j, journal_end(j), &err));
	assert_reads(0, "three");
	journal_free(j);
	j = open_journal(position, &findings);
	append(j, "four");
	assert_reads(0, "three four");
	journal_free(j);
}

static void test_journal_reader_goes_on_while_the_writer_appends(void **state)
{
	(void)state;
	struct journal_findings findings;
	struct error err = ERROR_INIT;
	struct journal *j = open_journal(0, &findings);
	struct journal_reader *r = journal_reader_open(directory, 0, &err);
	struct slice record;
	uint64_t at, next;
	assert_int_equal(journal_read(r, &record, &at, &next, &err), 0);
	append(j, "one");
	assert_int_equal(journal_read(r, &record, &at, &next, &err), 1);
	assert_int_equal(journal_read(r, &record, &at, &next, &err), 0);
	assert_true(journal_rotate(j, 1, &err));
	append(j, "two");
	assert_int_equal(journal_read(r, &record, &at, &next, &err), 1);
	assert_true(slice_eq_str(record, "two"));
	assert_int_equal(next, journal_end(j));
	assert_int_equal(journal_reader_skipped(r), 0);
	journal_reader_free(r);
	journal_free(j);
}

static void test_journal_begins_behind_a_checkpoint_that_outlived_it(void **state)
{
	(void)state;
	struct journal_findings findings;
	struct journal *j = open_journal(0, &findings);
	append(j, "one");
	journal_free(j);
	j = open_journal(100000, &findings);
	append(j, "two");
	assert_true(journal_end(j) > 100000);
	assert_reads(100000, "two");
	journal_free(j);
}

/* A ledger that was restored from a copy, or a segment that somebody deleted. */
static void test_journal_tells_of_segments_that_are_missing(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	struct journal_findings findings;
	struct journal *j = open_journal(0, &findings);
	uint64_t firsts[3];
	for (size_t i = 0; i < 3; i++) {
		append(j, "some");
		firsts[i] = journal_end(j);
		assert_true(journal_rotate(j, 1, &err));
	}
	journal_free(j);
	journal_free(open_journal(0, &findings));
	assert_false(findings.is_broken);
	AUTO(str) char *middle = segment_path(directory, firsts[0]);
	assert_int_equal(unlink(middle), 0);
	journal_free(open_journal(firsts[1], &findings)); /* the checkpoint has it */
	assert_false(findings.is_broken);
	j = open_journal(0, &findings);
	assert_true(findings.is_broken);
	assert_true(journal_break_noted(j, &err));
	journal_free(j);
	AUTO(str) char *oldest = segment_path(directory, 0);
	assert_int_equal(unlink(oldest), 0);
	journal_free(open_journal(firsts[0], &findings));
	assert_true(findings.is_broken);
}

static void test_journal_tells_of_a_break_until_it_is_noted(void **state)
{
	(void)state;
	AUTO(error) struct error err = ERROR_INIT;
	struct journal_findings findings;
	struct journal *j = open_journal(0, &findings);
	assert_false(findings.is_broken);
	append(j, "one");
	journal_free(j);
	for (unsigned i = 0; i < 2; i++) {
		j = open_journal(100000, &findings); /* the second finds nothing wrong itself */
		assert_true(findings.is_broken);
		append(j, "two");
		journal_free(j);
	}
	j = open_journal(100000, &findings);
	assert_true(journal_break_noted(j, &err));
	journal_free(j);
	j = open_journal(100000, &findings);
	assert_false(findings.is_broken);
	journal_free(j);
}

static void test_journal_is_unchanged_by_an_append_that_fails(void **state)
{
	(void)state;
	struct journal_findings findings;
	struct journal *j = open_journal(0, &findings);
	append(j, "one");
	struct rlimit before, small = { journal_end(j) + 10, RLIM_INFINITY };
	getrlimit(RLIMIT_FSIZE, &before);
	small.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	struct error err = ERROR_INIT;
	assert_false(journal_append(j, slice_str("does not fit"), &err));
	assert_non_null(err.message);
	error_clear(&err);
	setrlimit(RLIMIT_FSIZE, &before);
	append(j, "two");
	assert_reads(0, "one two");
	journal_free(j);
}

static void test_journal_starts_anew_when_the_last_segment_has_no_header(void **state)
{
	(void)state;
	struct journal_findings findings;
	struct journal *j = open_journal(0, &findings);
	journal_free(j);
	AUTO(str) char *path = first_segment();
	assert_int_equal(truncate(path, 7), 0);
	j = open_journal(0, &findings);
	append(j, "one");
	assert_reads(0, "one");
	journal_free(j);
}

int main(void)
{
	signal(SIGXFSZ, SIG_IGN);
#define CASE(f) cmocka_unit_test_setup_teardown(f, make_directory, remove_directory)
	const struct CMUnitTest tests[] = {
		CASE(test_journal_reads_back_what_was_appended_after_reopening),
		CASE(test_journal_cuts_every_torn_tail_and_keeps_what_is_whole),
		CASE(test_journal_sets_a_damaged_record_aside_and_keeps_the_rest),
		CASE(test_journal_survives_a_damaged_length),
		CASE(test_journal_does_not_take_an_old_frame_at_another_place),
		CASE(test_journal_reads_from_a_position_and_across_segments),
		CASE(test_journal_reader_goes_on_while_the_writer_appends),
		CASE(test_journal_begins_behind_a_checkpoint_that_outlived_it),
		CASE(test_journal_tells_of_segments_that_are_missing),
		CASE(test_journal_tells_of_a_break_until_it_is_noted),
		CASE(test_journal_is_unchanged_by_an_append_that_fails),
		CASE(test_journal_starts_anew_when_the_last_segment_has_no_header),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
