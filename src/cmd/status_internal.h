/* Shared between the files of cctm status: status.c is the story, status_look.c finds out, status_print.c shows. */
#ifndef CCTM_CMD_STATUS_INTERNAL_H
#define CCTM_CMD_STATUS_INTERNAL_H

#include "cmd/cmd.h"
#include "loaded/loaded.h"

struct status_args {
	bool is_watched, has_usage;
};

/* A part: what Compose and the engine, or the bridge's lock, say of it, and the first of its probes that failed. */
struct part {
	enum service service;
	char *state;		  /* "running", "exited (1)", "absent" */
	const char *failed, *why; /* borrowed from the probes; NULL: all passed */
	bool is_well;
	char *address, *version; /* NULL: unknown */
	int64_t pid;		 /* of the embedded bridge; 0: none */
	int64_t started_ms;	 /* wall time; 0: unknown */
	double cpu_percent;	 /* below 0: unknown */
	int64_t memory;		 /* bytes; below 0: unknown */
	int64_t restarts;	 /* below 0: unknown */
	int64_t last_sample_ms;	 /* of the receiver, wall time; 0: none, or unknown */
	bool is_receiver;
};

struct status_job {
	struct context *ctx;
	const struct status_args *args;
	struct loaded stack;
	struct probes probes;
	struct part parts[SERVICE_COUNT];
	size_t part_count;
	bool is_well;
};

/* Reads the stack and asks all of it; to be cleared also after an error. */
bool status_look(struct status_job *job, struct error *err) MUST_CHECK;
void status_clear(struct status_job *job);

void status_print(const struct status_job *job);

#endif
