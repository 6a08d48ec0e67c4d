/* Changing one value in a JSON text and keeping every other byte: order, indentation, line ends, byte-order mark, and
 * comments where somebody wrote them (`//`, block comments and commas behind the last value are passed over, though RFC
 * 8259 has none).
 *
 *     AUTO(buf) struct buf text = …;                              the file
 *     if (!json_edit_check(buf_slice(&text), err))                "line 3, column 5: …"
 *     json_edit_set(&text, "env", "OTEL_METRICS_EXPORTER", "\"otlp\"", err);
 *
 * A value is named by the key of an object in the root and a key in that; `object` NULL: by a key in the root itself. Of
 * keys that stand there twice the last one counts, as it does for those who read such files.
 */
#ifndef CCTM_CLAUDE_JSON_EDIT_H
#define CCTM_CLAUDE_JSON_EDIT_H

#include <stdbool.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct buf;
struct error;

#define JSON_EDIT_MAX (8 << 20) /* bytes of a text */

/* Is it one object, well formed? The error has line and column (in characters, from 1), and no path. */
bool json_edit_check(struct slice text, struct error *err) MUST_CHECK;

/* The value's own bytes ("\"otlp\""), within `text`. False: it is not there, or `text` is not well formed. */
bool json_edit_find(struct slice text, const char *object, const char *key, struct slice *value)
	MUST_CHECK;

/* Puts `value`, which is JSON, in the place of the former one, or behind the last one in the way the file is written. A
 * text of white space alone becomes an object. An `object` that is there and is none is an error. */
bool json_edit_set(struct buf *text, const char *object, const char *key, const char *value,
	struct error *err) MUST_CHECK;

/* Takes out a value with its key; fine when it is not there. */
bool json_edit_remove(struct buf *text, const char *object, const char *key, struct error *err)
	MUST_CHECK;

/* Is that object there, with nothing in it? */
bool json_edit_is_empty(struct slice text, const char *object) MUST_CHECK;

/* Blanks in place of all that RFC 8259 has not, for a strict reader; the same length. */
void json_edit_plain(struct buf *text);

#endif
