/* nghttp2's callbacks. They queue and decide; they never free a connection and never write.
 *
 * Every frame that does no work is paid for (flood.h) when its first nine bytes are there, and a stream when it
 * ends. Where the purse is empty the callback fails, which stops nghttp2 in the middle of what was read: the
 * rest of a flood is not looked at.
 */
#include <assert.h>
#include <stdlib.h>

#include "bridge/serve/http2_internal.h"
#include "core/mem.h"

/* nghttp2 1.52 ends a connection itself when so many acknowledgements wait; ours shall come first. */
#define ACKS_MAX 10000

static bool does_no_work(const nghttp2_frame_hd *hd)
{
	if (hd->type == NGHTTP2_DATA)
		return hd->length == 0 && !(hd->flags & NGHTTP2_FLAG_END_STREAM);
	return hd->type != NGHTTP2_HEADERS;
}

/* nghttp2 passes over a stream whose number is lower than one before, unless it still knows it as closed; that is
 * a connection error (RFC 9113, 5.1.1). */
static bool goes_backwards(nghttp2_session *session, const nghttp2_frame_hd *hd)
{
	return hd->type == NGHTTP2_HEADERS && hd->stream_id % 2 == 1 &&
	       hd->stream_id <= nghttp2_session_get_last_proc_stream_id(session) &&
	       !nghttp2_session_find_stream(session, hd->stream_id);
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *ctx)
{
	struct http2 *h = ctx;
	if (hd->type != NGHTTP2_CONTINUATION)
		h->is_in_fields = false;
	if (goes_backwards(session, hd))
		nghttp2_session_terminate_session(session, NGHTTP2_PROTOCOL_ERROR);
	if (!h->is_flooded && does_no_work(hd))
		h->is_flooded = !flood_pay(&h->flood, FLOOD_FRAME, h->conn->serve->now_ms);
	return h->is_flooded ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct http2 *h = ctx;
	h->is_in_fields = true;
	h->fields_bytes = 0;
	if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		nghttp2_session_set_stream_user_data(
			session, frame->hd.stream_id, stream_new(h, frame->hd.stream_id));
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *ctx)
{
	struct http2_stream *st =
		nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	(void)flags;
	(void)ctx;
	if (st && st->state == STREAM_HEAD)
		stream_field(st, slice_of(name, name_len), slice_of(value, value_len));
	return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct http2 *h = ctx;
	struct http2_stream *st = NULL;
	bool is_ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
	if (frame->hd.type == NGHTTP2_SETTINGS && !is_ack)
		h->has_settings = true;
	if (frame->hd.type == NGHTTP2_PING && is_ack)
		h->awaits_pong = false;
	if (frame->hd.type == NGHTTP2_HEADERS)
		h->is_in_fields = false;
	if (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA)
		st = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (st && frame->hd.type == NGHTTP2_HEADERS && st->state == STREAM_HEAD)
		stream_head(st);
	if (st && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		stream_end(st);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
	size_t len, void *ctx)
{
	struct http2_stream *st = nghttp2_session_get_stream_user_data(session, id);
	(void)flags;
	(void)ctx;
	nghttp2_session_consume_connection(session, len);
	if (st)
		stream_data(st, slice_of(bytes, len));
	return 0;
}

/* A stream that ends before its answer is paid for, whoever ended it: a client can make the server reset as well
 * as reset by itself. The next frame meets the verdict. */
static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *ctx)
{
	struct http2 *h = ctx;
	struct http2_stream *st = nghttp2_session_get_stream_user_data(session, id);
	if (!st)
		return 0;
	if (error == NGHTTP2_NO_ERROR && st->is_whole)
		flood_earn(&h->flood, FLOOD_ANSWERED);
	else if (error != NGHTTP2_NO_ERROR && st->state != STREAM_WATCHING &&
		 !flood_pay(&h->flood, FLOOD_STREAM, h->conn->serve->now_ms))
		h->is_flooded = true;
	nghttp2_session_set_stream_user_data(session, id, NULL);
	stream_free(st);
	return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct http2 *h = ctx;
	struct http2_stream *st = NULL;
	if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR)
		h->was_broken = true;
	if (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA)
		st = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (st && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		st->is_sent = true;
	return 0;
}

struct http2_shared *http2_shared_new(void)
{
	struct http2_shared *shared = mem_zalloc(sizeof(*shared));
	int rc = nghttp2_session_callbacks_new(&shared->callbacks);
	assert(rc == 0);
	rc = nghttp2_option_new(&shared->options);
	assert(rc == 0);
	(void)rc;
	nghttp2_session_callbacks *c = shared->callbacks;
	nghttp2_session_callbacks_set_on_begin_frame_callback(c, on_begin_frame);
	nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(c, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame_recv);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(c, on_frame_send);
	nghttp2_option_set_no_auto_window_update(shared->options, 1);
	nghttp2_option_set_max_outbound_ack(shared->options, ACKS_MAX);
	return shared;
}

void http2_shared_free(struct http2_shared *shared)
{
	if (!shared)
		return;
	nghttp2_session_callbacks_del(shared->callbacks);
	nghttp2_option_del(shared->options);
	free(shared);
}
