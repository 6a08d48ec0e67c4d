/* The variants that hash128 chooses from. */
#ifndef CCTM_CORE_HASH128_INTERNAL_H
#define CCTM_CORE_HASH128_INTERNAL_H

#include "core/hash128.h"

#if defined(__x86_64__)
void hash128_avx2(const struct hash128 *h, const void *bytes, size_t len, uint64_t out[static 2]);
#endif

#endif
