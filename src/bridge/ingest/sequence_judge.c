/* What is certain when the grace period is over.
 *
 * A gap counts only if no other chain of its session lived at the same time; else the session becomes unknown.
 * A session that begins above 0 is judged by what its user's other chains have reached by then: /clear
 * explains it if one ends right before it; else the numbers from the nearest such end are missing at least.
 */
#include "bridge/ingest/sequence_internal.h"

uint64_t sequence_begin_floor(
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
	for (struct chain *c = chain_first(s, chain->session); c; c = chain_next(s, c)) {
		if (c != chain && may_hide(c, chain, g))
			return false;
	}
	return true;
}

/* False: nothing is known to be missing. */
static bool judge_begin(const struct sequence *s, const struct chain *chain, struct gap *g)
{
	uint64_t floor = sequence_begin_floor(s, chain, g);
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
			chains_make_unknown(s, c->session);
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

void sequence_judge(struct sequence *s, int64_t now_ms)
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
			gap_note_due(s, &c->gaps[k]);
			s->has_told_begin |= c->gaps[k].is_begin && c->gaps[k].is_told;
		}
	}
}
