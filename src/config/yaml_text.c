#include "config/yaml_text.h"

#include <string.h>

#include "core/buf.h"

static const char plain_bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				  "_./@%+=:- ";

/* What readers of YAML 1.1 or 1.2 turn into something that is no text. */
static bool is_word_with_meaning(const char *text)
{
	static const char *const words[] = { "null", "true", "false", "yes", "no", "on", "off", "y",
		"n", ".inf", ".nan", "+.inf", "-.inf" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcasecmp(words[i], text) == 0)
			return true;
	}
	return false;
}

/* Numbers, dates and base-60 numbers: everything that begins as one and has no letter but e, x, o. */
static bool looks_like_number(const char *text)
{
	return strspn(text, "0123456789+-.:_eExXoObBabcdfABCDF TZtz") == strlen(text) &&
	       strpbrk(text, "0123456789");
}

/* An address or a time span such as 15s is a text to every reader and is written plain. */
static bool is_plain(const char *text)
{
	size_t len = strlen(text);
	if (!len || strspn(text, plain_bytes) != len || strchr(" -+=:%@.", text[0]) ||
		text[len - 1] == ' ' || text[len - 1] == ':' || strstr(text, ": "))
		return false;
	return !is_word_with_meaning(text) && !looks_like_number(text);
}

/* Digits, dots and units: 127.0.0.1, 90d, 64MiB are no numbers to any reader. */
static bool is_measure(const char *text)
{
	size_t digits = strspn(text, "0123456789"), dots = 0;
	for (const char *at = text; *at; at++)
		dots += *at == '.';
	if (dots == 3 && strspn(text, "0123456789.") == strlen(text) && digits)
		return true;
	return digits && strspn(text + digits, "dhmsw") > 0 &&
	       strspn(text, "0123456789dhmsw") == strlen(text);
}

static bool needs_escapes(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		bool is_break =
			(at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F) ||
			(at[0] == 0xE2 && at[1] == 0x80 && (at[2] == 0xA8 || at[2] == 0xA9)) ||
			(at[0] == 0xEF && at[1] == 0xBB && at[2] == 0xBF) ||
			(at[0] == 0xEF && at[1] == 0xBF && (at[2] == 0xBE || at[2] == 0xBF));
		if (*at < 0x20 || *at == 0x7F || is_break)
			return true;
	}
	return false;
}

static void add_single(struct buf *out, const char *text)
{
	buf_addc(out, '\'');
	for (; *text; text++)
		buf_adds(out, *text == '\'' ? "''" : (const char[]){ *text, '\0' });
	buf_addc(out, '\'');
}

/* Bytes of an escaped character at `at`; 0: it is written as it is. */
static size_t add_escape(struct buf *out, const unsigned char *at)
{
	if (at[0] == '"' || at[0] == '\\') {
		buf_addf(out, "\\%c", at[0]);
		return 1;
	}
	if (at[0] == '\n' || at[0] == '\t' || at[0] == '\r') {
		buf_adds(out, at[0] == '\n' ? "\\n" : at[0] == '\t' ? "\\t" : "\\r");
		return 1;
	}
	if (at[0] < 0x20 || at[0] == 0x7F) {
		buf_addf(out, "\\x%02X", at[0]);
		return 1;
	}
	if (at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F) {
		buf_addf(out, "\\x%02X", at[1]);
		return 2;
	}
	bool is_separator = at[0] == 0xE2 && at[1] == 0x80 && (at[2] == 0xA8 || at[2] == 0xA9);
	bool is_special =
		at[0] == 0xEF && ((at[1] == 0xBB && at[2] == 0xBF) ||
					 (at[1] == 0xBF && (at[2] == 0xBE || at[2] == 0xBF)));
	if (!is_separator && !is_special)
		return 0;
	unsigned point = (at[0] & 0x0FU) << 12 | (at[1] & 0x3FU) << 6 | (at[2] & 0x3FU);
	buf_addf(out, "\\u%04X", point);
	return 3;
}

static void add_double(struct buf *out, const char *text)
{
	buf_addc(out, '"');
	for (const unsigned char *at = (const unsigned char *)text; *at;) {
		size_t escaped = add_escape(out, at);
		if (!escaped)
			buf_addc(out, (char)*at);
		at += escaped ? escaped : 1;
	}
	buf_addc(out, '"');
}

void yaml_add_scalar(struct buf *out, const char *text, bool is_number, enum yaml_quotes quotes)
{
	bool can_be_plain = is_number || is_plain(text) || is_measure(text);
	if (is_number || (quotes == YAML_QUOTE_IF_NEEDED && can_be_plain))
		buf_adds(out, text);
	else if (quotes == YAML_QUOTE_SINGLE && !needs_escapes(text))
		add_single(out, text);
	else
		add_double(out, text);
}
