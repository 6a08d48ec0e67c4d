/* Life cycle, deadlines and the budget.
 *
 * One timer sweeps over all deadlines: arming a timer for every request would cost as much as parsing it.
 * Idle connections are kept in the order they became idle, so the sweep looks only at those that are due.
 *
 * The budget counts what connections and pending exchanges hold. It is asked before reading and settled
 * afterwards, so it can be passed by one read (1 MiB), one inflated body and the spare buffers, and by no
 * more.
 */
#include <stdlib.h>
#include <sys/resource.h>

#include "bridge/serve/serve_internal.h"
#include "core/clock.h"
#include "core/mem.h"

#define SWEEP_MIN_MS 20
#define SWEEP_MAX_MS 500
#define DATE_MS	     500

void serve_hold(struct serve *s, size_t *counted, size_t bytes)
{
	bool is_release = bytes < *counted;
	s->held = s->held - *counted + bytes;
	*counted = bytes;
	if (is_release && s->waiting.first)
		event_active(s->wake, EV_TIMEOUT, 0);
}

static size_t held_by(const struct conn *c)
{
	return c->http2 ? http2_held(c) : c->in ? c->in->held : 0;
}

/* Big bodies leave a reserve to small ones, so that a few slow ones cannot keep everybody out. */
static size_t room_for(const struct serve *s, const struct conn *c)
{
	size_t mine = held_by(c);
	size_t max = s->limits.bodies_max;
	size_t reserve = max / 4 < RESERVE_MAX ? max / 4 : RESERVE_MAX;
	if (mine > BODY_SMALL)
		max -= reserve;
	return s->held < max ? max - s->held : 0;
}

/* A connection that is alone may always go on: its body is bounded by body_max. */
bool serve_may_read(const struct serve *s, const struct conn *c)
{
	return s->held == held_by(c) || room_for(s, c) > 0;
}

bool serve_has_plenty(const struct serve *s)
{
	return s->held < s->limits.bodies_max / 2;
}

bool serve_is_healthy(const struct serve *s)
{
	return !s->is_stopping && (!s->handler.is_healthy || s->handler.is_healthy(s->handler.ctx));
}

/* What it will still ask for; of a body in chunks, as much again as has come. */
static size_t wants(const struct conn *c)
{
	if (c->state != CONN_BODY)
		return BODY_SMALL;
	return c->in->is_chunked ? c->in->body.len + BODY_SMALL : c->in->left;
}

/* First come first, and no more of them than there is room for: all at once they would fill it together, none would
 * become whole, and those that have waited long enough would be refused though there was room for them in turn. One
 * that turns out to want less, or sends no more, holds the others up until the next sweep at most. */
static void wake_waiting(struct serve *s)
{
	size_t promised = 0;
	for (struct conn *c = s->waiting.first, *next; c; c = next) {
		next = c->next;
		if (!serve_may_read(s, c) || (promised && promised + wants(c) > room_for(s, c)))
			continue;
		promised += wants(c);
		conn_unwait(c);
	}
}

const char *serve_date(struct serve *s)
{
	if (s->now_ms - s->date_mono_ms < DATE_MS && s->date[0])
		return s->date;
	s->date_mono_ms = s->now_ms;
	answer_date(clock_wall_ms(), s->date);
	for (unsigned i = 0; i < 2; i++)
		memcpy(s->success[i].data + s->success_date, s->date, ANSWER_DATE_LEN);
	return s->date;
}

static void sweep_idle(struct serve *s)
{
	int timeout_ms = s->is_stopping ? s->limits.header_timeout_ms : s->limits.idle_timeout_ms;
	while (s->idle.first && s->idle.first->since_ms + timeout_ms <= s->now_ms) {
		struct conn *c = s->idle.first;
		if (!c->http2) {
			conn_free(c);
		} else if (!http2_outlives_idleness(c)) {
			http2_farewell(c);
			conn_linger(c);
		}
	}
}

static void sweep_busy(struct serve *s)
{
	for (struct conn *c = s->busy.first, *next; c; c = next) {
		next = c->next;
		if (c->deadline_ms <= s->now_ms)
			conn_expire(c);
	}
}

static void sweep_http2(struct serve *s)
{
	if (!s->http2_connections)
		return;
	bool is_healthy = serve_is_healthy(s);
	bool has_news = is_healthy != s->was_healthy;
	s->was_healthy = is_healthy;
	for (struct conn *c = s->busy.first; c; c = c->next)
		if (c->http2)
			http2_sweep(c, has_news);
	for (struct conn *c = s->idle.first; has_news && c; c = c->next)
		if (c->http2)
			http2_sweep(c, has_news);
}

/* Refusing one that holds much lets the others behind it go on, so it is done one at a time. */
static void sweep_waiting(struct serve *s)
{
	bool has_released = false;
	for (struct conn *c = s->waiting.first, *next; c; c = next) {
		next = c->next;
		bool releases = c->in && c->in->held;
		if (c->deadline_ms > s->now_ms || (releases && has_released))
			continue;
		has_released |= releases;
		conn_expire(c);
	}
}

static void on_sweep(evutil_socket_t fd, short what, void *ctx)
{
	struct serve *s = ctx;
	(void)fd;
	(void)what;
	s->now_ms = clock_mono_ms();
	sweep_idle(s);
	sweep_busy(s);
	sweep_http2(s);
	wake_waiting(s);
	sweep_waiting(s);
	spares_expire(&s->spares, s->now_ms);
	if (!s->stats.connections) {
		spares_clear(&s->spares);
		event_del(s->sweep);
	}
}

