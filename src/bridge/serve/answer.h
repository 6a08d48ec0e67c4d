/* Responses as bytes: a reason and an encoding become status line, fields and body.
 *
 * An export is answered in its own encoding: Export…ServiceResponse when taken, google.rpc.Status when
 * not (OTLP specification, "OTLP/HTTP Response"). Where the encoding is not known (the head itself was
 * refused), the sentence goes out as text. The only place that turns a reason into a response.
 */
#ifndef CCTM_BRIDGE_SERVE_ANSWER_H
#define CCTM_BRIDGE_SERVE_ANSWER_H

#include "bridge/serve/serve.h"

enum answer_encoding { ANSWER_PROTOBUF, ANSWER_JSON, ANSWER_TEXT };

struct answer_to { /* what about the request shapes its answer */
	enum answer_encoding encoding;
	enum otlp_signal signal;
	bool is_head;		  /* fields only */
	bool closes;		  /* "Connection: close" */
	bool names_keep_alive;	  /* HTTP/1.0: "Connection: keep-alive" */
	const char *allow;	  /* the Allow field of a 405 */
	const char *allow_origin; /* NULL: none */
};

#define ANSWER_DATE_LEN 29 /* "Sun, 06 Nov 1994 08:49:37 GMT" */
void answer_date(int64_t wall_ms, char out[ANSWER_DATE_LEN + 1]);

/* All of these append a whole response to `out`, which is unlimited. */
void answer_export(struct buf *out, const char *date, const struct answer_to *to,
	const struct serve_answer *answer);
void answer_page_head(struct buf *out, const char *date, const struct answer_to *to,
	const struct serve_page *page); /* everything but the body */
void answer_preflight(
	struct buf *out, const char *date, const struct answer_to *to, struct slice headers);

/* The body of answer_export alone, and its Content-Type. */
void answer_body(struct buf *out, const struct answer_to *to, const struct serve_answer *answer);
const char *answer_content_type(enum answer_encoding encoding);

#endif
