/* A connection that speaks HTTP/2. Bytes come in through the loop buffer and are read by nghttp2 at once, to the
 * last; what it has to say is gathered and sent behind them, in one write where the socket takes it.
 *
 * While the socket is full nothing is read, so that answers cannot pile up. A connection with no stream but
 * watches is idle: it makes room for others, and closes as idle ones do.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "bridge/serve/http2_internal.h"
#include "core/clock.h"
#include "core/mem.h"

#define GATHER_MAX ((size_t)64 << 10)

static bool is_idle(const struct http2 *h)
{
	return h->stage == STAGE_OPEN && h->has_settings && h->streams == h->watching &&
	       !h->conn->out;
}

/* Its next deadline, which may be early: http2_expire then finds nothing and sets it anew. */
static int64_t deadline_ms(const struct http2 *h)
{
	const struct conn *c = h->conn;
	const struct serve_limits *limits = &c->serve->limits;
	if (c->out)
		return c->serve->now_ms + limits->body_timeout_ms;
	if (h->stage == STAGE_LEAVING)
		return h->stage_ms + HTTP2_STOP_MS < h->due_ms ? h->stage_ms + HTTP2_STOP_MS
							       : h->due_ms;
	if (!h->has_settings)
		return c->since_ms + limits->header_timeout_ms;
	if (h->is_ended && h->ended_ms + limits->request_timeout_ms < h->due_ms)
		return h->ended_ms + limits->request_timeout_ms;
	return h->due_ms;
}

static void place(struct conn *c)
{
	struct serve *s = c->serve;
	if (c->list == &s->waiting)
		return;
	if (!is_idle(c->http2)) {
		c->deadline_ms = deadline_ms(c->http2);
		conn_move(c, &s->busy);
	} else if (c->list != &s->idle) {
		c->since_ms = s->now_ms;
		c->waited_ms = 0;
		c->http2->due_ms = INT64_MAX;
		conn_move(c, &s->idle);
	}
}

void http2_drop(struct conn *c)
{
	struct http2 *h = c->http2;
	if (!h)
		return;
	while (h->first)
		stream_free(h->first);
	nghttp2_session_del(h->session);
	c->serve->http2_connections--;
	free(TAKE(c->http2));
}

static void count_refused(const struct conn *c, enum reason reason)
{
	const struct serve *s = c->serve;
	if (s->handler.refused)
		s->handler.refused(s->handler.ctx, (enum serve_door)c->door, reason);
}

/* GOAWAY by hand: where nghttp2 cannot be asked any more, or has nothing else to say. */
static void send_goaway(struct conn *c, uint32_t error)
{
	uint32_t last = (uint32_t)nghttp2_session_get_last_proc_stream_id(c->http2->session);
	const unsigned char frame[17] = { 0, 0, 8, NGHTTP2_GOAWAY, 0, 0, 0, 0, 0,
		(unsigned char)(last >> 24), (unsigned char)(last >> 16),
		(unsigned char)(last >> 8), (unsigned char)last, 0, 0, 0, (unsigned char)error };
	if (!c->out)
		conn_send(c, frame, sizeof(frame), NULL);
}

/* Frames of nghttp2 into the scratch buffer, some tens of KiB; false: it has none. */
static bool gather(struct conn *c)
{
	struct buf *scratch = &c->serve->scratch;
	const uint8_t *bytes;
	ssize_t n;
	scratch->len = 0;
	while (scratch->len < GATHER_MAX &&
		(n = nghttp2_session_mem_send(c->http2->session, &bytes)) > 0)
		buf_add(scratch, bytes, (size_t)n);
	return scratch->len > 0;
}

static void send_gathered(struct conn *c)
{
	while (!c->out && !c->is_broken && gather(c))
		conn_send(c, c->serve->scratch.data, c->serve->scratch.len, NULL);
}

static bool has_pending(const struct http2 *h)
{
	const struct http2_stream *st = h->first;
	while (st && st->state != STREAM_PENDING)
		st = st->next;
	return st != NULL;
}

/* A client that has said its last opens no window any more: what does not fit into it now never will. */
static bool is_over(const struct http2 *h)
{
	bool is_heard_out = h->is_ended ? !has_pending(h) : !nghttp2_session_want_read(h->session);
	return is_heard_out && !nghttp2_session_want_write(h->session);
}

static enum step end(struct conn *c)
{
	if (c->http2->was_broken)
		count_refused(c, REASON_HTTP2_BROKEN);
	conn_linger(c);
	return STEP_GONE;
}

/* Sends what there is to send; then where the connection belongs. May free it. */
static enum step flush(struct conn *c)
{
	struct http2 *h = c->http2;
	send_gathered(c);
	if (c->is_broken) {
		conn_free(c);
		return STEP_GONE;
	}
	if (!c->out && is_over(h))
		return end(c);
	if (c->list != &c->serve->waiting)
		conn_want(c, c->out ? EV_WRITE : h->is_ended ? 0 : EV_READ);
	place(c);
	return STEP_STOP;
}

