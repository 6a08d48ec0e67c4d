/* Results: text on stdout, or exactly one JSON document. Progress and notes go to stderr.
 *
 * The only place that writes to stdout. A command prints either text with out_printf or one document with
 * out_json; the frame flushes and reports a failed write (disk full, closed pipe) as an error.
 */
#ifndef CCTM_CORE_OUT_H
#define CCTM_CORE_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "core/cleanup.h"

struct error;
struct out;

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct out *out_new(enum color_mode color);
void out_free(struct out *o);

void out_printf(struct out *o, const char *fmt, ...) PRINTF(2, 3);
void out_write(struct out *o, const char *text, size_t len);

/* Prints `document` (an object; takes the reference) with "schema_version" in front. */
void out_json(struct out *o, int schema_version, json_t *document);
/* The same as one line without indentation, flushed at once (`cctm bridge --json`). */
void out_json_line(struct out *o, int schema_version, json_t *document);

/* True once a document was printed: an error that comes later goes to stderr, so that stdout holds one. */
bool out_has_document(const struct out *o);

/* A JSON string of text from anywhere (bytes that are not UTF-8 become U+FFFD); null for NULL. */
json_t *out_json_text(const char *s);

/* A line on stderr, unless --quiet: notes and next steps. */
void out_note(struct out *o, const char *fmt, ...) PRINTF(2, 3);
/* What is going on just now: on a terminal one line on stderr that the next status or note takes the place of; nothing
 * elsewhere, and nothing with --quiet. */
void out_status(struct out *o, const char *fmt, ...) PRINTF(2, 3);
/* Takes the status away, for who writes to stderr by themselves. */
void out_end_status(struct out *o);
void out_set_quiet(struct out *o, bool is_quiet);

unsigned out_width(const struct out *o); /* columns of the terminal; 80 elsewhere */

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_RED, STYLE_GREEN, STYLE_YELLOW, STYLE_CYAN };

/* The escape sequence that begins (or with STYLE_PLAIN ends) a style; "" where colour is off (NO_COLOR,
 * TERM=dumb, not a terminal, --color never). */
const char *out_style(const struct out *o, enum style style);

bool out_flush(struct out *o, struct error *err) MUST_CHECK;

#endif
