/* Showing settings: a table of all or of a group, one in detail, one bare, and the problems of a file. */
#include <string.h>

#include "cmd/config_internal.h"
#include "config/config.h"
#include "config/problems.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/str.h"
#include "core/table.h"
#include "core/text.h"

static struct config_request request_of(const struct config_job *job)
{
	return (struct config_request){ .path = job->where.file, .variable = config_getenv };
}

/* ---- JSON ---- */

static json_t *number_json(const struct key *key, const struct value *value)
{
	if (key->type == KEY_BOOL)
		return json_boolean(value->number != 0);
	return key->type == KEY_DECIMAL ? json_real((double)value->number / 1000)
					: json_integer(value->number);
}

static bool is_json_number(const struct key *key)
{
	return key->type == KEY_BOOL || key->type == KEY_DECIMAL || key->type == KEY_INT ||
	       key->type == KEY_PORT;
}

static json_t *value_json(const struct key *key, const struct value *value)
{
	if (key->is_list) {
		json_t *list = json_array();
		for (size_t i = 0; i < value->count; i++)
			json_array_append_new(list, out_json_text(value->items[i]));
		return list;
	}
	if (value->is_null)
		return json_null();
	return is_json_number(key) ? number_json(key, value) : out_json_text(value->text);
}

static json_t *origin_json(const struct origin *origin)
{
	return json_pack("{s:s, s:o, s:o, s:o}", "kind", origin_kind_name(origin->kind), "name",
		out_json_text(origin->name), "line",
		origin->line ? json_integer((json_int_t)origin->line) : json_null(), "column",
		origin->column ? json_integer((json_int_t)origin->column) : json_null());
}

static json_t *fallback_json(const struct key *key, enum profile profile)
{
	AUTO(value) struct value value = { 0 };
	AUTO(error) struct error ignored = ERROR_INIT;
	const char *text = key_fallback(key, profile);
	if (!value_parse_words(key, text ? text : "null", &value, &ignored))
		return json_null();
	return value_json(key, &value);
}

static json_t *setting_json(const struct config *config, const struct key *key)
{
	const struct setting *setting = config_setting(config, key->path);
	AUTO(str) char *type = key_type_name(key);
	AUTO(str) char *allowed = key_allowed(key);
	AUTO(str) char *variable = key_variable(key);
	json_t *object = json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:s, s:s}", "key",
		key->path, "value", value_json(key, &setting->value), "origin",
		origin_json(&setting->origin), "type", type, "allowed", allowed, "sentence",
		key->sentence, "default", fallback_json(key, PROFILE_LOCAL), "variable",
		out_json_text(variable), "unit",
		key->type == KEY_DURATION ? "ms"
		: key->type == KEY_SIZE	  ? "bytes"
		: key->unit		  ? key->unit
					  : "",
		"example", key->example);
	bool is_measure = key->type == KEY_DURATION || key->type == KEY_SIZE;
	if (is_measure)
		json_object_set_new(object, "number",
			setting->value.is_null ? json_null() : json_integer(setting->value.number));
	return object;
}

/* ---- text ---- */

static void add_row(struct table *rows, const struct config *config, const struct key *key)
{
	const struct setting *setting = config_setting(config, key->path);
	bool is_set = config_is_set(config, key->path);
	AUTO(str) char *text = value_text(key, &setting->value);
	AUTO(str) char *origin = origin_text(&setting->origin);
	AUTO(buf) struct buf shown = BUF_INIT(BUF_UNLIMITED);
	text_visible(&shown, text);
	table_add(rows, STYLE_PLAIN, "%s", key->path);
	table_add(rows, is_set ? STYLE_BOLD : STYLE_PLAIN, "%s", buf_str(&shown));
	table_add(rows, is_set ? STYLE_PLAIN : STYLE_DIM, "%s", origin);
}

static void print_field(struct out *out, const char *name, const char *text)
{
	AUTO(buf) struct buf shown = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf line = BUF_INIT(BUF_UNLIMITED);
	text_visible(&shown, text);
	text_wrap(&line, buf_str(&shown), 12, out_width(out));
	out_printf(out, "  %-10s%s\n", name, buf_str(&line));
}

static void print_fallbacks(struct out *out, const struct key *key)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	buf_adds(&text, key->fallback ? *key->fallback ? key->fallback : "[]" : "null");
	for (int i = 0; i < PROFILE_COUNT; i++) {
		if (key->profile_fallback[i])
			buf_addf(&text, "; %s: %s", profile_names[i], key->profile_fallback[i]);
	}
	print_field(out, "default", buf_str(&text));
}

static void print_detail(struct out *out, const struct config *config, const struct key *key)
{
	const struct setting *setting = config_setting(config, key->path);
	AUTO(str) char *text = value_text(key, &setting->value);
	AUTO(str) char *origin = origin_text(&setting->origin);
	AUTO(str) char *allowed = key_allowed(key);
	AUTO(str) char *variable = key_variable(key);
	AUTO(buf) struct buf shown = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf sentence = BUF_INIT(BUF_UNLIMITED);
	text_visible(&shown, text);
	text_wrap(&sentence, key->sentence, 0, out_width(out));
	out_printf(out, "%s%s: %s%s\n%s\n", out_style(out, STYLE_BOLD), key->path, buf_str(&shown),
		out_style(out, STYLE_PLAIN), buf_str(&sentence));
	print_field(out, "from", origin);
	print_fallbacks(out, key);
	print_field(out, "allowed", allowed);
	print_field(out, "example", key->example);
	if (variable)
		print_field(out, "variable", variable);
}

