/* Chains, gaps, and the decision where a run of numbers belongs.
 *
 * What the recordings show of event.sequence (2.1.328 and 2.1.331): every request is one run without holes,
 * of one session, except that `--continue` puts its start-up events under a session of its own and may go
 * on under the real one in the same request. /clear goes on under a new session. A resumed session is a new
 * process from 0 on the same id. Requests of one process never overlap; a retry may come after newer ones.
 *
 * So within a session a run is, in this order: the start of a process, what its latest chain expects, the
 * late filling of a gap, the continuation of a process that began under another id, what an older chain
 * expects (two processes at once, or the first run had come twice), a gap, or a repetition. Whenever two
 * readings differ in what was lost, the session becomes unknown. As a last check, a gap counts only if no
 * other chain of the session lived at the same time.
 *
 * A session that begins above 0 is judged when the grace period is over, by what its user's other chains
 * have reached by then: /clear explains it if one ends right before it; else the numbers from the nearest
 * such end are missing at least.
 *
 * Rejected: telling processes apart by client port or start time (proxies and batching hide the one, log
 * records do not carry the other), and keeping every number seen (unbounded).
 */
#include "bridge/ingest/sequence.h"

#include <stdlib.h>

#include "core/mem.h"

#define GAPS_MAX	   16
#define SESSION_CHAINS_MAX 32
#define GAP_LENGTH_MAX	   UINT64_C(1000000) /* a longer one is no loss but a number from nowhere */
#define NUMBER_MAX	   (UINT64_C(1) << 53)
#define TIME_MAX_MS	   (INT64_C(1) << 53)
#define TOLD_KEPT_MS	   INT64_C(900000)     /* how long a reported gap may still be filled */
#define RETRY_MS	   INT64_C(15000)      /* the client gives up after some ten seconds */
#define ALIVE_MS	   INT64_C(2592000000) /* 30 days: a process idle for longer is over */
#define NONE		   UINT32_MAX
#define BUCKETS_MAX	   4096u
#define SAVED_MAGIC	   UINT64_C(0x0131514553544343) /* "CCTSEQ1" and the version, 1 */
#define SAVED_CHAIN_SIZE   (10 * 8)
#define SAVED_GAP_SIZE	   (4 * 8)
#define SAVED_HEAD_SIZE	   (4 * 8)

struct gap {
	uint64_t lo, hi;
	int64_t since_ms;
	bool is_begin; /* the numbers before the first one seen of the session */
	bool is_told;
};

struct chain {
	uint64_t user, session;
	uint64_t start, next; /* numbers from start to next - 1, less the gaps */
	int64_t born_ms, last_ms;
	uint64_t tick; /* of its latest run: orders the chains */
	uint64_t told; /* events reported lost, net */
	int64_t owed;  /* to be reported with the next expire */
	struct gap *gaps;
	uint32_t gap_count;
	uint32_t link;	   /* the next chain of its bucket */
	bool is_extended;  /* more than its first run was seen */
	bool is_tentative; /* repeated numbers: came twice, or a process whose beginning was lost */
	bool is_explained; /* begins above 0 where another session ends */
	bool is_settled;   /* tentative, and the session went on without it */
	bool is_taken;	   /* its process went on under an existing session */
	bool is_unknown;   /* stands for the whole session */
	bool is_unknown_due; /* not reported yet */
};

struct sequence {
	struct chain *chains;
	size_t count, room;
	unsigned chains_max;
	uint32_t *buckets;
	uint32_t bucket_count; /* a power of two */
	uint64_t tick;
	int64_t unsure_until_ms; /* until then a chain that was dropped may come back */
	int64_t due_ms;		 /* before it no gap is to be judged or forgotten */
	bool has_news;		 /* some chain has something to report */
	bool has_told_begin;	 /* some chain has a beginning that was reported lost */
};

struct run {
	uint64_t user, session, first, last;
	int64_t at_ms;
};

/* Differences of times do not overflow. */
static bool is_time(int64_t ms)
{
	return ms >= 0 && ms < TIME_MAX_MS;
}

/* ---- the set of chains ---- */

static uint32_t *bucket_of(const struct sequence *s, uint64_t session)
{
	uint64_t mixed = session * UINT64_C(0x9e3779b97f4a7c15);
	return &s->buckets[(mixed >> 32) & (s->bucket_count - 1)];
}

