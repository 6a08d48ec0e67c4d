/* The bounded tables of the room: streams, request hashes, targets and sessions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/ingest/dedupe.h"
#include "bridge/ingest/sessions.h"
#include "bridge/ingest/streams.h"
#include "bridge/ingest/targets.h"
#include "bridge/journal/record.h"
#include "core/mem.h"

static struct op_stream stream(uint64_t key, uint64_t earliest_ns, int64_t time_ms)
{
	return (struct op_stream){ .key = { key, 1 },
		.earliest_ns = earliest_ns,
		.time_ms = time_ms,
		.value = (double)key };
}

static size_t entries_of(struct streams *s, uint64_t key)
{
	const uint64_t both[2] = { key, 1 };
	size_t cursor = 0, count = 0;
	while (streams_next(s, both, &cursor))
		count++;
	return count;
}

static void test_streams_are_found_while_the_table_grows(void **state)
{
	(void)state;
	struct streams *s = streams_new(5000);
	assert_int_equal(entries_of(s, 1), 0);
	for (uint64_t i = 1; i <= 3000; i++) {
		struct op_stream one = stream(i, i % 3, 1);
		streams_apply(s, &one);
	}
	assert_int_equal(streams_count(s), 3000);
	for (uint64_t i = 1; i <= 3000; i++)
		assert_int_equal(entries_of(s, i), 1);
	assert_int_equal(entries_of(s, 3001), 0);
	streams_free(s);
}

static void test_processes_of_one_key_have_an_entry_each(void **state)
{
	(void)state;
	struct streams *s = streams_new(5000);
	/* Keys that all want the same slot, three processes each. */
	for (uint64_t process = 1; process <= 3; process++) {
		for (uint64_t i = 1; i <= 50; i++) {
			struct op_stream one = stream(i << 32, process, 1);
			streams_apply(s, &one);
			streams_apply(s, &one);
		}
	}
	assert_int_equal(streams_count(s), 150);
	for (uint64_t i = 1; i <= 50; i++)
		assert_int_equal(entries_of(s, i << 32), 3);
	streams_free(s);
}

static void test_streams_past_the_maximum_are_refused(void **state)
{
	(void)state;
	struct streams *s = streams_new(2);
	struct op_stream a = stream(1, 1, 1), b = stream(2, 1, 1), c = stream(3, 1, 1);
	assert_non_null(streams_add(s, &a));
	assert_true(streams_have_room(s, 1));
	assert_non_null(streams_add(s, &b));
	assert_false(streams_have_room(s, 1));
	assert_null(streams_add(s, &c));
	streams_apply(s, &c);
	assert_int_equal(streams_count(s), 2);
	streams_free(s);
}

static void test_idle_streams_are_forgotten_and_others_kept(void **state)
{
	(void)state;
	struct streams *s = streams_new(5000);
	streams_expire(s, 10);
	for (uint64_t i = 1; i <= 1000; i++) {
		struct op_stream one = stream(i, 1, (int64_t)i);
		streams_apply(s, &one);
	}
	streams_expire(s, 501);
	assert_int_equal(streams_count(s), 500);
	assert_int_equal(entries_of(s, 500), 0);
	assert_int_equal(entries_of(s, 501), 1);
	streams_free(s);
}

