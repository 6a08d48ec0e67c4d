#include "grafana/lint.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "claude/catalogue.h"
#include "core/buf.h"
#include "core/mem.h"
#include "core/str.h"

#define PREFIX	   "claude_code_"
#define DEPTH_MAX  8
#define PANELS_MAX 2000
#define GRID_WIDTH 24

enum rule {
	RULE_TOTAL,
	RULE_RAW,
	RULE_METRIC,
	RULE_VARIABLE,
	RULE_PANEL,
	RULE_ID,
	RULE_OVERLAP,
	RULE_SOURCE
};

const struct lint_rule lint_rules[] = {
	[RULE_TOTAL] = { "total",
		"increase() and its relatives over a counter of sessions miss the first value of "
		"each, which is all of a short one",
		true },
	[RULE_RAW] = { "raw-counter",
		"a counter added up as it stands falls when sessions are no longer shown", true },
	[RULE_METRIC] = { "metric", "Claude Code has no such metric", true },
	[RULE_VARIABLE] = { "variable", "a variable is used that the dashboard has not", true },
	[RULE_PANEL] = { "panel-type", "Grafana 12 has no panel of that type", true },
	[RULE_ID] = { "panel-id", "two panels have the same number", true },
	[RULE_OVERLAP] = { "overlap", "two panels lie on each other, or one leaves the grid",
		false },
	[RULE_SOURCE] = { "datasource",
		"the datasource is fixed, so the dashboard works in one Grafana only", false },
};
const size_t lint_rule_count = sizeof lint_rules / sizeof *lint_rules;

static void PRINTF(4, 5)
	add(struct lint *out, enum rule rule, const char *panel, const char *fmt, ...)
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

/* ---- expressions ---- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == ':';
}

/* Behind the metric's name: "_total", ":counted", "_bucket:counted". False: it is no series of the metric. *tail is the
 * length of what is not in the names of its rules. */
static bool is_suffix_of(const struct catalogue_row *metric, const char *suffix, size_t *tail)
{
	static const char *const parts[] = { "_bucket", "_count", "_sum" };
	const char *rest = metric->is_histogram ? NULL : suffix;
	for (size_t i = 0; !rest && i < sizeof parts / sizeof *parts; i++) {
		if (str_has_prefix(suffix, parts[i]))
			rest = suffix + strlen(parts[i]);
	}
	*tail = rest ? strlen(rest) : 0;
	return rest && (!*rest || strcmp(rest, ":seen") == 0 || strcmp(rest, ":counted") == 0 ||
			       (!metric->is_histogram && strcmp(rest, "_total") == 0));
}

/* "claude_code_cost_usage_USD" of "claude_code_cost_usage_USD_total"; NULL: the catalogue has no such metric. Yours. */
static char *known_series(const char *word, size_t len)
{
	for (size_t i = 0; i < catalogue_count; i++) {
		if (catalogue[i].kind != CATALOGUE_METRIC)
			continue;
		AUTO(str) char *series = catalogue_series(&catalogue[i]);
		size_t own = strlen(series), tail;
		if (len < own || strncmp(word, series, own) != 0)
			continue;
		AUTO(str) char *suffix = mem_strndup(word + own, len - own);
		if (is_suffix_of(&catalogue[i], suffix, &tail))
			return mem_strndup(word, len - tail);
	}
	return NULL;
}

/* The functions around a place: the names in front of the parentheses that are open there. */
#define OPEN_MAX 64

struct calls {
	const char *names[OPEN_MAX];
	size_t lens[OPEN_MAX], count;
};

static bool calls_any(const struct calls *calls, const char *const *names)
{
	for (size_t i = 0; i < calls->count; i++) {
		for (size_t j = 0; names[j]; j++) {
			if (calls->lens[i] == strlen(names[j]) &&
				strncmp(calls->names[i], names[j], calls->lens[i]) == 0)
				return true;
		}
	}
	return false;
}

static void judge_counter(struct lint *out, const char *panel, const struct calls *calls,
	const char *word, size_t len, const char *series)
{
	static const char *const rises[] = { "increase", "rate", "irate", "delta", "idelta", NULL };
	static const char *const spans[] = { "last_over_time", "max_over_time", "count_over_time",
		"timestamp", "absent", "label_values", NULL };
	static const char *const sums[] = { "sum", "avg", "topk", "sort_desc", NULL };
	bool is_recorded = memchr(word, ':', len) != NULL;
	if (is_recorded)
		return;
	if (calls_any(calls, rises))
		add(out, RULE_TOTAL, panel,
			"increase() or rate() over %.*s shows too little: add "
			"sum_over_time(%s:counted"
			"[…]) instead",
			(int)len, word, series);
	else if (calls_any(calls, sums) && !calls_any(calls, spans))
		add(out, RULE_RAW, panel,
			"%.*s is added up as it stands: sum_over_time(%s:counted[…]) does not fall",
			(int)len, word, series);
}

static void read_word(struct lint *out, const char *panel, const struct calls *calls,
	const char *word, size_t len)
{
	if (!str_has_prefix(word, PREFIX))
		return;
	AUTO(str) char *series = known_series(word, len);
	if (series)
		judge_counter(out, panel, calls, word, len, series);
	else
		add(out, RULE_METRIC, panel,
			"%.*s is no metric of Claude Code, nor recorded from one", (int)len, word);
}

