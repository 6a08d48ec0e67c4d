/* Chunked bodies (RFC 9112, 7.1), as a pure function of bytes; extensions and trailers are passed over.
 *
 * As strict as http1.h, for the same reason: sizes of more than 15 digits, bare LF and controls are refused.
 */
#ifndef CCTM_BRIDGE_SERVE_CHUNKED_H
#define CCTM_BRIDGE_SERVE_CHUNKED_H

#include <stdint.h>

#include "core/slice.h"

enum chunked_state {
	CHUNKED_SIZE,
	CHUNKED_PAD,
	CHUNKED_EXTENSION,
	CHUNKED_SIZE_LF,
	CHUNKED_DATA,
	CHUNKED_DATA_CR,
	CHUNKED_DATA_LF,
	CHUNKED_TRAILER_START,
	CHUNKED_TRAILER,
	CHUNKED_TRAILER_LF,
	CHUNKED_END_LF,
	CHUNKED_DONE,
};

struct chunked { /* zeroed: at the beginning of a body */
	enum chunked_state state;
	uint64_t left;	   /* bytes of this chunk */
	unsigned digits;   /* of the size */
	unsigned overhead; /* bytes of this extension, or of all trailer fields */
};

/* Reads on: >0: bytes consumed, 0: `in` is empty, <0: the negated enum reason. *data is a run of the body's bytes, possibly empty. state is CHUNKED_DONE after the last byte. */
int64_t chunked_read(struct chunked *c, struct slice in, struct slice *data);

#endif
