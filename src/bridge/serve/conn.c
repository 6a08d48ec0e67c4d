/* One connection. Its one event waits for reading, except while an answer does not fit into the socket, and
 * is left alone otherwise: a request costs one read and one write and nothing else.
 *
 * Bytes are read into the shared loop buffer. Only what cannot be answered from there is copied: the
 * beginning of a head, requests behind one that is under way, a body that is not whole. Bodies with a
 * length are then read straight into their own buffer.
 *
 * End of file and resets are acted on only when read says so, and read says so only behind the last byte
 * the kernel holds: a request that is whole counts even if its client is gone.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bridge/serve/serve_internal.h"
#include "core/clock.h"
#include "core/mem.h"

static int fd_of(const struct conn *c)
{
	return event_get_fd(&c->event);
}

/* ---- lists and memory ---- */

static void list_unlink(struct conn *c)
{
	struct conn_list *list = c->list;
	*(c->previous ? &c->previous->next : &list->first) = c->next;
	*(c->next ? &c->next->previous : &list->last) = c->previous;
	c->list = NULL;
}

void conn_move(struct conn *c, struct conn_list *to)
{
	if (c->list == to && to->last == c)
		return;
	if (c->list)
		list_unlink(c);
	c->list = to;
	c->next = NULL;
	c->previous = to->last;
	*(to->last ? &to->last->next : &to->first) = c;
	to->last = c;
}

struct inbound *conn_inbound(struct conn *c)
{
	if (!c->in) {
		c->in = mem_zalloc(sizeof(*c->in));
		c->in->bytes.max = BUF_UNLIMITED; /* bounded by the loop buffer it is copied from */
	}
	return c->in;
}

void conn_account(struct conn *c)
{
	if (c->in)
		serve_hold(c->serve, &c->in->held, c->in->bytes.room + c->in->body.room);
}

void conn_drop_body(struct conn *c)
{
	if (!c->in)
		return;
	spares_give(&c->serve->spares, &c->in->body, c->serve->now_ms);
	conn_account(c);
}

static void drop_inbound(struct conn *c)
{
	if (!c->in)
		return;
	buf_clear(&c->in->bytes);
	conn_drop_body(c);
	free(TAKE(c->in));
	c->has_leftover = false;
}

static void drop_outbound(struct conn *c)
{
	if (!c->out)
		return;
	c->serve->pages_held -= c->out->body.len;
	buf_clear(&c->out->head);
	buf_clear(&c->out->body);
	free(TAKE(c->out));
}

void conn_free(struct conn *c)
{
	struct serve *s = c->serve;
	event_del(&c->event);
	close(fd_of(c));
	if (c->exchange)
		exchange_abandon(c->exchange);
	drop_inbound(c);
	drop_outbound(c);
	list_unlink(c);
	s->stats.connections--;
	free(c);
}

/* ---- deadlines ---- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void conn_progress(struct conn *c)
{
	const struct serve_limits *limits = &c->serve->limits;
	int64_t now = c->serve->now_ms;
	switch ((enum conn_state)c->state) {
	case CONN_IDLE:
	case CONN_HEAD:
		c->deadline_ms = c->since_ms + limits->header_timeout_ms;
		break;
	case CONN_BODY:
	case CONN_WRITING:
		c->deadline_ms = earlier(
			now + limits->body_timeout_ms, c->since_ms + limits->request_timeout_ms);
		break;
	case CONN_PENDING:
		c->deadline_ms = INT64_MAX; /* the daemon decides in time */
		break;
	case CONN_LINGER:
		c->deadline_ms = now + LINGER_MS;
		break;
	}
}

void conn_expire(struct conn *c)
{
	struct answer_to to = { .encoding = ANSWER_TEXT };
	enum reason reason = c->list == &c->serve->waiting ? REASON_OVERLOADED : REASON_TIMEOUT;
	if (c->state == CONN_WRITING || c->state == CONN_LINGER) {
		conn_free(c);
		return;
	}
	if (c->state == CONN_BODY)
		to = c->in->request.to;
	request_refuse(c, reason, &to, CONN_CLOSE_LINGERING);
}

/* Stops reading until others release what they hold. */
static void conn_wait(struct conn *c)
{
	conn_want(c, 0);
	conn_move(c, &c->serve->waiting);
	c->deadline_ms = c->serve->now_ms + WAIT_MS;
}

/* The time spent waiting was ours, not the client's. */
void conn_unwait(struct conn *c)
{
	c->since_ms += c->serve->now_ms - (c->deadline_ms - WAIT_MS);
	conn_progress(c);
	conn_move(c, c->state == CONN_IDLE ? &c->serve->idle : &c->serve->busy);
	conn_want(c, EV_READ);
}

