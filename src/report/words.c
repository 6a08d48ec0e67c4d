#include "report/words.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/text.h"
#include "core/zone.h"

#define ID_SHOWN 12

/* Digits with a comma before every third from the end. */
static void add_grouped(struct buf *out, const char *digits)
{
	size_t whole = strcspn(digits, ".");
	for (size_t i = 0; digits[i]; i++) {
		if (i && i < whole && (whole - i) % 3 == 0)
			buf_addc(out, ',');
		buf_addc(out, digits[i]);
	}
}

void words_money(struct buf *out, double usd)
{
	char digits[400]; /* DBL_MAX has 309 */
	double size = fabs(usd);
	int decimals = 2;
	if (size > 0 && size < 0.01)
		decimals = (int)fmin(10, 1 - floor(log10(size)));
	snprintf(digits, sizeof digits, "%.*f", decimals, size);
	buf_adds(out, usd < 0 ? "-$" : "$");
	add_grouped(out, digits);
}

void words_count(struct buf *out, double count)
{
	char digits[400];
	double whole = round(count);
	bool is_whole = fabs(count - whole) < 1e-6;
	snprintf(digits, sizeof digits, is_whole ? "%.0f" : "%.1f", fabs(is_whole ? whole : count));
	if (count < 0)
		buf_addc(out, '-');
	add_grouped(out, digits);
}

void words_seconds(struct buf *out, double seconds)
{
	if (!(seconds < 1e12))
		seconds = 1e12;
	long long minutes = (long long)(seconds / 60);
	if (seconds > 0 && seconds < 9.95)
		buf_addf(out, "%.1f s", seconds);
	else if (seconds < 60)
		buf_addf(out, "%.0f s", floor(seconds));
	else if (minutes < 60)
		buf_addf(out, "%lld min", minutes);
	else
		buf_addf(out, "%lld h %lld min", minutes / 60, minutes % 60);
}

void words_age(struct buf *out, int64_t age_ms)
{
	static const struct {
		int64_t ms;
		const char *one, *many;
	} units[] = {
		{ 86400000, "a day", "days" },
		{ 3600000, "an hour", "hours" },
		{ 60000, "a minute", "minutes" },
	};

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		int64_t count = age_ms / units[i].ms;
		if (count == 1)
			buf_addf(out, "%s ago", units[i].one);
		if (count > 1)
			buf_addf(out, "%lld %s ago", (long long)count, units[i].many);
		if (count > 0)
			return;
	}
	buf_adds(out, "less than a minute ago");
}

void words_moment(struct buf *out, int64_t ms)
{
	struct tm civil = zone_civil(ms);
	bool is_midnight = civil.tm_hour == 0 && civil.tm_min == 0;
	char text[ZONE_TEXT_MAX];
	strftime(text, sizeof text, "%Y-%m-%d %H:%M", &civil);
	if (is_midnight)
		text[strcspn(text, " ")] = '\0';
	buf_adds(out, text);
}

void words_bar(struct buf *out, double share, unsigned cells, bool is_utf8)
{
	static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	if (!(share > 0))
		return;
	double length = fmin(share, 1) * cells;
	unsigned parts = (unsigned)ceil(length * 8);
	if (!is_utf8) {
		for (unsigned i = 0; i < (parts + 7) / 8; i++)
			buf_addc(out, '#');
		return;
	}
	for (unsigned i = 0; i < parts / 8; i++)
		buf_adds(out, "█");
	buf_adds(out, eighths[parts % 8]);
}

static bool is_long_id(const char *key)
{
	size_t len = strlen(key), hex = 0;
	while (isxdigit((unsigned char)key[hex]))
		hex++;
	return len >= 32 && hex == len;
}

/* Bytes of the first `columns` columns. */
static size_t fitting(const char *text, unsigned columns)
{
	size_t len = 0;
	char start[5];
	unsigned used = 0;
	while (text[len]) {
		size_t next = 1;
		while (((unsigned char)text[len + next] & 0xc0) == 0x80 && next < 4)
			next++;
		memcpy(start, text + len, next);
		start[next] = '\0';
		unsigned width = (unsigned)text_width(start);
		if (used + width > columns)
			break;
		used += width;
		len += next;
	}
	return len;
}

void words_key(struct buf *out, const char *key, unsigned columns, bool is_utf8)
{
	AUTO(buf) struct buf shown = BUF_INIT(BUF_UNLIMITED);
	if (!*key) {
		buf_adds(out, is_utf8 ? "—" : "-");
		return;
	}
	text_visible(&shown, key);
	if (is_long_id(key))
		columns = columns < ID_SHOWN ? columns : ID_SHOWN;
	else if (text_width(buf_str(&shown)) <= columns)
		columns = UINT32_MAX;
	size_t len = fitting(buf_str(&shown), columns);
	bool is_cut = len < shown.len && !is_long_id(key);
	buf_add(out, shown.data, is_cut ? fitting(buf_str(&shown), columns - 1) : len);
	if (is_cut)
		buf_adds(out, is_utf8 ? "…" : "~");
}
