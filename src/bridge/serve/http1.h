/* HTTP/1.x request heads (RFC 9112), as a pure function of bytes: no I/O, no allocation.
 *
 * The reader returns >0: bytes consumed, 0: more bytes are needed, <0: the negated enum reason why the
 * message is refused. Slices in the result borrow from the input. Bodies are chunked.h's.
 *
 * Where RFC 9112 leaves a choice, the strict one is taken, because a proxy in front that reads a message
 * differently is how requests are smuggled: bare LF, obs-fold, space before the colon, NUL and other
 * controls, a second Content-Length, Content-Length beside Transfer-Encoding, and any transfer coding
 * but a single "chunked" are refused.
 */
#ifndef CCTM_BRIDGE_SERVE_HTTP1_H
#define CCTM_BRIDGE_SERVE_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/slice.h"

enum http1_method { HTTP1_GET, HTTP1_HEAD, HTTP1_POST, HTTP1_OPTIONS, HTTP1_OTHER_METHOD };

enum http1_framing { HTTP1_UNFRAMED, HTTP1_LENGTH, HTTP1_CHUNKED };

enum http1_coding { HTTP1_IDENTITY, HTTP1_GZIP, HTTP1_DEFLATE, HTTP1_OTHER_CODING };

struct http1_limits {
	size_t head_max;     /* bytes of request line and fields */
	unsigned fields_max; /* fields */
};

struct http1_head {
	enum http1_method method;
	struct slice path; /* of origin-form or absolute-form, without query; "*": asterisk-form */
	unsigned minor;	   /* 0 or 1; HTTP/1.2 and later read as 1 */
	bool keep_alive;   /* the version's default and Connection together */
	bool has_host;

	enum http1_framing framing;
	uint64_t length; /* with HTTP1_LENGTH; UINT64_MAX stands for more digits than fit */
	enum http1_coding coding;
	bool expects_continue;

	struct slice content_type; /* the media type, without parameters; empty: none */
	struct slice accept;
	struct slice origin;
	struct slice cors_method;  /* Access-Control-Request-Method */
	struct slice cors_headers; /* Access-Control-Request-Headers */
};

/* Empty lines in front of a request line (RFC 9112, 2.2): how many bytes to skip. */
size_t http1_blank(struct slice in);

/* Reads request line and fields. `in` begins with the request line. *scanned is 0 for a new head and else
 * what the last call with the same, shorter input left there, so that a head that comes byte by byte is not
 * read again from its beginning. */
int64_t http1_head(struct slice in, size_t *scanned, const struct http1_limits *limits,
	struct http1_head *out);

bool http1_token_is(struct slice s, const char *lower); /* equal, ASCII case aside */

/* What HTTP/2 says in the same words. */
enum http1_method http1_method_of(struct slice s);
struct slice http1_media_type(struct slice content_type); /* without parameters */
/* Content-Encoding; `before` is what an earlier field of the message said, and two make one unknown. */
enum http1_coding http1_coding_of(struct slice value, enum http1_coding before);

#endif
