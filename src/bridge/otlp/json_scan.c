/* Attributes make four fifths of a JSON request, and most are the same in every one. They are passed over
 * by brackets, 64 bytes a step: a bit mask of quotes, turned into a mask of "inside a string" by a prefix
 * sum, hides the brackets that are text. Backslashes are rare and handled bit by bit. */
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

#ifdef __SSE2__

static uint64_t mask_of(__m128i matches)
{
	return (uint64_t)(unsigned)_mm_movemask_epi8(matches);
}

static void block_scan(const unsigned char *p, struct block_masks *m)
{
	const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'),
		      fold = _mm_set1_epi8(0x20), open = _mm_set1_epi8('{'),
		      close = _mm_set1_epi8('}');
	*m = (struct block_masks){ 0 };
	for (unsigned at = 0; at < BLOCK; at += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
		/* '[' and ']' differ from '{' and '}' in one bit, which no other byte fills in so. */
		__m128i folded = _mm_or_si128(bytes, fold);
		m->quotes |= mask_of(_mm_cmpeq_epi8(bytes, quote)) << at;
		m->backslashes |= mask_of(_mm_cmpeq_epi8(bytes, backslash)) << at;
		m->opens |= mask_of(_mm_cmpeq_epi8(folded, open)) << at;
		m->closes |= mask_of(_mm_cmpeq_epi8(folded, close)) << at;
	}
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

static void block_scan(const unsigned char *p, struct block_masks *m)
{
	*m = (struct block_masks){ 0 };
	for (unsigned i = 0; i < BLOCK; i++) {
		m->quotes |= (uint64_t)(p[i] == '"') << i;
		m->backslashes |= (uint64_t)(p[i] == '\\') << i;
		m->opens |= (uint64_t)((p[i] | 0x20) == '{') << i;
		m->closes |= (uint64_t)((p[i] | 0x20) == '}') << i;
	}
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
static uint64_t prefix_parity(uint64_t bits)
{
	for (unsigned shift = 1; shift < BLOCK; shift *= 2)
		bits ^= bits << shift;
	return bits;
}

struct bracket_state {
	uint64_t in_string; /* all ones inside a string */
	bool is_escaped;
	size_t depth;
};

/* Index of the closing bracket in the block, or BLOCK. */
static unsigned block_close(const unsigned char *p, struct bracket_state *s)
{
	struct block_masks m;
	block_scan(p, &m);
	if (m.backslashes || s->is_escaped)
		m.quotes &= ~escaped_bytes(m.backslashes, &s->is_escaped);
	uint64_t inside = prefix_parity(m.quotes) ^ s->in_string;
	s->in_string = (uint64_t)0 - (inside >> (BLOCK - 1));
	uint64_t brackets = (m.opens | m.closes) & ~inside;
	while (brackets) {
		unsigned at = (unsigned)__builtin_ctzll(brackets);
		brackets &= brackets - 1;
		s->depth += (size_t)(m.opens >> at & 1);
		s->depth -= (size_t)(m.closes >> at & 1);
		if (s->depth == 0)
			return at;
	}
	return BLOCK;
}

const unsigned char *json_scan_brackets(const unsigned char *p, const unsigned char *end)
{
	struct bracket_state s = { 0 };
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
