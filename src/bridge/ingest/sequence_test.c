/* Sequence numbers as the real client sent them: tests/data/sequence/<recording>.txt, a line per run,
 *
 *     at_ms user session first last if_lost
 *
 * where runs of one at_ms are one request, session 0 is none, and if_lost says what must be reported when
 * this request never arrives: `told` exactly its numbers, `nothing` (the end of a process, came twice, no
 * session id), `unclear` (a process resumed within the minute): never more than its numbers, or unknown.
 * Lines `= session count` and `= session unknown` say what the whole recording gives; without, nothing. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/ingest/sequence.h"
#include "core/buf.h"

#define RECORDINGS   "tests/data/sequence"
#define RUNS_MAX     256
#define SESSIONS_MAX 16
#define NEVER	     (-1)

enum if_lost { LOST_TOLD, LOST_NOTHING, LOST_UNCLEAR };

struct recorded_run {
	int64_t at_ms;
	uint64_t user, session, first, last;
	int request;
	enum if_lost if_lost;
};

struct outcome {
	int64_t lost[SESSIONS_MAX];
	bool is_unknown[SESSIONS_MAX];
};

struct recording {
	struct recorded_run runs[RUNS_MAX];
	size_t count;
	int requests;
	struct outcome whole;
};

static void note_lost(void *ctx, uint64_t session, int64_t count, bool is_unknown)
{
	struct outcome *outcome = ctx;
	assert_true(session < SESSIONS_MAX);
	outcome->lost[session] += count;
	outcome->is_unknown[session] |= is_unknown;
}

static int64_t total(const struct outcome *outcome)
{
	int64_t sum = 0;
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		sum += outcome->lost[i];
	return sum;
}

static bool has_unknown(const struct outcome *outcome)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (outcome->is_unknown[i])
			return true;
	}
	return false;
}

static bool same_outcome(const struct outcome *a, const struct outcome *b)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (a->lost[i] != b->lost[i] || a->is_unknown[i] != b->is_unknown[i])
			return false;
	}
	return true;
}

/* ---- reading recordings ---- */

static void read_line(struct recording *r, const char *line, const char *name)
{
	unsigned long long user, session, first, last;
	long long at_ms, count;
	char word[16];
	if (sscanf(line, "= %llu %lld", &session, &count) == 2) {
		r->whole.lost[session] = count;
		return;
	}
	if (sscanf(line, "= %llu unknown", &session) == 1) {
		r->whole.is_unknown[session] = true;
		return;
	}
	if (sscanf(line, "%lld %llu %llu %llu %llu %15s", &at_ms, &user, &session, &first, &last,
		    word) != 6)
		fail_msg("%s: not a run: %s", name, line);
	assert_true(r->count < RUNS_MAX && session < SESSIONS_MAX);
	struct recorded_run *run = &r->runs[r->count];
	*run = (struct recorded_run){ at_ms, user, session, first, last, r->requests, LOST_TOLD };
	if (r->count && run[-1].at_ms != at_ms)
		run->request = ++r->requests;
	if (strcmp(word, "told") != 0)
		run->if_lost = strcmp(word, "nothing") == 0 ? LOST_NOTHING : LOST_UNCLEAR;
	r->count++;
}

static void read_recording(struct recording *r, const char *name)
{
	char path[512], line[256];
	snprintf(path, sizeof path, RECORDINGS "/%s", name);
	FILE *file = fopen(path, "r");
	if (!file)
		fail_msg("cannot open %s", path);
	memset(r, 0, sizeof *r);
	while (fgets(line, sizeof line, file))
		read_line(r, line, name);
	fclose(file);
	r->requests++;
}

typedef void (*recording_fn)(const struct recording *r, const char *name);

static void each_recording(recording_fn check)
{
	struct dirent **names;
	int count = scandir(RECORDINGS, &names, NULL, alphasort);
	int seen = 0;
	struct recording r;
	for (int i = 0; i < count; i++) {
		if (strstr(names[i]->d_name, ".txt")) {
			read_recording(&r, names[i]->d_name);
			check(&r, names[i]->d_name);
			seen++;
		}
		free(names[i]);
	}
	free(names);
	assert_true(seen >= 44);
}

