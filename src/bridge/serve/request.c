/* From a head to a decision. The order of the checks is the order in which a client would want to hear of
 * its mistakes: path, method, type, length.
 */
#include <assert.h>

#include "bridge/serve/route.h"
#include "bridge/serve/serve_internal.h"

enum step request_refuse(
	struct conn *c, enum reason reason, struct answer_to *to, enum conn_end end)
{
	struct serve *s = c->serve;
	struct serve_answer answer = { .reason = reason };
	if (s->handler.refused)
		s->handler.refused(s->handler.ctx, (enum serve_door)c->door, reason);
	if (reason_retry_helps(reason))
		answer.retry_after_s = RETRY_AFTER_S;
	to->closes = to->closes || end != CONN_KEEP;
	c->end = (uint8_t)end;
	conn_answer(c, to, &answer);
	return conn_settle(c);
}

/* The bytes of the body if all of them are in `rest`. */
static bool body_is_here(const struct http1_head *head, struct slice rest)
{
	switch (head->framing) {
	case HTTP1_UNFRAMED:
		return true;
	case HTTP1_LENGTH:
		return head->length <= rest.len;
	case HTTP1_CHUNKED:
		break;
	}
	return false;
}

/* A request that gets its answer from the head alone. Its body is passed over when it is here, else the
 * connection is given up. */
static enum conn_end end_without_body(
	struct conn *c, const struct http1_head *head, struct slice rest, size_t *used)
{
	if (!body_is_here(head, rest) || head->expects_continue)
		return CONN_CLOSE_LINGERING;
	if (head->framing == HTTP1_LENGTH)
		*used += (size_t)head->length;
	return (enum conn_end)c->end;
}

bool request_type_is(struct slice media_type, enum otlp_encoding *out)
{
	if (http1_token_is(media_type, "application/x-protobuf"))
		*out = OTLP_PROTOBUF;
	else if (http1_token_is(media_type, "application/json"))
		*out = OTLP_JSON;
	else
		return false;
	return true;
}

static bool is_otlp(const struct conn *c)
{
	return c->door == DOOR_OTLP_HTTP || c->door == DOOR_OTLP_GRPC;
}

/* What shapes the answer, as far as the head says it. */
static struct request request_of(struct conn *c, const struct http1_head *head)
{
	struct request r = { .coding = head->coding };
	r.to.encoding = ANSWER_TEXT;
	if (is_otlp(c) && request_type_is(head->content_type, &r.encoding))
		r.to.encoding = r.encoding == OTLP_JSON ? ANSWER_JSON : ANSWER_PROTOBUF;
	r.to.is_head = head->method == HTTP1_HEAD;
	r.to.closes = !head->keep_alive || c->serve->is_stopping;
	r.to.names_keep_alive = head->keep_alive && head->minor == 0;
	if (is_otlp(c))
		r.to.allow_origin = cors_allow(&c->serve->cors, head->origin);
	c->end = !head->keep_alive	 ? CONN_CLOSE
		 : c->serve->is_stopping ? CONN_CLOSE_LINGERING
					 : CONN_KEEP;
	return r;
}

static enum step send_preflight(struct conn *c, const struct http1_head *head,
	const struct request *request, enum conn_end end)
{
	struct serve *s = c->serve;
	struct answer_to to = request->to;
	c->end = (uint8_t)end;
	to.closes = to.closes || end != CONN_KEEP;
	s->scratch.len = 0;
	answer_preflight(&s->scratch, serve_date(s), &to, cors_headers(head->cors_headers));
	conn_send(c, s->scratch.data, s->scratch.len, NULL);
	return conn_settle(c);
}

static enum step send_page(struct conn *c, const struct http1_head *head,
	const struct request *request, enum conn_end end)
{
	struct serve *s = c->serve;
	struct answer_to to = request->to;
	if (s->pages_held > PAGES_MAX)
		return request_refuse(c, REASON_OVERLOADED, &to, end);
	struct serve_page page = { .status = 200, .body = BUF_INIT(BUF_UNLIMITED) };
	c->end = (uint8_t)end;
	to.closes = to.closes || end != CONN_KEEP;
	s->handler.page(s->handler.ctx, (enum serve_door)c->door, head->path, head->accept, &page);
	conn_answer_page(c, &to, &page);
	return conn_settle(c);
}

static enum step take_action(struct conn *c, const struct http1_head *head,
	const struct request *request, enum conn_end end)
{
	struct request whole = *request;
	c->end = (uint8_t)end;
	whole.to.closes = whole.to.closes || end != CONN_KEEP;
	if (!c->serve->handler.action)
		return request_refuse(c, REASON_NOT_FOUND, &whole.to, end);
	const struct serve_action action = {
		.door = (enum serve_door)c->door,
		.path = head->path,
		.is_local = conn_is_local(c),
		.has_origin = head->origin.ptr != NULL,
	};
	return exchange_act(c, &whole, &action);
}

enum reason request_check(
	const struct serve *s, const struct http1_head *head, const struct request *request)
{
	if (request->to.encoding == ANSWER_TEXT)
		return REASON_UNSUPPORTED_TYPE;
	if (head->coding == HTTP1_OTHER_CODING)
		return REASON_UNSUPPORTED_ENCODING;
	if (head->framing == HTTP1_UNFRAMED)
		return REASON_LENGTH_REQUIRED;
	if (head->framing == HTTP1_LENGTH && head->length > s->limits.body_max)
		return REASON_BODY_TOO_LARGE;
	return REASON_OK;
}

