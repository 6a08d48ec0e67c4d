/* One connection. Its one event waits for reading, except while an answer does not fit into the socket, and
 * is left alone otherwise: a request costs one read and one write and nothing else.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/serve/serve_internal.h"
#include "core/clock.h"
#include "core/mem.h"

int conn_fd(const struct conn *c)
{
	return event_get_fd(&c->event);
}

/* 127.0.0.0/8, also as a socket for both families shows it, and ::1. */
bool conn_is_local(const struct conn *c)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
	} peer = { .any = { .sa_family = AF_UNSPEC } };

	socklen_t len = sizeof peer;
	if (getpeername(conn_fd(c), &peer.any, &len) != 0)
		return false;
	if (peer.any.sa_family == AF_INET)
		return ntohl(peer.in4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	const struct in6_addr *six = &peer.in6.sin6_addr;
	return peer.any.sa_family == AF_INET6 &&
	       (IN6_IS_ADDR_LOOPBACK(six) ||
		       (IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == IN_LOOPBACKNET));
}

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

void conn_drop_inbound(struct conn *c)
{
	if (!c->in)
		return;
	buf_clear(&c->in->bytes);
	conn_drop_body(c);
	free(TAKE(c->in));
	c->has_leftover = false;
}

void conn_drop_outbound(struct conn *c)
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
	close(conn_fd(c));
	if (c->exchange)
		exchange_abandon(c->exchange);
	conn_drop_inbound(c);
	conn_drop_outbound(c);
	http2_drop(c);
	list_unlink(c);
	s->stats.connections--;
	free(c);
}

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
	case CONN_HTTP2:
		break; /* http2.c sets it */
	case CONN_LINGER:
		c->deadline_ms = now + LINGER_MS;
		break;
	}
}

void conn_expire(struct conn *c)
{
	struct answer_to to = { .encoding = ANSWER_TEXT };
	enum reason reason = c->list == &c->serve->waiting ? REASON_OVERLOADED : REASON_TIMEOUT;
	if (c->state == CONN_HTTP2) {
		http2_expire(c);
		return;
	}
	if (c->state == CONN_WRITING || c->state == CONN_LINGER) {
		conn_free(c);
		return;
	}
	if (c->state == CONN_BODY)
		to = c->in->request.to;
	request_refuse(c, reason, &to, CONN_CLOSE_LINGERING);
}

/* Stops reading until others release what they hold. */
void conn_wait(struct conn *c)
{
	conn_want(c, 0);
	conn_move(c, &c->serve->waiting);
	c->deadline_ms = c->serve->now_ms + WAIT_MS - c->waited_ms;
}

/* The time spent waiting was ours, not the client's. */
void conn_unwait(struct conn *c)
{
	int64_t began_ms = c->deadline_ms - (WAIT_MS - c->waited_ms);
	int64_t spent_ms = c->serve->now_ms - began_ms;
	c->since_ms += spent_ms;
	c->waited_ms += (int32_t)spent_ms;
	if (c->http2)
		http2_unwait(c, spent_ms);
	conn_progress(c);
	conn_move(c, c->state == CONN_IDLE ? &c->serve->idle : &c->serve->busy);
	conn_want(c, EV_READ);
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
		conn_read(c);
		break;
	case CONN_PENDING:
		conn_want(c, 0); /* more can wait, and an end of file too, until the answer */
		break;
	case CONN_WRITING:
		if (conn_flush(c) == STEP_NEXT)
			conn_go_on(c);
		break;
	case CONN_HTTP2:
		http2_event(c);
		break;
	case CONN_LINGER:
		conn_drain(c);
		break;
	}
}

void conn_want(struct conn *c, short what)
{
	if (c->interest == what)
		return;
	int fd = conn_fd(c);
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

ssize_t conn_recv(struct conn *c, void *to, size_t len)
{
	return recv(conn_fd(c), to, len, 0);
}

bool conn_has_unread(const struct conn *c)
{
	char byte;
	return recv(conn_fd(c), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}
