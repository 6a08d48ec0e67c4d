#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/mem.h"
#include "grafana/dashboard_merge.h"

/* ---- dashboards for tests ---- */

/* Single quotes stand for double ones. */
static json_t *parse(const char *text)
{
	AUTO(str) char *quoted = mem_strdup(text);
	json_error_t why;
	for (char *at = quoted; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	json_t *node = json_loads(quoted, 0, &why);
	if (!node)
		fail_msg("%s: %s", text, why.text);
	return node;
}

/* Three panels, each on a line of the grid of its own. */
#define PANEL(id, title, y, more)                                                            \
	"{'id': " #id ", 'type': 'stat', 'title': '" title "', 'gridPos': {'x': 0, 'y': " #y \
	", 'w': 12, 'h': 4}, 'targets': [{'refId': 'A', 'expr': '" title "'}]" more "}"
#define BASE_PANELS	    PANEL(1, "One", 0, "") ", " PANEL(2, "Two", 4, "") ", " PANEL(3, "Three", 8, "")
#define BOARD(panels, more) "{'uid': 'x', 'title': 'Board', 'panels': [" panels "]" more "}"
#define BASE		    BOARD(BASE_PANELS, "")

static void check_equal(const json_t *got, const char *wanted)
{
	json_t *expected = parse(wanted);
	if (json_equal(got, expected) != 1) {
		AUTO(str) char *text = json_dumps(got, JSON_SORT_KEYS | JSON_INDENT(1));
		fail_msg("it is %s", text);
	}
	json_decref(expected);
}

/* `notes`: NULL for none. */
static void check(const char *base_text, const char *mine_text, const char *theirs_text,
	const char *wanted, const char *notes)
{
	json_t *base = parse(base_text), *mine = parse(mine_text), *theirs = parse(theirs_text);
	AUTO(dashboard_merge) struct dashboard_merge merge = { 0 };
	dashboard_merge(base, mine, theirs, &merge);
	check_equal(merge.model, wanted);
	assert_string_equal(buf_str(&merge.notes), notes ? notes : "");
	/* The three stay as they were. */
	check_equal(base, base_text);
	check_equal(mine, mine_text);
	check_equal(theirs, theirs_text);
	json_decref(base);
	json_decref(mine);
	json_decref(theirs);
}

/* ---- fields ---- */

static void test_what_one_side_changed_is_taken(void **state)
{
	(void)state;
	check(BASE,
		BOARD(PANEL(1, "One", 0, ", 'description': 'mine'") ", " PANEL(
			      2, "Two", 4, "") ", " PANEL(3, "Three", 8, ""),
			", 'refresh': '5s'"),
		BOARD(PANEL(1, "One", 0, ", 'unit': 'theirs'") ", " PANEL(
			      2, "Two", 4, "") ", " PANEL(3, "Three", 8, ", 'description': 'new'"),
			", 'tags': ['a']"),
		BOARD(PANEL(1, "One", 0, ", 'description': 'mine', 'unit': 'theirs'") ", " PANEL(
			      2, "Two", 4, "") ", " PANEL(3, "Three", 8, ", 'description': 'new'"),
			", 'refresh': '5s', 'tags': ['a']"),
		NULL);
}

static void test_where_both_changed_mine_stays_and_is_named_by_panel(void **state)
{
	(void)state;
	check(BASE,
		BOARD(PANEL(1, "One", 0,
			      ", 'fieldConfig': {'defaults': {'unit': 'm', 'min': 1}}") ", " PANEL(2,
			      "Two", 4, "") ", " PANEL(3, "Three", 8, ""),
			""),
		BOARD(PANEL(1, "One", 0,
			      ", 'fieldConfig': {'defaults': {'unit': 't', 'max': 2}}") ", " PANEL(2,
			      "Two", 4, "") ", " PANEL(3, "Three", 8, ""),
			""),
		BOARD(PANEL(1, "One", 0,
			      ", 'fieldConfig': {'defaults': {'unit': 'm', 'min': 1, 'max': 2}}") ", " PANEL(2,
			      "Two", 4, "") ", " PANEL(3, "Three", 8, ""),
			""),
		"One: fieldConfig.defaults.unit: you and cctm changed it: yours stays\n");
}

static void test_lists_are_merged_by_what_tells_their_elements_apart(void **state)
{
	(void)state;
	check("{'templating': {'list': [{'name': 'a', 'query': '1'}, {'name': 'b'}, {'name': "
	      "'c'}]}, "
	      "'links': [{'title': 'L', 'url': '1'}], 'tags': ['x', 'y'], 'panels': []}",
		"{'templating': {'list': [{'name': 'a', 'query': '1'}, {'name': 'mine'}, {'name': "
		"'c'}]}, 'links': [{'title': 'L', 'url': '1', 'icon': 'i'}], 'tags': ['x', "
		"'mine'], "
		"'panels': []}",
		"{'templating': {'list': [{'name': 'new'}, {'name': 'a', 'query': '2'}, {'name': "
		"'b'}, "
		"{'name': 'next'}, {'name': 'c'}]}, 'links': [{'title': 'L', 'url': '2'}], 'tags': "
		"['x', 'y', 'theirs'], 'panels': []}",
		"{'templating': {'list': [{'name': 'new'}, {'name': 'a', 'query': '2'}, {'name': "
		"'next'}, {'name': 'mine'}, {'name': 'c'}]}, 'links': [{'title': 'L', 'url': '2', "
		"'icon': 'i'}], 'tags': ['x', 'theirs', 'mine'], 'panels': []}",
		NULL);
}

static void test_the_choice_of_a_variable_stays_whole(void **state)
{
	(void)state;
	check("{'templating': {'list': [{'name': 'current', 'current': {'text': 'a', 'value': "
	      "'a'}}]}}",
		"{'templating': {'list': [{'name': 'current', 'current': {'text': 'b', 'value': "
		"'a'}}]}}",
		"{'templating': {'list': [{'name': 'current', 'x': 1, 'current': {'text': 'a', "
		"'value': "
		"'c'}}]}}",
		"{'templating': {'list': [{'name': 'current', 'x': 1, 'current': {'text': 'b', "
		"'value': "
		"'a'}}]}}",
		"templating.list[current].current: you and cctm changed it: yours stays\n");
}

static void test_lists_that_are_not_told_apart_are_one_value(void **state)
{
	(void)state;
	check("{'links': [{'title': 'L'}]}", "{'links': [{'title': 'L'}, {'title': 'L', 'a': 1}]}",
		"{'links': [{'title': 'M'}]}",
		"{'links': [{'title': 'L'}, {'title': 'L', 'a': 1}]}",
		"links: you and cctm changed it: yours stays\n");
	check("{'a': 1, 'panels': 1}", "{'a': 1, 'panels': 2}", "{'a': 2, 'panels': 3}",
		"{'a': 2, 'panels': 2}", "panels: you and cctm changed it: yours stays\n");
}

static void test_the_older_schema_is_kept_for_the_page_to_bring_up_to_date(void **state)
{
	(void)state;
	check("{'schemaVersion': 41, 'panels': []}", "{'schemaVersion': 42, 'a': 1, 'panels': []}",
		"{'schemaVersion': 41, 'b': 1, 'panels': []}",
		"{'schemaVersion': 41, 'a': 1, 'b': 1, 'panels': []}", NULL);
}

/* ---- panels ---- */

static void test_panels_of_both_sides_are_there(void **state)
{
	(void)state;
	check(BASE, BOARD(BASE_PANELS ", " PANEL(4, "Mine", 12, ""), ""),
		BOARD(BASE_PANELS ", " PANEL(4, "New", 12, ""), ""),
		/* The one of theirs keeps its number and lies below; mine gets another. */
		BOARD(BASE_PANELS ", " PANEL(5, "Mine", 12, "") ", " PANEL(4, "New", 16, ""), ""),
		NULL);
}

static void test_a_panel_that_shows_another_follows_its_number(void **state)
{
#define SHOWS(id, of)                                                                              \
	"{'id': " #id ", 'type': 'stat', 'title': 'Shows', 'gridPos': {'x': 12, 'y': 0, 'w': 12, " \
	"'h': 4}, 'targets': [{'refId': 'A', 'panelId': " #of "}]}"
	(void)state;
	check(BASE, BOARD(BASE_PANELS ", " PANEL(4, "Mine", 12, "") ", " SHOWS(5, 4), ""),
		BOARD(BASE_PANELS ", " PANEL(4, "New", 12, ""), ""),
		BOARD(PANEL(1, "One", 0, "") ", " SHOWS(5, 6) ", " PANEL(
			      2, "Two", 4, "") ", " PANEL(3, "Three", 8, "") ", " PANEL(6, "Mine",
			      12, "") ", " PANEL(4, "New", 16, ""),
			""),
		NULL);
}

static void test_what_was_put_away_stays_away(void **state)
{
	(void)state;
	check(BASE, BOARD(PANEL(1, "One", 0, "") ", " PANEL(3, "Three", 8, ""), ""),
		BOARD(BASE_PANELS, ", 'refresh': '1m'"),
		BOARD(PANEL(1, "One", 0, "") ", " PANEL(3, "Three", 8, ""), ", 'refresh': '1m'"),
		NULL);
	check(BASE, BOARD(PANEL(1, "One", 0, "") ", " PANEL(3, "Three", 8, ""), ""),
		BOARD(PANEL(1, "One", 0, "") ", " PANEL(2, "Two", 4, ", 'unit': 'new'") ", " PANEL(
			      3, "Three", 8, ""),
			""),
		BOARD(PANEL(1, "One", 0, "") ", " PANEL(3, "Three", 8, ""), ""),
		"Two: you took it away and cctm changed it: it stays away\n");
}

static void test_what_cctm_no_longer_has_goes_unless_somebody_changed_it(void **state)
{
	(void)state;
	check(BASE, BOARD(BASE_PANELS, ", 'refresh': '1m'"),
		BOARD(PANEL(1, "One", 0, "") ", " PANEL(3, "Three", 8, ""), ""),
		BOARD(PANEL(1, "One", 0, "") ", " PANEL(3, "Three", 8, ""), ", 'refresh': '1m'"),
		NULL);
	check(BASE,
		BOARD(PANEL(1, "One", 0, "") ", " PANEL(2, "Two", 4, ", 'unit': 'mine'") ", " PANEL(
			      3, "Three", 8, ""),
			""),
		BOARD(PANEL(1, "One", 0, "") ", " PANEL(3, "Three", 4, ""), ""),
		/* Below those of cctm, which moved together. */
		BOARD(PANEL(1, "One", 0, "") ", " PANEL(3, "Three", 4, "") ", " PANEL(
			      2, "Two", 8, ", 'unit': 'mine'"),
			""),
		"Two: you changed it and cctm no longer has it: yours stays\n");
}

static void test_panels_that_are_numbered_anew_are_known_again(void **state)
{
	(void)state;
	check(BASE,
		BOARD(PANEL(1, "One", 0, "") ", " PANEL(2, "Two", 4, ", 'unit': 'mine'") ", " PANEL(
			      3, "Three", 8, ""),
			""),
		BOARD(PANEL(1, "One", 0, "") ", " PANEL(2, "New", 4, "") ", " PANEL(
			      3, "Two", 8, "") ", " PANEL(4, "Three", 12, ""),
			""),
		BOARD(PANEL(1, "One", 0, "") ", " PANEL(2, "New", 4, "") ", " PANEL(
			      3, "Two", 8, ", 'unit': 'mine'") ", " PANEL(4, "Three", 12, ""),
			""),
		NULL);
}

static void test_a_number_that_the_page_gave_again_is_another_panel(void **state)
{
	(void)state;
	check(BASE,
		BOARD(PANEL(1, "One", 0, "") ", " PANEL(2, "Two", 4, "") ", " PANEL(
			      3, "Mine", 8, ""),
			""),
		BOARD(PANEL(1, "One", 0, "") ", " PANEL(2, "Two", 4, "") ", " PANEL(
			      3, "Three", 8, ", 'unit': 'new'"),
			""),
		BOARD(PANEL(1, "One", 0, "") ", " PANEL(2, "Two", 4, "") ", " PANEL(
			      3, "Mine", 8, ""),
			""),
		"Three: you took it away and cctm changed it: it stays away\n");
}

static void test_a_layout_of_ones_own_stays_and_new_panels_lie_below(void **state)
{
	(void)state;
	check(BASE,
		BOARD(PANEL(2, "Two", 0, "") ", " PANEL(1, "One", 4, "") ", " PANEL(
			      3, "Three", 8, ""),
			""),
		BOARD(PANEL(1, "One", 0, "") ", " PANEL(4, "New", 4, "") ", " PANEL(5, "Next", 8,
			      "") ", " PANEL(2, "Two", 12, "") ", " PANEL(3, "Three", 16, ""),
			""),
		BOARD(PANEL(2, "Two", 0, "") ", " PANEL(1, "One", 4, "") ", " PANEL(3, "Three", 8,
			      "") ", " PANEL(4, "New", 12, "") ", " PANEL(5, "Next", 16, ""),
			""),
		NULL);
}

static void test_without_one_the_layout_is_cctms(void **state)
{
	(void)state;
	check(BASE, BOARD(BASE_PANELS, ", 'refresh': '1m'"),
		BOARD(PANEL(3, "Three", 0, "") ", " PANEL(1, "One", 4, "") ", " PANEL(
			      2, "Two", 8, ""),
			""),
		BOARD(PANEL(3, "Three", 0, "") ", " PANEL(1, "One", 4, "") ", " PANEL(
			      2, "Two", 8, ""),
			", 'refresh': '1m'"),
		NULL);
}

#define ROW(y, collapsed, panels)                                          \
	"{'id': 9, 'type': 'row', 'title': 'Row', 'collapsed': " collapsed \
	", 'gridPos': {'x': 0, "                                           \
	"'y': " #y ", 'w': 24, 'h': 1}, 'panels': [" panels "]}"

static void test_a_panel_is_known_in_and_out_of_a_folded_row(void **state)
{
	(void)state;
	check(BOARD(PANEL(1, "One", 0, "") ", " ROW(4, "true", PANEL(2, "Two", 5, "")), ""),
		/* Opened in the page. */
		BOARD(PANEL(1, "One", 0, "") ", " ROW(4, "false", "") ", " PANEL(2, "Two", 5, ""),
			""),
		BOARD(PANEL(1, "One", 0, "") ", " ROW(4, "true",
			      PANEL(2, "Two", 5, ", 'unit': 'new'") ", " PANEL(3, "New", 9, "")),
			""),
		BOARD(PANEL(1, "One", 0, "") ", " ROW(4, "false", "") ", " PANEL(
			      2, "Two", 5, ", 'unit': 'new'") ", " PANEL(3, "New", 9, ""),
			""),
		NULL);
	/* And folded up in the page: what is new in it lies in it. */
	check(BOARD(ROW(0, "true", PANEL(1, "One", 1, "")), ""),
		BOARD(ROW(3, "true", PANEL(1, "One", 4, "")), ""),
		BOARD(ROW(0, "true", PANEL(1, "One", 1, "") ", " PANEL(2, "New", 5, "")), ""),
		BOARD(ROW(3, "true", PANEL(1, "One", 4, "") ", " PANEL(2, "New", 8, "")), ""),
		NULL);
}

static void test_panels_in_a_row_that_goes_come_out_of_it(void **state)
{
	(void)state;
	check(BOARD(PANEL(1, "One", 0, "") ", " ROW(4, "true", ""), ""),
		BOARD(PANEL(1, "One", 0, "") ", " ROW(4, "true", PANEL(2, "Mine", 5, "")), ""),
		BOARD(PANEL(1, "One", 0, ""), ""),
		BOARD(PANEL(1, "One", 0, "") ", " PANEL(2, "Mine", 4, ""), ""), NULL);
}

static void test_another_type_of_panel_is_not_mixed_with_the_options_of_the_former(void **state)
{
	(void)state;
	check(BOARD("{'id': 1, 'type': 'stat', 'title': 'T', 'options': {'a': 1}}", ""),
		BOARD("{'id': 1, 'type': 'gauge', 'title': 'T', 'options': {'b': 1}, 'gridPos': "
		      "{'x': 0, "
		      "'y': 0, 'w': 1, 'h': 1}}",
			""),
		BOARD("{'id': 1, 'type': 'stat', 'title': 'T', 'options': {'a': 2}}", ""),
		BOARD("{'id': 1, 'type': 'gauge', 'title': 'T', 'options': {'b': 1}, 'gridPos': "
		      "{'x': 0, "
		      "'y': 0, 'w': 1, 'h': 1}}",
			""),
		"T: you and cctm made another panel of it: yours stays\n");
}

/* ---- what holds for all ---- */

static unsigned random_below(unsigned n)
{
	return (unsigned)rand() % n;
}

static json_int_t bottom_of(const json_t *panels)
{
	json_int_t bottom = 0;
	for (size_t i = 0; i < json_array_size(panels); i++) {
		const json_t *at = json_object_get(json_array_get(panels, i), "gridPos");
		json_int_t end = json_integer_value(json_object_get(at, "y")) +
				 json_integer_value(json_object_get(at, "h"));
		bottom = end > bottom ? end : bottom;
	}
	return bottom;
}

static void add_panel(json_t *board, const char *side)
{
	static json_int_t made;
	json_t *panels = json_object_get(board, "panels");
	json_int_t id = 1;
	for (size_t i = 0; i < json_array_size(panels); i++) {
		json_int_t its =
			json_integer_value(json_object_get(json_array_get(panels, i), "id"));
		id = its >= id ? its + 1 : id;
	}
	AUTO(str) char *title = mem_printf("%s %lld", side, (long long)++made);
	json_array_append_new(panels,
		json_pack("{s:I, s:s, s:s, s:{s:i, s:I, s:i, s:i}, s:[{s:s, s:s}]}", "id", id,
			"type", "stat", "title", title, "gridPos", "x", (int)random_below(12), "y",
			bottom_of(panels), "w", 1 + (int)random_below(12), "h",
			1 + (int)random_below(5), "targets", "refId", "A", "expr", title));
}

/* As people and cctm change dashboards. */
static void change(json_t *board, const char *side)
{
	json_t *panels = json_object_get(board, "panels");
	size_t count = json_array_size(panels), i = count ? random_below((unsigned)count) : 0;
	json_t *panel = json_array_get(panels, i);
	AUTO(str) char *text = mem_printf("%s %u", side, random_below(3));
	switch (count ? random_below(5) : 0) {
	case 0:
		add_panel(board, side);
		break;
	case 1:
		json_array_remove(panels, i);
		break;
	case 2:
		json_object_set_new(panel, "description", json_string(text));
		break;
	case 3:
		json_object_set_new(
			json_object_get(panel, "gridPos"), "y", json_integer(bottom_of(panels)));
		break;
	default:
		json_object_set_new(
			board, random_below(2) ? "refresh" : "timezone", json_string(text));
	}
}

static json_t *changed(json_t *board, const char *side, unsigned changes)
{
	json_t *copy = json_deep_copy(board);
	while (changes--)
		change(copy, side);
	return copy;
}

static bool has_title(const json_t *panels, const char *title)
{
	for (size_t i = 0; i < json_array_size(panels); i++) {
		const json_t *its = json_object_get(json_array_get(panels, i), "title");
		if (strcmp(json_string_value(its), title) == 0)
			return true;
	}
	return false;
}

static void check_same(const json_t *got, const json_t *wanted, const char *what)
{
	if (json_equal(got, wanted) == 1)
		return;
	AUTO(str) char *left = json_dumps(got, JSON_SORT_KEYS);
	AUTO(str) char *right = json_dumps(wanted, JSON_SORT_KEYS);
	fail_msg("%s:\n%s\n%s", what, left, right);
}

static void check_merge(
	json_t *base, json_t *mine, json_t *theirs, json_t *wanted, const char *what)
{
	AUTO(dashboard_merge) struct dashboard_merge merge = { 0 };
	dashboard_merge(base, mine, theirs, &merge);
	check_same(merge.model, wanted, what);
}

static json_int_t at(const json_t *panel, const char *key)
{
	return json_integer_value(json_object_get(json_object_get(panel, "gridPos"), key));
}

static void check_panels(const json_t *panels)
{
	for (size_t i = 0; i < json_array_size(panels); i++) {
		for (size_t k = 0; k < i; k++) {
			const json_t *a = json_array_get(panels, i), *b = json_array_get(panels, k);
			if (json_equal(json_object_get(a, "id"), json_object_get(b, "id")) == 1)
				fail_msg("two panels have one number");
			if (at(a, "x") < at(b, "x") + at(b, "w") &&
				at(b, "x") < at(a, "x") + at(a, "w") &&
				at(a, "y") < at(b, "y") + at(b, "h") &&
				at(b, "y") < at(a, "y") + at(a, "h"))
				fail_msg("two panels lie on one another");
		}
	}
}

static void check_one(json_t *base, json_t *mine, json_t *theirs)
{
	AUTO(dashboard_merge) struct dashboard_merge merge = { 0 };
	dashboard_merge(base, mine, theirs, &merge);
	check_merge(base, base, theirs, theirs, "nothing of mine");
	check_merge(base, mine, base, mine, "nothing of theirs");
	check_merge(base, mine, mine, mine, "both the same");
	check_merge(theirs, merge.model, theirs, merge.model, "merged, and nothing new");
	check_merge(base, merge.model, theirs, merge.model, "merged once more");
	const json_t *panels = json_object_get(merge.model, "panels");
	check_panels(panels);
	for (size_t i = 0; i < json_array_size(json_object_get(mine, "panels")); i++) {
		const char *title = json_string_value(json_object_get(
			json_array_get(json_object_get(mine, "panels"), i), "title"));
		if (strncmp(title, "mine", 4) == 0 && !has_title(panels, title))
			fail_msg("\"%s\" is lost", title);
	}
}

static void test_what_a_merge_promises_holds_for_thousands(void **state)
{
	(void)state;
	srand(20261125);
	for (int i = 0; i < 3000; i++) {
		json_t *none = parse("{'uid': 'x', 'title': 'Board', 'panels': []}");
		json_t *base = changed(none, "base", random_below(12));
		json_t *mine = changed(base, "mine", random_below(8));
		json_t *theirs = changed(base, "theirs", random_below(8));
		check_one(base, mine, theirs);
		json_decref(none);
		json_decref(base);
		json_decref(mine);
		json_decref(theirs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_one_side_changed_is_taken),
		cmocka_unit_test(test_where_both_changed_mine_stays_and_is_named_by_panel),
		cmocka_unit_test(test_lists_are_merged_by_what_tells_their_elements_apart),
		cmocka_unit_test(test_the_choice_of_a_variable_stays_whole),
		cmocka_unit_test(test_lists_that_are_not_told_apart_are_one_value),
		cmocka_unit_test(test_the_older_schema_is_kept_for_the_page_to_bring_up_to_date),
		cmocka_unit_test(test_panels_of_both_sides_are_there),
		cmocka_unit_test(test_a_panel_that_shows_another_follows_its_number),
		cmocka_unit_test(test_what_was_put_away_stays_away),
		cmocka_unit_test(test_what_cctm_no_longer_has_goes_unless_somebody_changed_it),
		cmocka_unit_test(test_panels_that_are_numbered_anew_are_known_again),
		cmocka_unit_test(test_a_number_that_the_page_gave_again_is_another_panel),
		cmocka_unit_test(test_a_layout_of_ones_own_stays_and_new_panels_lie_below),
		cmocka_unit_test(test_without_one_the_layout_is_cctms),
		cmocka_unit_test(test_a_panel_is_known_in_and_out_of_a_folded_row),
		cmocka_unit_test(test_panels_in_a_row_that_goes_come_out_of_it),
		cmocka_unit_test(
			test_another_type_of_panel_is_not_mixed_with_the_options_of_the_former),
		cmocka_unit_test(test_what_a_merge_promises_holds_for_thousands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
