#include "bridge/otlp/decode.h"

#include "bridge/otlp/decoder_internal.h"
#include "bridge/otlp/json.h"

static const struct envelope_names metric_names = {
	JSON_NAME("resourceMetrics"),
	JSON_NAME("scopeMetrics"),
	JSON_NAME("metrics"),
};

static const struct envelope_names log_names = {
	JSON_NAME("resourceLogs"),
	JSON_NAME("scopeLogs"),
	JSON_NAME("logRecords"),
};

static const struct envelope_names span_names = {
	JSON_NAME("resourceSpans"),
	JSON_NAME("scopeSpans"),
	JSON_NAME("spans"),
};

struct signal_readers {
	const struct envelope_names *names;
	item_pb pb;
	item_json json;
};

static enum reason decode(struct decoding *c, enum otlp_encoding encoding, struct slice body,
	const struct signal_readers *readers)
{
	/* An empty request is a success (OTLP specification, "Success"), in either encoding. */
	if (body.len == 0)
		return REASON_OK;
	arena_reset(&c->decoder->iter_strings);
	return encoding == OTLP_JSON ? envelope_json_walk(c, body, readers->names, readers->json)
				     : envelope_pb_walk(c, body, readers->pb);
}

enum reason otlp_decode_metrics(struct otlp_decoder *d, enum otlp_encoding encoding,
	struct slice body, const struct otlp_sink *sink)
{
	static const struct signal_readers readers = { &metric_names, metric_pb_decode,
		metric_json_decode };
	struct decoding c = { .decoder = d, .sink = sink };
	return decode(&c, encoding, body, &readers);
}

enum reason otlp_decode_logs(struct otlp_decoder *d, enum otlp_encoding encoding, struct slice body,
	const struct otlp_sink *sink)
{
	static const struct signal_readers readers = { &log_names, log_pb_decode, log_json_decode };
	struct decoding c = { .decoder = d, .sink = sink };
	return decode(&c, encoding, body, &readers);
}

static enum reason count_pb(struct decoding *c, struct slice message)
{
	(void)message;
	c->spans++;
	return REASON_OK;
}

static bool count_json(struct decoding *c, struct json *j)
{
	c->spans++;
	return json_skip(j);
}

enum reason otlp_count_spans(
	struct otlp_decoder *d, enum otlp_encoding encoding, struct slice body, uint64_t *spans)
{
	static const struct signal_readers readers = { &span_names, count_pb, count_json };
	static const struct otlp_sink nobody = { .ctx = NULL };
	struct decoding c = { .decoder = d, .sink = &nobody };
	enum reason r = decode(&c, encoding, body, &readers);
	*spans = c.spans;
	return r;
}
