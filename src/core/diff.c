#include "core/diff.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"

#define CONTEXT 3

void lines_split(struct slice text, struct lines *out)
{
	size_t room = 0;
	*out = (struct lines){ 0 };
	while (text.len) {
		const unsigned char *end = memchr(text.ptr, '\n', text.len);
		size_t len = end ? (size_t)(end - text.ptr) + 1 : text.len;
		out->items = mem_grow(out->items, &room, out->count + 1, sizeof *out->items);
		out->items[out->count++] = slice_of(text.ptr, len);
		text = slice_of(text.ptr + len, text.len - len);
	}
}

void lines_clear(struct lines *lines)
{
	free(lines->items);
	*lines = (struct lines){ 0 };
}

/* ---- Myers ---- */

/* The part of both texts that lies between their common beginning and end. */
struct middle {
	const struct slice *a, *b;
	int a_count, b_count;
};

/* How far along `a` each diagonal (x - y) is after `edits` changes; diagonals from -edits-1 to edits+1. */
struct front {
	int *at; /* points to diagonal 0 */
	int *memory;
};

static struct front front_new(int edits)
{
	struct front front = { .memory = mem_calloc((size_t)(2 * edits + 3), sizeof(int)) };
	front.at = front.memory + edits + 1;
	return front;
}

/* Where diagonal k is reached with one change more: by a line of b that is new, or one of a that is gone. */
static int step(const struct front *before, int edits, int k)
{
	if (edits == 0)
		return 0;
	bool is_new = k == -edits || (k != edits && before->at[k - 1] < before->at[k + 1]);
	return is_new ? before->at[k + 1] : before->at[k - 1] + 1;
}

static int slide(const struct middle *m, int x, int k)
{
	while (x < m->a_count && x - k < m->b_count && slice_eq(m->a[x], m->b[x - k]))
		x++;
	return x;
}

/* One more change on every diagonal. True: the end of both is reached. */
static bool advance(
	const struct middle *m, const struct front *before, struct front *now, int edits)
{
	for (int k = -edits; k <= edits; k += 2) {
		int x = step(before, edits, k);
		bool is_outside = x > m->a_count || x - k > m->b_count || x - k < 0;
		now->at[k] = is_outside ? x : slide(m, x, k);
		if (now->at[k] == m->a_count && now->at[k] - k == m->b_count)
			return true;
	}
	return false;
}

/* Back from the end: what was slid over on each diagonal is common. */
static void trace(const struct middle *m, const struct front *fronts, int edits, size_t *partner,
	size_t a_skipped, size_t b_skipped)
{
	int x = m->a_count, k = m->a_count - m->b_count;
	for (int d = edits; d >= 0; d--) {
		int began = step(d ? &fronts[d - 1] : NULL, d, k);
		for (; x > began; x--)
			partner[a_skipped + (size_t)x - 1] = b_skipped + (size_t)(x - 1 - k);
		if (d == 0)
			break;
		bool is_new =
			k == -d || (k != d && fronts[d - 1].at[k - 1] < fronts[d - 1].at[k + 1]);
		k += is_new ? 1 : -1;
		x = fronts[d - 1].at[k];
	}
}

static void match_middle(
	const struct middle *m, size_t *partner, size_t a_skipped, size_t b_skipped)
{
	int limit = m->a_count + m->b_count;
	if (limit > DIFF_EDITS_MAX)
		limit = DIFF_EDITS_MAX;
	struct front *fronts = mem_calloc((size_t)limit + 1, sizeof *fronts);
	bool is_found = false;
	int edits = 0;
	for (; !is_found && edits <= limit; edits++) {
		fronts[edits] = front_new(edits);
		is_found = advance(m, edits ? &fronts[edits - 1] : NULL, &fronts[edits], edits);
	}
	if (is_found)
		trace(m, fronts, edits - 1, partner, a_skipped, b_skipped);
	while (edits)
		free(fronts[--edits].memory);
	free(fronts);
}

