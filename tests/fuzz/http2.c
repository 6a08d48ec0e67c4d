/* A connection of HTTP/2 and gRPC from anybody, through a socket as the bridge has it. The first byte says in
 * which pieces the rest comes, whether answers come at once or later, and whether the preface is put in front.
 *
 * Whatever comes: nothing is held when the connection is gone, and each request that was given out is answered
 * or left by its client.
 */
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/serve/serve_internal.h"
#include "fuzz.h"

#define BODY_MAX ((size_t)1 << 16)
#define HELD_MAX 256

static struct fixture {
	struct event_base *base;
	struct serve *serve;
	bool is_late;
	struct serve_exchange *held[HELD_MAX];
	size_t held_count;
} f;

static void must(bool claim)
{
	if (!claim)
		abort();
}

static void reply(struct serve_exchange *x)
{
	const struct serve_answer answer = { .reason = REASON_OK, .message = "why \x01 not" };
	serve_reply(x, &answer);
}

static void on_export(void *ctx, struct serve_exchange *x, const struct serve_request *request)
{
	(void)ctx;
	must(request->body.len <= BODY_MAX && (unsigned)request->protocol < SERVE_PROTOCOL_COUNT);
	if (f.is_late && f.held_count < HELD_MAX)
		f.held[f.held_count++] = x;
	else
		reply(x);
}

static void set_up(void)
{
	struct serve_options options = { .limits = SERVE_LIMITS_DEFAULT };
	const struct serve_handler handler = { .export = on_export };
	options.limits.body_max = BODY_MAX;
	options.limits.header_max = 4096;
	f.base = event_base_new();
	f.serve = serve_new(f.base, &options, &handler);
}

/* Turns the loop, and reads what comes so that the socket does not fill. */
static void turn(int fd)
{
	char answers[1 << 16];
	event_base_loop(f.base, EVLOOP_NONBLOCK);
	while (recv(fd, answers, sizeof(answers), MSG_DONTWAIT) > 0)
		;
}

static void say(int fd, const void *bytes, size_t len)
{
	if (send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return; /* it has hung up */
	turn(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	static const char settings[9] = { 0, 0, 0, 4 };
	int fds[2];
	if (len == 0 || len > BODY_MAX)
		return 0;
	if (!f.serve)
		set_up();
	size_t step = (size_t)(bytes[0] >> 2) * 8 + 1;
	f.is_late = bytes[0] & 1;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	conn_new(f.serve, DOOR_OTLP_GRPC, fds[0]);
	if (!(bytes[0] & 2)) {
		say(fds[1], preface, sizeof(preface) - 1);
		say(fds[1], settings, sizeof(settings));
	}
	for (size_t at = 1; at < len; at += step)
		say(fds[1], bytes + at, len - at < step ? len - at : step);
	for (size_t i = 0; i < f.held_count / 2; i++)
		reply(f.held[i]);
	turn(fds[1]);
	close(fds[1]);
	for (int i = 0; i < 4; i++)
		event_base_loop(f.base, EVLOOP_NONBLOCK);
	for (size_t i = f.held_count / 2; i < f.held_count; i++)
		reply(f.held[i]);
	f.held_count = 0;
	for (int i = 0; i < 4; i++)
		event_base_loop(f.base, EVLOOP_NONBLOCK);
	must(serve_stats(f.serve).connections == 0);
	must(serve_stats(f.serve).bodies_bytes == 0);
	return 0;
}
