#include "grafana/dashboard_merge.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "grafana/dashboard_merge_internal.h"

#define DEPTH_MAX      100
#define ELEMENTS_MAX   500
#define NOTES_MAX      100
#define NAME_MAX_BYTES 80 /* of what is noted */

bool merge_is_equal(const json_t *a, const json_t *b)
{
	return a == b || (a && b && json_equal(a, b) == 1);
}

/* ---- notes ---- */

static void add_place(struct buf *out, const struct merge_at *at)
{
	bool is_of_panel = at->above && at->above->is_element && !at->above->above;
	AUTO(str) char *name = text_first_line(at->name, NAME_MAX_BYTES);
	if (at->above)
		add_place(out, at->above);
	if (at->is_element)
		buf_addf(out, at->above ? "[%s]" : "%s", name);
	else
		buf_addf(out, "%s%s", !at->above ? "" : is_of_panel ? ": " : ".", name);
}

void merge_note(struct dashboard_merge *out, const struct merge_at *at, const char *what)
{
	if (out->clashes++ > NOTES_MAX)
		return;
	if (out->clashes > NOTES_MAX) {
		buf_adds(&out->notes, "and more\n");
		return;
	}
	add_place(&out->notes, at);
	buf_addf(&out->notes, ": %s\n", what);
}

/* ---- objects ---- */

/* Their parts belong together. */
static bool is_one_value(const struct merge_at *at)
{
	return !at->is_element &&
	       (strcmp(at->name, "datasource") == 0 || strcmp(at->name, "current") == 0);
}

static void set(json_t *object, const char *key, json_t *value)
{
	if (value)
		json_object_set_new(object, key, value);
}

static json_t *merge_member(struct dashboard_merge *out, const struct merge_at *at, const char *key,
	struct merge_three three)
{
	const struct merge_at below = { .above = at, .name = key, .depth = at ? at->depth + 1 : 0 };
	return merge_value(out, &below,
		(struct merge_three){ json_object_get(three.base, key),
			json_object_get(three.mine, key), json_object_get(three.theirs, key) });
}

static json_t *merge_objects(
	struct dashboard_merge *out, const struct merge_at *at, struct merge_three three)
{
	json_t *merged = json_object(), *member;
	const char *key;
	json_object_foreach(three.mine, key, member)
	{
		set(merged, key, merge_member(out, at, key, three));
	}
	json_object_foreach(three.theirs, key, member)
	{
		if (!json_object_get(three.mine, key))
			set(merged, key, merge_member(out, at, key, three));
	}
	return merged;
}

/* ---- lists whose elements are told apart ---- */

static const struct {
	const char *list, *key; /* key NULL: the element is a text itself */
} lists[] = {
	{ "list", "name" }, /* of variables and annotations */
	{ "links", "title" },
	{ "targets", "refId" },
	{ "overrides", "matcher" },
	{ "properties", "id" },
	{ "tags", NULL },
};

struct elements {
	json_t *list;
	char **names;
	size_t count;
};

static void clear(struct elements *elements)
{
	for (size_t i = 0; i < elements->count; i++)
		free(elements->names[i]);
	free(elements->names);
	*elements = (struct elements){ 0 };
}

static size_t find(const struct elements *elements, const char *name)
{
	size_t i = 0;
	while (i < elements->count && strcmp(elements->names[i], name) != 0)
		i++;
	return i;
}

static json_t *element(const struct elements *elements, const char *name)
{
	return json_array_get(elements->list, find(elements, name));
}

/* Yours; NULL: nothing tells it apart. */
static char *name_of(json_t *node, const char *key)
{
	json_t *found = key ? json_object_get(node, key) : node;
	if (json_is_object(found))
		return json_dumps(found, JSON_COMPACT | JSON_SORT_KEYS);
	return json_is_string(found) ? mem_strdup(json_string_value(found)) : NULL;
}

/* False: its elements cannot be told apart. A list that is not there has none. */
static bool name_all(json_t *list, const char *key, struct elements *out)
{
	size_t count = json_array_size(list);
	*out = (struct elements){ .list = list };
	if ((list && !json_is_array(list)) || count > ELEMENTS_MAX)
		return false;
	out->names = mem_calloc(count + 1, sizeof *out->names);
	for (size_t i = 0; i < count; i++) {
		char *name = name_of(json_array_get(list, i), key);
		if (!name || find(out, name) < out->count) {
			free(name);
			return false;
		}
		out->names[out->count++] = name;
	}
	return true;
}

static json_t *merge_element(struct dashboard_merge *out, const struct merge_at *at,
	const char *name, const struct elements sides[3])
{
	const struct merge_at below = {
		.above = at, .name = name, .is_element = true, .depth = at->depth + 1
	};
	return merge_value(out, &below,
		(struct merge_three){ element(&sides[0], name), element(&sides[1], name),
			element(&sides[2], name) });
}

/* What only theirs has and stands behind `name` there; NULL: in front of all that both have. */
static void add_new(struct dashboard_merge *out, const struct merge_at *at,
	const struct elements sides[3], const char *name, json_t *merged)
{
	const struct elements *mine = &sides[1], *theirs = &sides[2];
	bool is_behind = !name;
	for (size_t i = 0; i < theirs->count; i++) {
		if (find(mine, theirs->names[i]) < mine->count) {
			is_behind = name && strcmp(name, theirs->names[i]) == 0;
			continue;
		}
		json_t *added = is_behind ? merge_element(out, at, theirs->names[i], sides) : NULL;
		if (added)
			json_array_append_new(merged, added);
	}
}

