/* A report for people, for programs and for spreadsheets. */
#ifndef CCTM_REPORT_PRINT_H
#define CCTM_REPORT_PRINT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "report/report.h"

struct out;

struct print_options {
	int64_t now_ms;
	const char *state_dir; /* where it was looked for */
	bool is_utf8;	       /* the reader's terminal shows it */
	unsigned width;	       /* columns; fewer figures rather than wrapped lines */
};

void report_print_text(struct out *o, const struct report *r, const struct print_options *options);

/* The document of the manual, without schema_version. */
json_t *report_print_json(const struct report *r);

/* RFC 4180: a header and one row a group. */
void report_print_csv(struct out *o, const struct report *r);

/* True when the environment (LC_ALL, LC_CTYPE, LANG) says that text is UTF-8. */
bool report_locale_is_utf8(void);

#endif
