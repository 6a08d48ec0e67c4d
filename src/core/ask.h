/* A question on the terminal, before something is changed that somebody may not have meant. */
#ifndef CCTM_CORE_ASK_H
#define CCTM_CORE_ASK_H

#include <stdbool.h>

#include "core/cleanup.h"

struct error;

/* Asks on standard error and reads a line from standard input; yes is "y" or "yes". Where one of both is no terminal, that
 * is an error that names `option`, never a silent yes; a "no" is ERR_INTERRUPTED. */
bool ask_yes(const char *question, const char *option, struct error *err) MUST_CHECK;

#endif
