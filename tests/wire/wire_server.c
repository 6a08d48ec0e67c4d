/* wire_server: the room bridge/serve with a daemon behind it that only remembers what it was given.
 *
 * Prints one line of JSON with its ports, answers until SIGTERM, then stops as the bridge does. GET on the
 * zpages door shows what arrived: how many requests, and signal, encoding, length and hash of the last.
 * Options are NAME=NUMBER, see `numbers`; cors=ORIGIN allows an origin.
 */
#include <assert.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/serve/serve.h"
#include "core/error.h"
#include "core/str.h"

#define HELD_MAX 4096

struct wire_server {
	struct event_base *base;
	struct serve *serve;
	struct event *release, *check;
	int64_t hold_ms, page_bytes, status, releases;
	bool echoes, is_ill;
	struct serve_exchange *held[HELD_MAX];
	size_t held_count;
	enum otlp_signal signal;
	enum otlp_encoding encoding;
	size_t len;
	uint64_t hash, hashes; /* FNV-1a of the last body; of all, summed */
	uint64_t requests, refused[REASON_COUNT];
};

static uint64_t hash_of(struct slice s)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ s.ptr[i]) * UINT64_C(1099511628211);
	return h;
}

static void reply(struct wire_server *w, struct serve_exchange *x)
{
	struct serve_answer answer = { .reason = REASON_OK };
	char message[64];
	snprintf(message, sizeof(message), "%" PRIu64 " %zu", w->requests, w->len);
	if (w->echoes)
		answer.message = message;
	if (w->status == 503)
		answer = (struct serve_answer){ .reason = REASON_JOURNAL_FULL, .retry_after_s = 1 };
	serve_reply(x, &answer);
}

static void on_export(void *ctx, struct serve_exchange *x, const struct serve_request *request)
{
	struct wire_server *w = ctx;
	w->requests++;
	w->signal = request->signal;
	w->encoding = request->encoding;
	w->len = request->body.len;
	if (w->echoes || w->hold_ms) {
		w->hash = hash_of(request->body);
		w->hashes += w->hash;
	}
	if (!w->hold_ms || w->held_count == HELD_MAX) {
		reply(w, x);
		return;
	}
	struct timeval after = { w->hold_ms / 1000, w->hold_ms % 1000 * 1000 };
	w->held[w->held_count++] = x;
	if (w->releases)
		serve_body_done(x);
	if (w->held_count == 1)
		event_add(w->release, &after);
}

static void on_release(evutil_socket_t fd, short what, void *ctx)
{
	struct wire_server *w = ctx;
	size_t count = w->held_count;
	(void)fd;
	(void)what;
	w->held_count = 0;
	for (size_t i = 0; i < count; i++)
		reply(w, w->held[i]);
}

static void show(const struct wire_server *w, struct buf *out)
{
	static const char *const signals[] = { "metrics", "logs", "traces" };
	struct serve_stats stats = serve_stats(w->serve);
	buf_addf(out,
		"{\"requests\":%" PRIu64 ",\"signal\":\"%s\",\"encoding\":\"%s\",\"len\":%zu"
		",\"hash\":\"%016" PRIx64 "\",\"hashes\":\"%016" PRIx64 "\"",
		w->requests, signals[w->signal], w->encoding == OTLP_JSON ? "json" : "protobuf",
		w->len, w->hash, w->hashes);
	buf_addf(out, ",\"connections\":%u,\"bodies_bytes\":%zu,\"accepted\":%" PRIu64,
		stats.connections, stats.bodies_bytes, stats.accepted);
	buf_addf(out, ",\"http\":%" PRIu64 ",\"grpc\":%" PRIu64 ",\"http2\":%" PRIu64,
		stats.by_protocol[SERVE_HTTP], stats.by_protocol[SERVE_GRPC],
		stats.by_protocol[SERVE_HTTP2]);
	buf_addf(out, ",\"misdirected\":[%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]",
		stats.misdirected[SERVE_HTTP], stats.misdirected[SERVE_GRPC],
		stats.misdirected[SERVE_HTTP2]);
	buf_adds(out, ",\"refused\":{\"\":0");
	for (unsigned r = 0; r < REASON_COUNT; r++)
		if (w->refused[r])
			buf_addf(out, ",\"%s\":%" PRIu64, reason_slug((enum reason)r),
				w->refused[r]);
	buf_adds(out, "}}\n");
}

static void on_page(void *ctx, enum serve_door door, struct slice path, struct slice accept,
	struct serve_page *page)
{
	struct wire_server *w = ctx;
	(void)accept;
	if (door == DOOR_ZPAGES) {
		page->content_type = "application/json";
		show(w, &page->body);
		return;
	}
	if (door == DOOR_HEALTH) {
		page->status = 503;
		buf_add(&page->body, path.ptr, path.len);
		return;
	}
	page->content_type = "text/plain; version=0.0.4";
	for (int64_t i = 0; i < w->page_bytes / 16; i++)
		buf_addf(&page->body, "%015" PRId64 "\n", i);
}

static void answer_action(struct serve_exchange *x, const char *text)
{
	struct serve_page page = { .status = 202, .body = BUF_INIT(BUF_UNLIMITED) };
	buf_adds(&page.body, text);
	serve_reply_page(x, &page);
}

static void on_late(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	answer_action(ctx, "later");
}

/* One for a web page is answered at once, any other a little later. */
static void on_action(void *ctx, struct serve_exchange *x, const struct serve_action *action)
{
	struct wire_server *w = ctx;
	struct timeval after = { .tv_usec = 20000 };
	if (action->has_origin || !action->is_local)
		answer_action(x, action->is_local ? "origin" : "from elsewhere");
	else
		event_base_once(w->base, -1, EV_TIMEOUT, on_late, x, &after);
}

