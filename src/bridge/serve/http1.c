/* The head is read in two passes: the first only looks for line ends, so that an unfinished head costs a
 * memchr and not a parse; the second runs once, over the whole head, and fills the result from a table of
 * the fields that matter.
 */
#include "bridge/serve/http1.h"

#include "bridge/otlp/reasons.h"

#define BAD	      (-(int64_t)REASON_MALFORMED_HTTP)
#define TOO_LARGE     (-(int64_t)REASON_HEADER_TOO_LARGE)
#define BIT(c)	      (UINT64_C(1) << ((c)&63))
#define LENGTH_DIGITS 19 /* always fit 64 bits */

static bool is_token_char(unsigned char c)
{
	/* RFC 9110, 5.6.2. Digits, then letters and the marks of each half of ASCII. */
	static const uint64_t low = BIT('!') | BIT('#') | BIT('$') | BIT('%') | BIT('&') |
				    BIT('\'') | BIT('*') | BIT('+') | BIT('-') | BIT('.') |
				    UINT64_C(0x3ff) << '0';
	static const uint64_t high = UINT64_C(0x3ffffff) << ('A' & 63) |
				     UINT64_C(0x3ffffff) << ('a' & 63) | BIT('^') | BIT('_') |
				     BIT('`') | BIT('|') | BIT('~');
	return c < 128 && ((c < 64 ? low : high) >> (c & 63) & 1);
}

static unsigned char lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