static json_t *merge_elements(
	struct dashboard_merge *out, const struct merge_at *at, const struct elements sides[3])
{
	const struct elements *mine = &sides[1];
	json_t *merged = json_array();
	add_new(out, at, sides, NULL, merged);
	for (size_t i = 0; i < mine->count; i++) {
		json_t *kept = merge_element(out, at, mine->names[i], sides);
		if (kept)
			json_array_append_new(merged, kept);
		add_new(out, at, sides, mine->names[i], merged);
	}
	return merged;
}

/* NULL: the list is one value. */
static json_t *merge_lists(
	struct dashboard_merge *out, const struct merge_at *at, struct merge_three three)
{
	json_t *merged = NULL;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct elements sides[3] = { { 0 } };
		if (at->is_element || strcmp(at->name, lists[i].list) != 0)
			continue;
		if (name_all(three.base, lists[i].key, &sides[0]) &&
			name_all(three.mine, lists[i].key, &sides[1]) &&
			name_all(three.theirs, lists[i].key, &sides[2]))
			merged = merge_elements(out, at, sides);
		for (size_t side = 0; side < 3; side++)
			clear(&sides[side]);
	}
	return merged;
}

json_t *merge_value(
	struct dashboard_merge *out, const struct merge_at *at, struct merge_three three)
{
	json_t *merged = NULL;
	if (merge_is_equal(three.mine, three.theirs) || merge_is_equal(three.base, three.theirs))
		return json_incref(three.mine);
	if (merge_is_equal(three.base, three.mine))
		return json_incref(three.theirs);
	if (json_is_object(three.mine) && json_is_object(three.theirs) && at->depth < DEPTH_MAX &&
		!is_one_value(at))
		return merge_objects(out, at, three);
	if (json_is_array(three.mine) && json_is_array(three.theirs) && at->depth < DEPTH_MAX)
		merged = merge_lists(out, at, three);
	if (merged)
		return merged;
	merge_note(out, at,
		!three.mine	? "you took it away and cctm changed it: it stays away"
		: !three.theirs ? "you changed it and cctm no longer has it: yours stays"
				: "you and cctm changed it: yours stays");
	return json_incref(three.mine);
}

/* ---- the dashboard ---- */

static json_t *without_numbers(json_t *model, json_t **panels)
{
	json_t *copy = json_copy(model);
	json_object_del(copy, "id");
	json_object_del(copy, "version");
	*panels = json_incref(json_object_get(copy, "panels"));
	return copy;
}

/* What the page wrote and what cctm brings may be of different ages; the page brings an older one up to date by itself. */
static void set_schema(json_t *merged, struct merge_three three)
{
	json_t *mine = json_object_get(three.mine, "schemaVersion");
	json_t *theirs = json_object_get(three.theirs, "schemaVersion");
	if (json_is_integer(mine) && json_is_integer(theirs))
		json_object_set(merged, "schemaVersion",
			json_integer_value(mine) < json_integer_value(theirs) ? mine : theirs);
}

static json_t *merge_models(
	struct dashboard_merge *out, struct merge_three three, struct merge_three panels)
{
	static const char *const apart[] = { "panels", "schemaVersion" };
	struct merge_three rest = { json_copy(three.base), json_copy(three.mine),
		json_copy(three.theirs) };
	for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
		json_object_del(rest.base, apart[i]);
		json_object_del(rest.mine, apart[i]);
		json_object_del(rest.theirs, apart[i]);
	}
	json_t *merged = merge_objects(out, NULL, rest);
	json_decref(rest.base);
	json_decref(rest.mine);
	json_decref(rest.theirs);
	set_schema(merged, three);
	const struct merge_at at = { .name = "panels" };
	json_t *list = merge_panels(out, panels);
	set(merged, "panels", list ? list : merge_value(out, &at, panels));
	return merged;
}

void dashboard_merge(json_t *base, json_t *mine, json_t *theirs, struct dashboard_merge *out)
{
	struct merge_three panels;
	const struct merge_three three = { without_numbers(base, &panels.base),
		without_numbers(mine, &panels.mine), without_numbers(theirs, &panels.theirs) };
	*out = (struct dashboard_merge){ .notes = BUF_INIT(BUF_UNLIMITED) };
	if (merge_is_equal(three.mine, three.theirs) || merge_is_equal(three.base, three.theirs))
		out->model = json_incref(three.mine);
	else if (merge_is_equal(three.base, three.mine))
		out->model = json_incref(three.theirs);
	else
		out->model = merge_models(out, three, panels);
	json_decref(three.base);
	json_decref(three.mine);
	json_decref(three.theirs);
	json_decref(panels.base);
	json_decref(panels.mine);
	json_decref(panels.theirs);
}

void dashboard_merge_clear(struct dashboard_merge *merge)
{
	json_decref(merge->model);
	buf_clear(&merge->notes);
	*merge = (struct dashboard_merge){ 0 };
}
