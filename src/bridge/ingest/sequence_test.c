/* Single questions, each with the few runs that pose it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/ingest/sequence_testing.h"
#include "core/buf.h"

static int start(void **state)
{
	*state = sequence_new(100);
	return 0;
}

static int stop(void **state)
{
	sequence_free(*state);
	return 0;
}

static struct outcome expire_at(struct sequence *s, int64_t now_ms)
{
	struct outcome out = { 0 };
	sequence_expire(s, now_ms, note_lost, &out);
	return out;
}

static void test_a_gap_is_told_when_the_grace_period_is_over_and_once(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 0, 4, 1000);
	sequence_seen(s, USER, 1, 8, 9, 2000);
	struct outcome out = expire_at(s, 2000 + SEQUENCE_GRACE_MS - 1);
	assert_int_equal(out.lost[1], 0);
	out = expire_at(s, 2000 + SEQUENCE_GRACE_MS);
	assert_int_equal(out.lost[1], 3);
	out = expire_at(s, 9000 + SEQUENCE_GRACE_MS);
	assert_int_equal(out.lost[1], 0);
}

static void test_a_gap_filled_in_time_is_not_told(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 0, 4, 1000);
	sequence_seen(s, USER, 1, 8, 9, 2000);
	sequence_seen(s, USER, 1, 5, 7, 50000);
	struct outcome out = expire_at(s, 900000);
	assert_int_equal(out.lost[1], 0);
	assert_false(out.is_unknown[1]);
}

static void test_a_gap_filled_in_parts_leaves_the_middle(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 0, 0, 1000);
	sequence_seen(s, USER, 1, 11, 12, 2000);
	sequence_seen(s, USER, 1, 1, 3, 3000);
	sequence_seen(s, USER, 1, 8, 10, 4000);
	assert_int_equal(expire_at(s, 62000).lost[1], 4);
}

static void test_a_told_gap_that_is_filled_after_all_is_taken_back(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 0, 4, 1000);
	sequence_seen(s, USER, 1, 8, 9, 2000);
	assert_int_equal(expire_at(s, 62000).lost[1], 3);
	sequence_seen(s, USER, 1, 5, 6, 70000);
	assert_int_equal(expire_at(s, 71000).lost[1], -2);
}

static void test_a_process_first_seen_above_0_lost_its_beginning(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 5, 9, 1000);
	assert_int_equal(expire_at(s, 61000).lost[1], 5);
}

static void test_a_beginning_that_comes_late_is_not_lost(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 5, 9, 1000);
	sequence_seen(s, USER, 1, 0, 4, 9000);
	sequence_seen(s, USER, 1, 10, 12, 9500);
	struct outcome out = expire_at(s, 90000);
	assert_int_equal(out.lost[1], 0);
	assert_false(out.is_unknown[1]);
}

static void test_clear_continues_under_another_session_of_the_same_user(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 0, 30, 1000);
	sequence_seen(s, USER, 2, 31, 40, 2000);
	sequence_seen(s, USER, 3, 44, 45, 3000); /* 41 to 43 were lost around another /clear */
	sequence_seen(s, OTHER_USER, 4, 46, 47, 4000); /* someone else's beginning */
	struct outcome out = expire_at(s, 90000);
	assert_int_equal(out.lost[2], 0);
	assert_int_equal(out.lost[3], 3);
	assert_int_equal(out.lost[4], 46);
}

static void test_clear_that_overtakes_the_session_before_it_lost_nothing(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 0, 30, 1000);
	sequence_seen(s, USER, 2, 35, 40, 2000);
	sequence_seen(s, USER, 1, 31, 34, 9000);
	struct outcome out = expire_at(s, 90000);
	assert_int_equal(total(&out), 0);
	assert_false(has_unknown(&out));
}

static void test_clear_whose_past_comes_after_it_was_told_is_taken_back(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 0, 30, 1000);
	sequence_seen(s, USER, 2, 35, 40, 2000);
	assert_int_equal(expire_at(s, 62000).lost[2], 4);
	sequence_seen(s, USER, 1, 31, 34, 63000);
	assert_int_equal(expire_at(s, 64000).lost[2], -4);
}

