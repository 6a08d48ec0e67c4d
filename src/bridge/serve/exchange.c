/* A request that waits for its answer. Most are answered before export() returns: those cost no
 * allocation, their body stays where it was read to.
 */
#include <assert.h>
#include <stdlib.h>

#include "bridge/serve/serve_internal.h"
#include "core/clock.h"
#include "core/mem.h"

struct serve_exchange {
	struct serve *serve;
	struct conn *conn; /* NULL: the client is gone */
	struct serve_exchange *previous, *next;
	struct answer_to to;
	int64_t arrived_ms;
	bool is_replied, is_exporting, is_body_done;
	size_t loop_from, loop_to; /* where the body is in the loop buffer; equal: elsewhere */
	struct buf body;	   /* or here */
	struct pages pages;	   /* or here */
	size_t held;
};

static struct serve_exchange *exchange_new(struct conn *c, const struct answer_to *to)
{
	struct serve *s = c->serve;
	struct serve_exchange *x = s->spare ? TAKE(s->spare) : mem_alloc(sizeof(*x));
	*x = (struct serve_exchange){ .serve = s,
		.conn = c,
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
}

/* Takes over the buffer that the body is in, or remembers where it is in the loop buffer. */
static void hold_body(struct serve_exchange *x, struct slice body, struct buf *owned)
{
	if (owned) {
		x->body = *owned;
		*owned = (struct buf)BUF_INIT(owned->max);
		serve_hold(x->serve, &x->held, x->body.room);
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

static enum step export_now(
	struct conn *c, const struct request *request, struct slice body, struct buf *owned)
{
	struct serve *s = c->serve;
	struct serve_exchange *x = exchange_new(c, &request->to);
	struct serve_request whole = {
		.signal = request->to.signal, .encoding = request->encoding, .body = body
	};
	c->state = CONN_PENDING;
	c->exchange = x;
	s->handler.export(s->handler.ctx, x, &whole);
	x->is_exporting = false;
	if (x->is_replied) {
		c->exchange = NULL;
		exchange_free(x);
		return conn_settle(c);
	}
	if (!x->is_body_done)
		hold_body(x, body, owned);
	conn_drop_body(c); /* also the compressed bytes of an inflated one */
	return STEP_STOP;
}

enum step exchange_start(
	struct conn *c, const struct request *request, struct slice body, struct buf *owned)
{
	struct serve *s = c->serve;
	s->stats.requests++;
	s->stats.body_bytes += body.len;
	if (request->coding == HTTP1_IDENTITY)
		return export_now(c, request, body, owned);
	struct answer_to to = request->to;
	if (!s->inflated.room)
		s->inflated = spares_take(&s->spares, s->limits.body_max);
	enum reason reason = inflate_body(s->inflater, request->coding, body, &s->inflated);
	enum step step = reason == REASON_OK
				 ? export_now(c, request, buf_slice(&s->inflated), &s->inflated)
				 : request_refuse(c, reason, &to, c->end);
	if (s->inflated.room > SPARE_MIN)
		spares_give(&s->spares, &s->inflated, s->now_ms);
	return step;
}

enum step exchange_act(
	struct conn *c, const struct request *request, const struct serve_action *action)
{
	struct serve *s = c->serve;
	struct serve_exchange *x = exchange_new(c, &request->to);
	s->stats.requests++;
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
