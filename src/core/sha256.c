#include "core/sha256.h"

#include <string.h>

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes (4.2.2). */
static const uint32_t constants[64] = {
	0x428a2f98,
	0x71374491,
	0xb5c0fbcf,
	0xe9b5dba5,
	0x3956c25b,
	0x59f111f1,
	0x923f82a4,
	0xab1c5ed5,
	0xd807aa98,
	0x12835b01,
	0x243185be,
	0x550c7dc3,
	0x72be5d74,
	0x80deb1fe,
	0x9bdc06a7,
	0xc19bf174,
	0xe49b69c1,
	0xefbe4786,
	0x0fc19dc6,
	0x240ca1cc,
	0x2de92c6f,
	0x4a7484aa,
	0x5cb0a9dc,
	0x76f988da,
	0x983e5152,
	0xa831c66d,
	0xb00327c8,
	0xbf597fc7,
	0xc6e00bf3,
	0xd5a79147,
	0x06ca6351,
	0x14292967,
	0x27b70a85,
	0x2e1b2138,
	0x4d2c6dfc,
	0x53380d13,
	0x650a7354,
	0x766a0abb,
	0x81c2c92e,
	0x92722c85,
	0xa2bfe8a1,
	0xa81a664b,
	0xc24b8b70,
	0xc76c51a3,
	0xd192e819,
	0xd6990624,
	0xf40e3585,
	0x106aa070,
	0x19a4c116,
	0x1e376c08,
	0x2748774c,
	0x34b0bcb5,
	0x391c0cb3,
	0x4ed8aa4a,
	0x5b9cca4f,
	0x682e6ff3,
	0x748f82ee,
	0x78a5636f,
	0x84c87814,
	0x8cc70208,
	0x90befffa,
	0xa4506ceb,
	0xbef9a3f7,
	0xc67178f2,
};

static uint32_t turn(uint32_t x, unsigned by)
{
	return x >> by | x << (32 - by);
}

static uint32_t load(const unsigned char *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static void spread(const unsigned char *block, uint32_t words[64])
{
	for (size_t i = 0; i < 16; i++)
		words[i] = load(block + 4 * i);
	for (size_t i = 16; i < 64; i++) {
		uint32_t a = words[i - 15], b = words[i - 2];
		uint32_t small = turn(a, 7) ^ turn(a, 18) ^ a >> 3;
		uint32_t large = turn(b, 17) ^ turn(b, 19) ^ b >> 10;
		words[i] = words[i - 16] + small + words[i - 7] + large;
	}
}

/* 6.2.2; s[0] to s[7] are the standard's a to h. */
static void add_block(struct sha256 *hash, const unsigned char *block)
{
	uint32_t words[64], s[8];
	spread(block, words);
	memcpy(s, hash->state, sizeof s);
	for (size_t i = 0; i < 64; i++) {
		uint32_t large_e = turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25);
		uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
		uint32_t first = s[7] + large_e + choice + constants[i] + words[i];
		uint32_t large_a = turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22);
		uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
		memmove(s + 1, s, 7 * sizeof *s);
		s[4] += first;
		s[0] = first + large_a + majority;
	}
	for (size_t i = 0; i < 8; i++)
		hash->state[i] += s[i];
}

void sha256_init(struct sha256 *hash)
{
	static const uint32_t begin[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	memcpy(hash->state, begin, sizeof begin);
	hash->bytes = 0;
}

void sha256_add(struct sha256 *hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	size_t held = hash->bytes % sizeof hash->block;
	hash->bytes += len;
	if (held) {
		size_t more = sizeof hash->block - held < len ? sizeof hash->block - held : len;
		memcpy(hash->block + held, at, more);
		if (held + more < sizeof hash->block)
			return;
		add_block(hash, hash->block);
		at += more;
		len -= more;
	}
	for (; len >= sizeof hash->block; at += sizeof hash->block, len -= sizeof hash->block)
		add_block(hash, at);
	if (len)
		memcpy(hash->block, at, len);
}

/* 5.1.1: a bit, zeros, and the number of bits. */
static void add_padding(struct sha256 *hash)
{
	static const unsigned char zeros[64] = { 0x80 };
	uint64_t bits = hash->bytes * 8;
	size_t held = hash->bytes % sizeof hash->block;
	unsigned char length[8];
	for (size_t i = 0; i < 8; i++)
		length[i] = (unsigned char)(bits >> (56 - 8 * i));
	sha256_add(hash, zeros, held < 56 ? 56 - held : 120 - held);
	sha256_add(hash, length, sizeof length);
}

void sha256_hex(struct sha256 *hash, char out[static SHA256_DIGITS + 1])
{
	static const char digits[] = "0123456789abcdef";
	add_padding(hash);
	for (size_t i = 0; i < SHA256_DIGITS; i++)
		out[i] = digits[hash->state[i / 8] >> (28 - 4 * (i % 8)) & 15];
	out[SHA256_DIGITS] = '\0';
}
