/* Panels of three dashboards: which are the same, what becomes of each, and where they stand.
 *
 * A row that is folded up holds the panels below it; a panel goes in and out of it when somebody folds it or opens it in the
 * page. So all panels are taken out of their rows first and put back at the end: the row a panel lies in is a part of where it
 * stands, as its place on the grid is, and no part of what it is.
 */
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "grafana/dashboard_merge_panels_internal.h"

#define PANELS_MAX 1000

/* ---- taking out ---- */

static bool take_list(struct panels *out, json_t *list, size_t row)
{
	size_t i;
	json_t *panel;
	json_array_foreach(list, i, panel)
	{
		size_t at = out->count;
		if (!json_is_object(panel) || at == PANELS_MAX)
			return false;
		out->items[at] = panel;
		out->rows[at] = row;
		out->slots[at] = NONE;
		out->count++;
		if (row == NONE && !take_list(out, json_object_get(panel, "panels"), at))
			return false;
	}
	return true;
}

static bool take_out(struct panels *out, json_t *list)
{
	out->items = mem_calloc(PANELS_MAX, sizeof *out->items);
	out->rows = mem_calloc(PANELS_MAX, sizeof *out->rows);
	out->slots = mem_calloc(PANELS_MAX, sizeof *out->slots);
	return json_is_array(list) && take_list(out, list, NONE);
}

static void clear(struct panels *panels)
{
	free(panels->items);
	free(panels->rows);
	free(panels->slots);
}

/* What a panel is, without its number and where it stands. */
static json_t *content_of(const struct panels *panels, size_t i)
{
	static const char *const places[] = { "id", "gridPos", "panels", "collapsed" };
	json_t *copy = i == NONE ? NULL : json_copy(panels->items[i]);
	for (size_t k = 0; copy && k < sizeof places / sizeof *places; k++)
		json_object_del(copy, places[k]);
	return copy;
}

/* ---- which are the same ---- */

/* The page gives the number of a panel that was deleted to the next that is made. */
static bool is_same_by_id(const json_t *a, const json_t *b)
{
	if (!json_object_get(a, "id") || !has_same(a, b, "id"))
		return false;
	return has_same(a, b, "title") ||
	       (json_array_size(json_object_get(a, "targets")) ? has_same(a, b, "targets")
							       : has_same(a, b, "type"));
}

static bool is_same_by_title(const json_t *a, const json_t *b)
{
	return *text_of(a, "title") && has_same(a, b, "title") && has_same(a, b, "type");
}

/* Of two that cctm brought: renamed, or asking something else. */
static bool is_same_by_number(const json_t *a, const json_t *b)
{
	return json_object_get(a, "id") && has_same(a, b, "id") && has_same(a, b, "type");
}

/* Gives panels of `from` that have no slot the one of a panel of `to` that they are the same as. */
static void match(const struct panels *to, struct panels *from, bool *is_taken,
	bool (*is_same)(const json_t *a, const json_t *b))
{
	for (size_t i = 0; i < from->count; i++) {
		for (size_t k = 0; from->slots[i] == NONE && k < to->count; k++) {
			if (is_taken[k] || !is_same(to->items[k], from->items[i]))
				continue;
			is_taken[k] = true;
			from->slots[i] = to->slots[k];
		}
	}
}

static bool is_same_addition(const json_t *a, const json_t *b)
{
	return is_same_by_number(a, b) && has_same(a, b, "title");
}

/* Slots are numbered: first one for each of base, then what mine added, then what theirs did. */
static void find_slots(struct panel_merge *merge)
{
	struct panels *base = &merge->base, *mine = &merge->mine, *theirs = &merge->theirs;
	bool *taken = mem_calloc(3 * PANELS_MAX, sizeof *taken);
	bool *by_mine = taken, *by_theirs = taken + PANELS_MAX, *added = taken + 2 * PANELS_MAX;
	for (size_t i = 0; i < base->count; i++)
		base->slots[i] = merge->count++;
	match(base, mine, by_mine, is_same_by_id);
	match(base, mine, by_mine, is_same_by_title);
	match(base, theirs, by_theirs, is_same_addition);
	match(base, theirs, by_theirs, is_same_by_title);
	match(base, theirs, by_theirs, is_same_by_number);
	for (size_t i = 0; i < mine->count; i++) {
		added[i] = mine->slots[i] != NONE;
		if (!added[i])
			mine->slots[i] = merge->count++;
	}
	match(mine, theirs, added, is_same_addition);
	for (size_t i = 0; i < theirs->count; i++) {
		if (theirs->slots[i] == NONE)
			theirs->slots[i] = merge->count++;
	}
	free(taken);
}

static void fill_slots(struct panel_merge *merge)
{
	merge->slots = mem_calloc(merge->count + 1, sizeof *merge->slots);
	for (size_t i = 0; i < merge->count; i++)
		merge->slots[i] =
			(struct slot){ .base = NONE, .mine = NONE, .theirs = NONE, .row = NONE };
	for (size_t i = 0; i < merge->base.count; i++)
		merge->slots[merge->base.slots[i]].base = i;
	for (size_t i = 0; i < merge->mine.count; i++)
		merge->slots[merge->mine.slots[i]].mine = i;
	for (size_t i = 0; i < merge->theirs.count; i++)
		merge->slots[merge->theirs.slots[i]].theirs = i;
}

