/* What the protobuf and JSON targets check of the decoders, whatever the bytes:
 *
 * - nothing is read outside of the body (the sanitizers' part; every array and string handed out is read);
 * - after REASON_OK every attribute of every item can be read: as many as an independent count finds;
 * - decoding the same bytes again, when the hashes of their attributes are known, tells the sink the same.
 */
#ifndef CCTM_TESTS_FUZZ_OTLP_H
#define CCTM_TESTS_FUZZ_OTLP_H

#include "bridge/otlp/types.h"

void fuzz_otlp(enum otlp_encoding encoding, struct slice body);

#endif
