#include "core/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/text.h"

static const char gap[] = "  ";

struct cell {
	char *text;
	enum style style;
};

struct table {
	const struct table_column *columns;
	size_t column_count;
	struct cell *cells;
	size_t cell_count, cell_room;
	size_t *rules; /* a rule stands before the cell of this index */
	size_t rule_count, rule_room;
	const char *stroke; /* what a rule is made of, one column wide */
};

struct table *table_new(const struct table_column *columns, size_t count)
{
	assert(count > 0);
	struct table *t = mem_zalloc(sizeof *t);
	t->columns = columns;
	t->column_count = count;
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->cell_count; i++)
		free(t->cells[i].text);
	free(t->cells);
	free(t->rules);
	free(t);
}

void table_add(struct table *t, enum style style, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	t->cells = mem_grow(t->cells, &t->cell_room, t->cell_count + 1, sizeof *t->cells);
	t->cells[t->cell_count++] = (struct cell){ text, style };
}

void table_rule(struct table *t, bool is_utf8)
{
	assert(t->cell_count % t->column_count == 0);
	t->rules = mem_grow(t->rules, &t->rule_room, t->rule_count + 1, sizeof *t->rules);
	t->rules[t->rule_count++] = t->cell_count;
	t->stroke = is_utf8 ? "─" : "-";
}

static size_t *measure(const struct table *t)
{
	size_t *widths = mem_calloc(t->column_count, sizeof *widths);
	for (size_t i = 0; i < t->column_count; i++)
		widths[i] = t->columns[i].title ? text_width(t->columns[i].title) : 0;
	for (size_t i = 0; i < t->cell_count; i++) {
		size_t width = text_width(t->cells[i].text), *widest = &widths[i % t->column_count];
		*widest = width > *widest ? width : *widest;
	}
	return widths;
}

/* Spaces in front or behind; none behind the last column, so that lines have no blank tail. */
static void print_cell(const struct table *t, struct out *o, size_t column, size_t width,
	const char *text, enum style style)
{
	int blank = (int)(width - text_width(text));
	bool is_right = t->columns[column].align == TABLE_RIGHT;
	bool is_last = column + 1 == t->column_count;
	bool is_styled = style != STYLE_PLAIN && *text;
	out_printf(o, "%*s%s%s%s%*s%s", is_right ? blank : 0, "",
		is_styled ? out_style(o, style) : "", text,
		is_styled ? out_style(o, STYLE_PLAIN) : "", is_right || is_last ? 0 : blank, "",
		is_last ? "\n" : gap);
}

static void print_rule(const struct table *t, struct out *o, const size_t *widths)
{
	out_printf(o, "%s", out_style(o, STYLE_DIM));
	for (size_t column = 0; column < t->column_count; column++) {
		for (size_t i = 0; i < widths[column]; i++)
			out_printf(o, "%s", t->stroke);
		out_printf(o, "%s", column + 1 == t->column_count ? "" : gap);
	}
	out_printf(o, "%s\n", out_style(o, STYLE_PLAIN));
}

void table_print(const struct table *t, struct out *o)
{
	assert(t->cell_count % t->column_count == 0);
	size_t *widths = measure(t);
	for (size_t column = 0; t->columns[0].title && column < t->column_count; column++)
		print_cell(t, o, column, widths[column], t->columns[column].title, STYLE_BOLD);
	size_t rule = 0;
	for (size_t i = 0; i < t->cell_count; i++) {
		for (; rule < t->rule_count && t->rules[rule] == i; rule++)
			print_rule(t, o, widths);
		size_t column = i % t->column_count;
		print_cell(t, o, column, widths[column], t->cells[i].text, t->cells[i].style);
	}
	free(widths);
}
