/* One request of a connection, from its first field to the daemon or to a refusal. The order of the checks is
 * the one of request.c; gRPC's are those of its specification, "Requests" and "Responses".
 */
#include <stdlib.h>

#include "bridge/serve/http2_internal.h"
#include "core/mem.h"

#define UNREAD_MAX ((size_t)64 << 10) /* of a body behind its answer */

void stream_note_deadline(struct http2_stream *st)
{
	int64_t deadline_ms = stream_deadline_ms(st);
	if (deadline_ms < st->http2->due_ms)
		st->http2->due_ms = deadline_ms;
}

struct http2_stream *stream_new(struct http2 *h, int32_t id)
{
	struct serve *s = h->conn->serve;
	struct http2_stream *st = mem_zalloc(sizeof(*st));
	st->http2 = h;
	st->id = id;
	st->since_ms = st->progress_ms = s->now_ms;
	st->head.framing =
		HTTP1_CHUNKED; /* for what request_check asks: no length, and none needed */
	st->head.method = HTTP1_OTHER_METHOD;
	st->body.max = s->limits.body_max;
	st->answer.max = BUF_UNLIMITED;
	st->cors_headers.max = HTTP2_CORS_FIELD_MAX;
	st->previous = h->last;
	*(h->last ? &h->last->next : &h->first) = st;
	h->last = st;
	h->streams++;
	stream_note_deadline(st);
	return st;
}

/* Its body as it counts in the budget. */
static void account(struct http2_stream *st)
{
	struct http2 *h = st->http2;
	size_t before = st->held;
	serve_hold(h->conn->serve, &st->held, st->body.room);
	h->held = h->held - before + st->held;
}

static void drop_body(struct http2_stream *st)
{
	struct serve *s = st->http2->conn->serve;
	spares_give(&s->spares, &st->body, s->now_ms);
	account(st);
}

void stream_free(struct http2_stream *st)
{
	struct http2 *h = st->http2;
	*(st->previous ? &st->previous->next : &h->first) = st->next;
	*(st->next ? &st->next->previous : &h->last) = st->previous;
	if (st->exchange)
		exchange_abandon(st->exchange);
	if (st->state == STREAM_WATCHING)
		h->watching--;
	drop_body(st);
	buf_clear(&st->body);
	buf_clear(&st->answer);
	buf_clear(&st->cors_headers);
	h->streams--;
	free(st);
}

static void take_method(struct http2_stream *st, struct slice value)
{
	st->head.method = http1_method_of(value);
}

static void take_path(struct http2_stream *st, struct slice value)
{
	const unsigned char *query = value.len ? memchr(value.ptr, '?', value.len) : NULL;
	if (query)
		value.len = (size_t)(query - value.ptr);
	st->head.route = route_find((enum serve_door)st->http2->conn->door, value);
	st->head.rpc = grpc_method_find(value);
}

static void take_content_type(struct http2_stream *st, struct slice value)
{
	struct slice type = http1_media_type(value);
	enum otlp_encoding encoding;
	if (grpc_type_is_ours(type))
		st->head.media = MEDIA_GRPC;
	else if (request_type_is(type, &encoding))
		st->head.media = encoding == OTLP_JSON ? MEDIA_JSON : MEDIA_PROTOBUF;
}

static void take_content_encoding(struct http2_stream *st, struct slice value)
{
	st->head.coding = http1_coding_of(value, st->head.coding);
}

static void take_grpc_encoding(struct http2_stream *st, struct slice value)
{
	enum http1_coding coding = http1_coding_of(value, HTTP1_IDENTITY);
	st->head.message_coding = coding == HTTP1_DEFLATE ? HTTP1_OTHER_CODING : coding;
}

static void take_grpc_timeout(struct http2_stream *st, struct slice value)
{
	st->head.timeout_ms = grpc_timeout_ms(value);
}

