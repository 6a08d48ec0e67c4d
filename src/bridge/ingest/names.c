/* The metric name is a list of tokens joined by "_": those of the name as sent, the unit, what is divided
 * by, and "total" or "ratio". Nothing is collected: tokens are written as they are found, and the few that
 * must not appear twice are left out on the way.
 */
#include "bridge/ingest/names.h"

#include <stdint.h>
#include <string.h>

struct unit_name {
	const char *unit, *name;
};

/* Units of UCUM as the Collector knows them; its "tibibytes" is kept, names must agree. */
static const struct unit_name units[] = {
	{ "d", "days" },
	{ "h", "hours" },
	{ "min", "minutes" },
	{ "s", "seconds" },
	{ "ms", "milliseconds" },
	{ "us", "microseconds" },
	{ "ns", "nanoseconds" },
	{ "By", "bytes" },
	{ "KiBy", "kibibytes" },
	{ "MiBy", "mebibytes" },
	{ "GiBy", "gibibytes" },
	{ "TiBy", "tibibytes" },
	{ "KBy", "kilobytes" },
	{ "MBy", "megabytes" },
	{ "GBy", "gigabytes" },
	{ "TBy", "terabytes" },
	{ "m", "meters" },
	{ "V", "volts" },
	{ "A", "amperes" },
	{ "J", "joules" },
	{ "W", "watts" },
	{ "g", "grams" },
	{ "Cel", "celsius" },
	{ "Hz", "hertz" },
	{ "1", "" },
	{ "%", "percent" },
};

