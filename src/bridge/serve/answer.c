#include "bridge/serve/answer.h"

#include <inttypes.h>
#include <string.h>

static const char *status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {
		{ 200, "OK" },
		{ 204, "No Content" },
		{ 400, "Bad Request" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "Status";
}

const char *answer_content_type(enum answer_encoding encoding)
{
	static const char *const types[] = {
		[ANSWER_PROTOBUF] = "application/x-protobuf",
		[ANSWER_JSON] = "application/json",
		[ANSWER_TEXT] = "text/plain; charset=utf-8",
	};
	return types[encoding];
}

/* Days since 1970-01-01 to a date, by eras of 400 years that begin on March 1st. */
static void civil_from_days(int64_t days, int *year, unsigned *month, unsigned *day)
{
	days += 719468;
	int64_t era = days / 146097;
	unsigned of_era = (unsigned)(days - era * 146097);
	unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned shifted = (5 * of_year + 2) / 153;
	*day = of_year - (153 * shifted + 2) / 5 + 1;
	*month = shifted < 10 ? shifted + 3 : shifted - 9;
	*year = (int)((int64_t)year_of_era + era * 400 + (*month <= 2));
}

void answer_date(int64_t wall_ms, char out[ANSWER_DATE_LEN + 1])
{
	static const char days[] = "ThuFriSatSunMonTueWed";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t s = wall_ms / 1000;
	int year;
	unsigned month, day;
	if (s < 0 || s >= INT64_C(253402300800)) /* the year 10000 */
		s = 0;
	civil_from_days(s / 86400, &year, &month, &day);
	unsigned of_day = (unsigned)(s % 86400);
	char text[64];
	snprintf(text, sizeof(text), "%.3s, %02u %.3s %04d %02u:%02u:%02u GMT",
		days + 3 * (s / 86400 % 7), day, months + (size_t)3 * (month - 1), year,
		of_day / 3600, of_day / 60 % 60, of_day % 60);
	memcpy(out, text, ANSWER_DATE_LEN);
	out[ANSWER_DATE_LEN] = '\0';
}

static void add_json_string(struct buf *out, const char *s)
{
	buf_addc(out, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_addc(out, '\\');
		if ((unsigned char)*s < ' ')
			buf_addf(out, "\\u%04x", (unsigned)*s);
		else
			buf_addc(out, *s);
	}
	buf_addc(out, '"');
}

static size_t varint_len(uint64_t v)
{
	size_t n = 1;
	for (; v >= 128; v >>= 7)
		n++;
	return n;
}

static void add_varint(struct buf *out, uint64_t v)
{
	for (; v >= 128; v >>= 7)
		buf_addc(out, (char)(unsigned char)(v | 128));
	buf_addc(out, (char)v);
}

/* message { int64 number = 1; string text = 2; }, which is both google.rpc.Status and every
 * Export…PartialSuccess. Values that are the default are left out, as proto3 does. */
static size_t pair_len(uint64_t number, size_t text_len)
{
	return (number ? 1 + varint_len(number) : 0) +
	       (text_len ? 1 + varint_len(text_len) + text_len : 0);
}

static void add_pair(struct buf *out, uint64_t number, const char *text)
{
	size_t len = strlen(text);
	if (number) {
		buf_addc(out, 1 << 3);
		add_varint(out, number);
	}
	if (len) {
		buf_addc(out, 2 << 3 | 2);
		add_varint(out, len);
		buf_add(out, text, len);
	}
}

static void success_protobuf(struct buf *out, uint64_t rejected, const char *message)
{
	size_t len = pair_len(rejected, strlen(message));
	if (!len)
		return;
	buf_addc(out, 1 << 3 | 2); /* partial_success = 1 */
	add_varint(out, len);
	add_pair(out, rejected, message);
}

/* 64-bit integers are strings in the JSON of protobuf. */
static void success_json(
	struct buf *out, enum otlp_signal signal, int64_t rejected, const char *message)
{
	static const char *const names[] = {
		[OTLP_METRICS] = "rejectedDataPoints",
		[OTLP_LOGS] = "rejectedLogRecords",
		[OTLP_TRACES] = "rejectedSpans",
	};
	if (!rejected && !*message) {
		buf_adds(out, "{}");
		return;
	}
	buf_adds(out, "{\"partialSuccess\":{");
	if (rejected)
		buf_addf(out, "\"%s\":\"%" PRId64 "\"", names[signal], rejected);
	if (*message) {
		buf_adds(out, rejected ? ",\"errorMessage\":" : "\"errorMessage\":");
		add_json_string(out, message);
	}
	buf_adds(out, "}}");
}

static void add_status(struct buf *out, enum answer_encoding encoding, int code, const char *text)
{
	switch (encoding) {
	case ANSWER_PROTOBUF:
		add_pair(out, (uint64_t)code, text);
		break;
	case ANSWER_JSON:
		buf_addf(out, "{\"code\":%d,\"message\":", code);
		add_json_string(out, text);
		buf_addc(out, '}');
		break;
	case ANSWER_TEXT:
		buf_adds(out, text);
		buf_addc(out, '\n');
		break;
	}
}

void answer_body(struct buf *out, const struct answer_to *to, const struct serve_answer *answer)
{
	const char *message = answer->message ? answer->message : "";
	if (answer->reason != REASON_OK)
		add_status(out, to->encoding, reason_grpc_status(answer->reason),
			answer->message ? message : reason_sentence(answer->reason));
	else if (to->encoding == ANSWER_PROTOBUF)
		success_protobuf(out, (uint64_t)answer->rejected, message);
	else
		success_json(out, to->signal, answer->rejected, message);
}

static void add_head(struct buf *out, const char *date, const struct answer_to *to, int status)
{
	buf_addf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, status_text(status), date);
	if (to->closes)
		buf_adds(out, "Connection: close\r\n");
	else if (to->names_keep_alive)
		buf_adds(out, "Connection: keep-alive\r\n");
	if (status == 405 && to->allow)
		buf_addf(out, "Allow: %s\r\n", to->allow);
	if (to->allow_origin)
		buf_addf(out, "Access-Control-Allow-Origin: %s\r\n", to->allow_origin);
	if (to->allow_origin && strcmp(to->allow_origin, "*") != 0)
		buf_adds(out, "Vary: Origin\r\n");
}

