#include "core/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/str.h"

struct range {
	uint32_t first, last;
};

/* Combining marks, zero-width spaces and variation selectors that turn up in names; Unicode 15. */
static const struct range zero_width[] = {
	{ 0x0300, 0x036F },
	{ 0x0483, 0x0489 },
	{ 0x0591, 0x05BD },
	{ 0x064B, 0x065F },
	{ 0x0900, 0x0902 },
	{ 0x093C, 0x093C },
	{ 0x0941, 0x0948 },
	{ 0x094D, 0x094D },
	{ 0x0E31, 0x0E31 },
	{ 0x0E34, 0x0E3A },
	{ 0x0E47, 0x0E4E },
	{ 0x1AB0, 0x1AFF },
	{ 0x1DC0, 0x1DFF },
	{ 0x200B, 0x200F },
	{ 0x202A, 0x202E },
	{ 0x2060, 0x2064 },
	{ 0x20D0, 0x20F0 },
	{ 0x302A, 0x302D },
	{ 0x3099, 0x309A },
	{ 0xFE00, 0xFE0F },
	{ 0xFE20, 0xFE2F },
	{ 0xFEFF, 0xFEFF },
	{ 0xE0100, 0xE01EF },
};

/* East Asian Wide and Fullwidth (UAX 11), and emoji shown wide by default; Unicode 15. */
static const struct range double_width[] = {
	{ 0x1100, 0x115F },
	{ 0x231A, 0x231B },
	{ 0x23E9, 0x23EC },
	{ 0x2614, 0x2615 },
	{ 0x26A1, 0x26A1 },
	{ 0x2705, 0x2705 },
	{ 0x274C, 0x274C },
	{ 0x2753, 0x2755 },
	{ 0x2795, 0x2797 },
	{ 0x2B50, 0x2B50 },
	{ 0x2E80, 0x303E },
	{ 0x3041, 0x33FF },
	{ 0x3400, 0x4DBF },
	{ 0x4E00, 0x9FFF },
	{ 0xA000, 0xA4CF },
	{ 0xA960, 0xA97F },
	{ 0xAC00, 0xD7A3 },
	{ 0xF900, 0xFAFF },
	{ 0xFE30, 0xFE6F },
	{ 0xFF01, 0xFF60 },
	{ 0xFFE0, 0xFFE6 },
	{ 0x1F300, 0x1F64F },
	{ 0x1F680, 0x1F6FF },
	{ 0x1F7E0, 0x1F7EB },
	{ 0x1F900, 0x1F9FF },
	{ 0x1FA70, 0x1FAFF },
	{ 0x20000, 0x3FFFD },
};