static void chain_link(struct sequence *s, uint32_t i)
{
	uint32_t *head = bucket_of(s, s->chains[i].session);
	s->chains[i].link = *head;
	*head = i;
}

static void chain_unlink(struct sequence *s, uint32_t i)
{
	uint32_t *at = bucket_of(s, s->chains[i].session);
	while (*at != i)
		at = &s->chains[*at].link;
	*at = s->chains[i].link;
}

/* Moves the last chain into the free place: pointers to chains are void afterwards. */
static void chain_remove(struct sequence *s, struct chain *c)
{
	uint32_t i = (uint32_t)(c - s->chains), last = (uint32_t)(s->count - 1);
	free(c->gaps);
	chain_unlink(s, i);
	if (i != last) {
		chain_unlink(s, last);
		s->chains[i] = s->chains[last];
		chain_link(s, i);
	}
	s->count--;
}

static struct chain *chain_from(const struct sequence *s, uint32_t i, uint64_t session)
{
	while (i != NONE && s->chains[i].session != session)
		i = s->chains[i].link;
	return i == NONE ? NULL : &s->chains[i];
}

static struct chain *session_first(const struct sequence *s, uint64_t session)
{
	return chain_from(s, *bucket_of(s, session), session);
}

static struct chain *session_next(const struct sequence *s, const struct chain *c)
{
	return chain_from(s, c->link, c->session);
}

/* The chain of the session that moved last. */
static struct chain *session_current(const struct sequence *s, uint64_t session)
{
	struct chain *current = NULL;
	for (struct chain *c = session_first(s, session); c; c = session_next(s, c)) {
		if (!c->is_tentative && (!current || c->tick > current->tick))
			current = c;
	}
	return current;
}

static bool has_news(const struct chain *c)
{
	return c->owed != 0 || c->is_unknown_due;
}

/* Chains go in this order: those without news first, then those idle longest. */
static uint64_t drop_order(const struct chain *c)
{
	return c->tick | (has_news(c) ? UINT64_C(1) << 63 : 0);
}

static int compare_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* Forgets the chains that are idle longest, at least `count`. */
static void drop_idle(struct sequence *s, size_t count)
{
	uint64_t *orders = mem_calloc(s->count, sizeof *orders);
	for (size_t i = 0; i < s->count; i++)
		orders[i] = drop_order(&s->chains[i]);
	qsort(orders, s->count, sizeof *orders, compare_order);
	uint64_t last = orders[count - 1];
	free(orders);
	for (size_t i = 0; i < s->count;) {
		struct chain *c = &s->chains[i];
		if (drop_order(c) > last) {
			i++;
			continue;
		}
		if (c->last_ms + ALIVE_MS > s->unsure_until_ms)
			s->unsure_until_ms = c->last_ms + ALIVE_MS;
		chain_remove(s, c); /* another one stands here now */
	}
}

static struct chain *chain_add(struct sequence *s, const struct chain *model)
{
	if (s->count >= s->chains_max)
		drop_idle(s, 1 + s->count / 8); /* several at once: it costs a sort */
	s->chains = mem_grow(s->chains, &s->room, s->count + 1, sizeof *s->chains);
	struct chain *c = &s->chains[s->count];
	*c = *model;
	chain_link(s, (uint32_t)s->count++);
	return c;
}

/* A session that is resumed again and again does not crowd out the others; repetitions go first. */
static void prune_session(struct sequence *s, uint64_t session)
{
	struct chain *oldest = NULL;
	unsigned count = 0;
	for (struct chain *c = session_first(s, session); c; c = session_next(s, c)) {
		count++;
		if (!oldest || c->is_tentative > oldest->is_tentative ||
			(c->is_tentative == oldest->is_tentative && c->tick < oldest->tick))
			oldest = c;
	}
	if (count >= SESSION_CHAINS_MAX)
		chain_remove(s, oldest);
}

/* A chain that holds the run. */
static struct chain *chain_begin(struct sequence *s, const struct run *run)
{
	prune_session(s, run->session);
	return chain_add(s, &(struct chain){
				    .user = run->user,
				    .session = run->session,
				    .start = run->first,
				    .next = run->last + 1,
				    .born_ms = run->at_ms,
				    .last_ms = run->at_ms,
				    .tick = ++s->tick,
			    });
}

