#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/hash128.h"

static void test_hash128_is_xxh3_of_every_length(void **state)
{
	(void)state;
	unsigned char bytes[3000];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(i * 131 + i / 7);
	for (uint64_t seed = 0; seed < 3; seed++) {
		struct hash128 h;
		hash128_init(&h, seed * UINT64_C(0x9e3779b97f4a7c15));
		for (size_t len = 0; len <= sizeof bytes; len += len < 600 ? 1 : 97) {
			uint64_t hash[2];
			hash128(&h, bytes, len, hash);
			XXH128_hash_t expected = XXH3_128bits_withSeed(bytes, len, h.seed);
			assert_int_equal(hash[0], expected.low64);
			assert_int_equal(hash[1], expected.high64);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash128_is_xxh3_of_every_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