static bool is_in(uint32_t point, const struct range *ranges, size_t count)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (point > ranges[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && point >= ranges[low].first;
}

static size_t point_width(uint32_t point)
{
	if (is_in(point, zero_width, sizeof zero_width / sizeof *zero_width))
		return 0;
	return is_in(point, double_width, sizeof double_width / sizeof *double_width) ? 2 : 1;
}

/* The code point at s, or -1 for a byte that is not UTF-8; *len bytes long. */
static int32_t take_point(const char *s, size_t left, size_t *len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
	*len = 1;
	if (n > left || !str_is_utf8(slice_of(s, n)))
		return -1;
	*len = n;
	if (n == 1)
		return p[0];
	uint32_t point = p[0] & (0xFFU >> (n + 1));
	for (size_t i = 1; i < n; i++)
		point = point << 6 | (p[i] & 0x3FU);
	return (int32_t)point;
}

static size_t bytes_width(const char *s, size_t bytes)
{
	size_t columns = 0, len;
	for (size_t at = 0; at < bytes; at += len) {
		int32_t point = take_point(s + at, bytes - at, &len);
		columns += point < 0 ? 1 : point_width((uint32_t)point);
	}
	return columns;
}

size_t text_width(const char *s)
{
	return bytes_width(s, strlen(s));
}

static void add_spaces(struct buf *out, size_t count)
{
	buf_addf(out, "%*s", (int)count, "");
}

static void wrap_bytes(struct buf *out, const char *s, size_t bytes, size_t indent, size_t width)
{
	size_t column = indent;
	for (const char *end = s + bytes; s < end;) {
		size_t blank = strspn(s, " \n"), word = strcspn(s + blank, " \n");
		s += blank;
		if (s >= end)
			return;
		if (s + word > end)
			word = (size_t)(end - s);
		size_t columns = bytes_width(s, word);
		if (column > indent && column + 1 + columns > width) {
			buf_addc(out, '\n');
			add_spaces(out, indent);
			column = indent;
		} else if (column > indent) {
			buf_addc(out, ' ');
			column++;
		}
		buf_add(out, s, word);
		column += columns;
		s += word;
	}
}

void text_wrap(struct buf *out, const char *s, size_t indent, size_t width)
{
	wrap_bytes(out, s, strlen(s), indent, width);
}

/* Bytes up to the empty line, the line that is to stay as it is, or the end. */
static size_t paragraph_bytes(const char *s)
{
	const char *at = s;
	while (*at && !(at[0] == '\n' && (at[1] == '\n' || at[1] == ' ' || at[1] == '\0')))
		at++;
	return (size_t)(at - s);
}

void text_paragraphs(struct buf *out, const char *s, size_t indent, size_t width)
{
	while (*s) {
		if (*s == '\n') {
			buf_addc(out, *s++);
			continue;
		}
		size_t bytes = *s == ' ' ? strcspn(s, "\n") : paragraph_bytes(s);
		add_spaces(out, indent);
		if (*s == ' ')
			buf_add(out, s, bytes);
		else
			wrap_bytes(out, s, bytes, indent, width);
		buf_addc(out, '\n');
		s += bytes;
		if (*s == '\n')
			s++;
	}
}

void text_visible(struct buf *out, const char *s)
{
	size_t left = strlen(s), len;
	for (; left; s += len, left -= len) {
		int32_t point = take_point(s, left, &len);
		bool is_control = point < 0x20 || (point >= 0x7F && point < 0xA0);
		for (size_t i = 0; is_control && i < len; i++)
			buf_addf(out, "\\x%02x", (unsigned char)s[i]);
		if (!is_control)
			buf_add(out, s, len);
	}
}

void text_utf8(struct buf *out, const char *s)
{
	size_t left = strlen(s), len;
	for (; left; s += len, left -= len) {
		if (take_point(s, left, &len) < 0)
			buf_adds(out, "\xEF\xBF\xBD");
		else
			buf_add(out, s, len);
	}
}

static char *shown_line(const char *line, size_t len, size_t max)
{
	AUTO(buf) struct buf shown = BUF_INIT(BUF_UNLIMITED);
	AUTO(str) char *cut = mem_strndup(line, len < max ? len : max);
	text_visible(&shown, cut);
	return mem_strdup(buf_str(&shown));
}

char *text_first_line(const char *s, size_t max)
{
	return shown_line(s, strcspn(s, "\r\n"), max);
}

char *text_last_line(const char *s, size_t max, const char *passed_over)
{
	const char *end = s + strlen(s);
	for (;;) {
		while (end > s && strchr("\r\n \t", end[-1]))
			end--;
		const char *line = end;
		while (line > s && line[-1] != '\n')
			line--;
		bool is_passed = passed_over && str_has_prefix(line, passed_over);
		if (!is_passed || line == s)
			return shown_line(line, (size_t)(end - line), max);
		end = line;
	}
}

/* ---- mdoc ---- */

#define MDOC_WIDTH 78

static void add_sentence(struct buf *out, const char *sentence)
{
	AUTO(buf) struct buf wrapped = BUF_INIT(BUF_UNLIMITED);
	text_wrap(&wrapped, sentence, 0, MDOC_WIDTH);
	for (const char *at = buf_str(&wrapped); *at;) {
		size_t len = strcspn(at, "\n");
		if (*at == '.' || *at == '\'')
			buf_adds(out, "\\&");
		buf_addf(out, "%.*s\n", (int)len, at);
		at += len + (at[len] == '\n');
	}
}

void text_mdoc(struct buf *out, const char *text)
{
	while (*text) {
		const char *end = strstr(text, ". ");
		size_t len = end ? (size_t)(end + 1 - text) : strlen(text);
		AUTO(str) char *sentence = mem_strndup(text, len);
		add_sentence(out, sentence);
		text += len;
		text += strspn(text, " ");
	}
}