static void test_two_processes_on_one_session_are_unknown_and_nothing_is_claimed(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 0, 4, 1000);
	sequence_seen(s, USER, 1, 0, 2, 2000);
	sequence_seen(s, USER, 1, 3, 7, 3000);
	sequence_seen(s, USER, 1, 5, 9, 4000);
	sequence_seen(s, USER, 1, 20, 25, 5000);
	struct outcome out = expire_at(s, 90000);
	assert_int_equal(out.lost[1], 0);
	assert_true(out.is_unknown[1]);
	out = expire_at(s, 91000);
	assert_false(out.is_unknown[1]); /* said once */
}

static void test_what_was_told_of_a_session_that_becomes_unknown_is_taken_back(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 0, 4, 1000);
	sequence_seen(s, USER, 1, 8, 9, 2000);
	assert_int_equal(expire_at(s, 62000).lost[1], 3);
	sequence_seen(s, USER, 1, 9, 12, 63000);
	struct outcome out = expire_at(s, 64000);
	assert_int_equal(out.lost[1], -3);
	assert_true(out.is_unknown[1]);
}

static void test_a_gap_that_an_older_process_would_make_smaller_is_unknown(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 0, 22, 1000);
	sequence_seen(s, USER, 1, 0, 6, 600000);
	sequence_seen(s, USER, 1, 26, 28, 700000); /* 3 lost of the one or 19 of the other */
	struct outcome out = expire_at(s, 900000);
	assert_int_equal(out.lost[1], 0);
	assert_true(out.is_unknown[1]);
}

static void test_numbers_of_a_resumed_process_or_of_a_retry_are_unknown(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 0, 4, 1000);
	sequence_seen(s, USER, 1, 8, 9, 2000);
	sequence_seen(s, USER, 1, 0, 4, 5000);
	sequence_seen(s, USER, 1, 5, 7, 9000); /* the resumed one goes on, or the gap is filled */
	struct outcome out = expire_at(s, 90000);
	assert_int_equal(out.lost[1], 0);
	assert_true(out.is_unknown[1]);
}

/* Session 2 is a /clear of session 1, and its numbers come in disorder; session 3 begins at that time, and its
 * first request ends just where the late one begins. */
static void test_disorder_that_looks_like_another_process_going_on_claims_nothing(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 0, 13, 500);
	sequence_seen(s, USER, 2, 18, 19, 1000);
	sequence_seen(s, USER, 3, 0, 13, 3000);
	sequence_seen(s, USER, 2, 14, 17, 6000);
	struct outcome out = expire_at(s, 90000);
	assert_int_equal(total(&out), 0);
	assert_true(out.is_unknown[2]);
}

static void test_disorder_before_the_session_goes_on_claims_nothing(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 0, 5, 500);
	sequence_seen(s, USER, 2, 7, 9, 1000);
	sequence_seen(s, USER, 3, 0, 5, 3000);
	sequence_seen(s, USER, 2, 6, 6, 5000);
	sequence_seen(s, USER, 2, 10, 14, 6000);
	struct outcome out = expire_at(s, 90000);
	assert_int_equal(total(&out), 0);
	assert_true(out.is_unknown[2]);
}

static void test_without_a_session_id_nothing_is_claimed(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 0, 0, 4, 1000);
	sequence_seen(s, USER, 0, 8, 9, 2000);
	sequence_seen(s, OTHER_USER, 0, 8, 9, 2000);
	struct outcome out = expire_at(s, 90000);
	assert_int_equal(total(&out), 0);
}