/* ---- writing ---- */

static ssize_t send_parts(struct conn *c, struct slice head, struct slice body)
{
	struct iovec parts[2];
	struct msghdr message = { .msg_iov = parts };
	if (!body.len)
		return send(fd_of(c), head.ptr, head.len, MSG_NOSIGNAL);

	/* iov_base is not const because readv shares the type. */
	union {
		const unsigned char *from;
		void *to;
	} bytes = { head.ptr };

	if (head.len)
		parts[message.msg_iovlen++] = (struct iovec){ bytes.to, head.len };
	bytes.from = body.ptr;
	parts[message.msg_iovlen++] = (struct iovec){ bytes.to, body.len };
	return sendmsg(fd_of(c), &message, MSG_NOSIGNAL);
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
	ssize_t n = send(fd_of(c), go_on, sizeof(go_on) - 1, MSG_NOSIGNAL);
	/* All earlier answers are out, so a socket without room for this is broken. */
	if (n != (ssize_t)sizeof(go_on) - 1)
		c->is_broken = true;
}

void conn_answer(struct conn *c, const struct answer_to *to, const struct serve_answer *answer)
{
	struct serve *s = c->serve;
	const char *date = serve_date(s);
	struct answer_to shaped = *to;
	if (s->is_stopping && c->end == CONN_KEEP) {
		c->end = CONN_CLOSE_LINGERING;
		shaped.closes = true;
	}
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

/* Closing at once, with bytes unread, would send a reset that can overtake the answer (RFC 9112, 9.6). */
static enum step start_linger(struct conn *c)
{
	shutdown(fd_of(c), SHUT_WR);
	drop_inbound(c);
	c->state = CONN_LINGER;
	conn_want(c, EV_READ);
	conn_move(c, &c->serve->busy);
	conn_progress(c);
	return STEP_STOP;
}

enum step conn_settle(struct conn *c)
{
	if (c->is_broken)
		drop_outbound(c);
	if (c->out) {
		conn_drop_body(c);
		c->state = CONN_WRITING;
		conn_want(c, EV_WRITE);
		conn_move(c, &c->serve->busy);
		conn_progress(c);
		return STEP_STOP;
	}
	if (c->end == CONN_CLOSE_LINGERING && !c->is_broken)
		return start_linger(c);
	if (c->end != CONN_KEEP) {
		conn_free(c);
		return STEP_GONE;
	}
	conn_drop_body(c);
	c->state = CONN_IDLE;
	return STEP_NEXT;
}

/* ---- working through bytes ---- */

/* Copies what is left of the loop buffer if the connection will come back to it. */
static void save(struct conn *c, size_t at, size_t len)
{
	bool is_under_way = c->state == CONN_PENDING || c->state == CONN_WRITING;
	if (at < len && (is_under_way || c->state == CONN_HEAD)) {
		struct inbound *in = conn_inbound(c);
		in->bytes.len = 0;
		buf_add(&in->bytes, c->serve->loop.bytes + at, len - at);
		conn_account(c);
	} else if (c->in) {
		buf_clear(&c->in->bytes);
		conn_account(c);
	}
	c->has_leftover = at < len && is_under_way;
}

/* Puts the connection where its state belongs, after a step. */
static void park(struct conn *c)
{
	struct serve *s = c->serve;
	if (c->state == CONN_IDLE) {
		drop_inbound(c);
		c->since_ms = s->now_ms;
		conn_move(c, &s->idle);
		return;
	}
	if (c->state == CONN_PENDING) {
		exchange_keep(c->exchange);
		conn_progress(c);
	}
	conn_move(c, &s->busy);
}

/* Takes requests from the first `len` bytes of the loop buffer, one after another. */
static void work(struct conn *c, size_t len)
{
	enum step step = STEP_NEXT;
	size_t at = 0;
	while (step == STEP_NEXT && at < len) {
		struct slice rest = slice_of(c->serve->loop.bytes + at, len - at);
		size_t used = 0;
		step = c->state == CONN_BODY ? request_feed(c, rest, &used)
					     : request_take(c, rest, &used);
		at += used;
	}
	if (step == STEP_GONE)
		return;
	save(c, at, len);
	park(c);
}

/* Puts saved bytes at the front of the loop buffer. */
static size_t load(struct conn *c)
{
	if (!c->in || !c->in->bytes.len)
		return 0;
	memcpy(c->serve->loop.bytes, c->in->bytes.data, c->in->bytes.len);
	return c->in->bytes.len;
}

static void work_leftover(struct conn *c)
{
	c->has_leftover = false;
	work(c, load(c));
}

void conn_resume(struct conn *c)
{
	conn_want(c, EV_READ);
	if (!c->has_leftover) {
		park(c);
		return;
	}
	c->since_ms = c->serve->now_ms;
	conn_progress(c);
	conn_move(c, &c->serve->busy);
	/* Not here: whoever replies does not expect the next export inside serve_reply. */
	event_active(&c->event, EV_READ, 0);
}

/* ---- reading ---- */

/* The end of what the client sends, behind the last byte it sent. */
static void read_ended(struct conn *c, ssize_t n)
{
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (c->state == CONN_IDLE) {
		conn_free(c);
		return;
	}
	struct answer_to to = { .encoding = ANSWER_TEXT };
	if (c->state == CONN_BODY)
		to = c->in->request.to;
	if (n < 0)
		c->is_broken = true;
	request_refuse(c, REASON_TRUNCATED, &to, CONN_CLOSE);
}

/* What to ask for next: the buffer doubles at most with what has come, so a length that is not kept
 * reserves nothing. */
static size_t body_step(const struct inbound *in)
{
	size_t step = in->body.len / 2;
	if (step < BODY_SMALL)
		step = BODY_SMALL;
	if (step > BODY_STEP_MAX)
		step = BODY_STEP_MAX;
	return step < in->left ? step : in->left;
}

static void read_body(struct conn *c)
{
	struct inbound *in = c->in;
	size_t step = body_step(in);
	unsigned char *to = buf_reserve(&in->body, step);
	conn_account(c);
	ssize_t n = to ? recv(fd_of(c), to, step, 0) : -1;
	if (n <= 0) {
		read_ended(c, n);
		return;
	}
	buf_wrote(&in->body, (size_t)n);
	in->left -= (size_t)n;
	conn_progress(c);
	if (in->left)
		return;
	if (request_whole(c) != STEP_GONE)
		park(c);
}

static void conn_read(struct conn *c)
{
	struct serve *s = c->serve;
	if (!serve_may_read(s, c)) {
		conn_wait(c);
		return;
	}
	if (c->state == CONN_BODY && !c->in->is_chunked) {
		read_body(c);
		return;
	}
	size_t saved = load(c);
	ssize_t n = recv(fd_of(c), s->loop.bytes + saved, s->loop.len - saved, 0);
	if (n <= 0)
		read_ended(c, n);
	else
		work(c, saved + (size_t)n);
}

static void drain(struct conn *c)
{
	struct serve *s = c->serve;
	ssize_t n = recv(fd_of(c), s->loop.bytes, s->loop.len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		c->drained += (uint32_t)n;
	if (n <= 0 || c->drained > LINGER_MAX)
		conn_free(c);
}

static void flush(struct conn *c)
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
		return;
	}
	drop_outbound(c);
	if (conn_settle(c) != STEP_NEXT)
		return;
	conn_want(c, EV_READ);
	if (c->has_leftover)
		work_leftover(c);
	else
		park(c);
}