bool http1_token_is(struct slice s, const char *lowered)
{
	size_t i = 0;
	for (; i < s.len && lowered[i]; i++)
		if (lower(s.ptr[i]) != (unsigned char)lowered[i])
			return false;
	return i == s.len && !lowered[i];
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static struct slice trim(struct slice s)
{
	while (s.len && is_blank(s.ptr[0]))
		s = slice_of(s.ptr + 1, s.len - 1);
	while (s.len && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* Takes what is in front of `mark` off *rest; without a mark that is all of it. */
static struct slice cut(struct slice *rest, char mark)
{
	const unsigned char *at = rest->len ? memchr(rest->ptr, mark, rest->len) : NULL;
	struct slice front = *rest;
	if (!at) {
		*rest = slice_of(NULL, 0);
		return front;
	}
	front.len = (size_t)(at - rest->ptr);
	*rest = slice_of(at + 1, rest->len - front.len - 1);
	return front;
}

size_t http1_blank(struct slice in)
{
	size_t n = 0;
	while (n + 1 < in.len && in.ptr[n] == '\r' && in.ptr[n + 1] == '\n')
		n += 2;
	return n;
}

/* The length of the head, 0 while its empty line is missing. */
static int64_t head_end(struct slice in, size_t *scanned, size_t max)
{
	size_t line = *scanned;
	while (line < in.len) {
		const unsigned char *lf = memchr(in.ptr + line, '\n', in.len - line);
		if (!lf)
			break;
		size_t end = (size_t)(lf - in.ptr);
		if (end == line || in.ptr[end - 1] != '\r')
			return BAD;
		if (end >= max)
			return TOO_LARGE;
		if (end - line == 1)
			return (int64_t)end + 1;
		line = end + 1;
	}
	*scanned = line;
	return in.len >= max ? TOO_LARGE : 0;
}

enum http1_method http1_method_of(struct slice s)
{
	static const struct {
		const char *name;
		enum http1_method method;
	} methods[] = {
		{ "POST", HTTP1_POST },
		{ "GET", HTTP1_GET },
		{ "HEAD", HTTP1_HEAD },
		{ "OPTIONS", HTTP1_OPTIONS },
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (slice_eq_str(s, methods[i].name))
			return methods[i].method;
	return HTTP1_OTHER_METHOD;
}

static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_token_char(s.ptr[i]))
			return false;
	return s.len > 0;
}

/* origin-form, asterisk-form, or absolute-form, which a server must accept (RFC 9112, 3.2.2). Anything
 * else (authority-form of CONNECT) keeps its text and finds no route. */
static bool read_target(struct slice target, struct slice *path)
{
	for (size_t i = 0; i < target.len; i++)
		if (target.ptr[i] <= ' ' || target.ptr[i] >= 127)
			return false;
	if (!target.len)
		return false;
	struct slice scheme = target;
	scheme.len = target.len < 7 ? target.len : 7;
	size_t skip = http1_token_is(scheme, "http://") ? 7 : 0;
	if (!skip && target.len >= 8) {
		scheme.len = 8;
		skip = http1_token_is(scheme, "https://") ? 8 : 0;
	}
	if (skip) {
		target = slice_of(target.ptr + skip, target.len - skip);
		while (target.len && target.ptr[0] != '/' && target.ptr[0] != '?')
			target = slice_of(target.ptr + 1, target.len - 1);
	}
	*path = cut(&target, '?');
	if (skip && !path->len)
		*path = SLICE_LIT("/");
	return true;
}

/* request-line = method SP request-target SP HTTP-version */
static int64_t read_request_line(struct slice line, struct http1_head *out)
{
	struct slice method = cut(&line, ' ');
	struct slice target = cut(&line, ' ');
	if (slice_eq_str(method, "PRI") && slice_eq_str(line, "HTTP/2.0"))
		return -(int64_t)REASON_HTTP2;
	if (!is_token(method) || !read_target(target, &out->path))
		return BAD;
	if (line.len != 8 || memcmp(line.ptr, "HTTP/1.", 7) != 0)
		return BAD;
	unsigned char minor = line.ptr[7];
	if (minor < '0' || minor > '9')
		return BAD;
	out->method = http1_method_of(method);
	out->minor = minor > '0';
	out->keep_alive = minor > '0';
	return 1;
}

static bool take_host(struct http1_head *h, struct slice value)
{
	(void)value;
	bool first = !h->has_host;
	h->has_host = true;
	return first;
}

static bool take_content_length(struct http1_head *h, struct slice value)
{
	if (h->framing != HTTP1_UNFRAMED || !value.len)
		return false;
	uint64_t length = 0;
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = value.ptr[i];
		if (c < '0' || c > '9')
			return false;
		if (i < LENGTH_DIGITS)
			length = length * 10 + (uint64_t)(c - '0');
	}
	h->framing = HTTP1_LENGTH;
	h->length = value.len > LENGTH_DIGITS ? UINT64_MAX : length;
	return true;
}

static bool take_transfer_encoding(struct http1_head *h, struct slice value)
{
	if (h->framing != HTTP1_UNFRAMED || h->minor == 0 || !http1_token_is(value, "chunked"))
		return false;
	h->framing = HTTP1_CHUNKED;
	return true;
}

enum http1_coding http1_coding_of(struct slice value, enum http1_coding before)
{
	enum http1_coding coding = HTTP1_OTHER_CODING;
	if (!value.len || http1_token_is(value, "identity"))
		coding = HTTP1_IDENTITY;
	else if (http1_token_is(value, "gzip") || http1_token_is(value, "x-gzip"))
		coding = HTTP1_GZIP;
	else if (http1_token_is(value, "deflate"))
		coding = HTTP1_DEFLATE;
	return before == HTTP1_IDENTITY ? coding : HTTP1_OTHER_CODING;
}

static bool take_content_encoding(struct http1_head *h, struct slice value)
{
	h->coding = http1_coding_of(value, h->coding);
	return true;
}

struct slice http1_media_type(struct slice content_type)
{
	return trim(cut(&content_type, ';'));
}

static bool take_content_type(struct http1_head *h, struct slice value)
{
	bool first = !h->content_type.len;
	h->content_type = http1_media_type(value);
	return first;
}

static bool take_connection(struct http1_head *h, struct slice value)
{
	while (value.len) {
		struct slice token = trim(cut(&value, ','));
		if (http1_token_is(token, "close"))
			h->keep_alive = false;
		else if (http1_token_is(token, "keep-alive") && h->minor == 0)
			h->keep_alive = true;
	}
	return true;
}

/* An expectation we do not know is passed over (RFC 9110, 10.1.1 leaves 417 to the server). */
static bool take_expect(struct http1_head *h, struct slice value)
{
	h->expects_continue = h->minor > 0 && http1_token_is(value, "100-continue");
	return true;
}

static bool take_accept(struct http1_head *h, struct slice value)
{
	h->accept = value;
	return true;
}

static bool take_origin(struct http1_head *h, struct slice value)
{
	h->origin = value;
	return true;
}

static bool take_cors_method(struct http1_head *h, struct slice value)
{
	h->cors_method = value;
	return true;
}

static bool take_cors_headers(struct http1_head *h, struct slice value)
{
	h->cors_headers = value;
	return true;
}

static const struct field {
	const char *name; /* lower case */
	bool (*take)(struct http1_head *h, struct slice value);
} fields[] = {
	{ "host", take_host },
	{ "accept", take_accept },
	{ "expect", take_expect },
	{ "origin", take_origin },
	{ "connection", take_connection },
	{ "content-type", take_content_type },
	{ "content-length", take_content_length },
	{ "content-encoding", take_content_encoding },
	{ "transfer-encoding", take_transfer_encoding },
	{ "access-control-request-method", take_cors_method },
	{ "access-control-request-headers", take_cors_headers },
};

/* field-line = field-name ":" OWS field-value OWS; a line that begins with a blank is obs-fold and has no
 * token in front of its colon. */
static bool read_field(struct slice line, struct http1_head *out)
{
	size_t colon = 0;
	while (colon < line.len && is_token_char(line.ptr[colon]))
		colon++;
	if (colon == 0 || colon == line.len || line.ptr[colon] != ':')
		return false;
	bool has_control = false;
	for (size_t i = colon; i < line.len; i++)
		has_control |= (line.ptr[i] < ' ' && line.ptr[i] != '\t') || line.ptr[i] == 127;
	if (has_control)
		return false;
	struct slice name = slice_of(line.ptr, colon);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (http1_token_is(name, fields[i].name))
			return fields[i].take(
				out, trim(slice_of(line.ptr + colon + 1, line.len - colon - 1)));
	return true;
}

/* The next line without its CRLF; head_end has seen to it that there is one. */
static struct slice next_line(struct slice *rest)
{
	struct slice line = cut(rest, '\n');
	if (line.len)
		line.len--;
	return line;
}

int64_t http1_head(
	struct slice in, size_t *scanned, const struct http1_limits *limits, struct http1_head *out)
{
	/* A TLS hello or other noise need not wait for its line end. */
	if (in.len && !is_token_char(in.ptr[0]) && !(in.len == 1 && in.ptr[0] == '\r'))
		return BAD;
	int64_t end = head_end(in, scanned, limits->head_max);
	if (end <= 0)
		return end;
	*out = (struct http1_head){ .framing = HTTP1_UNFRAMED };
	struct slice rest = slice_of(in.ptr, (size_t)end);
	int64_t verdict = read_request_line(next_line(&rest), out);
	if (verdict < 0)
		return verdict;
	for (unsigned count = 0;; count++) {
		struct slice line = next_line(&rest);
		if (!line.len)
			break;
		if (count == limits->fields_max)
			return TOO_LARGE;
		if (!read_field(line, out))
			return BAD;
	}
	if (!out->has_host && out->minor > 0) /* RFC 9112, 3.2 */
		return BAD;
	return end;
}
