/* The views of the command table that cctm help gives: as text, as JSON, as a manual page. Each reads the
 * rows and nothing else, so that none can say what the others do not. */
#ifndef CCTM_CMD_HELP_INTERNAL_H
#define CCTM_CMD_HELP_INTERNAL_H

#include "command.h"

struct buf;

/* "cctm report [OPTIONS]"; of the program itself when command is NULL. */
void help_usage(struct buf *out, const struct command *command);

/* Rows that are shown: those with a help text. */
bool help_has_options(const struct opt *options);

/* " (a, b; default: a)", as far as there is something to note. */
void help_add_notes(struct buf *out, const char *const *choices, const char *fallback);

const char *help_group_name(enum command_group group);	      /* "data" */
const char *help_group_title(enum command_group group);	      /* "What was measured" */
const char *help_effect_name(enum command_effect effect);     /* "reads" */
const char *help_effect_sentence(enum command_effect effect); /* "reads only" */

void help_print_text(struct context *ctx, const struct command *command);
void help_print_json(struct context *ctx, const struct command *command);

/* A page in mdoc(7). What is written by hand in man/ stands between its generated parts. */
void help_print_man(struct context *ctx, const struct command *command);

#endif