static void chain_touch(struct sequence *s, struct chain *c, const struct run *run)
{
	c->user = run->user;
	c->tick = ++s->tick;
	if (run->at_ms > c->last_ms)
		c->last_ms = run->at_ms;
}

/* ---- gaps ---- */

static void gap_remove(struct chain *c, size_t i)
{
	c->gaps[i] = c->gaps[--c->gap_count];
}

static void note_due(struct sequence *s, const struct gap *g)
{
	int64_t due_ms = g->since_ms + (g->is_told ? TOLD_KEPT_MS : SEQUENCE_GRACE_MS);
	s->due_ms = due_ms < s->due_ms ? due_ms : s->due_ms;
}

static void gap_add(struct sequence *s, struct chain *c, const struct gap *gap)
{
	if (!c->gaps)
		c->gaps = mem_calloc(GAPS_MAX, sizeof *c->gaps);
	if (c->gap_count == GAPS_MAX) {
		size_t oldest = 0;
		for (size_t i = 1; i < GAPS_MAX; i++) {
			if (c->gaps[i].since_ms < c->gaps[oldest].since_ms)
				oldest = i;
		}
		gap_remove(c, oldest);
	}
	c->gaps[c->gap_count++] = *gap;
	s->has_told_begin |= gap->is_begin && gap->is_told;
	note_due(s, gap);
}

static void take_back(struct sequence *s, struct chain *c, uint64_t count)
{
	if (count > c->told)
		count = c->told;
	c->told -= count;
	c->owed -= (int64_t)count;
	s->has_news = true;
}

/* From now on one chain stands for the session; what was reported of it is taken back. */
static void make_unknown(struct sequence *s, uint64_t session)
{
	struct chain merged = { .session = session, .is_unknown = true, .is_unknown_due = true };
	struct chain *c = session_first(s, session);
	merged.born_ms = c->born_ms;
	for (; (c = session_first(s, session)); chain_remove(s, c)) {
		merged.owed += c->owed - (int64_t)c->told;
		merged.born_ms = c->born_ms < merged.born_ms ? c->born_ms : merged.born_ms;
		if (c->tick >= merged.tick) {
			merged.tick = c->tick;
			merged.user = c->user;
			merged.last_ms = c->last_ms;
		}
		merged.next = c->next > merged.next ? c->next : merged.next;
	}
	chain_add(s, &merged);
	s->has_news = true;
}

/* The numbers below are another session's of the same user, if this one goes on where that ended: the end
 * nearest below its first number. UINT64_MAX: cannot be told. */
static uint64_t begin_floor(
	const struct sequence *s, const struct chain *chain, const struct gap *g)
{
	uint64_t floor = 0;
	for (size_t i = 0; i < s->count; i++) {
		const struct chain *c = &s->chains[i];
		if (c->user != chain->user || c->session == chain->session || c->is_taken ||
			g->since_ms - c->last_ms > ALIVE_MS || c->born_ms - g->since_ms > RETRY_MS)
			continue;
		if (c->is_unknown)
			return UINT64_MAX;
		if (c->next <= chain->start && c->next > floor)
			floor = c->next;
	}
	return floor;
}

/* The run lies inside gap i: what remains of it is up to two gaps. The chain does not count as having moved:
 * a late filling says nothing of which process is at work now. */
static void gap_fill(struct sequence *s, struct chain *c, size_t i, const struct run *run)
{
	struct gap before = c->gaps[i], after = c->gaps[i];
	bool has_before = run->first > before.lo, has_after = run->last < after.hi;
	before.hi = run->first - 1;
	after.lo = run->last + 1;
	if (before.is_begin &&
		((has_before && has_after) || begin_floor(s, c, &before) > run->first)) {
		make_unknown(s, c->session); /* no beginning comes like that: another process */
		return;
	}
	if (before.is_told)
		take_back(s, c, run->last - run->first + 1);
	gap_remove(c, i);
	if (has_before)
		gap_add(s, c, &before);
	if (has_after)
		gap_add(s, c, &after);
}

