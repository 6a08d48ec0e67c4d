/* A small HTTP client over libcurl, for the APIs of a stack: one request, one answer, bounded in time and size.
 *
 * No redirect is followed, so credentials go nowhere but to the address given; a proxy from the environment is used, but
 * never for this machine's own addresses. The library is loaded by the first request: it takes more memory than all the
 * rest of cctm.
 */
#ifndef CCTM_HTTP_HTTP_H
#define CCTM_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/cleanup.h"

struct error;

struct http_request {
	const char *method; /* NULL: GET */
	const char *url;    /* http or https */
	const char *
		shown; /* what an error calls it, where the address itself is a secret; NULL: url */
	const char *content_type;
	const void *body; /* NULL: none */
	size_t body_len;
	const char *user, *password; /* basic authentication; NULL: none */
	const char *bearer;	     /* a token; NULL: none */
	bool is_grpc;		     /* HTTP/2 from the first byte, as gRPC without TLS is */
	int64_t deadline_ms;
	size_t answer_max; /* more is an error */
};

struct http_answer {
	long status;
	struct buf body;
};

/* False: no whole answer came (ERR_NETWORK, in curl's words); an answer of any status is true. Secrets are in no error. */
bool http_send(const struct http_request *request, struct http_answer *answer, struct error *err)
	MUST_CHECK;
void http_answer_clear(struct http_answer *answer);

static inline void auto_http_answer(struct http_answer *answer)
{
	http_answer_clear(answer);
}

#endif
