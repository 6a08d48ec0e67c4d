/* What usually is behind a container that does not run or does not answer: from its last words and its exit status to a
 * cause and a cure.
 */
#ifndef CCTM_STACK_CAUSES_H
#define CCTM_STACK_CAUSES_H

#include <stdint.h>

struct cause {
	const char *sentence; /* "it may not write into its directory" */
	const char *cure;     /* what to do */
};

/* NULL: nothing that is known. `log` are its last lines, "" when there are none. */
const struct cause *cause_find(const char *log, int64_t exit_code);

#endif
