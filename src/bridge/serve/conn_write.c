/* A connection's answers. One send is tried at once; what does not fit waits for the socket. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "bridge/serve/serve_internal.h"
#include "core/mem.h"

static ssize_t send_parts(struct conn *c, struct slice head, struct slice body)
{
	struct iovec parts[2];
	struct msghdr message = { .msg_iov = parts };
	if (!body.len)
		return send(conn_fd(c), head.ptr, head.len, MSG_NOSIGNAL);

	/* iov_base is not const because readv shares the type. */
	union {
		const unsigned char *from;
		void *to;
	} bytes = { head.ptr };

	if (head.len)
		parts[message.msg_iovlen++] = (struct iovec){ bytes.to, head.len };
	bytes.from = body.ptr;
	parts[message.msg_iovlen++] = (struct iovec){ bytes.to, body.len };
	return sendmsg(conn_fd(c), &message, MSG_NOSIGNAL);
}

/* How much went out; a failure that is not "full" breaks the writing side. */
static size_t sent(struct conn *c, ssize_t n)
{
	if (n >= 0)
		return (size_t)n;
	if (errno != EAGAIN && errno != EINTR)
		c->is_broken = true;
	return 0;
}

void conn_send(struct conn *c, const void *head, size_t len, struct buf *body)
{
	size_t body_len = body ? body->len : 0;
	if (c->is_broken)
		return;
	size_t n = sent(c, send_parts(c, slice_of(head, len),
				   slice_of(body_len ? body->data : NULL, body_len)));
	if (n == len + body_len || c->is_broken)
		return;
	struct outbound *out = mem_zalloc(sizeof(*out));
	out->head.max = BUF_UNLIMITED;
	if (n < len)
		buf_add(&out->head, (const unsigned char *)head + n, len - n);
	else
		out->at = n - len;
	if (body_len) {
		out->body = *body;
		*body = (struct buf)BUF_INIT(body->max);
		c->serve->pages_held += body_len;
	}
	c->out = out;
}

void conn_send_continue(struct conn *c)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	ssize_t n = send(conn_fd(c), go_on, sizeof(go_on) - 1, MSG_NOSIGNAL);
	/* All earlier answers are out, so a socket without room for this is broken. */
	if (n != (ssize_t)sizeof(go_on) - 1)
		c->is_broken = true;
}

/* A server that stops says so with each answer. */
static struct answer_to shape(struct conn *c, const struct answer_to *to)
{
	struct answer_to shaped = *to;
	if (c->serve->is_stopping && c->end == CONN_KEEP) {
		c->end = CONN_CLOSE_LINGERING;
		shaped.closes = true;
	}
	return shaped;
}

void conn_answer(struct conn *c, const struct answer_to *to, const struct serve_answer *answer)
{
	struct serve *s = c->serve;
	const char *date = serve_date(s);
	struct answer_to shaped = shape(c, to);
	if (answer->reason == REASON_OK && !answer->rejected && !answer->message &&
		!shaped.closes && !shaped.names_keep_alive && !shaped.allow_origin &&
		shaped.encoding != ANSWER_TEXT) {
		const struct buf *ready = &s->success[shaped.encoding];
		conn_send(c, ready->data, ready->len, NULL);
		return;
	}
	s->scratch.len = 0;
	answer_export(&s->scratch, date, &shaped, answer);
	conn_send(c, s->scratch.data, s->scratch.len, NULL);
}

void conn_answer_page(struct conn *c, const struct answer_to *to, struct serve_page *page)
{
	struct serve *s = c->serve;
	struct answer_to shaped = shape(c, to);
	s->scratch.len = 0;
	answer_page_head(&s->scratch, serve_date(s), &shaped, page);
	conn_send(c, s->scratch.data, s->scratch.len, to->is_head ? NULL : &page->body);
	buf_clear(&page->body);
}

/* Closing at once, with bytes unread, would send a reset that can overtake the answer (RFC 9112, 9.6). */
enum step conn_linger(struct conn *c)
{
	shutdown(conn_fd(c), SHUT_WR);
	conn_drop_inbound(c);
	http2_drop(c);
	c->state = CONN_LINGER;
	conn_want(c, EV_READ);
	conn_move(c, &c->serve->busy);
	conn_progress(c);
	return STEP_STOP;
}

enum step conn_settle(struct conn *c)
{
	if (c->is_broken)
		conn_drop_outbound(c);
	if (c->out) {
		conn_drop_body(c);
		c->state = CONN_WRITING;
		conn_want(c, EV_WRITE);
		conn_move(c, &c->serve->busy);
		conn_progress(c);
		return STEP_STOP;
	}
	if (c->end == CONN_CLOSE_LINGERING && !c->is_broken)
		return conn_linger(c);
	if (c->end != CONN_KEEP) {
		conn_free(c);
		return STEP_GONE;
	}
	conn_drop_body(c);
	c->state = CONN_IDLE;
	return STEP_NEXT;
}

bool conn_push(struct conn *c)
{
	struct outbound *out = c->out;
	struct slice head = buf_slice(&out->head), body = buf_slice(&out->body);
	size_t skip = out->at < head.len ? out->at : head.len;
	head = slice_of(head.len ? head.ptr + skip : NULL, head.len - skip);
	skip = out->at - skip;
	body = slice_of(body.len ? body.ptr + skip : NULL, body.len - skip);
	size_t n = sent(c, send_parts(c, head, body));
	out->at += n;
	if (n < head.len + body.len && !c->is_broken) {
		if (n)
			conn_progress(c);
		return false;
	}
	conn_drop_outbound(c);
	return true;
}

enum step conn_flush(struct conn *c)
{
	return conn_push(c) ? conn_settle(c) : STEP_STOP;
}
