/* The floor: the least an OTLP/HTTP server can do. It reads each request (header, Content-Length, body),
 * answers 200 with an empty protobuf message and does nothing else: no inflating, no decoding, no storing.
 * What another server costs beyond this is what its work costs.
 *
 * One thread, one epoll loop, HTTP/1.1 with keep-alive and pipelining. Prints its port, then serves until
 * it is ended. It trusts its one client and is for loopback only.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

enum { CONNECTIONS_MAX = 1024, HEADER_MAX = 4096, READ_BYTES = 256 << 10, EVENTS = 64 };

struct connection {
	size_t header_len; /* collected so far */
	uint64_t body_left;
	char header[HEADER_MAX];
};

static struct connection *connections; /* by file descriptor */
static unsigned char *scratch;

static const char answer[] = "HTTP/1.1 200 OK\r\n"
			     "Content-Type: application/x-protobuf\r\n"
			     "Content-Length: 0\r\n\r\n";

static int listen_loopback(uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, len) != 0 || listen(fd, 1024) != 0 ||
		getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		fail(EXIT_BROKEN, "listen on loopback: %s", strerror(errno));
	*port = ntohs(at.sin_port);
	return fd;
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		fail(EXIT_BROKEN, "watch a socket: %s", strerror(errno));
}

static void accept_all(int epoll, int listener)
{
	int one = 1;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (fd >= CONNECTIONS_MAX) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		connections[fd].header_len = 0;
		connections[fd].body_left = 0;
		watch(epoll, fd);
	}
}

/* The value of Content-Length in a whole header, which ends with an empty line. */
static uint64_t content_length(const char *header, size_t len)
{
	static const char name[] = "\r\nContent-Length:";
	const size_t name_len = sizeof(name) - 1;
	uint64_t value = 0;

	for (size_t i = 0; i + name_len < len; i++) {
		if (header[i] != '\r' || strncasecmp(header + i, name, name_len) != 0)
			continue;
		for (i += name_len; header[i] == ' '; i++)
			;
		for (; header[i] >= '0' && header[i] <= '9' && value < UINT32_MAX; i++)
			value = value * 10 + (uint64_t)(header[i] - '0');
		break;
	}
	return value;
}

/* Takes header bytes up to the empty line; how many of `len` it used. */
static size_t header_take(struct connection *c, const unsigned char *bytes, size_t len)
{
	size_t before = c->header_len;
	size_t room = sizeof(c->header) - before;
	size_t copied = len < room ? len : room;

	memcpy(c->header + before, bytes, copied);
	/* The empty line may have begun in the bytes of an earlier read. */
	size_t from = before < 3 ? 0 : before - 3;
	const char *end = memmem(c->header + from, before + copied - from, "\r\n\r\n", 4);
	if (!end) {
		if (copied < len)
			fail(EXIT_BROKEN, "a request's header is longer than %d bytes", HEADER_MAX);
		c->header_len = before + copied;
		return copied;
	}
	size_t header_len = (size_t)(end - c->header) + 4;
	c->body_left = content_length(c->header, header_len);
	c->header_len = header_len;
	return header_len - before;
}

static int header_is_whole(const struct connection *c)
{
	return c->header_len >= 4 && memcmp(c->header + c->header_len - 4, "\r\n\r\n", 4) == 0;
}

static void requests_take(int fd, struct connection *c, size_t len)
{
	size_t used = 0;

	while (used < len) {
		if (!header_is_whole(c))
			used += header_take(c, scratch + used, len - used);
		size_t body = len - used < c->body_left ? len - used : (size_t)c->body_left;
		used += body;
		c->body_left -= body;
		if (!header_is_whole(c) || c->body_left > 0)
			continue;
		c->header_len = 0;
		if (send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
			return;
	}
}

static void connection_read(int fd)
{
	ssize_t got = recv(fd, scratch, READ_BYTES, 0);

	if (got > 0)
		requests_take(fd, &connections[fd], (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		close(fd);
}

int main(void)
{
	uint16_t port;
	struct epoll_event events[EVENTS];
	int listener = listen_loopback(&port);
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0)
		fail(EXIT_BROKEN, "make an epoll: %s", strerror(errno));
	connections = pages_take(CONNECTIONS_MAX * sizeof(*connections));
	scratch = pages_take(READ_BYTES);
	watch(epoll, listener);
	printf("%u\n", port);
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		if (n < 0 && errno != EINTR)
			fail(EXIT_BROKEN, "wait for requests: %s", strerror(errno));
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				accept_all(epoll, listener);
			else
				connection_read(events[i].data.fd);
		}
	}
}
