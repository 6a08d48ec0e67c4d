/* The one buffer all connections are read into. A request that is there as a whole is parsed and answered
 * from it, without a buffer of its own.
 *
 * A request whose answer is put off keeps its bytes where they are: its pages leave the buffer and new ones
 * take their place. That is why it is mapped and not allocated.
 */
#ifndef CCTM_BRIDGE_SERVE_LOOPBUF_H
#define CCTM_BRIDGE_SERVE_LOOPBUF_H

#include <stddef.h>

#define LOOPBUF_SIZE ((size_t)256 << 10)

struct pages { /* zeroed: none */
	unsigned char *bytes;
	size_t len;
};

void loopbuf_init(struct pages *loop);

/* Moves the pages of bytes [from, to) to `out`; the loop buffer's content is lost otherwise. */
void loopbuf_split(struct pages *loop, size_t from, size_t to, struct pages *out);
void pages_clear(struct pages *p);

#endif
