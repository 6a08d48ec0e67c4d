/* The report on a terminal: a headline, a table with a bar a row, and what the totals hold beside it.
 *
 * Every figure of the totals is in the lines below the table; the table shows as many columns as fit, in the
 * order of what people ask first. */
#include <math.h>
#include <stdlib.h>

#include "core/buf.h"
#include "core/out.h"
#include "core/table.h"
#include "core/text.h"
#include "core/zone.h"
#include "report/print.h"
#include "report/words.h"

#define BAR_CELLS 10
#define KEY_MAX	  40
#define USER_MAX  24

struct view {
	struct out *out;
	const struct report *report;
	const struct print_options *options;
	double largest; /* of the groups, by what the bar shows */
};

bool report_locale_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *value = getenv(names[i]);
		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

/* ---- cells: `group` is NULL for the totals ---- */

static const struct figures *figures_of(const struct view *v, const struct report_group *group)
{
	return group ? &group->figures : &v->report->totals;
}

static void add_unknown(const struct view *v, struct buf *cell)
{
	buf_adds(cell, v->options->is_utf8 ? "—" : "-");
}

static void add_count(const struct view *v, const struct report_group *group, enum figure figure,
	struct buf *cell)
{
	if (report_knows(v->report, figure))
		words_count(cell, figures_value(figures_of(v, group), figure));
	else
		add_unknown(v, cell);
}

static void cell_key(const struct view *v, const struct report_group *g, struct buf *cell)
{
	if (!g) {
		buf_adds(cell, "total");
		return;
	}
	words_key(cell, g->key, KEY_MAX, v->options->is_utf8);
	if (g->is_unknown)
		buf_adds(cell, " ?");
	else if (g->lost_events > 0)
		buf_adds(cell, " *");
}

static void cell_user(const struct view *v, const struct report_group *g, struct buf *cell)
{
	if (g)
		words_key(cell, g->user, USER_MAX, v->options->is_utf8);
}

static void cell_start(const struct view *v, const struct report_group *g, struct buf *cell)
{
	if (!g)
		return;
	if (!*g->key) {
		add_unknown(v, cell);
		return;
	}
	struct tm civil = zone_civil(g->start_ms);
	char text[ZONE_TEXT_MAX];
	strftime(text, sizeof text, "%m-%d %H:%M", &civil);
	buf_adds(cell, text);
}

static void cell_cost(const struct view *v, const struct report_group *g, struct buf *cell)
{
	words_money(cell, figures_value(figures_of(v, g), FIGURE_COST));
}

static double bar_value(const struct report *r, const struct figures *f)
{
	return r->by == BY_TYPE ? figures_tokens(f) : figures_value(f, FIGURE_COST);
}

static void cell_bar(const struct view *v, const struct report_group *g, struct buf *cell)
{
	if (g && v->largest > 0)
		words_bar(cell, bar_value(v->report, &g->figures) / v->largest, BAR_CELLS,
			v->options->is_utf8);
}

static void cell_share(const struct view *v, const struct report_group *g, struct buf *cell)
{
	double all = figures_tokens(&v->report->totals);
	double part = figures_tokens(figures_of(v, g));
	buf_addf(cell, "%.1f%%", all > 0 ? 100 * part / all : 0);
}

static void cell_tokens(const struct view *v, const struct report_group *g, struct buf *cell)
{
	words_count(cell, figures_tokens(figures_of(v, g)));
}

static void cell_active(const struct view *v, const struct report_group *g, struct buf *cell)
{
	const struct figures *f = figures_of(v, g);
	words_seconds(
		cell, figures_value(f, FIGURE_ACTIVE_CLI) + figures_value(f, FIGURE_ACTIVE_USER));
}

static void cell_lines(const struct view *v, const struct report_group *g, struct buf *cell)
{
	const struct figures *f = figures_of(v, g);
	buf_addc(cell, '+');
	words_count(cell, figures_value(f, FIGURE_ADDED));
	buf_adds(cell, " -");
	words_count(cell, figures_value(f, FIGURE_REMOVED));
}

/* ---- columns ---- */

