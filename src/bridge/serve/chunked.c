#include "bridge/serve/chunked.h"

#include "bridge/otlp/reasons.h"

#define BAD	      (-(int64_t)REASON_MALFORMED_HTTP)
#define TOO_LARGE     (-(int64_t)REASON_HEADER_TOO_LARGE)
#define EXTENSION_MAX 1024 /* bytes of one chunk's extension */
#define TRAILERS_MAX  8192
#define SIZE_DIGITS   15

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static int hex(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20; /* lower case */
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool chunk_size_byte(struct chunked *c, unsigned char byte)
{
	int digit = hex(byte);
	if (digit >= 0 && c->digits < SIZE_DIGITS) {
		c->left = c->left << 4 | (uint64_t)digit;
		c->digits++;
		return true;
	}
	if (digit >= 0 || !c->digits)
		return false;
	c->state = byte == '\r' ? CHUNKED_SIZE_LF : byte == ';' ? CHUNKED_EXTENSION : CHUNKED_PAD;
	return byte == '\r' || byte == ';' || is_blank(byte);
}

static bool chunk_pad_byte(struct chunked *c, unsigned char byte)
{
	if (is_blank(byte))
		return ++c->overhead <= EXTENSION_MAX;
	c->state = byte == ';' ? CHUNKED_EXTENSION : CHUNKED_SIZE_LF;
	return byte == ';' || byte == '\r';
}

/* Text that is passed over, up to its CR. */
static bool chunk_text_byte(
	struct chunked *c, unsigned char byte, unsigned max, enum chunked_state after)
{
	if (byte == '\r') {
		c->state = after;
		return true;
	}
	return (byte >= ' ' || byte == '\t') && byte != 127 && ++c->overhead <= max;
}

static bool chunk_expect(
	struct chunked *c, unsigned char byte, char expected, enum chunked_state after)
{
	c->state = after;
	return byte == (unsigned char)expected;
}

static bool chunk_size_end(struct chunked *c, unsigned char byte)
{
	enum chunked_state after = c->left ? CHUNKED_DATA : CHUNKED_TRAILER_START;
	c->overhead = 0;
	c->digits = 0;
	return chunk_expect(c, byte, '\n', after);
}

static bool chunk_trailer_start(struct chunked *c, unsigned char byte)
{
	if (byte == '\r') {
		c->state = CHUNKED_END_LF;
		return true;
	}
	c->state = CHUNKED_TRAILER;
	return chunk_text_byte(c, byte, TRAILERS_MAX, CHUNKED_TRAILER_LF);
}

/* One byte of anything but data (RFC 9112, 7.1). */
static bool chunk_byte(struct chunked *c, unsigned char byte)
{
	switch (c->state) {
	case CHUNKED_SIZE:
		return chunk_size_byte(c, byte);
	case CHUNKED_PAD:
		return chunk_pad_byte(c, byte);
	case CHUNKED_EXTENSION:
		return chunk_text_byte(c, byte, EXTENSION_MAX, CHUNKED_SIZE_LF);
	case CHUNKED_SIZE_LF:
		return chunk_size_end(c, byte);
	case CHUNKED_DATA_CR:
		return chunk_expect(c, byte, '\r', CHUNKED_DATA_LF);
	case CHUNKED_DATA_LF:
		return chunk_expect(c, byte, '\n', CHUNKED_SIZE);
	case CHUNKED_TRAILER_START:
		return chunk_trailer_start(c, byte);
	case CHUNKED_TRAILER:
		return chunk_text_byte(c, byte, TRAILERS_MAX, CHUNKED_TRAILER_LF);
	case CHUNKED_TRAILER_LF:
		return chunk_expect(c, byte, '\n', CHUNKED_TRAILER_START);
	case CHUNKED_END_LF:
		return chunk_expect(c, byte, '\n', CHUNKED_DONE);
	case CHUNKED_DATA:
	case CHUNKED_DONE:
		break;
	}
	return false;
}

int64_t chunked_read(struct chunked *c, struct slice in, struct slice *data)
{
	size_t at = 0;
	*data = slice_of(NULL, 0);
	while (at < in.len && c->state != CHUNKED_DONE) {
		if (c->state == CHUNKED_DATA) {
			size_t run = in.len - at < c->left ? in.len - at : (size_t)c->left;
			*data = slice_of(in.ptr + at, run);
			c->left -= run;
			if (!c->left)
				c->state = CHUNKED_DATA_CR;
			return (int64_t)(at + run);
		}
		if (!chunk_byte(c, in.ptr[at++]))
			return c->overhead > TRAILERS_MAX ? TOO_LARGE : BAD;
	}
	return (int64_t)at;
}
