#include "config/diff.h"

#include <string.h>

#include "core/buf.h"

#define CONTEXT_LINES 3

static size_t line_len(struct slice s, size_t at)
{
	const unsigned char *end = memchr(s.ptr + at, '\n', s.len - at);
	return end ? (size_t)(end - s.ptr) + 1 - at : s.len - at;
}

static size_t count_lines(struct slice s, size_t from, size_t to)
{
	size_t count = 0;
	for (size_t at = from; at < to; at += line_len(s, at))
		count++;
	return count;
}

/* The start of the line in front of the one that begins at `at`. */
static size_t line_above(struct slice s, size_t at)
{
	for (at = at ? at - 1 : 0; at > 0 && s.ptr[at - 1] != '\n';)
		at--;
	return at;
}

static void add_lines(struct buf *out, char mark, struct slice s, size_t from, size_t to)
{
	for (size_t at = from, len; at < to; at += len) {
		len = line_len(s, at);
		bool is_ended = s.ptr[at + len - 1] == '\n';
		size_t shown = len - is_ended;
		buf_addc(out, mark);
		buf_add(out, s.ptr + at, shown - (shown && s.ptr[at + shown - 1] == '\r'));
		buf_adds(out, is_ended ? "\n" : "\n\\ No newline at end of file\n");
	}
}

static size_t common_head(struct slice a, struct slice b)
{
	size_t at = 0;
	while (at < a.len && at < b.len) {
		size_t len = line_len(a, at);
		if (len != line_len(b, at) || memcmp(a.ptr + at, b.ptr + at, len) != 0)
			break;
		at += len;
	}
	return at;
}

/* Bytes of whole lines that both end with, behind the common head. */
static size_t common_tail(struct slice a, struct slice b, size_t head)
{
	size_t same = 0, whole = 0;
	while (same < a.len - head && same < b.len - head &&
		a.ptr[a.len - 1 - same] == b.ptr[b.len - 1 - same]) {
		same++;
		bool a_begins = a.len == same || a.ptr[a.len - same - 1] == '\n';
		bool b_begins = b.len == same || b.ptr[b.len - same - 1] == '\n';
		if (a_begins && b_begins)
			whole = same;
	}
	return whole;
}

void diff_hunk(struct buf *out, const char *name, struct slice before, struct slice after)
{
	if (slice_eq(before, after))
		return;
	size_t head = common_head(before, after), tail = common_tail(before, after, head);
	size_t from = head, to = before.len - tail;
	for (int i = 0; i < CONTEXT_LINES; i++) {
		from = line_above(before, from);
		to += to < before.len ? line_len(before, to) : 0;
	}
	size_t to_after = after.len - (before.len - to);
	size_t line = count_lines(before, 0, from) + 1;
	buf_addf(out, "--- %s\n+++ %s\n@@ -%zu,%zu +%zu,%zu @@\n", name, name,
		to > from ? line : line - 1, count_lines(before, from, to),
		to_after > from ? line : line - 1, count_lines(after, from, to_after));
	add_lines(out, ' ', before, from, head);
	add_lines(out, '-', before, head, before.len - tail);
	add_lines(out, '+', after, head, after.len - tail);
	add_lines(out, ' ', before, before.len - tail, to);
}
