#include "bridge/serve/grpc.h"

#include <string.h>

#include "bridge/otlp/wire.h"
#include "bridge/serve/http1.h"

#define COLLECTOR      "opentelemetry.proto.collector."
#define METRICS	       COLLECTOR "metrics.v1.MetricsService"
#define LOGS	       COLLECTOR "logs.v1.LogsService"
#define TRACES	       COLLECTOR "trace.v1.TraceService"
#define HEALTH	       "grpc.health.v1.Health"
#define TIMEOUT_DIGITS 8 /* TimeoutValue: at most 8 digits */

static const struct grpc_method methods[] = {
	{ "/" METRICS "/Export", GRPC_EXPORT, OTLP_METRICS },
	{ "/" LOGS "/Export", GRPC_EXPORT, OTLP_LOGS },
	{ "/" TRACES "/Export", GRPC_EXPORT, OTLP_TRACES },
	{ "/" HEALTH "/Check", GRPC_HEALTH_CHECK, OTLP_METRICS },
	{ "/" HEALTH "/Watch", GRPC_HEALTH_WATCH, OTLP_METRICS },
};

const struct grpc_method *grpc_method_find(struct slice path)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (slice_eq_str(path, methods[i].path))
			return &methods[i];
	return NULL;
}

bool grpc_type_is_ours(struct slice media_type)
{
	return http1_token_is(media_type, "application/grpc") ||
	       http1_token_is(media_type, "application/grpc+proto");
}

/* Message-Prefix: Compressed-Flag (1 byte, 0 or 1), Message-Length (4 bytes, big endian). */
static enum reason read_prefix(struct grpc_reader *r, struct slice *in, size_t max)
{
	size_t n = GRPC_PREFIX_LEN - r->have;
	if (n > in->len)
		n = in->len;
	if (n)
		memcpy(r->prefix + r->have, in->ptr, n);
	*in = slice_of(in->ptr + n, in->len - n);
	r->have += (unsigned)n;
	if (r->have && r->prefix[0] > 1)
		return REASON_MALFORMED_GRPC;
	if (r->have < GRPC_PREFIX_LEN)
		return REASON_OK;
	r->left = (uint32_t)r->prefix[1] << 24 | (uint32_t)r->prefix[2] << 16 |
		  (uint32_t)r->prefix[3] << 8 | r->prefix[4];
	return r->left > max ? REASON_BODY_TOO_LARGE : REASON_OK;
}

enum reason grpc_read(struct grpc_reader *r, struct slice in, size_t max, struct slice *part)
{
	enum reason reason = REASON_OK;
	*part = slice_of(NULL, 0);
	if (!in.len)
		return REASON_OK;
	if (r->have < GRPC_PREFIX_LEN)
		reason = read_prefix(r, &in, max);
	if (reason != REASON_OK || !in.len)
		return reason;
	if (in.len > r->left)
		return REASON_MALFORMED_GRPC;
	r->left -= (uint32_t)in.len;
	*part = in;
	return REASON_OK;
}

bool grpc_is_whole(const struct grpc_reader *r)
{
	return r->have == GRPC_PREFIX_LEN && r->left == 0;
}

bool grpc_is_compressed(const struct grpc_reader *r)
{
	return r->prefix[0] == 1;
}

void grpc_add_prefix(struct buf *out, size_t message_len)
{
	const unsigned char prefix[GRPC_PREFIX_LEN] = { 0, (unsigned char)(message_len >> 24),
		(unsigned char)(message_len >> 16), (unsigned char)(message_len >> 8),
		(unsigned char)message_len };
	buf_add(out, prefix, sizeof(prefix));
}

int64_t grpc_timeout_ms(struct slice text)
{
	static const struct {
		char unit;
		int64_t ns;
	} units[] = {
		{ 'H', INT64_C(3600000000000) },
		{ 'M', INT64_C(60000000000) },
		{ 'S', INT64_C(1000000000) },
		{ 'm', INT64_C(1000000) },
		{ 'u', INT64_C(1000) },
		{ 'n', INT64_C(1) },
	};

	int64_t value = 0;
	if (text.len < 2 || text.len > TIMEOUT_DIGITS + 1)
		return 0;
	for (size_t i = 0; i + 1 < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return 0;
		value = value * 10 + (text.ptr[i] - '0');
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (text.ptr[text.len - 1] != (unsigned char)units[i].unit)
			continue;
		if (units[i].ns >= 1000000)
			return value * (units[i].ns / 1000000);
		return (value * units[i].ns + 999999) / 1000000;
	}
	return 0;
}

void grpc_add_message(struct buf *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < ' ' || c > '~' || c == '%')
			buf_addf(out, "%%%02X", c);
		else
			buf_addc(out, (char)c);
	}
}

static void add_base64(struct buf *out, struct slice in)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < in.len; i++) {
		bits = bits << 8 | in.ptr[i];
		for (have += 8; have >= 6; have -= 6)
			buf_addc(out, digits[bits >> (have - 6) & 63]);
	}
	if (have)
		buf_addc(out, digits[bits << (6 - have) & 63]);
}

/* Lengths here stay below 128, so that each is one byte of varint. */
static void add_field(struct buf *out, unsigned number, struct slice bytes)
{
	buf_addc(out, (char)(number << 3 | WIRE_BYTES));
	buf_addc(out, (char)bytes.len);
	buf_add(out, bytes.ptr, bytes.len);
}

/* Status { code = 1, message = 2, details = 3: Any { type_url = 1, value = 2:
 * RetryInfo { retry_delay = 1: Duration { seconds = 1 } } } } */
void grpc_add_retry_details(struct buf *out, int code, const char *message, int retry_after_s)
{
	AUTO(buf) struct buf any = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf status = BUF_INIT(BUF_UNLIMITED);
	struct slice text = slice_str(message);
	char seconds = (char)(retry_after_s > 127 ? 127 : retry_after_s);
	const char retry_info[] = { 1 << 3 | WIRE_BYTES, 2, 1 << 3 | WIRE_VARINT, seconds };
	add_field(&any, 1, SLICE_LIT("type.googleapis.com/google.rpc.RetryInfo"));
	add_field(&any, 2, slice_of(retry_info, sizeof(retry_info)));
	buf_addc(&status, 1 << 3 | WIRE_VARINT);
	buf_addc(&status, (char)code);
	if (text.len < 128)
		add_field(&status, 2, text);
	add_field(&status, 3, buf_slice(&any));
	add_base64(out, buf_slice(&status));
}

static bool is_known_service(struct slice name)
{
	static const char *const services[] = { "", METRICS, LOGS, TRACES };
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (slice_eq_str(name, services[i]))
			return true;
	return false;
}

/* HealthCheckRequest { service = 1 } */
enum reason grpc_health_read(struct slice message, bool *is_known)
{
	struct wire w = wire_of(message);
	struct wire_field f = { 0 };
	struct slice name = slice_of(NULL, 0);
	enum wire_status status;
	while ((status = wire_next(&w, &f)) == WIRE_FIELD)
		if (wire_key(&f) == WIRE_KEY(1, WIRE_BYTES))
			name = f.bytes;
	*is_known = is_known_service(name);
	return wire_reason(status);
}

/* HealthCheckResponse { status = 1 } */
void grpc_add_health(struct buf *out, enum grpc_health status)
{
	buf_addc(out, 1 << 3 | WIRE_VARINT);
	buf_addc(out, (char)status);
}
