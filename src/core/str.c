#include "core/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit duration_units[] = {
	{ "w", 7 * INT64_C(86400000) },
	{ "d", INT64_C(86400000) },
	{ "h", INT64_C(3600000) },
	{ "m", INT64_C(60000) },
	{ "s", INT64_C(1000) },
	{ "ms", INT64_C(1) },
};

static const struct unit size_units[] = {
	{ "TiB", INT64_C(1) << 40 },
	{ "GiB", INT64_C(1) << 30 },
	{ "MiB", INT64_C(1) << 20 },
	{ "KiB", INT64_C(1) << 10 },
	{ "B", 1 },
	{ "kB", INT64_C(1000) },
	{ "KB", INT64_C(1000) },
	{ "MB", INT64_C(1000000) },
	{ "GB", INT64_C(1000000000) },
	{ "TB", INT64_C(1000000000000) },
};

bool str_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_has_suffix(const char *s, const char *suffix)
{
	size_t len = strlen(s), tail = strlen(suffix);
	return len >= tail && strcmp(s + len - tail, suffix) == 0;
}

bool str_parse_int(const char *s, int64_t min, int64_t max, int64_t *out, struct error *err)
{
	char *end;
	errno = 0;
	long long value = strtoll(s, &end, 10);
	if (end == s || *end != '\0' || isspace((unsigned char)*s))
		return error_set(err, ERR_USAGE, "\"%s\" is not a whole number", s);
	if (errno == ERANGE)
		return error_set(err, ERR_USAGE, "%s is too %s", s, value < 0 ? "small" : "large");
	if (value < min || value > max)
		return error_set(err, ERR_USAGE, "%s is %s than %lld", s,
			value < min ? "less" : "more", (long long)(value < min ? min : max));
	*out = value;
	return true;
}

/* Reads digits; false when there are none or they overflow. */
static bool take_digits(const char **s, int64_t *out)
{
	if (!isdigit((unsigned char)**s))
		return false;
	int64_t value = 0;
	for (; isdigit((unsigned char)**s); (*s)++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, **s - '0', &value))
			return false;
	}
	*out = value;
	return true;
}

static const struct unit *take_unit(const char **s, const struct unit *units, size_t count)
{
	size_t len = 0;
	while (isalpha((unsigned char)(*s)[len]))
		len++;
	for (size_t i = 0; i < count; i++) {
		if (strlen(units[i].name) == len && strncmp(units[i].name, *s, len) == 0) {
			*s += len;
			return &units[i];
		}
	}
	return NULL;
}

bool str_parse_duration(const char *s, int64_t *out_ms, struct error *err)
{
	const char *at = s;
	int64_t total = 0;
	if (strcmp(s, "0") == 0) {
		*out_ms = 0;
		return true;
	}
	do {
		int64_t value;
		const struct unit *unit;
		if (!take_digits(&at, &value) ||
			!(unit = take_unit(&at, duration_units,
				  sizeof duration_units / sizeof *duration_units)) ||
			__builtin_mul_overflow(value, unit->factor, &value) ||
			__builtin_add_overflow(total, value, &total)) {
			error_set(err, ERR_USAGE, "\"%s\" is not a duration", s);
			return error_hint(err, "write for example 15s, 2m, 1h30m or 400d");
		}
	} while (*at);
	*out_ms = total;
	return true;
}

bool str_parse_size(const char *s, int64_t *out_bytes, struct error *err)
{
	const char *at = s;
	int64_t value;
	const struct unit *unit = NULL;
	bool ok = take_digits(&at, &value);
	if (ok && *at) {
		unit = take_unit(&at, size_units, sizeof size_units / sizeof *size_units);
		ok = unit && *at == '\0' && !__builtin_mul_overflow(value, unit->factor, &value);
	}
	if (!ok) {
		error_set(err, ERR_USAGE, "\"%s\" is not a size", s);
		return error_hint(err, "write for example 64MiB, 1GiB or 4096");
	}
	*out_bytes = value;
	return true;
}

char *str_duration(int64_t ms)
{
	if (ms == 0)
		return mem_strdup("0");
	char text[96];
	size_t len = 0;
	for (size_t i = 0; i < sizeof duration_units / sizeof *duration_units; i++) {
		int64_t n = ms / duration_units[i].factor;
		bool is_week = i == 0;
		if (n == 0 || (is_week && ms % duration_units[i].factor))
			continue;
		len += (size_t)snprintf(text + len, sizeof text - len, "%lld%s", (long long)n,
			duration_units[i].name);
		ms -= n * duration_units[i].factor;
	}
	return mem_strdup(text);
}

char *str_size(int64_t bytes)
{
	for (size_t i = 0; i < 4; i++) {
		if (bytes && bytes % size_units[i].factor == 0)
			return mem_printf("%lld%s", (long long)(bytes / size_units[i].factor),
				size_units[i].name);
	}
	return mem_printf("%lld", (long long)bytes);
}

/* Longer than any double needs (1.1e-308 written out in full is 330 digits); a longer text is refused. */
#define DOUBLE_TEXT_MAX 512

bool str_double(struct slice s, double *out)
{
	char text[DOUBLE_TEXT_MAX];
	if (s.len == 0 || s.len >= sizeof text)
		return false;
	/* Decimal only: strtod would also take spaces, "nan", "infinity" and hexadecimal. */
	for (size_t i = 0; i < s.len; i++) {
		if (!s.ptr[i] || !strchr("0123456789+-.eE", s.ptr[i]))
			return false;
	}
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	char *end;
	double value = strtod(text, &end);
	if (end != text + s.len)
		return false;
	*out = value;
	return true;
}

#define DISTANCE_MAX 64

unsigned str_distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	if (la > DISTANCE_MAX || lb > DISTANCE_MAX)
		return DISTANCE_MAX;
	unsigned rows[3][DISTANCE_MAX + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];
	for (size_t j = 0; j <= lb; j++) {
		above[j] = (unsigned)j;
		before[j] = 0;
	}
	for (size_t i = 1; i <= la; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);
			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
		unsigned *spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[lb];
}

const char *str_nearest(const char *word, const char *const *candidates, size_t count)
{
	const char *best = NULL;
	unsigned best_distance = (unsigned)strlen(word) / 3 + 1;
	for (size_t i = 0; i < count; i++) {
		unsigned distance = str_distance(word, candidates[i]);
		if (distance < best_distance ||
			(distance == best_distance && !best && distance < strlen(word))) {
			best = candidates[i];
			best_distance = distance;
		}
	}
	return best;
}

/* Length of the well-formed sequence at p (RFC 3629, section 4), 0 when there is none. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
	if (p[0] < 0x80)
		return 1;
	size_t len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
	if (p[0] < 0xC2 || p[0] > 0xF4 || left < len)
		return 0;
	unsigned char low = 0x80, high = 0xBF;
	if (p[0] == 0xE0)
		low = 0xA0;
	else if (p[0] == 0xED)
		high = 0x9F;
	else if (p[0] == 0xF0)
		low = 0x90;
	else if (p[0] == 0xF4)
		high = 0x8F;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	}
	return len;
}

bool str_is_utf8(struct slice s)
{
	for (size_t i = 0; i < s.len;) {
		size_t len = utf8_sequence(s.ptr + i, s.len - i);
		if (len == 0)
			return false;
		i += len;
	}
	return true;
}
