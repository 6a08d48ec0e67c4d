/* What the load driver and the floor server share: giving up with a sentence, memory, time, loopback.
 *
 * The two programs are measuring tools and link nothing but libc, so that what they cost is what they do.
 * Neither calls malloc: memory is whole pages, taken once before the clock starts.
 */
#ifndef CCTM_BENCH_COMMON_H
#define CCTM_BENCH_COMMON_H

#include <stddef.h>
#include <stdint.h>

/* Exit statuses of the driver; the runner tells them apart. */
enum exit_status { EXIT_BROKEN = 1, EXIT_USAGE = 2, EXIT_VOID = 3 };

/* "name: message" on stderr, then exit. */
_Noreturn void fail(enum exit_status status, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* `size` zeroed bytes in pages of their own; never given back. */
void *pages_take(size_t size);

/* Monotonic and wall time in nanoseconds: latencies here are shorter than the milliseconds of the program's
 * own clock. */
uint64_t now_mono_ns(void);
uint64_t now_wall_ns(void);

/* Decimal digits only, up to `max`. */
uint64_t number_parse(const char *what, const char *text, uint64_t max);

/* A connected TCP socket without Nagle's delay; non-blocking when asked. */
int loopback_connect(uint16_t port, int is_nonblocking);

#endif
