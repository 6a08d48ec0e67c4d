/* Protobuf messages for tests, from a notation a reader can compare with the specification:
 *
 *     1: { 1: "name" 2: 5 3: 5x 4: 1.5f 5: -3z 6: [1 2 300] 7: [1x 2x] }
 *
 * field: value. A string or {message} or [packed numbers] is length-delimited; a number is a varint, with
 * `x` a fixed64, with `f` a double, with `z` a zigzag varint; `h` is a fixed32.
 */
#ifndef CCTM_BRIDGE_OTLP_PB_TESTING_H
#define CCTM_BRIDGE_OTLP_PB_TESTING_H

#include <assert.h>
#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

static inline void pb_varint(struct buf *b, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		buf_addc(b, (char)(0x80 | (value & 0x7F)));
	buf_addc(b, (char)value);
}

static inline void pb_space(const char **at)
{
	*at += strspn(*at, " \n\t");
}

/* Appends the number at *at without its tag and returns its wire type. */
static inline unsigned pb_number(struct buf *b, const char **at)
{
	size_t len = strspn(*at, "0123456789-+.e");
	char unit = (*at)[len];
	double real = 0;
	int64_t whole = 0;
	uint64_t bits;
	assert(len > 0);
	AUTO(str) char *text = mem_strndup(*at, len);
	struct error err = ERROR_INIT;
	bool ok = unit == 'f' ? str_double(slice_str(text), &real)
			      : str_parse_int(text, INT64_MIN, INT64_MAX, &whole, &err);
	assert(ok);
	(void)ok;
	bits = (uint64_t)whole;
	*at += len + (unit == 'x' || unit == 'f' || unit == 'z' || unit == 'h');
	if (unit == 'f')
		memcpy(&bits, &real, sizeof bits);
	if (unit == 'h') {
		buf_add(b, &bits, 4);
		return 5;
	}
	if (unit == 'x' || unit == 'f') {
		buf_add(b, &bits, 8);
		return 1;
	}
	pb_varint(b, unit == 'z' ? (uint64_t)(whole * 2) ^ (uint64_t)(whole >> 63) : bits);
	return 0;
}

static inline void pb_fields(struct buf *b, const char **at, char close);

/* The content of a length-delimited value. */
static inline void pb_content(struct buf *b, const char **at)
{
	char open = *(*at)++;
	if (open == '{') {
		pb_fields(b, at, '}');
	} else if (open == '"') {
		size_t len = strcspn(*at, "\"");
		buf_add(b, *at, len);
		*at += len;
	} else {
		for (pb_space(at); **at != ']'; pb_space(at))
			pb_number(b, at);
	}
	(*at)++;
}

static inline void pb_fields(struct buf *b, const char **at, char close)
{
	for (pb_space(at); **at != close; pb_space(at)) {
		AUTO(buf) struct buf content = BUF_INIT(BUF_UNLIMITED);
		size_t digits = strspn(*at, "0123456789");
		unsigned type = 2;
		AUTO(str) char *text = mem_strndup(*at, digits);
		struct error err = ERROR_INIT;
		int64_t number;
		bool ok = str_parse_int(text, 1, 1 << 28, &number, &err) && (*at)[digits] == ':';
		assert(ok);
		(void)ok;
		*at += digits + 1;
		pb_space(at);
		if (strchr("{[\"", **at))
			pb_content(&content, at);
		else
			type = pb_number(&content, at);
		pb_varint(b, (uint64_t)number << 3 | type);
		if (type == 2)
			pb_varint(b, content.len);
		buf_add(b, content.data, content.len);
	}
}

static inline void pb_message(struct buf *b, const char *notation)
{
	pb_fields(b, &notation, '\0');
}

#endif
