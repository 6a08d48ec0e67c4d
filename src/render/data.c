/* One node type; containers keep their items in an array in the order they came, and maps their names beside
 * them. A lookup walks the names: the widest map of a stack's configuration has some dozens.
 *
 * Trees are built bottom up so that depth, count and bytes of each value are known when it is put into
 * another, and stay true; freeing and checking recurse and can rely on the depth.
 */
#include "render/data.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"

struct data {
	enum data_kind kind;
	bool is_owned;	  /* inside another value */
	bool is_too_deep; /* an item was dropped for its depth */
	bool is_true;	  /* of a boolean */
	char *bytes;	  /* of a text or a number; NUL-terminated, may hold NUL */
	size_t len;
	struct data **items;
	char **names; /* of a map, one per item */
	size_t count, items_room, names_room;
	size_t depth;	    /* 1 for a leaf */
	size_t total_count; /* this and all below */
	size_t total_bytes;
};

static struct data *data_new(enum data_kind kind)
{
	struct data *v = mem_zalloc(sizeof *v);
	v->kind = kind;
	v->depth = 1;
	v->total_count = 1;
	return v;
}

struct data *data_text_slice(struct slice text)
{
	struct data *v = data_new(DATA_TEXT);
	v->bytes = mem_strndup((const char *)text.ptr, text.len);
	v->len = text.len;
	v->total_bytes = text.len;
	return v;
}

struct data *data_text(const char *text)
{
	return data_text_slice(slice_str(text));
}

struct data *data_int(int64_t number)
{
	struct data *v = data_new(DATA_NUMBER);
	v->bytes = mem_printf("%" PRId64, number);
	v->len = strlen(v->bytes);
	v->total_bytes = v->len;
	return v;
}

struct data *data_bool(bool is_true)
{
	struct data *v = data_new(DATA_BOOL);
	v->is_true = is_true;
	return v;
}

struct data *data_list(void)
{
	return data_new(DATA_LIST);
}

struct data *data_map(void)
{
	return data_new(DATA_MAP);
}

void data_free(struct data *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->count; i++) {
		data_free(v->items[i]);
		if (v->names)
			free(v->names[i]);
	}
	free(v->items);
	free(v->names);
	free(v->bytes);
	free(v);
}

/* False: the item would make the tree too deep to walk; it is gone, and data_check will say so. */
static bool take_item(struct data *into, struct data *item)
{
	assert(!into->is_owned && !item->is_owned && into != item);
	if (item->depth >= DATA_DEPTH_MAX) {
		into->is_too_deep = true;
		data_free(item);
		return false;
	}
	item->is_owned = true;
	if (into->depth <= item->depth)
		into->depth = item->depth + 1;
	into->is_too_deep |= item->is_too_deep;
	into->total_count += item->total_count;
	into->total_bytes += item->total_bytes;
	return true;
}

void data_append(struct data *list, struct data *item)
{
	assert(list->kind == DATA_LIST);
	if (!take_item(list, item))
		return;
	list->items =
		mem_grow(list->items, &list->items_room, list->count + 1, sizeof *list->items);
	list->items[list->count++] = item;
}

static size_t index_of(const struct data *map, struct slice name)
{
	size_t i = 0;
	while (i < map->count && !slice_eq_str(name, map->names[i]))
		i++;
	return i;
}

void data_set(struct data *map, const char *name, struct data *item)
{
	assert(map->kind == DATA_MAP);
	size_t at = index_of(map, slice_str(name));
	if (!take_item(map, item))
		return;
	if (at < map->count) {
		map->total_count -= map->items[at]->total_count;
		map->total_bytes -= map->items[at]->total_bytes;
		data_free(map->items[at]);
		map->items[at] = item;
		return;
	}
	map->items = mem_grow(map->items, &map->items_room, map->count + 1, sizeof *map->items);
	map->names = mem_grow(map->names, &map->names_room, map->count + 1, sizeof *map->names);
	map->items[map->count] = item;
	map->names[map->count++] = mem_strdup(name);
	map->total_bytes += strlen(name);
}