/* Behind the slash, where "m" is a minute. */
static const struct unit_name per_units[] = {
	{ "s", "second" },
	{ "m", "minute" },
	{ "h", "hour" },
	{ "d", "day" },
	{ "w", "week" },
	{ "mo", "month" },
	{ "y", "year" },
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool is_alnum(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* Metric names may hold colons; label names may not. */
static bool is_token_char(unsigned char c)
{
	return is_alnum(c) || c == ':';
}

static struct slice at_most(struct slice s, size_t max)
{
	return slice_of(s.ptr, s.len < max ? s.len : max);
}

static struct slice trim_space(struct slice s)
{
	while (s.len && memchr(" \t\n\v\f\r", s.ptr[0], 6))
		s = slice_of(s.ptr + 1, s.len - 1);
	while (s.len && memchr(" \t\n\v\f\r", s.ptr[s.len - 1], 6))
		s.len--;
	return s;
}

/* The next run of token characters; false at the end. */
static bool next_token(struct slice *left, struct slice *token)
{
	size_t from = 0;
	while (from < left->len && !is_token_char(left->ptr[from]))
		from++;
	size_t to = from;
	while (to < left->len && is_token_char(left->ptr[to]))
		to++;
	if (from == to)
		return false;
	*token = slice_of(left->ptr + from, to - from);
	*left = slice_of(left->ptr + to, left->len - to);
	return true;
}

static bool has_token(struct slice name, struct slice token)
{
	struct slice found;
	while (next_token(&name, &found)) {
		if (slice_eq(found, token))
			return true;
	}
	return false;
}

/* One side of the slash, cleaned: runs of other characters are one "_", none at the front. One may stay at
 * the end, as in the Collector. */
struct unit_text {
	unsigned char bytes[NAMES_UNIT_MAX];
	size_t len;
};

static void unit_clean(
	struct unit_text *out, struct slice unit, const struct unit_name *table, size_t count)
{
	unit = trim_space(unit);
	out->len = 0;
	if (unit.len && (memchr(unit.ptr, '{', unit.len) || memchr(unit.ptr, '}', unit.len)))
		return;
	for (size_t i = 0; i < count; i++) {
		if (slice_eq_str(unit, table[i].unit)) {
			unit = slice_str(table[i].name);
			break;
		}
	}
	for (size_t i = 0; i < unit.len; i++) {
		unsigned char c = is_token_char(unit.ptr[i]) ? unit.ptr[i] : '_';
		if (c != '_' || (out->len && out->bytes[out->len - 1] != '_'))
			out->bytes[out->len++] = c;
	}
}

static void drop_last_underscore(struct unit_text *text)
{
	if (text->len && text->bytes[text->len - 1] == '_')
		text->len--;
}

static void split_unit(struct slice unit, struct unit_text *main_unit, struct unit_text *per)
{
	const unsigned char *slash = unit.len ? memchr(unit.ptr, '/', unit.len) : NULL;
	size_t before = slash ? (size_t)(slash - unit.ptr) : unit.len;
	unit_clean(main_unit, slice_of(unit.ptr, before), units, COUNT(units));
	per->len = 0;
	if (!slash)
		return;
	unit_clean(per, slice_of(slash + 1, unit.len - before - 1), per_units, COUNT(per_units));
	drop_last_underscore(per);
	if (per->len)
		drop_last_underscore(main_unit);
}

/* A token behind those that stand from `start` on. */
static void add_token(struct buf *out, size_t start, struct slice token)
{
	if (out->len > start || is_digit(token.ptr[0]))
		buf_addc(out, '_');
	buf_add(out, token.ptr, token.len);
}

void names_family(struct slice metric, struct slice unit, enum otlp_metric_kind kind,
	bool is_monotonic, struct buf *out)
{
	const size_t start = out->len;
	const char *last = NULL;
	if (kind == OTLP_SUM && is_monotonic)
		last = "total";
	else if (kind == OTLP_GAUGE && slice_eq_str(unit, "1"))
		last = "ratio";
	metric = at_most(metric, NAMES_METRIC_MAX);

	struct unit_text main_unit, per;
	split_unit(at_most(unit, NAMES_UNIT_MAX), &main_unit, &per);
	struct slice unit_token = slice_of(main_unit.bytes, main_unit.len);

	struct slice left = metric, token;
	while (next_token(&left, &token)) {
		if (!last || !slice_eq_str(token, last))
			add_token(out, start, token);
	}
	if (unit_token.len && !has_token(metric, unit_token) &&
		!(last && slice_eq_str(unit_token, last)))
		add_token(out, start, unit_token);
	if (per.len) {
		add_token(out, start, SLICE_LIT("per"));
		add_token(out, start, slice_of(per.bytes, per.len));
	}
	if (last)
		add_token(out, start, slice_str(last));
	if (out->len == start)
		buf_adds(out, "unnamed");
}

/* The length of the well-formed UTF-8 character (RFC 3629) at the front, 0 if there is none. */
static size_t utf8_length(struct slice s)
{
	static const struct {
		unsigned char lead_first, lead_last, second_first, second_last;
		size_t length;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	if (s.len && s.ptr[0] < 0x80)
		return 1;
	for (size_t i = 0; s.len && i < COUNT(forms); i++) {
		if (s.ptr[0] < forms[i].lead_first || s.ptr[0] > forms[i].lead_last)
			continue;
		if (s.len < forms[i].length || s.ptr[1] < forms[i].second_first ||
			s.ptr[1] > forms[i].second_last)
			return 0;
		for (size_t k = 2; k < forms[i].length; k++) {
			if ((s.ptr[k] & 0xc0) != 0x80)
				return 0;
		}
		return forms[i].length;
	}
	return 0;
}

void names_label(struct slice key, struct buf *out)
{
	key = at_most(key, NAMES_KEY_MAX);
	if (key.len == 0) {
		buf_adds(out, "key_empty");
		return;
	}
	if (is_digit(key.ptr[0]))
		buf_adds(out, "key_");
	else if (!is_alnum(key.ptr[0]))
		buf_adds(out, "key"); /* the first character is or becomes "_" */
	while (key.len) {
		size_t length = utf8_length(key);
		if (length == 0)
			length = 1;
		buf_addc(out, (char)(is_alnum(key.ptr[0]) ? key.ptr[0] : '_'));
		key = slice_of(key.ptr + length, key.len - length);
	}
}

/* Copies `text`, with a backslash form for each of the characters in `special`. */
static void escape(struct slice text, const char *special, struct buf *out)
{
	size_t copied = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.ptr[i];
		if (c == '\0' || !strchr(special, c))
			continue;
		const char form[2] = { '\\', (char)(c == '\n' ? 'n' : c) };
		buf_add(out, text.ptr + copied, i - copied);
		buf_add(out, form, sizeof form);
		copied = i + 1;
	}
	if (text.len > copied)
		buf_add(out, text.ptr + copied, text.len - copied);
}

void names_escape_label(struct slice value, struct buf *out)
{
	escape(value, "\\\"\n", out);
}

void names_escape_help(struct slice help, struct buf *out)
{
	escape(help, "\\\n", out);
}

unsigned names_clean_utf8(struct slice value, size_t max, struct buf *out)
{
	static const unsigned char replacement[] = { 0xef, 0xbf, 0xbd };
	unsigned flags = 0;
	size_t at = 0,
	       copied = 0; /* value's bytes from `copied` to `at` are good and still to be added */
	while (at < value.len) {
		struct slice rest = slice_of(value.ptr + at, value.len - at);
		size_t length = rest.ptr[0] == '\0' ? 0 : utf8_length(rest);
		size_t size = length ? length : sizeof replacement;
		if (size > max - (at - copied)) {
			flags |= NAMES_CUT;
			break;
		}
		if (length == 0) {
			buf_add(out, value.ptr + copied, at - copied);
			buf_add(out, replacement, size);
			max -= at - copied + size;
			copied = at + 1;
			flags |= NAMES_REPLACED;
			length = 1;
		}
		at += length;
	}
	if (at > copied)
		buf_add(out, value.ptr + copied, at - copied);
	return flags;
}
