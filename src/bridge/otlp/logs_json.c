/* LogRecord in JSON: the members of logs_pb.c under their lowerCamelCase names. */
#include "bridge/otlp/decoder_internal.h"
#include "bridge/otlp/json.h"

static bool take_severity(struct json *j, int32_t *out)
{
	int64_t number;
	if (!json_enum(j, &number))
		return false;
	*out = number >= INT32_MIN && number <= INT32_MAX ? (int32_t)number : 0;
	return true;
}

static bool log_member(
	struct json *j, const struct json_object *o, struct otlp_log *log, struct slice *attributes)
{
	if (json_key(o, "attributes"))
		return json_skim_array(j, attributes);
	if (json_key(o, "timeUnixNano"))
		return json_uint64(j, &log->time_ns);
	if (json_key(o, "observedTimeUnixNano"))
		return json_uint64(j, &log->observed_ns);
	if (json_key(o, "severityNumber"))
		return take_severity(j, &log->severity);
	if (json_key(o, "body"))
		return value_json_read(j, 0, &log->body);
	if (json_key(o, "eventName"))
		return json_text(j, &log->event_name);
	return json_skip(j);
}

bool log_json_decode(struct decoding *c, struct json *j)
{
	struct otlp_log log = { .scope_name = c->scope_name, .body = { .kind = OTLP_EMPTY } };
	struct slice attributes = { 0 };
	struct json_object o;
	int got;
	arena_reset(&c->decoder->strings);
	if (!json_enter_object(j, &o))
		return false;
	while ((got = json_member(j, &o)) > 0) {
		if (!log_member(j, &o, &log, &attributes))
			return false;
	}
	if (got < 0)
		return false;
	enum reason r = attrs_of_json(c->decoder, attributes, &log.attrs);
	if (r == REASON_OK && c->sink->log)
		r = c->sink->log(c->sink->ctx, &log);
	return r == REASON_OK || json_fail_with(j, r);
}
