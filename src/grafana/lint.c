#include "grafana/lint.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/str.h"
#include "grafana/lint_internal.h"

#define DEPTH_MAX     8
#define PANELS_MAX    2000
#define GRID_WIDTH    24
#define PLACE_MAX     100000 /* Grafana's own are far below */
#define QUERIES_MAX   3
#define VARIABLES_MAX 200 /* for which the whole text is searched */

const struct lint_rule lint_rules[] = {
	[RULE_TOTAL] = { "total",
		"increase() and its relatives over a counter of sessions miss the first value of "
		"each, which is all of a short one",
		true },
	[RULE_RAW] = { "raw-counter",
		"a counter added up as it stands falls when sessions are no longer shown", true },
	[RULE_COUNTED] = { "counted",
		"what the rules counted is there only in minutes in which something was: nothing "
		"but sum_over_time() reads it right",
		true },
	[RULE_METRIC] = { "metric", "Claude Code has no such metric", true },
	[RULE_SESSION] = { "session-label", "what the rules counted knows no sessions", true },
	[RULE_LABEL] = { "label", "what the rules counted does not keep the label", false },
	[RULE_VARIABLE] = { "variable", "a variable is used that the dashboard has not", true },
	[RULE_PANEL] = { "panel-type", "Grafana 12 has no panel of that type", true },
	[RULE_ID] = { "panel-id", "two panels have the same number", true },
	[RULE_OVERLAP] = { "overlap", "two panels lie on each other, or one leaves the grid",
		false },
	[RULE_SOURCE] = { "datasource",
		"the datasource is fixed, so the dashboard works in one Grafana only", false },
	[RULE_UNUSED] = { "unused-variable", "a variable is chosen by and changes nothing", false },
	[RULE_QUERIES] = { "queries",
		"a panel asks more than three queries, or one too long to read", false },
	[RULE_WORDS] = { "words", "a panel does not say what it counts", false },
	[RULE_HOLE] = { "hole", "the grid has holes", false },
};
const size_t lint_rule_count = sizeof lint_rules / sizeof *lint_rules;

void lint_add(struct lint *out, enum rule rule, const char *panel, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	out->items = mem_grow(out->items, &out->room, out->count + 1, sizeof *out->items);
	out->items[out->count++] = (struct lint_finding){ .rule = lint_rules[rule].name,
		.is_error = lint_rules[rule].is_error,
		.panel = panel ? mem_strdup(panel) : NULL,
		.text = buf_detach(&text) };
	out->errors += lint_rules[rule].is_error;
}

static const char *field(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

/* ---- variables ---- */

static bool has_variable(const json_t *model, const char *name, size_t len)
{
	const json_t *list = json_object_get(json_object_get(model, "templating"), "list");
	if (len >= 2 && strncmp(name, "__", 2) == 0)
		return true;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *its_name = field(json_array_get(list, i), "name");
		if (strlen(its_name) == len && strncmp(its_name, name, len) == 0)
			return true;
	}
	return false;
}

/* $name, ${name} and ${name:format}; $1 is of a regular expression. */
static void read_variables(
	struct lint *out, const json_t *model, const char *panel, const char *text)
{
	for (const char *at = strchr(text, '$'); at; at = strchr(at + 1, '$')) {
		const char *name = at + 1 + (at[1] == '{');
		size_t len = 0;
		while (isalnum((unsigned char)name[len]) || name[len] == '_')
			len++;
		if (len && !isdigit((unsigned char)*name) && !has_variable(model, name, len))
			lint_add(out, RULE_VARIABLE, panel,
				"$%.*s is no variable of this dashboard", (int)len, name);
	}
}

static bool is_used(const char *text, const char *name)
{
	static const char *const begins[] = { "$", "${", "[[" };
	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
		AUTO(str) char *word = mem_printf("%s%s", begins[i], name);
		for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
			char next = at[strlen(word)];
			if (!isalnum((unsigned char)next) && next != '_')
				return true;
		}
	}
	return false;
}

