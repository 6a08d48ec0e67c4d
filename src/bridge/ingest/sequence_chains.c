/* The set of chains, found by session through a table of buckets, and the gaps of each. */
#include <stdlib.h>

#include "bridge/ingest/sequence_internal.h"
#include "core/mem.h"

#define SESSION_CHAINS_MAX 32
#define NONE		   UINT32_MAX
#define BUCKETS_MAX	   4096u

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

/* Moves the last chain into the free place. */
void chain_remove(struct sequence *s, struct chain *c)
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

struct chain *chain_first(const struct sequence *s, uint64_t session)
{
	return chain_from(s, *bucket_of(s, session), session);
}

struct chain *chain_next(const struct sequence *s, const struct chain *c)
{
	return chain_from(s, c->link, c->session);
}

struct chain *chain_current(const struct sequence *s, uint64_t session)
{
	struct chain *current = NULL;
	for (struct chain *c = chain_first(s, session); c; c = chain_next(s, c)) {
		if (!c->is_tentative && (!current || c->tick > current->tick))
			current = c;
	}
	return current;
}

bool chain_has_news(const struct chain *c)
{
	return c->owed != 0 || c->is_unknown_due;
}

/* Chains go in this order: those without news first, then those idle longest. */
static uint64_t drop_order(const struct chain *c)
{
	return c->tick | (chain_has_news(c) ? UINT64_C(1) << 63 : 0);
}

static int compare_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

void chains_drop_idle(struct sequence *s, size_t count)
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

struct chain *chain_add(struct sequence *s, const struct chain *model)
{
	if (s->count >= s->chains_max)
		chains_drop_idle(s, 1 + s->count / 8); /* several at once: it costs a sort */
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
	for (struct chain *c = chain_first(s, session); c; c = chain_next(s, c)) {
		count++;
		if (!oldest || c->is_tentative > oldest->is_tentative ||
			(c->is_tentative == oldest->is_tentative && c->tick < oldest->tick))
			oldest = c;
	}
	if (count >= SESSION_CHAINS_MAX)
		chain_remove(s, oldest);
}

struct chain *chain_begin(struct sequence *s, const struct run *run)
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

void chain_touch(struct sequence *s, struct chain *c, const struct run *run)
{
	c->user = run->user;
	c->tick = ++s->tick;
	if (run->at_ms > c->last_ms)
		c->last_ms = run->at_ms;
}

void gap_remove(struct chain *c, size_t i)
{
	c->gaps[i] = c->gaps[--c->gap_count];
}

void gap_note_due(struct sequence *s, const struct gap *g)
{
	int64_t due_ms = g->since_ms + (g->is_told ? TOLD_KEPT_MS : SEQUENCE_GRACE_MS);
	s->due_ms = due_ms < s->due_ms ? due_ms : s->due_ms;
}

void gap_add(struct sequence *s, struct chain *c, const struct gap *gap)
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
	gap_note_due(s, gap);
}

void chain_take_back(struct sequence *s, struct chain *c, uint64_t count)
{
	if (count > c->told)
		count = c->told;
	c->told -= count;
	c->owed -= (int64_t)count;
	s->has_news = true;
}

void chains_make_unknown(struct sequence *s, uint64_t session)
{
	struct chain merged = { .session = session, .is_unknown = true, .is_unknown_due = true };
	struct chain *c = chain_first(s, session);
	merged.born_ms = c->born_ms;
	for (; (c = chain_first(s, session)); chain_remove(s, c)) {
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
