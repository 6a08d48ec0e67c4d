/* The load driver: N connections to one OTLP server (HTTP, or gRPC with --grpc) on loopback, one request outstanding on each, for a
 * time or a number of requests; then what it cost the server, and whether the totals are right.
 *
 * One thread, one epoll loop, so on two cores the server has the other one. Each connection owns the bytes of
 * its request; before a send only the times and, for `small`, the ids in them are overwritten, so no two
 * bodies are equal (a server may drop equal ones as repeats) and the driver stays cheaper than any server.
 *
 * Prints one JSON object. Exit status: 0 fine; 1 broken; 2 usage; 3 void (a refused request, or /metrics
 * does not show what was sent).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "body.h"
#include "check.h"
#include "common.h"
#include "grpc.h"
#include "histogram.h"
#include "process.h"

enum {
	CONNECTIONS_MAX = 512,
	HEADER_ROOM = 512,
	ANSWER_MAX = 8192,
	EVENTS = 64,
	STALL_MS = 60000,
	/* The first export of a session covers the client's default interval. */
	FIRST_INTERVAL_S = 60
};

enum body_kind { KIND_SMALL, KIND_BATCH };

struct options {
	enum body_kind kind;
	uint16_t port, exporter_port; /* exporter 0: totals are not checked */
	pid_t pid;		      /* 0: the server's cost is not measured */
	unsigned connections;
	uint64_t duration_ms, requests; /* 0: no limit of this sort */
	bool is_dump, is_grpc;
};

struct connection {
	int fd;
	unsigned char *request; /* header and body */
	struct grpc_call *call; /* NULL: HTTP */
	size_t sent;
	uint64_t began_ns;
	bool is_waiting_for_room;
	size_t answer_len;
	char answer[ANSWER_MAX + 1];
};

struct driver {
	struct options options;
	struct session_message message;
	struct session_names names;
	size_t sessions; /* in one request */
	size_t header_len, request_len;
	int epoll;
	struct connection *connections;
	unsigned active;
	size_t next_session;
	uint64_t session_end_ns[SESSIONS]; /* of its last export */
	uint64_t wall_minus_mono_ns, last_ns, deadline_ns;
	uint64_t started, answered;
	struct histogram latencies;
};

static void request_make(struct driver *d, unsigned char *request)
{
	for (size_t i = 0; i < d->sessions; i++) {
		unsigned char *copy = request + d->header_len + i * d->message.len;
		memcpy(copy, d->message.bytes, d->message.len);
		session_set_ids(copy, &d->message, &d->names, i);
	}
}

static void bodies_prepare(struct driver *d)
{
	char header[HEADER_ROOM];

	session_names_make(&d->names);
	session_message_make(&d->message);
	d->sessions = d->options.kind == KIND_BATCH ? SESSIONS : 1;
	size_t body_len = d->sessions * d->message.len;
	/* The header of the recorded client. */
	d->header_len = (size_t)snprintf(header, sizeof(header),
		"POST /v1/metrics HTTP/1.1\r\n"
		"Host: 127.0.0.1:%u\r\n"
		"User-Agent: OTel-OTLP-Exporter-JavaScript/0.208.0\r\n"
		"Content-Type: application/x-protobuf\r\n"
		"Content-Length: %zu\r\n"
		"Connection: keep-alive\r\n\r\n",
		d->options.port, body_len);
	if (d->options.is_grpc)
		d->header_len = 0; /* grpc.c makes its own */
	d->request_len = d->header_len + body_len;
	d->connections = pages_take(d->options.connections * sizeof(*d->connections));
	for (unsigned i = 0; i < d->options.connections; i++) {
		d->connections[i].request = pages_take(d->request_len);
		if (d->options.is_grpc)
			d->connections[i].call = pages_take(sizeof(struct grpc_call));
		memcpy(d->connections[i].request, header, d->header_len);
		request_make(d, d->connections[i].request);
	}
}

/* Wall time that never repeats, not even between the sessions of one batch. */
static uint64_t unique_wall_ns(struct driver *d, uint64_t mono_ns)
{
	uint64_t now = mono_ns + d->wall_minus_mono_ns;

	d->last_ns = now > d->last_ns ? now : d->last_ns + 1;
	return d->last_ns;
}

