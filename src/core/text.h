/* Text for a terminal: how wide it is, and wrapping it.
 *
 * Widths are columns, by code point: East Asian wide characters and emoji take two, combining marks none.
 * The tables are our own, because wcwidth(3) answers by the locale and a program that prints UTF-8 cannot
 * wait for one to be set.
 */
#ifndef CCTM_CORE_TEXT_H
#define CCTM_CORE_TEXT_H

#include <stddef.h>

struct buf;

/* Columns that `s` takes; a byte that is not UTF-8 takes one. */
size_t text_width(const char *s);

/* Appends the words of `s` to `out`, broken at `width` columns. The first line begins where the cursor is,
 * at column `indent`; later ones are indented by as much. A word wider than a line stands alone. No newline
 * at the end. */
void text_wrap(struct buf *out, const char *s, size_t indent, size_t width);

/* The same for a description: paragraphs separated by empty lines keep one between them; lines that begin
 * with a space are left as they are. Ends with a newline. */
void text_paragraphs(struct buf *out, const char *s, size_t indent, size_t width);

/* Appends prose for a manual page in mdoc(7): no line of it is taken for a request, and each sentence begins one. */
void text_mdoc(struct buf *out, const char *s);

/* Appends `s` so that a terminal shows it and obeys nothing in it: control characters and bytes that are
 * not UTF-8 become \xNN. */
void text_visible(struct buf *out, const char *s);

/* One line of what another program said, made visible and at most `max` bytes of it: the first, or the last that is not
 * empty and does not begin with `passed_over` (NULL: with anything). Yours; "" when there is none. */
char *text_first_line(const char *s, size_t max);
char *text_last_line(const char *s, size_t max, const char *passed_over);

/* Appends `s` with bytes that are not UTF-8 replaced by U+FFFD, as JSON needs it. */
void text_utf8(struct buf *out, const char *s);

#endif