/* ---- show and get ---- */

static bool is_shown(const char *wanted, const char *path)
{
	size_t len = wanted ? strlen(wanted) : 0;
	return !wanted || strcmp(wanted, path) == 0 ||
	       (strncmp(path, wanted, len) == 0 && path[len] == '.');
}

static void print_text(const struct config_job *job, const struct config *config)
{
	static const struct table_column columns[] = { { "key", TABLE_LEFT },
		{ "value", TABLE_LEFT }, { "from", TABLE_LEFT } };
	const struct key *one = job->key ? key_find(job->key) : NULL;
	if (one) {
		print_detail(job->ctx->out, config, one);
		return;
	}
	AUTO(table) struct table *rows = table_new(columns, 3);
	for (size_t i = 0; i < config_key_count; i++) {
		if (is_shown(job->key, config_keys[i].path))
			add_row(rows, config, &config_keys[i]);
	}
	table_print(rows, job->ctx->out);
}

static void print_json(const struct config_job *job, const struct config *config)
{
	json_t *keys = json_array();
	for (size_t i = 0; i < config_key_count; i++) {
		if (is_shown(job->key, config_keys[i].path))
			json_array_append_new(keys, setting_json(config, &config_keys[i]));
	}
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:o, s:o}", "directory", out_json_text(job->where.dir), "file",
			out_json_text(config->path), "keys", keys));
}

int config_show(const struct config_job *job, struct error *err)
{
	AUTO(config) struct config config = { 0 };
	const struct config_request request = request_of(job);
	if (!config_load(&request, &config, err))
		return -1;
	if (!config.path)
		out_note(job->ctx->out, "there is no %s; these are the defaults", job->where.file);
	if (job->ctx->is_json)
		print_json(job, &config);
	else
		print_text(job, &config);
	return 0;
}

static void print_bare(struct out *out, const struct key *key, const struct value *value)
{
	for (size_t i = 0; i < value->count; i++)
		out_printf(out, "%s\n", value->items[i]);
	if (!key->is_list)
		out_printf(out, "%s\n", value->text);
}

int config_get(const struct config_job *job, struct error *err)
{
	AUTO(config) struct config config = { 0 };
	const struct config_request request = request_of(job);
	const struct key *key = key_find(job->key);
	if (!key)
		return config_unknown_key(job->key, err);
	if (!config_load(&request, &config, err))
		return -1;
	const struct setting *setting = config_setting(&config, key->path);
	if (job->ctx->is_json)
		out_json(job->ctx->out, 1,
			json_pack("{s:s, s:o, s:o}", "key", key->path, "value",
				value_json(key, &setting->value), "origin",
				origin_json(&setting->origin)));
	else
		print_bare(job->ctx->out, key, &setting->value);
	return 0;
}

/* ---- check ---- */

static json_t *problem_json(const struct problem *problem)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:s}", "key", out_json_text(problem->key), "message",
		out_json_text(problem->error.message), "hint", out_json_text(problem->error.hint),
		"origin", origin_json(&problem->where), "code", error_slug(problem->error.code));
}

static void print_problems_json(const struct config_job *job, const struct problems *problems)
{
	json_t *list = json_array();
	for (size_t i = 0; i < problems->count; i++)
		json_array_append_new(list, problem_json(&problems->items[i]));
	out_json(job->ctx->out, 1,
		json_pack("{s:o, s:b, s:o}", "file",
			out_json_text(job->where.has_file ? job->where.file : NULL), "valid",
			problems->count == 0, "problems", list));
}

static void print_problems_text(const struct config_job *job, const struct problems *problems)
{
	struct out *out = job->ctx->out;
	for (size_t i = 0; i < problems->count; i++) {
		AUTO(str) char *text = problem_text(&problems->items[i]);
		AUTO(buf) struct buf shown = BUF_INIT(BUF_UNLIMITED);
		text_visible(&shown, text);
		if (problems->items[i].error.hint) {
			buf_adds(&shown, "\n  hint: ");
			text_visible(&shown, problems->items[i].error.hint);
		}
		out_printf(out, "%s\n", buf_str(&shown));
	}
	const char *what = job->where.has_file ? job->where.file : "no cctm.yaml; the defaults";
	if (problems->count == 0)
		out_printf(out, "%s: no problems\n", what);
	else
		out_printf(
			out, "%zu problem%s\n", problems->count, problems->count == 1 ? "" : "s");
}

int config_print_check(const struct config_job *job, struct error *err)
{
	(void)err;
	AUTO(config) struct config config = { 0 };
	AUTO(problems) struct problems problems = { 0 };
	const struct config_request request = request_of(job);
	bool is_right = config_check(&request, &config, &problems);
	if (job->ctx->is_json)
		print_problems_json(job, &problems);
	else
		print_problems_text(job, &problems);
	return is_right ? 0 : error_exit_status(ERR_UNHEALTHY);
}
