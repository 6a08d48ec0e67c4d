#include "fuzz.h"
#include "otlp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	fuzz_otlp(OTLP_JSON, slice_of(bytes, len));
	return 0;
}
