/* A compensated sum (Neumaier): the value is hi + lo, and 10 million additions of 0.0123 are right to 1e-9.
 *
 * The order of additions is part of the result. Whoever adds the same numbers in the same order gets the
 * same bits, which is how the ledger's checkpoint equals the running bridge's counters.
 */
#ifndef CCTM_BRIDGE_LEDGER_SUM_H
#define CCTM_BRIDGE_LEDGER_SUM_H

#include <math.h>

static inline void sum_add(double *hi, double *lo, double amount)
{
	double total = *hi + amount;
	if (fabs(*hi) >= fabs(amount))
		*lo += (*hi - total) + amount;
	else
		*lo += (amount - total) + *hi;
	*hi = total;
}

#endif
