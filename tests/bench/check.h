/* Does /metrics show exactly what was sent? A run whose totals do not is void: a server that loses points
 * is fast for the wrong reason.
 */
#ifndef CCTM_BENCH_CHECK_H
#define CCTM_BENCH_CHECK_H

#include <stddef.h>
#include <stdint.h>

/* GET /metrics from the exporter on loopback; the body, NUL-terminated, and its length. Ends the program
 * when that fails. */
const char *scrape(uint16_t port, size_t *len);

/* Compares the text with `exports` session exports (17 points each): every point's total under its own
 * labels, and every metric's total over all samples of its name. Integers must be equal, sums of fractions
 * within 1e-9 of the truth. Says each difference on stderr; how many there were. */
size_t totals_check(const char *text, size_t len, uint64_t exports);

#endif
