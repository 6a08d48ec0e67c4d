/* Who set a value. */
#ifndef CCTM_CONFIG_ORIGIN_H
#define CCTM_CONFIG_ORIGIN_H

#include <stddef.h>

/* From weak to strong: a later one wins. */
enum origin_kind { ORIGIN_DEFAULT, ORIGIN_PROFILE, ORIGIN_FILE, ORIGIN_ENVIRONMENT, ORIGIN_FLAG };

struct origin {
	enum origin_kind kind;
	/* The profile, the file's path, the variable, the option; NULL of defaults, and of a file that could
	 * not be read. */
	const char *name;
	size_t line, column; /* in the file; 0: as a whole */
};

/* "cctm.yaml:12", "CCTM_BIND", "--bind", "profile team", "default". Yours. */
char *origin_text(const struct origin *origin);
const char *origin_kind_name(enum origin_kind kind); /* "environment" */

#endif
