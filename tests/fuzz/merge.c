/* Merging: three texts, separated by NUL. A side that did not change gives the other one, whatever the bytes. */
#include "core/merge.h"

#include <assert.h>

#include "core/buf.h"
#include "fuzz.h"

static struct slice next_text(struct slice *rest)
{
	const unsigned char *end = rest->len ? memchr(rest->ptr, '\0', rest->len) : NULL;
	size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
	struct slice text = slice_of(rest->ptr, len);
	*rest = slice_of(rest->ptr + len + (end != NULL), rest->len - len - (end != NULL));
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice rest = slice_of(bytes, len);
	struct slice base = next_text(&rest), ours = next_text(&rest), theirs = next_text(&rest);
	AUTO(buf) struct buf both = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf one = BUF_INIT(BUF_UNLIMITED);
	bool is_clean = merge_lines(base, ours, theirs, &both);
	(void)is_clean;
	assert(merge_lines(base, ours, base, &one));
	assert(slice_eq(buf_slice(&one), ours));
	return 0;
}
