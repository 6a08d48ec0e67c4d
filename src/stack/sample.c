#include "stack/sample.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/buf.h"

#define SERVICE_NAME "cctm"
#define SESSION	     "cctm-probe"

static uint64_t nanoseconds(double seconds)
{
	return (uint64_t)llround(seconds * 1000) * 1000000;
}

/* ---- JSON ---- */

#define RESOURCE_JSON                                              \
	"\"resource\":{\"attributes\":[{\"key\":\"service.name\"," \
	"\"value\":{\"stringValue\":\"" SERVICE_NAME "\"}}]}"
#define SESSION_JSON "{\"key\":\"session.id\",\"value\":{\"stringValue\":\"" SESSION "\"}}"

void sample_json(const struct sample *sample, struct buf *out)
{
	buf_adds(out, "{\"resourceMetrics\":[{" RESOURCE_JSON
		      ",\"scopeMetrics\":[{\"scope\":{\"name\":\"" SERVICE_NAME "\"},");
	buf_addf(out, "\"metrics\":[{\"name\":\"%s\",\"unit\":\"%s\",\"description\":\"%s\",",
		sample->metric, sample->unit, sample->description);
	buf_adds(out, "\"gauge\":{\"dataPoints\":[{");
	if (sample->protocol)
		buf_addf(out,
			"\"attributes\":[{\"key\":\"protocol\",\"value\":{\"stringValue\":\"%s\"}}"
			"," SESSION_JSON "],",
			sample->protocol);
	buf_addf(out, "\"timeUnixNano\":\"%llu\",\"asDouble\":%.3f}]}}]}]}]}",
		(unsigned long long)nanoseconds(sample->seconds), sample->seconds);
}

void sample_event_json(double seconds, struct buf *out)
{
	buf_adds(out, "{\"resourceLogs\":[{" RESOURCE_JSON
		      ",\"scopeLogs\":[{\"scope\":{\"name\":\"" SERVICE_NAME "\"},");
	buf_addf(out,
		"\"logRecords\":[{\"timeUnixNano\":\"%llu\",\"body\":{\"stringValue\":"
		"\"cctm.probe %.3f\"},\"attributes\":[{\"key\":\"event.name\",\"value\":"
		"{\"stringValue\":\"cctm.probe\"}}," SESSION_JSON "]}]}]}]}",
		(unsigned long long)nanoseconds(seconds), seconds);
}

/* ---- protobuf ---- */

enum wire { WIRE_FIXED64 = 1, WIRE_BYTES = 2 };

static void add_tag(struct buf *out, unsigned field, enum wire wire)
{
	buf_addc(out, (char)(field << 3 | wire)); /* every field here is below 16 */
}

static void add_varint(struct buf *out, size_t value)
{
	for (; value >= 0x80; value >>= 7)
		buf_addc(out, (char)(unsigned char)(value | 0x80));
	buf_addc(out, (char)value);
}

static void add_bytes(struct buf *out, unsigned field, const void *bytes, size_t len)
{
	add_tag(out, field, WIRE_BYTES);
	add_varint(out, len);
	buf_add(out, bytes, len);
}

static void add_text(struct buf *out, unsigned field, const char *text)
{
	add_bytes(out, field, text, strlen(text));
}

static void add_message(struct buf *out, unsigned field, const struct buf *message)
{
	add_bytes(out, field, message->data, message->len);
}

static void add_fixed64(struct buf *out, unsigned field, uint64_t value)
{
	add_tag(out, field, WIRE_FIXED64);
	for (int i = 0; i < 8; i++)
		buf_addc(out, (char)(unsigned char)(value >> (8 * i)));
}

/* KeyValue { key = 1; AnyValue { string_value = 1 } value = 2 } */
static void add_attribute(struct buf *out, unsigned field, const char *key, const char *text)
{
	AUTO(buf) struct buf value = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf pair = BUF_INIT(BUF_UNLIMITED);
	add_text(&value, 1, text);
	add_text(&pair, 1, key);
	add_message(&pair, 2, &value);
	add_message(out, field, &pair);
}

/* NumberDataPoint { time_unix_nano = 3; as_double = 4; attributes = 7 } */
static void add_point(struct buf *out, unsigned field, const struct sample *sample)
{
	AUTO(buf) struct buf point = BUF_INIT(BUF_UNLIMITED);
	uint64_t bits;
	memcpy(&bits, &sample->seconds, sizeof bits);
	add_fixed64(&point, 3, nanoseconds(sample->seconds));
	add_fixed64(&point, 4, bits);
	if (sample->protocol) {
		add_attribute(&point, 7, "protocol", sample->protocol);
		add_attribute(&point, 7, "session.id", SESSION);
	}
	add_message(out, field, &point);
}

/* Metric { name = 1; description = 2; unit = 3; Gauge { data_points = 1 } gauge = 5 } */
static void add_metric(struct buf *out, unsigned field, const struct sample *sample)
{
	AUTO(buf) struct buf gauge = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf metric = BUF_INIT(BUF_UNLIMITED);
	add_point(&gauge, 1, sample);
	add_text(&metric, 1, sample->metric);
	add_text(&metric, 2, sample->description);
	add_text(&metric, 3, sample->unit);
	add_message(&metric, 5, &gauge);
	add_message(out, field, &metric);
}

/* resource_metrics = 1 { Resource { attributes = 1 } resource = 1; scope_metrics = 2 { scope = 1 { name = 1 };
 * metrics = 2 } } */
void sample_protobuf(const struct sample *sample, struct buf *out)
{
	AUTO(buf) struct buf resource = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf scope = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf of_scope = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf of_resource = BUF_INIT(BUF_UNLIMITED);
	add_attribute(&resource, 1, "service.name", SERVICE_NAME);
	add_text(&scope, 1, SERVICE_NAME);
	add_message(&of_scope, 1, &scope);
	add_metric(&of_scope, 2, sample);
	add_message(&of_resource, 1, &resource);
	add_message(&of_resource, 2, &of_scope);
	add_message(out, 1, &of_resource);
}
