/* What the files of this room share.
 *
 *   listener.c  opens doors, accepts, makes room when there are too many connections
 *   conn.c      one connection: life, lists, deadlines; conn_read.c and conn_write.c: its bytes
 *   request.c   a head becomes a decision: export, page, preflight, refusal; bodies
 *   http2*.c    connections that speak HTTP/2 instead; see http2_internal.h
 *   exchange.c  a whole request goes to the daemon; its answer comes back, now or later
 *   serve.c     life cycle, the sweep over deadlines, the budget of bytes
 *
 * One owner: every connection is on exactly one list of struct serve. One destructor: conn_free. A function
 * that may free its connection says so by returning an enum step; after STEP_GONE it is not touched again.
 */
#ifndef CCTM_BRIDGE_SERVE_SERVE_INTERNAL_H
#define CCTM_BRIDGE_SERVE_SERVE_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "bridge/serve/answer.h"
#include "bridge/serve/chunked.h"
#include "bridge/serve/cors.h"
#include "bridge/serve/http1.h"
#include "bridge/serve/inflate.h"
#include "bridge/serve/loopbuf.h"
#include "bridge/serve/serve.h"
#include "bridge/serve/spares.h"

#define BODY_SMALL	((size_t)64 << 10)  /* up to here a body may use the budget's reserve */
#define RESERVE_MAX	((size_t)32 << 20)  /* of the budget, for small bodies */
#define BODY_STEP_MAX	((size_t)1 << 20)   /* one read into a body */
#define PAGES_MAX	((size_t)128 << 20) /* unsent page bytes, past which pages are refused */
#define WAIT_MS		8000		    /* for the budget: the client leaves after 10 s */
#define RETRY_AFTER_S	2
#define LINGER_MS	5000
#define LINGER_MAX	((uint32_t)16 << 20)
#define ACCEPT_BATCH	64
#define ACCEPT_PAUSE_MS 100
#define FDS_SPARE	64 /* for journal, ledger and listeners */

enum step {
	STEP_NEXT, /* the connection takes the next request */
	STEP_STOP, /* it waits for something */
	STEP_GONE, /* it was freed, or has become something else */
};

enum conn_state {
	CONN_IDLE,    /* between requests; no buffer */
	CONN_HEAD,    /* a part of a head is in in->bytes */
	CONN_BODY,    /* a body is being read */
	CONN_PENDING, /* the daemon has the request */
	CONN_WRITING, /* the socket is full */
	CONN_HTTP2,   /* its state is in struct http2 */
	CONN_LINGER,  /* answered and half-closed; what still comes is thrown away */
};

enum conn_end { CONN_KEEP, CONN_CLOSE, CONN_CLOSE_LINGERING };

struct request { /* what of a head is needed when the head is gone */
	enum http1_coding coding;
	enum otlp_encoding encoding;
	struct answer_to to;
};

struct inbound {	  /* bytes of a request that is not whole */
	struct buf bytes; /* the head, or requests behind one that is under way */
	size_t scanned;
	struct request request;
	struct buf body;
	bool is_chunked;
	size_t left; /* of a body with a length */
	struct chunked chunked;
	size_t held; /* counted in the budget */
};

struct outbound { /* bytes the socket had no room for */
	struct buf head, body;
	size_t at; /* written of head and body together */
};

struct conn_list {
	struct conn *first, *last;
};

struct conn {
	struct event event;
	struct serve *serve;
	struct conn *previous, *next;
	struct conn_list *list;
	struct inbound *in;		 /* NULL: none */
	struct outbound *out;		 /* NULL: none */
	struct serve_exchange *exchange; /* with CONN_PENDING */
	struct http2 *http2;		 /* with CONN_HTTP2 */
	int64_t since_ms;		 /* idle since, or first byte of the request */
	int64_t deadline_ms;		 /* when not idle */
	int32_t waited_ms;		 /* for the budget, in all, during this request */
	uint32_t drained;
	short interest;	   /* EV_READ, EV_WRITE or 0, as registered */
	uint8_t door;	   /* enum serve_door */
	uint8_t state;	   /* enum conn_state */
	uint8_t end;	   /* enum conn_end: after the answer under way */
	bool is_broken;	   /* writing failed: answers go nowhere, requests still count */
	bool was_used;	   /* a request came: what follows is HTTP/1.1 too */
	bool has_leftover; /* in->bytes hold something to work through before reading */
};

struct listener {
	struct serve *serve;
	struct event *event;
	enum serve_door door;
	uint16_t port; /* 0: not open */
	int fd;
};

struct serve {
	struct event_base *base;
	struct serve_handler handler;
	struct serve_limits limits;
	struct cors cors;
	struct listener listeners[DOOR_COUNT];
	struct conn_list idle; /* the longest idle first */
	struct conn_list busy;
	struct conn_list waiting;	  /* for the budget, first come first */
	struct serve_exchange *exchanges; /* all that are pending */
	struct serve_exchange *spare;
	struct event *sweep, *wake, *resume_accept;
	int sweep_ms;

	struct pages loop;
	struct spares spares;
	struct http2_shared *http2_shared; /* NULL until the first such connection */
	unsigned http2_connections;
	bool was_healthy;

