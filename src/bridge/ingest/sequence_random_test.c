/* Processes made up at random, held against their known truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/ingest/sequence_testing.h"

static uint64_t random_state;

static uint64_t draw(uint64_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (random_state >> 33) % below;
}

#define PROCESSES      6
#define STARTUP_EVENTS 4 /* the first request of every recorded process holds at least as many */

/* The numbers of one request; at_ms: when it was sent. */
struct sent_run {
	int64_t at_ms;
	uint64_t user, session, first, last;
};

struct process {
	uint64_t user, session, next;
	uint64_t seen;	      /* the last session that something came of */
	struct sent_run late; /* session 0: none */
};

struct world {
	struct sequence *sequence;
	struct process processes[PROCESSES];
	uint64_t process_count, last_session;
	int64_t now_ms, lost;
	bool loses, is_parallel;
	struct outcome told;
};

static void send(struct world *w, const struct sent_run *run)
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
		struct sent_run phantom = { 0, p->user, p->session, 0,
			STARTUP_EVENTS - 1 + draw(2) };
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
	struct sent_run run = { w->now_ms, p->user, p->session, p->next, p->next + draw(6) };
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
		cmocka_unit_test(test_no_more_is_claimed_than_was_lost_whatever_the_processes_do),
		cmocka_unit_test(test_when_it_is_looked_at_makes_no_difference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
