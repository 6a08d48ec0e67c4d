/* grpc.health.v1: the whole server ("") and the three Export services share one state, the bridge's own. */
#include "bridge/serve/http2_internal.h"

static enum grpc_health health_now(const struct http2_stream *st)
{
	const struct serve *s = st->http2->conn->serve;
	if (!st->is_known_service)
		return GRPC_SERVICE_UNKNOWN;
	return serve_is_healthy(s) ? GRPC_SERVING : GRPC_NOT_SERVING;
}

static bool read_service(struct http2_stream *st, struct slice message)
{
	enum reason reason = grpc_health_read(message, &st->is_known_service);
	if (reason != REASON_OK)
		stream_refuse(st, reason);
	return reason == REASON_OK;
}

void health_check(struct http2_stream *st, struct slice message)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	if (!read_service(st, message))
		return;
	if (!st->is_known_service) {
		stream_refuse(st, REASON_GRPC_SERVICE);
		return;
	}
	grpc_add_health(&out, health_now(st));
	http2_answer_message(st, &out);
}

void health_tell(struct http2_stream *st)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	enum grpc_health now = health_now(st);
	/* One that reads slowly hears the last word only, so that what waits for it does not grow. */
	if (now == st->told || st->answer_at < st->answer.len)
		return;
	st->told = now;
	grpc_add_health(&out, now);
	grpc_add_prefix(&st->answer, out.len);
	buf_add(&st->answer, out.data, out.len);
	nghttp2_session_resume_data(st->http2->session, st->id);
}

void health_watch(struct http2_stream *st, struct slice message)
{
	if (!read_service(st, message))
		return;
	st->state = STREAM_WATCHING;
	st->http2->watching++;
	health_tell(st);
	http2_answer_watch(st);
}
