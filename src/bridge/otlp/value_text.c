/* Values as label text. Arrays and maps become compact JSON as Go's encoder writes it, because the
 * Collector's AsString does: no spaces, '<', '>' and '&' escaped, bytes in base64. Members of a map stay in
 * the order sent. */
#include <math.h>
#include <stdio.h>

#include "bridge/otlp/decoder_internal.h"
#include "bridge/otlp/json.h"
#include "core/buf.h"
#include "core/str.h"

/* Text on its way into a bounded buffer. */
struct text {
	struct buf *out;
	struct arena *arena; /* for strings of JSON bodies */
	bool is_cut;
};

/* As much of `bytes` as fits, ending before the first character that does not. */
static void put(struct text *t, const void *bytes, size_t len)
{
	if (t->is_cut)
		return;
	const unsigned char *from = bytes;
	size_t room = t->out->max - t->out->len;
	if (len > room) {
		t->is_cut = true;
		len = room;
		while (len > 0 && (from[len] & 0xC0) == 0x80)
			len--;
	}
	if (!buf_append(t->out, bytes, len))
		t->is_cut = true;
}

static void puts_text(struct text *t, const char *s)
{
	put(t, s, strlen(s));
}

static void put_int(struct text *t, int64_t value)
{
	char digits[32];
	int len = snprintf(digits, sizeof digits, "%lld", (long long)value);
	put(t, digits, (size_t)len);
}

/* The shortest of 15, 16 and 17 significant digits that reads back as the same double. */
static void put_double(struct text *t, double value)
{
	char digits[32];
	int len = 0;
	if (isnan(value)) {
		puts_text(t, "NaN");
		return;
	}
	if (isinf(value)) {
		puts_text(t, value > 0 ? "+Inf" : "-Inf");
		return;
	}
	for (int precision = 15; precision <= 17; precision++) {
		double back;
		len = snprintf(digits, sizeof digits, "%.*g", precision, value);
		if (str_double(slice_of(digits, (size_t)len), &back) && back >= value &&
			back <= value)
			break;
	}
	put(t, digits, (size_t)len);
}

static void put_base64(struct text *t, struct slice bytes)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < bytes.len && !t->is_cut; i += 3) {
		size_t left = bytes.len - i;
		unsigned group = (unsigned)bytes.ptr[i] << 16;
		if (left > 1)
			group |= (unsigned)bytes.ptr[i + 1] << 8;
		if (left > 2)
			group |= bytes.ptr[i + 2];
		char four[4] = { digits[group >> 18], digits[group >> 12 & 63], '=', '=' };
		if (left > 1)
			four[2] = digits[group >> 6 & 63];
		if (left > 2)
			four[3] = digits[group & 63];
		put(t, four, sizeof four);
	}
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

static void put_escape(struct text *t, unsigned char c)
{
	char escape[8];
	static const char plain[] = "\"\\\n\r\t", named[] = "\"\\nrt";
	const char *at = c ? strchr(plain, c) : NULL;
	if (at)
		snprintf(escape, sizeof escape, "\\%c", named[at - plain]);
	else
		snprintf(escape, sizeof escape, "\\u%04x", c);
	puts_text(t, escape);
}

static void put_quoted(struct text *t, struct slice s)
{
	puts_text(t, "\"");
	for (size_t i = 0; i < s.len && !t->is_cut;) {
		size_t start = i;
		while (i < s.len && is_plain(s.ptr[i]))
			i++;
		put(t, s.ptr + start, i - start);
		if (i < s.len)
			put_escape(t, s.ptr[i++]);
	}
	puts_text(t, "\"");
}

static void put_nested(struct text *t, enum otlp_encoding encoding, const struct otlp_value *value,
	unsigned depth);

/* A value inside an array or map, where strings have quotes and what JSON cannot say has too. */
static void put_member(
	struct text *t, enum otlp_encoding encoding, const struct otlp_value *value, unsigned depth)
{
	bool is_quoted = value->kind == OTLP_BYTES ||
			 (value->kind == OTLP_DOUBLE && !isfinite(value->number));
	if (value->kind == OTLP_EMPTY) {
		puts_text(t, "null");
	} else if (value->kind == OTLP_STRING) {
		put_quoted(t, value->bytes);
	} else {
		puts_text(t, is_quoted ? "\"" : "");
		put_nested(t, encoding, value, depth);
		puts_text(t, is_quoted ? "\"" : "");
	}
}