static void request_renew(struct driver *d, struct connection *c)
{
	unsigned char *copy = c->request + d->header_len;

	for (size_t i = 0; i < d->sessions; i++, copy += d->message.len) {
		size_t session = d->sessions == 1 ? d->next_session : i;
		uint64_t end = unique_wall_ns(d, c->began_ns);
		if (d->sessions == 1)
			session_set_ids(copy, &d->message, &d->names, session);
		session_set_times(copy, &d->message, d->session_end_ns[session], end);
		d->session_end_ns[session] = end;
	}
	d->next_session = (d->next_session + 1) % SESSIONS;
}

static void connection_watch(struct driver *d, struct connection *c, int operation, bool for_room)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

	if (for_room)
		event.events |= EPOLLOUT;
	if (epoll_ctl(d->epoll, operation, c->fd, &event) != 0)
		fail(EXIT_BROKEN, "watch a connection: %s", strerror(errno));
	c->is_waiting_for_room = for_room;
}

static void call_send(struct driver *d, struct connection *c)
{
	bool is_full = !grpc_send(c->call, c->fd);

	if (is_full != c->is_waiting_for_room)
		connection_watch(d, c, EPOLL_CTL_MOD, is_full);
}

static void request_send(struct driver *d, struct connection *c)
{
	if (c->call) {
		call_send(d, c);
		return;
	}
	while (c->sent < d->request_len) {
		ssize_t n =
			send(c->fd, c->request + c->sent, d->request_len - c->sent, MSG_NOSIGNAL);
		if (n >= 0) {
			c->sent += (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			fail(EXIT_BROKEN, "send a request: %s", strerror(errno));
		if (!c->is_waiting_for_room)
			connection_watch(d, c, EPOLL_CTL_MOD, true);
		return;
	}
	if (c->is_waiting_for_room)
		connection_watch(d, c, EPOLL_CTL_MOD, false);
}

static bool has_more_to_start(const struct driver *d, uint64_t now)
{
	if (d->options.requests)
		return d->started < d->options.requests;
	return now < d->deadline_ns;
}

/* The next request on an idle connection, or the end of its work. */
static void connection_next(struct driver *d, struct connection *c, uint64_t now)
{
	if (!has_more_to_start(d, now)) {
		d->active--;
		return;
	}
	c->began_ns = now;
	c->sent = 0;
	c->answer_len = 0;
	d->started++;
	request_renew(d, c);
	if (c->call)
		grpc_begin(c->call, c->request, d->request_len);
	request_send(d, c);
}

/* The length of the whole answer, or 0 while its header is not there. An answer without Content-Length, or
 * with a body (then it is a partial success, not a plain one), makes the run void. */
static size_t answer_whole_len(const struct connection *c)
{
	static const char name[] = "\r\nContent-Length:";
	const char *end = memmem(c->answer, c->answer_len, "\r\n\r\n", 4);
	const char *length = NULL;

	if (!end)
		return 0;
	if (c->answer_len < 12 || memcmp(c->answer, "HTTP/1.1 200", 12) != 0)
		fail(EXIT_VOID, "a request was refused: %.*s", (int)(end - c->answer), c->answer);
	for (const char *at = c->answer; at < end && !length; at++)
		if (*at == '\r' && strncasecmp(at, name, sizeof(name) - 1) == 0)
			length = at + sizeof(name) - 1;
	while (length && *length == ' ')
		length++;
	if (!length || *length != '0' || (length[1] >= '0' && length[1] <= '9'))
		fail(EXIT_VOID, "an answer is not an empty success: %s", c->answer);
	return (size_t)(end + 4 - c->answer);
}

static void answer_count(struct driver *d, struct connection *c)
{
	uint64_t now = now_mono_ns();

	histogram_add(&d->latencies, now - c->began_ns);
	d->answered++;
	connection_next(d, c, now);
}

static void answer_read(struct driver *d, struct connection *c)
{
	if (c->call) {
		if (grpc_receive(c->call, c->fd))
			answer_count(d, c);
		else
			call_send(d, c); /* its window may be open again */
		return;
	}

	ssize_t got = recv(c->fd, c->answer + c->answer_len, ANSWER_MAX - c->answer_len, 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
		fail(EXIT_BROKEN, "the server closed a connection before its answer (%s)",
			got < 0 ? strerror(errno) : "end of stream");
	c->answer_len += (size_t)got;
	c->answer[c->answer_len] = '\0';
	size_t whole = answer_whole_len(c);
	if (whole == 0 && c->answer_len < ANSWER_MAX)
		return;
	if (whole != c->answer_len || c->sent < d->request_len)
		fail(EXIT_VOID, "an answer came that fits no request: %s", c->answer);
	answer_count(d, c);
}

static void connections_open(struct driver *d)
{
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (d->epoll < 0)
		fail(EXIT_BROKEN, "make an epoll: %s", strerror(errno));
	for (unsigned i = 0; i < d->options.connections; i++) {
		d->connections[i].fd = loopback_connect(d->options.port, !d->options.is_grpc);
		if (d->options.is_grpc) {
			grpc_open(d->connections[i].call, d->connections[i].fd);
			fcntl(d->connections[i].fd, F_SETFL, O_NONBLOCK);
		}
		connection_watch(d, &d->connections[i], EPOLL_CTL_ADD, false);
	}
}

static void drive(struct driver *d)
{
	struct epoll_event events[EVENTS];

	d->active = d->options.connections;
	for (unsigned i = 0; i < d->options.connections; i++)
		connection_next(d, &d->connections[i], now_mono_ns());
	while (d->active > 0) {
		int n = epoll_wait(d->epoll, events, EVENTS, STALL_MS);
		if (n == 0)
			fail(EXIT_BROKEN, "no answer for %d s", STALL_MS / 1000);
		if (n < 0 && errno != EINTR)
			fail(EXIT_BROKEN, "wait for answers: %s", strerror(errno));
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;
			if (events[i].events & EPOLLOUT)
				request_send(d, c);
			if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
				answer_read(d, c);
		}
	}
}

static void clocks_set(struct driver *d)
{
	uint64_t mono = now_mono_ns();
	uint64_t wall = now_wall_ns();

	d->wall_minus_mono_ns = wall - mono;
	d->deadline_ns = mono + d->options.duration_ms * 1000000U;
	for (size_t i = 0; i < SESSIONS; i++)
		d->session_end_ns[i] = wall - FIRST_INTERVAL_S * 1000000000ULL;
}

struct result {
	double elapsed_s, driver_cpu_s;
	struct process_cost before, after;
	bool is_checked;
};

static void result_print(const struct driver *d, const struct result *r)
{
	double points = (double)(d->answered * d->sessions) * POINTS;
	double cpu_s = r->after.cpu_s - r->before.cpu_s;

	printf("{\"kind\":\"%s\",\"protocol\":\"%s\",\"connections\":%u,\"requests\":%llu,"
	       "\"points\":%.0f,\"body_"
	       "bytes\":%zu,"
	       "\"elapsed_s\":%.6f,\"requests_per_s\":%.3f,\"points_per_s\":%.1f,",
		d->options.kind == KIND_BATCH ? "batch" : "small",
		d->options.is_grpc ? "grpc" : "http", d->options.connections,
		(unsigned long long)d->answered, points, d->request_len - d->header_len,
		r->elapsed_s, (double)d->answered / r->elapsed_s, points / r->elapsed_s);
	printf("\"latency_ms\":{\"p50\":%.6f,\"p99\":%.6f,\"max\":%.6f},\"driver_cpu_s\":%.6f,",
		(double)histogram_quantile(&d->latencies, 500) / 1e6,
		(double)histogram_quantile(&d->latencies, 990) / 1e6,
		(double)d->latencies.max / 1e6, r->driver_cpu_s);
	if (d->options.pid)
		printf("\"cpu_s\":%.6f,\"cpu_user_s\":%.2f,\"cpu_system_s\":%.2f,"
		       "\"cpu_s_per_million_points\":%.6f,\"peak_resident_bytes\":%llu,",
			cpu_s, r->after.user_s - r->before.user_s,
			r->after.system_s - r->before.system_s, cpu_s / points * 1e6,
			(unsigned long long)r->after.peak_resident_bytes);
	printf("\"totals_checked\":%s}\n", r->is_checked ? "true" : "false");
}

static bool totals_are_right(struct driver *d)
{
	size_t len;
	const char *text = scrape(d->options.exporter_port, &len);

	return totals_check(text, len, d->answered * d->sessions) == 0;
}

static int run(struct driver *d)
{
	struct result r = { 0 };

	connections_open(d);
	if (d->options.pid)
		r.before = process_cost(d->options.pid);
	double cpu = own_cpu_s();
	clocks_set(d);
	uint64_t began = now_mono_ns();
	drive(d);
	r.elapsed_s = (double)(now_mono_ns() - began) / 1e9;
	r.driver_cpu_s = own_cpu_s() - cpu;
	if (d->options.pid)
		r.after = process_cost(d->options.pid);
	r.is_checked = d->options.exporter_port != 0;
	if (r.is_checked && !totals_are_right(d))
		fail(EXIT_VOID, "the totals are not what was sent, so this run does not count");
	result_print(d, &r);
	return EXIT_SUCCESS;
}

/* One request body on stdout, for the test that compares its shape with the recorded one. */
static int dump(struct driver *d)
{
	const struct connection *c = &d->connections[0];
	size_t len = d->request_len - d->header_len;

	clocks_set(d);
	d->connections[0].began_ns = now_mono_ns();
	request_renew(d, &d->connections[0]);
	return fwrite(c->request + d->header_len, 1, len, stdout) == len ? EXIT_SUCCESS
									 : EXIT_BROKEN;
}

static const char usage[] =
	"usage: bench_load --port PORT [--grpc] [--kind small|batch] [--connections N]\n"
	"                  [--milliseconds N | --requests N] [--pid PID] [--exporter-port PORT]\n"
	"       bench_load --dump [--kind small|batch]\n";

static const struct option option_rows[] = {
	{ "port", required_argument, NULL, 'p' },
	{ "exporter-port", required_argument, NULL, 'e' },
	{ "pid", required_argument, NULL, 'i' },
	{ "kind", required_argument, NULL, 'k' },
	{ "connections", required_argument, NULL, 'c' },
	{ "milliseconds", required_argument, NULL, 'm' },
	{ "requests", required_argument, NULL, 'r' },
	{ "dump", no_argument, NULL, 'd' },
	{ "grpc", no_argument, NULL, 'g' },
	{ NULL, 0, NULL, 0 },
};

static void kind_parse(struct options *o, const char *text)
{
	if (strcmp(text, "small") == 0)
		o->kind = KIND_SMALL;
	else if (strcmp(text, "batch") == 0)
		o->kind = KIND_BATCH;
	else
		fail(EXIT_USAGE, "the kind is \"%s\"; give small or batch", text);
}

static bool option_take(struct options *o, int letter)
{
	switch (letter) {
	case 'p':
		o->port = (uint16_t)number_parse("--port", optarg, UINT16_MAX);
		return true;
	case 'e':
		o->exporter_port = (uint16_t)number_parse("--exporter-port", optarg, UINT16_MAX);
		return true;
	case 'i':
		o->pid = (pid_t)number_parse("--pid", optarg, INT32_MAX);
		return true;
	case 'k':
		kind_parse(o, optarg);
		return true;
	case 'c':
		o->connections = (unsigned)number_parse("--connections", optarg, CONNECTIONS_MAX);
		return true;
	case 'm':
		o->duration_ms = number_parse("--milliseconds", optarg, 3600000);
		return true;
	case 'r':
		o->requests = number_parse("--requests", optarg, UINT32_MAX);
		return true;
	case 'd':
		o->is_dump = true;
		return true;
	case 'g':
		o->is_grpc = true;
		return true;
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	struct driver *d = pages_take(sizeof(*d));
	int letter;

	d->options.connections = 1;
	d->options.duration_ms = 1000;
	while ((letter = getopt_long(argc, argv, "", option_rows, NULL)) != -1)
		if (!option_take(&d->options, letter))
			fail(EXIT_USAGE, "unknown option\n%s", usage);
	if (optind < argc || d->options.connections == 0 ||
		(!d->options.is_dump && d->options.port == 0))
		fail(EXIT_USAGE, "a port and at least one connection are needed\n%s", usage);
	bodies_prepare(d);
	return d->options.is_dump ? dump(d) : run(d);
}
