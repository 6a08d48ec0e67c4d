/* Text to values, with bounds: predicates and the parsing of numbers, sizes and durations.
 *
 * The only place that calls strtol and its relatives. All parsers take the whole string: trailing text is
 * an error. They return false without touching *out when the text is not one, and say why in `err`.
 */
#ifndef CCTM_CORE_STR_H
#define CCTM_CORE_STR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct error;

bool str_has_prefix(const char *s, const char *prefix);
bool str_has_suffix(const char *s, const char *suffix);

bool str_parse_int(const char *s, int64_t min, int64_t max, int64_t *out, struct error *err)
	MUST_CHECK;

/* "15s", "2m", "1h30m", "400d", "250ms", "2w"; a bare "0" is zero. Result in milliseconds. */
bool str_parse_duration(const char *s, int64_t *out_ms, struct error *err) MUST_CHECK;

/* "64MiB", "1GiB", "512KiB", "10MB", "4096" (bytes). Result in bytes. */
bool str_parse_size(const char *s, int64_t *out_bytes, struct error *err) MUST_CHECK;

/* The shortest duration text that parses back to the same value: 90000 → "1m30s". Yours. */
char *str_duration(int64_t ms);
/* The same for sizes: 67108864 → "64MiB". Yours. */
char *str_size(int64_t bytes);

/* Decimal text of a double from borrowed bytes, without reading past them. False: not a number ("nan",
 * "infinity" and hexadecimal are none). */
bool str_double(struct slice s, double *out) MUST_CHECK;

/* Optimal-string-alignment distance, for "did you mean"; strings past 64 bytes count as far apart. */
unsigned str_distance(const char *a, const char *b);

/* The candidate nearest to `word` if it is near enough to be a slip, else NULL. */
const char *str_nearest(const char *word, const char *const *candidates, size_t count);

/* True when the bytes are well-formed UTF-8 (RFC 3629). */
bool str_is_utf8(struct slice s);

#endif
