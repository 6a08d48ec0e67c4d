/* Where a run of numbers belongs.
 *
 * What the recordings show of event.sequence (2.1.328 and 2.1.331): every request is one run without holes,
 * of one session, except that `--continue` puts its start-up events under a session of its own and may go
 * on under the real one in the same request. /clear goes on under a new session. A resumed session is a new
 * process from 0 on the same id. Requests of one process never overlap; a retry may come after newer ones.
 *
 * So within a session a run is, in this order: the start of a process, what its latest chain expects, the
 * late filling of a gap, the continuation of a process that began under another id, what an older chain
 * expects (two processes at once, or the first run had come twice), a gap, or a repetition. Whenever two
 * readings differ in what was lost, the session becomes unknown.
 *
 * Rejected: telling processes apart by client port or start time (proxies and batching hide the one, log
 * records do not carry the other), and keeping every number seen (unbounded).
 */
#include "bridge/ingest/sequence_internal.h"

/* ---- filling gaps ---- */

/* The run lies inside gap i: what remains of it is up to two gaps. The chain does not count as having moved:
 * a late filling says nothing of which process is at work now. */
static void gap_fill(struct sequence *s, struct chain *c, size_t i, const struct run *run)
{
	struct gap before = c->gaps[i], after = c->gaps[i];
	bool has_before = run->first > before.lo, has_after = run->last < after.hi;
	before.hi = run->first - 1;
	after.lo = run->last + 1;
	if (before.is_begin &&
		((has_before && has_after) || sequence_begin_floor(s, c, &before) > run->first)) {
		/* no beginning comes like that: another process */
		chains_make_unknown(s, c->session);
		return;
	}
	if (before.is_told)
		chain_take_back(s, c, run->last - run->first + 1);
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
	for (struct chain *c = chain_first(s, run->session); c; c = chain_next(s, c)) {
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
			chain_take_back(s, c, run->last - run->first + 1);
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
	for (struct chain *t = chain_first(s, c->session); t; t = chain_next(s, t)) {
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
		/* resumed at once, or its beginning after all */
		chains_make_unknown(s, run->session);
		return;
	}
	for (struct chain *c = chain_first(s, run->session); c; c = chain_next(s, c)) {
		if (breaks_gap(c, run)) {
			chains_make_unknown(s, run->session);
			return;
		}
	}
	settle_tentative(s, chain_begin(s, run), run);
}

/* It could as well be a retry that fills the gap of another chain of the session. */
static bool has_rival(const struct sequence *s, const struct chain *current, const struct run *run)
{
	for (struct chain *c = chain_first(s, run->session); c; c = chain_next(s, c)) {
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
	struct chain *c = chain_first(s, run->session);
	while (c && (c == current || c->is_settled || c->next != run->first))
		c = chain_next(s, c);
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
		chains_make_unknown(s, run->session);
		return true;
	}
	current->is_tentative = current->is_settled = true;
	extend(s, older, run);
	return true;
}

static void open_gap(struct sequence *s, const struct run *run, struct chain *current)
{
	bool is_certain = run->first - current->next <= GAP_LENGTH_MAX;
	for (struct chain *c = chain_first(s, run->session); c; c = chain_next(s, c)) {
		if (c->next > current->next && c->next <= run->first)
			is_certain = false; /* it may be that one's, with a smaller gap */
	}
	if (!is_certain) {
		chains_make_unknown(s, run->session);
		return;
	}
	gap_add(s, current,
		&(struct gap){ .lo = current->next, .hi = run->first - 1, .since_ms = run->at_ms });
	extend(s, current, run);
}

/* The run lies partly in a gap of the session: so the gap is not what it seemed. */
static bool has_half_gap(const struct sequence *s, const struct run *run)
{
	for (struct chain *c = chain_first(s, run->session); c; c = chain_next(s, c)) {
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
		chains_make_unknown(s, run->session);
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
			chains_make_unknown(s, run->session);
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

void sequence_seen(struct sequence *s, uint64_t user, uint64_t session, uint64_t first,
	uint64_t last, int64_t at_ms)
{
	if (session == 0 || first > last || last >= NUMBER_MAX || !sequence_is_time(at_ms))
		return;
	sequence_judge(s, at_ms);
	const struct run run = { user, session, first, last, at_ms };
	struct chain *current = chain_current(s, session);
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
	sequence_judge(s, now_ms);
	for (size_t i = 0; s->has_news && i < s->count; i++) {
		struct chain *c = &s->chains[i];
		if (chain_has_news(c))
			each(ctx, c->session, c->owed, c->is_unknown);
		c->owed = 0;
		c->is_unknown_due = false;
	}
	s->has_news = false;
}