enum gap_choice {
	GAP_FRESH,   /* between numbers seen, not told yet */
	GAP_BETWEEN, /* between numbers seen */
	GAP_ANY,
};

/* A beginning comes late in parts only while it is not told; after that, what begins at 0 is the beginning if
 * it is the whole of it, else a resumed process. */
static bool may_fill(const struct gap *g, const struct run *run, enum gap_choice which)
{
	if (run->first < g->lo || run->last > g->hi)
		return false;
	if (g->is_begin)
		return which == GAP_ANY && (!g->is_told || run->first > 0 || run->last == g->hi);
	return which != GAP_FRESH || !g->is_told;
}

static bool fill(struct sequence *s, struct chain *c, const struct run *run, enum gap_choice which)
{
	for (size_t i = 0; i < c->gap_count; i++) {
		if (!may_fill(&c->gaps[i], run, which))
			continue;
		gap_fill(s, c, i, run);
		return true;
	}
	return false;
}

static bool fill_any(struct sequence *s, const struct run *run, const struct chain *current)
{
	for (struct chain *c = session_first(s, run->session); c; c = session_next(s, c)) {
		if (fill(s, c, run, c == current ? GAP_ANY : GAP_BETWEEN))
			return true;
	}
	return false;
}

/* ---- where a run belongs ---- */

/* Another session of this user that begins behind this very place, and was reported for want of it. */
static void explain_begins(struct sequence *s, const struct run *run)
{
	for (size_t i = 0; s->has_told_begin && i < s->count; i++) {
		struct chain *c = &s->chains[i];
		if (c->user != run->user || c->session == run->session)
			continue;
		for (size_t k = 0; k < c->gap_count; k++) {
			struct gap *g = &c->gaps[k];
			if (!g->is_begin || !g->is_told || g->lo != run->first ||
				run->last > g->hi || (run->first == 0 && run->last != g->hi))
				continue;
			take_back(s, c, run->last - run->first + 1);
			g->lo = run->last + 1;
			if (g->lo > g->hi)
				gap_remove(c, k);
			break;
		}
	}
}

/* Repeated numbers that end where the run begins did come twice: their chain went on. Those that begin where
 * it now ends were its own, overtaking. */
static void settle_tentative(struct sequence *s, struct chain *c, const struct run *run)
{
	for (struct chain *t = session_first(s, c->session); t; t = session_next(s, t)) {
		if (t == c || !t->is_tentative || t->is_settled)
			continue;
		if (t->next == run->first)
			t->is_settled = true;
		if (t->start == c->next && run->at_ms - t->last_ms <= RETRY_MS) {
			c->next = t->next;
			chain_remove(s, t);
			return;
		}
	}
}

static void extend(struct sequence *s, struct chain *c, const struct run *run)
{
	c->next = run->last + 1;
	c->is_extended = true;
	c->is_taken = false;
	chain_touch(s, c, run);
	explain_begins(s, run);
	settle_tentative(s, c, run);
}

/* The run holds a part of a gap: of a beginning that came late, whose other part was another process's; or
 * it is itself a start that was overtaken, by what seemed to be behind a gap. */
static bool breaks_gap(const struct chain *c, const struct run *run)
{
	for (size_t i = 0; i < c->gap_count; i++) {
		const struct gap *g = &c->gaps[i];
		if (!g->is_told && g->lo <= run->last &&
			(g->is_begin || run->at_ms - g->since_ms <= RETRY_MS))
			return true;
	}
	return false;
}

static void start_process(struct sequence *s, const struct run *run, struct chain *current)
{
	if (fill(s, current, run, GAP_ANY))
		return;
	if (current->is_explained && run->at_ms - current->born_ms <= RETRY_MS) {
		make_unknown(s, run->session); /* resumed at once, or its beginning after all */
		return;
	}
	for (struct chain *c = session_first(s, run->session); c; c = session_next(s, c)) {
		if (breaks_gap(c, run)) {
			make_unknown(s, run->session);
			return;
		}
	}
	settle_tentative(s, chain_begin(s, run), run);
}

