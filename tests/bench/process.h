/* What a server process has cost so far, read from the outside. */
#ifndef CCTM_BENCH_PROCESS_H
#define CCTM_BENCH_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

struct process_cost {
	double cpu_s;	 /* all threads, ended ones too, and children that were waited for */
	double user_s;	 /* from /proc/PID/stat, in clock ticks (10 ms) */
	double system_s; /* the same */
	uint64_t peak_resident_bytes; /* VmHWM */
};

struct process_cost process_cost(pid_t pid);

double own_cpu_s(void);

#endif
