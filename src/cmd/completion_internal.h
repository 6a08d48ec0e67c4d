/* The three scripts that cctm completion prints, and what they share: how a value is completed. */
#ifndef CCTM_CMD_COMPLETION_INTERNAL_H
#define CCTM_CMD_COMPLETION_INTERNAL_H

#include "command.h"

struct buf;

void completion_bash(struct buf *out, const struct context *ctx);
void completion_zsh(struct buf *out, const struct context *ctx);
void completion_fish(struct buf *out, const struct context *ctx);

/* What may stand for a value. The name that help shows decides: DIR, FILE and COMMAND say what they are. */
enum value_kind { VALUE_ANY, VALUE_CHOICES, VALUE_DIRECTORIES, VALUE_FILES, VALUE_COMMANDS };

enum value_kind completion_kind(const char *name, const char *const *choices);

/* What is offered for an argument: its choices or its suggestions; NULL: anything. */
const char *const *completion_words(const struct opt_argument *row);

/* "a b c" */
void completion_add_words(struct buf *out, const char *const *words);
void completion_add_commands(struct buf *out, const struct context *ctx);

/* Appends `text` with `escape` in front of each character of `special`. */
void completion_escape(struct buf *out, const char *text, const char *special, const char *escape);

#endif
