/* One line in the user's crontab, known again by the words behind its "#". Every other line stays.
 */
#ifndef CCTM_STACK_CRONTAB_H
#define CCTM_STACK_CRONTAB_H

#include <stdbool.h>

#include "core/cleanup.h"

struct error;

/* Is there a crontab program? */
bool crontab_is_there(void);

/* 1: it has the line of `mark`, 0: it has not, -1: error. */
int crontab_has(const char *mark, struct error *err) MUST_CHECK;

/* Puts the line in place of the one that has `mark`, or adds it; `words`, which end with NULL, are quoted for the shell that
 * cron starts. ERR_FAILED when a word has what cannot safely stand there. `hour` and `minute` are local time. */
bool crontab_put(const char *mark, const char *const *words, unsigned hour, unsigned minute,
	struct error *err) MUST_CHECK;

/* Fine when there is none. */
bool crontab_remove(const char *mark, struct error *err) MUST_CHECK;

#endif