/* What variables ask for themselves, and whether anything asks for them. */
static void check_variables(struct lint *out, const json_t *model, enum lint_depth depth)
{
	const json_t *list = json_object_get(json_object_get(model, "templating"), "list");
	AUTO(str) char *text = depth == LINT_STRICT ? json_dumps(model, 0) : NULL;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *variable = json_array_get(list, i);
		const json_t *query = json_object_get(variable, "query");
		const char *asked =
			json_is_object(query) ? field(query, "query") : field(variable, "query");
		AUTO(str) char *name = mem_printf("variable %s", field(variable, "name"));
		if (strcmp(field(variable, "type"), "query") == 0) {
			lint_promql(out, name, asked);
			read_variables(out, model, name, asked);
		}
		if (text && i < VARIABLES_MAX && *field(variable, "name") &&
			!is_used(text, field(variable, "name")))
			lint_add(out, RULE_UNUSED, NULL, "nothing uses the variable $%s",
				field(variable, "name"));
	}
}

static void check_marks(struct lint *out, const json_t *model)
{
	const json_t *list = json_object_get(json_object_get(model, "annotations"), "list");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *mark = json_array_get(list, i);
		AUTO(str) char *name = mem_printf("annotation %s", field(mark, "name"));
		lint_promql(out, name, field(mark, "expr"));
		read_variables(out, model, name, field(mark, "expr"));
	}
}

/* ---- panels ---- */

struct seen {
	enum lint_depth depth;
	int64_t ids[PANELS_MAX];
	const json_t *panels[PANELS_MAX];
	const json_t *owners
		[PANELS_MAX]; /* the list that each stands in: a row's has places of its own */
	size_t count;
};

static void check_type(struct lint *out, const json_t *panel)
{
	static const char *const gone[] = { "graph", "singlestat", "table-old",
		"grafana-piechart-panel", "grafana-worldmap-panel", "grafana-singlestat-panel" };
	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
		if (strcmp(field(panel, "type"), gone[i]) == 0)
			lint_add(out, RULE_PANEL, field(panel, "title"),
				"its type \"%s\" is one of Angular, which Grafana 12 has not",
				gone[i]);
	}
}

/* Of a panel or one of its queries. */
static void check_source(struct lint *out, const json_t *panel, const json_t *asking)
{
	const json_t *source = json_object_get(asking, "datasource");
	const char *uid = json_is_object(source) ? field(source, "uid") : "";
	if (*uid && *uid != '$' && !str_has_prefix(uid, "-- "))
		lint_add(out, RULE_SOURCE, field(panel, "title"),
			"its datasource is always %.60s; a variable lets people choose", uid);
}

static int64_t place(const json_t *panel, const char *name)
{
	int64_t value =
		json_integer_value(json_object_get(json_object_get(panel, "gridPos"), name));
	return value < 0 ? 0 : value > PLACE_MAX ? PLACE_MAX : value;
}

static bool overlap(const json_t *a, const json_t *b)
{
	return place(a, "x") < place(b, "x") + place(b, "w") &&
	       place(b, "x") < place(a, "x") + place(a, "w") &&
	       place(a, "y") < place(b, "y") + place(b, "h") &&
	       place(b, "y") < place(a, "y") + place(a, "h");
}

static void check_place(
	struct lint *out, struct seen *seen, const json_t *panel, const json_t *owner)
{
	int64_t id = json_integer_value(json_object_get(panel, "id"));
	if (seen->count == PANELS_MAX)
		return;
	if (place(panel, "x") + place(panel, "w") > GRID_WIDTH)
		lint_add(out, RULE_OVERLAP, field(panel, "title"),
			"it leaves the grid of 24 columns");
	for (size_t i = 0; i < seen->count; i++) {
		if (id && seen->ids[i] == id)
			lint_add(out, RULE_ID, field(panel, "title"),
				"it has the number %lld of \"%s\"", (long long)id,
				field(seen->panels[i], "title"));
		if (owner == seen->owners[i] && overlap(panel, seen->panels[i]))
			lint_add(out, RULE_OVERLAP, field(panel, "title"), "it lies on \"%s\"",
				field(seen->panels[i], "title"));
	}
	seen->ids[seen->count] = id;
	seen->owners[seen->count] = owner;
	seen->panels[seen->count++] = panel;
}