/* ---- what becomes of each ---- */

/* Options of one type mean nothing to another. */
static bool is_of_one_type(struct merge_three three)
{
	return !three.mine || !three.theirs ||
	       (has_same(three.mine, three.theirs, "type") &&
		       (!three.base || has_same(three.base, three.mine, "type")));
}

static json_t *merge_panel(struct panel_merge *merge, const struct slot *slot)
{
	const struct merge_three three = { content_of(&merge->base, slot->base),
		content_of(&merge->mine, slot->mine), content_of(&merge->theirs, slot->theirs) };
	const char *title = text_of(three.mine ? three.mine : three.theirs, "title");
	const struct merge_at at = { .name = *title ? title : "a panel without title",
		.is_element = true };
	json_t *merged;
	if (is_of_one_type(three) || merge_is_equal(three.base, three.theirs) ||
		merge_is_equal(three.base, three.mine)) {
		merged = merge_value(merge->out, &at, three);
	} else {
		merge_note(merge->out, &at, "you and cctm made another panel of it: yours stays");
		merged = json_incref(three.mine);
	}
	/* Its number and place are set below, and the models stay as they are. */
	json_t *own = json_copy(merged);
	json_decref(merged);
	json_decref(three.base);
	json_decref(three.mine);
	json_decref(three.theirs);
	return own;
}

/* ---- numbers ---- */

static bool is_free(const struct panel_merge *merge, json_int_t id, size_t but)
{
	for (size_t i = 0; i < merge->count; i++) {
		const json_t *panel = merge->slots[i].panel;
		if (i != but && panel && json_integer_value(json_object_get(panel, "id")) == id)
			return false;
	}
	return true;
}

/* Panels that show another's data ("-- Dashboard --") name it by its number. */
static void rename_sources(const struct panel_merge *merge, json_t *panel)
{
	json_t *targets = json_deep_copy(json_object_get(panel, "targets")), *target;
	size_t i;
	json_array_foreach(targets, i, target)
	{
		json_int_t former = json_integer_value(json_object_get(target, "panelId"));
		for (size_t k = 0; former && k < merge->mine.count; k++) {
			const json_t *its = json_object_get(merge->mine.items[k], "id");
			const json_t *now = merge->slots[merge->mine.slots[k]].panel;
			if (!now || json_integer_value(its) != former)
				continue;
			json_object_set(target, "panelId", json_object_get(now, "id"));
			break;
		}
	}
	if (targets)
		json_object_set_new(panel, "targets", targets);
}

static json_int_t id_of(const json_t *panel)
{
	return json_integer_value(json_object_get(panel, "id"));
}

/* Those of theirs keep theirs, so that the next merge knows them; a panel of mine in the way gets another. */
static void number(struct panel_merge *merge)
{
	json_int_t last = 0;
	for (size_t i = 0; i < merge->count; i++) {
		const struct slot *slot = &merge->slots[i];
		if (!slot->panel)
			continue;
		json_int_t id = id_of(slot->theirs != NONE ? merge->theirs.items[slot->theirs]
							   : merge->mine.items[slot->mine]);
		json_object_set_new(slot->panel, "id", json_integer(id));
		last = id > last ? id : last;
	}
	for (size_t i = 0; i < merge->count; i++) {
		const struct slot *slot = &merge->slots[i];
		json_int_t id = id_of(slot->panel);
		if (slot->panel && slot->theirs == NONE && (id <= 0 || !is_free(merge, id, i)))
			json_object_set_new(slot->panel, "id", json_integer(++last));
	}
	for (size_t i = 0; i < merge->count; i++) {
		const struct slot *slot = &merge->slots[i];
		if (slot->panel && slot->theirs == NONE)
			rename_sources(merge, slot->panel);
	}
}

static json_t *merge_taken(struct panel_merge *merge)
{
	find_slots(merge);
	fill_slots(merge);
	for (size_t i = 0; i < merge->count; i++)
		merge->slots[i].panel = merge_panel(merge, &merge->slots[i]);
	number(merge);
	json_t *list = merge_places(merge);
	for (size_t i = 0; i < merge->count; i++)
		json_decref(merge->slots[i].panel);
	free(merge->slots);
	return list;
}

json_t *merge_panels(struct dashboard_merge *out, struct merge_three three)
{
	struct panel_merge merge = { .out = out };
	bool is_taken = take_out(&merge.base, three.base);
	is_taken = take_out(&merge.mine, three.mine) && is_taken;
	is_taken = take_out(&merge.theirs, three.theirs) && is_taken;
	json_t *list = is_taken ? merge_taken(&merge) : NULL;
	clear(&merge.base);
	clear(&merge.mine);
	clear(&merge.theirs);
	return list;
}