void serve_need_sweep(struct serve *s)
{
	struct timeval every = { .tv_usec = s->sweep_ms * 1000L };
	if (!event_pending(s->sweep, EV_TIMEOUT, NULL))
		event_add(s->sweep, &every);
}

/* Before an idle connection is closed for good: what has come meanwhile is a request. */
static void look_once_more(struct serve *s)
{
	s->must_look_once_more = false;
	for (struct conn *c = s->idle.first, *next; c; c = next) {
		next = c->next;
		if (c->http2)
			http2_wake(c); /* which takes its leave by itself */
		else if (!conn_has_unread(c))
			conn_free(c);
	}
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
	struct serve *s = ctx;
	(void)fd;
	(void)what;
	s->now_ms = clock_mono_ms();
	if (s->must_look_once_more)
		look_once_more(s);
	wake_waiting(s);
}

static void on_resume_accept(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	listener_resume(ctx);
}

/* Ten thousand idle connections need as many descriptors; the usual soft limit is 1,024. */
static unsigned raise_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1024;
	if (limit.rlim_cur < limit.rlim_max) {
		struct rlimit raised = { limit.rlim_max, limit.rlim_max };
		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	return limit.rlim_cur > UINT32_MAX ? UINT32_MAX : (unsigned)limit.rlim_cur;
}

static int shortest_ms(const struct serve_limits *l)
{
	int shortest = l->header_timeout_ms;
	if (l->body_timeout_ms < shortest)
		shortest = l->body_timeout_ms;
	if (l->request_timeout_ms < shortest)
		shortest = l->request_timeout_ms;
	return l->idle_timeout_ms < shortest ? l->idle_timeout_ms : shortest;
}

static void bound_limits(struct serve *s)
{
	unsigned fds = raise_descriptors();
	unsigned most = fds > 2 * FDS_SPARE ? fds - FDS_SPARE : fds / 2;
	if (s->limits.connections_max > most)
		s->limits.connections_max = most;
	if (s->limits.header_max > LOOPBUF_SIZE / 2)
		s->limits.header_max = LOOPBUF_SIZE / 2;
	s->sweep_ms = shortest_ms(&s->limits) / 4;
	if (s->sweep_ms < SWEEP_MIN_MS)
		s->sweep_ms = SWEEP_MIN_MS;
	if (s->sweep_ms > SWEEP_MAX_MS)
		s->sweep_ms = SWEEP_MAX_MS;
}

static void make_success(struct serve *s)
{
	static const char before_date[] = "HTTP/1.1 200 OK\r\nDate: ";
	struct serve_answer answer = { .reason = REASON_OK };
	answer_date(clock_wall_ms(), s->date);
	s->date_mono_ms = s->now_ms;
	s->success_date = sizeof(before_date) - 1;
	for (unsigned i = 0; i < 2; i++) {
		struct answer_to to = { .encoding = (enum answer_encoding)i };
		s->success[i].max = BUF_UNLIMITED;
		answer_export(&s->success[i], s->date, &to, &answer);
	}
}

struct serve *serve_new(struct event_base *base, const struct serve_options *options,
	const struct serve_handler *handler)
{
	struct serve *s = mem_zalloc(sizeof(*s));
	s->base = base;
	s->handler = *handler;
	s->limits = options->limits;
	bound_limits(s);
	cors_init(&s->cors, options->cors_origins);
	s->sweep = event_new(base, -1, EV_PERSIST, on_sweep, s);
	s->wake = event_new(base, -1, 0, on_wake, s);
	s->resume_accept = event_new(base, -1, 0, on_resume_accept, s);
	loopbuf_init(&s->loop);
	s->inflater = inflater_new();
	s->inflated.max = s->limits.body_max;
	s->scratch.max = BUF_UNLIMITED;
	s->now_ms = clock_mono_ms();
	s->was_healthy = true;
	make_success(s);
	return s;
}

void serve_stop_accepting(struct serve *s)
{
	if (s->is_stopping)
		return;
	s->is_stopping = true;
	event_del(s->resume_accept);
	for (unsigned i = 0; i < DOOR_COUNT; i++) {
		listener_drain(&s->listeners[i]);
		listener_close(&s->listeners[i]);
	}
	s->must_look_once_more = true;
	for (struct conn *c = s->busy.first; c; c = c->next)
		if (c->http2)
			http2_wake(c);
	event_active(s->wake, EV_TIMEOUT, 0);
}

bool serve_idle(const struct serve *s)
{
	if (s->must_look_once_more || s->exchanges || s->waiting.first)
		return false;
	if (s->is_stopping && s->idle.first)
		return false;
	for (const struct conn *c = s->busy.first; c; c = c->next)
		if (c->state != CONN_LINGER)
			return false;
	return true;
}

struct serve_stats serve_stats(const struct serve *s)
{
	struct serve_stats stats = s->stats;
	stats.bodies_bytes = s->held;
	return stats;
}

static void free_all(struct conn_list *list)
{
	while (list->first) {
		if (list->first->http2)
			http2_last_words(list->first);
		conn_free(list->first);
	}
}

void serve_free(struct serve *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < DOOR_COUNT; i++)
		listener_close(&s->listeners[i]);
	free_all(&s->idle);
	free_all(&s->busy);
	free_all(&s->waiting);
	exchange_free_all(s);
	event_free(s->sweep);
	event_free(s->wake);
	event_free(s->resume_accept);
	cors_clear(&s->cors);
	http2_shared_free(s->http2_shared);
	inflater_free(s->inflater);
	pages_clear(&s->loop);
	spares_clear(&s->spares);
	buf_clear(&s->inflated);
	buf_clear(&s->scratch);
	buf_clear(&s->success[0]);
	buf_clear(&s->success[1]);
	free(s);
}
