#include "grpc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "common.h"

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, GOAWAY = 7, WINDOW_UPDATE = 8 };

enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, FRAME_HEAD = 9, FRAME_MAX = 16384, PREFIX = 5 };

#define WINDOW_FIRST 65535
#define PREFACE	     "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define PATH	     "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"

/* Literals without indexing (RFC 7541, 6.2.2); the first byte of each pair is a static name or 0 for a new one. */
static const char head[] = "\x83\x86\x04\x3f" PATH "\x01\x09"
			   "127.0.0.1"
			   "\x0f\x10\x10"
			   "application/grpc"
			   "\x00\x02"
			   "te"
			   "\x08"
			   "trailers";

static uint32_t number(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_number(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (24 - 8 * i));
}

static unsigned char *stage(struct grpc_call *c, size_t len, int kind, int flags, uint32_t stream)
{
	unsigned char *at = c->staging + c->staged;

	at[0] = (unsigned char)(len >> 16);
	at[1] = (unsigned char)(len >> 8);
	at[2] = (unsigned char)len;
	at[3] = (unsigned char)kind;
	at[4] = (unsigned char)flags;
	put_number(at + 5, stream);
	c->staged += FRAME_HEAD + len;
	return at + FRAME_HEAD;
}

static void stage_head(struct grpc_call *c)
{
	static_assert(sizeof(PATH) - 1 == 0x3f, "the length stands in the block");
	memcpy(stage(c, sizeof(head) - 1, HEADERS, END_HEADERS, c->stream), head, sizeof(head) - 1);
}

/* The next DATA frame, as far as the windows allow one. */
static bool stage_data(struct grpc_call *c)
{
	size_t prefix = c->body_at == 0 && !c->has_message ? PREFIX : 0;
	size_t room = sizeof(c->staging) - c->staged;
	size_t len = c->body_len - c->body_at;
	int64_t window = c->window < c->stream_window ? c->window : c->stream_window;

	if (len > FRAME_MAX - prefix)
		len = FRAME_MAX - prefix;
	if (window < (int64_t)(len + prefix))
		len = window > (int64_t)prefix ? (size_t)window - prefix : 0;
	if (len == 0 || room < FRAME_HEAD + prefix + len)
		return false;
	bool is_last = c->body_at + len == c->body_len;
	unsigned char *to = stage(c, prefix + len, DATA, is_last ? END_STREAM : 0, c->stream);
	if (prefix) {
		to[0] = 0;
		put_number(to + 1, (uint32_t)c->body_len);
		c->has_message = true;
	}
	memcpy(to + prefix, c->body + c->body_at, len);
	c->body_at += len;
	c->window -= (int64_t)(prefix + len);
	c->stream_window -= (int64_t)(prefix + len);
	return true;
}

void grpc_begin(struct grpc_call *c, const unsigned char *body, size_t len)
{
	c->stream = c->stream ? c->stream + 2 : 1;
	c->stream_window = 262144; /* what the bridge announces */
	c->body = body;
	c->body_len = len;
	c->body_at = 0;
	c->has_message = c->is_answered = false;
	stage_head(c);
}

bool grpc_send(struct grpc_call *c, int fd)
{
	for (;;) {
		if (c->owes_ack && c->staged + FRAME_HEAD <= sizeof(c->staging)) {
			stage(c, 0, SETTINGS, ACK, 0);
			c->owes_ack = false;
		}
		while (stage_data(c))
			;
		if (c->staged_at == c->staged)
			return true;
		ssize_t n =
			send(fd, c->staging + c->staged_at, c->staged - c->staged_at, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0 && errno != EINTR)
			fail(EXIT_BROKEN, "send a request: %s", strerror(errno));
		c->staged_at += n > 0 ? (size_t)n : 0;
		if (c->staged_at == c->staged)
			c->staged = c->staged_at = 0;
	}
}

static void take(struct grpc_call *c, int kind, int flags, uint32_t stream,
	const unsigned char *payload, size_t len)
{
	static const unsigned char empty[PREFIX];

	if (kind == RST_STREAM || kind == GOAWAY)
		fail(EXIT_VOID, "the server ended stream %u (frame %d)", stream, kind);
	if (kind == SETTINGS && !(flags & ACK))
		c->owes_ack = true;
	if (kind == WINDOW_UPDATE && stream == 0)
		c->window += number(payload);
	if (kind == WINDOW_UPDATE && stream == c->stream)
		c->stream_window += number(payload);
	if (kind == DATA && (len != PREFIX || memcmp(payload, empty, PREFIX) != 0))
		fail(EXIT_VOID, "an answer is not an empty success");
	if (kind == DATA)
		c->is_answered = true;
	if (kind == HEADERS && flags & END_STREAM && !c->is_answered)
		fail(EXIT_VOID, "a request was refused");
	if (kind == HEADERS && flags & END_STREAM)
		c->stream_window = 0; /* nothing more on this stream */
}

bool grpc_receive(struct grpc_call *c, int fd)
{
	bool is_over = false;
	ssize_t got = recv(fd, c->read + c->read_len, sizeof(c->read) - c->read_len, 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0)
		fail(EXIT_BROKEN, "the server closed a connection before its answer (%s)",
			got < 0 ? strerror(errno) : "end of stream");
	c->read_len += (size_t)got;
	size_t at = 0;
	while (c->read_len - at >= FRAME_HEAD) {
		const unsigned char *frame = c->read + at;
		size_t len = (size_t)frame[0] << 16 | (size_t)frame[1] << 8 | frame[2];
		if (c->read_len - at < FRAME_HEAD + len)
			break;
		take(c, frame[3], frame[4], number(frame + 5), frame + FRAME_HEAD, len);
		is_over |= frame[3] == HEADERS && frame[4] & END_STREAM;
		at += FRAME_HEAD + len;
	}
	memmove(c->read, c->read + at, c->read_len - at);
	c->read_len -= at;
	return is_over;
}

void grpc_open(struct grpc_call *c, int fd)
{
	c->window = WINDOW_FIRST;
	memcpy(c->staging, PREFACE, sizeof(PREFACE) - 1);
	c->staged = sizeof(PREFACE) - 1;
	stage(c, 0, SETTINGS, 0, 0);
	/* As many answers as will come fit in one window. */
	put_number(stage(c, 4, WINDOW_UPDATE, 0, 0), INT32_MAX - WINDOW_FIRST);
	while (!c->owes_ack) {
		if (!grpc_send(c, fd))
			fail(EXIT_BROKEN, "the server takes no preface");
		grpc_receive(c, fd);
	}
	if (!grpc_send(c, fd))
		fail(EXIT_BROKEN, "the server takes no settings");
}
