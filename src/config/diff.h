/* What an edit of a file changes, as one hunk of a unified diff: for edits that touch neighbouring lines. */
#ifndef CCTM_CONFIG_DIFF_H
#define CCTM_CONFIG_DIFF_H

#include "core/slice.h"

struct buf;

/* Nothing when both are the same. */
void diff_hunk(struct buf *out, const char *name, struct slice before, struct slice after);

#endif
