/* What the system tells of a process, from /proc (proc_pid_stat(5)); Linux only.
 */
#ifndef CCTM_CORE_PROCFS_H
#define CCTM_CORE_PROCFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct procfs_stat {
	int64_t started_ms; /* wall time, to a hundredth of a second */
	int64_t age_ms;	    /* since then */
	int64_t cpu_ms;	    /* of all its threads, user and system */
	int64_t memory;	    /* resident bytes */
};

/* False: there is no such process, or no /proc. */
bool procfs_read_stat(pid_t pid, struct procfs_stat *out);

#endif
