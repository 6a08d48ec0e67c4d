#include "core/merge.h"

#include <stdlib.h>

#include "core/buf.h"
#include "core/diff.h"

struct side {
	struct lines lines;
	size_t *partner; /* of the base's lines */
	size_t at;
};

struct merge {
	struct lines base;
	size_t at;
	struct side ours, theirs;
	struct buf *out;
};

static void side_init(struct side *side, struct slice text, const struct lines *base)
{
	lines_split(text, &side->lines);
	side->partner = lines_match(base, &side->lines);
	side->at = 0;
}

static void side_clear(struct side *side)
{
	lines_clear(&side->lines);
	free(side->partner);
}

/* Lines from..to as the bytes they are: they lie one behind the other. */
static struct slice span(const struct lines *lines, size_t from, size_t to)
{
	if (from == to)
		return slice_of(NULL, 0);
	const unsigned char *start = lines->items[from].ptr;
	const struct slice *last = &lines->items[to - 1];
	return slice_of(start, (size_t)(last->ptr + last->len - start));
}

static bool is_stable(const struct merge *m, size_t line)
{
	return m->ours.partner[line] != LINE_GONE && m->theirs.partner[line] != LINE_GONE;
}

/* The next line that both sides kept, where both go on together; the end of all when there is none. */
static size_t next_stable(const struct merge *m)
{
	size_t line = m->at;
	while (line < m->base.count && !is_stable(m, line))
		line++;
	return line;
}

/* What lies in front of the next stable line: taken from the side that changed it. */
static bool take_changed(struct merge *m, size_t line)
{
	bool is_end = line == m->base.count;
	size_t ours_to = is_end ? m->ours.lines.count : m->ours.partner[line];
	size_t theirs_to = is_end ? m->theirs.lines.count : m->theirs.partner[line];
	struct slice base = span(&m->base, m->at, line);
	struct slice ours = span(&m->ours.lines, m->ours.at, ours_to);
	struct slice theirs = span(&m->theirs.lines, m->theirs.at, theirs_to);
	m->at = line;
	m->ours.at = ours_to;
	m->theirs.at = theirs_to;
	if (!slice_eq(ours, base) && !slice_eq(theirs, base) && !slice_eq(ours, theirs))
		return false;
	struct slice taken = slice_eq(ours, base) ? theirs : ours;
	buf_add(m->out, taken.ptr, taken.len);
	return true;
}

static void take_stable(struct merge *m)
{
	buf_add(m->out, m->base.items[m->at].ptr, m->base.items[m->at].len);
	m->at++;
	m->ours.at++;
	m->theirs.at++;
}

static bool run(struct merge *m)
{
	for (;;) {
		size_t line = next_stable(m);
		if (!take_changed(m, line))
			return false;
		if (line == m->base.count)
			return true;
		take_stable(m);
	}
}

bool merge_lines(struct slice base, struct slice ours, struct slice theirs, struct buf *out)
{
	struct merge m = { .out = out };
	lines_split(base, &m.base);
	side_init(&m.ours, ours, &m.base);
	side_init(&m.theirs, theirs, &m.base);
	bool is_clean = run(&m);
	lines_clear(&m.base);
	side_clear(&m.ours);
	side_clear(&m.theirs);
	return is_clean;
}