/* nghttp2 has seen to it that there is one, that it is a number, and that the body keeps it. */
static void take_content_length(struct http2_stream *st, struct slice value)
{
	uint64_t length = 0;
	for (size_t i = 0; i < value.len && length < UINT64_MAX / 100; i++)
		length = length * 10 + (uint64_t)(value.ptr[i] - '0');
	st->head.framing = HTTP1_LENGTH;
	st->head.length = length;
}

static void take_origin(struct http2_stream *st, struct slice value)
{
	st->head.allow_origin = cors_allow(&st->http2->conn->serve->cors, value);
}

static void take_cors_headers(struct http2_stream *st, struct slice value)
{
	if (!buf_append_slice(&st->cors_headers, value))
		st->cors_headers.len = 0; /* then the usual ones are allowed */
}

static const struct {
	const char *name;
	void (*take)(struct http2_stream *st, struct slice value);
} fields[] = {
	{ ":path", take_path },
	{ ":method", take_method },
	{ "origin", take_origin },
	{ "content-type", take_content_type },
	{ "grpc-timeout", take_grpc_timeout },
	{ "grpc-encoding", take_grpc_encoding },
	{ "content-length", take_content_length },
	{ "content-encoding", take_content_encoding },
	{ "access-control-request-headers", take_cors_headers },
};