#define FOR(by)	     (1u << (by))
#define FOR_ALL	     (~0u)
#define FOR_USUAL    (FOR_ALL & ~FOR(BY_TYPE))
#define FOR_SESSIONS (FOR_USUAL & ~FOR(BY_SESSION) & ~FOR(BY_MODEL))
#define FOR_NO_MODEL (FOR_USUAL & ~FOR(BY_MODEL)) /* figures that no model comes with */

struct column {
	const char *title; /* NULL: the name of the grouping */
	enum table_align align;
	unsigned rank; /* the highest goes first when the terminal is narrow; 0 stays */
	unsigned groupings;
	enum figure figure; /* shown as a count, where `cell` is NULL */
	void (*cell)(const struct view *v, const struct report_group *g, struct buf *cell);
};

static const struct column columns[] = {
	{ NULL, TABLE_LEFT, 0, FOR_ALL, FIGURE_NONE, cell_key },
	{ "user", TABLE_LEFT, 7, FOR(BY_SESSION), FIGURE_NONE, cell_user },
	{ "start", TABLE_LEFT, 2, FOR(BY_SESSION), FIGURE_NONE, cell_start },
	{ "cost", TABLE_RIGHT, 0, FOR_USUAL, FIGURE_NONE, cell_cost },
	{ "tokens", TABLE_RIGHT, 0, FOR(BY_TYPE), FIGURE_NONE, cell_tokens },
	{ "", TABLE_LEFT, 3, FOR_ALL, FIGURE_NONE, cell_bar },
	{ "share", TABLE_RIGHT, 4, FOR(BY_TYPE), FIGURE_NONE, cell_share },
	{ "input", TABLE_RIGHT, 1, FOR_USUAL, FIGURE_INPUT, NULL },
	{ "output", TABLE_RIGHT, 1, FOR_USUAL, FIGURE_OUTPUT, NULL },
	{ "cache read", TABLE_RIGHT, 4, FOR_USUAL, FIGURE_CACHE_READ, NULL },
	{ "cache write", TABLE_RIGHT, 5, FOR_USUAL, FIGURE_CACHE_CREATION, NULL },
	{ "sessions", TABLE_RIGHT, 6, FOR_SESSIONS, FIGURE_SESSIONS, NULL },
	{ "requests", TABLE_RIGHT, 8, FOR_USUAL, FIGURE_API_REQUESTS, NULL },
	{ "lines", TABLE_RIGHT, 9, FOR_USUAL, FIGURE_NONE, cell_lines },
	{ "commits", TABLE_RIGHT, 10, FOR_NO_MODEL, FIGURE_COMMITS, NULL },
	{ "active", TABLE_RIGHT, 11, FOR_NO_MODEL, FIGURE_NONE, cell_active },
};

#define COLUMN_COUNT (sizeof columns / sizeof *columns)
#define GAP	     2

/* A row of nothing but zeros, because its data is of another kind than the grouping, says nothing. */
static bool is_listed(const struct report *r, const struct report_group *g)
{
	const struct figures *f = &g->figures;
	if (r->by == BY_TYPE)
		return figures_tokens(f) > 0;
	if (r->by != BY_MODEL || *g->key)
		return true;
	return figures_tokens(f) > 0 || figures_value(f, FIGURE_COST) > 0 ||
	       figures_value(f, FIGURE_API_REQUESTS) > 0 ||
	       figures_value(f, FIGURE_ADDED) + figures_value(f, FIGURE_REMOVED) > 0;
}

static void fill_cell(const struct view *v, const struct column *column,
	const struct report_group *g, struct buf *cell)
{
	if (column->cell)
		column->cell(v, g, cell);
	else
		add_count(v, g, column->figure, cell);
}

static size_t cell_width(
	const struct view *v, const struct column *column, const struct report_group *g)
{
	AUTO(buf) struct buf cell = BUF_INIT(BUF_UNLIMITED);
	fill_cell(v, column, g, &cell);
	return text_width(buf_str(&cell));
}

static const char *title_of(const struct view *v, const struct column *column)
{
	return column->title ? column->title : report_by_names[v->report->by];
}

