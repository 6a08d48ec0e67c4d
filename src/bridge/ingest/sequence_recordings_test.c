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

#include "bridge/ingest/sequence_testing.h"
#include "core/buf.h"

#define RECORDINGS "tests/data/sequence"
#define RUNS_MAX   256
#define NEVER	   (-1)

enum if_lost { LOST_TOLD, LOST_NOTHING, LOST_UNCLEAR };

struct recorded_run {
	int64_t at_ms;
	uint64_t user, session, first, last;
	int request;
	enum if_lost if_lost;
};

struct recording {
	struct recorded_run runs[RUNS_MAX];
	size_t count;
	int requests;
	struct outcome whole;
};

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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
