/* Heads, chunked bodies and compressed bodies from anybody. The first byte says which, and how the rest is
 * cut: what is read must not depend on the pieces in which it comes.
 */
#include "bridge/serve/http1.h"

#include <stdint.h>
#include <stdlib.h>

#include "bridge/otlp/reasons.h"
#include "bridge/serve/chunked.h"
#include "bridge/serve/inflate.h"
#include "fuzz.h"

static void must(bool claim)
{
	if (!claim)
		abort();
}

static void must_be_inside(struct slice part, struct slice whole)
{
	must(!part.len || part.ptr < whole.ptr || part.ptr + part.len <= whole.ptr + whole.len ||
		slice_eq_str(part, "/"));
}

static void fuzz_head(struct slice in, size_t step)
{
	static const struct http1_limits limits = { .head_max = 2048, .fields_max = 16 };
	struct http1_head at_once = { 0 }, piecewise = { 0 };
	size_t scanned = 0;
	int64_t whole = http1_head(in, &scanned, &limits, &at_once);
	must(whole <= (int64_t)in.len && whole > -(int64_t)REASON_COUNT);
	if (whole > 0) {
		must_be_inside(at_once.path, in);
		must_be_inside(at_once.content_type, in);
		must_be_inside(at_once.accept, in);
	}
	int64_t verdict = 0;
	scanned = 0;
	for (size_t len = 0; verdict == 0 && len < in.len;) {
		len = in.len - len < step ? in.len : len + step;
		verdict = http1_head(slice_of(in.ptr, len), &scanned, &limits, &piecewise);
	}
	if (whole <= 0 || verdict <= 0) {
		/* Two reasons to refuse may be met in another order. */
		must((whole > 0) == (verdict > 0));
		return;
	}
	must(whole == verdict && at_once.framing == piecewise.framing &&
		at_once.length == piecewise.length && at_once.coding == piecewise.coding &&
		slice_eq(at_once.path, piecewise.path));
}

struct outcome {
	int64_t verdict;
	size_t used, body;
	uint64_t hash;
};

static struct outcome read_chunks(struct slice in, size_t step)
{
	struct chunked c = { .state = CHUNKED_SIZE };
	struct outcome o = { .verdict = 1 };
	while (o.used < in.len && c.state != CHUNKED_DONE) {
		size_t piece = in.len - o.used < step ? in.len - o.used : step;
		struct slice run;
		o.verdict = chunked_read(&c, slice_of(in.ptr + o.used, piece), &run);
		if (o.verdict <= 0)
			break;
		must(o.verdict <= (int64_t)piece && run.len <= piece);
		for (size_t i = 0; i < run.len; i++)
			o.hash = o.hash * 31 + run.ptr[i];
		o.body += run.len;
		o.used += (size_t)o.verdict;
	}
	if (o.verdict > 0)
		o.verdict = c.state == CHUNKED_DONE;
	return o;
}

static void fuzz_chunks(struct slice in, size_t step)
{
	struct outcome at_once = read_chunks(in, SIZE_MAX), piecewise = read_chunks(in, step);
	must(at_once.verdict == piecewise.verdict && at_once.body == piecewise.body &&
		at_once.hash == piecewise.hash);
}

static void fuzz_inflate(struct slice in, enum http1_coding coding)
{
	static struct inflater *inflater;
	AUTO(buf) struct buf out = BUF_INIT(1 << 16);
	if (!inflater)
		inflater = inflater_new();
	enum reason reason = inflate_body(inflater, coding, in, &out);
	must(out.len <= out.max);
	must(reason == REASON_OK || reason == REASON_BODY_TOO_LARGE ||
		reason == REASON_MALFORMED_COMPRESSION);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	struct slice in = slice_of(bytes + 1, len - 1);
	size_t step = (size_t)(bytes[0] >> 2) + 1;
	switch (bytes[0] & 3) {
	case 0:
		fuzz_head(in, step);
		break;
	case 1:
		fuzz_chunks(in, step);
		break;
	case 2:
		fuzz_inflate(in, HTTP1_GZIP);
		break;
	default:
		fuzz_inflate(in, HTTP1_DEFLATE);
		break;
	}
	return 0;
}
