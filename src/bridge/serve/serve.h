/* The bridge's doors: listeners, connections, HTTP/1.1, HTTP/2 and gRPC, inflating, answers in the request's
 * encoding.
 *
 * serve knows bytes and HTTP; it hands a whole, inflated request to the daemon's sink and writes the answer
 * it is given. It never sees a stream or a series. One libevent loop drives everything; nothing here blocks.
 *
 * Calling sequence: serve_new on a base, serve_listen for each door, run the loop, serve_stop_accepting,
 * serve_idle until true, serve_free.
 *
 * Bounds, all counted while reading: header bytes and count, body and inflated size, connections, bytes of
 * all bodies together, seconds for a header and for a body. An idle connection costs no buffer.
 */
#ifndef CCTM_BRIDGE_SERVE_SERVE_H
#define CCTM_BRIDGE_SERVE_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/otlp/types.h"
#include "core/buf.h"
#include "core/slice.h"

struct error;
struct event_base;
struct serve;

/* Both OTLP doors take every protocol: sending to the wrong one of the two is the most common mistake of all. */
enum serve_door {
	DOOR_OTLP_HTTP,
	DOOR_OTLP_GRPC,
	DOOR_EXPORTER,
	DOOR_HEALTH,
	DOOR_ZPAGES,
	DOOR_COUNT
};

enum serve_protocol {
	SERVE_HTTP, /* OTLP/HTTP over HTTP/1.1 */
	SERVE_GRPC,
	SERVE_HTTP2, /* OTLP/HTTP over HTTP/2 */
	SERVE_PROTOCOL_COUNT
};

struct serve_exchange; /* one request that waits for its answer */

struct serve_request {
	enum otlp_signal signal;
	enum otlp_encoding encoding;
	enum serve_protocol protocol;
	struct slice body; /* inflated; stays where it is until serve_reply or serve_body_done */
};

struct serve_answer {
	enum reason reason; /* REASON_OK, or of scope REQUEST: an error answer of that status */
	int64_t rejected;   /* with REASON_OK: partial_success count */
	/* with REASON_OK: the message of partial_success, NULL: none; else it replaces the reason's sentence */
	const char *message;
	int retry_after_s; /* for 429 and 503; 0: none */
};

struct serve_page {
	int status;		  /* 200 unless set */
	const char *content_type; /* static text */
	struct buf body;	  /* unlimited; the page function fills it, serve frees it */
};

/* A POST at a path of another door that makes something happen. Its body is passed over. */
struct serve_action {
	enum serve_door door;
	struct slice path;
	bool is_local;	 /* whoever sent it is on this machine */
	bool has_origin; /* a browser sent it for a web page */
};

struct serve_handler {
	void *ctx;
	/* A whole export request. Calls serve_reply(x, …) before it returns, or keeps x and calls it later;
	 * the client may be gone by then, which changes nothing for the caller. */
	void (*export)(void *ctx, struct serve_exchange *x, const struct serve_request *request);
	/* GET on another door. `path` is the target without query; `accept` the Accept header or empty. */
	void (*page)(void *ctx, enum serve_door door, struct slice path, struct slice accept,
		struct serve_page *page);
	/* Calls serve_reply_page(x, …) before it returns, or keeps x and calls it later. NULL: there are none. */
	void (*action)(void *ctx, struct serve_exchange *x, const struct serve_action *action);
	/* Something was refused before it became a request (bad HTTP, too large, wrong path, …). */
	void (*refused)(void *ctx, enum serve_door door, enum reason reason);
	/* What grpc.health.v1 tells; NULL: always healthy until it stops. Asked a few times a second. */
	bool (*is_healthy)(void *ctx);
};

struct serve_limits {
	size_t header_max; /* bytes of request line and header fields */
	unsigned header_fields_max;
	size_t body_max;   /* as received, and again after inflating */
	size_t bodies_max; /* of all connections together; past it reading waits, then 503 */
	unsigned connections_max;
	unsigned
		http2_connections_max; /* of those: one keeps 14 KiB [measured] even while it is idle */
	int header_timeout_ms;	/* from the first byte of a request to the end of its header */
	int body_timeout_ms;	/* without any progress */
	int request_timeout_ms; /* from the first byte to the last */
	int idle_timeout_ms;	/* between requests */
};

#define SERVE_LIMITS_DEFAULT                                                                      \
	{                                                                                         \
		.header_max = 32768, .header_fields_max = 100, .body_max = 64 << 20,              \
		.bodies_max = (size_t)256 << 20, .connections_max = 12000,                        \
		.http2_connections_max = 4000, .header_timeout_ms = 10000,                        \
		.body_timeout_ms = 10000, .request_timeout_ms = 120000, .idle_timeout_ms = 300000 \
	}

struct serve_options {
	struct serve_limits limits;
	const char *const *cors_origins; /* exact origins or "*"; NULL-terminated; NULL: CORS off */
};

struct serve_stats {
	unsigned connections;	     /* open now */
	size_t bodies_bytes;	     /* held now */
	uint64_t accepted, requests; /* since the start */
	uint64_t body_bytes;	     /* received, before inflating */
	/* Requests by protocol, and those among them that came to the door of the other. */
	uint64_t by_protocol[SERVE_PROTOCOL_COUNT], misdirected[SERVE_PROTOCOL_COUNT];
};

struct serve *serve_new(struct event_base *base, const struct serve_options *options,
	const struct serve_handler *handler);

/* Opens a door on bind:port; port 0 takes a free one. ERR_PORT_TAKEN when another program has it. */
bool serve_listen(struct serve *s, enum serve_door door, const char *bind, uint16_t port,
	struct error *err) MUST_CHECK;
uint16_t serve_port(const struct serve *s, enum serve_door door); /* 0: not open */

/* Answers an export request; x is gone afterwards. Text in `answer` is copied. */
void serve_reply(struct serve_exchange *x, const struct serve_answer *answer);
/* Answers an action; x is gone afterwards, and the page's body freed. */
void serve_reply_page(struct serve_exchange *x, struct serve_page *page);
/* The body is not needed any more, though the answer comes later: it costs nothing while it waits. Optional. */
void serve_body_done(struct serve_exchange *x);
int64_t serve_arrived_mono_ms(const struct serve_exchange *x); /* when its body was whole */

/* Closes the listeners and idle connections; requests under way go on, each with Connection: close. */
void serve_stop_accepting(struct serve *s);
bool serve_idle(const struct serve *s); /* nothing under way */
struct serve_stats serve_stats(const struct serve *s);
void serve_free(struct serve *s); /* closes everything at once; answers given before still go out */

#endif