/* What panels cover, against the rectangle that they span; of panels that lie on each other another rule speaks. */
static void check_holes(struct lint *out, const json_t *panels, const char *row)
{
	int64_t covered = 0, top = PLACE_MAX, bottom = 0;
	for (size_t i = 0; i < json_array_size(panels); i++) {
		const json_t *panel = json_array_get(panels, i);
		int64_t y = place(panel, "y"), height = place(panel, "h");
		covered += place(panel, "w") * height;
		top = y < top ? y : top;
		bottom = y + height > bottom ? y + height : bottom;
	}
	if (json_array_size(panels) && covered < GRID_WIDTH * (bottom - top))
		lint_add(out, RULE_HOLE, row, "%lld cells of the grid between its panels are empty",
			(long long)(GRID_WIDTH * (bottom - top) - covered));
}

/* A panel says what it counts, in which unit, and what it means when there is nothing to show. */
static void check_words(struct lint *out, const json_t *panel)
{
	const json_t *defaults = json_object_get(json_object_get(panel, "fieldConfig"), "defaults");

	const struct {
		const char *text, *what;
	} needed[] = {
		{ field(panel, "title"), "title" },
		{ field(panel, "description"), "description of what it counts" },
		{ field(defaults, "unit"), "unit" },
		{ field(defaults, "noValue"), "text for when there is nothing to show" },
	};

	if (json_array_size(json_object_get(panel, "targets")) == 0)
		return;
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
		if (!*needed[i].text)
			lint_add(out, RULE_WORDS, field(panel, "title"), "it has no %s",
				needed[i].what);
	}
}

static void check_queries(struct lint *out, const json_t *model, const json_t *panel)
{
	const json_t *targets = json_object_get(panel, "targets");
	for (size_t i = 0; i < json_array_size(targets); i++) {
		const json_t *target = json_array_get(targets, i);
		const char *expression = field(target, "expr");
		check_source(out, panel, target);
		read_variables(out, model, field(panel, "title"), expression);
		if (strcmp(field(json_object_get(target, "datasource"), "type"), "loki") != 0)
			lint_promql(out, field(panel, "title"), expression);
	}
}

static void check_panels(
	struct lint *out, const json_t *model, const json_t *panels, struct seen *seen, int depth)
{
	for (size_t i = 0; depth < DEPTH_MAX && i < json_array_size(panels); i++) {
		const json_t *panel = json_array_get(panels, i);
		const json_t *inner = json_object_get(panel, "panels");
		check_type(out, panel);
		check_source(out, panel, panel);
		check_place(out, seen, panel, panels);
		check_queries(out, model, panel);
		check_panels(out, model, inner, seen, depth + 1);
		if (seen->depth != LINT_STRICT)
			continue;
		check_words(out, panel);
		check_holes(out, inner, field(panel, "title"));
		if (json_array_size(json_object_get(panel, "targets")) > QUERIES_MAX)
			lint_add(out, RULE_QUERIES, field(panel, "title"), "it asks %zu queries",
				json_array_size(json_object_get(panel, "targets")));
	}
}

void lint_dashboard(const json_t *model, enum lint_depth depth, struct lint *out)
{
	*out = (struct lint){ 0 };
	struct seen *seen = mem_zalloc(sizeof *seen);
	seen->depth = depth;
	check_variables(out, model, depth);
	check_marks(out, model);
	check_panels(out, model, json_object_get(model, "panels"), seen, 0);
	if (depth == LINT_STRICT)
		check_holes(out, json_object_get(model, "panels"), NULL);
	free(seen);
}

void lint_clear(struct lint *lint)
{
	for (size_t i = 0; i < lint->count; i++) {
		free(lint->items[i].panel);
		free(lint->items[i].text);
	}
	free(lint->items);
	*lint = (struct lint){ 0 };
}