/* It could as well be a retry that fills the gap of another chain of the session. */
static bool has_rival(const struct sequence *s, const struct chain *current, const struct run *run)
{
	for (struct chain *c = session_first(s, run->session); c; c = session_next(s, c)) {
		if (c == current)
			continue;
		for (size_t i = 0; i < c->gap_count; i++) {
			const struct gap *g = &c->gaps[i];
			if (run->at_ms - g->since_ms <= RETRY_MS && g->lo == run->first &&
				g->hi >= run->last)
				return true;
		}
	}
	return false;
}

/* A process of the same user that may have gone on under this session: begun after it was last heard of. */
static bool may_go_on(const struct chain *c, const struct chain *current, const struct run *run)
{
	return c->user == run->user && c->session != run->session && !c->is_taken &&
	       !c->is_unknown && !c->is_tentative && c->born_ms >= current->last_ms;
}

/* --continue: start-up events came under another session id, which expects exactly this number. Of several,
 * the latest. */
static bool join_phantom(struct sequence *s, const struct run *run, const struct chain *current)
{
	struct chain *phantom = NULL;
	for (size_t i = 0; i < s->count; i++) {
		struct chain *c = &s->chains[i];
		if (c->next == run->first && may_go_on(c, current, run) &&
			(!phantom || c->tick > phantom->tick))
			phantom = c;
	}
	if (!phantom)
		return false;
	phantom->is_taken = true;
	chain_begin(s, run);
	return true;
}

static bool has_phantom_before(
	const struct sequence *s, const struct run *run, const struct chain *current)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->chains[i].next < run->first && may_go_on(&s->chains[i], current, run))
			return true;
	}
	return false;
}

static struct chain *older_that_expects(
	const struct sequence *s, const struct run *run, const struct chain *current)
{
	struct chain *c = session_first(s, run->session);
	while (c && (c == current || c->is_settled || c->next != run->first))
		c = session_next(s, c);
	return c;
}

static bool covers(const struct chain *older, const struct chain *c)
{
	for (size_t i = 0; i < older->gap_count; i++) {
		if (older->gaps[i].lo < c->next && c->start <= older->gaps[i].hi)
			return false;
	}
	return older->start <= c->start && c->next <= older->next;
}

/* An older chain expects it. If all that the current one holds is a first run which the older one has too,
 * that run came twice; otherwise two processes share the session. */
static bool continue_older(struct sequence *s, const struct run *run, struct chain *current)
{
	struct chain *older = older_that_expects(s, run, current);
	if (!older)
		return false;
	if (older->is_tentative || current->is_extended || !covers(older, current)) {
		make_unknown(s, run->session);
		return true;
	}
	current->is_tentative = current->is_settled = true;
	extend(s, older, run);
	return true;
}

static void open_gap(struct sequence *s, const struct run *run, struct chain *current)
{
	bool is_certain = run->first - current->next <= GAP_LENGTH_MAX;
	for (struct chain *c = session_first(s, run->session); c; c = session_next(s, c)) {
		if (c->next > current->next && c->next <= run->first)
			is_certain = false; /* it may be that one's, with a smaller gap */
	}
	if (!is_certain) {
		make_unknown(s, run->session);
		return;
	}
	gap_add(s, current,
		&(struct gap){ .lo = current->next, .hi = run->first - 1, .since_ms = run->at_ms });
	extend(s, current, run);
}

/* The run lies partly in a gap of the session: so the gap is not what it seemed. */
static bool has_half_gap(const struct sequence *s, const struct run *run)
{
	for (struct chain *c = session_first(s, run->session); c; c = session_next(s, c)) {
		for (size_t i = 0; i < c->gap_count; i++) {
			if (c->gaps[i].lo <= run->last && run->first <= c->gaps[i].hi)
				return true;
		}
	}
	return false;
}

/* Numbers that came before, not from 0. */
static void repeat(struct sequence *s, const struct run *run, struct chain *current)
{
	if (run->last >= current->next || has_half_gap(s, run) ||
		has_phantom_before(s, run, current)) {
		make_unknown(s, run->session);
		return;
	}
	chain_begin(s, run)->is_tentative = true;
}

/* /clear: a session of this user ends right before the number `next` of another one. */
static bool has_parent(
	const struct sequence *s, uint64_t user, uint64_t session, uint64_t next, int64_t since_ms)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct chain *c = &s->chains[i];
		if (c->user == user && c->session != session && c->next == next && !c->is_taken &&
			since_ms - c->last_ms <= ALIVE_MS && c->born_ms - since_ms <= RETRY_MS)
			return true;
	}
	return false;
}