/* Ends a connection that is not worth another word. */
static void give_up(struct conn *c, enum reason reason, uint32_t error)
{
	count_refused(c, reason);
	send_goaway(c, error);
	conn_drop_outbound(c);
	conn_linger(c);
}

static void start_leaving(struct http2 *h)
{
	static const uint8_t payload[8] = "leaving";
	h->stage = STAGE_LEAVING;
	h->stage_ms = h->conn->serve->now_ms;
	h->awaits_pong = true;
	nghttp2_submit_shutdown_notice(h->session);
	nghttp2_submit_ping(h->session, NGHTTP2_FLAG_NONE, payload);
}

/* The client has answered the ping behind the notice, or had the time to: it opens no more streams. */
static void finish_leaving(struct http2 *h)
{
	h->stage = STAGE_LEFT;
	nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE,
		nghttp2_session_get_last_proc_stream_id(h->session), NGHTTP2_NO_ERROR, NULL, 0);
	for (struct http2_stream *st = h->first; st; st = st->next) {
		if (st->state != STREAM_WATCHING)
			continue;
		health_tell(st);
		http2_end_watch(st);
	}
}

static void mind_stopping(struct http2 *h)
{
	if (h->conn->serve->is_stopping && h->stage == STAGE_OPEN && h->has_settings)
		start_leaving(h);
	if (h->stage == STAGE_LEAVING && !h->awaits_pong)
		finish_leaving(h);
}

/* Blocks of fields are held by nghttp2 until they are whole. */
static void mind_fields(struct http2 *h, size_t read)
{
	h->fields_bytes = h->is_in_fields ? h->fields_bytes + read : 0;
	if (h->fields_bytes > LOOPBUF_SIZE + h->conn->serve->limits.header_max)
		h->is_flooded = true;
}

/* Gives nghttp2 what was read. May free the connection. */
static enum step feed(struct conn *c, struct slice in)
{
	struct http2 *h = c->http2;
	ssize_t n = nghttp2_session_mem_recv(h->session, in.ptr, in.len);
	mind_fields(h, in.len);
	if (h->is_flooded || n == NGHTTP2_ERR_FLOODED) {
		give_up(c, REASON_HTTP2_FLOOD, NGHTTP2_ENHANCE_YOUR_CALM);
		return STEP_GONE;
	}
	if (n < 0) {
		give_up(c, REASON_HTTP2_BROKEN, NGHTTP2_PROTOCOL_ERROR);
		return STEP_GONE;
	}
	mind_stopping(h);
	return flush(c);
}

static void count_truncated(struct conn *c)
{
	for (const struct http2_stream *st = c->http2->first; st; st = st->next)
		if (st->state <= STREAM_BODY)
			count_refused(c, REASON_TRUNCATED);
}

/* Whole requests are answered also to a client that has said its last. */
static void read_ended(struct conn *c, ssize_t n)
{
	struct http2 *h = c->http2;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	count_truncated(c);
	for (struct http2_stream *st = h->first, *next; st; st = next) {
		next = st->next;
		if (st->state > STREAM_BODY && !st->is_sent)
			continue;
		nghttp2_session_set_stream_user_data(h->session, st->id, NULL);
		stream_free(st);
	}
	h->is_ended = true;
	h->ended_ms = c->serve->now_ms;
	if (n < 0 || is_over(h)) {
		conn_free(c);
		return;
	}
	conn_want(c, 0);
	place(c);
}

static void read_on(struct conn *c)
{
	struct serve *s = c->serve;
	if (!serve_may_read(s, c)) {
		conn_wait(c);
		return;
	}
	ssize_t n = conn_recv(c, s->loop.bytes, s->loop.len);
	if (n <= 0)
		read_ended(c, n);
	else
		feed(c, slice_of(s->loop.bytes, (size_t)n));
}

void http2_event(struct conn *c)
{
	if (c->out && !conn_push(c))
		return;
	mind_stopping(c->http2);
	if (flush(c) == STEP_STOP && !c->out && !c->http2->is_ended &&
		c->list != &c->serve->waiting)
		read_on(c);
}

/* Makes place for a newcomer: sessions are the largest thing that an idle connection keeps. */
static void make_room(struct serve *s)
{
	struct conn *c = s->idle.first;
	while (c && (!c->http2 || conn_has_unread(c)))
		c = c->next;
	if (!c)
		return;
	http2_farewell(c);
	conn_linger(c);
}

