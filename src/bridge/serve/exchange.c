/* A request that waits for its answer. Most are answered before export() returns: those cost no
 * allocation, their body stays where it was read to.
 */
#include <assert.h>
#include <stdlib.h>

#include "bridge/serve/http2_internal.h"
#include "core/clock.h"
#include "core/mem.h"

struct serve_exchange {
	struct serve *serve;
	struct conn *conn;	     /* HTTP/1.1; NULL: the client is gone */
	struct http2_stream *stream; /* or HTTP/2 */
	struct serve_exchange *previous, *next;
	struct answer_to to;
	int64_t arrived_ms;
	bool is_replied, is_exporting, is_body_done;
	size_t loop_from, loop_to; /* where the body is in the loop buffer; equal: elsewhere */
	struct buf body;	   /* or here */
	struct pages pages;	   /* or here */
	size_t held;
};

static struct serve_exchange *exchange_new(struct serve *s, const struct answer_to *to)
{
	struct serve_exchange *x = s->spare ? TAKE(s->spare) : mem_alloc(sizeof(*x));
	*x = (struct serve_exchange){ .serve = s,
		.next = s->exchanges,
		.to = *to,
		.arrived_ms = s->now_ms,
		.is_exporting = true };
	if (s->exchanges)
		s->exchanges->previous = x;
	s->exchanges = x;
	return x;
}

static void drop_body(struct serve_exchange *x)
{
	struct serve *s = x->serve;
	serve_hold(s, &x->held, 0);
	spares_give(&s->spares, &x->body, s->now_ms);
	pages_clear(&x->pages);
}

static void exchange_free(struct serve_exchange *x)
{
	struct serve *s = x->serve;
	if (x->previous)
		x->previous->next = x->next;
	else
		s->exchanges = x->next;
	if (x->next)
		x->next->previous = x->previous;
	drop_body(x);
	if (s->spare)
		free(x);
	else
		s->spare = x;
}

void exchange_free_all(struct serve *s)
{
	while (s->exchanges)
		exchange_free(s->exchanges); /* unlinks it. NOLINT(clang-analyzer-unix.Malloc) */
	free(TAKE(s->spare));
}

void exchange_abandon(struct serve_exchange *x)
{
	x->conn = NULL;
	x->stream = NULL;
}

/* Takes over the buffer that the body is in, or remembers where it is in the loop buffer. */
static void hold_body(struct serve_exchange *x, struct slice body, struct buf *owned)
{
	if (owned) {
		x->body = *owned;
		*owned = (struct buf)BUF_INIT(owned->max);
		/* It costs something without a body too: over HTTP/2 a client may open streams without end while
		 * their requests wait. */
		serve_hold(x->serve, &x->held, x->body.room + sizeof(*x));
	} else if (body.len) {
		x->loop_from = (size_t)(body.ptr - x->serve->loop.bytes);
		x->loop_to = x->loop_from + body.len;
	}
}

void exchange_keep(struct serve_exchange *x)
{
	if (x->loop_from == x->loop_to)
		return;
	loopbuf_split(&x->serve->loop, x->loop_from, x->loop_to, &x->pages);
	x->loop_from = x->loop_to = 0;
	serve_hold(x->serve, &x->held, x->pages.len);
}

/* Gives it to the daemon. True: it is answered, and x gone; else x has the body, unless that is done with. */
static bool export_now(
	struct serve_exchange *x, const struct serve_request *whole, struct buf *owned)
{
	struct serve *s = x->serve;
	s->handler.export(s->handler.ctx, x, whole);
	x->is_exporting = false;
	if (x->is_replied) {
		exchange_free(x);
		return true;
	}
	if (!x->is_body_done)
		hold_body(x, whole->body, owned);
	return false;
}

static enum step export_of_conn(
	struct conn *c, const struct request *request, struct slice body, struct buf *owned)
{
	struct serve_exchange *x = exchange_new(c->serve, &request->to);
	const struct serve_request whole = {
		.signal = request->to.signal, .encoding = request->encoding, .body = body
	};
	x->conn = c;
	c->state = CONN_PENDING;
	c->exchange = x;
	if (export_now(x, &whole, owned)) {
		c->exchange = NULL;
		return conn_settle(c);
	}
	conn_drop_body(c); /* also the compressed bytes of an inflated one */
	return STEP_STOP;
}

static void export_of_stream(struct http2_stream *st, const struct request *request,
	struct slice body, struct buf *owned)
{
	struct serve_exchange *x = exchange_new(st->http2->conn->serve, &request->to);
	const struct serve_request whole = { .signal = request->to.signal,
		.encoding = request->encoding,
		.protocol = st->protocol,
		.body = body };
	x->stream = st;
	st->exchange = x;
	if (export_now(x, &whole, owned))
		st->exchange = NULL;
}