/* Does not wait for the grace period where the past of a session came late but whole: what comes next may be
 * a resumed process, and must not be taken for its beginning. */
static void explain_own_begin(struct sequence *s, struct chain *c)
{
	for (size_t i = 0; i < c->gap_count; i++) {
		const struct gap *g = &c->gaps[i];
		if (!g->is_begin || g->is_told ||
			!has_parent(s, c->user, c->session, g->hi + 1, g->since_ms))
			continue;
		gap_remove(c, i);
		c->is_explained = true;
		return;
	}
}

static void place(struct sequence *s, const struct run *run, struct chain *current)
{
	explain_own_begin(s, current);
	if (run->first == 0) {
		start_process(s, run, current);
	} else if (run->first == current->next) {
		if (has_rival(s, current, run))
			make_unknown(s, run->session);
		else
			extend(s, current, run);
	} else if (fill(s, current, run, GAP_FRESH) || join_phantom(s, run, current) ||
		   fill_any(s, run, current) || continue_older(s, run, current)) {
		return;
	} else if (run->first > current->next) {
		open_gap(s, run, current);
	} else {
		repeat(s, run, current);
	}
}

static void begin_session(struct sequence *s, const struct run *run)
{
	bool has_begin_gap =
		run->first != 0 && !has_parent(s, run->user, run->session, run->first, run->at_ms);
	struct chain *c = chain_begin(s, run);
	if (!has_begin_gap) {
		c->is_explained = run->first != 0;
		explain_begins(s, run);
		return;
	}
	gap_add(s, c,
		&(struct gap){
			.lo = 0, .hi = run->first - 1, .since_ms = run->at_ms, .is_begin = true });
}

/* ---- what became certain ---- */

/* The numbers of another chain may have been mixed up with those of this gap: it lived at the same time, or
 * was taken for another process going on with just these numbers, just then. */
static bool may_hide(const struct chain *c, const struct chain *chain, const struct gap *g)
{
	if (c->is_tentative)
		return false;
	if (c->born_ms < chain->last_ms && chain->born_ms < c->last_ms)
		return true;
	return c->start > 0 && c->start <= g->hi && c->next > g->lo &&
	       c->born_ms - g->since_ms <= RETRY_MS;
}

static bool is_certain(const struct sequence *s, const struct chain *chain, const struct gap *g)
{
	for (struct chain *c = session_first(s, chain->session); c; c = session_next(s, c)) {
		if (c != chain && may_hide(c, chain, g))
			return false;
	}
	return true;
}

/* False: nothing is known to be missing. */
static bool judge_begin(const struct sequence *s, const struct chain *chain, struct gap *g)
{
	uint64_t floor = begin_floor(s, chain, g);
	g->lo = floor > g->lo ? floor : g->lo;
	return g->since_ms >= s->unsure_until_ms && g->lo <= g->hi &&
	       g->hi - g->lo < GAP_LENGTH_MAX;
}

/* False: the session is unknown now, and the chain gone. */
static bool judge_gaps(struct sequence *s, struct chain *c, int64_t now_ms)
{
	for (size_t i = c->gap_count; i-- > 0;) {
		struct gap *g = &c->gaps[i];
		int64_t age_ms = now_ms - g->since_ms;
		if (g->is_told && age_ms >= TOLD_KEPT_MS) {
			gap_remove(c, i);
			continue;
		}
		if (g->is_told || age_ms < SEQUENCE_GRACE_MS)
			continue;
		if (!is_certain(s, c, g)) {
			make_unknown(s, c->session);
			return false;
		}
		if (g->is_begin && !judge_begin(s, c, g)) {
			gap_remove(c, i);
			continue;
		}
		g->is_told = true;
		s->has_told_begin |= g->is_begin;
		c->told += g->hi - g->lo + 1;
		c->owed += (int64_t)(g->hi - g->lo + 1);
		s->has_news = true;
	}
	return true;
}

/* Also before every run, so that the state depends on the runs and their times alone, not on when it was
 * looked at: a replay comes to the same answers. */