static void test_absurd_numbers_claim_nothing(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 0, 4, 1000);
	sequence_seen(s, USER, 1, UINT64_MAX - 1, UINT64_MAX, 1000);
	sequence_seen(s, USER, 1, 9, 5, 1000);
	sequence_seen(s, USER, 2, UINT64_C(1) << 50, (UINT64_C(1) << 50) + 1, 1000);
	sequence_seen(s, USER, 3, 0, 1, 1000);
	sequence_seen(s, USER, 3, UINT64_C(1) << 50, (UINT64_C(1) << 50) + 1, 1000);
	struct outcome out = expire_at(s, 90000);
	assert_int_equal(total(&out), 0);
	assert_false(out.is_unknown[1]);
	assert_true(out.is_unknown[3]);
}

static void test_chains_are_bounded_and_a_forgotten_one_that_returns_lost_nothing(void **state)
{
	(void)state;
	struct sequence *s = sequence_new(4);
	for (uint64_t session = 1; session <= 8; session++)
		sequence_seen(s, USER + session, session, 0, 9, 1000 * (int64_t)session);
	sequence_seen(s, USER + 1, 1, 10, 11, 20000);
	struct outcome out = expire_at(s, 90000);
	assert_int_equal(total(&out), 0);
	struct buf saved = BUF_INIT(BUF_UNLIMITED);
	sequence_save(s, &saved);
	assert_true(saved.len < 4 * 128 + 64);
	buf_clear(&saved);
	sequence_free(s);
}

static void test_a_session_resumed_many_times_is_bounded_and_still_watched(void **state)
{
	struct sequence *s = *state;
	int64_t at_ms = 0;
	for (int i = 0; i < 200; i++, at_ms += 1000000)
		sequence_seen(s, USER, 1, 0, 9, at_ms);
	sequence_seen(s, USER, 1, 10, 11, at_ms);
	sequence_seen(s, USER, 1, 15, 16, at_ms + 1000);
	struct outcome out = expire_at(s, at_ms + 61000);
	assert_int_equal(out.lost[1], 3);
	assert_false(out.is_unknown[1]);
	struct buf saved = BUF_INIT(BUF_UNLIMITED);
	sequence_save(s, &saved);
	assert_true(saved.len < 40 * 80);
	buf_clear(&saved);
}

static void test_gaps_are_bounded(void **state)
{
	struct sequence *s = *state;
	for (uint64_t i = 0; i < 1000; i++)
		sequence_seen(s, USER, 1, 2 * i, 2 * i, 1000);
	int64_t lost = expire_at(s, 90000).lost[1];
	assert_true(lost > 0 && lost < 100);
}

static void test_a_restored_state_with_fewer_chains_keeps_the_latest(void **state)
{
	struct sequence *s = *state;
	for (uint64_t session = 1; session <= 8; session++)
		sequence_seen(s, USER + session, session, 0, 9, 1000 * (int64_t)session);
	struct buf saved = BUF_INIT(BUF_UNLIMITED);
	sequence_save(s, &saved);
	struct sequence *small = sequence_restore(buf_slice(&saved), 2);
	assert_non_null(small);
	sequence_seen(small, USER + 8, 8, 12, 13, 20000);
	sequence_seen(small, USER + 1, 1, 12, 13, 20000);
	struct outcome out = expire_at(small, 90000);
	assert_int_equal(out.lost[8], 2);
	assert_int_equal(out.lost[1], 0);
	buf_clear(&saved);
	sequence_free(small);
}

static void test_a_damaged_state_is_refused(void **state)
{
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 0, 4, 1000);
	sequence_seen(s, USER, 1, 8, 9, 2000);
	struct buf saved = BUF_INIT(BUF_UNLIMITED);
	sequence_save(s, &saved);
	for (size_t len = 0; len < saved.len; len++)
		assert_null(sequence_restore(slice_of(saved.data, len), 100));
	for (size_t i = 0; i < saved.len; i++) {
		saved.data[i] ^= 0x40;
		assert_null(sequence_restore(buf_slice(&saved), 100));
		saved.data[i] ^= 0x40;
	}
	struct sequence *good = sequence_restore(buf_slice(&saved), 100);
	assert_non_null(good);
	sequence_free(good);
	buf_clear(&saved);
}

