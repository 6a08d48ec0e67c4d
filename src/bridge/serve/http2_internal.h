/* HTTP/2 (RFC 9113), shared by its files. nghttp2 reads and writes frames; what a client may ask for, and what
 * it costs, is decided here.
 *
 *   http2.c         a connection: bytes in and out, deadlines, end; what conn.c and serve.c call
 *   http2_frames.c  nghttp2's callbacks: a frame becomes a call of http2_stream.c
 *   http2_stream.c  one request: fields, body, the decision what to do with it
 *   http2_answer.c  answers as frames: HTTP's and gRPC's
 *   http2_health.c  grpc.health.v1
 *
 * A connection gets here from the preface in its first bytes (request.c); TLS will call http2_begin where ALPN
 * has chosen h2. Bytes come by conn_recv and go by conn_send, whatever is below them.
 *
 * Memory: bodies are counted in the budget of serve.c. The connection's window is given back at once, a
 * stream's only while half of the budget is free, or when it is the connection's oldest: so there is always one
 * that becomes whole, and the others hold at most their window (128 of 256 KiB, and one of 64 MiB, fit the half). nghttp2 may free a stream inside any of its calls:
 * a struct http2_stream is not touched behind one that can (submitting only queues).
 */
#ifndef CCTM_BRIDGE_SERVE_HTTP2_INTERNAL_H
#define CCTM_BRIDGE_SERVE_HTTP2_INTERNAL_H

#include <nghttp2/nghttp2.h>

#include "bridge/serve/flood.h"
#include "bridge/serve/grpc.h"
#include "bridge/serve/route.h"
#include "bridge/serve/serve_internal.h"

#define HTTP2_STREAMS_MAX    128 /* at a time, on one connection */
#define HTTP2_STREAM_WINDOW  (256 << 10)
#define HTTP2_WINDOW	     (4 << 20) /* of a connection */
#define HTTP2_CORS_FIELD_MAX 1024
#define HTTP2_STOP_MS	     1000 /* for the client to hear that we are leaving */

enum http2_media { MEDIA_OTHER, MEDIA_PROTOBUF, MEDIA_JSON, MEDIA_GRPC };

struct http2_head { /* of a request; what its fields said, not their text */
	enum http1_method method;
	const struct route *route;     /* NULL: nothing is at the path */
	const struct grpc_method *rpc; /* NULL: the path is no method's */
	enum http2_media media;
	enum http1_coding coding;	  /* content-encoding */
	enum http1_coding message_coding; /* grpc-encoding */
	enum http1_framing framing;
	uint64_t length;
	const char *allow_origin;
	int64_t timeout_ms; /* grpc-timeout; 0: none */
	size_t bytes;
	unsigned fields;
	bool is_too_large;
};

enum http2_state {
	STREAM_HEAD,	 /* its fields are coming */
	STREAM_BODY,	 /* its body is coming */
	STREAM_PENDING,	 /* the daemon has the request */
	STREAM_ANSWERED, /* the answer is nghttp2's to send */
	STREAM_WATCHING, /* grpc.health.v1.Health/Watch: open until somebody leaves */
};

struct http2_stream {
	struct http2 *http2;
	struct http2_stream *previous, *next;
	int32_t id;
	enum http2_state state;
	struct http2_head head;
	struct request request;
	enum serve_protocol protocol;
	struct buf cors_headers; /* Access-Control-Request-Headers */
	struct grpc_reader reader;
	struct buf body;
	size_t held;			 /* of the body, in the budget */
	size_t owed;			 /* of the stream's window, kept back for want of room */
	struct serve_exchange *exchange; /* with STREAM_PENDING */
	struct buf answer;		 /* what goes into DATA */
	size_t answer_at;
	enum grpc_health told; /* with STREAM_WATCHING: what the client knows */
	bool is_known_service; /* the same */
	bool is_whole;	       /* the client has said all */
	bool is_sent;	       /* we have */
	int64_t since_ms, progress_ms;
};

enum http2_stage {
	STAGE_OPEN,
	STAGE_LEAVING, /* the client was told to open no more streams; those under way to us still count */
	STAGE_LEFT, /* GOAWAY with the last stream's number */
};

struct http2 {
	struct conn *conn;
	nghttp2_session *session;
	struct http2_stream *first, *last; /* oldest first */
	unsigned streams, watching;
	struct flood flood;
	size_t held;	     /* of all its streams */
	int64_t due_ms;	     /* not later than the first deadline of a stream */
	int64_t stage_ms;    /* when the stage began */
	size_t fields_bytes; /* read since a block of fields began that has not ended */
	enum http2_stage stage;
	bool has_settings; /* the client's, which must come first */
	bool has_owed;
	bool is_in_fields; /* a block of fields has begun and not ended */
	bool is_flooded;
	bool is_stuck;	  /* in a block of fields that does not come */
	int64_t ended_ms; /* since when, with is_ended */
	bool is_ended;	  /* the client sends no more */
	bool awaits_pong;
	bool was_broken; /* by the client; counted */
};

/* What all connections share; made for the first. */
struct http2_shared {
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *options;
};

/* http2_frames.c */
struct http2_shared *http2_shared_new(void);

/* http2_stream.c */
struct http2_stream *stream_new(struct http2 *h, int32_t id);
void stream_free(struct http2_stream *st);
void stream_field(struct http2_stream *st, struct slice name, struct slice value);
void stream_head(struct http2_stream *st);
void stream_data(struct http2_stream *st, struct slice in);
void stream_end(struct http2_stream *st);
void stream_refuse(struct http2_stream *st, enum reason reason);
int64_t stream_deadline_ms(const struct http2_stream *st);
void stream_note_deadline(struct http2_stream *st); /* when it may have come nearer */
void stream_expire(struct http2_stream *st);
void stream_grant(struct http2_stream *st); /* gives back what it owes if there is room */

/* http2_answer.c. Both only queue; the connection is flushed by whoever called into it. */
void http2_answer(struct http2_stream *st, const struct serve_answer *answer);
void http2_answer_preflight(struct http2_stream *st);
void http2_answer_message(struct http2_stream *st, const struct buf *message); /* gRPC, status 0 */
void http2_answer_watch(struct http2_stream *st); /* the head; messages follow in st->answer */
void http2_end_watch(struct http2_stream *st);

/* http2_health.c */
void health_check(struct http2_stream *st, struct slice message);
void health_watch(struct http2_stream *st, struct slice message);
void health_tell(struct http2_stream *st); /* if it changed */

#endif
