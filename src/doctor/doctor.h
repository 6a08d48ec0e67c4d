/* What is wrong with a stack, anywhere between a Claude Code and a total: one table of checks (checks.c), each with what it
 * looks at, why that matters and how it is mended.
 *
 *     const struct doctor_request request = { .given = ctx->dir };
 *     AUTO(diagnosis) struct diagnosis diagnosis = { 0 };
 *     if (!doctor_look(&request, &diagnosis, err)) …
 *
 * It reads and changes nothing. Checks that ask the same part run one after the other in a process of their own, so one that
 * hangs or crashes is a result and takes no other with it. It works where there is half a stack, or none.
 */
#ifndef CCTM_DOCTOR_DOCTOR_H
#define CCTM_DOCTOR_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/cleanup.h"

struct error;

/* What a check found: from well to broken. */
enum check_result { CHECK_OK, CHECK_SKIPPED, CHECK_NOTE, CHECK_WARNING, CHECK_FAILURE };

extern const char *const check_result_names[]; /* "ok", "skipped"; by enum check_result */

/* The way of a sample, and what has to be there for it. */
enum check_group {
	GROUP_MACHINE,
	GROUP_CONFIGURATION,
	GROUP_CLAUDE,
	GROUP_RECEIVER,
	GROUP_PROMETHEUS,
	GROUP_GRAFANA,
	GROUP_TOTALS,
	CHECK_GROUP_COUNT,
};

extern const char *const check_group_names[CHECK_GROUP_COUNT + 1]; /* ends with NULL */

/* A check as people are told of it. */
struct check_about {
	const char *id; /* "prometheus-targets": a promise */
	enum check_group group;
	const char *title;  /* what is true when it is well: "Prometheus reaches all its targets" */
	const char *why;    /* what is looked at, and what comes of it when it is not so */
	const char *mended; /* how, by hand */
};

size_t doctor_count(void);
const struct check_about *doctor_about(size_t i);
/* NULL: there is no check of that id. */
const struct check_about *doctor_find(const char *id);
/* The id that was meant; NULL: none is near. */
const char *doctor_nearest(const char *id);

#define FIX_WORDS_MAX 32

struct diagnosis_row {
	const struct check_about *about;
	enum check_result result;
	char *evidence; /* what was seen, or why it was skipped; NULL: nothing to say */
	char *advice;	/* what to do where no command does it; NULL: none */
	char *words[FIX_WORDS_MAX +
		    1]; /* the command that mends it: "cctm", "-C", …; ends with NULL; none: there is none */
	bool is_blocked; /* skipped, because something else failed or there is no stack */
	bool is_safe;	 /* it loses nothing, so it can be run without looking closer */
	int64_t took_ms;
};

struct diagnosis {
	struct diagnosis_row *rows; /* in the order of the table */
	size_t count;
	char *dir;		/* of the stack; NULL: there is none */
	int64_t last_sample_ms; /* wall time, as the receiver says; 0: not known */
	int64_t took_ms;
};

struct doctor_request {
	const char *given;   /* as -C gives it; NULL: where the stack is looked for */
	const char *id;	     /* this check alone; NULL: all */
	const char *group;   /* these alone; NULL: all */
	int64_t deadline_ms; /* of one check; 0: DOCTOR_CHECK_MS */
	const char
		*without; /* a check that failed before and is not to be tried again; NULL: none */
};

#define DOCTOR_CHECK_MS 4500

bool doctor_look(const struct doctor_request *request, struct diagnosis *out, struct error *err)
	MUST_CHECK;
void diagnosis_clear(struct diagnosis *diagnosis);

size_t diagnosis_count(const struct diagnosis *diagnosis, enum check_result result);

/* Has nothing failed, and was all looked at that means anything here? */
bool diagnosis_is_well(const struct diagnosis *diagnosis);

/* The first failure in the order of a sample's way, else the first warning; NULL: all is well. */
const struct diagnosis_row *diagnosis_first(const struct diagnosis *diagnosis);

/* The command of a row as one types it, or its advice; yours. NULL: there is neither. */
char *diagnosis_fix(const struct diagnosis_row *row);

/* Does the command of the row. False: it was not content. */
bool diagnosis_mend(const struct diagnosis_row *row, struct error *err) MUST_CHECK;

/* An archive for a report of a fault, appended to `out` as .tar: `results` (JSON), versions, the stack's rendered files and
 * the last lines of its logs. Secrets and what is personal are replaced; *replaced lists what, a line each. */
bool doctor_report(const char *given, const char *results, struct buf *out, struct buf *replaced,
	struct error *err) MUST_CHECK;

static inline void auto_diagnosis(struct diagnosis *diagnosis)
{
	diagnosis_clear(diagnosis);
}

#endif