	struct inflater *inflater;
	struct buf inflated;
	struct buf scratch;    /* answers on their way into the socket */
	struct buf success[2]; /* ready-made, by enum otlp_encoding */
	size_t success_date;   /* where the date is in them */
	char date[ANSWER_DATE_LEN + 1];
	int64_t date_mono_ms;
	int64_t now_ms; /* monotonic, read once per event */

	size_t held, pages_held;
	bool is_stopping;
	bool must_look_once_more; /* stopping, and idle connections may hold unread requests */
	struct serve_stats stats;
};

/* conn.c */
void conn_new(struct serve *s, enum serve_door door, int fd);
void conn_free(struct conn *c);
int conn_fd(const struct conn *c);
bool conn_is_local(const struct conn *c); /* its other end is on this machine */
void conn_move(struct conn *c, struct conn_list *to);
void conn_want(struct conn *c, short what);
void conn_wait(struct conn *c); /* for the budget */
void conn_unwait(struct conn *c);
void conn_expire(struct conn *c); /* its deadline has passed */
bool conn_has_unread(const struct conn *c);
ssize_t conn_recv(
	struct conn *c, void *to, size_t len); /* as recv(2): every byte comes through here */
struct inbound *conn_inbound(struct conn *c);
void conn_account(struct conn *c); /* after in->bytes or in->body changed */
void conn_drop_inbound(struct conn *c);
void conn_drop_outbound(struct conn *c);
void conn_drop_body(struct conn *c);
void conn_progress(struct conn *c); /* sets the deadline for the state */

/* conn_write.c */
/* Writes `head`, then `body`, which is taken and may be NULL. Errors show in is_broken. */
void conn_send(struct conn *c, const void *head, size_t len, struct buf *body);
void conn_send_continue(struct conn *c);
void conn_answer(struct conn *c, const struct answer_to *to, const struct serve_answer *answer);
void conn_answer_page(struct conn *c, const struct answer_to *to, struct serve_page *page);
enum step conn_settle(struct conn *c); /* what follows an answer */
enum step conn_flush(struct conn *c);  /* the socket has room again */
bool conn_push(struct conn *c); /* writes on; true: all is out, or the connection is broken */
enum step conn_linger(struct conn *c);

/* conn_read.c */
void conn_read(struct conn *c);
void conn_drain(struct conn *c);
void conn_go_on(struct conn *c);  /* after an answer that had to wait, from its own callback */
void conn_resume(struct conn *c); /* the same from outside its callback */

/* request.c */
enum step request_take(struct conn *c, struct slice in, size_t *used); /* state IDLE or HEAD */
enum step request_feed(struct conn *c, struct slice in, size_t *used); /* state BODY, chunked */
enum step request_whole(struct conn *c);			       /* in->body is complete */
enum step request_refuse(
	struct conn *c, enum reason reason, struct answer_to *to, enum conn_end end);
bool request_type_is(struct slice media_type, enum otlp_encoding *out);
enum reason request_check(
	const struct serve *s, const struct http1_head *head, const struct request *request);

/* exchange.c */
enum step exchange_start(
	struct conn *c, const struct request *request, struct slice body, struct buf *owned);
enum step exchange_act(
	struct conn *c, const struct request *request, const struct serve_action *action);
/* The same for a request over HTTP/2; not REASON_OK: it does not inflate, and stays the caller's. */
struct http2_stream;
enum reason exchange_start_stream(struct http2_stream *st, const struct request *request,
	struct slice body, struct buf *owned);
void exchange_keep(
	struct serve_exchange *x); /* takes its body out of the loop buffer if it is there */
void exchange_abandon(struct serve_exchange *x); /* its connection is gone */
void exchange_free_all(struct serve *s);

/* http2.c: what a connection does once it has become one of HTTP/2. All may free it unless they say not. */
enum step http2_begin(struct conn *c, struct slice in); /* `in`: from the preface on. STEP_GONE */
void http2_event(struct conn *c);			/* its socket is ready, or it was woken */
void http2_wake(struct conn *c);			/* its event, soon; does not free it */
void http2_expire(struct conn *c);
void http2_unwait(struct conn *c, int64_t spent_ms); /* does not free it */
void http2_sweep(struct conn *c, bool has_news);     /* does not free it */
bool http2_outlives_idleness(struct conn *c);	     /* does not free it */
void http2_farewell(struct conn *c);		     /* one GOAWAY if it fits; does not free it */
void http2_last_words(struct conn *c); /* sends what is queued, as far as the socket takes it */
void http2_drop(struct conn *c);       /* its state, if it has any; does not free it */
size_t http2_held(const struct conn *c);
void http2_shared_free(struct http2_shared *shared);

/* listener.c */
void listener_close(struct listener *l);
void listener_pause(struct serve *s);
void listener_resume(struct serve *s);
void listener_drain(struct listener *l); /* accepts all that wait */

/* serve.c */
void serve_hold(struct serve *s, size_t *counted, size_t bytes); /* *counted becomes bytes */
bool serve_may_read(const struct serve *s, const struct conn *c);
bool serve_has_plenty(const struct serve *s); /* of the budget: half of it is free */
bool serve_is_healthy(const struct serve *s);
const char *serve_date(struct serve *s);
void serve_need_sweep(struct serve *s);

#endif