static void count(struct serve *s, uint8_t door, enum serve_protocol protocol, size_t body_bytes)
{
	bool is_misdirected = (protocol == SERVE_GRPC) != (door == DOOR_OTLP_GRPC);
	s->stats.requests++;
	s->stats.body_bytes += body_bytes;
	s->stats.by_protocol[protocol]++;
	s->stats.misdirected[protocol] += is_misdirected;
}

/* Into s->inflated, which stays between requests unless it has grown large. */
static enum reason inflate_request(struct serve *s, enum http1_coding coding, struct slice body)
{
	if (!s->inflated.room)
		s->inflated = spares_take(&s->spares, s->limits.body_max);
	return inflate_body(s->inflater, coding, body, &s->inflated);
}

static void settle_inflated(struct serve *s)
{
	if (s->inflated.room > SPARE_MIN)
		spares_give(&s->spares, &s->inflated, s->now_ms);
}

enum step exchange_start(
	struct conn *c, const struct request *request, struct slice body, struct buf *owned)
{
	struct serve *s = c->serve;
	count(s, c->door, SERVE_HTTP, body.len);
	if (request->coding == HTTP1_IDENTITY)
		return export_of_conn(c, request, body, owned);
	struct answer_to to = request->to;
	enum reason reason = inflate_request(s, request->coding, body);
	enum step step = reason == REASON_OK
				 ? export_of_conn(c, request, buf_slice(&s->inflated), &s->inflated)
				 : request_refuse(c, reason, &to, c->end);
	settle_inflated(s);
	return step;
}

enum step exchange_act(
	struct conn *c, const struct request *request, const struct serve_action *action)
{
	struct serve *s = c->serve;
	struct serve_exchange *x = exchange_new(s, &request->to);
	s->stats.requests++;
	x->conn = c;
	c->state = CONN_PENDING;
	c->exchange = x;
	s->handler.action(s->handler.ctx, x, action);
	x->is_exporting = false;
	if (!x->is_replied)
		return STEP_STOP;
	c->exchange = NULL;
	exchange_free(x);
	return conn_settle(c);
}

enum reason exchange_start_stream(struct http2_stream *st, const struct request *request,
	struct slice body, struct buf *owned)
{
	struct serve *s = st->http2->conn->serve;
	enum reason reason = REASON_OK;
	count(s, st->http2->conn->door, st->protocol, body.len);
	if (request->coding == HTTP1_IDENTITY) {
		export_of_stream(st, request, body, owned);
		return REASON_OK;
	}
	reason = inflate_request(s, request->coding, body);
	if (reason == REASON_OK)
		export_of_stream(st, request, buf_slice(&s->inflated), &s->inflated);
	settle_inflated(s);
	return reason;
}

static void reply_to_stream(struct serve_exchange *x, const struct serve_answer *answer)
{
	struct http2_stream *st = x->stream;
	http2_answer(st, answer);
	if (x->is_exporting)
		return;
	st->exchange = NULL;
	http2_wake(st->http2->conn); /* so that many answers at once go out together */
	exchange_free(x);
}

static void begin_reply(struct serve_exchange *x)
{
	assert(!x->is_replied);
	x->is_replied = true;
	if (!x->is_exporting)
		x->serve->now_ms = clock_mono_ms();
}

/* Whoever handed the exchange out frees it, when it was answered before they came back. */
static void finish_reply(struct serve_exchange *x)
{
	struct conn *c = x->conn;
	if (x->is_exporting)
		return;
	exchange_free(x);
	if (!c)
		return;
	c->exchange = NULL;
	if (conn_settle(c) == STEP_NEXT)
		conn_resume(c);
}

void serve_reply(struct serve_exchange *x, const struct serve_answer *answer)
{
	begin_reply(x);
	if (x->stream) {
		reply_to_stream(x, answer);
		return;
	}
	if (x->conn)
		conn_answer(x->conn, &x->to, answer);
	finish_reply(x);
}

void serve_reply_page(struct serve_exchange *x, struct serve_page *page)
{
	begin_reply(x);
	if (x->conn)
		conn_answer_page(x->conn, &x->to, page);
	buf_clear(&page->body);
	finish_reply(x);
}

void serve_body_done(struct serve_exchange *x)
{
	x->is_body_done = true;
	drop_body(x);
}

int64_t serve_arrived_mono_ms(const struct serve_exchange *x)
{
	return x->arrived_ms;
}
