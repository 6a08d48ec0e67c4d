/* Attributes make four fifths of a JSON request, and most are the same in every one. They are passed over
 * by brackets, 64 bytes a step: a bit mask of quotes, turned into a mask of "inside a string" by a prefix
 * sum, hides the brackets that are text. Only brackets of the outer one's kind are looked at: in JSON the
 * other kind closes in between, and a text where it does not is refused when it is read. So an array of
 * attributes, which holds braces by the dozen, is nearly always decided by its last byte alone. */
#include "bridge/otlp/json_scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BLOCK 64

struct block_masks {
	uint64_t quotes, backslashes, opens, closes;
};

/* A kind of brackets. */
struct bracket_pair {
	char open, close;
};

#ifdef __SSE2__

static inline uint64_t mask_of(__m128i matches)
{
	return (uint64_t)(unsigned)_mm_movemask_epi8(matches);
}

/* Which of the 64 bytes are `c`. */
static inline uint64_t block_matches(const __m128i bytes[static 4], char c)
{
	const __m128i wanted = _mm_set1_epi8(c);
	return mask_of(_mm_cmpeq_epi8(bytes[0], wanted)) |
	       mask_of(_mm_cmpeq_epi8(bytes[1], wanted)) << 16 |
	       mask_of(_mm_cmpeq_epi8(bytes[2], wanted)) << 32 |
	       mask_of(_mm_cmpeq_epi8(bytes[3], wanted)) << 48;
}

static inline struct block_masks block_scan(const unsigned char *p, struct bracket_pair pair)
{
	const __m128i *from = (const __m128i *)(const void *)p;
	const __m128i bytes[4] = { _mm_loadu_si128(from), _mm_loadu_si128(from + 1),
		_mm_loadu_si128(from + 2), _mm_loadu_si128(from + 3) };
	return (struct block_masks){ block_matches(bytes, '"'), block_matches(bytes, '\\'),
		block_matches(bytes, pair.open), block_matches(bytes, pair.close) };
}

static unsigned string_stops(const unsigned char *p)
{
	const __m128i control = _mm_set1_epi8(0x1F);
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i stops = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
		_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
	stops = _mm_or_si128(stops, _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
	return (unsigned)_mm_movemask_epi8(stops);
}

#else

static inline struct block_masks block_scan(const unsigned char *p, struct bracket_pair pair)
{
	struct block_masks m = { 0 };
	for (unsigned i = 0; i < BLOCK; i++) {
		m.quotes |= (uint64_t)(p[i] == '"') << i;
		m.backslashes |= (uint64_t)(p[i] == '\\') << i;
		m.opens |= (uint64_t)(p[i] == (unsigned char)pair.open) << i;
		m.closes |= (uint64_t)(p[i] == (unsigned char)pair.close) << i;
	}
	return m;
}

static unsigned string_stops(const unsigned char *p)
{
	unsigned stops = 0;
	for (unsigned i = 0; i < 16; i++)
		stops |= (unsigned)(p[i] == '"' || p[i] == '\\' || p[i] < 0x20) << i;
	return stops;
}

#endif

const unsigned char *json_scan_string(const unsigned char *p, const unsigned char *end)
{
	for (; end - p >= 16; p += 16) {
		unsigned stops = string_stops(p);
		if (stops)
			return p + __builtin_ctz(stops);
	}
	while (p < end && *p != '"' && *p != '\\' && *p >= 0x20)
		p++;
	return p;
}

/* The bytes that a backslash in front takes the meaning from; `carry` goes from block to block. */
static uint64_t escaped_bytes(uint64_t backslashes, bool *carry)
{
	uint64_t escaped = *carry;
	*carry = false;
	while (backslashes) {
		unsigned at = (unsigned)__builtin_ctzll(backslashes);
		backslashes &= backslashes - 1;
		if (escaped >> at & 1)
			continue;
		if (at == BLOCK - 1)
			*carry = true;
		else
			escaped |= UINT64_C(1) << (at + 1);
	}
	return escaped;
}

/* Bit i of the result: the number of bits up to and including i is odd. */
static inline uint64_t prefix_parity(uint64_t bits)
{
	bits ^= bits << 1;
	bits ^= bits << 2;
	bits ^= bits << 4;
	bits ^= bits << 8;
	bits ^= bits << 16;
	return bits ^ bits << 32;
}

struct bracket_state {
	struct bracket_pair pair;
	uint64_t in_string; /* all ones inside a string */
	bool is_escaped;
	size_t depth;
};

/* Index of the bracket that makes the depth 0, or BLOCK. */
static unsigned find_close(struct bracket_state *s, uint64_t opens, uint64_t closes)
{
	uint64_t brackets = opens | closes;
	while (brackets) {
		unsigned at = (unsigned)__builtin_ctzll(brackets);
		brackets &= brackets - 1;
		s->depth += (size_t)(opens >> at & 1);
		s->depth -= (size_t)(closes >> at & 1);
		if (s->depth == 0)
			return at;
	}
	return BLOCK;
}

static inline unsigned block_close(const unsigned char *p, struct bracket_state *s)
{
	struct block_masks m = block_scan(p, s->pair);
	if (m.backslashes || s->is_escaped)
		m.quotes &= ~escaped_bytes(m.backslashes, &s->is_escaped);
	uint64_t inside = prefix_parity(m.quotes) ^ s->in_string;
	s->in_string = (uint64_t)0 - (inside >> (BLOCK - 1));
	if (!((m.opens | m.closes) & ~inside))
		return BLOCK;
	return find_close(s, m.opens & ~inside, m.closes & ~inside);
}

const unsigned char *json_scan_brackets(const unsigned char *p, const unsigned char *end)
{
	static const struct bracket_pair braces = { '{', '}' }, squares = { '[', ']' };
	struct bracket_state s = { .pair = *p == '{' ? braces : squares };
	for (; end - p >= BLOCK; p += BLOCK) {
		unsigned at = block_close(p, &s);
		if (at < BLOCK)
			return p + at + 1;
	}
	unsigned char last[BLOCK];
	size_t len = (size_t)(end - p);
	memcpy(last, p, len);
	memset(last + len, ' ', sizeof last - len);
	unsigned at = block_close(last, &s);
	return at < BLOCK ? p + at + 1 : NULL;
}
