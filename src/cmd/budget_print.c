/* Budgets, for people and for programs. */
#include <unistd.h>

#include "cmd/budget_internal.h"
#include "core/buf.h"
#include "core/out.h"
#include "core/table.h"
#include "report/print.h"
#include "report/words.h"

#define BAR_CELLS     12
#define SUBJECT_WIDTH 40
#define SUBJECTS_MAX  20   /* of one budget; programs get all */
#define PASSED_MIN    0.05 /* a forecast from less would be a guess */

static const char *const words[BUDGET_PERIODS] = { "today", "this week", "this month" };

static double share_of(const struct budget_row *row)
{
	return row->spent_usd / row->limit_usd;
}

/* False: it cannot be told. */
static bool forecast(
	const struct budget_listing *listing, const struct budget_row *row, double *usd)
{
	double passed = listing->passed[row->period];
	bool is_told = listing->is_known && passed >= PASSED_MIN;
	*usd = is_told ? row->spent_usd / passed : 0;
	return is_told;
}

/* ---- text ---- */

static enum style style_of(double share)
{
	if (share >= 1)
		return STYLE_RED;
	return share >= 0.8 ? STYLE_YELLOW : STYLE_PLAIN;
}

static void add_money(
	struct table *table, enum style style, bool is_told, double usd, const char *dash)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	if (is_told)
		words_money(&text, usd);
	table_add(table, style, "%s", is_told ? buf_str(&text) : dash);
}

static void add_name(struct table *table, const struct budget_row *row, bool is_utf8)
{
	AUTO(buf) struct buf name = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&name, words[row->period]);
	if (row->subject) {
		buf_adds(&name, ", ");
		words_key(&name, row->subject, SUBJECT_WIDTH, is_utf8);
	} else if (row->scope != BUDGET_ALL) {
		buf_addf(&name, ", each %s", budget_scope_names[row->scope]);
	}
	table_add(table, STYLE_BOLD, "%s", buf_str(&name));
}

static void add_row(struct table *table, const struct budget_listing *listing,
	const struct budget_row *row, bool has_bar)
{
	bool is_utf8 = report_locale_is_utf8(), is_known = listing->is_known;
	const char *dash = is_utf8 ? "—" : "-";
	double share = share_of(row), usd;
	enum style style = style_of(share);
	bool is_foreseen = forecast(listing, row, &usd);
	AUTO(buf) struct buf bar = BUF_INIT(BUF_UNLIMITED);
	add_name(table, row, is_utf8);
	add_money(table, style, is_known, row->spent_usd, dash);
	add_money(table, STYLE_PLAIN, true, row->limit_usd, dash);
	if (has_bar) {
		if (is_known)
			words_bar(&bar, share < 1 ? share : 1, BAR_CELLS, is_utf8);
		table_add(table, style, "%s", buf_str(&bar));
	}
	if (is_known)
		table_add(table, style, "%.0f %%", 100 * share);
	else
		table_add(table, STYLE_PLAIN, "%s", dash);
	add_money(table, style, is_known, row->limit_usd - row->spent_usd, dash);
	add_money(table, is_foreseen && usd > row->limit_usd ? STYLE_YELLOW : STYLE_PLAIN,
		is_foreseen, usd, dash);
}

static void print_text(struct context *ctx, const struct budget_listing *listing)
{
	static const struct table_column with_bar[] = { { "budget", TABLE_LEFT },
		{ "spent", TABLE_RIGHT }, { "of", TABLE_RIGHT }, { "", TABLE_LEFT },
		{ "share", TABLE_RIGHT }, { "left", TABLE_RIGHT }, { "forecast", TABLE_RIGHT } };
	static const struct table_column bare[] = { { "budget", TABLE_LEFT },
		{ "spent", TABLE_RIGHT }, { "of", TABLE_RIGHT }, { "share", TABLE_RIGHT },
		{ "left", TABLE_RIGHT }, { "forecast", TABLE_RIGHT } };
	bool has_bar = isatty(STDOUT_FILENO);
	AUTO(table)
	struct table *table = has_bar ? table_new(with_bar, 7) : table_new(bare, 6);
	size_t of_budget = 0, left_out = 0;
	for (size_t i = 0; i < listing->count; i++) {
		const struct budget_row *row = &listing->rows[i];
		bool is_next = i && row[-1].period == row->period && row[-1].scope == row->scope;
		of_budget = is_next ? of_budget + 1 : 1;
		if (of_budget <= SUBJECTS_MAX)
			add_row(table, listing, row, has_bar);
		else
			left_out++;
	}
	if (listing->count)
		table_print(table, ctx->out);
	if (left_out)
		out_note(ctx->out, "%zu more that spent less are not shown; --json has them",
			left_out);
}

/* ---- JSON ---- */

static json_t *figure(bool is_told, double value)
{
	return is_told ? json_real(value) : json_null();
}

static json_t *row_json(const struct budget_listing *listing, const struct budget_row *row)
{
	AUTO(str) char *key = budget_key(row->period, row->scope);
	bool is_known = listing->is_known;
	double usd, passed = listing->passed[row->period];
	bool is_foreseen = forecast(listing, row, &usd);
	return json_pack("{s:s, s:s, s:s, s:o, s:f, s:o, s:o, s:o, s:o, s:o}", "key", key, "period",
		budget_period_names[row->period], "scope", budget_scope_names[row->scope],
		"subject", out_json_text(row->subject), "limit_usd", row->limit_usd, "spent_usd",
		figure(is_known, row->spent_usd), "percent", figure(is_known, 100 * share_of(row)),
		"left_usd", figure(is_known, row->limit_usd - row->spent_usd), "forecast_usd",
		figure(is_foreseen, usd), "passed", figure(passed > 0, passed));
}

static void print_json(struct context *ctx, const struct budget_listing *listing)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < listing->count; i++)
		json_array_append_new(rows, row_json(listing, &listing->rows[i]));
	out_json(ctx->out, 1,
		json_pack("{s:s, s:o, s:b, s:o}", "source", listing->source, "unknown_because",
			out_json_text(listing->why), "loaded", !listing->is_stale, "budgets",
			rows));
}

void budget_print(struct context *ctx, const struct budget_listing *listing)
{
	if (ctx->is_json)
		print_json(ctx, listing);
	else
		print_text(ctx, listing);
	if (!listing->count)
		out_note(ctx->out, "there is no budget yet; 'cctm budget set daily 50' sets one");
	else if (!listing->is_known)
		out_note(ctx->out, "what was spent is unknown: %s", listing->why);
	if (listing->is_stale)
		out_note(ctx->out, "Prometheus does not go by these budgets yet: 'cctm init', then "
				   "'cctm up'");
}
