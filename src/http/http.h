/* A small HTTP client over libcurl, for the APIs of a stack: one request, one answer, bounded in time and size.
 *
 * No redirect is followed, so credentials go nowhere but to the address given; only a download, which has none, goes where
 * it is sent. A proxy from the environment is used, but never for this machine's own addresses. The library is loaded by the
 * first request: it takes more memory than all the rest of cctm.
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
	const char *header;	     /* one more, "Name: value"; NULL: none */
	const char *ca_file; /* certificates to trust in place of the system's; NULL: those */
	bool is_grpc;	     /* HTTP/2 from the first byte, as gRPC without TLS is */
	int64_t deadline_ms;
	size_t answer_max; /* more is an error */
};

struct http_answer {
	long status;
	int grpc_status;    /* of gRPC: 0 is well; -1: none was sent */
	char *grpc_message; /* why, as it was sent; NULL: nothing */
	struct buf body;
	char *redirect; /* where it says to go, whole; NULL: nowhere */
};

/* False: no whole answer came (ERR_NETWORK, in curl's words); an answer of any status is true. Secrets are in no error. */
bool http_send(const struct http_request *request, struct http_answer *answer, struct error *err)
	MUST_CHECK;
void http_answer_clear(struct http_answer *answer);

#define HTTP_REDIRECTS_MAX 5

/* GET of something public, by https, or by http from this machine alone. Up to HTTP_REDIRECTS_MAX redirects are followed,
 * each by the same rule and never from https to http. An answer of any other status is true. */
bool http_download(const char *url, int64_t deadline_ms, size_t answer_max,
	struct http_answer *answer, struct error *err) MUST_CHECK;

static inline void auto_http_answer(struct http_answer *answer)
{
	http_answer_clear(answer);
}

#endif
