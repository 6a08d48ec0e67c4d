/* Loading goes from strong to weak origins: flags, variables and the file fill their settings, what is left
 * is filled from the profile and the defaults, and then all is checked together. */
#include "config/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/checks.h"
#include "config/problems.h"
#include "config/tree.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"

struct loader {
	const struct config_request *request;
	struct config *config;
	struct problems *problems;
	struct slice bytes;
	bool *is_filled; /* by key */
};

const char *config_getenv(const char *name)
{
	return getenv(name);
}

static const char *keep_name(struct config *config, const char *name)
{
	config->names = mem_realloc(config->names, config->name_count + 1, sizeof *config->names);
	return config->names[config->name_count++] = mem_strdup(name);
}

static struct origin origin_of_node(const struct loader *l, size_t offset)
{
	struct place place = tree_place(l->bytes, offset);
	return (struct origin){ ORIGIN_FILE, l->config->path, place.line, place.column };
}

static void fill(
	struct loader *l, const struct key *key, struct value *value, const struct origin *origin)
{
	size_t i = key_index(key);
	l->config->settings[i] = (struct setting){ *value, *origin };
	l->is_filled[i] = true;
	*value = (struct value){ 0 };
}

/* ---- the file ---- */

static bool value_of_list(const struct loader *l, const struct key *key, const struct node *node,
	struct value *value, struct origin *origin, struct error *err)
{
	if (node->kind != NODE_LIST) {
		AUTO(str) char *allowed = key_allowed(key);
		error_set(err, ERR_CONFIG,
			node_is_null(node) ? "there is no value" : "is a list, and this is none");
		return error_hint(err, "allowed is %s; for example [%s]", allowed, key->example);
	}
	for (size_t i = 0; i < node->count; i++) {
		const struct node *item = node->children[i];
		*origin = origin_of_node(l, item->start);
		if (item->kind != NODE_SCALAR || node_is_null(item))
			return error_set(err, ERR_CONFIG, "item %zu is no text", i + 1);
		if (!value_add_item(key, item->text, value, err))
			return false;
	}
	*origin = origin_of_node(l, node->start);
	return true;
}

static bool value_of_node(const struct loader *l, const struct key *key, const struct node *node,
	struct value *value, struct origin *origin, struct error *err)
{
	if (key->is_list)
		return value_of_list(l, key, node, value, origin, err);
	if (node->kind != NODE_SCALAR) {
		AUTO(str) char *allowed = key_allowed(key);
		error_set(err, ERR_CONFIG, "is a single value, and this is a %s",
			node->kind == NODE_MAP ? "group" : "list");
		return error_hint(err, "allowed is %s; for example %s", allowed, key->example);
	}
	enum value_style style = node->style == NODE_PLAIN ? VALUE_PLAIN : VALUE_QUOTED;
	return value_parse(key, node->text, style, value, err);
}

static void take_value(struct loader *l, const struct key *key, const struct node *node)
{
	AUTO(value) struct value value = { 0 };
	AUTO(error) struct error error = ERROR_INIT;
	struct origin origin = origin_of_node(l, node->start);
	if (value_of_node(l, key, node, &value, &origin, &error))
		fill(l, key, &value, &origin);
	else
		problems_add(l->problems, &origin, key->path, &error);
}

static void refuse_unknown(struct loader *l, const char *path, const struct node *node)
{
	AUTO(error) struct error error = ERROR_INIT;
	const struct key *nearest = key_nearest(path);
	struct origin origin = origin_of_node(l, node->start);
	error_set(&error, ERR_CONFIG, "there is no key %.120s", path);
	if (key_is_secret(path))
		error_hint(&error, "secrets do not stand in this file but in .env");
	if (nearest) {
		AUTO(str) char *allowed = key_allowed(nearest);
		error_hint(&error, "did you mean %s? Allowed is %s; for example %s", nearest->path,
			allowed, nearest->example);
	}
	error_hint(&error, "'cctm config' lists all keys");
	problems_add(l->problems, &origin, NULL, &error);
}

static void take_map(struct loader *l, const struct node *map, const char *prefix);

static void take_entry(
	struct loader *l, const char *path, const struct node *name, const struct node *node)
{
	const struct key *key = key_find(path);
	if (key) {
		take_value(l, key, node);
	} else if (!key_is_group(path)) {
		refuse_unknown(l, path, name);
	} else if (node->kind == NODE_MAP) {
		take_map(l, node, path);
	} else if (!node_is_null(node)) {
		AUTO(error) struct error error = ERROR_INIT;
		struct origin origin = origin_of_node(l, node->start);
		error_set(&error, ERR_CONFIG, "is a group of keys, and this is a %s",
			node->kind == NODE_LIST ? "list" : "single value");
		error_hint(&error, "'cctm config %s' lists its keys", path);
		problems_add(l->problems, &origin, path, &error);
	}
}