static void judge_due(struct sequence *s, int64_t now_ms)
{
	if (now_ms < s->due_ms)
		return;
	for (size_t i = 0; i < s->count;) {
		/* a session that became unknown moved chains about: look at this place again */
		if (judge_gaps(s, &s->chains[i], now_ms))
			i++;
	}
	s->due_ms = INT64_MAX;
	s->has_told_begin = false;
	for (size_t i = 0; i < s->count; i++) {
		const struct chain *c = &s->chains[i];
		for (size_t k = 0; k < c->gap_count; k++) {
			note_due(s, &c->gaps[k]);
			s->has_told_begin |= c->gaps[k].is_begin && c->gaps[k].is_told;
		}
	}
}

void sequence_seen(struct sequence *s, uint64_t user, uint64_t session, uint64_t first,
	uint64_t last, int64_t at_ms)
{
	if (session == 0 || first > last || last >= NUMBER_MAX || !is_time(at_ms))
		return;
	judge_due(s, at_ms);
	const struct run run = { user, session, first, last, at_ms };
	struct chain *current = session_current(s, session);
	if (!current) {
		begin_session(s, &run);
	} else if (current->is_unknown) {
		chain_touch(s, current, &run);
		if (last >= current->next)
			current->next = last + 1;
	} else {
		place(s, &run, current);
	}
}

void sequence_expire(struct sequence *s, int64_t now_ms, sequence_lost_fn each, void *ctx)
{
	judge_due(s, now_ms);
	for (size_t i = 0; s->has_news && i < s->count; i++) {
		struct chain *c = &s->chains[i];
		if (has_news(c))
			each(ctx, c->session, c->owed, c->is_unknown);
		c->owed = 0;
		c->is_unknown_due = false;
	}
	s->has_news = false;
}

/* ---- the object, saved and restored ---- */

struct sequence *sequence_new(unsigned chains_max)
{
	struct sequence *s = mem_zalloc(sizeof *s);
	s->chains_max = chains_max ? chains_max : 1;
	s->bucket_count = 16;
	while (s->bucket_count < s->chains_max && s->bucket_count < BUCKETS_MAX)
		s->bucket_count *= 2;
	s->buckets = mem_calloc(s->bucket_count, sizeof *s->buckets);
	for (uint32_t i = 0; i < s->bucket_count; i++)
		s->buckets[i] = NONE;
	s->unsure_until_ms = INT64_MIN;
	s->due_ms = INT64_MAX;
	return s;
}

void sequence_free(struct sequence *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		free(s->chains[i].gaps);
	free(s->chains);
	free(s->buckets);
	free(s);
}

static void put(struct buf *out, uint64_t value)
{
	unsigned char bytes[8];
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(value >> (8 * i));
	buf_add(out, bytes, sizeof bytes);
}

static uint64_t take(struct slice *left)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < 8; i++)
		value |= (uint64_t)left->ptr[i] << (8 * i);
	*left = slice_of(left->ptr + 8, left->len - 8);
	return value;
}

/* FNV-1a: finds damage; the journal's own checksum is the strong one. */
static uint64_t checksum(struct slice bytes)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ bytes.ptr[i]) * UINT64_C(0x100000001b3);
	return hash;
}

#define FLAG_EXTENDED	 1u
#define FLAG_TENTATIVE	 2u
#define FLAG_TAKEN	 4u
#define FLAG_UNKNOWN	 8u
#define FLAG_UNKNOWN_DUE 16u
#define FLAG_SETTLED	 32u
#define FLAG_EXPLAINED	 64u
#define FLAG_BEGIN	 1u
#define FLAG_TOLD	 2u
#define GAPS_SHIFT	 8

