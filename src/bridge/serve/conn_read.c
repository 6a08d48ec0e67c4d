/* Reading, and working through what was read.
 *
 * Bytes are read into the shared loop buffer. Only what cannot be answered from there is copied: the
 * beginning of a head, requests behind one that is under way, a body that is not whole. Bodies with a
 * length are then read straight into their own buffer.
 *
 * End of file and resets are acted on only when read says so, and read says so only behind the last byte
 * the kernel holds: a request that is whole counts even if its client is gone.
 */
#include <errno.h>

#include "bridge/serve/serve_internal.h"

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
		conn_drop_inbound(c);
		c->since_ms = s->now_ms;
		c->waited_ms = 0;
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

void conn_go_on(struct conn *c)
{
	conn_want(c, EV_READ);
	if (c->has_leftover)
		work_leftover(c);
	else
		park(c);
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
	ssize_t n = to ? conn_recv(c, to, step) : -1;
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

void conn_read(struct conn *c)
{
	struct serve *s = c->serve;
	if (c->has_leftover) {
		work_leftover(c);
		return;
	}
	if (!serve_may_read(s, c)) {
		conn_wait(c);
		return;
	}
	if (c->state == CONN_BODY && !c->in->is_chunked) {
		read_body(c);
		return;
	}
	size_t saved = load(c);
	ssize_t n = conn_recv(c, s->loop.bytes + saved, s->loop.len - saved);
	if (n <= 0)
		read_ended(c, n);
	else
		work(c, saved + (size_t)n);
}

void conn_drain(struct conn *c)
{
	struct serve *s = c->serve;
	ssize_t n = conn_recv(c, s->loop.bytes, s->loop.len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		c->drained += (uint32_t)n;
	if (n <= 0 || c->drained > LINGER_MAX)
		conn_free(c);
}
