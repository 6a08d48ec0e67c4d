#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/hash128.h"
#include "core/hash128_internal.h"

static_assert(HASH128_SECRET_BYTES == XXH_SECRET_DEFAULT_SIZE, "secret of XXH3 by seed");

typedef void hash128_fn(
	const struct hash128 *h, const void *bytes, size_t len, uint64_t out[static 2]);

static void hash128_plain(
	const struct hash128 *h, const void *bytes, size_t len, uint64_t out[static 2])
{
	XXH128_hash_t hash =
		XXH3_128bits_withSecretandSeed(bytes, len, h->secret, sizeof h->secret, h->seed);
	out[0] = hash.low64;
	out[1] = hash.high64;
}

static hash128_fn *widest(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		return hash128_avx2;
#endif
	return hash128_plain;
}

static hash128_fn *chosen = hash128_plain;

void hash128_init(struct hash128 *h, uint64_t seed)
{
	chosen = widest();
	h->seed = seed;
	XXH3_generateSecret_fromSeed(h->secret, seed);
}

void hash128(const struct hash128 *h, const void *bytes, size_t len, uint64_t out[static 2])
{
	chosen(h, bytes, len, out);
}

void hash128_hex(const void *bytes, size_t len, char out[static HASH128_DIGITS + 1])
{
	struct hash128 hash;
	uint64_t halves[2];
	hash128_init(&hash, 0);
	hash128(&hash, bytes, len, halves);
	snprintf(out, HASH128_DIGITS + 1, "%016" PRIx64 "%016" PRIx64, halves[1], halves[0]);
}
