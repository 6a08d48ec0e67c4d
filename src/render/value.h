/* What a template sees: a small tree of texts, numbers, booleans, lists and maps.
 *
 * Built by the caller from what it knows, bottom up, and read-only afterwards:
 *
 *     struct value *ports = value_map();
 *     value_set(ports, "grafana", value_int(3000));
 *     struct value *root = value_map();
 *     value_set(root, "ports", ports);              // ports belongs to root from here on
 *     value_set(root, "password", value_text(password));
 *     …
 *     value_free(root);
 *
 * A value that was put into another is complete: it has one owner and takes nothing more. A name that has no
 * value is set to value_text("") or value_bool(false); a template rendered strictly then knows the name.
 *
 * A number is kept as the text it is written as, and a boolean is "true" or "false": both are written as they
 * are in every language, while a text is escaped. So a port is value_int, and a password of digits is
 * value_text.
 *
 * Building never fails: value_check says afterwards what is wrong with a tree. Rendering does that first.
 */
#ifndef CCTM_RENDER_VALUE_H
#define CCTM_RENDER_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct error;
struct value;

#define VALUE_DEPTH_MAX 32	  /* containers inside each other */
#define VALUE_COUNT_MAX 100000	  /* values in one tree */
#define VALUE_BYTES_MAX (4 << 20) /* texts and names of one tree */

enum value_kind { VALUE_TEXT, VALUE_NUMBER, VALUE_BOOL, VALUE_LIST, VALUE_MAP };

struct value *value_text(const char *text); /* copies */
struct value *value_text_slice(struct slice text);
struct value *value_int(int64_t number);
struct value *value_bool(bool is_true);
struct value *value_list(void);
struct value *value_map(void);
void value_free(struct value *v);

/* Both own `item` from now on, whatever comes of it. A name that is set again has its last value. */
void value_append(struct value *list, struct value *item);
void value_set(struct value *map, const char *name, struct value *item);

/* That the tree is within the limits above and that its texts are UTF-8 without NUL. The error names the
 * place: "grafana.plugins[2] holds a NUL byte". */
bool value_check(const struct value *root, struct error *err) MUST_CHECK;

enum value_kind value_kind(const struct value *v);

/* What {{x}} starts from; of a text, a number or a boolean. Lives as long as `v`. */
struct slice value_bytes(const struct value *v);

/* What {{#x}} goes by: false are the boolean false, the empty list, the empty text and NULL (no value). 0 and
 * an empty map are true. */
bool value_is_true(const struct value *v);

size_t value_count(const struct value *list);
const struct value *value_item(const struct value *list, size_t index);
const struct value *value_get(
	const struct value *map, struct slice name); /* NULL: none, or not a map */

/* The context stack of the specification: the innermost value and what lies around it. On the C stack, each
 * scope borrows. */
struct scope {
	const struct value *value;
	const struct scope *outer; /* NULL: the root */
};

/* "." is the innermost value. Otherwise the first part of "a.b.c" is looked for outwards, in the first map
 * that has it, and the other parts inside what was found and nowhere else. NULL: there is none. */
const struct value *scope_find(const struct scope *scope, struct slice name);

static inline void auto_value(struct value **v)
{
	value_free(*v);
}

#endif
