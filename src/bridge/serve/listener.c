/* Doors: bound sockets that accept. Past the maximum the connection that has been idle longest makes room;
 * where none is idle the newcomer is told so.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/serve/serve_internal.h"
#include "core/clock.h"
#include "core/error.h"

#define BACKLOG	   4096
#define ROOM_TRIES 16

/* Closes the longest idle connection that has nothing unread: a request that has just come is not lost. */
static bool make_room(struct serve *s)
{
	for (unsigned i = 0; i < ROOM_TRIES && s->idle.first; i++) {
		struct conn *c = s->idle.first;
		if (!conn_has_unread(c)) {
			if (c->http2)
				http2_farewell(c);
			conn_free(c);
			return true;
		}
		conn_move(c, &s->idle);
	}
	return false;
}

static void turn_away(struct listener *l, int fd)
{
	struct serve *s = l->serve;
	struct serve_answer answer = { .reason = REASON_TOO_MANY_CONNECTIONS,
		.retry_after_s = RETRY_AFTER_S };
	struct answer_to to = { .encoding = ANSWER_TEXT, .closes = true };
	char unread[4096];
	s->scratch.len = 0;
	answer_export(&s->scratch, serve_date(s), &to, &answer);
	(void)!send(fd, s->scratch.data, s->scratch.len, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	(void)!recv(
		fd, unread, sizeof(unread), 0); /* else closing resets, and the answer is lost */
	close(fd);
	if (s->handler.refused)
		s->handler.refused(s->handler.ctx, l->door, REASON_TOO_MANY_CONNECTIONS);
}

/* True: worth another try at once. */
static bool accept_failed(struct serve *s)
{
	switch (errno) {
	case EINTR:
	case ECONNABORTED:
		return true;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		if (make_room(s))
			return true;
		listener_pause(s);
		return false;
	default:
		return false;
	}
}

static bool accept_one(struct listener *l)
{
	struct serve *s = l->serve;
	int on = 1;
	int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return accept_failed(s);
	if (s->stats.connections >= s->limits.connections_max && !make_room(s)) {
		turn_away(l, fd);
		return true;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	conn_new(s, l->door, fd);
	return true;
}

static void on_accept(evutil_socket_t fd, short what, void *ctx)
{
	struct listener *l = ctx;
	(void)fd;
	(void)what;
	l->serve->now_ms = clock_mono_ms();
	for (unsigned i = 0; i < ACCEPT_BATCH && accept_one(l); i++)
		;
}

void listener_drain(struct listener *l)
{
	for (unsigned i = 0; l->event && i < BACKLOG && accept_one(l); i++)
		;
}

void listener_pause(struct serve *s)
{
	static const struct timeval pause = { .tv_usec = ACCEPT_PAUSE_MS * 1000L };
	for (unsigned i = 0; i < DOOR_COUNT; i++)
		if (s->listeners[i].event)
			event_del(s->listeners[i].event);
	event_add(s->resume_accept, &pause);
}

void listener_resume(struct serve *s)
{
	for (unsigned i = 0; i < DOOR_COUNT; i++)
		if (s->listeners[i].event)
			event_add(s->listeners[i].event, NULL);
}

void listener_close(struct listener *l)
{
	if (!l->event)
		return;
	event_free(TAKE(l->event));
	close(l->fd);
	l->port = 0;
}

static struct addrinfo *resolve(const char *bind, uint16_t port, struct error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	struct addrinfo *found = NULL;
	char service[8];
	snprintf(service, sizeof(service), "%u", (unsigned)port);
	int rc = getaddrinfo(
		strcmp(bind, "localhost") == 0 ? "127.0.0.1" : bind, service, &hints, &found);
	if (rc == 0)
		return found;
	error_set(err, ERR_USAGE, "\"%s\" is not an address to listen on: %s", bind,
		gai_strerror(rc));
	error_hint(err, "give an IPv4 or IPv6 address, such as 127.0.0.1 or ::");
	return NULL;
}

static int open_socket(const struct addrinfo *at, int *why)
{
	int on = 1;
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	*why = errno;
	if (fd >= 0)
		close(fd);
	return -1;
}

static uint16_t bound_port(int fd)
{
	struct sockaddr_storage at = { 0 };
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
	socklen_t len = sizeof(at);
	if (getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		return 0;
	memcpy(&in4, &at, sizeof(in4));
	memcpy(&in6, &at, sizeof(in6));
	return ntohs(at.ss_family == AF_INET6 ? in6.sin6_port : in4.sin_port);
}

bool serve_listen(
	struct serve *s, enum serve_door door, const char *bind, uint16_t port, struct error *err)
{
	struct listener *l = &s->listeners[door];
	int why = 0;
	struct addrinfo *at = resolve(bind, port, err);
	if (!at)
		return false;
	int fd = open_socket(at, &why);
	freeaddrinfo(at);
	if (fd < 0) {
		error_set_errno(err, why == EADDRINUSE ? ERR_PORT_TAKEN : ERR_NETWORK, why,
			"listening on %s port %u", bind, (unsigned)port);
		/* no matter of the port, which is what the caller would hint at */
		return why == EADDRNOTAVAIL &&
		       error_hint(err, "give an address of this machine with --bind");
	}
	*l = (struct listener){ .serve = s, .door = door, .port = bound_port(fd), .fd = fd };
	l->event = event_new(s->base, fd, EV_READ | EV_PERSIST, on_accept, l);
	event_add(l->event, NULL);
	return true;
}

uint16_t serve_port(const struct serve *s, enum serve_door door)
{
	return s->listeners[door].port;
}