/* Counted as SETTINGS_MAX_HEADER_LIST_SIZE does (RFC 9113, 6.5.2). */
void stream_field(struct http2_stream *st, struct slice name, struct slice value)
{
	const struct serve_limits *limits = &st->http2->conn->serve->limits;
	struct http2_head *head = &st->head;
	head->bytes += name.len + value.len + 32;
	head->fields++;
	if (head->bytes > limits->header_max || head->fields > limits->header_fields_max) {
		head->is_too_large = true;
		return;
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (slice_eq_str(name, fields[i].name))
			fields[i].take(st, value);
}

void stream_refuse(struct http2_stream *st, enum reason reason)
{
	struct serve *s = st->http2->conn->serve;
	struct serve_answer answer = { .reason = reason };
	if (s->handler.refused)
		s->handler.refused(s->handler.ctx, (enum serve_door)st->http2->conn->door, reason);
	if (reason_retry_helps(reason))
		answer.retry_after_s = RETRY_AFTER_S;
	st->state = STREAM_ANSWERED;
	drop_body(st);
	http2_answer(st, &answer);
}

static enum reason check_grpc(const struct http2_stream *st)
{
	const struct http2_head *head = &st->head;
	if (head->is_too_large)
		return REASON_HEADER_TOO_LARGE;
	if (!head->rpc)
		return REASON_GRPC_METHOD;
	if (head->message_coding == HTTP1_OTHER_CODING)
		return REASON_GRPC_ENCODING;
	return REASON_OK;
}

static enum reason check_http(const struct http2_stream *st)
{
	const struct http2_head *head = &st->head;
	struct http1_head as_http1 = {
		.coding = head->coding, .framing = head->framing, .length = head->length
	};
	if (head->is_too_large)
		return REASON_HEADER_TOO_LARGE;
	if (head->rpc)
		return head->method == HTTP1_POST ? REASON_UNSUPPORTED_TYPE : REASON_METHOD;
	if (!head->route)
		return REASON_NOT_FOUND;
	if (!route_takes(head->route, head->method))
		return REASON_METHOD;
	return request_check(st->http2->conn->serve, &as_http1, &st->request);
}

/* What shapes the answer. */
static void describe(struct http2_stream *st)
{
	static const enum answer_encoding encodings[] = {
		[MEDIA_OTHER] = ANSWER_TEXT,
		[MEDIA_PROTOBUF] = ANSWER_PROTOBUF,
		[MEDIA_JSON] = ANSWER_JSON,
		[MEDIA_GRPC] = ANSWER_TEXT, /* where it is none */
	};
	const struct http2_head *head = &st->head;
	bool has_cors = st->http2->conn->serve->cors.origins != NULL;
	bool is_grpc = head->media == MEDIA_GRPC && head->method == HTTP1_POST;
	st->protocol = is_grpc ? SERVE_GRPC : SERVE_HTTP2;
	st->request.coding = is_grpc ? head->message_coding : head->coding;
	st->request.encoding = head->media == MEDIA_JSON ? OTLP_JSON : OTLP_PROTOBUF;
	st->request.to.encoding = is_grpc ? ANSWER_PROTOBUF : encodings[head->media];
	st->request.to.is_head = head->method == HTTP1_HEAD;
	st->request.to.allow_origin = head->allow_origin;
	if (head->rpc) {
		st->request.to.signal = head->rpc->signal;
		st->request.to.allow = "POST";
	}
	if (is_grpc || !head->route)
		return;
	st->request.to.signal = head->route->signal;
	st->request.to.allow = has_cors ? head->route->allow_cors : head->route->allow;
}

static bool is_preflight(const struct http2_stream *st)
{
	return st->head.method == HTTP1_OPTIONS && st->head.route &&
	       st->http2->conn->serve->cors.origins;
}

void stream_head(struct http2_stream *st)
{
	struct serve *s = st->http2->conn->serve;
	describe(st);
	st->state = STREAM_BODY;
	if (is_preflight(st)) {
		st->state = STREAM_ANSWERED;
		http2_answer_preflight(st);
		return;
	}
	enum reason reason = st->protocol == SERVE_GRPC ? check_grpc(st) : check_http(st);
	if (reason != REASON_OK) {
		stream_refuse(st, reason);
		return;
	}
	if (st->protocol != SERVE_GRPC && st->head.framing == HTTP1_LENGTH)
		st->body = spares_take(&s->spares, (size_t)st->head.length);
	stream_note_deadline(st);
}

static bool has_room(const struct http2_stream *st)
{
	const struct http2 *h = st->http2;
	const struct http2_stream *oldest = h->first;
	if (serve_has_plenty(h->conn->serve))
		return true;
	while (oldest && oldest->state != STREAM_BODY)
		oldest = oldest->next;
	return oldest == st;
}

void stream_grant(struct http2_stream *st)
{
	if (!st->owed || (st->state == STREAM_BODY && !has_room(st)))
		return;
	nghttp2_session_consume_stream(st->http2->session, st->id, st->owed);
	st->owed = 0;
	st->progress_ms = st->http2->conn->serve->now_ms;
}

static enum reason append(struct http2_stream *st, struct slice in)
{
	struct serve *s = st->http2->conn->serve;
	size_t max = s->limits.body_max;
	struct slice part = in;
	if (st->protocol == SERVE_GRPC) {
		bool is_begun = st->reader.have == GRPC_PREFIX_LEN;
		enum reason reason = grpc_read(&st->reader, in, max, &part);
		if (reason != REASON_OK)
			return reason;
		/* Its length is known now: a spare buffer saves growing one. */
		if (!is_begun && st->reader.have == GRPC_PREFIX_LEN)
			st->body = spares_take(&s->spares, part.len + st->reader.left);
	}
	return !part.len || buf_append_slice(&st->body, part) ? REASON_OK : REASON_BODY_TOO_LARGE;
}

/* It was answered before it was whole. What is on its way is passed over; a client that goes on need not
 * (RFC 9113, 8.1). */
static void pass_over(struct http2_stream *st, size_t len)
{
	size_t before = st->owed;
	st->owed += len;
	if (before <= UNREAD_MAX && st->owed > UNREAD_MAX)
		nghttp2_submit_rst_stream(
			st->http2->session, NGHTTP2_FLAG_NONE, st->id, NGHTTP2_NO_ERROR);
}

void stream_data(struct http2_stream *st, struct slice in)
{
	struct http2 *h = st->http2;
	if (st->is_sent) {
		pass_over(st, in.len);
		return;
	}
	st->progress_ms = h->conn->serve->now_ms;
	st->owed += in.len;
	if (st->state == STREAM_BODY) {
		enum reason reason = append(st, in);
		account(st);
		if (reason != REASON_OK)
			stream_refuse(st, reason);
	}
	stream_grant(st);
	h->has_owed = h->has_owed || st->owed;
}

/* The flag of the message and the field of the head must agree (PROTOCOL-HTTP2.md, "Compression"). */
static enum reason settle_message(struct http2_stream *st)
{
	if (!grpc_is_whole(&st->reader))
		return REASON_MALFORMED_GRPC;
	if (!grpc_is_compressed(&st->reader))
		st->request.coding = HTTP1_IDENTITY;
	else if (st->request.coding == HTTP1_IDENTITY)
		return REASON_GRPC_COMPRESSION;
	return REASON_OK;
}

/* An empty one points somewhere too, for those who add nothing to a pointer. */
static struct slice body_of(const struct http2_stream *st)
{
	return st->body.len ? buf_slice(&st->body) : SLICE_LIT("");
}

static void export_body(struct http2_stream *st)
{
	st->state = STREAM_PENDING;
	enum reason reason = exchange_start_stream(st, &st->request, body_of(st), &st->body);
	if (reason != REASON_OK)
		stream_refuse(st, reason);
	drop_body(st);
}

static void health_call(struct http2_stream *st)
{
	if (st->request.coding != HTTP1_IDENTITY) { /* eleven bytes that are worth no inflating */
		stream_refuse(st, REASON_GRPC_ENCODING);
		return;
	}
	if (st->head.rpc->call == GRPC_HEALTH_WATCH)
		health_watch(st, body_of(st));
	else
		health_check(st, body_of(st));
	drop_body(st);
}

void stream_end(struct http2_stream *st)
{
	st->is_whole = true;
	if (st->state != STREAM_BODY)
		return;
	enum reason reason = st->protocol == SERVE_GRPC ? settle_message(st) : REASON_OK;
	if (reason != REASON_OK)
		stream_refuse(st, reason);
	else if (st->protocol == SERVE_GRPC && st->head.rpc->call != GRPC_EXPORT)
		health_call(st);
	else
		export_body(st);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t stream_deadline_ms(const struct http2_stream *st)
{
	const struct serve_limits *limits = &st->http2->conn->serve->limits;
	int64_t clients = st->head.timeout_ms ? st->since_ms + st->head.timeout_ms : INT64_MAX;
	switch (st->state) {
	case STREAM_HEAD:
		return st->since_ms + limits->header_timeout_ms;
	case STREAM_BODY:
		if (st->owed)
			return st->progress_ms + WAIT_MS;
		return earlier(clients, earlier(st->progress_ms + limits->body_timeout_ms,
						st->since_ms + limits->request_timeout_ms));
	case STREAM_PENDING:
		return clients;
	case STREAM_ANSWERED:
		return st->progress_ms + limits->body_timeout_ms;
	case STREAM_WATCHING:
		break;
	}
	return INT64_MAX;
}

/* The request is whole and stays: only its client is not kept waiting past the time it set. */
static void answer_late(struct http2_stream *st)
{
	const struct serve_answer answer = { .reason = REASON_TIMEOUT,
		.message = "The bridge took the request and could not yet write it down; "
			   "it will be counted." };
	exchange_abandon(TAKE(st->exchange));
	st->state = STREAM_ANSWERED;
	http2_answer(st, &answer);
}

void stream_expire(struct http2_stream *st)
{
	struct http2 *h = st->http2;
	switch (st->state) {
	case STREAM_HEAD: /* the whole connection waits for it */
		h->is_stuck = true;
		break;
	case STREAM_BODY:
		stream_refuse(st, st->owed ? REASON_OVERLOADED : REASON_TIMEOUT);
		stream_grant(st);
		break;
	case STREAM_PENDING:
		answer_late(st);
		break;
	case STREAM_ANSWERED: /* its client opens no window for the answer, or never ends */
		nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, st->id,
			st->is_sent ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL);
		break;
	case STREAM_WATCHING:
		break;
	}
}
