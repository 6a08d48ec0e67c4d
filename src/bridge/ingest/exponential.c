/* One number per bucket: part = 3 + 2 * zigzag(index) + sign, and 2 for zero. Rejected: keeping each series
 * at the scale it came with (two clients of one series may differ, and a scale changes as values spread),
 * and native histograms (text exposition 0.0.4 has none).
 */
#include "bridge/ingest/exponential.h"

#include <float.h>
#include <math.h>

#define SUBDIVISIONS	 (1 << EXPONENTIAL_SCALE)
#define FIRST_INDEX_PART 3

/* 2^(k/8), correctly rounded: the same doubles in every bridge, whatever its libm. */
static const double roots[SUBDIVISIONS] = {
	1.0,
	1.0905077326652577,
	1.189207115002721,
	1.2968395546510096,
	1.4142135623730951,
	1.5422108254079407,
	1.681792830507429,
	1.8340080864093424,
};

/* 2^(eighths/8). C17 leaves >> of negatives to the compiler; gcc and clang keep the sign. */
static double power(int32_t eighths)
{
	return ldexp(roots[eighths & (SUBDIVISIONS - 1)], eighths >> EXPONENTIAL_SCALE);
}

/* edge * 2^(3 - scale) for scale < 3; far outside of the doubles it stops growing. */
static int64_t refine(int64_t edge, int32_t scale)
{
	const int64_t limit = INT64_C(1) << 20;
	int64_t shift = (int64_t)EXPONENTIAL_SCALE - scale;
	if (edge == 0)
		return 0;
	if (shift > 20 || edge > limit || edge < -limit)
		return edge > 0 ? limit : -limit;
	return edge * (INT64_C(1) << shift);
}

static int64_t coarsen(int64_t index, int32_t scale)
{
	int64_t shift = (int64_t)scale - EXPONENTIAL_SCALE;
	return index >> (shift > 63 ? 63 : shift);
}

static uint32_t part_of_index(int32_t index, enum exponential_sign sign)
{
	uint32_t zigzag = index < 0 ? (uint32_t)(-(index + 1)) * 2 + 1 : (uint32_t)index * 2;
	return FIRST_INDEX_PART + zigzag * 2 + (sign == EXPONENTIAL_NEGATIVE ? 1 : 0);
}

/* False: the part is not that of an index. */
static bool index_of_part(uint32_t part, int32_t *index, enum exponential_sign *sign)
{
	if (part < FIRST_INDEX_PART || part > EXPONENTIAL_PART_MAX)
		return false;
	uint32_t code = part - FIRST_INDEX_PART;
	uint32_t zigzag = code / 2;
	*sign = code % 2 ? EXPONENTIAL_NEGATIVE : EXPONENTIAL_POSITIVE;
	*index = zigzag % 2 ? -(int32_t)(zigzag / 2) - 1 : (int32_t)(zigzag / 2);
	return *index >= EXPONENTIAL_INDEX_MIN && *index <= EXPONENTIAL_INDEX_MAX;
}

uint32_t exponential_part(int32_t scale, int64_t index, enum exponential_sign sign)
{
	int64_t at;
	if (scale >= EXPONENTIAL_SCALE)
		at = coarsen(index, scale);
	else if (sign == EXPONENTIAL_NEGATIVE)
		at = refine(index, scale); /* the bucket whose end nearer to zero is the same */
	else
		at = index == INT64_MAX ? EXPONENTIAL_INDEX_MAX : refine(index + 1, scale) - 1;
	if (at > EXPONENTIAL_INDEX_MAX)
		at = EXPONENTIAL_INDEX_MAX;
	if (at <= EXPONENTIAL_INDEX_MIN) {
		if (sign == EXPONENTIAL_NEGATIVE)
			return EXPONENTIAL_PART_ZERO;
		at = EXPONENTIAL_INDEX_MIN;
	}
	return part_of_index((int32_t)at, sign);
}

uint32_t exponential_zero_part(double zero_threshold)
{
	if (!(zero_threshold > 0))
		return EXPONENTIAL_PART_ZERO;
	if (isinf(zero_threshold))
		return part_of_index(EXPONENTIAL_INDEX_MAX, EXPONENTIAL_POSITIVE);
	int exponent; /* threshold in [2^(exponent-1), 2^exponent) */
	frexp(zero_threshold, &exponent);
	int32_t bound = (exponent - 1) * SUBDIVISIONS;
	while (power(bound) < zero_threshold)
		bound++;
	int32_t index = bound - 1;
	if (index < EXPONENTIAL_INDEX_MIN)
		index = EXPONENTIAL_INDEX_MIN;
	return part_of_index(index, EXPONENTIAL_POSITIVE);
}

double exponential_le(uint32_t part)
{
	int32_t index;
	enum exponential_sign sign;
	if (part == EXPONENTIAL_PART_ZERO)
		return 0;
	if (!index_of_part(part, &index, &sign))
		return (double)INFINITY;
	if (sign == EXPONENTIAL_NEGATIVE)
		return -power(index);
	return index == EXPONENTIAL_INDEX_MAX ? DBL_MAX : power(index + 1);
}

int32_t exponential_order(uint32_t part)
{
	int32_t index;
	enum exponential_sign sign;
	if (part == EXPONENTIAL_PART_ZERO)
		return 0;
	if (!index_of_part(part, &index, &sign))
		return INT32_MAX;
	int32_t distance = index - EXPONENTIAL_INDEX_MIN + 1;
	return sign == EXPONENTIAL_NEGATIVE ? -distance : distance;
}