/* ---- playing them ---- */

struct play {
	int drop, repeat,
		late;  /* a request that never, or twice, or 20 s late arrives; NEVER: none */
	bool is_saved; /* saved and restored behind every run */
};

static struct sequence *save_and_restore(struct sequence *s)
{
	struct buf saved = BUF_INIT(BUF_UNLIMITED);
	sequence_save(s, &saved);
	struct sequence *restored = sequence_restore(buf_slice(&saved), 100);
	assert_non_null(restored);
	struct buf again = BUF_INIT(BUF_UNLIMITED);
	sequence_save(restored, &again);
	assert_true(slice_eq(buf_slice(&saved), buf_slice(&again)));
	buf_clear(&saved);
	buf_clear(&again);
	sequence_free(s);
	return restored;
}

static void play_request(struct sequence **s, const struct recording *r, int request, bool is_saved,
	struct outcome *out)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct recorded_run *run = &r->runs[i];
		if (run->request != request)
			continue;
		sequence_expire(*s, run->at_ms, note_lost, out);
		sequence_seen(*s, run->user, run->session, run->first, run->last, run->at_ms);
		if (is_saved)
			*s = save_and_restore(*s);
	}
}

static struct outcome play(const struct recording *r, const struct play *how)
{
	struct outcome out = { 0 };
	struct sequence *s = sequence_new(100);
	for (int request = 0; request < r->requests; request++) {
		if (request != how->drop && request != how->late)
			play_request(&s, r, request, how->is_saved, &out);
		if (request == how->repeat)
			play_request(&s, r, request, how->is_saved, &out);
	}
	if (how->late != NEVER)
		play_request(&s, r, how->late, how->is_saved, &out);
	sequence_expire(s, r->runs[r->count - 1].at_ms + SEQUENCE_GRACE_MS, note_lost, &out);
	sequence_free(s);
	return out;
}

#define AS_RECORDED                                           \
	{                                                     \
		.drop = NEVER, .repeat = NEVER, .late = NEVER \
	}

static void check_whole(const struct recording *r, const char *name)
{
	struct play how = AS_RECORDED;
	struct outcome out = play(r, &how);
	if (!same_outcome(&out, &r->whole))
		fail_msg("%s: %lld lost", name, (long long)total(&out));
}

static void test_complete_recordings_lost_nothing_and_broken_ones_what_they_lost(void **state)
{
	(void)state;
	each_recording(check_whole);
}

static void check_saved(const struct recording *r, const char *name)
{
	struct play how = AS_RECORDED;
	how.is_saved = true;
	struct outcome out = play(r, &how);
	if (!same_outcome(&out, &r->whole))
		fail_msg("%s: other answers after a restart", name);
}

static void test_a_restart_after_any_run_changes_no_answer(void **state)
{
	(void)state;
	each_recording(check_saved);
}

static int64_t numbers_of(const struct recording *r, int request, enum if_lost *if_lost)
{
	int64_t numbers = 0;
	for (size_t i = 0; i < r->count; i++) {
		if (r->runs[i].request != request)
			continue;
		numbers += (int64_t)(r->runs[i].last - r->runs[i].first + 1);
		*if_lost = r->runs[i].if_lost;
	}
	return numbers;
}

static void check_dropped(const struct recording *r, const char *name)
{
	struct play how = AS_RECORDED;
	for (how.drop = 0; how.drop < r->requests; how.drop++) {
		enum if_lost if_lost = LOST_TOLD;
		int64_t numbers = numbers_of(r, how.drop, &if_lost);
		struct outcome out = play(r, &how);
		int64_t lost = total(&out) - total(&r->whole);
		if (lost > numbers || lost < 0 || (if_lost == LOST_TOLD && lost != numbers) ||
			(if_lost == LOST_NOTHING && lost != 0))
			fail_msg("%s: request %d has %lld numbers, %lld told", name, how.drop,
				(long long)numbers, (long long)lost);
		if (if_lost != LOST_UNCLEAR && has_unknown(&out) && !has_unknown(&r->whole))
			fail_msg("%s: unknown without request %d", name, how.drop);
	}
}

