/* A table of text: columns aligned by what a terminal shows, not by bytes.
 *
 *     static const struct table_column columns[] = { { "day", TABLE_LEFT }, { "cost", TABLE_RIGHT } };
 *     AUTO(table) struct table *table = table_new(columns, 2);
 *     table_add(table, STYLE_PLAIN, "%s", day);
 *     table_add(table, STYLE_PLAIN, "%.2f", cost);
 *     table_rule(table, is_utf8);        // before the totals
 *     table_print(table, ctx->out);
 *
 * Cells are added row by row from left to right. Styles are applied around a cell when it is printed and
 * cost no width. Nothing is cut: a table may be wider than the terminal.
 */
#ifndef CCTM_CORE_TABLE_H
#define CCTM_CORE_TABLE_H

#include <stddef.h>

#include "core/cleanup.h"
#include "core/out.h"

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
	const char *title; /* NULL in all columns: no header line */
	enum table_align align;
};

struct table;

struct table *table_new(const struct table_column *columns, size_t count); /* borrows columns */
void table_free(struct table *t);

void table_add(struct table *t, enum style style, const char *fmt, ...) PRINTF(3, 4);

/* A line across the table, after the rows so far; only between rows. Of hyphens for a terminal that is not said
 * to show UTF-8; all rules of a table are alike. */
void table_rule(struct table *t, bool is_utf8);

void table_print(const struct table *t, struct out *o);

static inline void auto_table(struct table **t)
{
	table_free(*t);
}

#endif
