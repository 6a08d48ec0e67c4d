/* XXH3, 128 bits, with a seed: equal bytes give equal hashes, whatever processor computes them.
 *
 * Not against an adversary who knows the seed, so the seed is random where bytes come from outside. Uses
 * AVX2 where the processor has it: half the time for more than 240 bytes.
 */
#ifndef CCTM_CORE_HASH128_H
#define CCTM_CORE_HASH128_H

#include <stddef.h>
#include <stdint.h>

#define HASH128_SECRET_BYTES 192

struct hash128 {
	uint64_t seed;
	unsigned char secret[HASH128_SECRET_BYTES]; /* from the seed, once */
};

void hash128_init(struct hash128 *h, uint64_t seed);

/* The same as XXH3_128bits_withSeed: out[0] is the low half. */
void hash128(const struct hash128 *h, const void *bytes, size_t len, uint64_t out[static 2]);

/* 32 hexadecimal digits and a NUL, of bytes whose author has nothing to gain from two that are alike: seed 0, so that it can
 * be kept. */
#define HASH128_DIGITS 32
void hash128_hex(const void *bytes, size_t len, char out[static HASH128_DIGITS + 1]);

#endif