enum step http2_begin(struct conn *c, struct slice in)
{
	struct serve *s = c->serve;
	const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, HTTP2_STREAMS_MAX },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, HTTP2_STREAM_WINDOW },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)s->limits.header_max },
	};
	if (s->http2_connections >= s->limits.http2_connections_max)
		make_room(s);
	if (s->http2_connections >= s->limits.http2_connections_max) {
		struct answer_to to = { .encoding = ANSWER_TEXT };
		return request_refuse(c, REASON_TOO_MANY_CONNECTIONS, &to, CONN_CLOSE_LINGERING);
	}
	if (!s->http2_shared)
		s->http2_shared = http2_shared_new();
	struct http2 *h = mem_zalloc(sizeof(*h));
	*h = (struct http2){ .conn = c, .flood = flood_init(s->now_ms), .due_ms = INT64_MAX };
	int rc = nghttp2_session_server_new2(
		&h->session, s->http2_shared->callbacks, h, s->http2_shared->options);
	assert(rc == 0); /* it can only lack memory */
	(void)rc;
	conn_drop_inbound(c);
	c->http2 = h;
	c->state = CONN_HTTP2;
	c->since_ms = s->now_ms;
	s->http2_connections++;
	nghttp2_submit_settings(
		h->session, NGHTTP2_FLAG_NONE, settings, sizeof(settings) / sizeof(settings[0]));
	nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0, HTTP2_WINDOW);
	feed(c, in);
	return STEP_GONE; /* or as good as: request.c has nothing to do with it any more */
}

void http2_wake(struct conn *c)
{
	event_active(&c->event, EV_READ, 0);
}

static void refuse_waiting(struct conn *c)
{
	struct http2 *h = c->http2;
	for (struct http2_stream *st = h->first; st; st = st->next)
		if (st->state == STREAM_BODY)
			stream_refuse(st, REASON_OVERLOADED);
	conn_move(c, &c->serve->busy);
	c->waited_ms = 0;
	flush(c);
}

static void expire_streams(struct http2 *h)
{
	int64_t now = h->conn->serve->now_ms;
	h->due_ms = INT64_MAX;
	for (struct http2_stream *st = h->first; st; st = st->next) {
		if (stream_deadline_ms(st) <= now)
			stream_expire(st);
		if (stream_deadline_ms(st) > now && stream_deadline_ms(st) < h->due_ms)
			h->due_ms = stream_deadline_ms(st);
	}
}

void http2_expire(struct conn *c)
{
	struct http2 *h = c->http2;
	struct serve *s = c->serve;
	if (c->list == &s->waiting) {
		refuse_waiting(c);
		return;
	}
	if (c->out || !h->has_settings) {
		give_up(c, REASON_TIMEOUT, NGHTTP2_NO_ERROR);
		return;
	}
	/* Its client is most likely gone altogether; what it asked for is held without it. */
	if (h->is_ended && s->now_ms >= h->ended_ms + s->limits.request_timeout_ms) {
		conn_free(c);
		return;
	}
	if (h->stage == STAGE_LEAVING && s->now_ms >= h->stage_ms + HTTP2_STOP_MS)
		finish_leaving(h);
	expire_streams(h);
	if (h->is_stuck)
		give_up(c, REASON_TIMEOUT, NGHTTP2_NO_ERROR);
	else
		flush(c);
}

void http2_unwait(struct conn *c, int64_t spent_ms)
{
	struct http2 *h = c->http2;
	for (struct http2_stream *st = h->first; st; st = st->next) {
		st->since_ms += spent_ms;
		st->progress_ms += spent_ms;
	}
	if (h->due_ms != INT64_MAX)
		h->due_ms += spent_ms;
	c->waited_ms = 0; /* a long life has many waits */
	c->deadline_ms = deadline_ms(h);
}

size_t http2_held(const struct conn *c)
{
	return c->http2 ? c->http2->held : 0;
}

void http2_last_words(struct conn *c)
{
	send_gathered(c);
}

void http2_farewell(struct conn *c)
{
	send_goaway(c, NGHTTP2_NO_ERROR);
}

/* An idle connection that is watched over is kept as long as its client answers. */
bool http2_outlives_idleness(struct conn *c)
{
	static const uint8_t payload[8] = "there?";
	struct http2 *h = c->http2;
	if (!h->watching || h->awaits_pong)
		return false;
	h->awaits_pong = true;
	nghttp2_submit_ping(h->session, NGHTTP2_FLAG_NONE, payload);
	c->since_ms = c->serve->now_ms;
	conn_move(c, &c->serve->idle);
	http2_wake(c);
	return true;
}

void http2_sweep(struct conn *c, bool has_news)
{
	struct http2 *h = c->http2;
	if (h->has_owed) {
		h->has_owed = false;
		for (struct http2_stream *st = h->first; st; st = st->next) {
			stream_grant(st);
			h->has_owed = h->has_owed || st->owed;
		}
		http2_wake(c);
	}
	if (!has_news || !h->watching)
		return;
	for (struct http2_stream *st = h->first; st; st = st->next)
		if (st->state == STREAM_WATCHING)
			health_tell(st);
	http2_wake(c);
}
