/* Running checks: those of a lane one after the other in a process of their own, all lanes at once. */
#ifndef CCTM_DOCTOR_LANES_INTERNAL_H
#define CCTM_DOCTOR_LANES_INTERNAL_H

#include "doctor/doctor_internal.h"

struct lanes_request {
	const struct check *table;
	size_t count;
	const bool *is_wanted; /* by row; those that are not are left alone */
	struct doctor *doctor;
	int64_t check_ms; /* what a check may take */
	int64_t lane_ms;  /* what all of a lane may take; what is left then is skipped */
};

/* Fills `outcomes`, in which what is known already may stand, and `took_ms`, by row. A check that hangs or crashes has failed. */
bool lanes_run(const struct lanes_request *request, struct check_outcome *outcomes,
	int64_t *took_ms, struct error *err) MUST_CHECK;

/* The id of a check that this one needs and that failed or waits itself; NULL: none. */
const char *lanes_blocking(
	const struct lanes_request *request, const struct check_outcome *outcomes, size_t row);

#endif
