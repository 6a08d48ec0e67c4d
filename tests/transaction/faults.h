/* Stands between the code under test and libc (the linker's --wrap): every call that changes the file system is
 * counted, and the process dies at, or is refused, the calls that were planned.
 *
 * fsync is counted and not done: what a kill leaves behind is in the kernel's memory, and a test that syncs
 * thousands of times is slow. */
#ifndef CCTM_TESTS_TRANSACTION_FAULTS_H
#define CCTM_TESTS_TRANSACTION_FAULTS_H

#include <stdbool.h>

enum moment {
	BEFORE,
	MIDDLE,
	AFTER,
	MOMENTS
}; /* MIDDLE: half of the bytes of a write are written */

struct faults {
	long kill_at; /* the number of a call, from 1; 0: none */
	enum moment moment;
	long fail_from, fail_count; /* calls that fail; 0: none */
	int why;		    /* with this errno */
	bool is_full;		    /* of them only those fail that need room on the disk */
};

/* The largest number of a call whose name is kept. */
#define FAULTS_NAMES_MAX 2000

void faults_begin(const struct faults *plan); /* counts from 0 */
long faults_end(void);		      /* how many calls there were; later ones are not counted */
const char *faults_name(long number); /* "renameat" */

#endif