static uint64_t mixed(uint64_t i)
{
	return (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static bool has(const struct dedupe *d, uint64_t i, int64_t now_ms)
{
	const uint64_t hash[2] = { mixed(i), i };
	return dedupe_has(d, hash, now_ms);
}

static void seen(struct dedupe *d, uint64_t i, int64_t now_ms)
{
	const uint64_t hash[2] = { mixed(i), i };
	dedupe_add(d, hash, now_ms);
}

static void test_hashes_are_remembered_for_a_quarter_to_half_an_hour(void **state)
{
	(void)state;
	struct dedupe *d = dedupe_new(DEDUPE_MAX);
	const int64_t begin_ms = 1000, minute_ms = 60000;
	assert_false(has(d, 0, begin_ms));
	for (uint64_t i = 0; i < 100; i++)
		seen(d, i, begin_ms + (int64_t)i * minute_ms);
	int64_t now_ms = begin_ms + 99 * minute_ms;
	for (uint64_t i = 85; i < 100; i++)
		assert_true(has(d, i, now_ms));
	for (uint64_t i = 0; i < 69; i++)
		assert_false(has(d, i, now_ms));
	assert_true(has(d, 99, now_ms + DEDUPE_WINDOW_MS - 1));
	assert_false(has(d, 99, now_ms + 2 * DEDUPE_WINDOW_MS));
	assert_int_equal(dedupe_shortened(d), 0);
	dedupe_free(d);
}

static void test_a_full_generation_ends_early_and_says_so(void **state)
{
	(void)state;
	struct dedupe *d = dedupe_new(3000);
	for (uint64_t i = 0; i < 7000; i++)
		seen(d, i, 1000);
	assert_true(has(d, 6999, 1000));
	assert_true(has(d, 3500, 1000));
	assert_false(has(d, 2000, 1000));
	assert_int_equal(dedupe_shortened(d), 2);
	dedupe_free(d);
}

static void test_a_hash_of_zero_is_a_hash(void **state)
{
	(void)state;
	struct dedupe *d = dedupe_new(DEDUPE_MAX);
	const uint64_t zero[2] = { 0, 0 };
	assert_false(dedupe_has(d, zero, 1000));
	dedupe_add(d, zero, 1000);
	assert_true(dedupe_has(d, zero, 1000));
	dedupe_free(d);
}

static void test_targets_are_found_while_the_table_grows(void **state)
{
	(void)state;
	struct targets *t = targets_new(5000);
	for (uint32_t i = 1; i <= 4000; i++) {
		struct target one = { .key = { i % 7, i }, .series = i };
		assert_int_equal(targets_put(t, &one)->series, i);
	}
	for (uint32_t i = 1; i <= 4000; i++)
		assert_int_equal(targets_find(t, i % 7, i)->series, i);
	assert_null(targets_find(t, 1, 4001));
	targets_free(t);
}

static void test_a_full_cache_of_targets_is_emptied(void **state)
{
	(void)state;
	struct targets *t = targets_new(100);
	for (uint32_t i = 1; i <= 101; i++) {
		struct target one = { .key = { mixed(i), i }, .series = i };
		targets_put(t, &one);
	}
	assert_null(targets_find(t, mixed(1), 1));
	assert_int_equal(targets_find(t, mixed(101), 101)->series, 101);
	targets_clear(t);
	assert_null(targets_find(t, mixed(101), 101));
	targets_free(t);
}

static struct session *learn(struct sessions *s, int i, const char *user)
{
	AUTO(str) char *text = mem_printf("session-%d", i);
	return sessions_learn(s, slice_str(text), slice_str(user), slice_str(""), slice_str("2.1"));
}

static void test_sessions_learn_what_they_did_not_know(void **state)
{
	(void)state;
	struct sessions *s = sessions_new();
	struct session *one = learn(s, 1, "");
	assert_null(one->user);
	assert_string_equal(one->version, "2.1");
	one->segment = 5;
	one = learn(s, 1, "");
	assert_int_equal(one->segment, 5);
	one = learn(s, 1, "a@b.example");
	assert_string_equal(one->user, "a@b.example");
	assert_int_equal(one->segment, 0); /* to be defined again */
	one = learn(s, 1, "other@b.example");
	assert_string_equal(one->user, "a@b.example");
	assert_int_equal(sessions_count(s), 1);
	sessions_free(s);
}

static void test_thousands_of_sessions_are_found_and_idle_ones_forgotten(void **state)
{
	(void)state;
	struct sessions *s = sessions_new();
	for (int i = 0; i < 3000; i++)
		learn(s, i, "u")->last_ms = i;
	assert_int_equal(sessions_count(s), 3000);
	sessions_expire(s, 1000);
	assert_int_equal(sessions_count(s), 2000);
	assert_null(sessions_find(s, record_session_hash(SLICE_LIT("session-999"))));
	const struct session *kept =
		sessions_find(s, record_session_hash(SLICE_LIT("session-1000")));
	assert_non_null(kept);
	assert_string_equal(kept->text, "session-1000");
	sessions_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams_are_found_while_the_table_grows),
		cmocka_unit_test(test_processes_of_one_key_have_an_entry_each),
		cmocka_unit_test(test_streams_past_the_maximum_are_refused),
		cmocka_unit_test(test_idle_streams_are_forgotten_and_others_kept),
		cmocka_unit_test(test_hashes_are_remembered_for_a_quarter_to_half_an_hour),
		cmocka_unit_test(test_a_full_generation_ends_early_and_says_so),
		cmocka_unit_test(test_a_hash_of_zero_is_a_hash),
		cmocka_unit_test(test_targets_are_found_while_the_table_grows),
		cmocka_unit_test(test_a_full_cache_of_targets_is_emptied),
		cmocka_unit_test(test_sessions_learn_what_they_did_not_know),
		cmocka_unit_test(test_thousands_of_sessions_are_found_and_idle_ones_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