static size_t column_width(const struct view *v, const struct column *column)
{
	size_t widest = text_width(title_of(v, column));
	size_t total = cell_width(v, column, NULL);
	widest = total > widest ? total : widest;
	for (size_t i = 0; i < v->report->group_count; i++) {
		const struct report_group *g = v->report->groups[i];
		size_t width = is_listed(v->report, g) ? cell_width(v, column, g) : 0;
		widest = width > widest ? width : widest;
	}
	return widest;
}

/* Leaves columns out, the least asked first, until the rest fits. Returns how many stay. */
static size_t choose_columns(const struct view *v, const struct column **chosen)
{
	size_t widths[COLUMN_COUNT], count = 0, whole = 0;
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		if (!(columns[i].groupings & FOR(v->report->by)))
			continue;
		widths[count] = column_width(v, &columns[i]) + (count ? GAP : 0);
		whole += widths[count];
		chosen[count++] = &columns[i];
	}
	while (whole > v->options->width) {
		size_t worst = 0;
		for (size_t i = 1; i < count; i++)
			worst = chosen[i]->rank > chosen[worst]->rank ? i : worst;
		if (chosen[worst]->rank == 0)
			break;
		whole -= widths[worst];
		count--;
		for (size_t i = worst; i < count; i++) {
			chosen[i] = chosen[i + 1];
			widths[i] = widths[i + 1];
		}
	}
	return count;
}

static void add_row(const struct view *v, struct table *table, const struct column *const *chosen,
	size_t count, const struct report_group *group)
{
	for (size_t i = 0; i < count; i++) {
		AUTO(buf) struct buf cell = BUF_INIT(BUF_UNLIMITED);
		fill_cell(v, chosen[i], group, &cell);
		enum style style = !group ? STYLE_BOLD : STYLE_PLAIN;
		if (chosen[i]->cell == cell_bar)
			style = STYLE_CYAN;
		table_add(table, style, "%s", buf_str(&cell));
	}
}

static void print_table(const struct view *v)
{
	const struct column *chosen[COLUMN_COUNT];
	size_t count = choose_columns(v, chosen);
	struct table_column titles[COLUMN_COUNT];
	for (size_t i = 0; i < count; i++)
		titles[i] = (struct table_column){ title_of(v, chosen[i]), chosen[i]->align };
	AUTO(table) struct table *table = table_new(titles, count);
	for (size_t i = 0; i < v->report->group_count; i++) {
		if (is_listed(v->report, v->report->groups[i]))
			add_row(v, table, chosen, count, v->report->groups[i]);
	}
	table_rule(table, v->options->is_utf8);
	add_row(v, table, chosen, count, NULL);
	table_print(table, v->out);
}

/* ---- the lines around it ---- */

static void print_headline(const struct view *v)
{
	const struct report *r = v->report;
	AUTO(buf) struct buf line = BUF_INIT(BUF_UNLIMITED);
	char zone[ZONE_TEXT_MAX];
	zone_name(r->since_ms, zone);
	buf_adds(&line, "Claude Code, ");
	words_moment(&line, r->since_ms);
	buf_adds(&line, " to ");
	if (r->until_ms == v->options->now_ms)
		buf_adds(&line, "now");
	else
		words_moment(&line, r->until_ms);
	buf_addf(&line, " (%s)", zone);
	out_printf(v->out, "%s%s%s\n", out_style(v->out, STYLE_BOLD), buf_str(&line),
		out_style(v->out, STYLE_PLAIN));
	line.len = 0;
	buf_addf(&line, "from the %s in %s", r->source, v->options->state_dir);
	if (r->last_sample_ms) {
		buf_adds(&line, ", last sample ");
		words_age(&line, v->options->now_ms - r->last_sample_ms);
	}
	out_printf(v->out, "%s%s%s\n\n", out_style(v->out, STYLE_DIM), buf_str(&line),
		out_style(v->out, STYLE_PLAIN));
}

static void add_item(const struct view *v, struct buf *out, enum figure figure, const char *one,
	const char *many)
{
	bool is_one = report_knows(v->report, figure) &&
		      llround(figures_value(&v->report->totals, figure)) == 1;
	add_count(v, NULL, figure, out);
	buf_addf(out, " %s", is_one ? one : many);
}

