#include "bridge/serve/inflate.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "core/mem.h"

#define BITS_GZIP (15 + 16)
#define BITS_ZLIB 15
#define BITS_RAW  (-15)
#define STEP_MIN  ((size_t)4 << 10)
#define STEP_MAX  ((size_t)256 << 10)

struct inflater {
	z_stream z;
};

struct inflater *inflater_new(void)
{
	struct inflater *f = mem_zalloc(sizeof(*f));
	int rc = inflateInit2(&f->z, BITS_GZIP);
	assert(rc == Z_OK);
	(void)rc;
	return f;
}

void inflater_free(struct inflater *f)
{
	if (!f)
		return;
	inflateEnd(&f->z);
	free(f);
}

static bool looks_like_zlib(struct slice in)
{
	return in.len >= 2 && (in.ptr[0] & 15) == Z_DEFLATED &&
	       (in.ptr[0] << 8 | in.ptr[1]) % 31 == 0;
}

static bool begins_member(struct slice in)
{
	return in.len >= 2 && in.ptr[0] == 0x1f && in.ptr[1] == 0x8b;
}

/* One call of zlib into whatever room there is; *produced counts what came out. With the buffer full a
 * single byte aside tells a body of exactly the maximum from a longer one. */
static int inflate_some(z_stream *z, struct buf *out, size_t step, size_t *produced)
{
	unsigned char aside;
	if (step > out->max - out->len)
		step = out->max - out->len;
	unsigned char *to = step ? buf_reserve(out, step) : &aside;
	size_t room = step ? step : sizeof(aside);
	z->next_out = to;
	z->avail_out = (uInt)room;
	int rc = inflate(z, Z_NO_FLUSH);
	*produced = room - z->avail_out;
	if (step)
		buf_wrote(out, *produced);
	else if (*produced)
		return Z_MEM_ERROR;
	return rc;
}

/* One zlib stream; Z_STREAM_END when it is whole. Z_MEM_ERROR stands for "past the maximum": zlib itself
 * allocates its window early on, and running out of memory there is as good a reason to refuse. */
static int inflate_stream(z_stream *z, struct buf *out)
{
	size_t step = (size_t)z->avail_in * 4;
	step = step < STEP_MIN ? STEP_MIN : step > STEP_MAX ? STEP_MAX : step;
	for (;;) {
		size_t produced;
		int rc = inflate_some(z, out, step, &produced);
		if (rc != Z_OK)
			return rc;
		if (!produced && !z->avail_in)
			return Z_BUF_ERROR;
	}
}

static enum reason inflate_as(struct inflater *f, int bits, struct slice in, struct buf *out)
{
	z_stream *z = &f->z;
	if (in.len > UINT_MAX)
		return REASON_BODY_TOO_LARGE;
	out->len = 0;
	z->next_in = in.ptr;
	z->avail_in = (uInt)in.len;
	do {
		if (inflateReset2(z, bits) != Z_OK)
			return REASON_MALFORMED_COMPRESSION;
		int rc = inflate_stream(z, out);
		if (rc == Z_MEM_ERROR)
			return REASON_BODY_TOO_LARGE;
		if (rc != Z_STREAM_END)
			return REASON_MALFORMED_COMPRESSION;
		if (!z->avail_in)
			return REASON_OK;
	} while (bits == BITS_GZIP && begins_member(slice_of(z->next_in, z->avail_in)));
	return REASON_MALFORMED_COMPRESSION;
}

enum reason inflate_body(
	struct inflater *f, enum http1_coding coding, struct slice in, struct buf *out)
{
	if (coding == HTTP1_GZIP)
		return inflate_as(f, BITS_GZIP, in, out);
	if (looks_like_zlib(in)) {
		enum reason verdict = inflate_as(f, BITS_ZLIB, in, out);
		if (verdict != REASON_MALFORMED_COMPRESSION)
			return verdict;
	}
	return inflate_as(f, BITS_RAW, in, out);
}
