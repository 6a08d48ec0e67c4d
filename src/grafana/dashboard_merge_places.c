/* Where panels stand after a merge: as somebody arranged them, or as cctm does; what is new below all others. */
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "grafana/dashboard_merge_panels_internal.h"

/* ---- as they stood ---- */

static size_t row_slot(const struct panels *panels, size_t i)
{
	return i == NONE || panels->rows[i] == NONE ? NONE : panels->slots[panels->rows[i]];
}

static bool is_moved(const struct panels *from, size_t i, const struct panels *to, size_t k)
{
	return !has_same(from->items[i], to->items[k], "gridPos") ||
	       row_slot(from, i) != row_slot(to, k);
}

/* Did somebody move or add what is still there? Then nothing is to be moved again. */
static bool is_arranged(const struct panel_merge *merge)
{
	for (size_t i = 0; i < merge->count; i++) {
		const struct slot *slot = &merge->slots[i];
		if (!slot->panel || slot->mine == NONE)
			continue;
		if (slot->base == NONE && slot->theirs == NONE)
			return true;
		if (slot->base != NONE
				? is_moved(&merge->base, slot->base, &merge->mine, slot->mine)
				: is_moved(&merge->theirs, slot->theirs, &merge->mine, slot->mine))
			return true;
	}
	return false;
}

static json_int_t number_of(const json_t *object, const char *key, json_int_t min, json_int_t max)
{
	json_int_t n = json_integer_value(json_object_get(object, key));
	return n < min ? min : n > max ? max : n;
}

static struct rectangle rectangle_of(const json_t *panel)
{
	const json_t *at = json_object_get(panel, "gridPos");
	return (struct rectangle){ number_of(at, "x", 0, 23), number_of(at, "y", 0, 1000000),
		number_of(at, "w", 1, 24), number_of(at, "h", 1, 10000) };
}

static void place_as(struct slot *slot, const struct panels *panels, size_t i)
{
	const json_t *collapsed = json_object_get(panels->items[i], "collapsed");
	slot->at = rectangle_of(panels->items[i]);
	slot->row = row_slot(panels, i);
	if (collapsed)
		json_object_set_new(
			slot->panel, "collapsed", json_boolean(json_is_true(collapsed)));
}

static bool is_folded(const struct panel_merge *merge, size_t row)
{
	const json_t *panel = row == NONE ? NULL : merge->slots[row].panel;
	return strcmp(text_of(panel, "type"), "row") == 0 &&
	       json_is_true(json_object_get(panel, "collapsed"));
}

/* As one side has them; what the other alone has finds its place later. */
static void place_known(struct panel_merge *merge)
{
	bool is_mine = is_arranged(merge);
	const struct panels *first = is_mine ? &merge->mine : &merge->theirs;
	const struct panels *second = is_mine ? &merge->theirs : &merge->mine;
	for (size_t i = 0; i < merge->count; i++) {
		struct slot *slot = &merge->slots[i];
		size_t one = is_mine ? slot->mine : slot->theirs;
		if (!slot->panel)
			continue;
		slot->is_placed = one != NONE;
		place_as(slot, one != NONE ? first : second,
			one != NONE ? one
			: is_mine   ? slot->theirs
				    : slot->mine);
	}
	/* Out of rows that are gone or open; there they stand in nobody's order yet. */
	for (size_t i = 0; i < merge->count; i++) {
		struct slot *slot = &merge->slots[i];
		if (slot->row != NONE && !is_folded(merge, slot->row)) {
			slot->row = NONE;
			slot->is_placed = false;
		}
	}
}

/* ---- what is new ---- */

static bool is_beside(struct rectangle a, struct rectangle b)
{
	return a.x + a.w <= b.x || b.x + b.w <= a.x;
}

/* The lowest place that is free, below all that was placed by somebody. */
static void place_below(struct panel_merge *merge, struct slot *slot, json_int_t bottom)
{
	slot->at.y = bottom;
	slot->at.x = slot->at.x + slot->at.w > 24 ? 0 : slot->at.x;
	for (size_t i = 0; i < merge->count; i++) {
		const struct slot *other = &merge->slots[i];
		if (!other->panel || !other->is_placed || other->row != slot->row ||
			is_beside(other->at, slot->at))
			continue;
		json_int_t end = other->at.y + other->at.h;
		slot->at.y = end > slot->at.y ? end : slot->at.y;
	}
	slot->is_placed = true;
}

static json_int_t bottom_of(const struct panel_merge *merge, size_t row)
{
	json_int_t bottom = row == NONE ? 0 : merge->slots[row].at.y + 1;
	for (size_t i = 0; i < merge->count; i++) {
		const struct slot *slot = &merge->slots[i];
		json_int_t end = slot->at.y + slot->at.h;
		if (slot->panel && slot->is_placed && slot->row == row && end > bottom)
			bottom = end;
	}
	return bottom;
}

/* From top to bottom and left to right. */
static int compare(const void *a, const void *b)
{
	const struct slot *left = *(struct slot *const *)a, *right = *(struct slot *const *)b;
	json_int_t by =
		left->at.y != right->at.y ? left->at.y - right->at.y : left->at.x - right->at.x;
	if (by == 0)
		return left < right ? -1 : left > right;
	return by < 0 ? -1 : 1;
}

/* Yours; what is to be there, in order. */
static struct slot **in_order(const struct panel_merge *merge, size_t *count)
{
	struct slot **sorted = mem_calloc(merge->count + 1, sizeof(struct slot *));
	*count = 0;
	for (size_t i = 0; i < merge->count; i++) {
		if (merge->slots[i].panel)
			sorted[(*count)++] = &merge->slots[i];
	}
	qsort(sorted, *count, sizeof(struct slot *), compare);
	return sorted;
}

static void place_new(struct panel_merge *merge)
{
	size_t count, first;
	struct slot **sorted = in_order(merge, &count);
	for (;;) {
		for (first = 0; first < count && sorted[first]->is_placed; first++)
			;
		if (first == count)
			break;
		/* One row's after the other's, so that its bottom is that of what somebody placed. */
		size_t row = sorted[first]->row;
		json_int_t bottom = bottom_of(merge, row);
		for (size_t i = first; i < count; i++) {
			if (!sorted[i]->is_placed && sorted[i]->row == row)
				place_below(merge, sorted[i], bottom);
		}
	}
	free(sorted);
}

/* ---- putting back ---- */

static json_t *put_back(const struct panel_merge *merge)
{
	size_t count;
	struct slot **sorted = in_order(merge, &count);
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++) {
		const struct slot *slot = sorted[i];
		json_object_set_new(slot->panel, "gridPos",
			json_pack("{s:I, s:I, s:I, s:I}", "h", slot->at.h, "w", slot->at.w, "x",
				slot->at.x, "y", slot->at.y));
		if (strcmp(text_of(slot->panel, "type"), "row") == 0)
			json_object_set_new(slot->panel, "panels", json_array());
	}
	for (size_t i = 0; i < count; i++) {
		const struct slot *slot = sorted[i];
		json_array_append(slot->row == NONE ? list
						    : json_object_get(merge->slots[slot->row].panel,
							      "panels"),
			slot->panel);
	}
	free(sorted);
	return list;
}

json_t *merge_places(struct panel_merge *merge)
{
	place_known(merge);
	place_new(merge);
	return put_back(merge);
}
