/* hash128 with AVX2, called only where the processor has it. */
#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif

#define XXH_INLINE_ALL
#define XXH_VECTOR 2 /* XXH_AVX2 */
#include <immintrin.h>

#include <xxhash.h>

#include "core/hash128_internal.h"

void hash128_avx2(const struct hash128 *h, const void *bytes, size_t len, uint64_t out[static 2])
{
	XXH128_hash_t hash =
		XXH3_128bits_withSecretandSeed(bytes, len, h->secret, sizeof h->secret, h->seed);
	out[0] = hash.low64;
	out[1] = hash.high64;
	/* gcc 12 puts none here by itself, and every SSE instruction behind the call would then wait for the
	 * upper halves: measured, a third more time in all of the bridge. */
	_mm256_zeroupper();
}

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif

typedef int hash128_avx2_translation_unit;