size_t *lines_match(const struct lines *a, const struct lines *b)
{
	size_t *partner = a->count ? mem_calloc(a->count, sizeof *partner) : NULL;
	size_t shorter = a->count < b->count ? a->count : b->count;
	size_t front = 0, back = 0;
	while (front < shorter && slice_eq(a->items[front], b->items[front]))
		front++;
	while (back < shorter - front &&
		slice_eq(a->items[a->count - 1 - back], b->items[b->count - 1 - back]))
		back++;
	for (size_t i = 0; i < a->count; i++) {
		bool is_behind = i >= a->count - back;
		partner[i] = i < front ? i : is_behind ? b->count - (a->count - i) : LINE_GONE;
	}
	size_t a_middle = a->count - front - back, b_middle = b->count - front - back;
	/* More lines than an int counts are no configuration. */
	if (a_middle && b_middle && a_middle < INT32_MAX / 4 && b_middle < INT32_MAX / 4) {
		const struct middle m = { a->items + front, b->items + front, (int)a_middle,
			(int)b_middle };
		match_middle(&m, partner, front, front);
	}
	return partner;
}

/* ---- the unified diff ---- */

struct diff {
	struct lines a, b;
	size_t *partner;
	struct buf *out;
};

static void add_line(struct buf *out, char mark, struct slice line)
{
	buf_addc(out, mark);
	buf_add(out, line.ptr, line.len);
	if (line.ptr[line.len - 1] != '\n')
		buf_adds(out, "\n\\ No newline at end of file\n");
}

/* A place in both texts, in front of which all is settled. */
struct at {
	size_t a, b;
};

static bool is_end(const struct diff *d, struct at at)
{
	return at.a == d->a.count && at.b == d->b.count;
}

static bool is_common(const struct diff *d, struct at at)
{
	return at.a < d->a.count && d->partner[at.a] == at.b;
}

/* Over lines that are common, at most `max`. */
static struct at skip_common(const struct diff *d, struct at at, size_t max)
{
	for (size_t i = 0; i < max && is_common(d, at); i++)
		at = (struct at){ at.a + 1, at.b + 1 };
	return at;
}

/* Over lines that are gone, then over those that are new. */
static struct at skip_change(const struct diff *d, struct at at)
{
	while (at.a < d->a.count && d->partner[at.a] == LINE_GONE)
		at.a++;
	at.b = at.a < d->a.count ? d->partner[at.a] : d->b.count;
	return at;
}

/* The end of the hunk whose first change is at `at`: changes with little between them are one. */
static struct at hunk_end(const struct diff *d, struct at at)
{
	for (;;) {
		at = skip_change(d, at);
		struct at next = skip_common(d, at, 2 * CONTEXT + 1);
		if (is_end(d, next) || next.a - at.a > 2 * CONTEXT)
			return skip_common(d, at, CONTEXT);
		at = next;
	}
}

static void add_range(struct buf *out, char mark, size_t from, size_t to)
{
	/* An empty range is named by the line in front of it. */
	size_t first = from == to ? from : from + 1;
	buf_addf(out, " %c%zu", mark, first);
	if (to - from != 1)
		buf_addf(out, ",%zu", to - from);
}

static void add_hunk(const struct diff *d, struct at from, struct at to)
{
	buf_adds(d->out, "@@");
	add_range(d->out, '-', from.a, to.a);
	add_range(d->out, '+', from.b, to.b);
	buf_adds(d->out, " @@\n");
	for (struct at at = from; at.a < to.a || at.b < to.b;) {
		if (is_common(d, at)) {
			add_line(d->out, ' ', d->a.items[at.a]);
			at = (struct at){ at.a + 1, at.b + 1 };
			continue;
		}
		struct at next = skip_change(d, at);
		for (; at.a < next.a; at.a++)
			add_line(d->out, '-', d->a.items[at.a]);
		for (; at.b < next.b; at.b++)
			add_line(d->out, '+', d->b.items[at.b]);
	}
}

static void add_name(struct buf *out, const char *mark, const char *side, const char *name)
{
	buf_addf(out, "%s %s%s\n", mark, name ? side : "", name ? name : "/dev/null");
}

void diff_unified(struct buf *out, const char *before_name, const char *after_name,
	struct slice before, struct slice after)
{
	struct diff d = { .out = out };
	if (slice_eq(before, after))
		return;
	lines_split(before, &d.a);
	lines_split(after, &d.b);
	d.partner = lines_match(&d.a, &d.b);
	add_name(out, "---", "a/", before_name);
	add_name(out, "+++", "b/", after_name);
	struct at at = skip_common(&d, (struct at){ 0, 0 }, SIZE_MAX);
	while (!is_end(&d, at)) {
		size_t context = at.a < CONTEXT ? at.a : CONTEXT;
		struct at from = { at.a - context, at.b - context }, to = hunk_end(&d, at);
		add_hunk(&d, from, to);
		at = skip_common(&d, to, SIZE_MAX);
	}
	lines_clear(&d.a);
	lines_clear(&d.b);
	free(d.partner);
}