static void put_pair(struct text *t, enum otlp_encoding encoding, const struct otlp_attr *attr,
	bool has_key, unsigned depth)
{
	if (has_key) {
		put_quoted(t, attr->key);
		puts_text(t, ":");
	}
	put_member(t, encoding, &attr->value, depth);
}

static void put_items_pb(struct text *t, struct slice message, bool are_pairs, unsigned depth)
{
	struct wire w = wire_of(message);
	struct wire_field f;
	const char *separator = "";
	while (!t->is_cut && wire_next(&w, &f) == WIRE_FIELD) {
		struct otlp_attr attr = { .value = { .kind = OTLP_EMPTY } };
		if (wire_key(&f) != WIRE_KEY(1, WIRE_BYTES))
			continue;
		enum reason r = are_pairs ? attr_pb_read(f.bytes, depth, &attr)
					  : value_pb_read(f.bytes, depth, &attr.value);
		if (r != REASON_OK)
			return;
		puts_text(t, separator);
		put_pair(t, OTLP_PROTOBUF, &attr, are_pairs, depth);
		separator = ",";
	}
}

static void put_values_json(struct text *t, struct json *j, bool are_pairs, unsigned depth)
{
	struct json_array a;
	const char *separator = "";
	bool ok = json_enter_array(j, &a);
	while (ok && json_element(j, &a) > 0) {
		struct otlp_attr attr = { .value = { .kind = OTLP_EMPTY } };
		ok = are_pairs ? attr_json_read(j, depth, &attr)
			       : value_json_read(j, depth, &attr.value);
		if (!ok)
			return;
		puts_text(t, separator);
		put_pair(t, OTLP_JSON, &attr, are_pairs, depth);
		separator = ",";
	}
}

/* {"values":[…]} */
static void put_items_json(struct text *t, struct slice text, bool are_pairs, unsigned depth)
{
	struct json j = json_of(text, t->arena);
	struct json_object o;
	bool ok = json_enter_object(&j, &o);
	const unsigned char *values = NULL;
	while (ok && json_member(&j, &o) > 0) {
		if (json_key(&o, "values"))
			values = j.p;
		ok = json_skip(&j);
	}
	if (values) {
		j.p = values;
		put_values_json(t, &j, are_pairs, depth);
	}
}

static void put_items(
	struct text *t, enum otlp_encoding encoding, const struct otlp_value *value, unsigned depth)
{
	bool are_pairs = value->kind == OTLP_KVLIST;
	if (depth >= VALUE_DEPTH_MAX)
		return;
	puts_text(t, are_pairs ? "{" : "[");
	if (encoding == OTLP_JSON)
		put_items_json(t, value->bytes, are_pairs, depth + 1);
	else
		put_items_pb(t, value->bytes, are_pairs, depth + 1);
	puts_text(t, are_pairs ? "}" : "]");
}

static void put_nested(
	struct text *t, enum otlp_encoding encoding, const struct otlp_value *value, unsigned depth)
{
	switch (value->kind) {
	case OTLP_EMPTY:
		break;
	case OTLP_STRING:
		put(t, value->bytes.ptr, value->bytes.len);
		break;
	case OTLP_BOOL:
		puts_text(t, value->integer ? "true" : "false");
		break;
	case OTLP_INT:
		put_int(t, value->integer);
		break;
	case OTLP_DOUBLE:
		put_double(t, value->number);
		break;
	case OTLP_BYTES:
		put_base64(t, value->bytes);
		break;
	case OTLP_ARRAY:
	case OTLP_KVLIST:
		put_items(t, encoding, value, depth);
		break;
	}
}

bool otlp_value_text(struct otlp_decoder *d, enum otlp_encoding encoding,
	const struct otlp_value *value, struct buf *out)
{
	struct text t = { .out = out, .arena = &d->iter_strings };
	put_nested(&t, encoding, value, 0);
	return !t.is_cut;
}

bool otlp_value_number(const struct otlp_value *value, double *out)
{
	switch (value->kind) {
	case OTLP_INT:
		*out = (double)value->integer;
		return true;
	case OTLP_DOUBLE:
		*out = value->number;
		return true;
	case OTLP_STRING:
		return str_double(value->bytes, out);
	case OTLP_EMPTY:
	case OTLP_BOOL:
	case OTLP_BYTES:
	case OTLP_ARRAY:
	case OTLP_KVLIST:
		break;
	}
	return false;
}