/* Reading a body that is not here as a whole; what is here goes first. */
static enum step begin_body(struct conn *c, const struct http1_head *head,
	const struct request *request, struct slice rest, size_t *used)
{
	struct serve *s = c->serve;
	struct inbound *in = conn_inbound(c);
	in->request = *request;
	in->is_chunked = head->framing == HTTP1_CHUNKED;
	in->chunked = (struct chunked){ .state = CHUNKED_SIZE };
	in->body = in->is_chunked ? (struct buf)BUF_INIT(s->limits.body_max)
				  : spares_take(&s->spares, (size_t)head->length);
	in->bytes.len = 0;
	c->state = CONN_BODY;
	conn_progress(c);
	if (head->expects_continue && !rest.len)
		conn_send_continue(c);
	if (in->is_chunked)
		return STEP_NEXT; /* request_feed takes the rest */
	bool fits = buf_append_slice(&in->body, rest);
	assert(fits);
	(void)fits;
	in->left = (size_t)head->length - rest.len;
	*used += rest.len;
	conn_account(c);
	return STEP_STOP;
}

static enum step take_export(struct conn *c, const struct http1_head *head, struct request *request,
	struct slice rest, size_t *used)
{
	enum reason reason = request_check(c->serve, head, request);
	if (reason == REASON_LENGTH_REQUIRED || reason == REASON_BODY_TOO_LARGE)
		return request_refuse(c, reason, &request->to, CONN_CLOSE_LINGERING);
	if (reason != REASON_OK)
		return request_refuse(
			c, reason, &request->to, end_without_body(c, head, rest, used));
	if (!body_is_here(head, rest))
		return begin_body(c, head, request, rest, used);
	rest.len = (size_t)head->length;
	*used += rest.len;
	return exchange_start(c, request, rest, NULL);
}

static enum step dispatch(
	struct conn *c, const struct http1_head *head, struct slice rest, size_t *used)
{
	struct serve *s = c->serve;
	const struct route *route = route_find((enum serve_door)c->door, head->path);
	struct request request = request_of(c, head);
	bool has_cors = is_otlp(c) && s->cors.origins;
	c->was_used = true;
	if (!route)
		return request_refuse(
			c, REASON_NOT_FOUND, &request.to, end_without_body(c, head, rest, used));
	request.to.signal = route->signal;
	request.to.allow = has_cors ? route->allow_cors : route->allow;
	if (has_cors && head->method == HTTP1_OPTIONS)
		return send_preflight(c, head, &request, end_without_body(c, head, rest, used));
	if (!route_takes(route, head->method))
		return request_refuse(
			c, REASON_METHOD, &request.to, end_without_body(c, head, rest, used));
	if (route->kind == ROUTE_PAGE)
		return send_page(c, head, &request, end_without_body(c, head, rest, used));
	if (route->kind == ROUTE_ACTION)
		return take_action(c, head, &request, end_without_body(c, head, rest, used));
	return take_export(c, head, &request, rest, used);
}

/* Keeps in mind how far the head was looked at; its bytes are saved by the caller. */
static enum step wait_for_head(struct conn *c, size_t scanned)
{
	if (c->state == CONN_IDLE)
		c->since_ms = c->serve->now_ms;
	conn_inbound(c)->scanned = scanned;
	c->state = CONN_HEAD;
	conn_progress(c);
	return STEP_STOP;
}

enum step request_take(struct conn *c, struct slice in, size_t *used)
{
	const struct serve_limits *limits = &c->serve->limits;
	struct http1_limits bounds = { limits->header_max, limits->header_fields_max };
	struct http1_head head;
	size_t scanned = c->state == CONN_HEAD ? c->in->scanned : 0;
	if (!scanned)
		*used = http1_blank(in);
	in = slice_of(in.ptr + *used, in.len - *used);
	if (!in.len) {
		c->state = CONN_IDLE;
		return STEP_NEXT;
	}
	int64_t len = http1_head(in, &scanned, &bounds, &head);
	if (len == 0)
		return wait_for_head(c, scanned);
	if (c->state == CONN_IDLE)
		c->since_ms = c->serve->now_ms;
	if (len == -(int64_t)REASON_HTTP2 && is_otlp(c) && !c->was_used)
		return http2_begin(c, in);
	if (len < 0) {
		struct answer_to to = { .encoding = ANSWER_TEXT };
		return request_refuse(c, (enum reason) - len, &to, CONN_CLOSE_LINGERING);
	}
	*used += (size_t)len;
	return dispatch(c, &head, slice_of(in.ptr + len, in.len - (size_t)len), used);
}

enum step request_feed(struct conn *c, struct slice in, size_t *used)
{
	struct inbound *body = c->in;
	while (*used < in.len && body->chunked.state != CHUNKED_DONE) {
		struct slice data;
		int64_t n = chunked_read(
			&body->chunked, slice_of(in.ptr + *used, in.len - *used), &data);
		enum reason reason = n < 0				    ? (enum reason) - n
				     : !buf_append_slice(&body->body, data) ? REASON_BODY_TOO_LARGE
									    : REASON_OK;
		if (reason != REASON_OK)
			return request_refuse(c, reason, &body->request.to, CONN_CLOSE_LINGERING);
		*used += (size_t)n;
	}
	conn_account(c);
	if (body->chunked.state == CHUNKED_DONE)
		return request_whole(c);
	conn_progress(c);
	return STEP_STOP;
}

enum step request_whole(struct conn *c)
{
	struct request request = c->in->request;
	return exchange_start(c, &request, buf_slice(&c->in->body), &c->in->body);
}
