/* The parts of cctm doctor: doctor.c is the story, doctor_print.c how it is shown. What is looked at is in the room doctor. */
#ifndef CCTM_CMD_DOCTOR_INTERNAL_H
#define CCTM_CMD_DOCTOR_INTERNAL_H

#include <jansson.h>

#include "command.h"
#include "doctor/doctor.h"

struct doctor_args {
	const char *check, *group, *explained, *report;
	bool is_listed, is_watched, is_prompt, is_mended, is_yes;
};

struct doctor_job {
	struct context *ctx;
	const struct doctor_args *args;
	bool is_locked_out; /* Grafana did not take the password */
	json_t *mended;	    /* what --fix did: [{id, fix, done, error}] */
};

/* Text, JSON, or the text for a coding agent. */
void doctor_print(const struct doctor_job *job, const struct diagnosis *diagnosis);

/* As --json prints it, without schema_version; to be given back with json_decref. */
json_t *doctor_document(const struct doctor_job *job, const struct diagnosis *diagnosis);

void doctor_print_list(const struct doctor_job *job);
void doctor_print_about(const struct doctor_job *job, const struct check_about *about);

#endif
