/* What a template sees: a small tree of texts, numbers, booleans, lists and maps.
 *
 * Built by the caller from what it knows, bottom up, and read-only afterwards:
 *
 *     struct data *ports = data_map();
 *     data_set(ports, "grafana", data_int(3000));
 *     struct data *root = data_map();
 *     data_set(root, "ports", ports);              // ports belongs to root from here on
 *     data_set(root, "password", data_text(password));
 *     …
 *     data_free(root);
 *
 * A value that was put into another is complete: it has one owner and takes nothing more. A name that has no
 * value is set to data_text("") or data_bool(false); a template rendered strictly then knows the name.
 *
 * A number is kept as the text it is written as, and a boolean is "true" or "false": both are written as they
 * are in every language, while a text is escaped. So a port is data_int, and a password of digits is
 * data_text.
 *
 * Building never fails: data_check says afterwards what is wrong with a tree. Rendering does that first.
 */
#ifndef CCTM_RENDER_DATA_H
#define CCTM_RENDER_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct error;
struct data;

#define DATA_DEPTH_MAX 32	 /* containers inside each other */
#define DATA_COUNT_MAX 100000	 /* values in one tree */
#define DATA_BYTES_MAX (4 << 20) /* texts and names of one tree */

enum data_kind { DATA_TEXT, DATA_NUMBER, DATA_BOOL, DATA_LIST, DATA_MAP };

struct data *data_text(const char *text); /* copies */
struct data *data_text_slice(struct slice text);
struct data *data_int(int64_t number);
struct data *data_bool(bool is_true);
struct data *data_list(void);
struct data *data_map(void);
void data_free(struct data *v);

/* Both own `item` from now on, whatever comes of it. A name that is set again has its last value. */
void data_append(struct data *list, struct data *item);
void data_set(struct data *map, const char *name, struct data *item);

/* That the tree is within the limits above and that its texts are UTF-8 without NUL. The error names the
 * place: "grafana.plugins[2] holds a NUL byte". */
bool data_check(const struct data *root, struct error *err) MUST_CHECK;

enum data_kind data_kind(const struct data *v);

/* What {{x}} starts from; of a text, a number or a boolean. Lives as long as `v`. */
struct slice data_bytes(const struct data *v);

/* What {{#x}} goes by: false are the boolean false, the empty list, the empty text and NULL (no value). 0 and
 * an empty map are true. */
bool data_is_true(const struct data *v);

size_t data_count(const struct data *list);
const struct data *data_item(const struct data *list, size_t index);
const struct data *data_get(
	const struct data *map, struct slice name); /* NULL: none, or not a map */

/* The context stack of the specification: the innermost value and what lies around it. On the C stack, each
 * scope borrows. */
struct scope {
	const struct data *value;
	const struct scope *outer; /* NULL: the root */
};

/* "." is the innermost value. Otherwise the first part of "a.b.c" is looked for outwards, in the first map
 * that has it, and the other parts inside what was found and nowhere else. NULL: there is none. */
const struct data *scope_find(const struct scope *scope, struct slice name);

static inline void auto_data(struct data **v)
{
	data_free(*v);
}

#endif
