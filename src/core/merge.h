/* Three-way merge by lines, as diff3 and git do it: what one side changed is taken, what both changed alike is taken
 * once, and where both changed the same lines differently there is no answer.
 */
#ifndef CCTM_CORE_MERGE_H
#define CCTM_CORE_MERGE_H

#include <stdbool.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct buf;

/* Appends to `out` (of unlimited size) what becomes of `base` when the changes of both sides are made. False: they
 * clash; changes of lines that touch clash too, for nobody can tell that they do not belong together. `out` may then
 * hold a part. Where lines repeat, a change can often be read in several ways that are equally short (lines_match picks
 * one, git another): the answer can then be another than git's, and is the same wherever there is one way only. */
bool merge_lines(struct slice base, struct slice ours, struct slice theirs, struct buf *out)
	MUST_CHECK;

#endif