static void put_chain(struct buf *out, const struct chain *c)
{
	uint64_t flags =
		(c->is_extended ? FLAG_EXTENDED : 0) | (c->is_tentative ? FLAG_TENTATIVE : 0) |
		(c->is_taken ? FLAG_TAKEN : 0) | (c->is_unknown ? FLAG_UNKNOWN : 0) |
		(c->is_unknown_due ? FLAG_UNKNOWN_DUE : 0) | (c->is_settled ? FLAG_SETTLED : 0) |
		(c->is_explained ? FLAG_EXPLAINED : 0);
	put(out, c->user);
	put(out, c->session);
	put(out, c->start);
	put(out, c->next);
	put(out, (uint64_t)c->born_ms);
	put(out, (uint64_t)c->last_ms);
	put(out, c->tick);
	put(out, c->told);
	put(out, (uint64_t)c->owed);
	put(out, flags | (uint64_t)c->gap_count << GAPS_SHIFT);
	for (size_t i = 0; i < c->gap_count; i++) {
		put(out, c->gaps[i].lo);
		put(out, c->gaps[i].hi);
		put(out, (uint64_t)c->gaps[i].since_ms);
		put(out, (c->gaps[i].is_begin ? FLAG_BEGIN : 0) |
				 (c->gaps[i].is_told ? FLAG_TOLD : 0));
	}
}

void sequence_save(const struct sequence *s, struct buf *out)
{
	size_t start = out->len;
	put(out, SAVED_MAGIC);
	put(out, s->tick);
	put(out, (uint64_t)s->unsure_until_ms);
	put(out, s->count);
	for (size_t i = 0; i < s->count; i++)
		put_chain(out, &s->chains[i]);
	put(out, checksum(slice_of(out->data + start, out->len - start)));
}

static bool take_gaps(struct sequence *s, struct chain *c, size_t count, struct slice *left)
{
	if (count > GAPS_MAX || left->len < count * SAVED_GAP_SIZE)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct gap g = { .lo = take(left) };
		g.hi = take(left);
		g.since_ms = (int64_t)take(left);
		uint64_t flags = take(left);
		g.is_begin = flags & FLAG_BEGIN;
		g.is_told = flags & FLAG_TOLD;
		if (g.lo > g.hi || g.hi >= c->next || !is_time(g.since_ms))
			return false;
		gap_add(s, c, &g);
	}
	return true;
}

static bool take_chain(struct sequence *s, struct slice *left)
{
	if (left->len < SAVED_CHAIN_SIZE)
		return false;
	struct chain model = { .user = take(left) };
	model.session = take(left);
	model.start = take(left);
	model.next = take(left);
	model.born_ms = (int64_t)take(left);
	model.last_ms = (int64_t)take(left);
	model.tick = take(left);
	model.told = take(left);
	model.owed = (int64_t)take(left);
	uint64_t flags = take(left);
	model.is_extended = flags & FLAG_EXTENDED;
	model.is_tentative = flags & FLAG_TENTATIVE;
	model.is_taken = flags & FLAG_TAKEN;
	model.is_unknown = flags & FLAG_UNKNOWN;
	model.is_unknown_due = flags & FLAG_UNKNOWN_DUE;
	model.is_settled = flags & FLAG_SETTLED;
	model.is_explained = flags & FLAG_EXPLAINED;
	if (model.session == 0 || model.next > NUMBER_MAX || model.start > model.next ||
		model.tick > s->tick || !is_time(model.born_ms) || !is_time(model.last_ms))
		return false;
	s->has_news |= has_news(&model);
	return take_gaps(s, chain_add(s, &model), flags >> GAPS_SHIFT, left);
}

/* Reads as many chains as were saved, then keeps those that moved last. */
struct sequence *sequence_restore(struct slice saved, unsigned chains_max)
{
	if (saved.len < SAVED_HEAD_SIZE + 8)
		return NULL;
	struct slice left = slice_of(saved.ptr, saved.len - 8);
	struct slice tail = slice_of(saved.ptr + left.len, 8);
	if (take(&tail) != checksum(left) || take(&left) != SAVED_MAGIC)
		return NULL;
	struct sequence *s = sequence_new(chains_max);
	s->tick = take(&left);
	s->unsure_until_ms = (int64_t)take(&left);
	uint64_t count = take(&left);
	bool is_whole = count <= left.len / SAVED_CHAIN_SIZE;
	s->chains_max = UINT32_MAX - 1;
	for (uint64_t i = 0; is_whole && i < count; i++)
		is_whole = take_chain(s, &left);
	s->chains_max = chains_max ? chains_max : 1;
	if (!is_whole || left.len != 0) {
		sequence_free(s);
		return NULL;
	}
	if (s->count > s->chains_max)
		drop_idle(s, s->count - s->chains_max);
	return s;
}
