/* A question on the terminal, before something is changed that somebody may not have meant. */
#ifndef CCTM_CORE_ASK_H
#define CCTM_CORE_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cleanup.h"

struct error;

/* Asks on standard error and reads a line from standard input; yes is "y" or "yes". Where one of both is no terminal, that
 * is an error that names `option`, never a silent yes; a "no" is ERR_INTERRUPTED. */
bool ask_yes(const char *question, const char *option, struct error *err) MUST_CHECK;

/* Are standard input and standard error a terminal? */
bool ask_is_possible(void);

/* The same way which of `count` it is to be: they are listed with numbers, and one of those is read. An answer that is none
 * of them is ERR_INTERRUPTED, too. */
bool ask_choice(const char *question, const char *const *choices, size_t count, const char *option,
	size_t *chosen, struct error *err) MUST_CHECK;

#endif