static void add_content(struct buf *out, const char *type, size_t len)
{
	buf_addf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n", type, len);
}

void answer_export(struct buf *out, const char *date, const struct answer_to *to,
	const struct serve_answer *answer)
{
	AUTO(buf) struct buf body = BUF_INIT(BUF_UNLIMITED);
	answer_body(&body, to, answer);
	add_head(out, date, to, reason_http_status(answer->reason));
	if (answer->retry_after_s > 0)
		buf_addf(out, "Retry-After: %d\r\n", answer->retry_after_s);
	add_content(out, answer_content_type(to->encoding), body.len);
	if (!to->is_head)
		buf_add(out, body.data, body.len);
}

void answer_page_head(struct buf *out, const char *date, const struct answer_to *to,
	const struct serve_page *page)
{
	add_head(out, date, to, page->status);
	add_content(out, page->content_type ? page->content_type : answer_content_type(ANSWER_TEXT),
		page->body.len);
}

void answer_preflight(
	struct buf *out, const char *date, const struct answer_to *to, struct slice headers)
{
	add_head(out, date, to, 204);
	if (to->allow_origin) {
		buf_adds(out, "Access-Control-Allow-Methods: POST\r\n"
			      "Access-Control-Allow-Headers: ");
		buf_add(out, headers.ptr, headers.len);
		buf_adds(out, "\r\nAccess-Control-Max-Age: 7200\r\n");
	}
	buf_adds(out, "\r\n");
}
