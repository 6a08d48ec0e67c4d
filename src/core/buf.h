/* Growable bytes with a maximum.
 *
 * Valid when zeroed except for `max`; BUF_INIT(max) makes an empty one. Appending past `max` fails and
 * leaves the content as it was, so a bound from outside is one number at the declaration. `data` is NULL or
 * holds `len` bytes and a NUL behind them, so text buffers can be printed with "%s". Fields may be read;
 * only `len` may be lowered by the owner.
 */
#ifndef CCTM_CORE_BUF_H
#define CCTM_CORE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct buf {
	unsigned char *data;
	size_t len;
	size_t room; /* private: allocated bytes */
	size_t max;
};

#define BUF_UNLIMITED (SIZE_MAX / 4)
#define BUF_INIT(limit)        \
	{                      \
		.max = (limit) \
	}

void buf_clear(struct buf *b); /* frees; usable again with the same max */

/* False: it would pass max; nothing was appended. */
bool buf_append(struct buf *b, const void *bytes, size_t len) MUST_CHECK;
bool buf_append_slice(struct buf *b, struct slice s) MUST_CHECK;

/* The same for buffers whose maximum is BUF_UNLIMITED (text the program makes itself): cannot fail. */
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) PRINTF(2, 0);

/* Room for `len` more bytes at data + b->len, or NULL past max. Follow with buf_wrote. */
unsigned char *buf_reserve(struct buf *b, size_t len) MUST_CHECK;
void buf_wrote(struct buf *b, size_t len);

void buf_drop_front(struct buf *b, size_t len);
const char *buf_str(const struct buf *b); /* "" when empty; borrowed */
char *buf_detach(struct buf *b);	  /* the bytes, NUL-terminated, yours; leaves b empty */
struct slice buf_slice(const struct buf *b);

static inline void auto_buf(struct buf *b)
{
	buf_clear(b);
}

#endif