/* FNV-1a, as the state ends with it. */
static void sign(struct buf *saved)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t end = saved->len - 8;
	for (size_t i = 0; i < end; i++)
		hash = (hash ^ saved->data[i]) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < 8; i++)
		saved->data[end + i] = (unsigned char)(hash >> (8 * i));
}

static void ignore_lost(void *ctx, uint64_t session, int64_t count, bool is_unknown)
{
	(void)ctx;
	(void)session;
	(void)count;
	(void)is_unknown;
}

/* Each number of a state with a gap, in the order they are saved, made larger than any can be. */
static void test_a_signed_state_that_contradicts_itself_is_refused_or_harmless(void **state)
{
	static const struct {
		size_t number;
		const char *what;
	} refused[] = { { 0, "version" }, { 3, "chains" }, { 7, "next" }, { 8, "born" },
		{ 9, "last" }, { 10, "tick" }, { 13, "gaps" }, { 14, "gap's first" },
		{ 15, "gap's last" }, { 16, "gap's time" } };
	struct sequence *s = *state;
	sequence_seen(s, USER, 1, 0, 4, 1000);
	sequence_seen(s, USER, 1, 8, 9, 2000);
	struct buf saved = BUF_INIT(BUF_UNLIMITED);
	sequence_save(s, &saved);
	size_t next = 0;
	for (size_t number = 0; number < saved.len / 8 - 1; number++) {
		unsigned char kept[8];
		memcpy(kept, saved.data + number * 8, 8);
		memset(saved.data + number * 8, 0xff, 8);
		sign(&saved);
		struct sequence *restored = sequence_restore(buf_slice(&saved), 100);
		if (next < sizeof refused / sizeof *refused && refused[next].number == number) {
			if (restored)
				fail_msg("a wrong %s was taken", refused[next].what);
			next++;
		}
		if (restored) {
			sequence_seen(restored, USER, 1, 10, 12, 3000);
			sequence_expire(restored, 90000, ignore_lost, NULL);
		}
		sequence_free(restored);
		memcpy(saved.data + number * 8, kept, 8);
	}
	assert_int_equal(next, sizeof refused / sizeof *refused);
	buf_clear(&saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define QUESTION(name) cmocka_unit_test_setup_teardown(name, start, stop)
		QUESTION(test_a_gap_is_told_when_the_grace_period_is_over_and_once),
		QUESTION(test_a_gap_filled_in_time_is_not_told),
		QUESTION(test_a_gap_filled_in_parts_leaves_the_middle),
		QUESTION(test_a_told_gap_that_is_filled_after_all_is_taken_back),
		QUESTION(test_a_process_first_seen_above_0_lost_its_beginning),
		QUESTION(test_a_beginning_that_comes_late_is_not_lost),
		QUESTION(test_clear_continues_under_another_session_of_the_same_user),
		QUESTION(test_clear_that_overtakes_the_session_before_it_lost_nothing),
		QUESTION(test_clear_whose_past_comes_after_it_was_told_is_taken_back),
		QUESTION(test_two_processes_on_one_session_are_unknown_and_nothing_is_claimed),
		QUESTION(test_what_was_told_of_a_session_that_becomes_unknown_is_taken_back),
		QUESTION(test_a_gap_that_an_older_process_would_make_smaller_is_unknown),
		QUESTION(test_numbers_of_a_resumed_process_or_of_a_retry_are_unknown),
		QUESTION(test_disorder_that_looks_like_another_process_going_on_claims_nothing),
		QUESTION(test_disorder_before_the_session_goes_on_claims_nothing),
		QUESTION(test_without_a_session_id_nothing_is_claimed),
		QUESTION(test_absurd_numbers_claim_nothing),
		QUESTION(test_chains_are_bounded_and_a_forgotten_one_that_returns_lost_nothing),
		QUESTION(test_a_session_resumed_many_times_is_bounded_and_still_watched),
		QUESTION(test_gaps_are_bounded),
		QUESTION(test_a_restored_state_with_fewer_chains_keeps_the_latest),
		QUESTION(test_a_damaged_state_is_refused),
		QUESTION(test_a_signed_state_that_contradicts_itself_is_refused_or_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