static void print_wrapped(const struct view *v, const char *text)
{
	AUTO(buf) struct buf lines = BUF_INIT(BUF_UNLIMITED);
	text_wrap(&lines, text, 0, v->options->width);
	out_printf(v->out, "%s\n", buf_str(&lines));
}

/* What the totals hold beside cost and tokens. */
static void print_rest(const struct view *v)
{
	AUTO(buf) struct buf line = BUF_INIT(BUF_UNLIMITED);
	add_item(v, &line, FIGURE_SESSIONS, "session, ", "sessions, ");
	cell_active(v, NULL, &line);
	buf_adds(&line, " active; ");
	add_item(v, &line, FIGURE_COMMITS, "commit, ", "commits, ");
	add_item(v, &line, FIGURE_PULL_REQUESTS, "pull request, ", "pull requests, ");
	add_item(v, &line, FIGURE_ADDED, "line added, ", "lines added, ");
	add_item(v, &line, FIGURE_REMOVED, "removed; ", "removed; ");
	add_item(v, &line, FIGURE_ACCEPTED, "edit accepted, ", "edits accepted, ");
	add_item(v, &line, FIGURE_REJECTED, "rejected; ", "rejected; ");
	add_item(v, &line, FIGURE_API_REQUESTS, "API request, ", "API requests, ");
	add_item(v, &line, FIGURE_API_ERRORS, "error", "errors");
	out_printf(v->out, "\n");
	print_wrapped(v, buf_str(&line));
}

static void print_footnotes(const struct view *v)
{
	const struct report *r = v->report;
	AUTO(buf) struct buf note = BUF_INIT(BUF_UNLIMITED);
	bool is_marked = r->by == BY_SESSION;
	if (r->incomplete_sessions) {
		buf_addf(&note,
			"%sIncomplete: %lld of the sessions lost events on their way here, so the "
			"figures are a lower bound.",
			is_marked ? "* " : "", (long long)r->incomplete_sessions);
		print_wrapped(v, buf_str(&note));
	}
	note.len = 0;
	if (r->unknown_sessions) {
		buf_addf(&note,
			"%sUnknown: %lld of the sessions %s used by several processes at once; "
			"whether events were lost cannot be told.",
			is_marked ? "? " : "", (long long)r->unknown_sessions,
			r->unknown_sessions == 1 ? "was" : "were");
		print_wrapped(v, buf_str(&note));
	}
}

/* ---- without data ---- */

static void print_next_steps(struct out *o)
{
	out_printf(o, "Start a bridge, and Claude Code with these variables:\n\n"
		      "  cctm bridge\n\n"
		      "  export CLAUDE_CODE_ENABLE_TELEMETRY=1\n"
		      "  export OTEL_METRICS_EXPORTER=otlp OTEL_LOGS_EXPORTER=otlp\n"
		      "  export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n"
		      "  export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318\n"
		      "  export OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative\n");
}

static void print_nothing(const struct view *v)
{
	const struct report *r = v->report;
	if (!r->has_source) {
		out_printf(v->out,
			"No data: there is no ledger in %s; no bridge has run there.\n\n",
			v->options->state_dir);
		print_next_steps(v->out);
		return;
	}
	print_headline(v);
	if (!r->last_sample_ms) {
		out_printf(v->out, "No data: the ledger holds no sample yet.\n\n");
		print_next_steps(v->out);
		return;
	}
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&text, "No data in this range. The last sample is of ");
	words_moment(&text, r->last_sample_ms);
	buf_adds(&text, "; choose another range with --since and --until.");
	print_wrapped(v, buf_str(&text));
}

void report_print_text(struct out *o, const struct report *r, const struct print_options *options)
{
	struct view v = { .out = o, .report = r, .options = options };
	if (!r->has_data) {
		print_nothing(&v);
		return;
	}
	for (size_t i = 0; i < r->group_count; i++) {
		double value = bar_value(r, &r->groups[i]->figures);
		v.largest = value > v.largest ? value : v.largest;
	}
	print_headline(&v);
	print_table(&v);
	print_rest(&v);
	print_footnotes(&v);
}
