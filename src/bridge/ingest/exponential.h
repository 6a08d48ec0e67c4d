/* Exponential histograms at one fixed scale, so that any two of them merge.
 *
 * At scale 3 a bucket of index i holds (2^(i/8), 2^((i+1)/8)]: eight an octave, nine percent wide. Every
 * incoming bucket goes to a part of its series such that the cumulative count at the part's bound `le` is
 * exact:
 *   - scale 3 and above: downscaled exactly, several buckets to one;
 *   - scale below 3: the whole bucket goes to the part with the same upper bound;
 *   - the zero bucket: `le` 0, or the part that holds its threshold if it has one;
 *   - negative buckets: `le` is the end nearer to zero. A value that lies exactly on a bound is counted one
 *     bound higher there, as the bucket itself cannot tell.
 * Outside of what a double holds, buckets go to the nearest part; those below the smallest normal number
 * share one (positive) or are the zero bucket's (negative).
 *
 * Parts 0 and 1 of a series are its sum and its count (journal/record.h); buckets have parts from 2 on.
 * Small indices give small parts: two bytes as a varint for values between 2^-511 and 2^511.
 */
#ifndef CCTM_BRIDGE_INGEST_EXPONENTIAL_H
#define CCTM_BRIDGE_INGEST_EXPONENTIAL_H

#include <stdbool.h>
#include <stdint.h>

#define EXPONENTIAL_SCALE     3
#define EXPONENTIAL_INDEX_MIN (-8177) /* upper bound 2^-1022 */
#define EXPONENTIAL_INDEX_MAX 8191    /* upper bound DBL_MAX, for 2^1024 */

#define EXPONENTIAL_PART_ZERO UINT32_C(2)
#define EXPONENTIAL_PART_MAX  UINT32_C(32768)

enum exponential_sign { EXPONENTIAL_POSITIVE, EXPONENTIAL_NEGATIVE };

/* The part of the bucket that has `index` (offset + position in the list) at `scale`. Any scale, any index. */
uint32_t exponential_part(int32_t scale, int64_t index, enum exponential_sign sign);

/* The part of the zero bucket. */
uint32_t exponential_zero_part(double zero_threshold);

/* The inclusive upper bound of a bucket's part, finite; +Inf for what is no bucket's part. */
double exponential_le(uint32_t part);

/* Ascending with `le`, and different for every bucket's part: sort by it, then add up. INT32_MAX for what
 * is no bucket's part. */
int32_t exponential_order(uint32_t part);

#endif
