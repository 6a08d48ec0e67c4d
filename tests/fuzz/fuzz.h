/* What a fuzz target defines; libFuzzer or replay.c calls it. */
#ifndef CCTM_TESTS_FUZZ_FUZZ_H
#define CCTM_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#endif