/* `path` is the name of `v` from the root on, and is left as it was. */
static bool check_texts(const struct data *v, struct buf *path, struct error *err)
{
	const char *name = path->len ? buf_str(path) : "the value";
	if (v->kind == DATA_TEXT && memchr(v->bytes, '\0', v->len))
		return error_set(err, ERR_FAILED, "%s holds a NUL byte", name);
	if (v->kind == DATA_TEXT && !str_is_utf8(slice_of(v->bytes, v->len)))
		return error_set(err, ERR_FAILED, "%s is not UTF-8", name);
	for (size_t i = 0; i < v->count; i++) {
		size_t len = path->len;
		if (v->kind == DATA_LIST)
			buf_addf(path, "[%zu]", i);
		else
			buf_addf(path, "%s%s", len ? "." : "", v->names[i]);
		if (!check_texts(v->items[i], path, err))
			return false;
		path->len = len;
		path->data[len] = '\0';
	}
	return true;
}

bool data_check(const struct data *root, struct error *err)
{
	AUTO(buf) struct buf path = BUF_INIT(BUF_UNLIMITED);
	if (root->is_too_deep)
		return error_set(err, ERR_FAILED, "the values are nested deeper than %d levels",
			DATA_DEPTH_MAX);
	if (root->total_count > DATA_COUNT_MAX)
		return error_set(err, ERR_FAILED, "there are %zu values, more than %d",
			root->total_count, DATA_COUNT_MAX);
	if (root->total_bytes > DATA_BYTES_MAX)
		return error_set(err, ERR_FAILED, "the values take %zu bytes, more than %d",
			root->total_bytes, DATA_BYTES_MAX);
	return check_texts(root, &path, err);
}

enum data_kind data_kind(const struct data *v)
{
	return v->kind;
}

struct slice data_bytes(const struct data *v)
{
	if (v->kind == DATA_BOOL)
		return slice_str(v->is_true ? "true" : "false");
	assert(v->kind == DATA_TEXT || v->kind == DATA_NUMBER);
	return slice_of(v->bytes, v->len);
}

bool data_is_true(const struct data *v)
{
	if (!v)
		return false;
	switch (v->kind) {
	case DATA_TEXT:
		return v->len > 0;
	case DATA_BOOL:
		return v->is_true;
	case DATA_LIST:
		return v->count > 0;
	case DATA_NUMBER:
	case DATA_MAP:
		return true;
	}
	return false;
}

size_t data_count(const struct data *list)
{
	assert(list->kind == DATA_LIST);
	return list->count;
}

const struct data *data_item(const struct data *list, size_t index)
{
	assert(list->kind == DATA_LIST && index < list->count);
	return list->items[index];
}

const struct data *data_get(const struct data *map, struct slice name)
{
	if (map->kind != DATA_MAP)
		return NULL;
	size_t at = index_of(map, name);
	return at < map->count ? map->items[at] : NULL;
}

/* Cuts the part in front of the first dot off *name. */
static struct slice take_part(struct slice *name)
{
	const unsigned char *dot = name->len ? memchr(name->ptr, '.', name->len) : NULL;
	struct slice part = *name;
	if (dot) {
		part.len = (size_t)(dot - name->ptr);
		*name = slice_of(dot + 1, name->len - part.len - 1);
	} else {
		*name = slice_of(NULL, 0);
	}
	return part;
}

const struct data *scope_find(const struct scope *scope, struct slice name)
{
	const struct data *found = NULL;
	if (slice_eq_str(name, "."))
		return scope->value;
	struct slice part = take_part(&name);
	for (; scope && !found; scope = scope->outer)
		found = data_get(scope->value, part);
	while (found && name.len) {
		part = take_part(&name);
		found = data_get(found, part);
	}
	return found;
}