static void
test_a_request_that_never_came_is_missing_exactly_or_where_it_cannot_be_told_not_claimed(
	void **state)
{
	(void)state;
	each_recording(check_dropped);
}

/* Retries of refused requests, all counted as seen: a further repetition looks like two processes. */
static bool has_repetition(const struct recording *r)
{
	for (size_t i = 1; i < r->count; i++) {
		const struct recorded_run *a = &r->runs[i - 1], *b = &r->runs[i];
		if (a->session == b->session && a->first == b->first && a->last == b->last)
			return true;
	}
	return false;
}

static void check_repeated(const struct recording *r, const char *name)
{
	struct play how = AS_RECORDED;
	for (how.repeat = 0; how.repeat < r->requests; how.repeat++) {
		struct outcome out = play(r, &how);
		bool is_same = has_repetition(r) ? total(&out) == total(&r->whole)
						 : same_outcome(&out, &r->whole);
		if (!is_same)
			fail_msg("%s: request %d twice makes a difference", name, how.repeat);
	}
}

static void test_a_request_that_comes_twice_changes_nothing(void **state)
{
	(void)state;
	each_recording(check_repeated);
}

/* The request is the last of all, and in time: nothing may be claimed lost for it. */
static void check_late(const struct recording *r, const char *name)
{
	struct play how = AS_RECORDED;
	for (how.late = 0; how.late < r->requests; how.late++) {
		struct outcome out = play(r, &how);
		if (total(&out) > total(&r->whole))
			fail_msg("%s: request %d came late and is claimed lost", name, how.late);
	}
}

static void test_a_request_that_comes_last_is_not_lost(void **state)
{
	(void)state;
	each_recording(check_late);
}

/* ---- single questions ---- */

enum { USER = 7, OTHER_USER = 8 };

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

/* ---- processes made up at random, by their known truth ---- */

static uint64_t random_state;

static uint64_t draw(uint64_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (random_state >> 33) % below;
}

#define PROCESSES      6
#define STARTUP_EVENTS 4 /* the first request of every recorded process holds at least as many */

struct process {
	uint64_t user, session, next;
	uint64_t seen;		  /* the last session that something came of */
	struct recorded_run late; /* session 0: none */
};

struct world {
	struct sequence *sequence;
	struct process processes[PROCESSES];
	uint64_t process_count, last_session;
	int64_t now_ms, lost;
	bool loses, is_parallel;
	struct outcome told;
};

static void send(struct world *w, const struct recorded_run *run)
{
	sequence_seen(w->sequence, run->user, run->session, run->first, run->last, w->now_ms);
}

static void deliver_late(struct world *w, struct process *p)
{
	if (p->late.session)
		send(w, &p->late);
	p->late.session = 0;
}

/* Nothing comes more than 9 seconds late. */
static void advance(struct world *w, int64_t by_ms)
{
	int64_t until_ms = w->now_ms + by_ms;
	for (;;) {
		struct process *due = NULL;
		for (size_t i = 0; i < PROCESSES; i++) {
			struct process *p = &w->processes[i];
			if (p->late.session && until_ms - p->late.at_ms > 9000 &&
				(!due || p->late.at_ms < due->late.at_ms))
				due = p;
		}
		if (!due)
			break;
		w->now_ms = due->late.at_ms + 9000;
		deliver_late(w, due);
	}
	w->now_ms = until_ms;
}

/* A user's n-th session. */
static uint64_t session_id(const struct process *p, uint64_t n)
{
	return n * 16 + p->user;
}

/* A new process: of a session of its own, resuming another's, or continuing one behind start-up events that
 * came under a session of their own. Not while an old one runs on the same session, unless is_parallel. */