static void on_refused(void *ctx, enum serve_door door, enum reason reason)
{
	struct wire_server *w = ctx;
	(void)door;
	w->refused[reason]++;
}

/* kill -USR1 turns it round. */
static bool is_healthy(void *ctx)
{
	const struct wire_server *w = ctx;
	return !w->is_ill;
}

static void on_usr1(evutil_socket_t fd, short what, void *ctx)
{
	struct wire_server *w = ctx;
	(void)fd;
	(void)what;
	w->is_ill = !w->is_ill;
}

static void on_check(evutil_socket_t fd, short what, void *ctx)
{
	struct wire_server *w = ctx;
	(void)fd;
	(void)what;
	if (serve_idle(w->serve))
		event_base_loopbreak(w->base);
}

static void on_term(evutil_socket_t fd, short what, void *ctx)
{
	static const struct timeval often = { .tv_usec = 5000 };
	struct wire_server *w = ctx;
	(void)fd;
	(void)what;
	serve_stop_accepting(w->serve);
	event_add(w->check, &often);
}

struct number {
	const char *name;
	int64_t *to;
};

static void set_number(const struct number *numbers, const char *arg)
{
	const char *value = strchr(arg, '=');
	AUTO(error) struct error err = ERROR_INIT;
	for (; value && numbers->name; numbers++) {
		size_t len = (size_t)(value - arg);
		if (strlen(numbers->name) == len && strncmp(numbers->name, arg, len) == 0 &&
			str_parse_int(value + 1, 0, INT64_MAX, numbers->to, &err))
			return;
	}
	fprintf(stderr, "wire_server: what is \"%s\"?\n", arg);
	exit(2);
}

static void parse(struct wire_server *w, struct serve_options *options, const char **cors, int argc,
	char **argv)
{
	struct serve_limits *l = &options->limits;
	int64_t echo = 1, header = (int64_t)l->header_max, fields = l->header_fields_max,
		body = (int64_t)l->body_max, bodies = (int64_t)l->bodies_max,
		connections = l->connections_max, http2 = l->http2_connections_max,
		header_ms = l->header_timeout_ms, body_ms = l->body_timeout_ms,
		request_ms = l->request_timeout_ms, idle_ms = l->idle_timeout_ms;
	const struct number numbers[] = {
		{ "echo", &echo },
		{ "hold", &w->hold_ms },
		{ "release", &w->releases },
		{ "page", &w->page_bytes },
		{ "status", &w->status },
		{ "header_max", &header },
		{ "fields_max", &fields },
		{ "body_max", &body },
		{ "bodies_max", &bodies },
		{ "connections_max", &connections },
		{ "http2_max", &http2 },
		{ "header_ms", &header_ms },
		{ "body_ms", &body_ms },
		{ "request_ms", &request_ms },
		{ "idle_ms", &idle_ms },
		{ NULL, NULL },
	};
	for (int i = 1; i < argc; i++) {
		if (str_has_prefix(argv[i], "cors="))
			cors[0] = argv[i] + 5;
		else
			set_number(numbers, argv[i]);
	}
	w->echoes = echo != 0;
	options->cors_origins = cors[0] ? cors : NULL;
	*l = (struct serve_limits){ (size_t)header, (unsigned)fields, (size_t)body, (size_t)bodies,
		(unsigned)connections, (unsigned)http2, (int)header_ms, (int)body_ms,
		(int)request_ms, (int)idle_ms };
}

static void listen_all(struct wire_server *w)
{
	AUTO(error) struct error err = ERROR_INIT;
	for (unsigned door = 0; door < DOOR_COUNT; door++) {
		if (!serve_listen(w->serve, (enum serve_door)door, "127.0.0.1", 0, &err)) {
			fprintf(stderr, "wire_server: %s\n", err.message);
			exit(1);
		}
	}
	dprintf(STDOUT_FILENO,
		"{\"otlp\":%u,\"grpc\":%u,\"exporter\":%u,\"health\":%u,\"zpages\":%u}\n",
		serve_port(w->serve, DOOR_OTLP_HTTP), serve_port(w->serve, DOOR_OTLP_GRPC),
		serve_port(w->serve, DOOR_EXPORTER), serve_port(w->serve, DOOR_HEALTH),
		serve_port(w->serve, DOOR_ZPAGES));
}

int main(int argc, char **argv)
{
	static struct wire_server w = { .page_bytes = 4096 };
	struct serve_options options = { .limits = SERVE_LIMITS_DEFAULT };
	const struct serve_handler handler = {
		.ctx = &w,
		.export = on_export,
		.page = on_page,
		.action = on_action,
		.refused = on_refused,
		.is_healthy = is_healthy,
	};
	const char *cors[2] = { NULL, NULL };
	parse(&w, &options, cors, argc, argv);
	w.base = event_base_new();
	w.release = event_new(w.base, -1, 0, on_release, &w);
	w.check = event_new(w.base, -1, EV_PERSIST, on_check, &w);
	struct event *term = evsignal_new(w.base, SIGTERM, on_term, &w);
	struct event *usr1 = evsignal_new(w.base, SIGUSR1, on_usr1, &w);
	event_add(term, NULL);
	event_add(usr1, NULL);
	w.serve = serve_new(w.base, &options, &handler);
	listen_all(&w);
	event_base_dispatch(w.base);
	serve_free(w.serve);
	event_free(term);
	event_free(usr1);
	event_free(w.release);
	event_free(w.check);
	event_base_free(w.base);
	return 0;
}
