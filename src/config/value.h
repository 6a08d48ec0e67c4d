/* A value of a key: parsed from text with the key's bounds, and written back as text.
 *
 * The same code reads the file, the environment and the command line, so that what is allowed in one is
 * allowed in all. Errors name the value, what is allowed and an example (ERR_CONFIG).
 */
#ifndef CCTM_CONFIG_VALUE_H
#define CCTM_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/keys.h"
#include "core/cleanup.h"

struct error;

#define VALUE_ITEMS_MAX 64

struct value {
	bool is_null;
	/* bool 0 or 1, integer, port, milliseconds, bytes, thousandths; 0 of texts */
	int64_t number;
	char *text; /* as one would write it without quotes ("1h30m", "64MiB"); "" of null; NULL of lists */
	char **items; /* of lists */
	size_t count;
};

/* How the text stood in the file: a quoted "3000" is a text and no number. */
enum value_style { VALUE_PLAIN, VALUE_QUOTED };

bool value_parse(const struct key *key, const char *text, enum value_style style, struct value *out,
	struct error *err) MUST_CHECK;

/* Appends an item to a list's value. */
bool value_add_item(const struct key *key, const char *text, struct value *out, struct error *err)
	MUST_CHECK;

/* As the environment and the command line give it: lists with commas between items, or as [a, "b, c"]. */
bool value_parse_words(
	const struct key *key, const char *text, struct value *out, struct error *err) MUST_CHECK;

/* "null, true, 15s, [a, b]": for people and for the file. Yours. */
char *value_text(const struct key *key, const struct value *value);

bool value_equal(const struct value *a, const struct value *b);
void value_clear(struct value *value);

static inline void auto_value(struct value *value)
{
	value_clear(value);
}

#endif