static void begin_process(struct world *w, struct process *p)
{
	uint64_t old_session = p->session, old_next = p->next;
	deliver_late(w, p);
	advance(w, 1000);
	p->session = session_id(p, ++w->last_session);
	p->next = 0;
	uint64_t how = draw(4);
	const struct process *other = &w->processes[draw(w->process_count)];
	if (how == 0 && w->is_parallel && other->seen && other->user == p->user) {
		p->session = other->seen;
	} else if (how == 1 && old_session) {
		p->session = old_session;
	} else if (how == 2 && old_session && old_next > 5 + STARTUP_EVENTS) {
		/* a session that can be continued holds more than start-up events */
		struct recorded_run phantom = { 0, p->user, p->session, 0,
			STARTUP_EVENTS - 1 + draw(2), 0, LOST_TOLD };
		send(w, &phantom);
		p->next = phantom.last + 1;
		p->session = old_session;
	}
}

static void one_request(struct world *w)
{
	struct process *p = &w->processes[draw(w->process_count)];
	advance(w, (int64_t)draw(draw(10) == 0 ? 200000 : 4000));
	if (p->session == 0 || draw(12) == 0)
		begin_process(w, p);
	else if (draw(12) == 0)
		p->session = session_id(p, ++w->last_session); /* clear */
	struct recorded_run run = { w->now_ms, p->user, p->session, p->next, p->next + draw(6), 0,
		LOST_TOLD };
	if (p->next == 0)
		run.last += STARTUP_EVENTS - 1;
	p->next = run.last + 1;
	if (w->loses && draw(8) == 0)
		w->lost += (int64_t)(run.last - run.first + 1);
	else if (draw(8) == 0 && !p->late.session)
		p->late = run;
	else {
		send(w, &run);
		p->seen = p->session;
	}
}

static void count_lost(void *ctx, uint64_t session, int64_t count, bool is_unknown)
{
	struct outcome *told = ctx;
	told->lost[0] += count;
	told->is_unknown[0] |= is_unknown;
	(void)session;
}

static struct world one_world(uint64_t seed, bool is_parallel, int look_every)
{
	random_state = seed;
	struct world w = { .sequence = sequence_new(200), .is_parallel = is_parallel };
	w.process_count = 1 + draw(PROCESSES);
	uint64_t users = 1 + draw(3);
	for (size_t i = 0; i < PROCESSES; i++)
		w.processes[i].user = USER + i % users;
	w.loses = draw(2);
	for (int step = 0; step < 60; step++) {
		one_request(&w);
		if (step % look_every == 0)
			sequence_expire(w.sequence, w.now_ms, count_lost, &w.told);
	}
	for (size_t i = 0; i < PROCESSES; i++)
		deliver_late(&w, &w.processes[i]);
	sequence_expire(w.sequence, w.now_ms + SEQUENCE_GRACE_MS, count_lost, &w.told);
	sequence_free(w.sequence);
	return w;
}

static void test_no_more_is_claimed_than_was_lost_whatever_the_processes_do(void **state)
{
	(void)state;
	int64_t lost = 0, told = 0;
	for (uint64_t seed = 1; seed <= 20000; seed++) {
		struct world w = one_world(seed, seed % 2, 1);
		if (w.told.lost[0] > w.lost || w.told.lost[0] < 0)
			fail_msg("world %llu: %lld lost, %lld told", (unsigned long long)seed,
				(long long)w.lost, (long long)w.told.lost[0]);
		lost += w.lost;
		told += w.told.lost[0];
	}
	print_message("%lld lost, %lld told\n", (long long)lost, (long long)told);
	assert_true(told > lost / 4);
}

static void test_when_it_is_looked_at_makes_no_difference(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3000; seed++) {
		struct world often = one_world(seed, seed % 2, 1);
		struct world rarely = one_world(seed, seed % 2, 17);
		assert_true(same_outcome(&often.told, &rarely.told));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_complete_recordings_lost_nothing_and_broken_ones_what_they_lost),
		cmocka_unit_test(test_a_restart_after_any_run_changes_no_answer),
		cmocka_unit_test(
			test_a_request_that_never_came_is_missing_exactly_or_where_it_cannot_be_told_not_claimed),
		cmocka_unit_test(test_a_request_that_comes_twice_changes_nothing),
		cmocka_unit_test(test_a_request_that_comes_last_is_not_lost),
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
		cmocka_unit_test(test_no_more_is_claimed_than_was_lost_whatever_the_processes_do),
		cmocka_unit_test(test_when_it_is_looked_at_makes_no_difference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
