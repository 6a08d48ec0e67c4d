/* Two texts, line by line: which lines stayed, and the unified diff of them.
 *
 * Lines end with their newline; a text whose last line has none differs in that line from one whose has. Bytes are
 * bytes: CRLF and NUL are parts of lines.
 */
#ifndef CCTM_CORE_DIFF_H
#define CCTM_CORE_DIFF_H

#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct buf;

struct lines {
	struct slice *items; /* borrowed from the text */
	size_t count;
};

void lines_split(struct slice text, struct lines *out);
void lines_clear(struct lines *lines);

#define LINE_GONE SIZE_MAX

/* For each line of `a` the line of `b` that it stayed as, or LINE_GONE; rising. A longest common subsequence by Myers'
 * greedy algorithm ("An O(ND) Difference Algorithm", 1986), up to DIFF_EDITS_MAX changed lines; past that what lies
 * between the common beginning and end counts as changed altogether. Yours, a->count long (NULL when that is 0). */
size_t *lines_match(const struct lines *a, const struct lines *b);

#define DIFF_EDITS_MAX 2000

/* Appends the unified diff with three lines of context, as patch(1) and git apply take it; nothing when both are the
 * same. A name of NULL stands for a file that is not there (/dev/null). */
void diff_unified(struct buf *out, const char *before_name, const char *after_name,
	struct slice before, struct slice after);

static inline void auto_lines(struct lines *lines)
{
	lines_clear(lines);
}

#endif
