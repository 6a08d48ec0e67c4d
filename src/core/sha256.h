/* SHA-256 (FIPS 180-4): for sums that others can check with their own tools, and against bytes that somebody chose.
 *
 *     struct sha256 hash;
 *     sha256_init(&hash);
 *     sha256_add(&hash, bytes, len);
 *     sha256_hex(&hash, digits);
 */
#ifndef CCTM_CORE_SHA256_H
#define CCTM_CORE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_DIGITS 64

struct sha256 {
	uint32_t state[8];
	uint64_t bytes;
	unsigned char block[64];
};

void sha256_init(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *bytes, size_t len);

/* The sum of all that was added, and a NUL; nothing can be added afterwards. */
void sha256_hex(struct sha256 *hash, char out[static SHA256_DIGITS + 1]);

#endif