static void take_map(struct loader *l, const struct node *map, const char *prefix)
{
	/* Past that none is kept, and looking for what was meant takes time. */
	for (size_t i = 0; i + 1 < map->count && l->problems->count < PROBLEMS_MAX; i += 2) {
		const struct node *name = map->children[i];
		AUTO(str) char *path = mem_printf("%s%s%s", prefix, *prefix ? "." : "", name->text);
		/* "ports.grafana: 3000" in one word is another key than grafana in ports. */
		if (strchr(name->text, '.'))
			refuse_unknown(l, path, name);
		else
			take_entry(l, path, name, map->children[i + 1]);
	}
}

/* A newer file has keys that we do not know; its version is the one thing to tell about it. */
static bool check_version(struct loader *l, const struct node *root)
{
	size_t at;
	int64_t version;
	AUTO(error) struct error error = ERROR_INIT;
	AUTO(error) struct error ignored = ERROR_INIT;
	const struct node *node = node_child(root, "version", &at);
	if (!node || node->kind != NODE_SCALAR || node->style != NODE_PLAIN ||
		!str_parse_int(node->text, 0, INT64_MAX, &version, &ignored) ||
		version <= CONFIG_FILE_VERSION)
		return true;
	struct origin origin = origin_of_node(l, node->start);
	error_set(&error, ERR_NEWER, "the file has version %lld, this cctm knows version %d",
		(long long)version, CONFIG_FILE_VERSION);
	error_hint(&error, "use the cctm that wrote it, or a newer one");
	problems_add(l->problems, &origin, NULL, &error);
	return false;
}

static void take_tree(struct loader *l, const struct tree *tree)
{
	if (!tree->root || node_is_null(tree->root))
		return;
	if (tree->root->kind != NODE_MAP) {
		AUTO(error) struct error error = ERROR_INIT;
		struct origin origin = origin_of_node(l, tree->root->start);
		error_set(&error, ERR_CONFIG, "the file holds no keys");
		error_hint(&error,
			"write a key, a colon, a space and the value; for example bind: 127.0.0.1");
		problems_add(l->problems, &origin, NULL, &error);
	} else if (check_version(l, tree->root)) {
		take_map(l, tree->root, "");
	}
}

/* tree.h puts "line:column: " in front of its errors; here they become a place. */
static void add_tree_problem(struct loader *l, struct error *error)
{
	struct origin origin = { ORIGIN_FILE, l->config->path, 0, 0 };
	AUTO(error) struct error ignored = ERROR_INIT;
	size_t line = strspn(error->message, "0123456789");
	size_t column =
		error->message[line] == ':' ? strspn(error->message + line + 1, "0123456789") : 0;
	if (line && column) {
		AUTO(str) char *line_text = mem_strndup(error->message, line);
		AUTO(str) char *column_text = mem_strndup(error->message + line + 1, column);
		int64_t number;
		if (str_parse_int(line_text, 1, INT64_MAX, &number, &ignored))
			origin.line = (size_t)number;
		if (str_parse_int(column_text, 1, INT64_MAX, &number, &ignored))
			origin.column = (size_t)number;
		char *rest = mem_strdup(error->message + line + column + 3);
		free(error->message);
		error->message = rest;
	}
	problems_add(l->problems, &origin, NULL, error);
}

static void take_file(struct loader *l)
{
	AUTO(tree) struct tree tree = { 0 };
	AUTO(error) struct error error = ERROR_INIT;
	if (tree_parse(l->bytes, &tree, &error))
		take_tree(l, &tree);
	else
		add_tree_problem(l, &error);
}

/* ---- environment and flags ---- */

static void take_words(
	struct loader *l, const struct key *key, const char *text, const struct origin *origin)
{
	AUTO(value) struct value value = { 0 };
	AUTO(error) struct error error = ERROR_INIT;
	if (!value_parse_words(key, text, &value, &error)) {
		problems_add(l->problems, origin, key->path, &error);
		return;
	}
	value_clear(&l->config->settings[key_index(key)].value);
	fill(l, key, &value, origin);
}

static void take_environment(struct loader *l)
{
	for (size_t i = 0; l->request->variable && i < config_key_count; i++) {
		AUTO(str) char *name = key_variable(&config_keys[i]);
		const char *text = name ? l->request->variable(name) : NULL;
		if (!text || !*text)
			continue;
		struct origin origin = { ORIGIN_ENVIRONMENT, keep_name(l->config, name), 0, 0 };
		take_words(l, &config_keys[i], text, &origin);
	}
}