/* Past a string in quotes. */
static const char *skip_string(const char *at)
{
	char quote = *at++;
	while (*at && *at != quote)
		at += *at == '\\' && at[1] ? 2 : 1;
	return *at ? at + 1 : at;
}

static void open_call(struct calls *calls, const char *name, size_t len)
{
	if (calls->count == OPEN_MAX)
		return;
	calls->names[calls->count] = name;
	calls->lens[calls->count++] = len;
}

static void read_expression(struct lint *out, const char *panel, const char *expression)
{
	struct calls calls = { .count = 0 };
	const char *last = "";
	size_t last_len = 0;
	for (const char *at = expression; *at;) {
		if (*at == '"' || *at == '\'' || *at == '`') {
			at = skip_string(at);
		} else if (is_word(*at)) {
			size_t len = 0;
			while (is_word(at[len]))
				len++;
			read_word(out, panel, &calls, at, len);
			/* "sum by (x) (…)": what is called is in front of the grouping. */
			bool is_grouping = (len == 2 && strncmp(at, "by", 2) == 0) ||
					   (len == 7 && strncmp(at, "without", 7) == 0);
			if (!is_grouping) {
				last = at;
				last_len = len;
			}
			at += len;
		} else {
			if (*at == '(')
				open_call(&calls, last, last_len);
			if (*at == ')' && calls.count) {
				calls.count--;
				last = calls.names[calls.count];
				last_len = calls.lens[calls.count];
			}
			at++;
		}
	}
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
			add(out, RULE_VARIABLE, panel, "$%.*s is no variable of this dashboard",
				(int)len, name);
	}
}

/* ---- panels ---- */

struct seen {
	int64_t ids[PANELS_MAX];
	const json_t *panels[PANELS_MAX];
	bool is_inside[PANELS_MAX]; /* of a row, where places are of their own */
	size_t count;
};

static void check_type(struct lint *out, const json_t *panel)
{
	static const char *const gone[] = { "graph", "singlestat", "table-old",
		"grafana-piechart-panel", "grafana-worldmap-panel", "grafana-singlestat-panel" };
	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
		if (strcmp(field(panel, "type"), gone[i]) == 0)
			add(out, RULE_PANEL, field(panel, "title"),
				"its type \"%s\" is one of Angular, which Grafana 12 has not",
				gone[i]);
	}
}

static void check_source(struct lint *out, const json_t *panel)
{
	const json_t *source = json_object_get(panel, "datasource");
	const char *uid = json_is_object(source) ? field(source, "uid") : "";
	if (*uid && *uid != '$' && !str_has_prefix(uid, "-- "))
		add(out, RULE_SOURCE, field(panel, "title"),
			"its datasource is always %.60s; a variable lets people choose", uid);
}

static int64_t place(const json_t *panel, const char *name)
{
	return json_integer_value(json_object_get(json_object_get(panel, "gridPos"), name));
}

static bool overlap(const json_t *a, const json_t *b)
{
	return place(a, "x") < place(b, "x") + place(b, "w") &&
	       place(b, "x") < place(a, "x") + place(a, "w") &&
	       place(a, "y") < place(b, "y") + place(b, "h") &&
	       place(b, "y") < place(a, "y") + place(a, "h");
}

static void check_place(struct lint *out, struct seen *seen, const json_t *panel, bool is_inside)
{
	int64_t id = json_integer_value(json_object_get(panel, "id"));
	if (seen->count == PANELS_MAX)
		return;
	if (place(panel, "x") + place(panel, "w") > GRID_WIDTH)
		add(out, RULE_OVERLAP, field(panel, "title"), "it leaves the grid of 24 columns");
	for (size_t i = 0; i < seen->count; i++) {
		if (id && seen->ids[i] == id)
			add(out, RULE_ID, field(panel, "title"), "it has the number %lld of \"%s\"",
				(long long)id, field(seen->panels[i], "title"));
		if (!is_inside && !seen->is_inside[i] && overlap(panel, seen->panels[i]))
			add(out, RULE_OVERLAP, field(panel, "title"), "it lies on \"%s\"",
				field(seen->panels[i], "title"));
	}
	seen->ids[seen->count] = id;
	seen->is_inside[seen->count] = is_inside;
	seen->panels[seen->count++] = panel;
}

static void check_panels(
	struct lint *out, const json_t *model, const json_t *panels, struct seen *seen, int depth)
{
	for (size_t i = 0; depth < DEPTH_MAX && i < json_array_size(panels); i++) {
		const json_t *panel = json_array_get(panels, i);
		const json_t *targets = json_object_get(panel, "targets");
		check_type(out, panel);
		check_source(out, panel);
		check_place(out, seen, panel, depth > 0);
		for (size_t j = 0; j < json_array_size(targets); j++) {
			const char *expression = field(json_array_get(targets, j), "expr");
			read_expression(out, field(panel, "title"), expression);
			read_variables(out, model, field(panel, "title"), expression);
		}
		check_panels(out, model, json_object_get(panel, "panels"), seen, depth + 1);
	}
}

void lint_dashboard(const json_t *model, struct lint *out)
{
	*out = (struct lint){ 0 };
	struct seen *seen = mem_zalloc(sizeof *seen);
	check_panels(out, model, json_object_get(model, "panels"), seen, 0);
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
