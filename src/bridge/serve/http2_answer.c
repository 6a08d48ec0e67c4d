/* Answers as frames. What they say is answer.c's; here it gets fields, DATA and, for gRPC, trailers.
 *
 * gRPC: HEADERS, one message in DATA, HEADERS with grpc-status; a refusal is HEADERS alone ("Trailers-Only").
 * A gRPC request that is not one by its content type or method is answered as HTTP.
 */
#include <stdio.h>
#include <string.h>

#include "bridge/serve/http2_internal.h"

#define FIELDS_MAX 12

struct fields {
	nghttp2_nv items[FIELDS_MAX];
	size_t count;
};

static uint8_t *unconst(const void *p)
{
	/* nghttp2_nv is not const because it serves both directions. */
	union {
		const void *from;
		uint8_t *to;
	} bytes = { p };

	return bytes.to;
}

/* The value is copied when the fields are submitted; the name must be a literal. */
static void add_slice(struct fields *f, const char *name, struct slice value)
{
	f->items[f->count++] = (nghttp2_nv){ unconst(name), unconst(value.ptr), strlen(name),
		value.len, NGHTTP2_NV_FLAG_NO_COPY_NAME };
}

static void add(struct fields *f, const char *name, const char *value)
{
	add_slice(f, name, slice_str(value));
}

static ssize_t read_answer(nghttp2_session *session, int32_t id, uint8_t *to, size_t room,
	uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
	struct http2_stream *st = source->ptr;
	size_t n = st->answer.len - st->answer_at;
	(void)ctx;
	if (n > room)
		n = room;
	if (n)
		memcpy(to, st->answer.data + st->answer_at, n);
	st->answer_at += n;
	st->progress_ms = st->http2->conn->serve->now_ms;
	if (st->answer_at < st->answer.len)
		return (ssize_t)n;
	if (st->state == STREAM_WATCHING) {
		st->answer.len = st->answer_at = 0;
		return n ? (ssize_t)n : NGHTTP2_ERR_DEFERRED;
	}
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	if (st->protocol == SERVE_GRPC) {
		struct fields trailers = { .count = 0 };
		add(&trailers, "grpc-status", "0");
		*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
		nghttp2_submit_trailer(session, id, trailers.items, trailers.count);
	}
	return (ssize_t)n;
}

static void submit(struct http2_stream *st, const struct fields *f, bool has_data)
{
	struct http2 *h = st->http2;
	const nghttp2_data_provider data = { .source.ptr = st, .read_callback = read_answer };
	st->progress_ms = h->conn->serve->now_ms;
	if (st->state != STREAM_WATCHING)
		st->state = STREAM_ANSWERED;
	stream_note_deadline(st);
	nghttp2_submit_response(h->session, st->id, f->items, f->count, has_data ? &data : NULL);
}

static void answer_grpc_error(struct http2_stream *st, const struct serve_answer *answer)
{
	AUTO(buf) struct buf message = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf details = BUF_INIT(BUF_UNLIMITED);
	struct fields f = { .count = 0 };
	int code = reason_grpc_status(answer->reason);
	const char *text = answer->message ? answer->message : reason_sentence(answer->reason);
	char status[12];
	snprintf(status, sizeof(status), "%d", code);
	grpc_add_message(&message, text);
	add(&f, ":status", "200");
	add(&f, "content-type", "application/grpc");
	add(&f, "grpc-status", status);
	add(&f, "grpc-message", buf_str(&message));
	if (answer->reason == REASON_GRPC_ENCODING)
		add(&f, "grpc-accept-encoding", "identity,gzip");
	if (answer->retry_after_s > 0) {
		grpc_add_retry_details(&details, code, text, answer->retry_after_s);
		add(&f, "grpc-status-details-bin", buf_str(&details));
	}
	submit(st, &f, false);
}

static void add_grpc_head(struct fields *f)
{
	add(f, ":status", "200");
	add(f, "content-type", "application/grpc");
}

void http2_answer_message(struct http2_stream *st, const struct buf *message)
{
	struct fields f = { .count = 0 };
	add_grpc_head(&f);
	st->answer.len = 0;
	grpc_add_prefix(&st->answer, message->len);
	buf_add(&st->answer, message->data, message->len);
	submit(st, &f, true);
}

void http2_answer_watch(struct http2_stream *st)
{
	struct fields f = { .count = 0 };
	add_grpc_head(&f);
	submit(st, &f, true);
}

/* What was told so far still goes out; read_answer then finds the stream answered and adds the trailers. */
void http2_end_watch(struct http2_stream *st)
{
	st->state = STREAM_ANSWERED;
	st->http2->watching--;
	st->progress_ms = st->http2->conn->serve->now_ms;
	nghttp2_session_resume_data(st->http2->session, st->id);
}

static void answer_grpc(struct http2_stream *st, const struct serve_answer *answer)
{
	if (answer->reason != REASON_OK) {
		answer_grpc_error(st, answer);
		return;
	}
	AUTO(buf) struct buf message = BUF_INIT(BUF_UNLIMITED);
	answer_body(&message, &st->request.to, answer);
	http2_answer_message(st, &message);
}

static void add_cors(struct fields *f, const struct answer_to *to)
{
	if (!to->allow_origin)
		return;
	add(f, "access-control-allow-origin", to->allow_origin);
	if (strcmp(to->allow_origin, "*") != 0)
		add(f, "vary", "Origin");
}

static void answer_http(struct http2_stream *st, const struct serve_answer *answer)
{
	const struct answer_to *to = &st->request.to;
	struct fields f = { .count = 0 };
	int code = reason_http_status(answer->reason);
	char status[12], length[24], retry_after[12];
	st->answer.len = 0;
	answer_body(&st->answer, to, answer);
	snprintf(status, sizeof(status), "%d", code);
	snprintf(length, sizeof(length), "%zu", st->answer.len);
	add(&f, ":status", status);
	add(&f, "date", serve_date(st->http2->conn->serve));
	add(&f, "content-type", answer_content_type(to->encoding));
	add(&f, "content-length", length);
	if (code == 405 && to->allow)
		add(&f, "allow", to->allow);
	add_cors(&f, to);
	if (answer->retry_after_s > 0) {
		snprintf(retry_after, sizeof(retry_after), "%d", answer->retry_after_s);
		add(&f, "retry-after", retry_after);
	}
	submit(st, &f, !to->is_head && st->answer.len > 0);
}

void http2_answer(struct http2_stream *st, const struct serve_answer *answer)
{
	if (st->protocol == SERVE_GRPC)
		answer_grpc(st, answer);
	else
		answer_http(st, answer);
}

void http2_answer_preflight(struct http2_stream *st)
{
	const struct answer_to *to = &st->request.to;
	struct fields f = { .count = 0 };
	add(&f, ":status", "204");
	add(&f, "date", serve_date(st->http2->conn->serve));
	add_cors(&f, to);
	if (to->allow_origin) {
		add(&f, "access-control-allow-methods", "POST");
		add_slice(&f, "access-control-allow-headers",
			cors_headers(buf_slice(&st->cors_headers)));
		add(&f, "access-control-max-age", "7200");
	}
	submit(st, &f, false);
}
