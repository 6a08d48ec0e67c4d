/* cctm dashboards list: those that cctm brings and what became of them in Grafana, and the others that are there. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cmd/dashboards_internal.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/table.h"
#include "core/text.h"
#include "grafana/bring.h"
#include "grafana/bundled.h"
#include "loaded/own_dashboards.h"
#include "loaded/own_grafana.h"

/* Of so many others the version is asked for, each with a request. */
#define VERSIONS_MAX 200
#define TITLE_MAX    200

struct listed {
	struct context *ctx;
	struct own_grafana own; /* url NULL: not known what it has */
	char *copies;
	struct table *table;
	json_t *rows;
};

/* All borrowed. */
struct row {
	const char *name, *title, *uid; /* name NULL: it is not cctm's */
	const char *state, *text;
	const struct grafana_dashboard *there; /* NULL: it is not, or not known */
};

static void add_row(struct listed *listed, const struct row *row)
{
	int64_t version = row->there ? row->there->version : 0;
	const char *by = row->there ? row->there->updated_by : NULL;
	AUTO(str)
	char *said = version ? mem_printf("%s, version %lld", row->text, (long long)version)
			     : mem_strdup(row->text);
	table_add(listed->table, STYLE_BOLD, "%s", row->name ? row->name : "");
	AUTO(str) char *title = text_first_line(row->title, TITLE_MAX);
	table_add(listed->table, STYLE_PLAIN, "%s", title);
	table_add(listed->table, STYLE_DIM, "%s", row->uid);
	table_add(listed->table, STYLE_PLAIN, "%s", said);
	json_array_append_new(listed->rows,
		json_pack("{s:o, s:o, s:o, s:s, s:s, s:o, s:o}", "name", out_json_text(row->name),
			"title", out_json_text(row->title), "uid", out_json_text(row->uid), "state",
			row->state, "text", row->text, "version",
			version ? json_integer(version) : json_null(), "updated_by",
			out_json_text(by)));
}

/* ---- cctm's ---- */

static bool add_bundled(struct listed *listed, const struct bundled_file *file, struct error *err)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(import) struct import ours = { 0 };
	AUTO(bring) struct bring bring = { 0 };
	const struct bring_place place = { &listed->own.grafana, listed->copies };
	AUTO(str) char *name = bundled_name(file);
	if (!bundled_read(file, &ours, err))
		return false;
	bool is_known = listed->own.url && bring_look(&place, &ours, &bring, &ignored);
	const struct row row = { .name = name,
		.title = ours.title,
		.uid = ours.uid,
		.state = is_known ? bring_word(bring.state) : "unknown",
		.text = is_known ? bring_text(bring.state) : "unknown",
		.there = is_known && bring.there.model ? &bring.there : NULL };
	add_row(listed, &row);
	return true;
}

/* ---- the others ---- */

static bool is_bundled(const struct listed *listed, const char *uid)
{
	for (size_t i = 0; i < grafana_bundled_count; i++) {
		const json_t *its = json_object_get(json_array_get(listed->rows, i), "uid");
		if (strcmp(json_string_value(its), uid) == 0)
			return true;
	}
	return false;
}

static void add_other(struct listed *listed, const json_t *found, size_t *asked)
{
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(grafana_dashboard) struct grafana_dashboard there = { 0 };
	const char *uid = json_string_value(json_object_get(found, "uid"));
	const char *title = json_string_value(json_object_get(found, "title"));
	if (!uid || !title || is_bundled(listed, uid))
		return;
	bool is_read = ++*asked <= VERSIONS_MAX &&
		       grafana_dashboard_read(&listed->own.grafana, uid, &there, &ignored) > 0;
	bool is_provisioned = is_read && there.provisioned_by;
	const struct row row = { .title = title,
		.uid = uid,
		.state = is_provisioned ? "provisioned" : "yours",
		.text = is_provisioned ? "provisioned from a file" : "yours",
		.there = is_read ? &there : NULL };
	add_row(listed, &row);
}

static void add_others(struct listed *listed)
{
	AUTO(error) struct error err = ERROR_INIT;
	json_t *all = grafana_search(&listed->own.grafana, GRAFANA_DASHBOARDS, &err);
	size_t asked = 0;
	for (size_t i = 0; i < json_array_size(all); i++)
		add_other(listed, json_array_get(all, i), &asked);
	if (!all)
		out_note(listed->ctx->out, "what else Grafana has is unknown: %s", err.message);
	json_decref(all);
}

/* ---- all ---- */

/* Grafana's login is tried once; without it the list says what it can. */
static void look_for_grafana(struct listed *listed)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(loaded) struct loaded stack = { 0 };
	if (loaded_read(listed->ctx->dir, &stack, &err) &&
		own_grafana_find(&stack, &listed->own, &err) &&
		grafana_login(&listed->own.grafana, &err) == GRAFANA_LOGIN_RIGHT) {
		listed->copies = own_dashboards_copies(&stack);
		return;
	}
	out_note(listed->ctx->out, "what Grafana has is unknown: %s",
		error_is_set(&err) ? err.message : "it does not take the password of .env");
	own_grafana_clear(&listed->own);
}

int dashboards_list(struct context *ctx, struct error *err)
{
	static const struct table_column columns[] = { { "name", TABLE_LEFT },
		{ "title", TABLE_LEFT }, { "uid", TABLE_LEFT }, { "in Grafana", TABLE_LEFT } };
	AUTO(table) struct table *table = table_new(columns, 4);
	struct listed listed = { .ctx = ctx, .table = table, .rows = json_array() };
	bool is_read = true;
	look_for_grafana(&listed);
	for (size_t i = 0; is_read && i < grafana_bundled_count; i++)
		is_read = add_bundled(&listed, &grafana_bundled[i], err);
	if (is_read && listed.own.url)
		add_others(&listed);
	if (is_read && ctx->is_json)
		out_json(ctx->out, 1, json_pack("{s:O}", "dashboards", listed.rows));
	else if (is_read)
		table_print(table, ctx->out);
	json_decref(listed.rows);
	free(listed.copies);
	own_grafana_clear(&listed.own);
	return is_read ? 0 : -1;
}