static void take_flags(struct loader *l)
{
	for (size_t i = 0; i < l->request->flag_count; i++) {
		const struct config_flag *flag = &l->request->flags[i];
		const struct key *key = key_find(flag->key);
		assert(key);
		struct origin origin = { ORIGIN_FLAG, keep_name(l->config, flag->name), 0, 0 };
		take_words(l, key, flag->text, &origin);
	}
}

/* ---- the rest ---- */

static enum profile profile_of(const struct loader *l)
{
	const struct key *key = key_find("profile");
	const char *name = l->config->settings[key_index(key)].value.text;
	for (int i = 0; name && profile_names[i]; i++) {
		if (strcmp(profile_names[i], name) == 0)
			return (enum profile)i;
	}
	return PROFILE_LOCAL;
}

/* The table's own texts are right: a test loads them all. */
static void take_fallbacks(struct loader *l)
{
	enum profile profile = profile_of(l);
	for (size_t i = 0; i < config_key_count; i++) {
		const struct key *key = &config_keys[i];
		if (l->is_filled[i])
			continue;
		AUTO(error) struct error error = ERROR_INIT;
		AUTO(value) struct value value = { 0 };
		const char *text = key_fallback(key, profile);
		struct origin origin = { ORIGIN_DEFAULT, NULL, 0, 0 };
		if (key->profile_fallback[profile])
			origin = (struct origin){ ORIGIN_PROFILE, profile_names[profile], 0, 0 };
		bool is_right = value_parse_words(key, text ? text : "null", &value, &error);
		assert(is_right);
		fill(l, key, &value, &origin);
	}
}

bool config_check_bytes(const struct config_request *request, struct slice bytes,
	struct config *out, struct problems *problems)
{
	struct loader l = { request, out, problems, bytes, NULL };
	out->path = request->path ? mem_strdup(request->path) : NULL;
	out->settings = mem_calloc(config_key_count, sizeof *out->settings);
	l.is_filled = mem_calloc(config_key_count, sizeof *l.is_filled);
	take_file(&l);
	take_environment(&l);
	take_flags(&l);
	take_fallbacks(&l);
	free(l.is_filled);
	if (problems->count == 0)
		config_cross_check(out, problems);
	return problems->count == 0;
}

bool config_check(
	const struct config_request *request, struct config *out, struct problems *problems)
{
	AUTO(buf) struct buf bytes = BUF_INIT(TREE_BYTES_MAX);
	AUTO(error) struct error error = ERROR_INIT;
	struct config_request found = *request;
	int got = request->path ? file_read(request->path, &bytes, &error) : 0;
	if (got < 0) {
		/* The error names the file itself. */
		struct origin origin = { ORIGIN_FILE, NULL, 0, 0 };
		problems_add(problems, &origin, NULL, &error);
		return false;
	}
	if (got == 0)
		found.path = NULL;
	return config_check_bytes(&found, buf_slice(&bytes), out, problems);
}

bool config_load(const struct config_request *request, struct config *out, struct error *err)
{
	AUTO(problems) struct problems problems = { 0 };
	struct config config = { 0 };
	if (!config_check(request, &config, &problems)) {
		config_clear(&config);
		return problems_error(&problems, err);
	}
	*out = config;
	return true;
}

void config_clear(struct config *config)
{
	for (size_t i = 0; config->settings && i < config_key_count; i++)
		value_clear(&config->settings[i].value);
	for (size_t i = 0; i < config->name_count; i++)
		free(config->names[i]);
	free(config->names);
	free(config->settings);
	free(config->path);
	*config = (struct config){ 0 };
}

const struct setting *config_setting(const struct config *config, const char *path)
{
	const struct key *key = key_find(path);
	assert(key && config->settings);
	return &config->settings[key_index(key)];
}

const char *config_text(const struct config *config, const char *path)
{
	const char *text = config_setting(config, path)->value.text;
	assert(text); /* a list has items */
	return text;
}

int64_t config_number(const struct config *config, const char *path)
{
	return config_setting(config, path)->value.number;
}

bool config_is(const struct config *config, const char *path)
{
	return config_setting(config, path)->value.number != 0;
}

bool config_is_null(const struct config *config, const char *path)
{
	return config_setting(config, path)->value.is_null;
}

bool config_is_set(const struct config *config, const char *path)
{
	return config_setting(config, path)->origin.kind >= ORIGIN_FILE;
}