static void on_event(evutil_socket_t fd, short what, void *ctx)
{
	struct conn *c = ctx;
	(void)fd;
	(void)what;
	c->serve->now_ms = clock_mono_ms();
	switch ((enum conn_state)c->state) {
	case CONN_IDLE:
	case CONN_HEAD:
	case CONN_BODY:
		if (c->has_leftover)
			work_leftover(c);
		else
			conn_read(c);
		break;
	case CONN_PENDING:
		conn_want(c, 0); /* more can wait, and an end of file too, until the answer */
		break;
	case CONN_WRITING:
		flush(c);
		break;
	case CONN_LINGER:
		drain(c);
		break;
	}
}

void conn_want(struct conn *c, short what)
{
	if (c->interest == what)
		return;
	int fd = fd_of(c);
	event_del(&c->event);
	c->interest = what;
	if (!what)
		return;
	event_assign(&c->event, c->serve->base, fd, (short)(what | EV_PERSIST), on_event, c);
	event_add(&c->event, NULL);
}

void conn_new(struct serve *s, enum serve_door door, int fd)
{
	struct conn *c = mem_zalloc(sizeof(*c));
	c->serve = s;
	c->door = (uint8_t)door;
	c->since_ms = s->now_ms;
	c->interest = EV_READ;
	event_assign(&c->event, s->base, fd, EV_READ | EV_PERSIST, on_event, c);
	event_add(&c->event, NULL);
	conn_move(c, &s->idle);
	s->stats.connections++;
	s->stats.accepted++;
	serve_need_sweep(s);
}

bool conn_has_unread(const struct conn *c)
{
	char byte;
	return recv(fd_of(c), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}
